"""QuickBooks' own balances where customers cannot be asked for theirs: the aged-receivables report, as far as it can be read."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.errors import ContractError, UnsupportedOperation
from ar_connectors.quickbooks.context import Context
from ar_connectors.quickbooks.reports import parse_aged_receivables
from tests.behavior.faces import opened
from tests.behavior.stories import a_parent_pays_what_a_child_owes, money_stays_on_account

CONTEXT = Context("1")


def test_the_report_stands_in_for_balances_that_cannot_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened("quickbooks", tmp_path, monkeypatch, invoices=120, multicurrency=False) as face:
        face.change(money_stays_on_account)
        face.change(a_parent_pays_what_a_child_owes)
        face.sync()
        by_customer = ar.reconcile(face.connection, face.store)
        assert by_customer.agrees, by_customer.to_json()
        face.emulator.faults.add("fault_with_200", on="query Customer", times=None)
        face.emulator.stats.reset()
        by_report = ar.reconcile(face.connection, face.store)
        assert face.emulator.stats.calls["report AgedReceivables"] == 1
        assert by_report.agrees, by_report.to_json()
        assert by_report.compared == by_customer.compared > 3


def test_a_report_in_one_currency_does_not_stand_in_for_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened("quickbooks", tmp_path, monkeypatch) as face:
        face.sync()
        face.emulator.faults.add("fault_with_200", on="query Customer", times=None)
        with pytest.raises(UnsupportedOperation, match="mixes currencies"):
            ar.reconcile(face.connection, face.store)
        assert not face.emulator.stats.calls["report AgedReceivables"]


def cells(*values: str, id: str | None = None) -> list[dict[str, str]]:  # noqa: A002  the report's word
    first, *rest = values
    return [{"value": first, **({"id": id} if id else {})}, *({"value": one} for one in rest)]


def report(*rows: dict[str, Any], titles: tuple[str, ...] = ("", "Current", "1 - 30", "Total")) -> bytes:
    columns = [{"ColTitle": one, "ColType": "Money"} for one in titles]
    whole = {"Header": {"Currency": "USD"}, "Columns": {"Column": columns}, "Rows": {"Row": list(rows)}}
    return json.dumps(whole).encode()


def balances(body: bytes) -> dict[str, Decimal]:
    found = parse_aged_receivables(body, CONTEXT)
    assert {one.currency for one in found} <= {"USD"}
    return {str(one.customer_id).rpartition(":")[2]: one.amount for one in found}


def test_figures_are_text_and_a_family_is_a_section() -> None:
    body = report(
        {"ColData": cells("Alone", "", "1,234,567.89", "1,234,567.89", id="1")},
        {
            "Header": {"ColData": cells("Head", "", "", "", id="2")},
            "Rows": {
                "Row": [
                    {"ColData": cells("Head", "10.00", "", "10.00", id="2")},
                    {"ColData": cells("Head: East", "-3.50", "", "-3.50", id="3")},
                ]
            },
            "Summary": {"ColData": cells("Total Head", "6.50", "", "6.50")},
        },
        {"ColData": cells("Owes nothing", "", "", "", id="4")},
        {"Summary": {"ColData": cells("TOTAL", "", "", "1,234,574.39")}, "group": "GrandTotal"},
    )
    assert balances(body) == {"1": Decimal("1234567.89"), "2": Decimal("10.00"), "3": Decimal("-3.50")}


def test_the_total_is_the_column_of_that_name_or_the_last() -> None:
    row = {"ColData": cells("A", "1.00", "2.00", "3.00", id="1")}
    assert balances(report(row, titles=("", "Total", "Current", "1 - 30"))) == {"1": Decimal("1.00")}
    assert balances(report(row, titles=("", "a", "b", "c"))) == {"1": Decimal("3.00")}


def test_thirty_digits_survive() -> None:
    amount = "1234567890123456789012345678.91"
    assert balances(report({"ColData": cells("A", "", "", amount, id="1")})) == {"1": Decimal(amount)}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"Columns":{"Column":[]},"Rows":[]}',
        report({"ColData": cells("A", "1.00", id="1")}),
        report({"ColData": cells("A", "", "", "a lot", id="1")}),
        report({"ColData": cells("A", "", "", "NaN", id="1")}),
        b"[" * 100_000,
    ],
)
def test_another_layout_is_an_error_and_no_balance_of_zero(body: bytes) -> None:
    with pytest.raises(ContractError, match="layout") as caught:
        parse_aged_receivables(body, CONTEXT)
    assert caught.value.tenant == "1"
