"""A promise to pay in NetSuite: User-Estimated Payment Date with the customer's promise as its source, and an activity that says all.

The activity comes first and carries what a date cannot (amount, who, the mark by which another store finds it); alone it is the
fallback. Both fields of the date are set together, read back, and emptied together (quirks.md#ns-20).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.adapterkit.note_rules import stands, tag_in
from ar_connectors.adapterkit.notes import PromiseTag, Tag
from ar_connectors.connector import Fact, Placement
from ar_connectors.errors import NotFoundError, PermissionDenied, RejectedError, StaleVersionError
from ar_connectors.netsuite.writeback_activities import Edited, Said, at_activity, edited, said
from ar_connectors.netsuite.writeback_calls import Activity
from ar_connectors.netsuite.writeback_native import kept, why
from ar_connectors.netsuite.writeback_scope import WriteScope
from ar_core.commands import RecordPromise, WithdrawPromise
from ar_core.model import Origin, Promise, RecordKind, local_id

__all__ = ["record", "withdraw"]

_DAY: Final = "userEstimatedPaymentDate"
_SOURCE: Final = "userEstimateSource"
_PROMISED: Final = "CUSTOMER_PROMISED_DATE"
_FIELDS: Final = ("promise_amount", "promise_note", "promise_status")
_SUPERSEDED: Final = "Superseded by a later promise."
_DATE: Final = (Fact.PROMISE_DATE,)


def record(scope: WriteScope, command: RecordPromise) -> list[Placement] | None:
    """Note the promise on every invoice, mark older ones as superseded, and set the date on every invoice that takes it.

    One of several invoices that is refused (deleted meanwhile) does not keep the others from theirs.
    """
    ours = scope.write.record_id or command.local_record_id
    subjects = (ours, command.customer_id)
    invoices = scope.invoice_ids(*command.invoice_ids)
    known = scope.promise(ours)
    what = _said(scope, command, known)
    there = scope.calls.activities_on([scope.on_invoice(one).word for one in invoices])
    noted: dict[str, list[Placement]] = {}
    refused: dict[str, RejectedError] = {}
    for invoice in invoices:
        place = scope.on_invoice(invoice)
        facts = (Fact.PROMISE_AMOUNT,)
        try:
            made = said(scope, place, what, facts, subjects, known=there if there is not None else None)
        except StaleVersionError:
            raise
        except RejectedError as error:
            refused[invoice] = error
            continue
        if made is None:
            return None
        noted[invoice] = made
    if not noted:
        raise next(iter(refused.values()))
    over = _supersede(scope, what.tag, noted, there)
    if over is None:
        return None
    placements = [*over]
    counts = known is None or (known.withdrawn_on is None and known.superseded_by is None)
    for invoice, made in noted.items():
        # A later promise, or a withdrawal, was recorded before this one was delivered: the date is theirs.
        dated = _dated(scope, invoice, command, subjects, made) if counts else _undated(made)
        if dated is None:
            return None
        placements += dated
    if refused:
        reason = "; ".join(f"invoice {invoice}: {error.message}" for invoice, error in refused.items())
        placements = [replace(one, degraded=True, reason=one.reason or reason) for one in placements]
    return placements


def withdraw(scope: WriteScope, command: WithdrawPromise) -> list[Placement] | None:
    """Say on the promise's activities that it no longer stands, and empty the date where it is still the promise's. Raises
    RejectedError when nothing is known of the promise."""
    promise = scope.promise(command.promise_id)
    if promise is None:
        raise scope.unknown(command.promise_id)
    identity = texts.local_uuid(command.promise_id)
    subjects = (command.promise_id, command.customer_id)
    if identity is None or promise.origin is Origin.ERP:
        return _withdraw_native(scope, promise, subjects)
    lead = texts.withdrawn_lead(command)

    def change(tag: Tag) -> Edited | None:
        if not isinstance(tag, PromiseTag) or tag.withdrawn is not None:
            return None
        return Edited(replace(tag, withdrawn=command.withdrawn_on), lead, "Withdrawn")

    tag = replace(
        texts.promise_tag(promise, identity, scope.tenant, promise.recorded_at),
        withdrawn=command.withdrawn_on,
    )
    fresh = Said(
        tag,
        f"Withdrawn: {_title(promise)}",
        f"{lead} {texts.promise_text(promise)}",
        command.withdrawn_on,
    )
    placements: list[Placement] = []
    for invoice in scope.invoice_ids(*promise.invoice_ids):
        place = scope.on_invoice(invoice)
        activity = scope.calls.activity(place.external_id(identity))
        if activity is not None:
            if edited(scope, activity, change) is None:
                return None
            placements += at_activity(scope, place, activity, _DATE, subjects)
        else:
            made = said(scope, place, fresh, _DATE, subjects, known={})
            if made is None:
                return None
            placements += made
        if promise.superseded_by is not None:
            continue  # the date is that of the promise that took its place
        cleared = _cleared(scope, invoice, promise.promised_date, "withdrawn", subjects)
        if cleared is None:
            return None
        placements += cleared
    return placements


# ---- what an activity says


def _said(scope: WriteScope, command: RecordPromise, known: Promise | None) -> Said:
    recorded = known.recorded_at if known is not None and known.recorded_at else scope.write.first_sent_at
    tag = texts.promise_tag(command, scope.identity, scope.tenant, recorded)
    text, title = texts.promise_text(command), _title(command)
    later = texts.local_uuid(known.superseded_by or "") if known is not None else None
    if later is not None:
        # A later promise was recorded before this one was delivered; that one need not come back to mark it.
        tag = replace(tag, superseded_by=later)
        text, title = f"{_SUPERSEDED} {text}", f"Superseded: {title}"
    return Said(tag, title, text, command.given_on)


def _title(promise: RecordPromise | Promise) -> str:
    amount, currency = promise.promised_amount, promise.currency
    what = f"{amount:f} {currency}" if amount is not None else "the open balance"
    return f"Promise to pay {what} by {promise.promised_date}"


# ---- dates


def _dated(
    scope: WriteScope,
    invoice: str,
    command: RecordPromise,
    subjects: tuple[str, ...],
    noted: list[Placement],
) -> list[Placement] | None:
    """The placements of a promise on one invoice: its date, mapped fields, and its activity, which is also where the date stands
    when the invoice does not take it. None when something is missing and nothing may be sent."""
    reason = _has_no_date(scope, invoice)
    native = {_DAY: command.promised_date.isoformat(), _SOURCE: {"id": _PROMISED}} if reason is None else {}
    facts = {
        "promise_amount": command.promised_amount,
        "promise_note": command.note,
        "promise_status": "open",
    }
    custom = scope.options.fields.changes(facts) if reason is None else {}
    found = kept(scope, "invoice", invoice, native, custom)
    if found.missing:
        return None
    reason = reason or found.native
    placements = [] if reason is not None else [_placed(scope, invoice, _DAY, Fact.PROMISE_DATE, subjects)]
    if custom:
        names = ", ".join(scope.options.fields.names(*_FIELDS))
        one = _placed(scope, invoice, names, Fact.PROMISE_AMOUNT, subjects)
        placements.append(replace(one, degraded=found.custom is not None, reason=found.custom))
    if reason is not None:
        placements += [replace(one, fact=Fact.PROMISE_DATE, degraded=True, reason=reason) for one in noted]
    return [*placements, *noted]


def _undated(noted: list[Placement]) -> list[Placement]:
    return [*(replace(one, fact=Fact.PROMISE_DATE) for one in noted), *noted]


def _cleared(
    scope: WriteScope, invoice: str, day: date, status: str, subjects: tuple[str, ...]
) -> list[Placement] | None:
    """Empty the date of an invoice where it is still this promise's; a date that somebody changed is theirs. None when that is to be
    done and nothing may be sent."""
    if _has_no_date(scope, invoice) is not None:
        return []
    custom = scope.options.fields.changes(
        {"promise_amount": None, "promise_note": None, "promise_status": status}
    )
    names = (_DAY, _SOURCE, *custom)
    try:
        shown = scope.calls.fields("invoice", invoice, names)
    except (NotFoundError, PermissionDenied) as error:
        reason = why(scope, error)
        one = _placed(scope, invoice, _DAY, Fact.PROMISE_DATE, subjects)
        return [replace(one, degraded=True, reason=reason)]
    if shown.get(_DAY) != day.isoformat() or not _is_promised(shown):
        return []
    found = kept(scope, "invoice", invoice, {_DAY: None, _SOURCE: None}, custom, looked=shown)
    if found.missing:
        return None
    one = _placed(scope, invoice, f"{_DAY} (emptied)", Fact.PROMISE_DATE, subjects)
    return [replace(one, degraded=found.native is not None, reason=found.native)]


def _withdraw_native(
    scope: WriteScope, promise: Promise, subjects: tuple[str, ...]
) -> list[Placement] | None:
    """A date that a bookkeeper had set is emptied; nothing of ours hangs on it. Raises RejectedError where NetSuite refuses."""
    placements: list[Placement] = []
    for invoice in scope.invoice_ids(*promise.invoice_ids):
        cleared = _cleared(scope, invoice, promise.promised_date, "withdrawn", subjects)
        if cleared is None:
            return None
        for one in cleared:
            if one.reason is not None:
                raise RejectedError(f"the promised date of invoice {invoice} stands: {one.reason}")
        placements += cleared or [
            _placed(scope, invoice, f"{_DAY} (another one by now)", Fact.PROMISE_DATE, subjects)
        ]
    return placements


def _is_promised(shown: Mapping[str, Any]) -> bool:
    source = shown.get(_SOURCE)
    return isinstance(source, Mapping) and source.get("id") == _PROMISED


def _has_no_date(scope: WriteScope, invoice: str) -> str | None:
    """Why a document takes no date, by what was synced; None for an invoice."""
    known = scope.invoice(invoice)
    kind = known.source.kind if known is not None and known.source is not None else "invoice"
    return None if kind == "invoice" else f"a {kind} has no promised date in NetSuite"


def _placed(scope: WriteScope, invoice: str, names: str, fact: Fact, subjects: tuple[str, ...]) -> Placement:
    about = (scope.id_of(RecordKind.INVOICE, invoice), *subjects)
    return Placement(fact, f"{names} of invoice {invoice}", "invoice", invoice, None, subject_ids=about)


# ---- promises that are replaced


def _supersede(
    scope: WriteScope,
    new: Tag,
    noted: Mapping[str, object],
    there: Mapping[str, Activity] | None,
) -> list[Placement] | None:
    """Say on older promises of these invoices that this one took their place, wherever they are noted, so that another store finds
    one open promise; and empty the dates that they left on other invoices. None when something is to be done and nothing may be sent."""
    placements: list[Placement] = []
    for older in _older(scope, new, noted, there):
        subjects = (local_id(older.id),)
        # Our own invoices come last: as long as they show it open, another try finds what is still to be marked elsewhere.
        invoices = sorted(older.invoices or tuple(noted), key=lambda one: one in noted)
        for invoice in invoices:
            place = scope.on_invoice(invoice)
            if invoice not in noted:
                cleared = _cleared(scope, invoice, older.promised, "superseded", subjects)
                if cleared is None:
                    return None
                placements += cleared
            identity = place.external_id(older.id)
            activity = (there or {}).get(identity) or scope.calls.activity(identity)
            if activity is None:
                continue
            changed = edited(scope, activity, lambda tag: _marked(tag, new.id))
            if changed is None:
                return None
            if changed:
                placements += at_activity(scope, place, activity, _DATE, subjects)
    return placements


def _marked(tag: Tag, by: UUID) -> Edited | None:
    if not isinstance(tag, PromiseTag) or tag.superseded_by is not None:
        return None
    return Edited(replace(tag, superseded_by=by), _SUPERSEDED, "Superseded")


def _older(
    scope: WriteScope, new: Tag, noted: Mapping[str, object], there: Mapping[str, Activity] | None
) -> list[PromiseTag]:
    """Promises on these invoices whose place the new one takes: as their activities say, or, where those cannot be queried, as our
    store knows them."""
    if there is not None:
        tags = [tag for one in there.values() if stands(tag := tag_in(one.message))]
    else:
        tags = [
            _known_tag(scope, one)
            for invoice in noted
            for placement in scope.view.placements(scope.id_of(RecordKind.INVOICE, invoice), "record_promise")
            for one in placement.subject_ids
        ]
    return list(
        {
            tag.id: tag
            for tag in tags
            if isinstance(tag, PromiseTag) and tag.id != new.id and scope.supersedes(tag, new)
        }.values()
    )


def _known_tag(scope: WriteScope, record: str) -> PromiseTag | None:
    identity = texts.local_uuid(record)
    promise = scope.promise(record) if identity is not None else None
    if promise is None or identity is None or promise.withdrawn_on is not None:
        return None
    return texts.promise_tag(promise, identity, scope.tenant, promise.recorded_at)
