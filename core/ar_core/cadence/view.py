"""What is known about an account on a day? The values of the published features, each computed when it is first asked for.

A feature that rests on a rolling window notes the day on which its value may change by itself; `next_change_at` is built
from those days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from ar_core.cadence.facts import AccountFacts
from ar_core.cadence.figures import FIGURES, Computed
from ar_core.cadence.history import History
from ar_core.model.documents import Invoice
from ar_core.promises import PromiseVerdict

if TYPE_CHECKING:
    from ar_core.cadence.items import Chased

__all__ = ["AccountView", "InvoiceView", "StageValue"]


class StageValue(str):
    """A stage's id that compares by its place in the policy."""

    __slots__ = ("order", "place")

    order: Mapping[str, int]
    place: int

    def __new__(cls, text: str, place: int, order: Mapping[str, int]) -> Self:
        """`order` maps every stage of the policy to its place."""
        self = str.__new__(cls, text)
        self.place, self.order = place, order
        return self

    def __lt__(self, other: str) -> bool:
        return self.place < self.order[other]

    def __le__(self, other: str) -> bool:
        return self.place <= self.order[other]

    def __gt__(self, other: str) -> bool:
        return self.place > self.order[other]

    def __ge__(self, other: str) -> bool:
        return self.place >= self.order[other]

    __hash__ = str.__hash__

    def __reduce__(self) -> tuple[type[StageValue], tuple[str, int, Mapping[str, int]]]:
        return StageValue, (str(self), self.place, self.order)


class AccountView:
    """The features of one account. Attributes are computed on first use and kept; features of an invoice are unknown here."""

    dpd: int | None = None
    stage: StageValue | None = None
    balance: Decimal | None = None
    total: Decimal | None = None
    invoice_currency: str | None = None
    part_paid: bool | None = None
    has_pdf: bool | None = None
    has_payment_link: bool | None = None
    max_dpd: int | None
    rate_missing = False
    risk: str | None = None
    value: str | None = None
    lifetime_value: Decimal | None = None
    facts: AccountFacts
    history: History
    live: Chased
    """Open invoices that are chased, with their days past due."""
    negative: Sequence[Invoice]
    """Posted invoices with a balance below zero."""
    verdicts: Sequence[PromiseVerdict]
    today: date
    base_currency: str | None
    rates: Mapping[str, Decimal]
    longest_absence = 14
    """Days after which nobody who is away is waited for; set from the policy."""
    changes_on: list[date]
    """Days on which a rolling feature that was used may change by itself."""

    def __init__(  # noqa: PLR0917  everything a feature may rest on
        self,
        facts: AccountFacts,
        live: Chased,
        negative: Sequence[Invoice],
        verdicts: Sequence[PromiseVerdict],
        history: History,
        today: date,
        base_currency: str | None,
        rates: Mapping[str, Decimal],
    ) -> None:
        self.facts, self.history, self.verdicts = facts, history, verdicts
        self.live, self.negative = live, negative
        self.today, self.base_currency, self.rates = today, base_currency, rates
        self.changes_on = []

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def in_base(self, amount: Decimal, currency: str | None) -> Decimal | None:
        """An amount in base currency; None without a rate (noted in `rate_missing`)."""
        if currency == self.base_currency or (self.base_currency is None and not self.rates):
            return amount
        rate = self.rates.get(currency or "")
        if rate is None:
            self.rate_missing = True
            return None
        return amount * rate

    def expires(self, days: Iterable[date], after: timedelta) -> None:
        """Note when the earliest of these days leaves a rolling window."""
        soonest = min(days, default=None)
        if soonest is not None:
            self.changes_on.append(soonest + after)


class InvoiceView:
    """The features of one invoice; everything else is asked of its account."""

    __slots__ = ("_account", "balance", "dpd", "invoice", "stage")

    def __init__(self, account: AccountView, invoice: Invoice, dpd: int, stage: StageValue | None) -> None:
        self._account = account
        self.invoice = invoice
        self.dpd = dpd
        self.stage = stage
        self.balance = invoice.balance_due

    def __getattr__(self, name: str) -> Any:
        match name:
            case "total":
                return self.invoice.total
            case "invoice_currency":
                return self.invoice.currency
            case "part_paid":
                return self.invoice.balance_due < self.invoice.total
            case "has_pdf":
                return self.invoice.has_pdf
            case "has_payment_link":
                return self.invoice.payment_link is not None
            case _:
                return getattr(self._account, name)


for _name, _find in FIGURES.items():
    setattr(AccountView, _name, Computed(_name, _find))
