"""Which expected payment dates are to stand in Xero, and which of ours no longer? Set, cleared and read back: fifty in one call,
whether they are one command's or many commands'.

The answer to the write is not trusted: Xero has been seen to revert (quirks.md#xero-45).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.xero.writeback_calls import ExpectedDate
from ar_connectors.xero.writeback_notes import is_on_contact
from ar_connectors.xero.writeback_scope import WriteScope
from ar_core.commands import RecordPromise, WithdrawPromise
from ar_core.model import DocumentStatus, Promise
from ar_core.model.money import ZERO

__all__ = ["Standing", "replaced", "settled"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The dates of one command as they stand at the end."""

    dates: Mapping[str, ExpectedDate]
    """By Xero's id of the invoice; one that Xero did not answer for is not there."""
    blocked: Mapping[str, str]
    """Invoices whose date was not tried, with the reason."""
    cleared: frozenset[str]
    """Invoices whose date was to be taken away."""
    missing: bool
    """It was only looked, and something is still to be done."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a command wants."""

    wanted: dict[str, date] = field(default_factory=dict)
    """The dates that are to stand."""
    over: dict[str, date] = field(default_factory=dict)
    """Dates of ours that are to go, where they still stand: a bookkeeper's other date stays."""
    blocked: dict[str, str] = field(default_factory=dict)


def settled(scopes: Sequence[WriteScope]) -> list[Standing]:
    """See to the dates of commands of one company; one standing for each, in their order. A date that one of them sets is not cleared
    by another. Nothing is sent where it is only looked. Raises what the calls raise, for all of them."""
    if not scopes:
        return []
    calls, only_look = scopes[0].calls, scopes[0].only_look
    asked = [_asked(scope) for scope in scopes]
    unread = [
        one
        for scope, ask in zip(scopes, asked, strict=True)
        for one in (*(ask.wanted if scope.only_look or scope.tried_before else ()), *ask.over)
    ]
    there = calls.expected_dates(list(dict.fromkeys(unread))) if unread else {}
    days = {one: there[one].day for one in there}
    wanted = {one: day for ask in asked for one, day in ask.wanted.items()}
    changes: dict[str, date | None] = {
        one: None for ask in asked for one, day in ask.over.items() if days.get(one) == day
    }
    changes |= {one: day for one, day in wanted.items() if days.get(one) != day}
    now = there
    if changes and not only_look:
        told = calls.set_expected(changes, _key(scopes))
        taken = [one for one in changes if one in told and told[one].refused is None]
        now = {**there, **told, **(calls.expected_dates(taken) if taken else {})}
    return [
        Standing(
            now,
            ask.blocked,
            frozenset(one for one in ask.over if one in changes and changes[one] is None),
            only_look and any(one in changes for one in (*ask.wanted, *ask.over)),
        )
        for ask in asked
    ]


def replaced(scope: WriteScope, command: RecordPromise) -> list[tuple[Promise, list[str]]]:
    """Promises of ours that stand on its invoices and that this one has replaced, each with the contacts whose history it is in
    because an invoice took no note."""
    ours = scope.write.record_id or command.local_record_id
    found: dict[str, tuple[Promise, list[str]]] = {}
    for invoice in command.invoice_ids:
        for placement in scope.view.placements(invoice, "record_promise"):
            for one in placement.subject_ids:
                older = scope.promise(one) if texts.local_uuid(one) is not None and one != ours else None
                if older is None or older.superseded_by != ours:
                    continue
                _, places = found.setdefault(one, (older, []))
                if is_on_contact(placement) and placement.remote_id not in places:
                    places.append(placement.remote_id)
    return list(found.values())


def _asked(scope: WriteScope) -> _Asked:
    match scope.write.command:
        case RecordPromise() as command:
            invoices = scope.invoice_ids(*command.invoice_ids)
            known = scope.promise(scope.write.record_id or command.local_record_id)
            if known is not None and known.superseded_by is not None:
                blocked = dict.fromkeys(invoices, "a later promise has replaced it")
            else:
                blocked = {one: reason for one in invoices if (reason := _blocked(scope, one)) is not None}
            over: dict[str, date] = {}
            for older, _ in replaced(scope, command):
                over |= {one: day for one, day in _ours(scope, older).items() if one not in invoices}
            wanted = {one: command.promised_date for one in invoices if one not in blocked}
            return _Asked(wanted, over, blocked)
        case WithdrawPromise() as command:
            promise = scope.promise(command.promise_id)
            return _Asked(over=_ours(scope, promise) if promise is not None else {})
    return _Asked()


def _ours(scope: WriteScope, promise: Promise) -> dict[str, date]:
    """The dates that a promise of ours may have left."""
    return dict.fromkeys(scope.invoice_ids(*promise.invoice_ids), promise.promised_date)


def _blocked(scope: WriteScope, invoice: str) -> str | None:
    """Why Xero would refuse the date, by what was synced; None where it is worth a try."""
    known = scope.invoice(invoice)
    if known is None:
        return None
    if known.document_status is not DocumentStatus.POSTED:
        return f"the invoice is {known.raw_status or known.document_status}"
    if known.raw_status == "PAID":
        return "the invoice is paid"
    if (known.amount_paid or ZERO) > ZERO or (known.amount_credited or ZERO) > ZERO:
        return "something is paid or credited already"
    if scope.books_closed(invoice):
        return "the invoice lies in a locked period"
    return None


def _key(scopes: Sequence[WriteScope]) -> str:
    """The Idempotency-Key of dates: a command's own, or, of several, one that the same commands at the same attempts have again."""
    keys = [scope.key("dates") for scope in scopes]
    return keys[0] if len(keys) == 1 else sha256(" ".join(keys).encode()).hexdigest()
