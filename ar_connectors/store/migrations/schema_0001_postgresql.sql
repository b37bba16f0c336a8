-- Schema 1 of the store on postgresql. Released schemas are never changed.

CREATE TABLE budget_blocks (
    resource TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (resource)
);

CREATE TABLE budget_calls (
    id BIGSERIAL NOT NULL,
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
    number BIGSERIAL NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (number),
    UNIQUE (id)
);

CREATE TABLE connections (
    id TEXT NOT NULL,
    platform TEXT NOT NULL,
    tenant TEXT NOT NULL,
    settings BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE cursors (
    connection_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    state BYTEA NOT NULL,
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
    id BIGSERIAL NOT NULL,
    connection_id TEXT NOT NULL,
    type VARCHAR(30) NOT NULL,
    key TEXT NOT NULL,
    content_hash VARCHAR(64) NOT NULL,
    body BYTEA NOT NULL,
    subjects BYTEA NOT NULL,
    state VARCHAR(12) NOT NULL,
    record_id TEXT,
    idempotency_key TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_sent_at BIGINT,
    claim_owner TEXT,
    claim_until BIGINT,
    fence BIGINT NOT NULL,
    not_before BIGINT,
    error BYTEA,
    recorded_at BIGINT NOT NULL,
    delivered_at BIGINT,
    PRIMARY KEY (id),
    UNIQUE (connection_id, type, key)
);

CREATE INDEX outbox_by_state ON outbox (connection_id, state);

CREATE TABLE placement_subjects (
    subject_id TEXT NOT NULL,
    placement_id BIGINT NOT NULL,
    PRIMARY KEY (subject_id, placement_id)
);

CREATE TABLE placements (
    id BIGSERIAL NOT NULL,
    connection_id TEXT NOT NULL,
    command_id BIGINT NOT NULL,
    command_type VARCHAR(30) NOT NULL,
    remote_kind TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    version TEXT,
    body BYTEA NOT NULL,
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
    id BIGSERIAL NOT NULL,
    connection_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    kind BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
    remote_id BYTEA,
    code BYTEA NOT NULL,
    reason BYTEA NOT NULL,
    raw BYTEA NOT NULL,
    times INTEGER NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (connection_id, fingerprint)
);

CREATE TABLE raw_pages (
    id BIGSERIAL NOT NULL,
    connection_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    mapper_version INTEGER NOT NULL,
    fetched_at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE record_versions (
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    connection BIGINT NOT NULL,
    kind INTEGER NOT NULL,
    gone VARCHAR(20),
    body BYTEA NOT NULL,
    due_version INTEGER NOT NULL,
    observed_at BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL,
    PRIMARY KEY (id, seq)
);

CREATE INDEX record_versions_by_connection ON record_versions (connection, observed_at);

CREATE TABLE records (
    number BIGSERIAL NOT NULL,
    connection BIGINT NOT NULL,
    kind INTEGER NOT NULL,
    key BIGINT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    origin TEXT,
    body BYTEA NOT NULL,
    gone VARCHAR(20),
    mapper_version INTEGER NOT NULL,
    raw_page BIGINT,
    raw_row INTEGER,
    due_version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    observed_at BIGINT NOT NULL,
    PRIMARY KEY (number)
);

CREATE INDEX records_by_key ON records (connection, kind, key, gone);

CREATE INDEX records_by_origin ON records (origin) WHERE origin IS NOT NULL;

CREATE INDEX records_by_parent ON records (parent) WHERE parent IS NOT NULL;

CREATE TABLE schema_version (
    number SERIAL NOT NULL,
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
    body BYTEA NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (connection_id)
);
