"""What is a currency worth in the books' own? The rates that the ERP itself put on its documents, one for a currency and day.

An ERP that keeps books in several currencies writes on every document the rate it was booked at. Those whose direction is proven
(`exchange_rate`: base units for one unit of the document's currency) are all that is needed to weigh balances in one currency;
nothing has to be asked for, and a snapshot of an earlier instant has the rates that were known then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from ar_core.model.documents import CreditNote, Invoice
from ar_core.model.settlements import Adjustment, Payment
from ar_core.model.snapshot import ExchangeRate

__all__ = ["document_rates"]

_Document = Invoice | CreditNote | Payment | Adjustment


def document_rates(
    base_currency: str | None,
    *,
    invoices: Iterable[Invoice] = (),
    credit_notes: Iterable[CreditNote] = (),
    payments: Iterable[Payment] = (),
    adjustments: Iterable[Adjustment] = (),
) -> tuple[ExchangeRate, ...]:
    """The rates on these documents into `base_currency`, sorted by id; none without a base currency.

    Where documents of one day disagree, the one that was changed last counts, and of those the one with the greatest id. A
    rate of zero or less, and one on a document without a date, is none.
    """
    if base_currency is None:
        return ()
    found: dict[tuple[str, date], tuple[tuple[float, str], Decimal]] = {}
    dated: tuple[tuple[_Document, date | None], ...] = (
        *((one, one.issue_date) for one in invoices if one.exchange_rate is not None),
        *((one, one.issue_date) for one in credit_notes if one.exchange_rate is not None),
        *((one, one.payment_date) for one in payments if one.exchange_rate is not None),
        *((one, one.adjustment_date) for one in adjustments if one.exchange_rate is not None),
    )
    for document, day in dated:
        rate, currency = document.exchange_rate, document.currency
        if rate is None or rate <= 0 or day is None or currency is None or currency == base_currency:
            continue
        updated = document.source.updated_at if document.source is not None else None
        weight = (updated.timestamp() if updated is not None else 0.0, document.id)
        held = found.get((currency, day))
        if held is None or held[0] < weight:
            found[currency, day] = weight, rate
    return tuple(
        ExchangeRate(currency=currency, base_currency=base_currency, rate=rate, as_of=day)
        for (currency, day), (_, rate) in sorted(found.items())
    )
