"""Rows that were set aside: what closes them, and that a page looks up its own only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from ar_connectors.connector import Rejected
from ar_connectors.store import Store
from tests.store.books import CONNECTION, invoice, page


def rejected(*remote_ids: str | None) -> tuple[Rejected, ...]:
    return tuple(
        Rejected("Invoice", one, "bad_number", "no number", f"row {number} {one}".encode())
        for number, one in enumerate(remote_ids)
    )


def commit(store: Store, given: Any) -> None:
    lease = store.acquire_lease("sync:quarantine", "test", timedelta(minutes=5))
    assert lease is not None
    store.commit_page(CONNECTION, given, lease)
    store.release_lease(lease)


def waiting(store: Store) -> list[str | None]:
    return [one.remote_id for one in store.quarantined(CONNECTION)]


def test_a_page_closes_what_it_understands_and_nothing_else(store: Store) -> None:
    many = [str(number) for number in range(1200)]
    commit(store, page(rejected=rejected(*many, None)))
    commit(store, page(*(invoice(one) for one in many[100:1199])))
    assert waiting(store) == [*many[:100], "1199", None]


def test_a_row_without_an_id_is_closed_by_hand_alone(store: Store) -> None:
    """Even where its bytes are the id of another row."""
    commit(store, page(rejected=(Rejected("Invoice", None, "bad_number", "no number", b"7"),)))
    commit(store, page(invoice("7")))
    assert waiting(store) == [None]


@pytest.mark.parametrize("kind", ["named", "nameless"])
def test_a_page_does_as_much_work_however_much_is_set_aside(store: Store, kind: str, url: str) -> None:
    """In steps of SQLite's machine, or rows that PostgreSQL sends."""
    steps: list[int] = [0]

    def counted() -> int:
        steps[0] += 1
        return 0

    def each(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        if "quarantine" in statement and statement.startswith("SELECT"):
            steps[0] += max(cursor.rowcount, 0)

    def work(number: int) -> int:
        commit(store, page(invoice(str(number), "0")))  # what is done once
        steps[0] = 0
        commit(store, page(invoice(str(number), "1")))
        return steps[0]

    def set_aside(first: int, count: int) -> None:
        names: list[str | None] = [f"bad{number}" for number in range(first, first + count)]
        bad = rejected(*names)
        if kind == "nameless":
            bad = tuple(Rejected(one.kind, None, one.code, one.reason, one.raw) for one in bad)
        commit(store, page(rejected=bad))

    def connected(raw: Any, _: Any, __: Any) -> None:
        raw.set_progress_handler(counted, 10)

    event.listen(Engine, "after_cursor_execute", each)
    if url.startswith("sqlite"):
        event.listen(Engine, "checkout", connected)
    try:
        set_aside(0, 10)
        few = work(1)
        set_aside(10, 3000)
        many = work(2)
    finally:
        event.remove(Engine, "after_cursor_execute", each)
        if url.startswith("sqlite"):
            event.remove(Engine, "checkout", connected)
    assert few > 0
    assert many <= few * 2
