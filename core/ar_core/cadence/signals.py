"""What should people outside collections know about this customer, before it leaves? (R25, docs/rules.md)."""

from __future__ import annotations

from ar_core.cadence.codes import Code
from ar_core.cadence.reachable import dead_addresses
from ar_core.cadence.records import Signal
from ar_core.cadence.state import State
from ar_core.model.activity import Intent, TouchOutcome
from ar_core.model.parties import Channel
from ar_core.promises import NOT_KEPT

__all__ = ["signals_of"]


def signals_of(state: State) -> tuple[Signal, ...]:
    """Signals of one account: open disputes, slipped promises, dead addresses, missing data, calls that led nowhere."""
    facts, today = state.facts, state.run.today
    found: list[Signal] = []
    account = facts.id
    found.extend(
        Signal(customer_id=account, code=Code.NEW_DISPUTE, on=d.opened_on, record_id=d.id, detail=d.reason)
        for d in facts.disputes
        if (d.opened_on or today) <= today and (d.resolved_on is None or d.resolved_on > today)
    )
    found.extend(
        Signal(customer_id=account, code=Code.PROMISE_SLIPPED, on=v.decided_on, record_id=v.promise_id)
        for v in state.verdicts
        if v.state in NOT_KEPT
    )
    found.extend(
        Signal(customer_id=account, code=Code.NO_DUE_DATE, on=None, record_id=settled.invoice.id)
        for settled in state.settled
        if settled.outcome.code is Code.NO_DUE_DATE
    )
    found.extend(
        Signal(
            customer_id=account,
            code=Code.CONTACT_STALE,
            on=state.run.local_day(bounce.since) if bounce.since else None,
            record_id=contact_id,
            detail=channel.value,
        )
        for (contact_id, channel), bounce in dead_addresses(facts, state.history).items()
    )
    for on, touch in state.history.dated:
        if (
            touch.channel is Channel.VOICE
            and touch.outcome is TouchOutcome.ANSWERED
            and touch.intent is not Intent.PROMISED
            and not any(p.given_on is not None and p.given_on >= on for p in facts.promises)
        ):
            found.append(Signal(customer_id=account, code=Code.CALL_WITHOUT_PTP, on=on, record_id=touch.id))
    return tuple(found)
