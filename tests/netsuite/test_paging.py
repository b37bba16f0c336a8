"""Pages by place and pages by key: whatever comes, goes or changes between two answers, no row is lost and none is there twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ar_connectors as ar
from ar_connectors.connector import Page
from ar_connectors.http.exchange import Exchange, Wire
from ar_connectors.http.messages import Request
from ar_connectors.netsuite.by_place import Stretch, is_proven, read_by_place
from ar_connectors.netsuite.pieces import Piece, Tally
from ar_connectors.netsuite.probing import FEATURES, KEY_SUM
from ar_connectors.netsuite.suiteql import Key, Select
from ar_connectors.testkit.ledger import Line
from ar_core.model import RecordKind
from tests.netsuite.worlds import World, world

SIZE = 3
MODULES = ("client", "by_key", "by_place", "passes", "reading")
_NUMBERS = count()
ASKED = Select({"id": "t.id"}, "t", (Key("t.id", "id"),))


# ---- the proof itself, against a table in memory


class Shrinking:
    """A table whose rows go while its pages are read in any order."""

    def __init__(self, keys: Sequence[int]) -> None:
        self.keys = list(keys)
        self.read: list[int] = []

    def ask(self, _: Select, offset: int, then: Callable[[Piece], Page]) -> Page:
        """What becomes of what the server answers at this moment."""
        rows = self.keys[offset : offset + SIZE]
        self.read += rows
        tally = Tally(len(rows), sum(rows), rows[0], rows[-1]) if rows else None
        more = offset + len(rows) < len(self.keys)
        return then(Piece(Page(rows=len(rows)), [str(rows[-1])] if rows and more else None, None, tally))

    def told(self) -> dict[str, str]:
        """The answer to the question what is there."""
        return {"total": str(len(self.keys)), **({"keys": str(sum(self.keys))} if self.keys else {})}


@given(
    keys=st.sets(st.integers(1, 200), min_size=1, max_size=14).map(sorted),
    order=st.randoms(use_true_random=False),
    share=st.sampled_from([0.0, 0.2, 0.5]),
)
@settings(max_examples=500, deadline=None)
def test_what_is_proven_has_every_row_that_is_there(
    keys: list[int], order: random.Random, share: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ar_connectors.netsuite.by_place.PAGE_SIZE", SIZE)
        table = Shrinking(keys)
        reading = read_by_place("t", table.ask, ASKED, {}, Stretch(max(keys), len(keys)))
        fetches = list(next(reading))
        order.shuffle(fetches)
        for fetch in fetches:
            fetch.run()
            if table.keys and order.random() < share:
                table.keys.remove(order.choice(table.keys))
        with pytest.raises(StopIteration) as end:
            next(reading)
        stretch: Stretch = end.value.value
    if is_proven(stretch, table.told()):
        assert set(table.keys) <= set(table.read)
    if not share:
        assert is_proven(stretch, table.told()), "nothing went, so nothing had to be read again"


def test_a_row_that_was_missed_is_never_proven_by_a_like_number() -> None:
    """Pages one and two are read with a row of page one gone in between: as many rows were read as there are."""
    read = [1, 2, 3, 5, 6]  # 2 went behind page one, so 4 moved to where page one had been read
    there = [1, 3, 4, 5, 6]
    stretch = Stretch(6, 6, first=1, last=6, rows=len(read), keys=sum(read), pages=2, ended=True)
    assert len(read) == len(there)
    assert not is_proven(stretch, {"total": str(len(there)), "keys": str(sum(there))})
    assert is_proven(stretch, {"total": "5", "keys": str(sum(read))})
    for unreadable in ({"total": "5"}, {"total": "5", "keys": "many"}, {}):
        assert not is_proven(stretch, unreadable)


# ---- a whole account


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows a page."""
    for module in MODULES:
        monkeypatch.setattr(f"ar_connectors.netsuite.{module}.PAGE_SIZE", 10)


class Between:
    """Calls something after an answer to an operation was given, by its number."""

    def __init__(
        self, one: World, patch: pytest.MonkeyPatch, operation: str, happening: Callable[[int], Any]
    ) -> None:
        self.seen: list[Request] = []
        real = Wire.exchange

        def exchange(wire: Wire, request: Request, credentials: Any) -> Exchange:
            found = real(wire, request, credentials)
            if request.operation == operation:
                self.seen.append(request)
                with one.emulator.service.lock:
                    happening(len(self.seen))
            return found

        patch.setattr(Wire, "exchange", exchange)

    def offsets(self) -> list[int]:
        """Where pages that were asked for by place began."""
        return [int(dict(request.params)["offset"]) for request in self.seen]


