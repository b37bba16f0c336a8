"""What does NetSuite itself say is owed? Sums of its open columns per customer and currency, for reconciliation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from ar_connectors.connector import ReportedBalance
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.context import Mapper
from ar_connectors.netsuite.suiteql import Key
from ar_connectors.netsuite.tables import TABLES
from ar_core.model.money import ZERO, parse_amount, total

__all__ = ["reported_balances"]

_BASIS: Final = "SuiteQL, open columns of the transactions"
_COLUMNS: Final = {
    "invoice": (("foreignamountunpaid", 1),),
    "credit_memo": (("foreignpaymentamountunused", -1),),
    "payment": (("foreignpaymentamountunused", -1),),
    "journal": (("foreignamountunpaid", 1), ("foreignpaymentamountunused", -1)),
}
"""Stream -> its open columns and what they do to a balance."""


def reported_balances(client: NetSuiteClient, company: Company) -> Sequence[ReportedBalance]:
    """What each customer owes in each currency, by NetSuite's own columns. Only what is open is read."""
    mapper = Mapper(company.context(client.tenant))
    sums: defaultdict[tuple[str | None, str | None], Decimal] = defaultdict(lambda: ZERO)
    schema = company.schema()
    for stream, columns in _COLUMNS.items():
        whole = TABLES[stream].select(schema)
        prefix = "tl." if stream == "journal" else "t."
        wanted = {
            name: whole.columns[name]
            for name in ("id", "line", "entity", "currency", "voided", "posting", "type")
            if name in whole.columns
        }
        wanted |= {name: f"{prefix}{name}" for name, _ in columns}
        still = " OR ".join(f"{prefix}{name} <> 0" for name, _ in columns)
        asked = replace(
            whole, columns=wanted, keys=tuple(Key(key.expression, key.name) for key in whole.keys)
        )
        for rows in client.every_row(asked.having(f"({still})"), f"open {stream}"):
            for row in rows:
                if row.get("voided") == "T" or row.get("posting") == "F":
                    continue
                key = mapper.customer_id(row.get("entity")), mapper.currencies[row.get("currency"), None]
                for name, sign in columns:
                    amount = abs(parse_amount(row.get(name) or "0"))
                    sums[key] = total((sums[key], amount if sign > 0 else -amount))
    return [
        ReportedBalance(customer, currency, amount, _BASIS) for (customer, currency), amount in sums.items()
    ]
