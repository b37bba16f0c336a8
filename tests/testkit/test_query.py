"""QuickBooks' query language, as a parser and over the wire."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ar_connectors.testkit.quickbooks.query import Condition, ParseError, Query, parse
from ar_connectors.testkit.server import Handle
from tests.testkit.support import Client


def test_everything_the_language_has_in_one_statement() -> None:
    assert parse(
        "select * from Invoice where DocNumber LIKE 'A%' and Id IN ('1','2') AND Balance >= '0' "
        "ORDER BY DueDate DESC, Id asc startposition 11 maxresults 50"
    ) == Query(
        "Invoice",
        where=(
            Condition("DocNumber", "LIKE", ("A%",)),
            Condition("Id", "IN", ("1", "2")),
            Condition("Balance", ">=", ("0",)),
        ),
        order=(("DueDate", True), ("Id", False)),
        start=11,
        limit=50,
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'O\\'Neil'", "O'Neil"),
        ("'a\\\\b'", "a\\b"),
        ("''", ""),
        ("'x and y'", "x and y"),
        ("2026-01-02", "2026-01-02"),
    ],
)
def test_values_are_unescaped(text: str, value: str) -> None:
    assert parse(f"SELECT * FROM Customer WHERE DisplayName = {text}").where[0].values == (value,)


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "select",
        "select * from",
        "select * frm Invoice",
        "select * from Invoice where",
        "select * from Invoice where Id = '1' or Id = '2'",
        "select * from Invoice where Id != '1'",
        "select * from Invoice where not Id = '1'",
        "select * from Invoice where (Id = '1')",
        "select * from Invoice where DisplayName = 'O'Neil'",
        "select * from Invoice maxresults many",
        "select count(Id) from Invoice",
        "select * from Invoice, Customer",
        "delete from Invoice",
    ],
)
def test_what_is_not_in_the_language_is_refused(statement: str) -> None:
    with pytest.raises(ParseError):
        parse(statement)


def test_a_page_has_a_hundred_rows_by_default_and_a_thousand_at_most() -> None:
    assert parse("select * from Invoice").limit == 100
    assert parse("select * from Invoice maxresults 5000").limit == 1000


def test_pages_follow_each_other_without_gap(client: Client, emulator: Handle) -> None:
    total = client.query("SELECT COUNT(*) FROM Invoice")["totalCount"]
    seen = []
    for start in range(1, total + 1, 30):
        page = client.query(
            f"SELECT * FROM Invoice ORDERBY MetaData.LastUpdatedTime STARTPOSITION {start} MAXRESULTS 30"
        )
        assert (page["startPosition"], page["maxResults"]) == (start, len(page["Invoice"]))
        seen += [row["Id"] for row in page["Invoice"]]
    assert sorted(seen, key=int) == sorted(emulator.ledger.invoices, key=int)
    stamps = [emulator.ledger.invoices[one].updated for one in seen]
    assert stamps == sorted(stamps)


def test_an_answer_without_rows_has_no_key(client: Client) -> None:
    answer = client.get("query", query="SELECT * FROM Invoice WHERE Id = '424242'")
    assert answer["QueryResponse"] == {}
    assert client.query("SELECT * FROM Estimate") == {}


def test_a_window_is_closed_on_both_sides(client: Client, emulator: Handle) -> None:
    some = sorted(emulator.ledger.invoices.values(), key=lambda one: one.updated)[20:40]
    first, last = some[0].updated.isoformat(), some[-1].updated.isoformat()
    where = f"MetaData.LastUpdatedTime >= '{first}' AND MetaData.LastUpdatedTime <= '{last}'"
    rows = client.query(f"SELECT * FROM Invoice WHERE {where} MAXRESULTS 1000")["Invoice"]
    assert {row["Id"] for row in rows} >= {one.id for one in some}
    assert all(
        some[0].updated <= emulator.ledger.invoices[row["Id"]].updated <= some[-1].updated for row in rows
    )


def test_open_invoices_are_found_by_their_balance(client: Client, emulator: Handle) -> None:
    rows = client.query("SELECT * FROM Invoice WHERE Balance > '0' MAXRESULTS 1000")["Invoice"]
    facts = emulator.truth().open_invoices
    assert {row["Id"]: Decimal(row["Balance"]) for row in rows} == {
        one.id: one.open for one in facts.values()
    }
    assert {row["Id"]: row.get("DueDate") for row in rows} == {one.id: one.due for one in facts.values()}


def test_a_projection_gives_the_fields_asked_for(client: Client) -> None:
    (row,) = client.query("SELECT Id, DisplayName FROM Customer WHERE DisplayName = 'O\\'Neil & Sons'")[
        "Customer"
    ]
    assert row == {"domain": "QBO", "sparse": False, "Id": "1", "DisplayName": "O'Neil & Sons"}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT * FRM Invoice", "4000"),
        ("SELECT * FROM Nothing", "4001"),
        ("SELECT * FROM Invoice WHERE PrivateNote = 'x'", "4001"),
        ("SELECT * FROM Invoice WHERE TxnDate = 'soon'", "4001"),
        ("SELECT * FROM Invoice ORDERBY Line", "4001"),
        ("SELECT * FROM Invoice WHERE MetaData.LastUpdatedTime > '2026-01-01T00:00:00 00:00'", "4001"),
    ],
)
def test_refusals_have_their_code(client: Client, statement: str, code: str) -> None:
    assert client.refused("GET", "query", query=statement) == code


def test_the_statement_may_be_the_body_of_a_post(client: Client) -> None:
    answer = client.session.post(
        f"{client.root}/query",
        data="SELECT COUNT(*) FROM Invoice",
        headers={"Content-Type": "application/text"},
    )
    assert answer.json()["QueryResponse"] == client.query("SELECT COUNT(*) FROM Invoice")


def test_an_answer_is_new_after_every_change(client: Client, emulator: Handle) -> None:
    statement = "SELECT * FROM Invoice WHERE Balance > '0' MAXRESULTS 1000"
    before = client.query(statement)["Invoice"]
    emulator.clock.advance(timedelta(minutes=1))
    emulator.stories.run("receive_payment", invoice=before[0]["Id"])
    after = client.query(statement)["Invoice"]
    assert [row["Id"] for row in after] == [row["Id"] for row in before[1:]]
