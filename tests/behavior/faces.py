"""One company, several platforms: how each is started, connected to and asked. The suite knows nothing else of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

import ar_connectors as ar
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.http import Endpoints, Transport
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.store import Store, open_store
from ar_connectors.syncing import SyncReport
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.server import Handle, start_quickbooks
from ar_core.model import RecordKind, Snapshot
from tests.behavior.truth import differences

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
KEY = Fernet.generate_key()


@dataclass
class Face:
    """A platform that shows the company of a ledger, and our copy of it."""

    emulator: Handle
    store: Store
    clock: ScriptedClock
    connect: Callable[[], ar.Connection]
    """A new connection, with credentials that are good now."""
    connection: Any = None

    @property
    def ledger(self) -> Ledger:
        return self.emulator.ledger

    def change(self, story: Callable[[Ledger], None]) -> None:
        """Something happens in the company, ten minutes after what happened before."""
        self.clock.sleep(600)
        with self.emulator.service.lock:
            story(self.ledger)
        self.clock.sleep(600)

    def sync(self, **options: Any) -> SyncReport:
        """An ordinary run."""
        if self.connection is None:
            self.connection = self.connect()
        return ar.sync(self.connection, self.store, **options)

    def reconnect(self) -> None:
        """A person connects the company again."""
        if self.connection is not None:
            self.connection.close()
        self.connection = self.connect()

    def identify(self, kind: RecordKind, number: str) -> str:
        """Our id of a record of the ledger."""
        return f"{self.emulator.erp}:{self.emulator.tenant}:{kind}:{number}"

    def snapshot(self) -> Snapshot:
        return self.store.snapshot(f"{self.emulator.erp}:{self.emulator.tenant}")

    def differences(self) -> list[str]:
        """What our copy says otherwise than the books."""
        with self.emulator.service.lock:
            return differences(self.snapshot(), self.ledger, self.identify)


@contextmanager
def quickbooks(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    url: str | None = None,
    invoices: int = 60,
    patience: float | None = None,
    **options: Any,
) -> Iterator[Face]:
    """QuickBooks. Waits cost no time: both sides share a clock that stands still. `patience`: real seconds after which a silent
    server is given up."""
    clock = ScriptedClock(NOW)
    if patience is not None:
        impatient = partial(
            Transport, settings=TransportSettings(connect_timeout=patience / 2, read_timeout=patience)
        )
        monkeypatch.setattr("ar_connectors.quickbooks.session.Transport", impatient)
    with start_quickbooks(invoices=invoices, seed=options.pop("seed", 3), clock=clock, **options) as emulator:
        store = open_store(url or f"sqlite:///{folder}/ar.db", clock=clock, key=KEY)

        granted = [(emulator.access_token, emulator.refresh_token)]

        def connect() -> ar.Connection:
            access, refresh = granted.pop() if granted else emulator.service.authority.grant()
            return ar.connect(
                "quickbooks",
                tenant=emulator.tenant,
                store=store,
                credentials=ClientCredentials(emulator.client_id, emulator.client_secret),
                tokens=TokenSet(access, refresh),
                endpoints=Endpoints(
                    api=emulator.base_url,
                    token=emulator.token_url,
                    authorize=emulator.authorize_url,
                    revoke=emulator.revoke_url,
                ),
                settings={"time_zone": "America/Los_Angeles"},
                clock=clock,
            )

        face = Face(emulator, store, clock, connect)
        try:
            yield face
        finally:
            if face.connection is not None:
                face.connection.close()
            store.close()


FACES: dict[str, Callable[..., Any]] = {"quickbooks": quickbooks}
