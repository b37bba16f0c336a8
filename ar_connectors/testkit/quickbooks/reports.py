"""What is open, and how old is it? The aging reports, by customer in total and by document, in the home currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.ledger.money import ZERO, plus, rounded, total
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.texts import PACIFIC, envelope_time, money

__all__ = ["aging_report"]

Row = dict[str, Any]

_BUCKETS: Final = (("Current", 0), ("1 - 30", 30), ("31 - 60", 60), ("61 - 90", 90), ("91 and over", 10**9))
_DETAIL_COLUMNS: Final = (
    ("Date", "tx_date"),
    ("Transaction Type", "txn_type"),
    ("Num", "doc_num"),
    ("Customer", "cust_name"),
    ("Due Date", "due_date"),
    ("Amount", "subt_amount"),
    ("Open Balance", "subt_open_bal"),
)


@dataclass(frozen=True, slots=True)
class _Part:
    """One document that is open, in the home currency."""

    type: str
    id: str
    customer: str
    number: str | None
    dated: date
    due: date | None
    amount: Decimal
    open: Decimal

    def bucket(self, day: date) -> str:
        """Invoices stand where their age puts them; credits, money on account and journal entries under Current."""
        late = (day - (self.due or self.dated)).days if self.type == "Invoice" else 0
        return next(title for title, days in _BUCKETS if late <= days)


def aging_report(ledger: Ledger, name: str, params: Mapping[str, str], now: datetime) -> Row:
    """The report of a name. Figures are text, "" for nothing. Raises ServiceError for a report there is not, and for a
    report_date that is no date."""
    writer = {"AgedReceivables": _summary, "AgedReceivableDetail": _detail}.get(name)
    if writer is None:
        raise ServiceError("500", f"Operation Report {name} is not supported.")
    day = now.astimezone(PACIFIC).date()
    if "report_date" in params:
        try:
            day = date.fromisoformat(params["report_date"])
        except ValueError:
            raise ServiceError(
                "2030", f"Invalid date {params['report_date']!r}", element="report_date"
            ) from None
    columns, rows = writer(ledger, day)
    return {
        "Header": {
            "Time": envelope_time(now),
            "ReportName": name,
            "DateMacro": "today",
            "StartPeriod": day.isoformat(),
            "EndPeriod": day.isoformat(),
            "Currency": ledger.settings.home_currency,
            "Option": [
                {"Name": "report_date", "Value": day.isoformat()},
                {"Name": "NoReportData", "Value": "false" if len(rows) > 1 else "true"},
            ],
        },
        "Columns": {"Column": columns},
        "Rows": {"Row": rows},
    }


def _summary(ledger: Ledger, day: date) -> tuple[list[Row], list[Row]]:
    cells: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    for part in _parts(ledger):
        row, bucket = cells[part.customer], part.bucket(day)
        row[bucket] = plus(row.get(bucket, ZERO), part.open)
    titles = [*(title for title, _ in _BUCKETS), "Total"]
    rows: list[Row] = []
    for customer, amounts in sorted(cells.items(), key=lambda item: ledger.customers[item[0]].name):
        amounts["Total"] = total(amounts.values())
        if any(amounts.values()):
            figures = [{"value": _figure(amounts.get(title, ZERO))} for title in titles]
            rows.append({"ColData": [{"value": ledger.customers[customer].name, "id": customer}, *figures]})
    sums = [total(amounts.get(title, ZERO) for amounts in cells.values()) for title in titles]
    rows.append(_grand([{"value": f"{money(one):f}"} for one in sums]))
    columns = [{"ColTitle": title, "ColType": "Money"} for title in titles]
    return [{"ColTitle": "", "ColType": "Customer"}, *columns], rows


def _detail(ledger: Ledger, day: date) -> tuple[list[Row], list[Row]]:
    """A section for each bucket that has documents, the oldest bucket first."""
    sections: defaultdict[str, list[_Part]] = defaultdict(list)
    for part in _parts(ledger):
        sections[part.bucket(day)].append(part)
    blanks = [{"value": ""} for _ in _DETAIL_COLUMNS[1:]]
    rows: list[Row] = []
    for title, _ in reversed(_BUCKETS):
        parts = sorted(sections[title], key=lambda one: (one.dated, int(one.id)))
        if parts:
            named = title if title == "Current" else f"{title} days past due"
            rows.append(
                {
                    "Header": {"ColData": [{"value": named}, *blanks]},
                    "Rows": {"Row": [_document(ledger, part) for part in parts]},
                    "Summary": {"ColData": _sums(f"Total for {named}", parts)},
                    "type": "Section",
                }
            )
    everything = [part for parts in sections.values() for part in parts]
    rows.append(_grand(_sums("TOTAL", everything)[1:]))
    return [{"ColTitle": title, "ColType": kind} for title, kind in _DETAIL_COLUMNS], rows


def _document(ledger: Ledger, part: _Part) -> Row:
    name = ledger.customers[part.customer].name
    cells = [
        {"value": part.dated.isoformat()},
        {"value": part.type, "id": part.id},
        {"value": part.number or ""},
        {"value": name, "id": part.customer},
        {"value": (part.due or part.dated).isoformat()},
        {"value": _figure(part.amount)},
        {"value": _figure(part.open)},
    ]
    return {"ColData": cells, "type": "Data"}


def _sums(title: str, parts: Sequence[_Part]) -> list[Row]:
    blanks = [{"value": ""} for _ in _DETAIL_COLUMNS[1:-2]]
    figures = (total(part.amount for part in parts), total(part.open for part in parts))
    return [{"value": title}, *blanks, *({"value": f"{money(one):f}"} for one in figures)]


def _grand(figures: Iterable[Row]) -> Row:
    return {"Summary": {"ColData": [{"value": "TOTAL"}, *figures]}, "type": "Section", "group": "GrandTotal"}


def _parts(ledger: Ledger) -> Iterable[_Part]:
    """All that is open: what is owed positive, what takes off negative."""
    for invoice in ledger.invoices.values():
        if invoice.open:
            whole, left = rounded(invoice.total, invoice.rate), rounded(invoice.open, invoice.rate)
            place = (invoice.customer, invoice.number, invoice.issued, invoice.due)
            yield _Part("Invoice", invoice.id, *place, whole, left)
    for credit in ledger.credits.values():
        if credit.open:
            whole, left = -rounded(credit.total, credit.rate), -rounded(credit.open, credit.rate)
            yield _Part(
                "Credit Memo", credit.id, credit.customer, credit.number, credit.issued, None, whole, left
            )
    for payment in ledger.payments.values():
        if payment.unapplied:
            whole, left = -rounded(payment.total, payment.rate), -rounded(payment.unapplied, payment.rate)
            place = (payment.customer, payment.reference, payment.received, None)
            yield _Part("Payment", payment.id, *place, whole, left)
    for journal in ledger.journals.values():
        if journal.open:
            whole, left = rounded(journal.amount, journal.rate), rounded(journal.open, journal.rate)
            place = (journal.customer, journal.number, journal.posted, None)
            yield _Part("Journal Entry", journal.id, *place, whole, left)


def _figure(amount: Decimal) -> str:
    return f"{money(amount):f}" if amount else ""
