"""How is each feature of an account found? One function per feature, from the account's facts, its history and its promises.

Days and counts are exact; shares and averages may be rounded, openly. A figure over a rolling window notes the day on which it may
change by itself (`AccountView.expires`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ar_core.cadence.facts import BALANCE, CURRENCY, DUE
from ar_core.cadence.history import UNREACHED
from ar_core.cadence.reachable import absences, away_until
from ar_core.model.activity import Direction, Intent, Touch, TouchOutcome
from ar_core.model.base import reader
from ar_core.model.documents import DocumentStatus
from ar_core.model.money import ZERO
from ar_core.model.parties import Channel
from ar_core.model.settlements import Payment, PaymentKind
from ar_core.promises import NOT_KEPT, PromiseState, PromiseVerdict, promise_level

if TYPE_CHECKING:
    from ar_core.cadence.items import Chased
    from ar_core.cadence.view import AccountView

__all__ = ["FIGURES", "Computed", "is_outbound", "is_response", "outbound", "received_on"]

_read_received: Final = reader("payment_date", "kind", "document_status")
_read_credits: Final = reader("unapplied_amount", "currency", "document_status", "kind", "payment_date")

_POSTED: Final = DocumentStatus.POSTED
_REFUND: Final = PaymentKind.REFUND
_YEAR: Final = timedelta(days=365)
_QUARTER: Final = timedelta(days=90)
_KEPT: Final = frozenset({PromiseState.KEPT, PromiseState.KEPT_LATE})
_SHARES: Final = Context(
    prec=28
)  # shares and averages may be rounded; sums of money run in the exact context of the caller


def outbound(touches: Iterable[Touch]) -> list[Touch]:
    """Contacts that went out to the customer, attempts that failed or bounced included."""
    return [touch for touch in touches if is_outbound(touch)]


def is_outbound(touch: Touch) -> bool:
    """It went out to the customer, or was meant to."""
    return touch.direction is Direction.OUTBOUND and touch.channel is not Channel.INTERNAL


def is_response(touch: Touch) -> bool:
    """The customer said something; an automatic absence note is no answer (E37)."""
    if touch.intent is Intent.OUT_OF_OFFICE:
        return False
    return touch.direction is Direction.INBOUND or touch.outcome is TouchOutcome.ANSWERED


def received_on(payments: Iterable[Payment], today: date) -> list[date]:
    """Days on which money came in, up to today."""
    return [
        day
        for day, kind, status in _read_received(payments)
        if day is not None and day <= today and kind is not _REFUND and status is _POSTED
    ]


def _max_dpd(view: AccountView) -> int | None:
    return max(view.live.dpds, default=None)


def _sum_base(view: AccountView, rows: Iterable[tuple[Decimal, str | None]]) -> Decimal | None:
    result = ZERO
    for amount, currency in rows:
        if currency == view.base_currency:
            result += amount
            continue
        converted = view.in_base(amount, currency)
        if converted is None:
            return None
        result += converted
    return result


def _sums(view: AccountView) -> tuple[Decimal | None, Decimal | None]:
    """What is open and what of it is overdue, in base currency: one pass gives both."""
    live: Chased = view.live
    rows, dpds, base = live.rows, live.dpds, view.base_currency
    overdue = rest = ZERO
    for place, row in enumerate(rows):
        if row[CURRENCY] != base:
            break
        if dpds[place] >= 1:
            overdue += row[BALANCE]
        else:
            rest += row[BALANCE]
    else:
        return overdue + rest, overdue
    return (
        _sum_base(view, [(row[BALANCE], row[CURRENCY]) for row in rows]),
        _sum_base(
            view, [(row[BALANCE], row[CURRENCY]) for row, dpd in zip(rows, dpds, strict=True) if dpd >= 1]
        ),
    )


def _balance_base(view: AccountView) -> Decimal | None:
    opened: Decimal | None = view.sums[0]
    if opened is None or not view.credits:
        return opened
    on_account = _sum_base(view, [(amount, currency) for currency, amount in view.credits.items()])
    return None if on_account is None else opened - on_account


def _credits(view: AccountView) -> dict[str | None, Decimal]:
    """Money and credit on account by currency, positive: what could be applied to invoices (E13, E14)."""
    facts, today = view.facts, view.today
    found: dict[str | None, Decimal] = {}
    for note in facts.credit_notes:
        if note.unapplied_amount and note.document_status is _POSTED and (note.issue_date or today) <= today:
            found[note.currency] = found.get(note.currency, ZERO) + note.unapplied_amount
    values: tuple[Any, Any, Any, Any, Any]
    for values in _read_credits(facts.payments):
        amount, currency, status, kind, on = values
        if amount and status is _POSTED and kind is not _REFUND and (on or today) <= today:
            found[currency] = found.get(currency, ZERO) + amount
    for line in facts.adjustments:
        if line.open_amount and line.document_status is _POSTED and (line.adjustment_date or today) <= today:
            found[line.currency] = found.get(line.currency, ZERO) - line.open_amount
    for invoice in view.negative:
        found[invoice.currency] = found.get(invoice.currency, ZERO) - invoice.balance_due
    return found


def _decided(view: AccountView, states: frozenset[PromiseState]) -> list[PromiseVerdict]:
    if not view.verdicts:
        return []
    since = view.today - _YEAR
    rows = [
        v for v in view.verdicts if v.state in states and v.decided_on is not None and v.decided_on > since
    ]
    view.expires((v.decided_on for v in rows if v.decided_on is not None), _YEAR)
    return rows


def _kept_ratio(view: AccountView) -> Decimal | None:
    judged = _decided(view, NOT_KEPT | _KEPT)
    if not judged:
        return None
    return _share(sum(1 for v in judged if v.state is PromiseState.KEPT), len(judged))


def _disputes_12m(view: AccountView) -> int:
    days = [
        d.opened_on
        for d in view.facts.disputes
        if d.opened_on is not None and view.today - _YEAR < d.opened_on <= view.today
    ]
    view.expires(days, _YEAR)
    return len(days)


def _open_disputes(view: AccountView) -> int:
    today = view.today
    return sum(
        1
        for d in view.facts.disputes
        if (d.opened_on or today) <= today and (d.resolved_on is None or d.resolved_on > today)
    )


def _settled(view: AccountView) -> list[tuple[date, int, Decimal]]:
    """Invoices settled in the last year: day of settlement, days late, amount."""
    facts, today = view.facts, view.today
    if not facts.closed_rows:
        return []
    book, since = facts.book, today - _YEAR
    rows: list[tuple[date, int, Decimal]] = []
    for _, invoice_id, due, total in facts.closed_rows:
        closed_on = book.last_applied(invoice_id) if due is not None else None
        if due is None or closed_on is None or closed_on <= since:
            continue
        if closed_on > today:
            view.changes_on.append(closed_on)
        else:
            rows.append((closed_on, (closed_on - due).days, total))
    if rows:
        view.changes_on.append(min(rows)[0] + _YEAR)
    return rows


def _on_time_rate(view: AccountView) -> Decimal | None:
    rows = view.settled
    return _share(sum([late <= 0 for _, late, _ in rows]), len(rows)) if rows else None


@lru_cache(maxsize=4096)
def _share(part: int, whole: int) -> Decimal:
    return _SHARES.divide(Decimal(part), Decimal(whole))


def _wavg_days_late(view: AccountView) -> Decimal | None:
    weight = days = ZERO
    for _, late, amount in view.settled:
        weight += amount
        days += late * amount
    if not weight:
        return None
    # A mean is a ratio: it is rounded, openly, outside of the exact arithmetic of money.
    return _SHARES.quantize(_SHARES.divide(days, weight), Decimal("0.001"))


def _balance_trend(view: AccountView) -> Decimal | None:
    facts, today = view.facts, view.today
    since = today - _QUARTER
    invoices = [*facts.open_invoices, *facts.closed_invoices]
    billed = [
        (i.issue_date, i.total, i.currency)
        for i in invoices
        if i.document_status is _POSTED and i.issue_date is not None and i.issue_date > since
    ]
    applied = [
        (a.applied_on, a.target_amount, a.target_currency)
        for i in invoices
        for a in facts.allocations(i.id)
        if a.applied_on is not None and a.applied_on > since
    ]
    for rows in (billed, applied):
        view.expires((day for day, _, _ in rows if day <= today), _QUARTER)
        view.changes_on.extend(day for day, _, _ in rows if day > today)
    up = _sum_base(view, ((amount, currency) for day, amount, currency in billed if day <= today))
    down = _sum_base(view, ((amount, currency) for day, amount, currency in applied if day <= today))
    return None if up is None or down is None else up - down


def _episode_start(view: AccountView) -> date | None:
    """When the oldest invoice that is still overdue fell due: answers from before that do not count (R44)."""
    live = view.live
    days = [
        due
        for row, dpd in zip(live.rows, live.dpds, strict=True)
        if dpd >= 1 and (due := row[DUE]) is not None
    ]
    return date.fromordinal(min(days)) if days else None


def _last_response(view: AccountView) -> date | None:
    facts = view.facts
    days = [day for day, touch in view.history.dated if is_response(touch)]
    days += received_on(facts.payments, view.today)
    return max(days, default=None)


def _unanswered(view: AccountView) -> list[tuple[date, Touch]]:
    last = view.last_response
    return [
        (day, touch)
        for day, touch in view.history.dated
        if is_outbound(touch) and touch.outcome not in UNREACHED and (last is None or day > last)
    ]


def _unanswered_on(channel: Channel) -> Callable[[AccountView], int]:
    return lambda view: sum(1 for _, touch in view.unanswered if touch.channel is channel)


def _unanswered_all(view: AccountView) -> bool:
    start, last = view.episode_start, view.last_response
    if start is None or (last is not None and last >= start):
        return False
    silent = [touch for day, touch in view.unanswered if day >= start]
    return bool(silent) and not _all_away(view, silent)


def _all_away(view: AccountView, touches: Sequence[Touch]) -> bool:
    """Everybody who was written to is away today: silence begins on the day after an absence (E37)."""
    facts = view.facts
    away = absences(facts.profiles, view.history.dated, view.today, view.longest_absence)
    if not away:
        return False
    contacts = [contact for contact in facts.contacts if contact.is_active is not False]
    until = [away_until(away, touch.contact_id, contacts) for touch in touches]
    view.changes_on.extend(day + timedelta(days=1) for day in until if day is not None)
    return None not in until


def _days_since(day: date | None, view: AccountView) -> int | None:
    if day is None:
        return None
    view.changes_on.append(view.today + timedelta(days=1))
    return (view.today - day).days


def _last_touch(view: AccountView) -> date | None:
    return max(
        (day for day, t in view.history.dated if is_outbound(t) and t.outcome not in UNREACHED),
        default=None,
    )


def _over_limit(view: AccountView) -> bool | None:
    customer = view.facts.customer
    if customer is None or customer.credit_limit is None:
        return None
    return (
        sum((row[BALANCE] for row in view.live.rows if row[CURRENCY] == customer.currency), ZERO)
        > customer.credit_limit
    )


class Computed:
    """An attribute of `AccountView` that is found on first use and kept. It stands here, where it is compiled."""

    __slots__ = ("_find", "_name")

    def __init__(self, name: str, find: Callable[[AccountView], Any]) -> None:
        self._name, self._find = name, find

    def __get__(self, view: AccountView | None, owner: type) -> Any:
        if view is None:
            return self
        value = self._find(view)
        setattr(view, self._name, value)
        return value


FIGURES: Final[Mapping[str, Callable[[AccountView], Any]]] = {
    "balance_base": _balance_base,
    "balance_trend": _balance_trend,
    "broken_ptp": lambda v: sum(1 for p in v.verdicts if p.state in NOT_KEPT),
    "broken_ptp_12m": lambda v: len(_decided(v, NOT_KEPT)),
    "country": lambda v: v.facts.country,
    "credits": _credits,
    "currency": lambda v: v.facts.customer.currency if v.facts.customer else None,
    "days_since_last_response": lambda v: _days_since(v.last_response, v),
    "days_since_last_touch": lambda v: _days_since(_last_touch(v), v),
    "disputes_12m": _disputes_12m,
    "episode_start": _episode_start,
    "has_account_manager": lambda v: any(p.account_manager for p in v.facts.profiles),
    "kept_ptp_12m": lambda v: len(_decided(v, _KEPT)),
    "kept_ratio_12m": _kept_ratio,
    "language": lambda v: v.facts.customer.language if v.facts.customer else None,
    "last_response": _last_response,
    "max_dpd": _max_dpd,
    "on_time_rate_12m": _on_time_rate,
    "open_disputes": _open_disputes,
    "open_invoices": lambda v: len(v.live),
    "open_promises": lambda v: sum(1 for p in v.verdicts if p.pending),
    "order_hold": lambda v: v.facts.customer.order_hold if v.facts.customer else None,
    "over_credit_limit": _over_limit,
    "overdue_base": lambda v: v.sums[1],
    "overdue_invoices": lambda v: sum([dpd >= 1 for dpd in v.live.dpds]),
    "promises_not_kept": lambda v: promise_level(v.verdicts) if v.verdicts else 0,
    "settled": _settled,
    "settled_12m": lambda v: len(v.settled),
    "sums": _sums,
    "touches": lambda v: len(outbound(v.history.touches)),
    "unanswered": _unanswered,
    "unanswered_all": _unanswered_all,
    "unanswered_email": _unanswered_on(Channel.EMAIL),
    "unanswered_letter": _unanswered_on(Channel.LETTER),
    "unanswered_sms": _unanswered_on(Channel.SMS),
    "unanswered_touches": lambda v: len(v.unanswered),
    "unanswered_voice": _unanswered_on(Channel.VOICE),
    "unanswered_whatsapp": _unanswered_on(Channel.WHATSAPP),
    "wavg_days_late_12m": _wavg_days_late,
}
"""How each feature is computed; those not listed are plain attributes."""
