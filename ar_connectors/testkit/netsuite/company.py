"""What kind of NetSuite account is it? Its id, features, custom fields, lists and preferences: all that is not in the books."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from ar_connectors.testkit.ledger import Ledger

__all__ = [
    "CURRENCIES",
    "LOCAL_RATE",
    "Account",
    "CustomField",
    "Period",
    "account_type",
    "base_rate",
    "currency_id",
    "local",
    "period_of",
    "periods",
]

CURRENCIES: Final = {
    "USD": (1, "US Dollar", "$"),
    "GBP": (2, "British pound", "£"),
    "CAD": (3, "Canadian Dollar", "C$"),
    "EUR": (4, "Euro", "€"),
}
"""Ids as new accounts have them."""

LOCAL_RATE: Final = Decimal("7.46")
"""What a unit of the first book's currency is in the second book's."""

_ACCOUNT_TYPES: Final = {
    "Accounts Receivable": "AcctRec",
    "Other Current Asset": "OthCurrAsset",
    "Other Current Liability": "OthCurrLiab",
    "Income": "Income",
    "Expense": "Expense",
    "Bank": "Bank",
}


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field somebody added to all transactions or entities.

    `kind` as `customfield.fieldvaluetype` has it in capitals: CHECKBOX, CURRENCY, DATE, TEXT, CLOBTEXT, SELECT (with `values`).
    """

    script_id: str
    name: str
    kind: str
    applies: str
    """transaction or entity."""
    values: tuple[tuple[int, str], ...] = ()


_FIELDS: Final = (
    CustomField("custbody_ar_promise_amount", "Promised Amount", "CURRENCY", "transaction"),
    CustomField("custbody_ar_promise_note", "Promise Note", "CLOBTEXT", "transaction"),
    CustomField(
        "custbody_ar_promise_status",
        "Promise Status",
        "SELECT",
        "transaction",
        ((1, "Open"), (2, "Kept"), (3, "Broken"), (4, "Withdrawn")),
    ),
    CustomField("custbody_ar_disputed", "Disputed", "CHECKBOX", "transaction"),
    CustomField(
        "custbody_ar_dispute_reason",
        "Dispute Reason",
        "SELECT",
        "transaction",
        ((1, "Price"), (2, "Quality"), (3, "Quantity"), (4, "Other")),
    ),
    CustomField("custbody_ar_dispute_amount", "Disputed Amount", "CURRENCY", "transaction"),
    CustomField("custbody_ar_dispute_opened", "Dispute Opened", "DATE", "transaction"),
    CustomField("custbody_ar_dispute_note", "Dispute Note", "CLOBTEXT", "transaction"),
    CustomField("custbody_3805_dunning_paused", "Pause Dunning", "CHECKBOX", "transaction"),
    CustomField("custentity_ar_collections_status", "Collections Status", "TEXT", "entity"),
    CustomField("custentity_ar_hold_reason", "Hold Reason", "TEXT", "entity"),
    CustomField("custentity_3805_dunning_paused", "Pause Dunning", "CHECKBOX", "entity"),
)


@dataclass(slots=True)
class Account:
    """One account. What a test changes while it runs: `hidden`, `read_only`, `locked`, `allow_non_gl_changes`."""

    id: str = "7654321_SB1"
    """As in the realm; hosts have it in lower case with a hyphen."""
    date_format: str = "%m/%d/%Y"
    """The user's preference, in strftime's words: what a date looks like that no TO_CHAR formats."""
    oneworld: bool = False
    multicurrency: bool = True
    multi_book: bool = False
    """Whether a second book has all accounting lines once more, in a currency of its own (`LOCAL_RATE`)."""
    local_accounts: dict[str, str] = field(default_factory=dict)
    """Account of the first book -> account on which the second book has the same lines."""
    shows_estimates: bool = False
    """Whether SuiteQL knows userestimatedpaymentdate and userestimatesource: nobody has published a proof."""
    negative_credits: bool = True
    """Whether a credit memo's foreigntotal is negative: not documented."""
    restless: bool = True
    """Whether pages of a statement without ORDER BY repeat and skip rows, as Salto's users found them to."""
    allow_non_gl_changes: bool = False
    """Whether closed periods take changes that book nothing."""
    custom_fields: tuple[CustomField, ...] = _FIELDS
    hidden: set[str] = field(default_factory=set)
    """Tables and record types (lower case) that the role may not see."""
    read_only: set[str] = field(default_factory=set)
    """Record types (lower case) that the role may query but not edit: a GET loads for editing, so it is refused as well."""
    locked: set[tuple[str, str]] = field(default_factory=set)
    """(kind, id) of records that a workflow has locked."""

    @property
    def host(self) -> str:
        """The first label of its host names."""
        return self.id.lower().replace("_", "-")

    def custom_field(self, name: str) -> CustomField | None:
        """One by its script id."""
        return next((one for one in self.custom_fields if one.script_id == name), None)


def currency_id(code: str) -> int:
    """The internal id of a currency; unknown ones get one from their letters."""
    known = CURRENCIES.get(code)
    if known is not None:
        return known[0]
    total = 10
    for letter in code:
        total = total * 27 + ord(letter) - 64
    return total


def account_type(kind: str) -> str:
    """NetSuite's word for a type of ledger account."""
    return _ACCOUNT_TYPES.get(kind, "OthCurrAsset")


def local(instant: datetime, zone: ZoneInfo) -> str:
    """An instant on the account's clock, as SuiteQL's tables keep it."""
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class Period:
    """A month."""

    id: int
    name: str
    start: date
    end: date
    closed: bool


def period_of(day: date) -> int:
    """The id of the period a day is in."""
    return (day.year - 2000) * 12 + day.month


def periods(ledger: Ledger) -> list[Period]:
    """The months from five years ago to the end of next year."""
    today = ledger.now().date()
    closed = ledger.settings.closed_through
    found = []
    for year in range(today.year - 5, today.year + 2):
        for month in range(1, 13):
            start = date(year, month, 1)
            end = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            shut = closed is not None and end <= closed
            found.append(Period(period_of(start), start.strftime("%b %Y"), start, end, shut))
    return found


def base_rate(ledger: Ledger, code: str) -> Decimal:
    """The last rate the books have seen of a currency."""
    for invoice in reversed(ledger.invoices.values()):
        if invoice.currency == code:
            return invoice.rate
    return Decimal(1)
