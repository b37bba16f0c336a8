"""An import is a sync: the same file changes nothing, what is missing is closed with care, identities last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ar_connectors.errors import ContractError
from ar_connectors.store import Store
from ar_connectors.syncing import SyncReport
from ar_connectors.syncing.quarantine import replay
from ar_connectors.testkit.clock import ScriptedClock
from ar_core.model import Invoice
from ar_core.settlement import Settlement, settlement
from tests.aging_file.support import CONNECTION, NOW, balances, bring_in, connector, new_store

HEADINGS = "Customer Name,Customer Number,Transaction Number,Class,Transaction Date,Due Date,Currency,Original Amount,Outstanding Amount"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = new_store(tmp_path)
    yield opened
    opened.close()


class Lists:
    """Writes one list after another into the same file, as a nightly export does."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "aging.csv"

    def of(self, day: str, *rows: str) -> Path:
        self.file.write_text("\n".join([f"As of Date,{day}", "", HEADINGS, *rows]) + "\n")
        return self.file


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)


def row(
    number: str,
    amount: str = "100.00",
    *,
    due: str = "2026-11-01",
    customer: str = "Acme",
    code: str = "C1",
    kind: str = "INV",
    total: str = "",
) -> str:
    return f"{customer},{code},{number},{kind},2026-10-01,{due},USD,{total},{amount}"


def invoices(store: Store) -> dict[str, Invoice]:
    return {one.id.rsplit(":", 1)[1]: one for one in store.snapshot(CONNECTION).invoices}


def changed(report: SyncReport) -> int:
    return sum(one.inserted + one.updated + one.tombstoned for one in report.streams)


def test_the_same_file_again_changes_nothing_and_is_not_even_read(store: Store, lists: Lists) -> None:
    file = lists.of("2026-11-19", row("1"), row("2", "-20.00", kind="CM"))
    assert changed(bring_in(store, file)) == 4  # the company, the customer, two items
    again = bring_in(store, file)
    assert changed(again) == 0
    assert again.streams[0].pages == 0


def test_the_same_list_under_another_date_changes_no_record(store: Store, lists: Lists) -> None:
    bring_in(store, lists.of("2026-11-18", row("1"), row("2")))
    report = bring_in(store, lists.of("2026-11-19", row("2"), row("1")))
    assert changed(report) == 0
    assert report.streams[0].rows == 2


def test_what_is_missing_from_a_newer_list_is_closed_by_what_is_unknown(store: Store, lists: Lists) -> None:
    bring_in(
        store,
        lists.of("2026-11-18", row("1"), row("2"), row("3", "-30.00", kind="CM"), row("4", "-5", kind="PMT")),
    )
    bring_in(store, lists.of("2026-11-19", row("1")))
    snapshot = store.snapshot(CONNECTION)
    gone = next(one for one in snapshot.invoices if one.number == "2")
    assert gone.balance_due == 0
    assert gone.total == Decimal("100.00")
    assert gone.raw_status == "not on the list of 2026-11-19"
    assert settlement(gone, (), {}) is Settlement.UNKNOWN
    assert snapshot.credit_notes[0].unapplied_amount == 0
    assert balances(snapshot) == {("C1", "USD"): Decimal("100.00")}


def test_a_list_that_would_close_more_than_half_is_refused_until_a_person_agrees(
    store: Store, lists: Lists
) -> None:
    bring_in(store, lists.of("2026-11-18", *(row(str(n)) for n in range(100))))
    cut = lists.of("2026-11-19", *(row(str(n)) for n in range(40)))
    with pytest.raises(
        ContractError, match=r"60 of 100 open items are not on this list, and 50 may be closed"
    ):
        bring_in(store, cut)
    assert sum(one.balance_due > 0 for one in invoices(store).values()) == 100
    bring_in(store, cut, accept_closed=True)
    assert sum(one.balance_due > 0 for one in invoices(store).values()) == 40


def test_a_partial_list_closes_only_what_its_customers_owed(store: Store, lists: Lists) -> None:
    bring_in(store, lists.of("2026-11-18", row("1"), row("2"), row("3", customer="Beta", code="C2")))
    bring_in(store, lists.of("2026-11-19", row("1")), only=("Acme",))
    assert {one.number for one in invoices(store).values() if one.balance_due} == {"1", "3"}


def test_a_partial_list_may_say_that_its_customer_owes_nothing_more(store: Store, lists: Lists) -> None:
    bring_in(store, lists.of("2026-11-18", row("1"), row("2"), row("3", customer="Beta", code="C2")))
    bring_in(store, lists.of("2026-11-19", row("1"), row("2")), only=("Acme", "Beta"))
    assert {one.number for one in invoices(store).values() if one.balance_due} == {"1", "2"}


def test_a_partial_list_that_holds_another_customer_is_refused(store: Store, lists: Lists) -> None:
    file = lists.of("2026-11-19", row("1"), row("3", customer="Beta", code="C2"))
    with pytest.raises(ContractError, match="said to hold only Acme, and holds 'Beta' too"):
        bring_in(store, file, only=("Acme",))


def test_an_older_list_is_refused(store: Store, lists: Lists) -> None:
    bring_in(store, lists.of("2026-11-19", row("1")))
    with pytest.raises(ContractError, match="shows 2026-10-31, and one of 2026-11-19 was imported"):
        bring_in(store, lists.of("2026-10-31", row("1"), row("2")))


