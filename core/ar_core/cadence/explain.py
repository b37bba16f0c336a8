"""Why did this happen, and why did that not? The decisions about an account, as text, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Literal

from ar_core.cadence.account import decide
from ar_core.cadence.codes import CODES
from ar_core.cadence.collector import collector_at_rest
from ar_core.cadence.evaluation import Action, ActionKind, Disposition, Evaluation
from ar_core.cadence.state import State
from ar_core.cadence.trace import TraceRecord, plain, trace_of
from ar_core.model.base import Frozen
from ar_core.model.money import exact
from ar_core.model.parties import Channel

__all__ = [
    "Explanation",
    "TraceRecord",
    "account_state",
    "explain",
    "explanation",
    "plain",
    "title",
    "traces",
]


_FORMATS: Final = ("text", "md", "json")


class Explanation(Frozen):
    """What became of one account, or of one of its invoices, and every decision on the way."""

    customer_id: str
    invoice_id: str | None
    policy: str
    as_of: datetime
    dispositions: tuple[Disposition, ...]
    actions: tuple[Action, ...]
    trace: tuple[TraceRecord, ...]


def account_state(evaluation: Evaluation, account_id: str) -> State:
    """Everything that was found on the way to one account's result.

    What an incremental run kept, and what came from another process, is decided once more as of this evaluation. Raises
    LookupError for an account the evaluation does not have, ValueError for an evaluation that was read from a file.
    """
    decisions = evaluation.decisions
    result = decisions.results.get(account_id)
    if result is None:
        raise LookupError(f"{account_id!r} has no open invoice in this evaluation")
    if result.state is not None and result.state.run is decisions.run:
        return result.state
    with exact():
        return decide(decisions.book.account(account_id), decisions.run)


def explanation(
    evaluation: Evaluation, *, customer: str | None = None, invoice: str | None = None
) -> Explanation:
    """The explanation of one customer, or of one invoice, as data.

    Give exactly one of the ids. Raises ValueError when neither or both are given and for an evaluation that was read from a
    file, LookupError for an unknown id.
    """
    account_id = _account(evaluation, customer, invoice)
    trace = trace_of(account_state(evaluation, account_id))
    result = evaluation.decisions.results[account_id]
    dispositions = tuple(d for d in result.dispositions if invoice in {None, d.invoice_id})
    keys = {d.action_key for d in dispositions}
    return Explanation(
        customer_id=account_id,
        invoice_id=invoice,
        policy=evaluation.policy,
        as_of=evaluation.as_of,
        dispositions=dispositions,
        actions=tuple(a for a in result.actions if invoice is None or a.key in keys),
        trace=tuple(r for r in trace if invoice is None or r.invoice_id in {None, invoice}),
    )


def traces(evaluation: Evaluation) -> dict[str, tuple[TraceRecord, ...]]:
    """The trace of every account, by account id: everything materialized at once. ValueError for an evaluation read from a file."""
    with collector_at_rest():
        return {
            account_id: trace_of(account_state(evaluation, account_id))
            for account_id in evaluation.decisions.results
        }


def explain(
    evaluation: Evaluation,
    *,
    customer: str | None = None,
    invoice: str | None = None,
    fmt: Literal["text", "md", "json"] = "text",
) -> str:
    """Why an invoice or a customer was treated as it was, for people (`text`, `md`) or programs (`json`).

    Give exactly one of the ids. Raises ValueError for another format, for neither or both ids and for an evaluation that was
    read from a file, LookupError for an unknown id.
    """
    if fmt not in _FORMATS:
        raise ValueError(f"fmt is one of {', '.join(_FORMATS)}; got {fmt!r}")
    found = explanation(evaluation, customer=customer, invoice=invoice)
    if fmt == "json":
        return json.dumps(found.model_dump(mode="json"), indent=2, sort_keys=True)
    lines = list(_lines(found, bullet="- " if fmt == "md" else "  "))
    if fmt == "md":
        lines[0] = f"## {lines[0]}"
    return "\n".join(lines)


def title(action: Action) -> str:
    """What to do, in words: `escalate to finance lead`, `decide: plan or refer`, `fix contact`."""
    if action.kind is ActionKind.DECISION:
        *most, last = [_plain(option) for option in action.options]
        return "decide: " + (f"{', '.join(most)} or {last}" if most else last)
    if action.step is not None:
        return _plain(action.step)
    kind, _, rest = (action.task or action.code).partition(":")
    if rest == "notify":
        return f"notice: {_plain(kind)}"
    if kind in _TITLES:
        return f"{_TITLES[kind]} {_plain(rest)}"
    return _plain(kind)


_TITLES = {"notice": "notice:", "rung": "escalate to"}


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _account(evaluation: Evaluation, customer: str | None, invoice: str | None) -> str:
    if (customer is None) == (invoice is None):
        raise ValueError("say which: give either a customer's id or an invoice's id")
    book = evaluation.decisions.book
    if customer is not None:
        return book.account_of(customer)
    disposition = evaluation.by_invoice.get(invoice or "")
    if disposition is None:
        raise LookupError(f"{invoice!r} is no open invoice of this evaluation")
    if disposition.customer_id is None:
        raise LookupError(f"{invoice!r} names no customer: {CODES[disposition.code].meaning}")
    return book.account_of(disposition.customer_id)


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
        sender = f", by {action.sender or action.actor}"
        inside = action.channel is Channel.INTERNAL
        what = (action.step if not inside else None) or title(action)
        how = "" if inside else f" by {action.channel}"
        yield f"{bullet}action {action.key[:8]}: {what}{how}{sender}, priority {action.score}"
    for record in found.trace:
        name = f"{record.invoice_id} " if record.invoice_id is not None and not found.invoice_id else ""
        result = f"{record.result} {record.code}" if record.code else record.result
        yield f"{bullet}{name}{record.rule}: {result}{_inputs(record)}"


def _inputs(record: TraceRecord) -> str:
    parts = [f"{name} {_words(name, plain(value))}" for name, value in record.inputs.items()]
    return f" ({'; '.join(parts)})" if parts else ""


def _words(name: str, shown: Any) -> str:
    if not isinstance(shown, list):
        return str(shown)
    if name == "because":
        return "; ".join(f"{c['fact']} {c['wanted']} (is {c['is']})" for c in shown)
    return ", ".join(map(str, shown))
