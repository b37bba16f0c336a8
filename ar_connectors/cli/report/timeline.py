"""One customer's cadence on a line of days: what was done, what is promised or disputed, and what comes if nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from ar_connectors.cli.report.charts import svg, text
from ar_connectors.cli.report.facts import Facts
from ar_connectors.cli.report.markup import Markup, tag
from ar_connectors.cli.report.words import money
from ar_core import Customer, Direction, Invoice, Touch, TouchOutcome
from ar_core.cadence import ActionKind
from ar_core.settlement import days_past_due

__all__ = ["Moment", "moments_of", "timeline_chart"]

_WIDTH, _LEFT, _LANE = 960, 150, 30
_INVOICES = 8
_BACK, _AHEAD = timedelta(days=90), timedelta(days=30)
At = Callable[[date], float]
"""Where a day lies on the line."""

_SHADES = ((1, "age-0"), (31, "age-1"), (61, "age-2"), (91, "age-3"))


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing on the line."""

    on: date
    channel: str
    """The channel, or payment, promise, dispute."""
    what: str
    state: str
    """done, heard (from the customer), today, expected."""
    detail: str = ""


def moments_of(facts: Facts, customer: Customer) -> list[Moment]:
    """The customer's contacts, payments, promises and disputes, and the contacts to come, by day."""
    zone, today = ZoneInfo(facts.as_of.zone), facts.as_of.today
    numbers = {i.id: i.number or i.id for i in facts.snapshot.invoices}
    since = today - _BACK
    rows: list[Moment] = []
    for touch in facts.snapshot.touches:
        on = touch.at.astimezone(zone).date()
        if touch.customer_id != customer.id or touch.direction is Direction.INTERNAL or on < since:
            continue
        heard = touch.direction is Direction.INBOUND
        said = f"Customer: {touch.intent.value}" if heard else _step(touch.step)
        rows.append(
            Moment(
                on,
                touch.channel.value,
                said.replace("_", " "),
                "heard" if heard else "done",
                _about(touch, numbers),
            )
        )
    rows += _money_and_words(facts, customer, since, numbers)
    for one in facts.simulation.of(customer.id):
        if one.kind is not ActionKind.INTERNAL and one.on <= today + _AHEAD:
            covered = [numbers.get(i, i) for i in one.invoice_ids]
            state = "today" if one.on == today else "expected"
            channel = one.channel.value if one.kind is ActionKind.TOUCH else "decision"
            rows.append(Moment(one.on, channel, _step(one.step), state, _listed(covered)))
    return sorted(rows, key=lambda row: (row.on, row.state, row.what))


def _money_and_words(
    facts: Facts, customer: Customer, since: date, numbers: dict[str, str]
) -> Iterable[Moment]:
    snapshot = facts.snapshot
    for payment in snapshot.payments:
        if payment.customer_id == customer.id and payment.payment_date and payment.payment_date >= since:
            yield Moment(
                payment.payment_date, "payment", "Payment", "heard", money(payment.total, payment.currency)
            )
    verdicts = {v.promise_id: v for v in facts.evaluation.promises}
    for promise in snapshot.promises:
        verdict = verdicts.get(promise.id)
        if verdict is not None and verdict.customer_id == customer.id and promise.promised_date >= since:
            covered = _listed([numbers.get(i, i) for i in verdict.invoice_ids])
            state = verdict.state.value.replace("_", " ")
            yield Moment(promise.promised_date, "promise", f"Promised to pay: {state}", "heard", covered)
    for dispute in snapshot.disputes:
        if dispute.customer_id == customer.id and dispute.opened_on and dispute.opened_on >= since:
            number = numbers.get(dispute.invoice_id, dispute.invoice_id)
            yield Moment(
                dispute.opened_on, "dispute", f"Dispute: {dispute.reason or 'opened'}", "heard", number
            )


def _about(touch: Touch, numbers: dict[str, str]) -> str:
    """The invoices it was about, and what came of it when that is more than that it went out."""
    covered = _listed([numbers.get(c.invoice_id, c.invoice_id) for c in touch.covers])
    plain = touch.outcome is TouchOutcome.SENT or touch.direction is Direction.INBOUND
    return ", ".join(
        part for part in (covered, "" if plain else touch.outcome.value.replace("_", " ")) if part
    )


