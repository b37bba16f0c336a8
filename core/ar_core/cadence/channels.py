"""Who is contacted, and how? The first usable channel of a step, the contact behind it, and why others were passed over.

(R3, R34, R36, R38, E27, E37, E41, E43, docs/rules.md)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ar_core.cadence.codes import Code
from ar_core.cadence.history import WEEK
from ar_core.cadence.reachable import absences, away_until, dead_addresses
from ar_core.cadence.run import DAY
from ar_core.calendar import next_business_day
from ar_core.model.activity import Intent, Touch
from ar_core.model.documents import Invoice
from ar_core.model.parties import Channel, Contact, ContactRole

if TYPE_CHECKING:
    from ar_core.cadence.facts import AccountFacts
    from ar_core.cadence.history import History
    from ar_core.cadence.plan import Way
    from ar_core.cadence.run import Run

__all__ = ["Address", "Directory", "NoWay", "calling_order"]

_ROLES: Final = {
    ContactRole.BILLING: 0,
    ContactRole.ACCOUNTS_PAYABLE: 1,
    ContactRole.UNKNOWN: 2,
    ContactRole.OTHER: 3,
    ContactRole.DEPARTMENT_HEAD: 4,
    ContactRole.EXECUTIVE: 5,
}

_CONTENT: Final = frozenset({Code.SMS_NEEDS_LINK, Code.PDF_MISSING})


def calling_order(contact: Contact) -> tuple[int, str]:
    """Who is written to first: billing, then accounts payable, then anyone (C5)."""
    return _ROLES[contact.role], contact.id


def _read_lead(lead: Invoice) -> tuple[bool, bool, str | None]:
    """What of an invoice counts for the way to its customer: whether it can be paid by a link, has no PDF, and its own address."""
    return lead.payment_link is None, lead.has_pdf is False, lead.billing_email


def _is_former(contact: Contact) -> bool:
    return contact.is_active is False


def _why_for_good(reasons: Sequence[Code]) -> Code:
    """What is told where no day would help: that there is no address, unless each channel lacks content or is closed by a cap of 0."""
    lacking = [code for code in reasons if code is not Code.CHANNEL_CAP]
    if not reasons or not _CONTENT.issuperset(lacking):
        return Code.NO_ADDRESS
    return lacking[0] if lacking else Code.CHANNEL_CAP


class Address(NamedTuple):
    """A way that can be used."""

    way: Way
    channel: Channel
    contact_id: str | None
    address: str
    fallbacks: tuple[Channel, ...]
    codes: tuple[Code, ...]
    time_zone: str | None = None
    """The contact's own, where it is known."""


class NoWay(NamedTuple):
    """Why none can be used now."""

    code: Code
    until: date | None
    codes: tuple[Code, ...]


