"""A promise to pay in Xero: the expected payment date of its invoices where Xero takes it (writeback_dates.py), and a note that says
all.

The note carries what a date cannot (amount, who, the mark by which another store finds it); alone it is the fallback
(quirks.md#xero-45).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.adapterkit.notes import PromiseTag
from ar_connectors.connector import Fact, Placement
from ar_connectors.xero.writeback_calls import ExpectedDate
from ar_connectors.xero.writeback_dates import Standing, replaced
from ar_connectors.xero.writeback_notes import noted, unknown_record
from ar_connectors.xero.writeback_scope import NotePolicy, WriteScope
from ar_core.commands import RecordPromise, WithdrawPromise
from ar_core.model import Promise, RecordKind

__all__ = ["record", "withdraw"]

_DATE: Final = (Fact.PROMISE_DATE,)
_REPLACED: Final = "No longer stands: a later promise has replaced it."


def record(scope: WriteScope, command: RecordPromise, stand: Standing) -> list[Placement] | None:
    """Tell where the date stands, and note the promise on all its invoices; see the module. What it replaces elsewhere no longer
    stands there. None when a note is missing and nothing may be sent."""
    ours = scope.write.record_id or command.local_record_id
    known = scope.promise(ours)
    recorded = known.recorded_at if known is not None else scope.write.first_sent_at
    tag, text = (
        texts.promise_tag(command, scope.identity, scope.tenant, recorded),
        texts.promise_text(command),
    )
    invoices = scope.invoice_ids(*command.invoice_ids)
    if known is not None and known.superseded_by is not None:
        # A later one was recorded before this was delivered: it is noted as what it is.
        tag, text = replace(tag, superseded_by=texts.local_uuid(known.superseded_by)), f"{_REPLACED} {text}"
    about = (ours, *((command.customer_id,) if command.customer_id else ()))
    placements: list[Placement] = []
    for invoice in invoices:
        subjects = (scope.id_of(RecordKind.INVOICE, invoice), *about)
        reason = stand.blocked.get(invoice) or _refusal(stand.dates.get(invoice), command.promised_date)
        if reason is None:
            placements.append(_placed(stand.dates[invoice], subjects))
            if scope.options.notes is NotePolicy.OFF:
                continue
        facts = (Fact.PROMISE_AMOUNT,) if reason is None else (Fact.PROMISE_DATE, Fact.PROMISE_AMOUNT)
        place = ("Invoices", invoice)
        made = noted(scope, place, tag, text, facts, subjects, findable=reason is not None)
        if made is None:
            return None
        placements += [_because(one, reason) if one.fact is Fact.PROMISE_DATE else one for one in made]
    for older, places in replaced(scope, command):
        # On an invoice of both promises the later note takes the place of the earlier one: no word is needed there.
        words = f"{_REPLACED} {texts.promise_text(older)}"
        more = _no_longer(scope, older, words, stand, but=invoices, on=places)
        if more is None:
            return None
        placements += more
    return placements


def withdraw(scope: WriteScope, command: WithdrawPromise, stand: Standing) -> list[Placement] | None:
    """Tell which dates were cleared, and note that the promise no longer stands. Raises RejectedError when nothing is known of it."""
    promise = scope.promise(command.promise_id)
    if promise is None or texts.local_uuid(command.promise_id) is None:
        raise unknown_record(scope, command.promise_id)
    text = f"{texts.withdrawn_lead(command)} {texts.promise_text(promise)}"
    return _no_longer(scope, promise, text, stand, withdrawn=command.withdrawn_on)


def _no_longer(
    scope: WriteScope,
    promise: Promise,
    text: str,
    stand: Standing,
    *,
    withdrawn: date | None = None,
    but: Sequence[str] = (),
    on: Sequence[str] = (),
) -> list[Placement] | None:
    """Say of a promise of ours on its invoices, `but` some, that its date was cleared, and why in a note with its mark, also on the
    contacts that it stands `on`. None when a note is missing and nothing may be sent."""
    identity = texts.local_uuid(promise.id)
    invoices = [one for one in scope.invoice_ids(*promise.invoice_ids) if one not in but]
    if identity is None:
        return []
    tag: PromiseTag = texts.promise_tag(promise, identity, scope.tenant, promise.recorded_at)
    tag = replace(tag, withdrawn=withdrawn) if withdrawn is not None else tag
    about = (promise.id, *((promise.customer_id,) if promise.customer_id else ()))
    placements: list[Placement] = []
    for invoice in invoices:
        subjects = (scope.id_of(RecordKind.INVOICE, invoice), *about)
        cleared = invoice in stand.cleared
        reason = _refusal(stand.dates.get(invoice), None) if cleared else None
        if cleared and reason is None:
            placements.append(_placed(stand.dates[invoice], subjects))
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


def _because(placement: Placement, reason: str | None) -> Placement:
    """A placement that is degraded for a reason, besides its own."""
    if reason is None:
        return placement
    whole = "; ".join(one for one in (reason, placement.reason) if one)
    return replace(placement, degraded=True, reason=whole)


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
