-- Schema 1 of the store on sqlite. Released schemas are never changed.

CREATE TABLE budget_blocks (
    resource TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (resource)
);

CREATE TABLE budget_calls (
    id INTEGER NOT NULL,
    resource TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX budget_calls_by_resource ON budget_calls (resource, at);

CREATE TABLE budget_slots (
    slot TEXT NOT NULL,
    resource TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (slot)
);

CREATE INDEX ix_budget_slots_resource ON budget_slots (resource);

CREATE TABLE connection_numbers (
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (number),
    UNIQUE (id)
);

CREATE TABLE connections (
    id TEXT NOT NULL,
    platform TEXT NOT NULL,
    tenant TEXT NOT NULL,
    settings BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE cursors (
    connection_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    state BLOB NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (connection_id, stream)
);

CREATE TABLE leases (
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE outbox (
    id INTEGER NOT NULL,
    connection_id TEXT NOT NULL,
    type VARCHAR(30) NOT NULL,
    "key" TEXT NOT NULL,
    content_hash VARCHAR(64) NOT NULL,
    body BLOB NOT NULL,
    subjects BLOB NOT NULL,
    state VARCHAR(12) NOT NULL,
    record_id TEXT,
    idempotency_key TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_sent_at BIGINT,
    claim_owner TEXT,
    claim_until BIGINT,
    fence BIGINT NOT NULL,
    not_before BIGINT,
    error BLOB,
    recorded_at BIGINT NOT NULL,
    delivered_at BIGINT,
    PRIMARY KEY (id),
    UNIQUE (connection_id, type, "key")
);

CREATE INDEX outbox_by_state ON outbox (connection_id, state);

CREATE TABLE placement_subjects (
    subject_id TEXT NOT NULL,
    placement_id INTEGER NOT NULL,
    PRIMARY KEY (subject_id, placement_id)
);

CREATE TABLE placements (
    id INTEGER NOT NULL,
    connection_id TEXT NOT NULL,
    command_id INTEGER NOT NULL,
    command_type VARCHAR(30) NOT NULL,
    remote_kind TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    version TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_placements_command_id ON placements (command_id);

CREATE INDEX placements_by_remote ON placements (connection_id, remote_kind, remote_id);

CREATE TABLE promise_invoices (
    invoice_id TEXT NOT NULL,
    promise_id TEXT NOT NULL,
    PRIMARY KEY (invoice_id, promise_id)
);

CREATE TABLE quarantine (
    id INTEGER NOT NULL,
    connection_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    kind BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    remote_id BLOB,
    code BLOB NOT NULL,
    reason BLOB NOT NULL,
    raw BLOB NOT NULL,
    times INTEGER NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (connection_id, fingerprint)
);

CREATE TABLE raw_pages (
    id INTEGER NOT NULL,
    connection_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    mapper_version INTEGER NOT NULL,
    fetched_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE record_versions (
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    connection INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    gone VARCHAR(20),
    body BLOB NOT NULL,
    due_version INTEGER NOT NULL,
    observed_at BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL,
    PRIMARY KEY (id, seq)
);

CREATE INDEX record_versions_by_connection ON record_versions (connection, observed_at);

CREATE TABLE records (
    number INTEGER NOT NULL,
    connection INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    "key" BIGINT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    origin TEXT,
    body BLOB NOT NULL,
    gone VARCHAR(20),
    mapper_version INTEGER NOT NULL,
    raw_page INTEGER,
    raw_row INTEGER,
    due_version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    observed_at BIGINT NOT NULL,
    PRIMARY KEY (number)
);

CREATE INDEX records_by_key ON records (connection, kind, "key", gone);

CREATE INDEX records_by_origin ON records (origin) WHERE origin IS NOT NULL;

CREATE INDEX records_by_parent ON records (parent) WHERE parent IS NOT NULL;

CREATE TABLE schema_version (
    number INTEGER NOT NULL,
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (number)
);

CREATE TABLE store_facts (
    name TEXT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE tokens (
    connection_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    body BLOB NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (connection_id)
);
