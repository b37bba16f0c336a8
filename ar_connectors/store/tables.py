"""What does the store keep? All tables, in one place; the comments say why a column is there.

Every fact, whether it came from an ERP or was born here, is a row of `records`: its current state, in force since
`observed_at`. States that are over go to `record_versions`, which is only ever added to. Serialized records are bytes:
PostgreSQL text cannot hold every character that an ERP can.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = ["metadata"]

metadata = MetaData()

_Serial = BigInteger().with_variant(Integer, "sqlite")

# Instants are whole microseconds since 1970 UTC: exact, comparable, and the same on both databases.
_Instant = BigInteger

connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("settings", LargeBinary, nullable=False),
    Column("created_at", _Instant, nullable=False),
)

connection_numbers = Table(
    "connection_numbers",  # a connection's id is long and stands for each of its records; told here once
    metadata,
    Column("number", _Serial, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
)

records = Table(
    "records",
    metadata,
    Column("number", _Serial, primary_key=True, autoincrement=True),
    Column("connection", _Serial, nullable=False),  # see connection_numbers
    Column("kind", Integer, nullable=False),  # see places.py
    Column("key", BigInteger, nullable=False),  # what the record is looked up by: made of its id (places.py)
    Column("id", Text, nullable=False),
    # What it was read from, so that it goes with it; NULL where its id says so (allocations).
    Column("parent", Text),
    # Kind and id at the platform; NULL where its id says so, empty where it has none: born here.
    Column("origin", Text),
    Column("body", LargeBinary, nullable=False),  # codec.py
    Column("gone", String(20)),  # why it is believed to be gone; NULL: it is there
    Column("mapper_version", Integer, nullable=False),
    Column("raw_page", _Serial),
    Column("raw_row", Integer),
    Column("due_version", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("observed_at", _Instant, nullable=False),
    # The one index of all records, and short: ids of an ERP may be random, and each page of a first load then writes all over it.
    Index("records_by_key", "connection", "kind", "key", "gone"),
    Index(
        "records_by_parent",
        "parent",
        sqlite_where=text("parent IS NOT NULL"),
        postgresql_where=text("parent IS NOT NULL"),
    ),
    Index(
        "records_by_origin",
        "origin",
        sqlite_where=text("origin IS NOT NULL"),
        postgresql_where=text("origin IS NOT NULL"),
    ),
)

record_versions = Table(
    "record_versions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("connection", _Serial, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("gone", String(20)),
    Column("body", LargeBinary, nullable=False),
    Column("due_version", Integer, nullable=False),
    Column("observed_at", _Instant, nullable=False),
    Column("replaced_at", _Instant, nullable=False),
    Index("record_versions_by_connection", "connection", "observed_at"),
)

promise_invoices = Table(
    "promise_invoices",  # which promises ever covered an invoice: a new one must find the older ones
    metadata,
    Column("invoice_id", Text, primary_key=True),
    Column("promise_id", Text, primary_key=True),
)

store_facts = Table(
    "store_facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

raw_pages = Table(
    "raw_pages",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("connection_id", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("mapper_version", Integer, nullable=False),
    Column("fetched_at", _Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),  # zlib
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("connection_id", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("kind", LargeBinary, nullable=False),  # bytes, like all that comes from a row nobody understood
    Column("fingerprint", LargeBinary, nullable=False),
    Column("remote_id", LargeBinary),
    Column("code", LargeBinary, nullable=False),
    Column("reason", LargeBinary, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("times", Integer, nullable=False),
    Column("first_seen", _Instant, nullable=False),
    Column("last_seen", _Instant, nullable=False),
    UniqueConstraint("connection_id", "fingerprint"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("connection_id", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("updated_at", _Instant, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_at", _Instant, nullable=False),
)

budget_slots = Table(
    "budget_slots",
    metadata,
    Column("slot", Text, primary_key=True),
    Column("resource", Text, nullable=False, index=True),
    Column("expires_at", _Instant, nullable=False),
)

budget_calls = Table(
    "budget_calls",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("resource", Text, nullable=False),
    Column("at", _Instant, nullable=False),
    Index("budget_calls_by_resource", "resource", "at"),
)

budget_blocks = Table(
    "budget_blocks",
    metadata,
    Column("resource", Text, primary_key=True),
    Column("until", _Instant, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("connection_id", Text, nullable=False),
    Column("type", String(30), nullable=False),
    Column("key", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column(
        "subjects", LargeBinary, nullable=False
    ),  # JSON list; commands on one subject are delivered in order
    Column("state", String(12), nullable=False),
    Column("record_id", Text),
    Column("idempotency_key", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_sent_at", _Instant),
    Column("claim_owner", Text),
    Column("claim_until", _Instant),
    Column("fence", BigInteger, nullable=False),
    Column("not_before", _Instant),
    Column("error", LargeBinary),
    Column("recorded_at", _Instant, nullable=False),
    Column("delivered_at", _Instant),
    UniqueConstraint("connection_id", "type", "key"),
    Index("outbox_by_state", "connection_id", "state"),
)

placements = Table(
    "placements",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("connection_id", Text, nullable=False),
    Column("command_id", _Serial, nullable=False, index=True),
    Column("command_type", String(30), nullable=False),
    Column("remote_kind", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("version", Text),
    Column("body", LargeBinary, nullable=False),
    Index("placements_by_remote", "connection_id", "remote_kind", "remote_id"),
)

placement_subjects = Table(
    "placement_subjects",
    metadata,
    Column("subject_id", Text, primary_key=True),
    Column("placement_id", _Serial, primary_key=True),
)

tokens = Table(
    "tokens",
    metadata,
    Column("connection_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # encrypted
    Column("updated_at", _Instant, nullable=False),
)

schema_version = Table(
    "schema_version",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("applied_at", _Instant, nullable=False),
)
