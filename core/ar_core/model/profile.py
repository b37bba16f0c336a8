"""What does collections need to know about a customer that no ERP holds? The customer's profile, owned by the host."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from ar_core.model.base import Amount, Currency, Frozen, UtcDatetime
from ar_core.model.parties import Channel

__all__ = ["BouncedChannel", "Consent", "CustomerProfile", "OutOfOffice", "ProfileFlag", "TeamMember"]


def _sorted_unique(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


class ProfileFlag(StrEnum):
    """Standing instructions on a customer. A flag outside this list is kept and treated as a stop (fail closed, E40)."""

    HUMAN_ONLY = "human_only"
    LEGAL_STOP = "legal_stop"
    DO_NOT_CONTACT = "do_not_contact"


class TeamMember(Frozen):
    """A person on our side and the role they play for this customer (account_manager, collector, finance_lead, ...)."""

    role: str
    person: str
    email: str | None = None
    phone: str | None = None


class Consent(Frozen):
    """What a contact agreed to on one channel (E41). `contact_id` None: it holds for the whole customer."""

    channel: Channel
    granted: bool
    at: UtcDatetime | None = None
    contact_id: str | None = None


class OutOfOffice(Frozen):
    """A contact is away (E37). `contact_id` None: the only known contact."""

    until: date
    """Last day of absence."""
    contact_id: str | None = None


class BouncedChannel(Frozen):
    """A channel on which messages came back (R3)."""

    channel: Channel
    contact_id: str | None = None
    at: UtcDatetime | None = None


class CustomerProfile(Frozen):
    """Host-owned facts on one customer; never read from or written to the ERP."""

    customer_id: str
    lifetime_value: Amount | None = None
    """None: derived from settled revenue by the evaluator, with reason LTV_DERIVED."""
    lifetime_value_currency: Currency | None = None
    account_manager: str | None = None
    team: tuple[TeamMember, ...] = ()
    flags: Annotated[tuple[str, ...], AfterValidator(_sorted_unique)] = ()
    """`ProfileFlag` values, sorted; an unknown flag counts as a stop."""
    consents: tuple[Consent, ...] = ()
    out_of_office: tuple[OutOfOffice, ...] = ()
    bounced: tuple[BouncedChannel, ...] = ()

    @property
    def id(self) -> str:
        """The customer's id: there is one profile per customer."""
        return self.customer_id
