"""What is known against reaching somebody? Dead addresses and absences, from the profile and from what came back (R3, E29, E37)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from ar_core.model.activity import Direction, Intent, Touch, TouchOutcome
from ar_core.model.parties import Channel, Contact
from ar_core.model.profile import CustomerProfile

if TYPE_CHECKING:
    from ar_core.cadence.facts import AccountFacts
    from ar_core.cadence.history import History

__all__ = ["DeadAddress", "absences", "away_until", "dead_addresses"]

_DAY: Final = timedelta(days=1)
_UNNAMED: Final = timedelta(days=6)
"""From the first to the last day of an absence whose end was not named: five business days and the weekend between them."""
_BOUNCED: Final = TouchOutcome.BOUNCED
_ARRIVED: Final = frozenset({TouchOutcome.DELIVERED, TouchOutcome.ANSWERED, TouchOutcome.LEFT_MESSAGE})
_NOT_ARRIVED: Final = frozenset({TouchOutcome.FAILED, TouchOutcome.AMBIGUOUS})

Slot = tuple[str | None, Channel]
"""A contact and a channel; without a contact it is the channel of the whole customer."""


class DeadAddress(NamedTuple):
    """A message came back from it, and nothing has got through since."""

    since: datetime | None
    """None: the profile does not say."""
    address: str | None
    """None: not on record, so it holds for whatever address stands there."""
    healed: int
    """How often the slot was dead and came back to life before."""

    def is_at(self, address: str | None) -> bool:
        """Whether this is the address in question: one that was changed meanwhile is another."""
        return self.address is None or address is None or self.address.casefold() == address.casefold()


def dead_addresses(facts: AccountFacts, history: History) -> dict[Slot, DeadAddress]:
    """Where messages came back, by contact and channel (R3, E29).

    A bounce holds until something gets through there: a message that was delivered or answered, or one that the contact sent from
    there. One that the profile holds without a day is the host's word and holds until the host takes it out. A notice to our own people
    that came back says nothing of the customer's addresses.
    """
    dead: dict[Slot, DeadAddress] = {}
    for profile in facts.profiles:
        for bounce in profile.bounced:
            dead[bounce.contact_id, bounce.channel] = DeadAddress(bounce.at, None, 0)
    if not dead and not any(touch.outcome is _BOUNCED for touch in history.telling):
        return dead
    healed: dict[Slot, int] = {}
    for touch in history.touches:
        slot = (touch.contact_id, touch.channel)
        if touch.outcome is TouchOutcome.BOUNCED and touch.direction is not Direction.INTERNAL:
            held = dead.get(slot)
            if held is None or not held.is_at(touch.address):
                healed[slot] = healed.get(slot, -1) + 1
                dead[slot] = DeadAddress(touch.at, touch.address, healed[slot])
        elif _got_through(touch):
            for one in {slot, (None, touch.channel)}:
                held = dead.get(one)
                if (
                    held is not None
                    and held.since is not None
                    and held.since <= touch.at
                    and held.is_at(touch.address)
                ):
                    healed.setdefault(one, 0)
                    del dead[one]
    return dead


def _got_through(touch: Touch) -> bool:
    if touch.direction is Direction.INBOUND:
        return touch.outcome not in _NOT_ARRIVED
    return touch.direction is Direction.OUTBOUND and touch.outcome in _ARRIVED


def absences(
    profiles: Iterable[CustomerProfile], said: Iterable[tuple[date, Touch]], today: date, longest: int
) -> dict[str | None, date]:
    """Last day of absence of who is away today, by contact; None stands for the only contact there is (E37).

    `said`: touches with the organization's local date of each. What was said last counts; after `longest` days nobody is waited for.
    Who names no day is away for a week from the day it was said, or as long as is known anyway.
    """
    away: dict[str | None, date] = {}
    for profile in profiles:
        for absence in profile.out_of_office:
            if absence.until >= away.get(absence.contact_id, today):
                away[absence.contact_id] = absence.until
    for on, touch in said:
        if touch.intent is Intent.OUT_OF_OFFICE:
            last = on + timedelta(days=longest) - _DAY
            if touch.until is not None:
                last = min(touch.until, last)
            else:
                last = max(min(on + _UNNAMED, last), away.get(touch.contact_id, date.min))
            if last >= today:
                away[touch.contact_id] = last
    return away


def away_until(
    away: dict[str | None, date], contact_id: str | None, contacts: Sequence[Contact]
) -> date | None:
    """Last day of absence of a contact; None: there. Where there is only one contact, nobody else can be meant."""
    if len(contacts) == 1 and contact_id in {None, contacts[0].id}:
        return away.get(contacts[0].id, away.get(None))
    return away.get(contact_id)
