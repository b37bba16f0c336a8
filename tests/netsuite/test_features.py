"""What an account lacks, or its role may not see, is left out and costs nothing else; what cannot be done without is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import ar_connectors as ar
from ar_connectors.errors import PermissionDenied
from ar_connectors.netsuite.company import REFERENCE, company_of
from ar_connectors.testkit.netsuite import Account
from ar_core.model import Snapshot
from tests.netsuite.worlds import World, world

FEATURES = {
    "subsidiary": {"subsidiary"},
    "term": {"term"},
    "account": set(),
    "contact": {"contact"},
    "deletedrecord": {"deletedrecord"},
    "phonecall": {"phonecall"},
    "task": {"task"},
    "customeraddressbook": {"address"},
}
"""Table that is hidden -> features that must then be off."""


def features(one: World) -> frozenset[str]:
    """What the first run found."""
    company = company_of(one.store.view(one.conn.id).cursor(REFERENCE))
    assert company is not None
    return company.features


def read(folder: Path, hidden: set[str]) -> tuple[frozenset[str], Snapshot]:
    with world(folder, invoices=25, seed=4, account=Account(hidden=hidden)) as one:
        assert one.sync().complete
        if "currency" not in hidden:
            assert not one.differences()
            assert not ar.reconcile(one.conn, one.store).differences
        return features(one), one.store.snapshot(one.conn.id)


@pytest.mark.parametrize("table", FEATURES)
def test_a_table_that_is_hidden_takes_nothing_along(tmp_path: Path, table: str) -> None:
    found, snapshot = read(tmp_path, {table})
    assert not FEATURES[table] & found
    assert snapshot.invoices
    persons = [one for one in snapshot.contacts if ":contact:customer-" not in one.id]
    assert bool(persons) == (table != "contact"), "the mailbox of a customer is its own, persons are not"
    assert any(customer.billing_address for customer in snapshot.customers) == (
        table != "customeraddressbook"
    )


def test_where_currencies_are_hidden_none_is_guessed(tmp_path: Path) -> None:
    found, snapshot = read(tmp_path, {"currency"})
    assert "currency" not in found
    assert {invoice.currency for invoice in snapshot.invoices} == {None}


def test_everything_that_is_there_is_found(tmp_path: Path) -> None:
    found, _ = read(tmp_path, set())
    assert {
        "subsidiary",
        "currency",
        "term",
        "contact",
        "deletedrecord",
        "address",
        "line",
        "book",
        "key_sum",
    } <= found
    assert "accountingbook" not in found


def test_what_cannot_be_done_without_is_named_and_read_when_it_is_granted(tmp_path: Path) -> None:
    """Journals cannot be read without accounting lines; what does not need them is."""
    account = Account(hidden={"transactionaccountingline"})
    with world(tmp_path, invoices=25, seed=4, account=account) as one:
        failed = one.sync(raise_errors=False)
        assert failed.failures
        assert all(isinstance(error, PermissionDenied) for error in failed.failures)
        incomplete = {stream.stream for stream in failed.streams if not stream.complete}
        assert "journal" in incomplete
        assert "payment" not in incomplete
        account.hidden.clear()
        one.clock.advance(timedelta(days=2))  # what an account has is asked again after a day
        one.sync()
        assert not one.differences()