class Directory:
    """The contacts of an account, with what is known against using them."""

    def __init__(self, facts: AccountFacts, run: Run, history: History) -> None:
        self._facts, self._run, self._history = facts, run, history
        self._chosen: dict[tuple[Any, ...], Address | NoWay] = {}
        self._dead = dead_addresses(facts, history)
        self._refused: set[tuple[str | None, Channel]] = set()
        self._granted: set[tuple[str | None, Channel]] = set()
        self._wrong: set[str] = set()
        self._consented: dict[tuple[str | None, Channel], datetime] = {}
        """When consent was last given, where the time is known."""
        for profile in facts.profiles:
            # The latest word on a channel counts; without a time it is older than any with one.
            for consent in sorted(profile.consents, key=lambda c: (c.at is not None, c.at or 0)):
                slot = (consent.contact_id, consent.channel)
                if not consent.granted:
                    self._refused.add(slot)  # which counts before what is in _granted
                    continue
                self._granted.add(slot)
                self._refused.discard(slot)
                if consent.at is not None:
                    self._consented[slot] = consent.at
        for touch in history.telling:
            self._read_touch(touch)
        said = [(run.local_day(touch.at), touch) for touch in history.telling]
        self._away = absences(facts.profiles, said, run.today, run.longest_absence)
        self.contacts: Sequence[Contact] = facts.contacts
        if len(self.contacts) > 1 or self._wrong or any(_is_former(c) for c in self.contacts):
            self.contacts = sorted(
                (c for c in self.contacts if not _is_former(c) and c.id not in self._wrong),
                key=calling_order,
            )
        self._needs_consent = run.pauses.consent_required

    def _read_touch(self, touch: Touch) -> None:
        if touch.intent is Intent.OPTED_OUT:
            slot = (touch.contact_id, touch.channel)
            since = self._consented.get(slot)
            if since is None or since <= touch.at:  # who opted in again later may be written to
                self._refused.add(slot)
        elif touch.intent is Intent.WRONG_CONTACT and touch.contact_id is not None:
            self._wrong.add(touch.contact_id)

    def _may_use(
        self, contact: Contact | None, channel: Channel, address: str, *, opt_in: bool = False
    ) -> Code | None:
        contact_id = contact.id if contact is not None else None
        own, anyone = (contact_id, channel), (None, channel)
        if self._dead and any(s in self._dead and self._dead[s].is_at(address) for s in (own, anyone)):
            return Code.CONTACT_STALE
        if own in self._refused or anyone in self._refused:
            return Code.NO_CONSENT
        needed = opt_in or channel in self._needs_consent
        if needed and own not in self._granted and anyone not in self._granted:
            return Code.NO_CONSENT
        return None

    def likeliest(self) -> Contact | None:
        """The first contact who can be reached on some channel; else the first; None: there is none."""
        for contact in self.contacts:
            if away_until(self._away, contact.id, self.contacts) is not None:
                continue
            for channel in Channel:
                address = contact.address(channel)
                if address and self._may_use(contact, channel, address) is None:
                    return contact
        return self.contacts[0] if self.contacts else None

    def reach(
        self, channel: Channel, audience: ContactRole | None, lead: Invoice, *, opt_in: bool = False
    ) -> tuple[Contact | None, str, Sequence[Code]] | NoWay:
        """The best contact on a channel, with the address, and why better ones were passed over; or why there is none (R3).

        `opt_in`: only with consent on record, also where the channel itself needs none (E41).
        """
        codes: list[Code] = []
        absent: list[date] = []
        for contact in self.contacts:
            if audience is not None and contact.role is not audience:
                continue
            address = contact.address(channel)
            if not address:
                continue
            against = self._may_use(contact, channel, address, opt_in=opt_in)
            if against is not None:
                codes.append(against)
                continue
            until = away_until(self._away, contact.id, self.contacts)
            if until is not None:
                absent.append(until)
                continue
            return contact, address, codes
        if absent:
            back = next_business_day(min(absent) + DAY, self._run.calendar, self._facts.country)
            return NoWay(Code.OUT_OF_OFFICE, back, tuple(codes))
        other = self._without_contact(channel, lead) if audience is None else None
        if other is not None:
            against = self._may_use(None, channel, other, opt_in=opt_in)
            if against is None:
                return None, other, codes
            codes.append(against)
        if any(c.address(channel) and (_is_former(c) or c.id in self._wrong) for c in self._facts.contacts):
            codes.append(Code.CONTACT_STALE)
        return NoWay(Code.NO_ADDRESS, None, tuple(codes))

    def _without_contact(self, channel: Channel, lead: Invoice) -> str | None:
        """The address on the invoice or on the customer, when no contact has one."""
        if channel is Channel.EMAIL:
            known = {contact.email for contact in self._facts.contacts}
            return lead.billing_email if lead.billing_email not in known else None
        postal = self._facts.customer.billing_address if self._facts.customer else None
        if channel is Channel.LETTER and postal is not None:
            return ", ".join(postal.lines) or postal.city
        return None

    def choose(self, ways: Sequence[Way], lead: Invoice, send_on: date) -> Address | NoWay:
        """Walk the ways and channels of a step in their order and take the first usable one (E43).

        Once for all invoices of which what counts is the same: many messages may go to one account.
        """
        what = (*ways, *_read_lead(lead), send_on)
        found = self._chosen.get(what)
        if found is None:
            found = self._chosen[what] = self._choose(ways, lead, send_on)
        return found

    def _choose(self, ways: Sequence[Way], lead: Invoice, send_on: date) -> Address | NoWay:
        codes: list[Code] = []
        waits: list[tuple[date, Code]] = []
        for way in ways:
            opt_in = "opt_in" in way.needs
            for place, channel in enumerate(way.channels):
                against = self._limits(way, channel, lead, send_on)
                if against is not None:
                    codes.append(against.code)
                    if against.until is not None:
                        waits.append((against.until, against.code))
                    continue
                reached = self.reach(channel, way.audience, lead, opt_in=opt_in)
                if isinstance(reached, NoWay):
                    codes.extend((reached.code, *reached.codes))
                    if reached.until is not None:
                        waits.append((reached.until, reached.code))
                    continue
                contact, address, passed_over = reached
                if codes:
                    codes.append(Code.CHANNEL_FALLBACK)
                codes.extend(passed_over)
                return Address(
                    way,
                    channel,
                    contact.id if contact else None,
                    address,
                    way.channels[place + 1 :],
                    tuple(dict.fromkeys(codes)),
                    contact.time_zone if contact else None,
                )
        reasons = tuple(dict.fromkeys(codes))
        if waits:
            until, code = min(waits)
            return NoWay(code, until, reasons)
        return NoWay(_why_for_good(reasons), None, reasons)

    def _limits(self, way: Way, channel: Channel, lead: Invoice, send_on: date) -> NoWay | None:
        needs = way.needs
        if lead.payment_link is None and (channel is Channel.SMS or "pay_link" in needs):
            return NoWay(Code.SMS_NEEDS_LINK, None, ())
        if "pdf" in needs and lead.has_pdf is False:
            return NoWay(Code.PDF_MISSING, None, ())
        cap = self._run.policy.limits.per_channel.get(channel)
        if cap is None:
            return None
        days = self._history.in_week(send_on, channel)
        if len(days) < cap:
            return None
        return NoWay(Code.CHANNEL_CAP, days[len(days) - cap] + WEEK if cap else None, ())
