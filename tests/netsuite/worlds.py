"""A connection to a NetSuite emulator, and its books beside ours: what the tests of the read side share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

import ar_connectors as ar
from ar_connectors.netsuite.account import Account, endpoints_of
from ar_connectors.netsuite.auth import CertificateCredentials
from ar_connectors.syncing.balances import open_balances
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Ledger, truth
from ar_connectors.testkit.netsuite.start import Handle, start_netsuite

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
KEY = Fernet.generate_key()
ZONE = "America/Los_Angeles"
"""Of the generated company."""


@dataclass(frozen=True)
class World:
    """An emulator, and a store that is connected to it."""

    emulator: Handle
    clock: ScriptedClock
    store: ar.Store
    conn: ar.Connection

    @property
    def ledger(self) -> Ledger:
        """The books; changed by tests between two runs."""
        return self.emulator.ledger

    def sync(self, **options: Any) -> ar.SyncReport:
        """One run, ten minutes after whatever was before."""
        self.clock.sleep(600)
        return ar.sync(self.conn, self.store, **options)

    def differences(self) -> dict[object, object]:
        """Customer and currency -> (what the books say is open, what we say), where the two differ."""
        want: dict[object, Decimal] = dict(truth(self.emulator.ledger).balances.items())
        have: dict[object, Decimal] = {
            ((key[0] or "").rpartition(":")[2], key[1]): balance.sum()
            for key, balance in open_balances(self.store.snapshot(self.conn.id)).items()
            if balance.sum()
        }
        return {
            key: (want.get(key), have.get(key)) for key in {*want, *have} if want.get(key) != have.get(key)
        }


@contextmanager
def world(
    folder: Path, *, settings: Mapping[str, Any] | None = None, now: datetime = NOW, **emulated: Any
) -> Iterator[World]:
    """An emulator and a new store that is connected to it. `emulated`: arguments of `start_netsuite`."""
    clock = emulated.pop("clock", None) or ScriptedClock(now)
    with (
        start_netsuite(clock=clock, **emulated) as emulator,
        closing(ar.open_store(f"sqlite:///{folder}/ar.db", clock=clock, key=KEY)) as store,
        closing(
            ar.connect(
                "netsuite",
                tenant=emulator.tenant,
                store=store,
                credentials=CertificateCredentials(
                    emulator.client_id, emulator.certificate_id, emulator.private_key
                ),
                endpoints=endpoints_of(Account(emulator.tenant), emulator.base_url),
                settings=settings or {"time_zone": ZONE},
                clock=clock,
            )
        ) as conn,
    ):
        yield World(emulator, clock, store, conn)
