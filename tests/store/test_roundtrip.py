"""Does every record survive the databases themselves, whatever is in it? And a worker that is killed at any moment?"""

from __future__ import annotations

import itertools
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ar_core as core
from ar_connectors.store import Store, open_store
from tests.store import generated
from tests.store.books import CONNECTION, invoice, page, rid
from tests.store.children import commit_until_killed
from tests.store.test_contention import SPAWN, shared_url
from tests.store.test_pages import held

__all__ = ["shared_url"]  # a fixture

NUMBERS = itertools.count(1)
MODELS = [core.Customer, core.Invoice, core.CreditNote, core.Payment, core.Adjustment]


@pytest.mark.parametrize("model", MODELS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(data=st.data())
def test_any_record_comes_back_from_the_database(
    store: Store, model: type[core.Frozen], data: st.DataObject
) -> None:
    """Only ids are given: those are made by `record_id`, which escapes what a database cannot hold."""
    names: dict[str, Any] = {
        name: None for name in ("customer_id", "parent_id") if name in model.model_fields
    }
    fixed: dict[str, Any] = {**names, "id": rid(model.__name__.lower(), str(next(NUMBERS)))}
    if "due_version" in model.model_fields:
        fixed["due_version"] = 0  # counted by the store
    record = data.draw(generated.records(model)).model_copy(update=fixed)
    result = store.commit_page(CONNECTION, page(record, raw=b"\x00\xff", row_of=(0,)), held(store))
    assert result.inserted == 1
    back = store.view(CONNECTION).record(fixed["id"])
    assert back == record
    assert str(back.model_dump(mode="python")) == str(record.model_dump(mode="python"))
    assert store.commit_page(CONNECTION, page(record), held(store)).unchanged == 1


@pytest.mark.parametrize("delay", [0.05, 0.2, 0.4])
def test_a_killed_worker_leaves_whole_pages_and_their_cursor(shared_url: str, delay: float) -> None:
    open_store(shared_url).close()
    committed = SPAWN.Queue()
    worker = SPAWN.Process(target=commit_until_killed, args=(shared_url, committed))
    worker.start()
    committed.get(timeout=60)
    worker.join(delay)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    store = open_store(shared_url)
    cursor = store.view(CONNECTION).cursor("invoice")
    assert cursor is not None
    pages = cursor.state["page"]
    numbers = sorted(int(one.id.rsplit(":", 1)[1]) for one in store.snapshot(CONNECTION).invoices)
    assert numbers == list(range(pages * 20))
    assert [one.body for one in store.raw_bodies(CONNECTION)] == [b"page %d" % n for n in range(pages)]
    # The dead worker's lease still stands; another one waits for its end.
    assert store.acquire_lease("sync", "next", timedelta(minutes=5)) is None
    store.close()


def test_bodies_and_records_of_a_page_share_its_fate(tmp_path: Path) -> None:
    """A record that cannot be written takes the whole page back."""
    store = open_store(f"sqlite:///{tmp_path}/ar.db")
    lease = held(store)
    no_row: Any = ["no number"]
    with pytest.raises(Exception, match=r"'list' is not supported"):
        store.commit_page(
            CONNECTION, page(invoice("1"), invoice("2"), raw=b"body", row_of=(0, no_row)), lease
        )
    assert store.snapshot(CONNECTION) == core.Snapshot()
    assert list(store.raw_bodies(CONNECTION)) == []
    store.close()
