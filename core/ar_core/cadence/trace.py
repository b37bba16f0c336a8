"""Which decisions led to it, in order? Read from what was decided and kept; nothing is decided again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import field_serializer

from ar_core.cadence.codes import Code
from ar_core.cadence.messages import Message
from ar_core.cadence.policy_parts import Escalation
from ar_core.cadence.predicates import Condition
from ar_core.cadence.state import Item, Note, State
from ar_core.model.base import Frozen, adopter
from ar_core.model.money import exact

__all__ = ["TraceRecord", "plain", "trace_of"]


class TraceRecord(Frozen):
    """One decision, in the order in which it was made."""

    rule: str
    """Where in the policy or the engine: `tiers.risk.at_risk`, `pauses.invoice`, `steps`, `limits`, ..."""
    result: str
    code: Code | None = None
    invoice_id: str | None = None
    """None: the whole account."""
    inputs: dict[str, Any] = {}  # noqa: RUF012  pydantic copies defaults

    @field_serializer("inputs")
    def _plain(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {name: plain(value) for name, value in inputs.items()}


def plain(value: Any) -> Any:
    """A trace input as plain JSON data."""
    if isinstance(value, Condition):
        return {
            "fact": value.feature,
            "wanted": f"{value.operator} {plain(value.wanted)}",
            "is": plain(value.actual),
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


_adopt = adopter(TraceRecord)


def _record(
    rule: str, result: str, code: Code | None, invoice_id: str | None, inputs: dict[str, Any]
) -> TraceRecord:
    empty = [name for name, value in inputs.items() if value is None or value in ((), [])]
    for name in empty:
        del inputs[name]
    return _adopt({"rule": rule, "result": result, "code": code, "invoice_id": invoice_id, "inputs": inputs})


def trace_of(state: State) -> tuple[TraceRecord, ...]:
    """The decisions about one account: the whole account first, each invoice, then what became of the messages."""
    with exact():
        return (*_account(state), *_invoices(state), *(_noted(state, note) for note in state.notes))


def _account(state: State) -> Iterator[TraceRecord]:
    view, rule = state.view, state.risk_rule
    if rule is not None:
        predicate = rule.predicate()
        because = predicate.test.deciding(view) if predicate is not None else []
        yield _record(f"tiers.risk.{rule.id}", "match", None, None, {"because": because})
    yield _record("tiers.value", view.value or "none", None, None, {"lifetime_value": view.lifetime_value})
    for override in state.plan.overrides:
        inputs = {
            "when": override.when.text,
            "because": override.when.test.deciding(view),
            "origin": override.origin,
        }
        yield _record("overrides", "applies", None, None, inputs)
    if state.human_reason is not None:
        yield _record("actor", "human", Code.HUMAN_ONLY, None, {"because": state.human_reason})
    if state.stop is not None:
        yield _record("pauses.account", "paused", state.stop.code, None, {"until": state.stop.until})


def _invoices(state: State) -> Iterator[TraceRecord]:
    if state.stop is not None:
        return
    for item in state.items:
        hold, choice = item.hold, item.choice
        if hold is not None:
            inputs = {"until": hold.until, "record": hold.record_id}
            yield _record("pauses.invoice", "paused", hold.code, item.id, inputs)
        elif choice is not None:
            step = choice.step
            yield _record(
                "steps",
                "due" if step is not None else "wait",
                choice.code,
                item.id,
                {
                    "days_past_due": item.dpd,
                    "stage": item.template.stage_name,
                    "step": step.id if step is not None else choice.next_step,
                    "until": _until(state, item),
                    "done": item.template.done,
                    "superseded": choice.superseded,
                    "origin": step.step.origin if step is not None else None,
                },
            )


def _until(state: State, item: Item) -> date | None:
    outcome = item.template.outcome
    return None if outcome is None else state.run.in_days(outcome.until_in)


def _noted(state: State, note: Note) -> TraceRecord:
    inputs = dict(note.inputs)
    message, rule = inputs.get("message"), inputs.get("because")
    if isinstance(message, Message):
        inputs = {
            "step": message.step,
            "lead": message.lead.id,
            "channel": message.found.channel.value,
            "contact": message.found.contact_id,
            "passed_over": message.found.codes,
            "covers": tuple(item.id for item, _ in message.pairs(state)),
            "not_before": message.slot.not_before,
        }
    elif isinstance(rule, Escalation):
        inputs["because"] = rule.when.test.deciding(state.view)
    return _record(note.rule, note.result, note.code, None, inputs)
