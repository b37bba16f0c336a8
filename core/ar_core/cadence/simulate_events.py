"""What happens in a simulation, and what becomes of the book: events, folded into a snapshot, and responders that make them.

A responder stands for the customers: it is given a contact that went out and answers with events. Its figures are assumptions,
and a simulation says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, TypeVar

from ar_core.cadence.evaluation import Action
from ar_core.commands import OpenDispute, RecordPromise, RecordTouch
from ar_core.model.activity import Dispute, Origin, Promise, Touch
from ar_core.model.documents import DocumentStatus, Invoice
from ar_core.model.money import ZERO, exact
from ar_core.model.refs import allocation_id
from ar_core.model.settlements import Allocation, Payment
from ar_core.model.snapshot import Snapshot

__all__ = ["Chance", "Event", "NoResponse", "Paid", "Responder", "Table", "apply", "touch_of"]


class Paid(NamedTuple):
    """A customer pays an invoice, in part or whole."""

    invoice_id: str
    on: date
    amount: Decimal | None = None
    """None: all that is open then."""


Event = RecordTouch | RecordPromise | OpenDispute | Paid
"""What can happen in a simulation: the commands of the same names, and money."""


class Responder(Protocol):
    """How customers answer."""

    assumption: str
    """What is assumed, in one sentence; it is printed with every figure."""

    def respond(self, action: Action, at: datetime, snapshot: Snapshot) -> Iterable[Event]:
        """What follows from a contact. `at`: when it takes place, in the organization's zone; `snapshot`: what its run knew.

        A payment may lie in the future, everything else is at once.
        """
        ...


class NoResponse:
    """Nobody answers and nobody pays: the most work a policy can make."""

    assumption = "nobody answers, nobody pays"

    def respond(self, action: Action, at: datetime, snapshot: Snapshot) -> Iterable[Event]:  # noqa: ARG002
        """Nothing."""
        return ()


class Chance(NamedTuple):
    """What a contact leads to."""

    paid: Decimal
    """Share of contacts after which the covered invoices are paid."""
    promised: Decimal = ZERO
    """Share after which a promise is given instead."""
    days: int = 3
    """Days until the money comes, or the day that is promised."""


class Table:
    """Shares by stage and channel, drawn from a hash of seed and action key: the same seed gives the same days, in any order,
    and two policies meet the same customers.
    """

    def __init__(
        self,
        chances: Mapping[tuple[str | None, str | None], Chance],
        *,
        seed: int = 0,
        promises_kept: Decimal = Decimal("0.7"),
    ) -> None:
        """`chances` by (stage, channel), None for any: the most specific row counts. Raises ValueError for shares above one."""
        for place, chance in chances.items():
            if chance.paid < ZERO or chance.promised < ZERO or chance.paid + chance.promised > 1:
                raise ValueError(f"the shares of {place} do not fit into one: {chance}")
        self._chances = chances
        self._seed = seed
        self._kept = promises_kept
        rows = ", ".join(f"{s or 'any'}/{c or 'any'} {v.paid:%}" for (s, c), v in chances.items())
        self.assumption = (
            f"share of contacts that are paid after ({rows}); {promises_kept:%} of promises kept"
        )

    def respond(self, action: Action, at: datetime, snapshot: Snapshot) -> Iterable[Event]:
        """A payment, a promise that is kept or not, or nothing."""
        chance = self._chance(action)
        if chance is None or not action.covers:
            return
        drawn, day = self._draw(action.key, "outcome"), at.date() + timedelta(days=chance.days)
        invoices = {invoice.id: invoice for invoice in snapshot.invoices}
        covered = [c.invoice_id for c in action.covers if invoices[c.invoice_id].balance_due > ZERO]
        if drawn < chance.paid:
            yield from (Paid(invoice_id, day) for invoice_id in covered)
        elif drawn < chance.paid + chance.promised and covered:
            owner = invoices[covered[0]].customer_id or action.customer_id
            yield RecordPromise(
                customer_id=owner, invoice_ids=tuple(covered), promised_date=day, given_on=at.date()
            )
            if self._draw(action.key, "kept") < self._kept:
                yield from (Paid(invoice_id, day) for invoice_id in covered)

    def _chance(self, action: Action) -> Chance | None:
        stage, channel = action.stage, action.channel.value
        for place in ((stage, channel), (stage, None), (None, channel), (None, None)):
            if place in self._chances:
                return self._chances[place]
        return None

    def _draw(self, key: str, what: str) -> Decimal:
        """A number from 0 up to 1, the same whenever it is asked for."""
        digest = hashlib.sha256(f"{self._seed}\x1f{key}\x1f{what}".encode()).digest()
        return Decimal(int.from_bytes(digest[:6], "big")) / Decimal(2**48)


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


_R = TypeVar("_R", bound=_HasId)


def apply(snapshot: Snapshot, events: Iterable[Event]) -> Snapshot:
    """The snapshot after some events; the snapshot itself stays as it is.

    Raises ValueError for a payment of an invoice that is not there.
    """
    touches: list[Touch] = []
    promises: list[Promise] = []
    disputes: list[Dispute] = []
    paid: list[Paid] = []
    for event in events:
        match event:
            case RecordTouch():
                touches.append(touch_of(event))
            case RecordPromise():
                promises.append(_promise_of(event))
            case OpenDispute():
                disputes.append(_dispute_of(event))
            case Paid():
                paid.append(event)
    changes: dict[str, Any] = {}
    for name, added in (("touches", touches), ("promises", promises), ("disputes", disputes)):
        if added:
            changes[name] = _merged(getattr(snapshot, name), added)
    if paid:
        changes.update(_settled(snapshot, paid))
    return snapshot.model_copy(update=changes) if changes else snapshot


def _merged(held: Sequence[_R], added: Sequence[_R]) -> tuple[_R, ...]:
    """Sorted by id; a record that comes again replaces the one before."""
    by_id = {record.id: record for record in (*held, *added)}
    return tuple(by_id[key] for key in sorted(by_id))


def _settled(snapshot: Snapshot, paid: Sequence[Paid]) -> dict[str, Any]:
    invoices = {invoice.id: invoice for invoice in snapshot.invoices}
    payments: list[Payment] = []
    allocations: list[Allocation] = []
    with exact():
        for number, event in enumerate(paid):
            invoice = invoices.get(event.invoice_id)
            if invoice is None:
                raise ValueError(f"{event.invoice_id} was paid and is not in the snapshot")
            amount = invoice.balance_due if event.amount is None else min(event.amount, invoice.balance_due)
            if amount <= ZERO:
                continue
            payment, allocation = _payment_of(invoice, event.on, amount, number)
            payments.append(payment)
            allocations.append(allocation)
            invoices[invoice.id] = invoice.model_copy(
                update={
                    "balance_due": invoice.balance_due - amount,
                    "amount_paid": None if invoice.amount_paid is None else invoice.amount_paid + amount,
                }
            )
    return {
        "invoices": tuple(invoices[i.id] for i in snapshot.invoices),
        "payments": _merged(snapshot.payments, payments),
        "allocations": _merged(snapshot.allocations, allocations),
    }


def _payment_of(invoice: Invoice, on: date, amount: Decimal, number: int) -> tuple[Payment, Allocation]:
    source = f"local:simulated-payment-{invoice.id}-{on.isoformat()}-{number}"
    payment = Payment(
        id=source,
        customer_id=invoice.customer_id,
        subsidiary_id=invoice.subsidiary_id,
        payment_date=on,
        currency=invoice.currency,
        total=amount,
        unapplied_amount=ZERO,
        document_status=DocumentStatus.POSTED,
    )
    allocation = Allocation(
        id=allocation_id(source, invoice.id, 0),
        parent_id=source,
        source_id=source,
        target_id=invoice.id,
        amount=amount,
        currency=invoice.currency,
        target_amount=amount,
        target_currency=invoice.currency,
        applied_on=on,
    )
    return payment, allocation


def touch_of(command: RecordTouch) -> Touch:
    """The record that a store makes of the command."""
    fields = {
        name: getattr(command, name) for name in Touch.model_fields if name in type(command).model_fields
    }
    return Touch.trusted(**{**fields, "id": command.local_record_id, "recorded_at": command.at})


def _promise_of(command: RecordPromise) -> Promise:
    fields = {
        name: getattr(command, name) for name in Promise.model_fields if name in type(command).model_fields
    }
    return Promise.trusted(**{**fields, "id": command.local_record_id, "origin": Origin.OURS})


def _dispute_of(command: OpenDispute) -> Dispute:
    fields = {
        name: getattr(command, name) for name in Dispute.model_fields if name in type(command).model_fields
    }
    return Dispute.trusted(**{**fields, "id": command.local_record_id, "origin": Origin.OURS})
