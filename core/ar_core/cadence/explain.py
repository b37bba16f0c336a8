"""Why did this happen, and why did that not? The trace of an account, as text, Markdown or JSON.

The trace is made when it is asked for, by deciding the account once more with the same facts: a pure function gives the same
answer twice. A run over a large book pays nothing for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

from pydantic import field_serializer

from ar_core.cadence.account import decide
from ar_core.cadence.codes import CODES, Code
from ar_core.cadence.evaluation import Action, Disposition, Evaluation
from ar_core.cadence.predicates import Condition
from ar_core.cadence.state import State
from ar_core.model.base import Frozen
from ar_core.model.money import exact

__all__ = ["Explanation", "TraceRecord", "account_state", "explain", "explanation", "plain", "traces"]


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


class Explanation(Frozen):
    """What became of one account, or of one of its invoices, and every decision on the way."""

    customer_id: str
    invoice_id: str | None
    policy: str
    as_of: datetime
    dispositions: tuple[Disposition, ...]
    actions: tuple[Action, ...]
    trace: tuple[TraceRecord, ...]


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


def account_state(evaluation: Evaluation, account_id: str, *, trace: bool = True) -> State:
    """Decide one account of an evaluation again and keep everything that was found on the way.

    Raises LookupError for an account the evaluation does not have.
    """
    results, run, _ = evaluation.parts()
    if account_id not in results:
        raise LookupError(f"{account_id!r} has no open invoice in this evaluation")
    facts = evaluation.full_book().account(account_id)
    state = State(facts, run, [] if trace else None)
    with exact():
        decide(state)
    return state


def explanation(
    evaluation: Evaluation, *, customer: str | None = None, invoice: str | None = None
) -> Explanation:
    """The explanation of one customer, or of one invoice, as data.

    Give exactly one of the ids. Raises ValueError when neither or both are given, LookupError for an unknown id.
    """
    account_id = _account(evaluation, customer, invoice)
    records = tuple(
        record
        for record in _records(account_state(evaluation, account_id).trace or [])
        if invoice is None or record.invoice_id in {None, invoice}
    )
    result = evaluation.parts()[0][account_id]
    keys = {d.action_key for d in result.dispositions if invoice in {None, d.invoice_id}}
    return Explanation(
        customer_id=account_id,
        invoice_id=invoice,
        policy=evaluation.policy,
        as_of=evaluation.as_of,
        dispositions=tuple(d for d in result.dispositions if invoice in {None, d.invoice_id}),
        actions=tuple(a for a in result.actions if invoice is None or a.key in keys),
        trace=records,
    )


def traces(evaluation: Evaluation) -> dict[str, tuple[TraceRecord, ...]]:
    """The trace of every account, by account id: everything materialized at once."""
    return {
        account_id: tuple(_records(account_state(evaluation, account_id).trace or []))
        for account_id in evaluation.parts()[0]
    }


def explain(
    evaluation: Evaluation,
    *,
    customer: str | None = None,
    invoice: str | None = None,
    fmt: Literal["text", "md", "json"] = "text",
) -> str:
    """Why an invoice or a customer was treated as it was, for people (`text`, `md`) or programs (`json`)."""
    found = explanation(evaluation, customer=customer, invoice=invoice)
    if fmt == "json":
        return json.dumps(found.model_dump(mode="json"), indent=2, sort_keys=True)
    lines = list(_lines(found, bullet="- " if fmt == "md" else "  "))
    if fmt == "md":
        lines[0] = f"## {lines[0]}"
    return "\n".join(lines)


def _account(evaluation: Evaluation, customer: str | None, invoice: str | None) -> str:
    if (customer is None) == (invoice is None):
        raise ValueError("say which: give either a customer's id or an invoice's id")
    book = evaluation.full_book()
    if customer is not None:
        return book.account_of(customer)
    disposition = evaluation.by_invoice.get(invoice or "")
    if disposition is None:
        raise LookupError(f"{invoice!r} is no open invoice of this evaluation")
    if disposition.customer_id is None:
        raise LookupError(f"{invoice!r} names no customer: {CODES[disposition.code].meaning}")
    return book.account_of(disposition.customer_id)


def _records(trace: Iterable[tuple[object, ...]]) -> list[TraceRecord]:
    found = []
    for rule, result, code, inputs in trace:
        if not isinstance(inputs, dict):
            raise TypeError(f"a trace record holds its inputs by name; got {inputs!r}")
        values = {
            name: value for name, value in inputs.items() if name != "invoice" and value not in (None, (), [])
        }
        found.append(
            TraceRecord(
                rule=str(rule),
                result=str(result),
                code=code if isinstance(code, Code) else None,
                invoice_id=inputs.get("invoice"),
                inputs=values,
            )
        )
    return found


def _lines(found: Explanation, bullet: str) -> Iterable[str]:
    yield f"{found.invoice_id or found.customer_id} under {found.policy} at {found.as_of.isoformat()}"
    for disposition in found.dispositions:
        text = f"{disposition.kind}: {disposition.code} ({CODES[disposition.code].meaning})"
        if disposition.until is not None:
            text += f" Until {disposition.until}."
        name = "" if found.invoice_id else f"{disposition.invoice_id} "
        where = ", ".join(
            f"{label} {value}"
            for label, value in (("stage", disposition.stage), ("step", disposition.step))
            if value
        )
        yield f"{bullet}{name}{text}{f' [{where}]' if where else ''}"
        for code in disposition.codes:
            yield f"{bullet}  also {code}: {CODES[code].meaning}"
    for action in found.actions:
        what = action.step or action.task or action.code
        sender = f", by {action.sender or action.actor}"
        yield f"{bullet}action {action.key[:8]}: {what} by {action.channel}{sender}, priority {action.score}"
    for record in found.trace:
        yield f"{bullet}{record.rule}: {record.result}{f' {record.code}' if record.code else ''}{_inputs(record)}"


def _inputs(record: TraceRecord) -> str:
    parts = []
    for name, value in record.inputs.items():
        shown = plain(value)
        if name == "because" and isinstance(shown, list):
            shown = "; ".join(
                f"{c['fact']} {c['wanted']} (is {c['is']})" if isinstance(c, dict) else str(c) for c in shown
            )
            if not shown:
                continue
        if shown in (None, [], ""):
            continue
        parts.append(f"{name} {', '.join(map(str, shown)) if isinstance(shown, list) else shown}")
    return f" ({'; '.join(parts)})" if parts else ""
