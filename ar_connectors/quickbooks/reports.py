"""What does QuickBooks itself say is open? Its own figures per customer and currency, for reconciliation.

First choice is Customer.Balance: one figure per customer in the customer's currency, with unapplied credits taken off.
The AgedReceivables report is the fallback: it is printed in the home currency and its layout is being moved by Intuit
(quirks.md#qbo-49), so it is used only for a company with one currency, and only as far as it can be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ar_connectors.connector import ReportedBalance
from ar_connectors.errors import ContractError, RejectedError, UnsupportedOperation
from ar_connectors.quickbooks.client import PAGE_SIZE, QuickBooksClient
from ar_connectors.quickbooks.context import PLATFORM, Context
from ar_connectors.quickbooks.decode import decode_page
from ar_connectors.quickbooks.tables import ACTIVE_AND_NOT
from ar_core.model import Customer, RecordKind, parse_amount

__all__ = ["parse_aged_receivables", "reported_balances"]

_BALANCE = "Customer.Balance"
_REPORT = "AgedReceivables report, total column"


def reported_balances(client: QuickBooksClient, context: Context) -> list[ReportedBalance]:
    """Open balances by customer, those of zero left out. A metered call per 1000 customers that owe, and one per 1000 that
    are owed. Raises UnsupportedOperation where neither the balances nor the report can be had."""
    try:
        return list(_customer_balances(client, context))
    except RejectedError as refused:
        if context.multicurrency:
            raise UnsupportedOperation(
                f"the company does not let balances be asked for ({refused.message}), and its report mixes currencies",
                platform=PLATFORM,
                tenant=client.tenant,
                operation="reported balances",
            ) from refused
        answer = client.resource("reports/AgedReceivables", "report AgedReceivables")
        return parse_aged_receivables(answer.body, context)


def _customer_balances(client: QuickBooksClient, context: Context) -> Iterator[ReportedBalance]:
    """Two conditions, because the query language knows no `!=` (quirks.md#qbo-8)."""
    for sign in ("> '0'", "< '0'"):
        start = 1
        while True:
            where = f"{ACTIVE_AND_NOT} AND Balance {sign}"
            page = decode_page(client.page("Customer", where, start).body, "Customer", context)
            for record in page.records:
                if isinstance(record, Customer) and record.reported_balance is not None:
                    yield ReportedBalance(record.id, record.currency, record.reported_balance, _BALANCE)
            if page.rows < PAGE_SIZE:
                break
            start += PAGE_SIZE


def parse_aged_receivables(body: bytes, context: Context) -> list[ReportedBalance]:
    """Customers' totals of an AgedReceivables report, in the report's currency; sub-customers stand below their parent.

    Figures are text in the report, "" for zero; thousands may be parted by commas. Raises ContractError when it is no such
    report.
    """
    try:
        report = json.loads(body, parse_float=str, parse_int=str)
        titles = [column.get("ColTitle", "") for column in report["Columns"]["Column"]]
        rows = report["Rows"].get("Row") or []
        currency = report.get("Header", {}).get("Currency") or context.home_currency
        column = _total_column(titles)
        return [
            ReportedBalance(context.id(RecordKind.CUSTOMER, identity), currency, amount, _REPORT)
            for identity, amount in _rows(rows, column)
        ]
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ContractError(
            f"the AgedReceivables report has another layout: {error!r}",
            platform=PLATFORM,
            tenant=context.tenant,
            operation="report AgedReceivables",
            excerpt=body[:200].decode("utf-8", errors="replace"),
        ) from error


def _total_column(titles: Sequence[str]) -> int:
    """The column called Total, else the last one."""
    folded = [title.casefold() for title in titles]
    return folded.index("total") if "total" in folded else len(folded) - 1


def _rows(rows: Sequence[Mapping[str, Any]], column: int) -> Iterator[tuple[str, Decimal]]:
    for row in rows:
        cells = row.get("ColData")
        if cells and cells[0].get("id"):
            text = cells[column].get("value", "").replace(",", "")
            if text:
                yield cells[0]["id"], parse_amount(text)
        header = (row.get("Header") or {}).get("ColData")
        if header and header[0].get("id") and len(header) > column and header[column].get("value"):
            yield header[0]["id"], parse_amount(header[column]["value"].replace(",", ""))
        yield from _rows((row.get("Rows") or {}).get("Row") or [], column)
