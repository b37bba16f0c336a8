"""Aging lists as other programs write them, from the books of a made-up company. Shares nothing with the connector."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from ar_connectors.testkit.ledger import Ledger
from ar_core.model.money import exact

Rows = list[list[object]]


@dataclass(frozen=True)
class Open:
    """One open item of the books; `amount` below zero lowers the debt."""

    customer: str
    code: str
    kind: str
    """invoice, credit, payment, journal."""
    number: str
    issued: date
    due: date | None
    currency: str
    total: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Locale:
    """How a program writes numbers and dates."""

    name: str
    number: Callable[[Decimal], object]
    day: Callable[[date], object]
    delimiter: str = ","
    encoding: str = "utf-8"
    hints: Mapping[str, str] = field(default_factory=dict)
    """What a person says when every cell of a file can be read in two ways."""


NATIVE = Locale("native", lambda x: x, lambda d: d)
"""Cells of a workbook have types; a number keeps 15 digits."""


def _grouped(amount: Decimal, group: str, point: str) -> str:
    return f"{abs(amount):,f}".replace(",", "_").replace(".", point).replace("_", group)


def _in_lakhs(amount: Decimal) -> str:
    whole, _, cents = f"{abs(amount):f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    pairs = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)][::-1]
    return ",".join([*pairs, tail]) + (f".{cents}" if cents else "")


def _minus(amount: Decimal, text: str) -> str:
    return f"-{text}" if amount < 0 else text


_MONTHS: Final = ("Jan", "Feb", "März", "Apr", "Mai", "Juni", "Juli", "Aug", "Sept", "Okt", "Nov", "Dez")
POINT: Final = {"decimal": "point"}
COMMA: Final = {"decimal": "comma"}
LOCALES = {
    one.name: one
    for one in (
        Locale(
            "us",
            lambda x: _minus(x, _grouped(x, ",", ".")),
            lambda d: f"{d:%m/%d/%Y}",
            hints={**POINT, "dates": "month-first"},
        ),
        Locale(
            "us_short",
            lambda x: f"$({_grouped(x, ',', '.')})" if x < 0 else f"${_grouped(x, ',', '.')}",
            lambda d: f"{d.month}/{d.day}/{d:%y}",
            "|",
            hints={**POINT, "dates": "month-first"},
        ),
        Locale(
            "us_brackets",
            lambda x: f"({_grouped(x, ',', '.')})" if x < 0 else _grouped(x, ",", "."),
            lambda d: f"{d:%b} {d.day}, {d.year}",
            hints=POINT,
        ),
        Locale(
            "uk",
            lambda x: _minus(x, f"£{_grouped(x, ',', '.')}"),
            lambda d: f"{d:%d/%m/%Y}",
            encoding="utf-8-sig",
            hints={**POINT, "dates": "day-first"},
        ),
        Locale(
            "indian",
            lambda x: f"{_in_lakhs(x)} CR" if x < 0 else f"{_in_lakhs(x)} DR",
            lambda d: f"{d:%d-%b-%Y}",
            hints=POINT,
        ),
        Locale(
            "german",
            lambda x: _grouped(x, ".", ",") + ("-" if x < 0 else ""),
            lambda d: f"{d:%d.%m.%Y}",
            ";",
            "cp1252",
            hints=COMMA,
        ),
        Locale(
            "german_words",
            lambda x: _minus(x, f"{_grouped(x, '.', ',')} €"),
            lambda d: f"{d.day}. {_MONTHS[d.month - 1]} {d.year}",
            "\t",
            "iso-8859-15",
            hints=COMMA,
        ),
        Locale(
            "french",
            lambda x: _minus(x, _grouped(x, "\u202f", ",")),
            lambda d: f"{d:%d/%m/%y}",
            "\t",
            "utf-16",
            hints={**COMMA, "dates": "day-first"},
        ),
        Locale(
            "dutch",
            lambda x: f"€ {_minus(x, _grouped(x, '.', ','))}",
            lambda d: f"{d.day}-{d.month}-{d.year}",
            ";",
            "utf-16-le",
            hints={**COMMA, "dates": "day-first"},
        ),
        Locale(
            "swiss",
            lambda x: _minus(x, _grouped(x, "'", ".")),
            lambda d: d.isoformat(),
            ";",
            hints=POINT,
        ),
        Locale("plain", lambda x: f"{x:f}", lambda d: f"{d:%Y%m%d}", "\t", hints=POINT),
    )
}


def open_items(ledger: Ledger) -> list[Open]:
    """All that is open in the books, by customer."""
    found = [
        Open(
            _name(ledger, one.customer),
            f"C{one.customer}",
            "invoice",
            one.number or one.id,
            one.issued,
            one.due,
            one.currency,
            one.total,
            one.open,
        )
        for one in ledger.invoices.values()
    ]
    found += [
        Open(
            _name(ledger, one.customer),
            f"C{one.customer}",
            "credit",
            one.number or one.id,
            one.issued,
            None,
            one.currency,
            one.total,
            -one.open,
        )
        for one in ledger.credits.values()
    ]
    found += [
        Open(
            _name(ledger, one.customer),
            f"C{one.customer}",
            "payment",
            f"P{one.id}",
            one.received,
            None,
            one.currency,
            one.total,
            -one.unapplied,
        )
        for one in ledger.payments.values()
    ]
    found += [
        Open(
            _name(ledger, one.customer),
            f"C{one.customer}",
            "journal",
            f"J{one.id}",
            one.posted,
            None,
            one.currency,
            abs(one.open),
            one.open,
        )
        for one in ledger.journals.values()
    ]
    return sorted(
        (one for one in found if one.amount), key=lambda one: (one.customer, one.currency, one.number)
    )


def _name(ledger: Ledger, customer: str) -> str:
    return ledger.customers[customer].name


def _sum(items: Iterable[Open]) -> Decimal:
    with exact():
        return sum((one.amount for one in items), Decimal(0))


def _groups(items: Sequence[Open], key: Callable[[Open], str]) -> dict[str, list[Open]]:
    found: dict[str, list[Open]] = {}
    for one in items:
        found.setdefault(key(one), []).append(one)
    return found


def quickbooks(items: Sequence[Open], locale: Locale, as_of: date) -> Rows:
    words = {"invoice": "Invoice", "credit": "Credit Memo", "payment": "Payment", "journal": "Journal Entry"}
    rows: Rows = [
        ["Acme Supplies Inc."],
        ["A/R Aging Detail"],
        [f"As of {as_of:%B} {as_of.day}, {as_of.year}"],
        [],
    ]
    rows.append(
        [
            "",
            "Date",
            "Transaction Type",
            "Num",
            "Customer full name",
            "Due date",
            "Currency",
            "Amount",
            "Open balance",
        ]
    )
    late = _groups(
        items, lambda one: "Current" if one.due is None or one.due >= as_of else "1 or more days past due"
    )
    for name, group in late.items():
        rows.append([name])
        rows += [
            [
                "",
                locale.day(one.issued),
                words[one.kind],
                one.number,
                one.customer,
                locale.day(one.due) if one.due else "",
                one.currency,
                locale.number(one.total),
                locale.number(one.amount),
            ]
            for one in group
        ]
        rows.append([f"Total for {name}", "", "", "", "", "", "", "", locale.number(_sum(group))])
    rows.append(["TOTAL", "", "", "", "", "", "", "", locale.number(_sum(items))])
    return [*rows, [], ["Friday, November 20, 2026 10:23 AM GMT-08:00 - Accrual Basis"]]


def xero(items: Sequence[Open], locale: Locale, as_of: date) -> Rows:
    rows: Rows = [
        ["Aged Receivables Detail"],
        ["Demo Company"],
        [f"As at {as_of.day} {as_of:%B %Y}"],
        ["Ageing by due date"],
        [],
    ]
    rows.append(
        [
            "Invoice Date",
            "Due Date",
            "Invoice Number",
            "Invoice Reference",
            "Currency",
            "Current",
            "< 1 Month",
            "Older",
            "Total",
        ]
    )
    for name, group in _groups(items, lambda one: one.customer).items():
        rows += [[], [name]]
        rows += [
            [
                locale.day(one.issued),
                locale.day(one.due) if one.due else "",
                one.number,
                "",
                one.currency,
                "-",
                locale.number(one.amount),
                "-",
                locale.number(one.amount),
            ]
            for one in group
        ]
        rows.append(
            [
                f"Total {name}",
                "",
                "",
                "",
                "",
                "-",
                locale.number(_sum(group)),
                "-",
                locale.number(_sum(group)),
            ]
        )
    total = locale.number(_sum(items))
    return [
        *rows,
        ["Total", "", "", "", "", "-", total, "-", total],
        ["Percentage of total", "", "", "", "", "0%", "100%", "0%", "100.00%"],
    ]


def netsuite(items: Sequence[Open], locale: Locale, as_of: date) -> Rows:
    words = {"invoice": "Invoice", "credit": "Credit Memo", "payment": "Payment", "journal": "Journal"}
    rows: Rows = [
        ["Parent Company"],
        ["A/R Aging Detail"],
        [f"As of {as_of:%B} {as_of.day}, {as_of.year}"],
        [],
    ]
    rows.append(
        [
            "Transaction Type",
            "Date",
            "Document Number",
            "P.O. No.",
            "Due Date",
            "Age",
            "Currency",
            "Open Balance",
        ]
    )
    for name, group in _groups(items, lambda one: one.customer).items():
        rows.append([name])
        rows += [
            [
                words[one.kind],
                locale.day(one.issued),
                one.number,
                "",
                locale.day(one.due) if one.due else "",
                (as_of - one.due).days if one.due else "",
                one.currency,
                locale.number(one.amount),
            ]
            for one in group
        ]
        rows.append([f"Total - {name}", "", "", "", "", "", "", locale.number(_sum(group))])
    return [*rows, ["Total", "", "", "", "", "", "", locale.number(_sum(items))]]


def sap_fbl5n(items: Sequence[Open], locale: Locale, as_of: date) -> Rows:
    words = {"invoice": "RV", "credit": "DG", "payment": "DZ", "journal": "AB"}
    rows: Rows = [["Customer Line Item Display"], []]
    rows.append(
        [
            "",
            "Customer",
            "Name 1",
            "DocumentNo",
            "Document Type",
            "Doc. Date",
            "Net due date",
            "Arrears after net due date",
            "Amount in doc. curr.",
            "Curr.",
            "Text",
        ]
    )
    for code, group in _groups(items, lambda one: one.code).items():
        rows += [
            [
                "",
                one.code,
                one.customer,
                one.number,
                words[one.kind],
                locale.day(one.issued),
                locale.day(one.due) if one.due else "",
                (as_of - one.due).days if one.due else "",
                locale.number(one.amount),
                one.currency,
                "",
            ]
            for one in group
        ]
        rows.append(["*", code, "", "", "", "", "", "", locale.number(_sum(group)), "", ""])
    return [*rows, ["**", "", "", "", "", "", "", "", locale.number(_sum(items)), "", ""]]


def sap_s4hana(items: Sequence[Open], locale: Locale, as_of: date) -> Rows:
    words = {"invoice": "RV", "credit": "DG", "payment": "DZ", "journal": "SA"}
    rows: Rows = [
        [
            "Company Code",
            "Customer",
            "Customer Name",
            "Journal Entry",
            "Journal Entry Type",
            "Document Date",
            "Net Due Date",
            "Days in Arrears",
            "Amount (Transaction Currency)",
            "Transaction Currency",
        ]
    ]
    return rows + [
        [
            "1010",
            one.code,
            one.customer,
            one.number,
            words[one.kind],
            locale.day(one.issued),
            locale.day(one.due) if one.due else "",
            (as_of - one.due).days if one.due else "",
            locale.number(one.amount),
            one.currency,
        ]
        for one in items
    ]


def oracle(items: Sequence[Open], locale: Locale, as_of: date) -> Rows:
    words = {"invoice": "INV", "credit": "CM", "payment": "PMT", "journal": "Adjustment"}
    rows: Rows = [["Aging - 7 Buckets By Account Report"], ["As of Date", as_of.isoformat()], []]
    rows.append(
        [
            "Customer Name",
            "Customer Number",
            "Transaction Number",
            "Class",
            "Transaction Date",
            "Due Date",
            "Days Late",
            "Currency",
            "Original Amount",
            "Outstanding Amount",
        ]
    )
    rows += [
        [
            one.customer,
            one.code,
            one.number,
            words[one.kind],
            locale.day(one.issued),
            locale.day(one.due) if one.due else "",
            (as_of - one.due).days if one.due else "",
            one.currency,
            locale.number(one.total),
            locale.number(one.amount),
        ]
        for one in items
    ]
    return [*rows, ["Grand Total", "", "", "", "", "", "", "", "", locale.number(_sum(items))]]


LAYOUTS = {one.__name__: one for one in (quickbooks, xero, netsuite, sap_fbl5n, sap_s4hana, oracle)}


def write_csv(path: Path, rows: Rows, locale: Locale) -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=locale.delimiter, lineterminator="\r\n").writerows(rows)
    path.write_bytes(text.getvalue().encode(locale.encoding))
    return path


def write_xlsx(path: Path, rows: Rows) -> Path:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Aging")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path
