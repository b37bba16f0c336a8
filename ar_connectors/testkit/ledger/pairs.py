"""Who settles whom? A payment's parts as pairs, for ERPs in which a credit is applied to an invoice without a payment between."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from ar_connectors.testkit.ledger.money import minus
from ar_connectors.testkit.ledger.records import Application, Kind, Payment

__all__ = ["Pair", "pairs"]


class Pair(NamedTuple):
    """An amount of one record that settles the same amount of another."""

    by: tuple[Kind, str]
    """The payment, or a credit note, deposit or journal entry it applies."""
    of: tuple[Kind, str]
    """An invoice or a journal entry that raised the balance."""
    amount: Decimal


def pairs(payment: Payment, parts: tuple[Application, ...] | None = None) -> Iterator[Pair]:
    """A payment's parts (or those of an earlier stand) as pairs: what it applies is used up first, in the order of the parts,
    then its own money."""
    applied = payment.applications if parts is None else parts
    sources = deque((part, -part.demand) for part in applied if part.demand < 0)
    for part in applied:
        left = part.demand
        while left > 0:
            if not sources:
                yield Pair(("payment", payment.id), (part.kind, part.id), left)
                break
            source, available = sources.popleft()
            amount = min(left, available)
            yield Pair((source.kind, source.id), (part.kind, part.id), amount)
            left = minus(left, amount)
            if available > amount:
                sources.appendleft((source, minus(available, amount)))