def fresh_invoices(one: World, number: int) -> list[Any]:
    """Invoices without payments, so that they can be deleted."""
    name = "Pays at the end"
    known = [customer for customer in one.ledger.customers.values() if customer.name == name]
    customer = known[0] if known else one.ledger.open_customer(name)
    return [
        one.ledger.issue_invoice(
            customer.id,
            [Line(Decimal(place + 1), "work")],
            issued=date(2026, 11, 2),
            number=f"P-{next(_NUMBERS)}",
        )
        for place in range(number)
    ]


def held(one: World) -> set[str]:
    """Ids of the invoices that we have."""
    return {record.source.remote_id for record in one.store.snapshot(one.conn.id).invoices if record.source}


STREAMS = ("reference", "invoice")
GONE = [(page, victim) for page in range(1, 6) for victim in (0, 9, 10, 25, 49)]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("page", "victim"), GONE)
def test_a_row_that_is_deleted_between_two_pages_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int, victim: int
) -> None:
    with world(tmp_path, invoices=1, seed=2) as one:
        invoices = fresh_invoices(one, 50)
        place = [*map(int, one.ledger.invoices)].index(int(invoices[victim].id))

        def happening(number: int) -> None:
            if number == page:
                one.ledger.delete_document(invoices[victim])

        pages = Between(one, monkeypatch, "query invoice", happening)
        assert one.sync(streams=STREAMS, workers=1).complete
        there = set(one.ledger.invoices)
        assert there <= held(one)
        assert held(one) - there <= {invoices[victim].id}
        assert one.store.counts(one.conn.id)["invoice"] == len(held(one)), "a row is there twice"
        again = [request for request in pages.seen if b"lastmodifieddate >=" not in (request.body or b"")][6:]
        assert bool(again) == (place < page * 10), "read again only where a row that was read is gone"


@pytest.mark.usefixtures("small")
def test_an_account_at_rest_is_read_in_as_many_pages_as_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, invoices=1, seed=2) as one:
        fresh_invoices(one, 50 - len(one.ledger.invoices))
        pages = Between(one, monkeypatch, "query invoice", lambda _: None)
        report = one.sync(streams=STREAMS)
        assert sorted(pages.offsets()[:5]) == [0, 10, 20, 30, 40]
        assert len(pages.seen) == 5 + -(
            -len(one.ledger.invoices) // 10
        )  # and the look behind them: all are new
        assert report.cost.calls_by_operation["proof of invoice"] == 1


@pytest.mark.usefixtures("small")
def test_a_table_of_one_page_needs_no_proof(tmp_path: Path) -> None:
    with world(tmp_path, invoices=1, seed=2) as one:
        fresh_invoices(one, 3)
        cost = one.sync(streams=STREAMS).cost.calls_by_operation
        assert (cost["query invoice"], cost.get("proof of invoice", 0)) == (1, 0)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(12))
def test_what_comes_and_goes_and_changes_while_pages_are_read_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    with world(tmp_path, invoices=1, seed=2) as one:
        invoices, busy = fresh_invoices(one, 45), True

        def happening(_: int) -> None:
            for _ in range(chance.randrange(3) if busy else 0):
                if invoices:
                    found = invoices.pop(chance.randrange(len(invoices)))
                    if chance.random() < 0.5:
                        one.ledger.delete_document(found)
                    else:
                        one.ledger.change_document(found, memo=f"changed {chance.random()}")
                if chance.random() < 0.3:
                    fresh_invoices(one, 1)

        Between(one, monkeypatch, "query invoice", happening)
        assert one.sync(streams=STREAMS).complete
        busy = False
        assert set(one.ledger.invoices) <= held(one) | _younger(one), "lost in a first load"
        one.sync()
        assert held(one) == set(one.ledger.invoices)
        assert not one.differences()


def _younger(one: World) -> set[str]:
    """Invoices that came while the load ran: the next run's."""
    return {number for number, invoice in one.ledger.invoices.items() if invoice.created >= one.clock.now()}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("committed", range(1, 7))
