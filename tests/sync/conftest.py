"""A company on paper, its adapter, and a real store of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.store import Store, open_store
from ar_connectors.syncing import SyncReport, sync
from tests.sync.paper import PaperConnector, PaperErp, Ticks


@pytest.fixture
def clock() -> Ticks:
    return Ticks()


@pytest.fixture
def erp() -> PaperErp:
    """Four customers, ten invoices, two credits, three payments; pages of three rows."""
    made = PaperErp()
    for number in range(1, 5):
        made.customer(str(number))
    for number in range(100, 110):
        made.invoice(str(number), customer=str(1 + number % 4))
    made.credit("500", customer="1")
    made.credit("501", customer="2")
    for number in range(3):
        made.pay(str(900 + number), str(100 + number), "40.00", customer=str(1 + (100 + number) % 4))
    return made


@pytest.fixture
def connector(erp: PaperErp) -> PaperConnector:
    return PaperConnector(erp)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ar.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def store(url: str, clock: Ticks, connector: PaperConnector) -> Iterator[Store]:
    opened = open_store(url, clock=clock)
    opened.add_connection(connector.id, connector.platform, connector.tenant)
    yield opened
    opened.close()


Sync = Callable[..., SyncReport]


@pytest.fixture
def run(connector: PaperConnector, store: Store, clock: Ticks) -> Sync:
    """`run(...)` syncs; any option of `sync` can be given."""
    counter = iter(range(1_000_000))

    def start(**options: Any) -> SyncReport:
        options = {"owner": f"run {next(counter)}", "clock": clock, **options}
        return sync(connector, options.pop("store", store), **options)

    return start
