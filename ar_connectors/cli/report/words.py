"""How things are called on the page."""

from __future__ import annotations

from decimal import Decimal

from ar_core.cadence import CODES, Action, ActionKind, Code
from ar_core.cadence.explain import title
from ar_core.metrics import Figure

__all__ = ["CHANNELS", "DASH", "OUTCOMES", "compact", "day_text", "figure_text", "money", "what", "why"]

DASH = "\u2013"
"""Stands for a value that is not known."""
_MINUS = "\u2212"

CHANNELS = {
    "email": "E-mail",
    "voice": "Call",
    "sms": "Text message",
    "whatsapp": "WhatsApp",
    "letter": "Letter",
    "internal": "Internal",
}
OUTCOMES = {
    "action": "Acted on today",
    "wait": "Waiting for its day",
    "paused": "Paused",
    "excluded": "Not chased",
}
_UNITS = ((Decimal(10**9), "bn"), (Decimal(10**6), "m"), (Decimal(10**3), "k"))
_REASONS = {
    "no_sales": "nothing was billed in the period",
    "no_receivables": "nothing was collectible",
    "short_history": "the history is too short",
    "nothing_settled": "no dated payments yet",
    "no_verdict": "no promise has been judged yet",
    "nothing_billed": "nothing was billed that month",
    "too_early": "the month is not old enough",
    "empty_bucket": "nothing to roll",
}


def money(amount: Decimal | None, currency: str | None) -> str:
    """An amount with two decimals at least and all its digits; unknown is a dash."""
    if amount is None:
        return DASH
    exponent = amount.as_tuple().exponent
    digits = max(2, -exponent if isinstance(exponent, int) else 2)
    sign = _MINUS if amount < 0 else ""
    return f"{sign}{abs(amount):,.{digits}f}" + (f" {currency}" if currency else "")


def compact(amount: Decimal) -> str:
    """An amount short enough for a chart: 1.2m, 340k, 87."""
    for unit, name in _UNITS:
        if abs(amount) >= unit:
            return f"{(amount / unit).quantize(Decimal('0.1')):f}".removesuffix(".0") + name
    return f"{amount.quantize(Decimal(1)):f}"


def figure_text(figure: Figure) -> tuple[str, str | None]:
    """A figure for a tile: its value, or a dash and why there is none."""
    if figure.value is None:
        return DASH, _REASONS.get(str(figure.reason), str(figure.reason))
    match figure.unit:
        case "days":
            return f"{figure.rounded(1)} days", None
        case "share":
            return f"{figure.value * 100:.0f} %", None
        case _:
            return f"{figure.rounded(1)} %", None


def what(action: Action) -> str:
    """What to do, in a few words."""
    words = title(action)
    if action.kind is ActionKind.TOUCH:
        return f"{CHANNELS[action.channel.value]}: {words}"
    if action.kind is ActionKind.INTERNAL and ":" not in (action.task or ""):
        return f"Task: {words}"
    return words[0].upper() + words[1:]


def why(code: Code | str) -> str:
    """The sentence of a reason code."""
    return CODES[Code(code)].meaning


def day_text(days: int) -> str:
    """Days past due in words."""
    if days == 0:
        return "due today"
    return f"{days} days late" if days > 0 else f"due in {-days} days"
