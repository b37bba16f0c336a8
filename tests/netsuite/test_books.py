"""A second accounting book has every accounting line once more, on other accounts and in another currency: nothing is counted twice, and
what is read is of the book that was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

import ar_connectors as ar
from ar_connectors.errors import ConfigurationError
from ar_connectors.testkit.netsuite import Account
from ar_core.model import Adjustment, CreditNote, Snapshot
from tests.netsuite.worlds import ZONE, World, world

SEEDS = (3, 4, 5)


@dataclass
class Read:
    """What a sync of a generated company gave."""

    snapshot: Snapshot
    adjustments: dict[str, Adjustment]
    credits: dict[str, CreditNote]


def read(one: World) -> Read:
    """Sync, and see that what is open is what the books say, to NetSuite's own sums as well."""
    assert one.sync().complete
    assert not one.differences()
    assert not ar.reconcile(one.conn, one.store).differences
    snapshot = one.store.snapshot(one.conn.id)
    return Read(
        snapshot,
        {record.id: record for record in snapshot.adjustments},
        {record.id: record for record in snapshot.credit_notes},
    )


@pytest.fixture(params=SEEDS)
def single(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Read]:
    """The same company with one book only."""
    (tmp_path / "single").mkdir()
    with world(tmp_path / "single", invoices=40, seed=request.param) as one:
        return request.param, read(one)


def books(one: World) -> dict[str, int]:
    """How many accounting lines each book has, by the emulator's own tables."""
    queries = one.emulator.service.queries
    with one.emulator.service.lock:
        queries._warehouse.refresh(["transactionaccountingline"])
        rows = queries._connection.execute(
            'SELECT accountingbook, COUNT(*) FROM "v_transactionaccountingline" GROUP BY accountingbook'
        ).fetchall()
    return {str(book): number for book, number in rows}


@pytest.mark.parametrize("hidden", [set(), {"accountingbook"}], ids=["seen", "hidden"])
def test_a_second_book_doubles_nothing_also_where_the_role_may_not_see_the_list_of_books(
    tmp_path: Path, single: tuple[int, Read], hidden: set[str]
) -> None:
    seed, want = single
    with world(tmp_path, invoices=40, seed=seed, account=Account(multi_book=True, hidden=hidden)) as one:
        found = read(one)
        there = books(one)
        assert there["1"] == there["2"] > 0, "the second book is empty, so it proves nothing"
        assert want.adjustments
        assert found.adjustments == want.adjustments
        assert found.credits == want.credits, "a line of a credit memo is there twice, or on another account"
        assert found.snapshot.invoices == want.snapshot.invoices


def test_the_book_that_was_chosen_is_read(tmp_path: Path, single: tuple[int, Read]) -> None:
    seed, want = single
    account = Account(multi_book=True)
    with world(
        tmp_path, invoices=40, seed=seed, account=account, settings={"time_zone": ZONE, "accounting_book": 2}
    ) as one:
        own = one.ledger.account("AccountsReceivable", "USD").id
        other = one.ledger.add_account("Receivables (local)", "Accounts Receivable", "LocalReceivables").id
        account.local_accounts[own] = other
        found = read(one)
        assert found.adjustments.keys() == want.adjustments.keys()
        accounts = {record.account_id for record in found.adjustments.values()}
        assert other in accounts
        assert own not in accounts
        for identity, record in found.adjustments.items():
            before = want.adjustments[identity]
            assert (record.amount, record.open_amount, record.currency) == (
                before.amount,
                before.open_amount,
                before.currency,
            ), "amounts are in the currency of the transaction, whatever the book"
            assert record.source_rate == before.source_rate
            assert record.exchange_rate is None, "it would be the rate of the primary book"
        assert all(invoice.exchange_rate is None for invoice in found.snapshot.invoices)
        assert any(invoice.exchange_rate not in {None, Decimal(1)} for invoice in want.snapshot.invoices)


def test_a_write_off_of_the_second_book_is_one_only_for_who_reads_it(tmp_path: Path) -> None:
    """The same credit memo stands on an account for bad debts in one book, and on income in the other."""
    for book, settled in ((None, False), (2, True)):
        folder = tmp_path / str(book)
        folder.mkdir()
        account = Account(multi_book=True)
        settings = {"time_zone": ZONE} | ({"accounting_book": book} if book else {})
        with world(folder, invoices=40, seed=4, account=account, settings=settings) as one:
            bad = one.ledger.account("BadDebts").id
            income = [kept.id for kept in one.ledger.accounts.values() if kept.type == "Income"]
            account.local_accounts |= dict.fromkeys(income, bad)
            lines = {line.account_id for credit in read(one).credits.values() for line in credit.lines}
            assert lines
            assert (lines <= {bad, None}) == settled


def test_a_book_that_is_not_there_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    settings = {"time_zone": ZONE, "accounting_book": "9"}
    with (
        world(tmp_path, invoices=5, seed=3, account=Account(multi_book=True), settings=settings) as one,
        pytest.raises(ConfigurationError, match="no accounting book 9") as refused,
    ):
        one.sync()
    assert "1, 2" in str(refused.value.advice)