def _step(step: str | None) -> str:
    return (step or "contact").replace("_", " ").capitalize()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def timeline_chart(facts: Facts, customer: Customer, moments: Sequence[Moment]) -> Markup:
    """Invoices as bars that darken with age, and numbered moments above them; a line marks today."""
    today = facts.as_of.today
    invoices = sorted(
        (
            i
            for i in facts.snapshot.invoices
            if i.customer_id == customer.id and i.balance_due > 0 and i.due_date
        ),
        key=lambda i: (i.due_date or today, i.id),
    )
    shown = invoices[:_INVOICES]
    first = min(
        [today - timedelta(days=30), *(m.on for m in moments), *((i.due_date or today) for i in shown)]
    )
    first = max(first, today - _BACK - timedelta(days=30)) - timedelta(days=4)
    last = today + _AHEAD
    span = (last - first).days

    def at(day: date) -> float:
        return _LEFT + (_WIDTH - _LEFT - 10) * min(max((day - first).days, 0), span) / span

    levels = _levels(moments, at)
    top = 28 + 30 * (max(levels, default=0) + 1)
    height = top + len(shown) * _LANE + 30
    marks: list[Markup] = [*_months(first, last, at, height)]
    marks.append(
        tag(
            "rect",
            x=round(at(today), 1),
            y=18,
            width=round(_WIDTH - at(today), 1),
            height=height - 44,
            class_="future",
        )
    )
    for place, invoice in enumerate(shown):
        marks += _lane(invoice, top + place * _LANE, at, first, last, today)
    marks += [
        tag("line", x1=round(at(today), 1), x2=round(at(today), 1), y1=18, y2=height - 26, class_="today"),
        text("today", at(today), 13, class_="axis middle strong"),
    ]
    for number, (moment, level) in enumerate(zip(moments, levels, strict=True), 1):
        marks.append(_dot(moment, number, at(moment.on), top - 22 - level * 30))
    if moments:
        marks.append(text("Contacts and events", _LEFT - 12, top - 18, class_="axis end"))
    label = f"Cadence of {customer.name}: {len(moments)} moments, {len(invoices)} open invoices; listed below"
    return svg(height, label, *marks)


def _levels(moments: Sequence[Moment], at: At) -> list[int]:
    """How high each dot stands, so that none hides another."""
    ends: list[float] = []
    found = []
    for moment in moments:
        x = at(moment.on)
        level = next((n for n, end in enumerate(ends) if x - end >= 26), len(ends))
        if level == len(ends):
            ends.append(x)
        ends[level] = x
        found.append(level)
    return found


def _dot(moment: Moment, number: int, x: float, y: float) -> Markup:
    return tag(
        "g",
        tag("title", f"{moment.on}: {moment.what} {moment.detail}"),
        tag("circle", cx=round(x, 1), cy=round(y, 1), r=11, class_=f"dot {moment.channel} {moment.state}"),
        text(str(number), x, y + 4, class_=f"number middle {moment.state}"),
    )


def _lane(invoice: Invoice, y: float, at: At, first: date, last: date, today: date) -> list[Markup]:
    due = invoice.due_date or today
    marks = [
        text(invoice.number or invoice.id, _LEFT - 12, y + 16, class_="axis end"),
    ]
    issued = max(invoice.issue_date or due, first)
    if issued < due:
        marks.append(_bar(at, issued, min(due, last), y, "undue"))
    edges = [max(due, first), *(due + timedelta(days=day) for day, _ in _SHADES[1:]), last]
    for (start, end), (_, shade) in zip(
        [(edges[n], edges[n + 1]) for n in range(len(edges) - 1)], _SHADES, strict=True
    ):
        begin, stop = max(start, first), min(end, today)
        if begin < stop:
            marks.append(_bar(at, begin, stop, y, f"age {shade}"))
    late = days_past_due(due, today)
    told = f"{money(invoice.balance_due, invoice.currency)}" + (f", {late} days" if late > 0 else "")
    x = at(max(today, min(due, last))) + 8
    fits = x + 7 * len(told) < _WIDTH
    marks.append(
        text(told, x if fits else _WIDTH - 4, y + 16, class_="value small" + ("" if fits else " end"))
    )
    return marks


def _bar(at: At, first: date, last: date, y: float, kind: str) -> Markup:
    left, right = at(first), at(last)
    return tag(
        "rect", x=round(left, 1), y=y + 6, width=round(max(right - left, 1), 1), height=12, class_=kind
    )


def _months(first: date, last: date, at: At, height: float) -> Iterable[Markup]:
    day = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    while day <= last:
        x = round(at(day), 1)
        yield tag("line", x1=x, x2=x, y1=18, y2=height - 26, class_="grid")
        yield text(f"{day:%B}", x + 4, height - 10, class_="axis")
        day = (day + timedelta(days=32)).replace(day=1)