@pytest.mark.parametrize("victim", [0, 15, 45])
def test_a_load_that_died_goes_on_behind_its_last_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: int, victim: int
) -> None:
    """Of six pages so many were committed; then a row goes, here one that was read, there one that was not."""
    with world(tmp_path, invoices=1, seed=2) as one:
        invoices = fresh_invoices(one, 50)
        rows = len(one.ledger.invoices)
        died = one.emulator.faults

        def happening(number: int) -> None:
            if number == committed:
                died.add("permission_denied", on="query transaction CustInvc", times=None)

        Between(one, monkeypatch, "query invoice", happening)
        assert not one.sync(streams=STREAMS, workers=1, raise_errors=False).complete
        assert len(held(one)) == min(committed * 10, rows)
        died.clear()
        one.ledger.delete_document(invoices[victim])
        assert one.sync(streams=STREAMS, workers=1).complete
        assert set(one.ledger.invoices) <= held(one)
        one.sync()
        assert held(one) == set(one.ledger.invoices)


@pytest.mark.usefixtures("small")
def test_an_account_that_adds_up_no_keys_is_read_by_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FEATURES, KEY_SUM, "SELECT SUM(t.nothing) AS id FROM transaction t WHERE t.id = -1")
    with world(tmp_path, invoices=1, seed=2) as one:
        fresh_invoices(one, 45)
        pages = Between(one, monkeypatch, "query invoice", lambda _: None)
        cost = one.sync(streams=STREAMS).cost.calls_by_operation
        assert set(pages.offsets()) == {0}
        assert "proof of invoice" not in cost
        assert held(one) == set(one.ledger.invoices)


@pytest.mark.usefixtures("small")
def test_a_server_that_tells_old_sums_hides_a_row_until_all_ids_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one lie that the proof cannot see: an answer from before the row went. It costs the row behind the gap, until the sweep."""
    monkeypatch.setattr("ar_connectors.netsuite.passes.is_proven", lambda _, __: True)
    with world(tmp_path, invoices=1, seed=2) as one:
        invoices = fresh_invoices(one, 50)
        one.clock.advance(timedelta(days=1))  # the look at what changed meanwhile would find young ones

        def happening(number: int) -> None:
            if number == 2:
                one.ledger.delete_document(invoices[3])

        Between(one, monkeypatch, "query invoice", happening)
        one.ledger.change_document(invoices[-1], memo="the latest change of all")
        assert one.sync(streams=STREAMS, workers=1).complete
        assert len(set(one.ledger.invoices) - held(one)) == 1
        (swept,) = [kind for kind in ar.sweep(one.conn, one.store).kinds if kind.kind == RecordKind.INVOICE]
        assert swept.found == 1
        assert set(one.ledger.invoices) == held(one)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("most", [20, 30])
def test_a_load_goes_on_behind_what_a_statement_may_yield(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Two or three pages a statement: the next one begins behind the last key, and each is proven by itself."""
    monkeypatch.setattr("ar_connectors.netsuite.by_place.MOST_ROWS", most)
    with world(tmp_path, invoices=1, seed=2) as one:
        monkeypatch.setattr(one.emulator.service.queries, "most_rows", most)
        fresh_invoices(one, 100 - len(one.ledger.invoices))
        pages = Between(one, monkeypatch, "query invoice", lambda _: None)
        cost = one.sync(streams=STREAMS).cost.calls_by_operation
        assert held(one) == set(one.ledger.invoices)
        assert max(pages.offsets()) == most - 10
        assert cost["proof of invoice"] == -(-100 // most) - (
            1 if most == 30 else 0
        )  # a page alone needs none
        loading = [one for one in pages.seen if b"lastmodifieddate >=" not in (one.body or b"")]
        assert len(loading) <= 100 // 10 + 1


@pytest.mark.usefixtures("small")
def test_a_server_that_yields_less_than_it_should_is_read_by_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement is cut off at 20 rows where 100,000 are documented."""
    with world(tmp_path, invoices=1, seed=2) as one:
        monkeypatch.setattr(one.emulator.service.queries, "most_rows", 20)
        fresh_invoices(one, 90)
        assert one.sync(streams=STREAMS).complete
        assert held(one) == set(one.ledger.invoices)
