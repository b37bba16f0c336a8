"""Which of a policy's rules need not be asked of every account, or of every invoice? Their answers, kept by what they rest on."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from ar_core.cadence.conditions import Check
from ar_core.cadence.features import FEATURES, FeatureType
from ar_core.cadence.policy import Notice, Policy, RiskRule

if TYPE_CHECKING:
    from ar_core.cadence.state import State

__all__ = ["RuleTables", "notice_asker"]

_AGE: Final = frozenset({"dpd", "stage"})
"""Features of an invoice that follow from its age."""
_FEW: Final = frozenset({FeatureType.TEXT, FeatureType.CHOICE})
"""Types of features that take few values; to read one of an account tells nothing about when it may change."""


class _AskedForMoreError(Exception):
    """A rule asked for another feature than the age of the oldest invoice."""


class _OnlyAge:
    """An account of which nothing is known but the age of its oldest invoice."""

    def __init__(self, max_dpd: int | None) -> None:
        self.max_dpd = max_dpd

    def __getattr__(self, name: str) -> Any:
        raise _AskedForMoreError(name)


class RuleTables:
    """Of one policy: its risk rules by the age of the oldest invoice, and what its notices look at besides age."""

    def __init__(self, policy: Policy) -> None:
        self._risk_rules = tuple((rule, rule.predicate()) for rule in policy.tiers.risk)
        self._risk_by_age: dict[int | None, tuple[RiskRule | None, bool] | None] = {}
        self.notices = tuple(
            [(notice, f"notice:{notice.id}", notice.when.holds, _traits(notice)) for notice in policy.notices]
        )
        """Each with the name of its task, its check, and what reads all that it looks at besides age (`_traits`)."""
        self.ladder = tuple(
            [(rule, rule.forced_by_dpd, rule.when.holds, rule.rung) for rule in policy.escalate]
        )
        """The rules that raise the rung, taken apart: they are asked of every account with something overdue."""

    def __len__(self) -> int:
        return len(self._risk_by_age)

    def risk(self, facts: Any) -> tuple[RiskRule | None, bool]:
        """The first risk rule that holds for an account (C9), and whether its seeds left a gap there.

        What the age of the oldest invoice decides alone is asked once for each age.
        """
        age = facts.max_dpd
        if age not in self._risk_by_age:
            try:
                self._risk_by_age[age] = self._find_risk(_OnlyAge(age))
            except _AskedForMoreError:
                self._risk_by_age[age] = None
        return self._risk_by_age[age] or self._find_risk(facts)

    def _find_risk(self, facts: Any) -> tuple[RiskRule | None, bool]:
        for rule, predicate in self._risk_rules:
            if predicate is None or predicate.holds(facts) is True:
                return rule, rule.gap is not None and rule.gap.holds(facts) is True
        return None, False


def _traits(notice: Notice) -> Callable[[Any], Any] | None:
    """Reads what a notice's rule looks at besides age; None where that is more than few values of the account."""
    names = sorted(notice.when.features - _AGE)
    few = all(FEATURES[n].type in _FEW and FEATURES[n].scope == "customer" for n in names)
    return attrgetter(*names) if few and names else None


def notice_asker(
    state: State, name: str, holds: Check, traits: Callable[[Any], Any] | None
) -> Callable[[int], bool]:
    """Asks a notice's rule of an item, by its place: once for each age where, besides it, few values of the account count."""

    def ask(place: int) -> bool:
        return holds(state.invoice_view(state.item(place))) is True

    if traits is None:
        return ask
    table, dpds = state.plan.notices.setdefault((name, traits(state.view)), {}), state.chased.dpds

    def look_up(place: int) -> bool:
        dpd = dpds[place]
        if dpd not in table:
            table[dpd] = ask(place)
        return table[dpd]

    return look_up
