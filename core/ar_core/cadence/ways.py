"""How is a step carried out for one invoice? Its ways, who signs, who acts and who is told, by the overrides about that very invoice.

(R6, R17, R20, R44, E42, docs/rules.md)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ar_core.cadence.plan import PlanStep, Way, with_channels
from ar_core.cadence.policy import Actor, Override, Rung
from ar_core.cadence.state import Item, State

__all__ = ["ways_of"]

# A member of an enumeration is found through its class's hook each time; these are asked for in every message.
_AUTOMATED: Final = Rung.AUTOMATED
_BY_FINANCE: Final = frozenset({Rung.FINANCE_LEAD, Rung.ORDER_HOLD, Rung.REFERRAL})
_PEOPLE: Final = Actor.HUMAN


def ways_of(
    state: State, step: PlanStep, lead: Item
) -> tuple[Sequence[Way], str | None, Actor | None, tuple[str, ...]]:
    """The step's ways, with what the overrides for this very invoice change: who signs, who is forced to act, who is told beside.

    The last override that names an actor forces it; where one of them or the rung leaves the contact to people, people it stays (E42).
    """
    ways: Sequence[Way] = step.ways
    sender_role = state.plan.sender_role
    actor: Actor | None = None
    told: tuple[str, ...] = ()
    if state.rung is not _AUTOMATED:
        actor = _PEOPLE
        if state.rung in _BY_FINANCE:
            sender_role = "finance_lead"
    for override, holds in state.run.compiled.message_overrides:
        # Asked of the account alone, features of an invoice are unknown: False is False for every invoice.
        if holds(state.view) is False or holds(state.invoice_view(lead)) is not True:
            continue
        sender_role = override.sender_role or sender_role
        if actor is not _PEOPLE:
            actor = override.actor or actor
        told += override.notify
        if override.add_channels or override.only_channels:
            ways = (_first(step, override), *step.ways[1:])
    return ways, sender_role, actor, told


def _first(step: PlanStep, override: Override) -> Way:
    """The first way of a step, with the channels that an override leaves and adds."""
    original = step.ways[0]
    changed = step.step.model_copy(update={"channels": original.channels})
    changed = with_channels(changed, override.add_channels)
    if override.only_channels:
        left = tuple(c for c in changed.channels if c in override.only_channels)
        changed = changed.model_copy(update={"channels": left or changed.channels})
    first = Way(changed, None)
    first.needs, first.actor, first.audience = original.needs, original.actor, original.audience
    first.sender_role, first.tone = original.sender_role, original.tone
    return first
