"""What is the same for every account of one run? Policy, moment, calendar, tiers and rates, with small caches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from ar_core.asof import AsOf
from ar_core.cadence.codes import Code
from ar_core.cadence.due import cadence_due
from ar_core.cadence.plan import CompiledPolicy
from ar_core.calendar import Calendar, add_business_days, next_business_day, previous_business_day, wall_time
from ar_core.model.documents import Invoice
from ar_core.model.parties import Customer
from ar_core.segments import Tiers

if TYPE_CHECKING:
    from ar_core.cadence.policy import Policy
    from ar_core.cadence.view import AccountView

__all__ = ["DAY", "Run", "Scorer", "Slot", "action_key", "sending_zone"]

DAY: Final = timedelta(days=1)

Scorer = Callable[["AccountView"], int]
"""Ranks an account: features in, integer priority out (basis points)."""


class Slot(NamedTuple):
    """When a message may go out: the first working hours of the contact from now on (E5, R35)."""

    send_on: date
    """The organization's date at that time."""
    lag: int
    """Days from today to `send_on`."""
    not_before: datetime
    not_after: datetime
    codes: tuple[Code, ...]
    changes_at: datetime
    """The next instant at which this may be another slot."""
    zone: str
    country: str | None


class Run:
    """One evaluation's fixed facts. Holds no account's data, so accounts can be evaluated anywhere (picklable)."""

    def __init__(
        self,
        compiled: CompiledPolicy,
        as_of: AsOf,
        calendar: Calendar,
        tiers: Tiers,
        *,
        tiers_given: bool,
        base_currency: str | None,
        rates: Mapping[str, Decimal],
        scorer: Scorer,
    ) -> None:
        self.compiled = compiled
        self.policy: Policy = compiled.policy
        self.as_of = as_of
        self.instant: datetime = as_of.instant
        self.zone = ZoneInfo(as_of.zone)
        self.today: date = as_of.today
        self.today_number = self.today.toordinal()
        self.calendar = calendar
        self.tiers = tiers
        self.tiers_given = tiers_given
        """The caller fixed the tiers; they are not computed again in an incremental run."""
        self.base_currency = base_currency
        self.rates = rates
        self.scorer = scorer
        policy = self.policy
        # Looked up once: an attribute of a policy's part is asked for through pydantic's hook each time, in every account.
        self.clock, self.limits, self.pauses = policy.clock, policy.limits, policy.pauses
        self.grouping = policy.grouping
        self.home: str = as_of.zone
        """The organization's time zone, by name."""
        self.contact_zones = policy.clock.contact_zone
        self.longest_absence = policy.pauses.max_ooo_days
        self.family = policy.key_family
        self.policy_hash = compiled.content_hash
        self.promise_terms = policy.pauses.promise_terms
        self._slots: dict[tuple[str, str | None], Slot] = {}
        self._sends_from: dict[tuple[date, str, str | None], datetime] = {}
        self._midnights: dict[date, datetime] = {}
        self._days: dict[int, date] = {}
        self._local: dict[datetime, date] = {}
        self.outcomes = compiled.outcomes
        self.is_uniform = (
            policy.catch_up.mode == "latest"
            and policy.pauses.migrate == "re_evaluate"
            and policy.grouping.on_lead_change == "contextual"
        )
        """Which step an invoice gets depends on its age and on what was done, and on no other invoice or day."""
        self.plain_due = policy.clock.due_roll == "none"
        """Contractual due dates are the cadence's, unless the policy rolls them."""

    def __reduce__(self) -> tuple[Any, ...]:
        again = partial(
            Run,
            tiers_given=self.tiers_given,
            base_currency=self.base_currency,
            rates=self.rates,
            scorer=self.scorer,
        )
        return again, (self.compiled, self.as_of, self.calendar, self.tiers)

    def slot(self, zone: str | None, country: str | None) -> Slot:
        """The next sending hours of a contact."""
        key = (zone or self.home, country)
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = self._find_slot(*key)
        return slot

    def _find_slot(self, zone: str, country: str | None) -> Slot:
        clock = self.clock
        local = self.instant.astimezone(ZoneInfo(zone))
        today, time_of_day = local.date(), local.time()
        open_today = self.calendar.is_business_day(today, country)
        if open_today and time_of_day < clock.not_after:
            day = today
            codes = (Code.QUIET_HOURS,) if time_of_day < clock.not_before else ()
        else:
            day = next_business_day(today + DAY, self.calendar, country)
            codes = (Code.QUIET_HOURS,) if open_today else (Code.NON_BUSINESS_DAY,)
        start = wall_time(day, clock.not_before, zone)
        send_on = max(start, self.instant).astimezone(self.zone).date()
        moments = (
            wall_time(today, clock.not_before, zone),
            wall_time(today, clock.not_after, zone),
            wall_time(today + DAY, time(0), zone),
        )
        return Slot(
            send_on,
            (send_on - self.today).days,
            start,
            wall_time(day, clock.not_after, zone),
            codes,
            min(moment for moment in moments if moment > self.instant),
            zone,
            country,
        )

    def sends_from(self, day: date, slot: Slot) -> datetime:
        """The instant from which messages go out on a day or later: after closing time they wait for the next opening.

        `day`: the organization's, after today. Where it is not a day for messages, the last closing time before it.
        """
        key = (day, slot.zone, slot.country)
        found = self._sends_from.get(key)
        if found is None:
            found = self._sends_from[key] = self._find_sends_from(*key)
        return found

    def _find_sends_from(self, day: date, zone: str, country: str | None) -> datetime:
        clock, midnight = self.clock, self.midnight(day)
        opening = day - DAY  # a contact's day may begin on the day before ours
        while wall_time(opening, clock.not_before, zone) < midnight:
            opening += DAY
        before = previous_business_day(opening - DAY, self.calendar, country)
        closing = wall_time(before, clock.not_after, zone)
        return closing if self.instant < closing < midnight else midnight

    def day(self, number: int) -> date:
        """The date of a day number; the same few dates come up again and again."""
        found = self._days.get(number)
        if found is None:
            found = self._days[number] = date.fromordinal(number)
        return found

    def in_days(self, count: int | None) -> date | None:
        """The day so many days from today; None for None."""
        return None if count is None else self.day(self.today_number + count)

    def days_to(self, day: date | None) -> int | None:
        """Days from today to a day; None for None."""
        return None if day is None else day.toordinal() - self.today_number

    def local_day(self, instant: datetime) -> date:
        """The organization's date at an instant; what was sent in one go was sent at one instant."""
        found = self._local.get(instant)
        if found is None:
            found = self._local[instant] = instant.astimezone(self.zone).date()
        return found

    def midnight(self, day: date) -> datetime:
        """The instant at which a local day of the organization begins."""
        found = self._midnights.get(day)
        if found is None:
            found = self._midnights[day] = wall_time(day, time(0), self.home)
        return found

    def business_days_after(self, day: date, count: int, country: str | None) -> date:
        """The `count`-th business day after a day."""
        return add_business_days(day, count, self.calendar, country)

    def due_number(self, invoice: Invoice, customer: Customer | None) -> int | None:
        """The day number the cadence counts from (`due.cadence_due`)."""
        due = cadence_due(invoice, customer, self.clock, self.calendar)
        return None if due is None else due.toordinal()


def sending_zone(run: Run, customer: Customer | None, contact_zone: str | None) -> str:
    """The time zone of the sending hours of a contact, by its own: the first that is known, in the order of the policy (E2, R35)."""
    for source in run.contact_zones:
        if source == "org":
            return run.home
        zone = contact_zone if source == "contact" else customer.time_zone if customer else None
        if zone:
            return zone
    return run.home


def action_key(family: str, account: str, what: str, subject: str, version: int, occurrence: int) -> str:
    """The stable key of an action (E28): no amounts, times, wording or policy version go into it."""
    text = f"{family}\x1f{account}\x1f{what}\x1f{subject}\x1f{version}\x1f{occurrence}"
    return sha256(text.encode()).hexdigest()[:32]
