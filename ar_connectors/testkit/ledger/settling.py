"""What does a payment do to what it names? Applying it, letting go again, and the checks before."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from ar_connectors.testkit.ledger.money import ZERO, minus, plus, total
from ar_connectors.testkit.ledger.records import Application, Customer, Payment, Stand
from ar_connectors.testkit.ledger.shelves import LedgerError, Shelves

__all__ = ["Settling"]


class Settling(Shelves):
    """The shelves, and how records on them settle each other."""

    def _set(self, record: Any, changes: dict[str, Any]) -> None:
        quiet = self.quiet(record, changes)
        for name, value in changes.items():
            setattr(record, name, value)
        if quiet:
            self._slipped(record, "changed")
        else:
            self._touch(record)

    def _remember(self, payment: Payment) -> None:
        """Keep how a payment stands before that changes."""
        stand = Stand(self._instant(), payment.total, payment.applications)
        payment.earlier = (*payment.earlier, stand)

    def _check_applications(
        self, payer: Customer, amount: Decimal, parts: Sequence[Application], before: Sequence[Application]
    ) -> None:
        """Raise LedgerError unless every part fits what is open of its document, which is the payer's or that of a customer
        below it, and the money suffices."""
        free: dict[tuple[str, str], Decimal] = {}
        for part in before:
            free[part.kind, part.id] = plus(free.get((part.kind, part.id), ZERO), part.amount)
        wanted: dict[tuple[str, str], Decimal] = {}
        for part in parts:
            wanted[part.kind, part.id] = plus(wanted.get((part.kind, part.id), ZERO), part.amount)
        used = ZERO
        for (kind, identity), want in wanted.items():
            target: Any = self._found(self.shelf(kind), identity)  # type: ignore[arg-type]
            available = plus(target.open, free.get((kind, identity), ZERO))
            if target.currency != payer.currency:
                raise LedgerError(
                    "invalid", f"{kind} {identity} is in {target.currency}, the payment in {payer.currency}"
                )
            if not self._is_below(target.customer, payer.id):
                raise LedgerError("invalid", f"{kind} {identity} is not of customer {payer.id}")
            if abs(want) > abs(available) or want * available < 0:
                raise LedgerError("over", f"{want} is more than is open of {kind} {identity} ({available})")
            used = plus(used, -want if kind in {"credit", "deposit"} else want)
        if used > amount or amount < 0:
            raise LedgerError("over", f"{used} would be applied of {amount}")

    def _is_below(self, identity: str | None, top: str) -> bool:
        """Whether a customer is `top` or one of its sub-customers."""
        while identity is not None and identity != top:
            identity = self.customers[identity].parent
        return identity == top

    def _apply(self, payment: Payment, parts: tuple[Application, ...]) -> None:
        """Let a payment settle these and nothing else. What it settles of a sub-customer is taken off that one's balance."""
        touched: dict[tuple[str, str], Any] = {}
        for sign, applications in ((-1, payment.applications), (1, parts)):
            for part in applications:
                key = (part.kind, part.id)
                target = self.shelf(part.kind)[part.id]
                touched[key] = target
                target.applied = plus(target.applied, sign * part.amount)  # type: ignore[attr-defined]
                (self.links[key].discard if sign < 0 else self.links[key].add)(payment.id)
                if target.customer != payment.customer:  # type: ignore[attr-defined]
                    moved = sign * part.demand
                    self._balance(self.customer(payment.customer), moved)
                    self._balance(self.customer(target.customer), -moved)  # type: ignore[attr-defined]
        payment.applications = parts
        payment.revision += 1
        for target in touched.values():
            self._rippled(target)

    def _unlink(self, kind: Literal["invoice", "credit", "deposit"], identity: str) -> None:
        """Take a document out of the payments that name it. Credits and deposits that no longer have an invoice to settle go
        with it."""
        for payment_id in sorted(self.links[kind, identity]):
            payment = self.payments[payment_id]
            parts = tuple(part for part in payment.applications if (part.kind, part.id) != (kind, identity))
            self._remember(payment)
            self._apply(payment, _balanced(payment.total, parts, kind))
            if self.touch_links:
                self._touch(payment)
            else:
                self._slipped(payment, "changed")


def _balanced(amount: Decimal, parts: tuple[Application, ...], lost: str) -> tuple[Application, ...]:
    """The parts that remain when one is taken out: what is applied to an invoice goes first, then invoices when money is short."""
    kept = [part for part in parts if part.demand > 0] if lost == "invoice" else list(parts)
    used = total(part.demand for part in kept)
    while used > amount:
        last = next(index for index in range(len(kept) - 1, -1, -1) if kept[index].demand > 0)
        used = minus(used, kept.pop(last).amount)
    return tuple(kept)
