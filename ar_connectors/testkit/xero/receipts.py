"""What does Xero make of the money in the books? One payment there is several things here.

Xero's payments settle one document each, cannot be edited, and stay as DELETED when they are undone. What is left of the money is
an overpayment (it came with a payment) or a prepayment (it came alone), which is allocated to invoices later. Credit notes are
allocated, without any payment. All this follows from how the payment in the books stood, one stand after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from ar_connectors.testkit.ledger import Application, Payment
from ar_connectors.testkit.ledger.money import ZERO, minus, plus, total
from ar_connectors.testkit.ledger.pairs import pairs
from ar_connectors.testkit.ledger.records import Stand

__all__ = ["Allocated", "OnAccount", "Receipt", "Split", "split"]

Needs = dict[tuple[str, str], Decimal]
"""(kind, id) of what is settled with money, and how much of it."""


@dataclass(slots=True)
class Receipt:
    """A payment as Xero has it: money for one document."""

    part: int
    """Counts the payments that one in the books became."""
    target: tuple[str, str]
    """(kind, id); journals are not shown."""
    amount: Decimal
    at: datetime
    deleted: bool = False


@dataclass(slots=True)
class OnAccount:
    """An overpayment or prepayment."""

    part: int
    kind: Literal["Overpayment", "Prepayment"]
    total: Decimal
    at: datetime
    voided: bool = False
    allocated: dict[str, Decimal] = field(default_factory=dict)
    """Invoice to amount."""

    @property
    def remaining(self) -> Decimal:
        """What is not allocated yet."""
        return ZERO if self.voided else minus(self.total, total(self.allocated.values()))


class Allocated(NamedTuple):
    """A part of a credit note or deposit that settles an invoice."""

    by: tuple[str, str]
    """(kind, id) of the credit note or deposit."""
    invoice: str
    amount: Decimal


@dataclass(slots=True)
class Split:
    """All that one payment is at Xero."""

    receipts: list[Receipt] = field(default_factory=list)
    on_account: list[OnAccount] = field(default_factory=list)
    allocations: list[Allocated] = field(default_factory=list)


def split(payment: Payment, deleted: datetime | None = None) -> Split:
    """A payment of the books in Xero's terms; `deleted`: when it was deleted there."""
    found = Split()
    starts = [payment.created, *(one.until for one in payment.earlier)]
    stands = [*payment.earlier, Stand(payment.updated, payment.total, payment.applications)]
    if deleted is not None:
        stands[-1] = Stand(deleted, ZERO, ())
    for start, stand in zip(starts, stands, strict=True):
        _go_on(found, payment, start, stand)
    return found


def _go_on(found: Split, payment: Payment, at: datetime, stand: Stand) -> None:
    """From how the payment stood before to how it stands now."""
    needs, found.allocations, borrowed = _paired(payment, stand.applications)
    wanted = plus(stand.total, borrowed)
    _let_go(found, needs, at)
    # Journals are settled with money only: what is on account is taken back for them.
    set_aside = _for_journals(found, needs)
    cash = minus(wanted, plus(_held(found), set_aside))
    if cash < 0:
        cash = _undo(found, cash, at)
    cash = _settle(found, needs, plus(cash, set_aside), at)
    if cash > 0:
        kind: Literal["Overpayment", "Prepayment"] = "Overpayment" if found.receipts else "Prepayment"
        found.on_account.append(OnAccount(len(found.on_account), kind, cash, at))


def _for_journals(found: Split, needs: Needs) -> Decimal:
    """The money that journals need and do not have yet."""
    covered = _covered(found)
    short = (minus(amount, covered.get(one, ZERO)) for one, amount in needs.items() if one[0] == "journal")
    return total(one for one in short if one > 0)


def _held(found: Split) -> Decimal:
    """The money in payments and on account."""
    payments = total(one.amount for one in found.receipts if not one.deleted)
    return plus(payments, total(one.total for one in found.on_account if not one.voided))


def _let_go(found: Split, needs: Needs, at: datetime) -> None:
    """Undo what settles more than is wanted: allocations first, then whole payments, as Xero's users must."""
    for target, covered in _covered(found).items():
        excess = minus(covered, needs.get(target, ZERO))
        for pot in found.on_account:
            if excess > 0 and target[1] in pot.allocated and target[0] == "invoice":
                back = min(excess, pot.allocated[target[1]])
                left = minus(pot.allocated.pop(target[1]), back)
                if left:
                    pot.allocated[target[1]] = left
                pot.at = at
                excess = minus(excess, back)
        for receipt in reversed(found.receipts):
            if excess > 0 and receipt.target == target and not receipt.deleted:
                receipt.deleted, receipt.at = True, at
                excess = minus(excess, receipt.amount)


def _covered(found: Split) -> dict[tuple[str, str], Decimal]:
    covered: dict[tuple[str, str], Decimal] = {}
    for receipt in found.receipts:
        if not receipt.deleted:
            covered[receipt.target] = plus(covered.get(receipt.target, ZERO), receipt.amount)
    for pot in found.on_account:
        for invoice, amount in pot.allocated.items():
            covered["invoice", invoice] = plus(covered.get(("invoice", invoice), ZERO), amount)
    return covered


def _undo(found: Split, cash: Decimal, at: datetime) -> Decimal:
    """Less money than there was: money on account goes first. What a prepayment has given away it has to keep."""
    for pot in reversed(found.on_account):
        if cash < 0 and not pot.voided:
            pot.at = at
            if pot.allocated:
                given = minus(pot.total, pot.remaining)
                cash, pot.total = plus(cash, minus(pot.total, given)), given
            else:
                pot.voided, cash = True, plus(cash, pot.total)
    return cash


def _settle(found: Split, needs: Needs, cash: Decimal, at: datetime) -> Decimal:
    """Settle what is not settled yet, from what is on account and then with new payments. Returns the money that is left."""
    covered = _covered(found)
    for target, amount in needs.items():
        short = minus(amount, covered.get(target, ZERO))
        for pot in found.on_account:
            if short > 0 and pot.remaining > 0 and target[0] == "invoice":
                used = min(short, pot.remaining)
                pot.allocated[target[1]] = plus(pot.allocated.get(target[1], ZERO), used)
                pot.at = at
                short = minus(short, used)
        if short > 0:
            found.receipts.append(Receipt(len(found.receipts), target, short, at))
            cash = minus(cash, short)
    return cash


def _paired(payment: Payment, parts: tuple[Application, ...]) -> tuple[Needs, list[Allocated], Decimal]:
    """What needs money, which credit notes and deposits settle what, and the money that journals in the customer's favor bring:
    they stand for a clearing account at Xero."""
    needs: Needs = {}
    allocations: list[Allocated] = []
    for one in pairs(payment, parts):
        if one.by[0] in {"credit", "deposit"}:
            if one.of[0] == "invoice":
                allocations.append(Allocated(one.by, one.of[1], one.amount))
        else:
            needs[one.of] = plus(needs.get(one.of, ZERO), one.amount)
    borrowed = total(-one.amount for one in parts if one.kind == "journal" and one.amount < 0)
    return needs, allocations, borrowed
