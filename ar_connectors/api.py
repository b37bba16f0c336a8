"""The public face: connect, open_store, sync, plan on the snapshot, record, deliver, reconcile, decode.

    store = ar.open_store("sqlite:///ar.db", key=key)
    conn = ar.connect("quickbooks", tenant="9341...", credentials=creds, tokens=tokens, store=store)
    report = ar.sync(conn, store)
    ar.record(store, [ar_core.RecordPromise(...)])
    receipts = ar.deliver(conn, store)

Everything here is thin: it builds the parts of a connection and hands them to the engines.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import uuid4

from ar_connectors import writeback
from ar_connectors.adapterkit.platform import Platform
from ar_connectors.adapterkit.session import SessionRequest, Spending
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.clock import Clock, SystemClock
from ar_connectors.connector import Capabilities, Connector, Page, make_connection_id
from ar_connectors.errors import UnsupportedOperation
from ar_connectors.events import Event
from ar_connectors.http import CallBudget, Endpoints, Limits, Usage
from ar_connectors.store import Store, open_store
from ar_connectors.store.contract import Receipt
from ar_connectors.syncing.engine import sync as run_sync
from ar_connectors.syncing.quarantine import ReplayReport
from ar_connectors.syncing.quarantine import replay as replay_quarantine
from ar_connectors.syncing.reconcile import Reconciliation
from ar_connectors.syncing.reconcile import reconcile as compare_balances
from ar_connectors.syncing.report import SyncReport
from ar_connectors.syncing.sweep import SweepReport
from ar_connectors.syncing.sweep import sweep as sweep_ids
from ar_core.commands import Command

__all__ = [
    "PLATFORMS",
    "Connection",
    "capabilities",
    "connect",
    "decode",
    "deliver",
    "open_store",
    "reconcile",
    "record",
    "replay",
    "resolve",
    "sweep",
    "sync",
]

PLATFORMS = ("quickbooks", "xero", "netsuite", "aging_file")
"""What this release connects to: ERPs, and the list that any ERP can export."""


@dataclass(frozen=True)
class Connection:
    """One company, ready to be read and written. Thread-safe; `close()` gives its sockets back."""

    connector: Connector
    transport: Spending
    clock: Clock
    observer: Callable[[Event], None] | None = None
    cap: CallBudget | None = None
    """What all runs on this connection together may spend."""
    ends: Callable[[], None] | None = None
    """What `disconnect` does; None where only a person can, at the platform."""

    @property
    def id(self) -> str:
        """The connection id, `platform:tenant`: the prefix of all its record ids."""
        return self.connector.id

    @property
    def capabilities(self) -> Capabilities:
        """What its adapter can do."""
        return self.connector.capabilities

    def usage(self) -> Usage:
        """Calls, bytes, waits and billable units since it was made."""
        return self.transport.usage()

    def disconnect(self) -> None:
        """End the consent at the platform: it no longer counts for the app there, and nothing can be read or written until a person
        connects the company again. What was read stays in the store.

        Raises UnsupportedOperation where only a person can do that, ConfigurationError where it has ended already.
        """
        if self.ends is None:
            raise UnsupportedOperation(
                f"{self.connector.platform} cannot be disconnected from here",
                platform=self.connector.platform,
                tenant=self.connector.tenant,
                operation="disconnect",
                advice="a person ends it at the platform, where the app was given its rights",
            )
        self.ends()

    def close(self) -> None:
        """Close all connections to the platform."""
        self.transport.close()

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Inside `with`, its cap holds."""
        if self.cap is None:
            yield
        else:
            with self.transport.capped(self.cap):
                yield


