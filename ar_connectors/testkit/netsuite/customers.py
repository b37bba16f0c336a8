"""What NetSuite shows of a customer beyond the books' own fields."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from ar_connectors.testkit.ledger import Customer, Ledger
from ar_connectors.testkit.ledger.money import ZERO, plus, total

__all__ = ["CONTACTS", "Contact", "CustomerFacts", "contact_of", "facts_of"]

CONTACTS: Final = 5_000_000
"""Added to a customer's id for the id of its contact: all entities share one sequence in NetSuite."""


class Contact(NamedTuple):
    """The person at a customer."""

    id: int
    name: str
    first: str
    last: str
    email: str | None


def contact_of(customer: Customer) -> Contact | None:
    """The customer's contact, if it has one."""
    if customer.contact is None:
        return None
    first, _, last = customer.contact.partition(" ")
    email = (customer.email or "").split(",")[0] or None
    return Contact(CONTACTS + int(customer.id), customer.contact, first, last or first, email)


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """Figures and states."""

    balance: Decimal
    """Without deposits, which NetSuite shows apart."""
    deposits: Decimal
    credit_limit: Decimal | None
    hold: str
    """The override: AUTO, ON or OFF."""
    on_hold: bool
    """What comes of it."""


def facts_of(ledger: Ledger, customer: Customer) -> CustomerFacts:
    """Figures of a customer, in its own currency."""
    deposits = ZERO
    if ledger.deposits:
        deposits = total(one.open for one in ledger.deposits.values() if one.customer == customer.id)
    balance = plus(customer.balance, deposits)
    limit = customer.extra.get("creditLimit")
    hold = customer.extra.get("creditHoldOverride", "AUTO")
    over = limit is not None and balance > Decimal(str(limit))
    return CustomerFacts(
        balance,
        deposits,
        None if limit is None else Decimal(str(limit)),
        hold,
        hold == "ON" or (hold == "AUTO" and over),
    )
