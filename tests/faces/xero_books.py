"""What the books are at Xero, as facts: one payment there is several records here, and credit notes are allocated by themselves.

Ids of what one payment becomes are `payment-12-0` (its first payment) and `onaccount-12-1` (its second overpayment or prepayment).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, cast

from ar_connectors.testkit.ledger import Application, Invoice, Ledger, Payment
from ar_connectors.testkit.ledger.money import ZERO
from ar_connectors.testkit.running import Running
from ar_connectors.testkit.xero.ids import Code, guid
from ar_connectors.testkit.xero.receipts import Split, split

__all__ = ["UNTOLD", "allocations", "identify", "payments"]

UNTOLD = frozenset({"adjustment", "customer.balance", "customer.parent", "open balance", "rates"})
"""What Xero cannot express: journal entries on receivables (so balances that one is part of), a customer above another, a balance
of a contact that can be relied on, and which way round a rate is."""

_CODES: dict[str, Code] = {"invoice": "invoice", "customer": "contact", "credit_note": "credit"}


def identify(emulator: Running[Any], kind: str, number: str) -> str:
    """Our id of a record of the books: of GUIDs that are made of theirs."""
    name = str(kind)
    if name == "payment":
        code, _, rest = number.partition("-")
        identity, _, part = rest.partition("-")
        return f"xero:{emulator.tenant}:payment:{guid(cast('Code', code), identity, int(part))}"
    if name not in _CODES:  # there is none at Xero, and the comparison leaves it out
        return f"xero:{emulator.tenant}:{name}:{number}"
    return f"xero:{emulator.tenant}:{name}:{guid(_CODES[name], number)}"


def payments(ledger: Ledger) -> Iterator[Payment]:
    """Every payment, overpayment and prepayment that stands; what was undone is there and counts for nothing."""
    for payment in ledger.payments.values():
        yield from _of_payment(ledger, payment, split(payment))
    for gone in ledger.deletions:
        payment_gone = ledger.removed.get((gone.kind, gone.id))
        if isinstance(payment_gone, Payment):
            yield from _of_payment(ledger, payment_gone, split(payment_gone, gone.at))
    for deposit in ledger.deposits.values():
        used = _uses(ledger, ("deposit", deposit.id))
        yield _record(f"onaccount-{deposit.id}-0", deposit, deposit.total, used, voided=deposit.voided)
    removed = [one for one in ledger.removed.values() if isinstance(one, Invoice)]
    for invoice in (*ledger.invoices.values(), *removed):
        if whole := invoice.deposit or invoice.returned:
            undone = invoice.voided or invoice.id not in ledger.invoices
            yield _record(f"onaccount-{invoice.id}-0", invoice, whole, {invoice.id: whole}, voided=undone)


def allocations(ledger: Ledger, identify: Callable[[Any, str], str]) -> dict[Any, Any]:
    """(parent, invoice) by the ids of our records -> amount."""
    found = {
        (identify("payment", one.id), identify("invoice", part.id)): part.amount
        for one in payments(ledger)
        if not one.voided
        for part in one.applications
    }
    for credit in ledger.credits.values():
        for invoice, amount in _uses(ledger, ("credit", credit.id)).items():
            found[identify("credit_note", credit.id), identify("invoice", invoice)] = amount
    return found


def _of_payment(ledger: Ledger, payment: Payment, found: Split) -> Iterator[Payment]:
    for receipt in found.receipts:
        kind, number = receipt.target
        if kind == "invoice":
            invoice = cast("Invoice", ledger.invoices.get(number) or ledger.removed["invoice", number])
            identity = f"payment-{payment.id}-{receipt.part}"
            # Xero's payment is of the invoice's contact, whoever sent the money.
            yield _record(
                identity, payment, receipt.amount, {number: receipt.amount}, customer=invoice.customer,
                voided=receipt.deleted,
            )  # fmt: skip
    for pot in found.on_account:
        identity = f"onaccount-{payment.id}-{pot.part}"
        yield _record(identity, payment, pot.total, pot.allocated, voided=pot.voided)


def _uses(ledger: Ledger, by: tuple[str, str]) -> dict[str, Decimal]:
    """What a credit note or deposit settles."""
    found: dict[str, Decimal] = {}
    for number in ledger.links.get(by, ()):
        for one in split(ledger.payments[number]).allocations:
            if one.by == by:
                found[one.invoice] = found.get(one.invoice, ZERO) + one.amount
    return found


def _record(
    identity: str,
    source: Any,
    total: Decimal,
    used: dict[str, Decimal],
    *,
    voided: bool = False,
    customer: str | None = None,
) -> Payment:
    received = source.issued if isinstance(source, Invoice) else source.received
    # What is undone keeps its amount and has nothing left: as if all of it were applied, to nothing.
    used = {"0": total} if voided else used
    parts = tuple(Application("invoice", invoice, amount) for invoice, amount in used.items())
    return Payment(
        id=identity,
        created=source.created,
        updated=source.updated,
        customer=customer or source.customer,
        currency=source.currency,
        rate=source.rate,
        received=received,
        total=total,
        applications=parts,
        voided=voided,
    )
