"""Is what a caller handed over what it should be? Asked once, at the edge: further in, one wrong argument fails every account alike."""

from __future__ import annotations

from typing import Final

from ar_core.cadence.policy import Policy, ValueTier
from ar_core.calendar import Calendar
from ar_core.segments import Tiers

__all__ = ["check_calendar", "check_policy", "check_tiers"]

_TIERS: Final = tuple(tier.value for tier in ValueTier)


def check_policy(policy: object) -> None:
    """Raise TypeError for anything that is not a loaded policy, a preset's name among it."""
    if isinstance(policy, Policy):
        return
    example = repr(policy) if isinstance(policy, str) else "..."
    raise TypeError(f"a policy is what load_policy({example}) gives; got {_said(policy)}")


def check_calendar(calendar: object) -> None:
    """Raise TypeError for what cannot tell a business day; None is no calendar."""
    if calendar is not None and not isinstance(calendar, Calendar):
        raise TypeError(
            "a calendar has a method is_business_day(day, country), as ar_core.HolidayCalendar({None: dates}) has; "
            f"got {_said(calendar)}"
        )


def check_tiers(tiers: object) -> None:
    """Raise TypeError for what are no `Tiers`, ValueError for a customer in a tier that there is not; None are no tiers.

    A tier decides who may act (R20, E42): a misspelled `strategic` would be nobody's, and its customer written to by machines.
    """
    if tiers is None:
        return
    if not isinstance(tiers, Tiers):
        raise TypeError(
            "value tiers are what assign_tiers(snapshot) gives, or ar_core.Tiers({customer_id: TierAssignment(tier, value)}); "
            f"got {_said(tiers)}"
        )
    assignments = tiers.by_customer
    if {assignment.tier for assignment in assignments.values()}.issubset(_TIERS):
        return
    customer_id, tier = next((i, one.tier) for i, one in assignments.items() if one.tier not in _TIERS)
    raise ValueError(f"customer {customer_id} is in the tier {tier!r}; a tier is one of {', '.join(_TIERS)}")


def _said(value: object) -> str:
    """A value in an error: its type, and itself where that is short."""
    shown = repr(value)
    return f"{type(value).__name__} {shown}" if len(shown) <= 40 else type(value).__name__
