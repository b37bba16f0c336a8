"""A promise to pay in Xero: the expected payment date of its invoices where Xero takes it, read back; and a note that says all.

The note carries what a date cannot (amount, who, the mark by which another store finds it); alone it is the fallback
(quirks.md#xero-45).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.adapterkit.notes import PromiseTag
from ar_connectors.connector import Fact, Placement
from ar_connectors.xero.writeback_calls import ExpectedDate
from ar_connectors.xero.writeback_notes import noted, unknown_record
from ar_connectors.xero.writeback_scope import NotePolicy, WriteScope
from ar_core.commands import RecordPromise, WithdrawPromise
from ar_core.model import DocumentStatus, Invoice, RecordKind
from ar_core.model.money import ZERO

__all__ = ["record", "withdraw"]

_DATE: Final = (Fact.PROMISE_DATE,)


def record(scope: WriteScope, command: RecordPromise) -> list[Placement] | None:
    """Set the date on every invoice that takes it, and note the promise on all; see the module."""
    ours = scope.write.record_id or command.local_record_id
    invoices = scope.invoice_ids(*command.invoice_ids)
    blocked = {one: reason for one in invoices if (reason := _blocked(scope, one)) is not None}
    wanted = {one: command.promised_date for one in invoices if one not in blocked}
    dates = _dates(scope, wanted)
    if dates is None:
        return None
    known = scope.promise(ours)
    recorded = known.recorded_at if known is not None else scope.write.first_sent_at
    tag = texts.promise_tag(command, scope.identity, scope.tenant, recorded)
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
        made = noted(scope, ("Invoices", invoice), tag, texts.promise_text(command), facts, subjects)
        if made is None:
            return None
        placements += [
            replace(one, degraded=reason is not None and one.fact is Fact.PROMISE_DATE, reason=reason)
            for one in made
        ]
    return placements


def withdraw(scope: WriteScope, command: WithdrawPromise) -> list[Placement] | None:
    """Clear the date where it is still the promise's, and note that it no longer stands. Raises RejectedError when nothing is
    known of the promise."""
    promise, identity = scope.promise(command.promise_id), texts.local_uuid(command.promise_id)
    if promise is None or identity is None:
        raise unknown_record(scope, command.promise_id)
    tag: PromiseTag = replace(
        texts.promise_tag(promise, identity, scope.tenant, promise.recorded_at),
        withdrawn=command.withdrawn_on,
    )
    text = f"{texts.withdrawn_lead(command)} {texts.promise_text(promise)}"
    invoices = scope.invoice_ids(*promise.invoice_ids)
    standing = scope.calls.expected_dates(invoices)
    still = [one for one in invoices if one in standing and standing[one].day == promise.promised_date]
    if still and scope.only_look:
        return None
    cleared = scope.calls.set_expected(dict.fromkeys(still), scope.key("clear")) if still else {}
    about = (command.promise_id, *((command.customer_id,) if command.customer_id else ()))
    placements: list[Placement] = []
    for invoice in invoices:
        subjects = (scope.id_of(RecordKind.INVOICE, invoice), *about)
        reason = _refusal(cleared.get(invoice), None) if invoice in still else None
        if invoice in still and reason is None:
            placements.append(_placed(cleared[invoice], subjects))
        made = noted(scope, ("Invoices", invoice), tag, text, _DATE, subjects)
        if made is None:
            return None
        placements += [replace(one, degraded=reason is not None, reason=reason) for one in made]
    return placements


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
