"""What can be asked for in a query and is no list: CompanyInfo, Preferences and ExchangeRate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.quickbooks.company import company_info, exchange_rate, preferences
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.query import Condition, Query
from ar_connectors.testkit.quickbooks.texts import PACIFIC

__all__ = ["SINGLES", "Singles"]

Row = dict[str, Any]

SINGLES: Final = ("CompanyInfo", "Preferences", "ExchangeRate")
"""Names of the entities that are here."""


class Singles:
    """Rows of the entities that describe the company itself.

    Args:
        ledger: the books.
        realm: the company's id.
        started: when it came to QuickBooks.
        now: the emulator's time.
    """

    def __init__(self, ledger: Ledger, realm: str, started: datetime, now: Callable[[], datetime]) -> None:
        self.ledger = ledger
        self.realm = realm
        self.started = started
        self.now = now

    def company_info(self) -> Row:
        """The one CompanyInfo."""
        return company_info(self.ledger, self.realm, self.started)

    def preferences(self) -> Row:
        """The one Preferences."""
        return preferences(self.ledger, self.started)

    def rows(self, query: Query) -> list[Row]:
        """The rows of a query for one of `SINGLES`, in order, paged. Raises ServiceError 4001 for a condition that cannot be
        asked."""
        if query.entity == "ExchangeRate":
            found = self._rates(query.where)
        else:
            only = self.company_info() if query.entity == "CompanyInfo" else self.preferences()
            found = [only] if all(_holds(query.entity, only, one) for one in query.where) else []
        return found[query.start - 1 : query.start - 1 + query.limit]

    def _rates(self, where: tuple[Condition, ...]) -> list[Row]:
        """One rate for each currency asked for, else for each the company has used."""
        wanted, day = None, self.now().astimezone(PACIFIC).date()
        for condition in where:
            if condition.name == "SourceCurrencyCode" and condition.operator in {"=", "IN"}:
                wanted = condition.values
            elif condition.name == "AsOfDate" and condition.operator == "=":
                day = _day(condition)
            else:
                raise _no_condition("ExchangeRate", condition)
        used = sorted(
            {one.currency for one in self.ledger.customers.values()} - {self.ledger.settings.home_currency}
        )
        return [
            exchange_rate(self.ledger, {"sourcecurrencycode": code, "asofdate": day.isoformat()}, self.now())
            for code in (used if wanted is None else wanted)
        ]


def _day(condition: Condition) -> date:
    try:
        return date.fromisoformat(condition.values[0])
    except ValueError:
        raise _no_condition("ExchangeRate", condition) from None


def _holds(entity: str, row: Row, condition: Condition) -> bool:
    """Whether a condition holds of the only row there is."""
    if condition.name == "Id" and condition.operator in {"=", "IN"}:
        return row["Id"] in condition.values
    if condition.name != "MetaData.LastUpdatedTime" or condition.operator not in {"<", "<=", ">", ">=", "="}:
        raise _no_condition(entity, condition)
    try:
        asked = datetime.fromisoformat(condition.values[0])
    except ValueError:
        raise _no_condition(entity, condition) from None
    asked = asked if asked.tzinfo is not None else asked.replace(tzinfo=PACIFIC)
    after = Decimal(int((datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"]) - asked).total_seconds()))
    return {"<": after < 0, "<=": after <= 0, ">": after > 0, ">=": after >= 0, "=": after == 0}[
        condition.operator
    ]


def _no_condition(entity: str, condition: Condition) -> ServiceError:
    return ServiceError(
        "4001", f"QueryValidationError: Property {condition.name} not found for Entity {entity}"
    )
