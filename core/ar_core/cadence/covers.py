"""How does an action name the invoices it is about? Coverage, totals, what must still be true, and who leads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ar_core.cadence.facts import BALANCE, CURRENCY, ID, INVOICE
from ar_core.cadence.records import CoveredInvoice, CurrencyTotal, Precondition
from ar_core.cadence.state import Item, State
from ar_core.model.money import ZERO

__all__ = ["covered_invoice", "in_lead_order", "lead_of", "lead_order", "preconditions_of", "totals_of"]


def lead_order(state: State, place: int) -> tuple[int, Decimal, str]:
    """Highest stage and oldest due, which is one order, then largest in base currency, then id (E19)."""
    row = state.chased.rows[place]
    amount = state.view.in_base(row[BALANCE], row[CURRENCY])
    return (-state.chased.dpds[place], -(amount if amount is not None else ZERO), row[ID])


def in_lead_order(state: State, places: Iterable[int]) -> list[int]:
    """Places of items, sorted by `lead_order`."""
    return sorted(places, key=lambda place: lead_order(state, place))


def lead_of(state: State, places: Sequence[int]) -> int:
    """The first in `lead_order`. A stage is a matter of age, so the oldest leads; amounts are looked at only among equals."""
    if len(places) == 1:
        return places[0]
    dpds = state.chased.dpds
    oldest = max([dpds[place] for place in places])
    best = [place for place in places if dpds[place] == oldest]
    return best[0] if len(best) == 1 else in_lead_order(state, best)[0]


def covered_invoice(state: State, item: Item, step: str | None) -> CoveredInvoice:
    """One invoice as a message names it."""
    invoice = item.invoice
    return CoveredInvoice.trusted(
        invoice_id=invoice.id,
        number=invoice.number,
        step=step,
        stage=item.template.stage_name,
        days_past_due=item.dpd,
        due_date=invoice.due_date,
        due_version=invoice.due_version,
        balance_due=invoice.balance_due,
        amount_to_chase=state.chaseable(item),
        currency=invoice.currency,
        presence_only=step is None,
    )


def totals_of(state: State, covers: Iterable[CoveredInvoice]) -> tuple[CurrencyTotal, ...]:
    """One section per currency."""
    sums: dict[str | None, Decimal] = {}
    for cover in covers:
        sums[cover.currency] = sums.get(cover.currency, ZERO) + cover.amount_to_chase
    on_account = state.view.credits
    return tuple(
        CurrencyTotal.trusted(
            currency=currency, to_chase=sums[currency], unapplied=on_account.get(currency, ZERO)
        )
        for currency in sorted(sums, key=lambda c: c or "")
    )


def preconditions_of(state: State, covers: Iterable[CoveredInvoice]) -> tuple[Precondition, ...]:
    """What to check again just before sending (E11)."""
    by_id = {row[ID]: row[INVOICE] for row in state.chased.rows}
    return tuple(
        Precondition.trusted(
            invoice_id=cover.invoice_id,
            balance_due=cover.balance_due,
            document_status=by_id[cover.invoice_id].document_status,
            due_version=cover.due_version,
            source_version=source.version if (source := by_id[cover.invoice_id].source) is not None else None,
        )
        for cover in covers
    )