def test_a_list_of_another_day_than_it_was_said_to_be_is_refused(store: Store, lists: Lists) -> None:
    with pytest.raises(ContractError, match="shows 2026-11-19, and was said to show 2026-11-20"):
        bring_in(store, lists.of("2026-11-19", row("1")), as_of=date(2026, 11, 20))


def test_a_due_date_may_move(store: Store, lists: Lists) -> None:
    bring_in(store, lists.of("2026-11-18", row("1")))
    bring_in(store, lists.of("2026-11-19", row("1", due="2026-12-24")))
    (one,) = invoices(store).values()
    assert one.due_date == date(2026, 12, 24)
    assert one.due_version == 1


def test_instalments_share_a_number_and_keep_their_records_when_one_is_paid(
    store: Store, lists: Lists
) -> None:
    first, second = row("1", due="2026-11-01"), row("1", due="2026-12-01")
    bring_in(store, lists.of("2026-11-17", first, second))
    both = invoices(store)
    assert len(both) == 2
    bring_in(store, lists.of("2026-11-18", second))
    after = invoices(store)
    assert after.keys() == both.keys()
    assert [one.due_date for one in after.values() if one.balance_due] == [date(2026, 12, 1)]


def test_an_invoice_keeps_its_record_when_a_second_instalment_appears(store: Store, lists: Lists) -> None:
    bring_in(store, lists.of("2026-11-17", row("1", due="2026-11-01")))
    (known,) = invoices(store)
    bring_in(store, lists.of("2026-11-18", row("1", due="2026-11-01"), row("1", due="2026-12-01")))
    assert invoices(store)[known].balance_due == 100
    assert len(invoices(store)) == 2


def test_even_the_very_same_row_twice_is_two_items(store: Store, lists: Lists) -> None:
    bring_in(store, lists.of("2026-11-17", row("1"), row("1")))
    assert balances(store.snapshot(CONNECTION)) == {("C1", "USD"): Decimal(200)}
    assert changed(bring_in(store, lists.of("2026-11-18", row("1"), row("1")))) == 0


def test_the_original_amount_is_kept_where_a_later_list_states_none(store: Store, lists: Lists) -> None:
    bring_in(store, lists.of("2026-11-17", row("1", "100.00")))
    bring_in(store, lists.of("2026-11-18", row("1", "60.00")))
    (one,) = invoices(store).values()
    assert (one.total, one.balance_due) == (Decimal("100.00"), Decimal("60.00"))


def test_a_row_that_cannot_be_read_is_set_aside_with_its_place_and_nothing_is_closed(
    store: Store, lists: Lists
) -> None:
    bring_in(store, lists.of("2026-11-17", row("1"), row("2"), row("3")))
    report = bring_in(store, lists.of("2026-11-18", row("1"), row("2", "1OO.00")))
    assert report.quarantined == 1
    (waiting,) = store.quarantined(CONNECTION)
    for part in ("aging.csv", "row 5", "I (Outstanding Amount)", "'1OO.00'", "an amount"):
        assert part in waiting.reason
    assert sum(one.balance_due > 0 for one in invoices(store).values()) == 3


def test_a_later_list_that_has_the_row_right_closes_the_case(store: Store, lists: Lists) -> None:
    bring_in(store, lists.of("2026-11-17", row("1"), row("2", "1OO.00")))
    assert len(store.quarantined(CONNECTION)) == 1
    bring_in(store, lists.of("2026-11-18", row("1"), row("2")))
    assert store.quarantined(CONNECTION) == []


def test_a_row_that_was_set_aside_can_be_mapped_again_without_its_file(store: Store, lists: Lists) -> None:
    file = lists.of("2026-11-17", row("1"), row("2", due="2026-11-31"))
    bring_in(store, file)
    file.unlink()
    report = replay(connector(file), store, owner="test", clock=ScriptedClock(NOW))
    (still,) = report.still_rejected
    assert still.reason == "due_date: expected a date (day-first)"


def test_totals_that_the_rows_do_not_add_up_to_are_an_error_with_the_difference(
    store: Store, lists: Lists
) -> None:
    file = lists.of("2026-11-17", row("1"), row("2"), "Grand Total,,,,,,,,250.00")
    with pytest.raises(ContractError) as caught:
        bring_in(store, file)
    text = str(caught.value)
    assert "differs from its rows by 50.00" in text
    assert "row 6, column I (Outstanding Amount)" in text
    assert "200.00, what the rows add up to" in text
    assert store.snapshot(CONNECTION).invoices == ()


def test_a_credit_note_above_zero_is_set_aside_because_nobody_can_tell_which_is_wrong(
    store: Store, lists: Lists
) -> None:
    bring_in(store, lists.of("2026-11-17", row("1"), row("2", "20.00", kind="CM")))
    (waiting,) = store.quarantined(CONNECTION)
    assert waiting.code == "contradiction"


def test_a_thirty_digit_amount_survives(store: Store, lists: Lists) -> None:
    amount = "123456789012345678901234567890.12"
    bring_in(store, lists.of("2026-11-17", row("1", amount), row("2", f"-{amount}", kind="CM")))
    snapshot = store.snapshot(CONNECTION)
    assert str(snapshot.invoices[0].balance_due) == amount
    assert str(snapshot.credit_notes[0].unapplied_amount) == amount
