"""A company on a platform and our copy of it: what the tests of this folder work with. They know nothing else of any ERP."""

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
from ar_connectors.http import Transport
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.store import Store, open_store
from ar_connectors.syncing import SyncReport
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.running import Running
from ar_core.model import RecordKind, Snapshot
from tests.behavior.truth import differences
from tests.faces import FACES
from tests.faces.platform import Platform

__all__ = ["FACES", "KEY", "NOW", "Face", "opened"]

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
KEY = Fernet.generate_key()


@dataclass
class Face:
    """A platform that shows the company of a ledger, and our copy of it."""

    platform: Platform
    emulator: Running[Any]
    store: Store
    clock: ScriptedClock
    monkeypatch: pytest.MonkeyPatch
    connection: Any = None
    granted: bool = True
    """Whether the tokens of the start are still the last that a person consented to."""

    @property
    def ledger(self) -> Ledger:
        return self.emulator.ledger

    @property
    def id(self) -> str:
        """The connection's."""
        return f"{self.emulator.erp}:{self.emulator.tenant}"

    def change(self, story: Callable[[Ledger], None]) -> None:
        """Something happens in the company, ten minutes after what happened before."""
        self.clock.sleep(600)
        with self.emulator.service.lock:
            story(self.ledger)
        self.clock.sleep(600)

    def connect(self, store: Store | None = None) -> ar.Connection:
        """A new connection, with credentials that are good now."""
        plug = self.emulator.as_json()
        if not self.granted:
            plug = {**plug, **self.platform.regrant(self.emulator)}
        self.granted = False
        return self.platform.connect(plug, store or self.store, self.clock)

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

    def small_pages(self, size: int = 7) -> None:
        """From now on little is asked for at once, so that a small company has many pages."""
        for name in self.platform.page_sizes:
            self.monkeypatch.setattr(name, size)

    def identify(self, kind: RecordKind, number: str) -> str:
        """Our id of a record of the ledger."""
        return self.platform.identify(self.emulator, kind, number)

    def snapshot(self) -> Snapshot:
        return self.store.snapshot(self.id)

    def differences(self, store: Store | None = None) -> list[str]:
        """What our copy says otherwise than the books."""
        with self.emulator.service.lock:
            snapshot = (store or self.store).snapshot(self.id)
            return differences(snapshot, self.ledger, self.identify, self.platform.shown)


@contextmanager
def opened(
    name: str | Platform,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    url: str | None = None,
    invoices: int = 60,
    seed: int = 3,
    patience: float | None = None,
    **options: Any,
) -> Iterator[Face]:
    """A platform, by its name when it stands in the table.

    Waits cost no time: both sides share a clock that stands still. `patience`: real seconds after
    which a silent server is given up. `options` go to the emulator."""
    platform = FACES[name] if isinstance(name, str) else name
    clock = ScriptedClock(NOW)
    if patience is not None:
        settings = TransportSettings(connect_timeout=patience / 2, read_timeout=patience)
        monkeypatch.setattr(platform.transport, partial(Transport, settings=settings))
    with platform.start(invoices=invoices, seed=seed, clock=clock, **options) as emulator:
        store = open_store(url or f"sqlite:///{folder}/ar.db", clock=clock, key=KEY)
        face = Face(platform, emulator, store, clock, monkeypatch)
        try:
            yield face
        finally:
            if face.connection is not None:
                face.connection.close()
            store.close()
