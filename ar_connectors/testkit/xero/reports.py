"""What does Xero itself say is owed? The aged receivables of one contact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from ar_connectors.testkit.ledger.money import ZERO, minus, plus
from ar_connectors.testkit.xero.errors import Refused
from ar_connectors.testkit.xero.ids import guid, parse
from ar_connectors.testkit.xero.texts import Row, date_of, day_text, envelope_time, money
from ar_connectors.testkit.xero.view import View, status_of

__all__ = ["aged_receivables"]

_COLUMNS = ("Date", "Number", "Due Date", "", "Total", "Paid", "Credited", "Due")


def aged_receivables(view: View, params: Mapping[str, str], now: datetime) -> Row:
    """The report AgedReceivablesByContact: the open invoices and credits of a contact, as of now. Raises Refused for a contact
    there is not and for days that are none."""
    known = parse("contact", params.get("contactId", params.get("contactID", "")))
    if known is None or known[0] not in view.ledger.customers:
        raise Refused(
            400,
            {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A valid contactId is required"},
        )
    try:
        as_of = date_of(params.get("date")) or now.date()
        first = date_of(params.get("fromDate")) or as_of - timedelta(days=730)
        last = date_of(params.get("toDate")) or as_of
    except ValueError as error:
        raise Refused(
            400, {"ErrorNumber": 10, "Type": "ValidationException", "Message": str(error)}
        ) from error
    customer = view.ledger.customers[known[0]]
    rows, sums = _lines(view, customer.id, first, last)
    total = {
        "RowType": "SummaryRow",
        "Cells": _cells("Total", "", "", "", *(f"{money(one)}" for one in sums)),
    }
    return {
        "ReportName": "Aged Receivables By Contact",
        "ReportType": "AgedReceivablesByContact",
        "ReportTitles": [
            "Invoices",
            customer.name,
            f"From {_long(first)} to {_long(last)}",
            f"Showing payments to {_long(as_of)}",
        ],
        "ReportDate": _long(as_of),
        "UpdatedDateUTC": envelope_time(now),
        "Fields": [],
        "Rows": [
            {"RowType": "Header", "Cells": _cells(*_COLUMNS)},
            {"RowType": "Section", "Title": "", "Rows": [*rows, total]},
        ],
    }


def _lines(view: View, customer: str, first: date, last: date) -> tuple[list[Row], list[Decimal]]:
    rows, sums = [], [ZERO, ZERO, ZERO, ZERO]
    for invoice in view.ledger.invoices.values():
        if (
            invoice.customer != customer
            or not first <= invoice.issued <= last
            or status_of(invoice) != "AUTHORISED"
        ):
            continue
        applied = list(view.applied(invoice))
        paid = sum((one.amount for one in applied if one.kind == "Payments"), ZERO)
        figures = (invoice.total, paid, minus(minus(invoice.total, invoice.open), paid), invoice.open)
        sums = [plus(one, other) for one, other in zip(sums, figures, strict=True)]
        due = day_text(invoice.due) if invoice.due is not None else ""
        cells = _cells(
            day_text(invoice.issued), invoice.number or "", due, "", *(f"{money(one)}" for one in figures)
        )
        cells[0]["Attributes"] = [{"Value": guid("invoice", invoice.id), "Id": "invoiceID"}]
        rows.append({"RowType": "Row", "Cells": cells})
    brought = [
        (one.issued, one.number or "", one.total, one.open)
        for one in view.ledger.credits.values()
        if one.customer == customer and one.open and not one.voided
    ]
    brought += [
        (pot.at.date(), pot.kind, pot.total, pot.remaining)
        for pot in view.pots()
        if pot.record.customer == customer and pot.remaining
    ]
    for on, name, whole, left in brought:
        figures = (-whole, ZERO, minus(left, whole), -left)
        sums = [plus(one, other) for one, other in zip(sums, figures, strict=True)]
        rows.append(
            {
                "RowType": "Row",
                "Cells": _cells(day_text(on), name, "", "", *(f"{money(one)}" for one in figures)),
            }
        )
    return rows, sums


def _cells(*texts: str) -> list[Row]:
    return [{"Value": text} for text in texts]


def _long(value: date) -> str:
    return f"{value.day} {value:%B %Y}"