def connect(
    platform: str,
    *,
    tenant: str,
    store: Store,
    credentials: ClientCredentials | Any | None = None,
    tokens: TokenSet | None = None,
    endpoints: Endpoints | None = None,
    settings: Mapping[str, Any] | None = None,
    observer: Callable[[Event], None] | None = None,
    cap: CallBudget | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> Connection:
    """Build a connection to one company and remember it in the store; nothing is sent yet.

    `credentials`: the app's keys, or a bridge to a client you already have; left out: those kept in the store. `tokens`: what
    the consent gave (`ar-connectors connect` saves them by itself); left out: those in the store. `endpoints`: other hosts than
    the platform's own (an emulator, a sandbox). `settings`: kept in the store, JSON values without secrets; `time_zone` is
    the company's IANA zone. `limits`: other call rates than the platform's published ones.

    Raises UnsupportedOperation for an unknown platform, ConfigurationError for missing credentials.
    """
    adapter = _adapter(platform)
    known = {one.id: one.settings for one in store.connections()}
    connection_id = make_connection_id(platform, tenant)
    kept = {**known.get(connection_id, {}), **(settings or {})}
    session = adapter.open_session(
        SessionRequest(
            tenant=tenant,
            store=store,
            credentials=credentials,
            tokens=tokens,
            endpoints=endpoints,
            settings=kept,
            observer=observer,
            clock=clock or SystemClock(),
            jitter=random.SystemRandom().random,
            owner=_owner(),
            limits=limits,
        )
    )
    store.add_connection(connection_id, platform, tenant, {**kept, **session.settings})
    return Connection(
        session.connector, session.transport, clock or SystemClock(), observer, cap, session.disconnect
    )


def sync(
    conn: Connection,
    store: Store,
    *,
    full: bool = False,
    streams: Sequence[str] | None = None,
    workers: int = 5,
    processes: int = 0,
    progress: Callable[[Event], None] | None = None,
    raise_errors: bool = True,
) -> SyncReport:
    """Bring the store up to date, incrementally; `full` reads everything again. See `ar_connectors.syncing.sync` for the errors."""
    with conn.spending():
        return run_sync(
            conn.connector,
            store,
            owner=_owner(),
            clock=conn.clock,
            full=full,
            streams=streams,
            workers=workers,
            processes=processes,
            observer=progress or conn.observer,
            usage=conn.usage,
            raise_errors=raise_errors,
        )


def record(
    store: Store, commands: Iterable[Command], *, connection_id: str | None = None
) -> Sequence[Receipt]:
    """Store commands durably, idempotent by key; nothing is sent. Raises ConflictError for a key with other content."""
    return writeback.record(store, commands, connection_id=connection_id)


def deliver(conn: Connection, store: Store, *, limit: int = 1000) -> Sequence[Receipt]:
    """Send what is due; each command takes effect exactly once. Raises AuthError and ConfigurationError."""
    with conn.spending():
        return writeback.deliver(
            conn.connector, store, owner=_owner(), clock=conn.clock, observer=conn.observer, limit=limit
        )


def resolve(conn: Connection, store: Store) -> Sequence[Receipt]:
    """Look in the ERP for commands whose outcome is unknown; nothing is sent."""
    with conn.spending():
        return writeback.resolve(
            conn.connector, store, owner=_owner(), clock=conn.clock, observer=conn.observer
        )


def reconcile(conn: Connection, store: Store) -> Reconciliation:
    """Compare our open balances with the ERP's own; every difference is listed and explained."""
    with conn.spending():
        return compare_balances(conn.connector, store, clock=conn.clock)


def sweep(conn: Connection, store: Store, *, force: bool = False) -> SweepReport:
    """Find what vanished at the ERP without a word. Costs calls: one per 1,000 records of each kind."""
    with conn.spending():
        return sweep_ids(
            conn.connector,
            store,
            owner=_owner(),
            clock=conn.clock,
            force=force,
            observer=conn.observer,
            usage=conn.usage,
        )


def replay(conn: Connection, store: Store) -> ReplayReport:
    """Map rows that were set aside again, with the current mapper."""
    return replay_quarantine(conn.connector, store, owner=_owner(), clock=conn.clock)


def decode(platform: str, kind: str, body: bytes, *, tenant: str) -> Page | Sequence[Any]:
    """Decode one API body, without store or network: a page of records, or the events of a webhook.

    `kind` names the body, in the ERP's own words: `invoice` everywhere; a customer is a `customer`, at Xero a `contact`;
    further `cdc`, `batch`, `query` of QuickBooks, `suiteql` of NetSuite, `fault` or `error`, `webhook`. An unknown one is answered
    with the list of those there are. Raises the mapped error for a fault
    body, ContractError for what is no body of the platform, UnsupportedOperation for any other platform or kind.
    """
    return _adapter(platform).decode(kind, body, tenant)


def capabilities(platform: str) -> Capabilities:
    """What an adapter can do, as data. Raises UnsupportedOperation for an unknown platform."""
    return _adapter(platform).capabilities


def _adapter(platform: str) -> Platform:
    """The adapter of a platform; its modules are imported when it is first asked for. Raises UnsupportedOperation."""
    if platform not in PLATFORMS:
        raise UnsupportedOperation(
            f"there is no adapter for {platform!r}", advice=f"platforms: {', '.join(PLATFORMS)}"
        )
    adapter: Platform = import_module(f"ar_connectors.{platform}.platform").ADAPTER
    return adapter


def _owner() -> str:
    """A name for one run that no other run has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
