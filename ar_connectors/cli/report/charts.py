"""The page's charts, as hand-made SVG: colors come from the style sheet, so they follow light, dark and print."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ar_connectors.cli.report.markup import Markup, joined, tag
from ar_connectors.cli.report.words import CHANNELS, compact, money
from ar_core.aging import AgingRow
from ar_core.cadence.simulate import DayLoad

__all__ = ["aging_chart", "load_chart", "outcome_strip", "scale_of", "svg", "text"]

_WIDTH = 960
_ORDER = ("email", "voice", "sms", "whatsapp", "letter")


def text(content: str, x: float, y: float, **attributes: object) -> Markup:
    """A piece of text at a place."""
    return tag("text", content, x=round(x, 1), y=round(y, 1), **attributes)


def svg(height: int, label: str, *children: object) -> Markup:
    """A picture as wide as the page; `label` says what it shows to whoever cannot see it."""
    return tag(
        "svg", *children, viewBox=f"0 0 {_WIDTH} {height}", role="img", aria_label=label, class_="chart"
    )


def aging_chart(row: AgingRow, labels: Sequence[str]) -> Markup:
    """One bar per bucket, with its amount and share."""
    left, right, bar, gap = 110, 190, 26, 12
    largest = max([*row.buckets, Decimal(1)])
    whole = sum((max(amount, Decimal(0)) for amount in row.buckets), Decimal(0))
    marks: list[Markup] = []
    for place, (name, amount) in enumerate(zip(labels, row.buckets, strict=True)):
        y = place * (bar + gap)
        width = (_WIDTH - left - right) * int(max(amount, Decimal(0)) * 10_000 / largest) / 10_000
        share = f"{amount * 100 / whole:.0f} %" if whole and amount > 0 else ""
        marks += [
            text("Not due" if name == "current" else f"{name} days", left - 12, y + 18, class_="axis end"),
            tag("rect", x=left, y=y, width=_WIDTH - left - right, height=bar, rx=4, class_="track"),
            tag("rect", x=left, y=y, width=round(width, 1), height=bar, rx=4, class_=f"age age-{place}"),
            text(money(amount, row.currency), _WIDTH - right + 12, y + 18, class_="value"),
            text(share, _WIDTH, y + 18, class_="axis end"),
        ]
    spoken = ", ".join(
        f"{name} {money(amount, row.currency)}" for name, amount in zip(labels, row.buckets, strict=True)
    )
    return svg(len(labels) * (bar + gap) - gap, f"Open balance by age: {spoken}", *marks)


def outcome_strip(counts: Sequence[tuple[str, str, int]]) -> Markup:
    """One bar that shows how the open invoices divide: (kind, name, number)."""
    whole = sum(number for *_, number in counts) or 1
    x, marks = 0.0, []
    for kind, _, number in counts:
        width = _WIDTH * number / whole
        if number:
            marks.append(
                tag(
                    "rect",
                    x=round(x, 1),
                    y=0,
                    width=round(max(width - 2, 1), 1),
                    height=20,
                    rx=4,
                    class_=f"kind {kind}",
                )
            )
        x += width
    return svg(20, "Open invoices: " + ", ".join(f"{number} {name}" for _, name, number in counts), *marks)


def scale_of(most: int) -> int:
    """The top of an axis: 1, 2 or 5 times a power of ten."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= most:
                return factor * step
        step *= 10


def load_chart(days: Sequence[DayLoad]) -> Markup:
    """Contacts per day, a column for each, its channels on top of each other; weekends are shaded."""
    left, top, height, bottom = 40, 26, 200, 44
    most = max([sum(day.contacts.values()) for day in days] + [1])
    roof = scale_of(most)
    slot = (_WIDTH - left) / max(len(days), 1)
    marks: list[Markup] = []
    for place, day in enumerate(days):
        if day.on.weekday() >= 5:
            marks.append(
                tag(
                    "rect",
                    x=round(left + place * slot, 1),
                    y=top,
                    width=round(slot, 1),
                    height=height,
                    class_="weekend",
                )
            )
    for line in (0, roof // 2, roof) if roof > 1 else (0, 1):
        y = top + height - height * line / roof
        marks += [
            tag("line", x1=left, x2=_WIDTH, y1=round(y, 1), y2=round(y, 1), class_="grid"),
            text(compact(Decimal(line)), left - 8, y + 4, class_="axis end"),
        ]
    for place, day in enumerate(days):
        marks.append(_column(day, left + place * slot, slot, top + height, height / roof))
        if place == 0 or day.on.weekday() == 0:
            x = left + place * slot + slot / 2
            marks.append(text(f"{day.on:%b} {day.on.day}", x, top + height + 20, class_="axis middle"))
    busiest = max(days, key=lambda day: sum(day.contacts.values()), default=None)
    spoken = (
        "No days"
        if busiest is None
        else f"{sum(busiest.contacts.values())} contacts on {busiest.on}, the busiest day"
    )
    return svg(top + height + bottom - 16, f"Simulated contacts per day: {spoken}", *marks)


def _column(day: DayLoad, x: float, slot: float, floor: float, unit: float) -> Markup:
    """One day's column with its total above it."""
    parts: list[Markup] = []
    y = floor
    for channel in _ORDER:
        number = day.contacts.get(channel, 0)
        if number:
            y -= number * unit
            parts.append(
                tag(
                    "rect",
                    x=round(x + slot * 0.15, 1),
                    y=round(y, 1),
                    width=round(slot * 0.7, 1),
                    height=round(number * unit, 1),
                    class_=f"channel {channel}",
                )
            )
    total = sum(day.contacts.values())
    if total and slot >= 18:
        parts.append(text(compact(Decimal(total)), x + slot / 2, y - 6, class_="value middle small"))
    told = ", ".join(f"{n} {CHANNELS[c].lower()}" for c, n in day.contacts.items()) or "no contact"
    return tag("g", tag("title", f"{day.on:%A} {day.on}: {told}"), joined(*parts))
