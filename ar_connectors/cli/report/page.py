"""The page: sections from facts, one style sheet inside, nothing fetched from anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from importlib import resources

from ar_connectors.cli.report.charts import aging_chart, load_chart, outcome_strip
from ar_connectors.cli.report.facts import Facts
from ar_connectors.cli.report.markup import Markup, joined, tag
from ar_connectors.cli.report.timeline import Moment, moments_of, timeline_chart
from ar_connectors.cli.report.words import CHANNELS, DASH, OUTCOMES, day_text, figure_text, money, what, why
from ar_core.cadence import Action, ActionKind
from ar_core.cadence.evaluation import WorklistItem
from ar_core.cadence.policy import Actor
from ar_core.metrics import Figure, Scorecard

__all__ = ["render"]

_STATES = {"done": "sent", "heard": "from the customer", "today": "due today", "expected": "to come"}


def render(facts: Facts, *, limit: int = 50) -> str:
    """The whole page as text. `limit`: lines of the worklist."""
    style = resources.files("ar_connectors.cli.report").joinpath("style.css").read_text(encoding="utf-8")
    title = f"Collections plan: {facts.company}, {facts.as_of.today}"
    page = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            tag("style", Markup(style)),
        ),
        tag(
            "body",
            _header(facts),
            tag(
                "main",
                _figures(facts),
                _aging(facts),
                _today(facts),
                _worklist(facts, limit),
                _cadence(facts),
                _load(facts),
            ),
            _footer(facts),
        ),
        lang="en",
    )
    return f"<!doctype html>\n{page}\n"


def _header(facts: Facts) -> Markup:
    return tag(
        "header",
        tag("p", "Collections plan", class_="kicker"),
        tag("h1", facts.company),
        tag(
            "p",
            f"{facts.as_of.today:%A, %B} {facts.as_of.today.day}, {facts.as_of.today.year}",
            " · policy ",
            tag("strong", facts.evaluation.policy),
            f" · {len(facts.evaluation.dispositions):,} open invoices · {len(facts.evaluation.worklist):,} things to do",
            class_="lead",
        ),
    )


def _section(name: str, title: str, *children: object, note: str | None = None) -> Markup:
    return tag(
        "section",
        tag("h2", title, id=f"{name}-title"),
        tag("p", note, class_="note") if note else None,
        *children,
        id=name,
        aria_labelledby=f"{name}-title",
    )


# ---- key figures


def _figures(facts: Facts) -> Markup | None:
    if not facts.scores:
        return None
    parts = [_tiles(score) for score in facts.scores[:3]]
    first = facts.scores[0]
    note = (
        f"DSO, days delinquent and collection effectiveness look at {first.first:%B} to {first.last:%B %Y}; "
        "payments and promises at a year. A dash is a figure that cannot be told, with the reason."
    )
    return _section("figures", "Key figures", *parts, note=note)


def _tiles(score: Scorecard) -> Markup:
    # Of the gross: credits may be larger than what is not due yet, and what is overdue more than what is outstanding.
    share = (
        f"{score.overdue * 100 / score.gross:.0f} % of what is open before credits"
        if score.gross > 0
        else None
    )
    rows: list[tuple[str, tuple[str, str | None]]] = [
        ("Outstanding", (money(score.outstanding, score.currency), None)),
        ("Overdue", (money(score.overdue, score.currency), share)),
        ("DSO", figure_text(score.dso)),
        ("Best possible DSO", figure_text(score.best_possible_dso)),
        ("Days delinquent", figure_text(score.average_days_delinquent)),
        ("Collection effectiveness", figure_text(score.cei)),
        ("Paid after due date", _late(score.days_late)),
        ("Promises kept in time", figure_text(score.promise_kept_ratio)),
    ]
    tiles = (
        tag("div", tag("dt", name), tag("dd", value, tag("small", note) if note else None), class_="tile")
        for name, (value, note) in rows
    )
    heading = tag("h3", score.currency or "No currency") if score.currency else None
    return joined(heading, tag("dl", *tiles, class_="tiles"))


def _late(figure: Figure) -> tuple[str, str | None]:
    text, note = figure_text(figure)
    return text, note or "mean, weighted by amount"


# ---- aging and outcomes


def _aging(facts: Facts) -> Markup:
    parts: list[Markup] = []
    for row in sorted(facts.aging.totals, key=lambda row: (-row.total, row.currency or "")):
        unapplied = f", after {money(-row.credits, row.currency)} of unapplied credit" if row.credits else ""
        caption = f"{row.currency or 'No currency'}: {money(row.total, row.currency)} open{unapplied}"
        parts.append(
            tag("figure", tag("figcaption", caption), aging_chart(row, facts.aging.labels), class_="wide")
        )
    if not parts:
        parts = [tag("p", "Nothing is open.", class_="empty")]
    return _section("aging", "How old is what is owed", *parts, note="By due date, credit apart.")


def _today(facts: Facts) -> Markup:
    dispositions = facts.evaluation.dispositions
    kinds = Counter(one.kind.value for one in dispositions)
    counts = [(kind, name, kinds.get(kind, 0)) for kind, name in OUTCOMES.items()]
    legend = tag(
        "ul",
        *(
            tag("li", tag("span", class_=f"swatch kind {kind}"), tag("strong", f"{n:,}"), f" {name}")
            for kind, name, n in counts
        ),
        class_="legend",
    )
    codes = Counter((one.kind.value, one.code) for one in dispositions)
    ordered = sorted(codes.items(), key=lambda row: (list(OUTCOMES).index(row[0][0]), -row[1], row[0][1]))
    rows = (
        tag("tr", tag("td", f"{number:,}", class_="num"), tag("td", OUTCOMES[kind]), tag("td", why(code)))
        for (kind, code), number in ordered
    )
    return _section(
        "today",
        "What becomes of each open invoice today",
        outcome_strip(counts),
        legend,
        tag(
            "details",
            tag("summary", "All reasons"),
            _table(("Invoices", "Outcome", "Reason"), rows, numeric=(0,)),
        ),
    )


# ---- worklist


def _worklist(facts: Facts, limit: int) -> Markup:
    by_customer: dict[str, list[WorklistItem]] = {}
    for item in facts.evaluation.worklist:
        by_customer.setdefault(item.customer_id, []).append(item)
    chosen = list(by_customer.values())[:limit]
    rows = [_line(facts, place, items) for place, items in enumerate(chosen, 1)]
    more = len(by_customer) - limit
    heads = ("#", "Customer", "To chase", "What to do", "Why")
    body = (
        _table(heads, rows, numeric=(0, 2), name="worklist")
        if rows
        else tag("p", "Nothing to do today.", class_="empty")
    )
    rest = tag("p", f"and {more:,} more customers", class_="note after") if more > 0 else None
    note = "Most urgent customer first: days late, balance and behavior in one score."
    return _section("worklist", "Worklist", body, rest, note=note)


_MAIN_FIRST = {ActionKind.TOUCH: 0, ActionKind.DECISION: 1, ActionKind.INTERNAL: 2}
_REASONS_SHOWN = 2


def _line(facts: Facts, place: int, items: Sequence[WorklistItem]) -> Markup:
    """One customer: its message or decision first, then the tasks and notices around it."""
    found = [facts.evaluation.by_key[item.action_key] for item in items]
    actions = sorted(found, key=lambda action: (_MAIN_FIRST[action.kind], action.key))
    first = actions[0]
    name = facts.names.get(first.customer_id, first.customer_id)
    oldest = items[0].max_dpd
    chase = [tag("div", money(amount, currency)) for currency, amount in _to_chase(actions).items()]
    return tag(
        "tr",
        tag("td", place, class_="num"),
        tag(
            "th",
            name,
            tag("small", f"oldest {day_text(oldest)}") if oldest is not None else None,
            scope="row",
        ),
        tag("td", joined(*chase) or DASH, class_="num"),
        tag("td", tag("ul", *(_todo(action) for action in actions), class_="todo")),
        tag("td", _reasons(first)),
    )


def _to_chase(actions: Iterable[Action]) -> dict[str | None, Decimal]:
    """What the actions are about, each invoice once, by currency."""
    covered = {one.invoice_id: one for action in actions for one in action.covers}
    found: dict[str | None, Decimal] = {}
    for one in covered.values():
        found[one.currency] = found.get(one.currency, Decimal(0)) + one.amount_to_chase
    return dict(sorted(found.items(), key=lambda row: (-row[1], row[0] or "")))


def _todo(action: Action) -> Markup:
    kind = "decision" if action.kind is ActionKind.DECISION else action.channel.value
    who = None
    if action.kind is ActionKind.TOUCH:
        who = action.sender or _ACTORS[action.actor]
    elif action.notify:
        who = ", ".join(role.replace("_", " ") for role in action.notify)
    return tag(
        "li",
        tag("span", class_=f"swatch channel {kind}"),
        what(action),
        tag("small", who) if who else None,
        class_="minor" if action.kind is ActionKind.INTERNAL else None,
    )


_ACTORS = {
    Actor.AUTO: "automatic",
    Actor.AI: "automatic voice",
    Actor.EITHER: "person or machine",
    Actor.HUMAN: "a person",
}


def _reasons(action: Action) -> Markup:
    codes = [action.code, *dict.fromkeys(code for code in action.reasons if code != action.code)]
    lines = [tag("li", why(code), title=code) for code in codes]
    shown = tag("ul", *lines[:_REASONS_SHOWN], class_="reasons")
    rest = lines[_REASONS_SHOWN:]
    if not rest:
        return shown
    return joined(
        shown, tag("details", tag("summary", f"{len(rest)} more"), tag("ul", *rest, class_="reasons"))
    )


# ---- one customer


def _cadence(facts: Facts) -> Markup | None:
    customer = facts.customer
    if customer is None:
        return None
    moments = moments_of(facts, customer)
    note = (
        "Bars are open invoices, pale until due and darker with age. Filled dots took place, open ones are to come "
        "if the customer neither answers nor pays."
    )
    rows = (_moment(number, one) for number, one in enumerate(moments, 1))
    table = _table(("#", "Day", "What", "How", "State", "About"), rows, numeric=(0,)) if moments else None
    return _section(
        "cadence",
        f"Cadence of {customer.name}",
        tag("figure", timeline_chart(facts, customer, moments), class_="wide"),
        table,
        note=note,
    )


def _moment(number: int, one: Moment) -> Markup:
    how = CHANNELS.get(one.channel, one.channel.capitalize())
    return tag(
        "tr",
        tag("td", number, class_="num"),
        tag("td", f"{one.on:%a} {one.on}", class_="day"),
        tag("td", one.what),
        tag("td", tag("span", class_=f"swatch channel {one.channel}"), how),
        tag("td", _STATES[one.state]),
        tag("td", one.detail),
    )


# ---- load


def _load(facts: Facts) -> Markup:
    simulation = facts.simulation
    used = Counter[str]()
    for day in simulation.days:
        used.update(day.contacts)
    legend = tag(
        "ul",
        *(
            tag("li", tag("span", class_=f"swatch channel {c}"), tag("strong", f"{used[c]:,}"), f" {name}")
            for c, name in CHANNELS.items()
            if used.get(c)
        ),
        class_="legend",
    )
    hits = Counter[str]()
    for day in simulation.days:
        hits.update(day.cap_hits)
    caps = "; ".join(
        f"{number:,} times: {why(code).rstrip('.').lower()}" for code, number in hits.most_common(4)
    )
    people = sum(one.human and one.kind is ActionKind.TOUCH for one in simulation.carried)
    decisions = sum(day.decisions for day in simulation.days)
    facts_line = f"{people:,} of these contacts and {decisions:,} decisions need a person."
    note = f"Assumed: {simulation.assumption}. This is the most work the policy makes."
    return _section(
        "load",
        f"Simulated load, {len(simulation.days)} days",
        tag("figure", load_chart(simulation.days), class_="wide"),
        legend,
        tag("p", facts_line, f" Limits met on customer-days: {caps}." if caps else ""),
        note=note,
    )


def _table(
    heads: Sequence[str], rows: Iterable[Markup], *, numeric: Sequence[int] = (), name: str | None = None
) -> Markup:
    head = tag(
        "tr",
        *(
            tag("th", text, scope="col", class_="num" if n in numeric else None)
            for n, text in enumerate(heads)
        ),
    )
    return tag("div", tag("table", tag("thead", head), tag("tbody", *rows), class_=name), class_="scroll")


def _footer(facts: Facts) -> Markup:
    problems = [tag("li", f"{one.customer_id}: {one.message}") for one in facts.evaluation.errors]
    return tag(
        "footer",
        tag("p", "Could not be evaluated:") if problems else None,
        tag("ul", *problems) if problems else None,
        tag(
            "p",
            f"As of {facts.as_of.local():%Y-%m-%d %H:%M} {facts.as_of.zone} · ar-connectors · "
            f"fingerprint {facts.evaluation.fingerprint[:16]}",
        ),
    )
