"""A promise to pay in Xero: the expected payment date of its invoices where Xero takes it, read back; and a note that says all.

The note carries what a date cannot (amount, who, the mark by which another store finds it); alone it is the fallback
(quirks.md#xero-45).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.adapterkit.notes import PromiseTag
from ar_connectors.connector import Fact, Placement
from ar_connectors.xero.writeback_calls import ExpectedDate
from ar_connectors.xero.writeback_notes import is_on_contact, noted, unknown_record
from ar_connectors.xero.writeback_scope import NotePolicy, WriteScope
from ar_core.commands import RecordPromise, WithdrawPromise
from ar_core.model import DocumentStatus, Invoice, Promise, RecordKind
from ar_core.model.money import ZERO

__all__ = ["record", "withdraw"]

_DATE: Final = (Fact.PROMISE_DATE,)
_REPLACED: Final = "No longer stands: a later promise has replaced it."


def record(scope: WriteScope, command: RecordPromise) -> list[Placement] | None:
    """Set the date on every invoice that takes it, and note the promise on all; see the module. What it replaces elsewhere no
    longer stands there."""
    ours = scope.write.record_id or command.local_record_id
    known = scope.promise(ours)
    recorded = known.recorded_at if known is not None else scope.write.first_sent_at
    tag, text = (
        texts.promise_tag(command, scope.identity, scope.tenant, recorded),
        texts.promise_text(command),
    )
    invoices = scope.invoice_ids(*command.invoice_ids)
    blocked = {one: reason for one in invoices if (reason := _blocked(scope, one)) is not None}
    if known is not None and known.superseded_by is not None:
        # A later one was recorded before this was delivered: it is noted as what it is, and sets no date.
        tag, text = replace(tag, superseded_by=texts.local_uuid(known.superseded_by)), f"{_REPLACED} {text}"
        blocked = dict.fromkeys(invoices, "a later promise has replaced it")
    dates = _dates(scope, {one: command.promised_date for one in invoices if one not in blocked})
    if dates is None:
        return None
    about = (ours, *((command.customer_id,) if command.customer_id else ()))
    placements: list[Placement] = []
    for invoice in invoices:
        subjects = (scope.id_of(RecordKind.INVOICE, invoice), *about)
        reason = blocked.get(invoice) or _refusal(dates.get(invoice), command.promised_date)
        if reason is None:
            placements.append(_placed(dates[invoice], subjects))
            if scope.options.notes is NotePolicy.OFF:
                continue
        facts = (Fact.PROMISE_AMOUNT,) if reason is None else (Fact.PROMISE_DATE, Fact.PROMISE_AMOUNT)
        place = ("Invoices", invoice)
        made = noted(scope, place, tag, text, facts, subjects, findable=reason is not None)
        if made is None:
            return None
        placements += [_because(one, reason) if one.fact is Fact.PROMISE_DATE else one for one in made]
    for older, places in _replaced(scope, command, ours):
        # On an invoice of both promises the later note takes the place of the earlier one: no word is needed there.
        more = _no_longer(scope, older, f"{_REPLACED} {texts.promise_text(older)}", but=invoices, on=places)
        if more is None:
            return None
        placements += more
    return placements


def withdraw(scope: WriteScope, command: WithdrawPromise) -> list[Placement] | None:
    """Clear the date where it is still the promise's, and note that it no longer stands. Raises RejectedError when nothing is
    known of the promise."""
    promise = scope.promise(command.promise_id)
    if promise is None or texts.local_uuid(command.promise_id) is None:
        raise unknown_record(scope, command.promise_id)
    text = f"{texts.withdrawn_lead(command)} {texts.promise_text(promise)}"
    return _no_longer(scope, promise, text, withdrawn=command.withdrawn_on)


def _no_longer(
    scope: WriteScope,
    promise: Promise,
    text: str,
    *,
    withdrawn: date | None = None,
    but: Sequence[str] = (),
    on: Sequence[str] = (),
) -> list[Placement] | None:
    """Take a promise of ours back from its invoices, `but` some: its date where it is still there, and a note with its mark that
    says why, also on the contacts that it stands `on`. None when something is missing and nothing may be sent."""
    identity = texts.local_uuid(promise.id)
    invoices = [one for one in scope.invoice_ids(*promise.invoice_ids) if one not in but]
    if identity is None:
        return []
    tag: PromiseTag = texts.promise_tag(promise, identity, scope.tenant, promise.recorded_at)
    tag = replace(tag, withdrawn=withdrawn) if withdrawn is not None else tag
    standing = scope.calls.expected_dates(invoices) if invoices else {}
    still = [one for one in invoices if one in standing and standing[one].day == promise.promised_date]
    if still and scope.only_look:
        return None
    cleared = (
        scope.calls.set_expected(dict.fromkeys(still), scope.key(f"clear{str(identity)[:8]}"))
        if still
        else {}
    )
    about = (promise.id, *((promise.customer_id,) if promise.customer_id else ()))
    placements: list[Placement] = []
    for invoice in invoices:
        subjects = (scope.id_of(RecordKind.INVOICE, invoice), *about)
        reason = _refusal(cleared.get(invoice), None) if invoice in still else None
        if invoice in still and reason is None:
            placements.append(_placed(cleared[invoice], subjects))
        made = noted(scope, ("Invoices", invoice), tag, text, _DATE, subjects, findable=True)
        if made is None:
            return None
        placements += [_because(one, reason) for one in made]
    for contact in on:
        made = noted(scope, ("Contacts", contact), tag, text, _DATE, about, findable=True)
        if made is None:
            return None
        placements += made
    return placements


def _replaced(scope: WriteScope, command: RecordPromise, ours: str) -> list[tuple[Promise, list[str]]]:
    """Promises of ours that stand on its invoices and that this one has replaced, each with the contacts whose history it is in
    because an invoice took no note."""
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


def _because(placement: Placement, reason: str | None) -> Placement:
    """A placement that is degraded for a reason, besides its own."""
    if reason is None:
        return placement
    whole = "; ".join(one for one in (reason, placement.reason) if one)
    return replace(placement, degraded=True, reason=whole)


def _dates(scope: WriteScope, wanted: Mapping[str, date]) -> dict[str, ExpectedDate] | None:
    """The dates as they stand after they were set where they were not yet; None when any is missing and nothing may be sent.

    The answer to the write is not trusted: Xero has been seen to revert (quirks.md#xero-45).
    """
    if not wanted:
        return {}
    there: dict[str, ExpectedDate] = {}
    if scope.only_look or scope.tried_before:
        there = scope.calls.expected_dates(list(wanted))
    missing = {one: day for one, day in wanted.items() if one not in there or there[one].day != day}
    if not missing:
        return there
    if scope.only_look:
        return None
    told = scope.calls.set_expected(missing, scope.key("set"))
    taken = [one for one in missing if one in told and told[one].refused is None]
    back = scope.calls.expected_dates(taken) if taken else {}
    return {**there, **told, **back}


def _blocked(scope: WriteScope, invoice: str) -> str | None:
    """Why Xero would refuse the date, by what was synced; None where it is worth a try."""
    known: Invoice | None = scope.invoice(invoice)
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


def _refusal(date_now: ExpectedDate | None, wanted: date | None) -> str | None:
    if date_now is None:
        return "Xero did not answer for this invoice"
    if date_now.refused is not None:
        return date_now.refused
    return None if date_now.day == wanted else "Xero did not keep the date"


def _placed(date_now: ExpectedDate, subjects: tuple[str, ...]) -> Placement:
    target = f"ExpectedPaymentDate of Invoice {date_now.invoice}"
    return Placement(
        Fact.PROMISE_DATE, target, "Invoice", date_now.invoice, date_now.version, subject_ids=subjects
    )
