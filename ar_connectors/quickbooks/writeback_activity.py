"""Promises, disputes and notes on invoices: one tagged note on each invoice, found again by its tag.

Each verb comes twice: `place_*` does what is still missing, so it may be run again at any time; `find_*` only looks, and
answers None as long as anything is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.adapterkit.note_rules import fitting, is_settled
from ar_connectors.adapterkit.notes import DisputeTag, NoteTag, PromiseTag, StatusTag, Tag
from ar_connectors.connector import Fact, Placement
from ar_connectors.errors import ARError, PeriodClosedError, RejectedError, StaleVersionError
from ar_connectors.quickbooks import managed_lines as lines
from ar_connectors.quickbooks.faults import PLATFORM
from ar_connectors.quickbooks.writeback_calls import Note
from ar_connectors.quickbooks.writeback_customer import change_block, read_block
from ar_connectors.quickbooks.writeback_notes import (
    Edited,
    edit_note,
    hang_note,
    open_promises,
    own_notes,
    tag_of,
)
from ar_connectors.quickbooks.writeback_scope import WriteScope
from ar_core.commands import AddNote, OpenDispute, RecordPromise, ResolveDispute, WithdrawPromise
from ar_core.model import Dispute, RecordKind, local_id

__all__ = [
    "Job",
    "at_customer",
    "at_note",
    "customer_of",
    "find_change",
    "find_notes",
    "note_job",
    "place_notes",
    "place_resolved",
    "place_withdrawn",
    "supersede",
]


_SUPERSEDED: Final = "Superseded by a later promise."


@dataclass(frozen=True, slots=True)
class Job:
    """One fact that hangs on invoices as a note."""

    invoices: tuple[str, ...]
    tag: Tag
    text: str
    facts: tuple[Fact, ...]
    subjects: tuple[str, ...]
    """Record ids it is about, besides the invoices."""
    customer: str | None
    """QuickBooks' id of the customer whose notes take it when the invoice cannot; None: asked when it is needed."""


@dataclass(slots=True)
class _Result:
    placements: list[Placement] = field(default_factory=list)
    refused: list[tuple[str, ARError]] = field(default_factory=list)
    closed: PeriodClosedError | None = None


def note_job(scope: WriteScope) -> Job:
    """What a RecordPromise, an OpenDispute or an AddNote on an invoice hangs up. Raises RejectedError for foreign ids."""
    command = scope.write.command
    record = scope.write.record_id or command.local_record_id
    match command:
        case RecordPromise():
            known = scope.promise(record)
            recorded = (
                known.recorded_at if known is not None and known.recorded_at else scope.write.first_sent_at
            )
            facts = (
                (Fact.PROMISE_DATE, Fact.PROMISE_AMOUNT) if command.promised_amount else (Fact.PROMISE_DATE,)
            )
            tag = texts.promise_tag(command, scope.identity, scope.tenant, recorded)
            text = texts.promise_text(command)
            later = texts.local_uuid(known.superseded_by or "") if known is not None else None
            if later is not None:
                # A later promise was recorded before this one was delivered; that one need not come back to mark it.
                tag, text = replace(tag, superseded_by=later), f"{_SUPERSEDED} {text}"
            return Job(
                scope.invoice_ids(*command.invoice_ids),
                tag,
                text,
                facts,
                (record, command.customer_id),
                scope.customer_id(command.customer_id),
            )
        case OpenDispute():
            found = scope.view.record(record)
            recorded = found.recorded_at if isinstance(found, Dispute) else scope.write.first_sent_at
            return Job(
                scope.invoice_ids(command.invoice_id),
                texts.dispute_tag(command, scope.identity, scope.tenant, recorded),
                texts.dispute_text(command),
                (Fact.DISPUTE,),
                (record, command.customer_id),
                scope.customer_id(command.customer_id),
            )
        case AddNote():
            (invoice,) = scope.invoice_ids(command.subject_id)
            return Job(
                (invoice,),
                texts.note_tag(command, scope.identity, invoice),
                texts.note_text(command),
                (Fact.NOTE,),
                (),
                None,
            )
        case _:
            raise AssertionError(f"{command.type} is no note")


def place_notes(
    scope: WriteScope, job: Job, there: dict[str, Sequence[Note]] | None = None
) -> list[Placement]:
    """Hang the note on every invoice that has it not yet. `there`: what hangs on each invoice, where that is known.

    An invoice in closed books that takes no note: the fact goes to Customer.Notes (degraded). One of several invoices that
    is refused (deleted meanwhile) does not keep the others from theirs.

    Raises:
        ARError: nothing could be placed; or a passing failure, after which the rest is done by another try.
    """
    result = _Result()
    for number, invoice in enumerate(job.invoices):
        mine = _mine(scope, job, invoice, there) if scope.tried_before or there is not None else []
        try:
            _hang(scope, job, invoice, mine, number=number, result=result)
        except PeriodClosedError as error:
            result.closed = error
        except StaleVersionError:
            raise
        except RejectedError as error:
            result.refused.append((invoice, error))
    if result.closed is not None:
        result.placements += _line_instead(scope, job, result.closed)
    if result.refused and not result.placements:
        raise result.refused[0][1]
    if result.refused:
        reason = "; ".join(f"Invoice {invoice}: {error.message}" for invoice, error in result.refused)
        return [replace(one, degraded=True, reason=reason) for one in result.placements]
    return result.placements


def find_notes(
    scope: WriteScope, job: Job, there: dict[str, Sequence[Note]] | None = None
) -> list[Placement] | None:
    """Where the notes hang; None while any is missing. `there`: what hangs on each invoice, where that is known."""
    found: list[Placement] = []
    missing = False
    for invoice in job.invoices:
        mine = _mine(scope, job, invoice, there)
        found += at_note(job.facts, mine[0], invoice, _subjects(scope, job, invoice)) if mine else []
        missing = missing or not mine
    if not missing:
        return found
    customer = job.customer or customer_of(scope, job.invoices[0])
    notes, block = read_block(scope, customer)
    kind = _line_kind(job.tag)
    if kind is not None and block.find(kind, lines.ref_of(job.tag.id)):
        return found + at_customer(
            job.facts, customer, notes.version, job.subjects, reason="found in Customer.Notes"
        )
    return None


def supersede(
    scope: WriteScope, job: Job, there: dict[str, Sequence[Note]], *, only_look: bool = False
) -> list[Placement] | None:
    """Say on older promises of the same invoices that this one took their place, so that everybody who reads the notes,
    another store included, finds one open promise. With `only_look`: None when any is still to be marked."""
    placements: list[Placement] = []
    older: dict[UUID, PromiseTag] = {}
    for invoice in job.invoices:
        for tag in open_promises(there[invoice], job.tag.id):
            if scope.supersedes(tag, job.tag):
                older[tag.id] = tag
    if older and only_look:
        return None

    def mark(now: Tag) -> Edited | None:
        if not isinstance(now, PromiseTag) or now.superseded_by is not None:
            return None
        return Edited(replace(now, superseded_by=job.tag.id), _SUPERSEDED)

    for tag in older.values():
        # Our own invoices come last: as long as they show it open, another try finds what is still to be marked elsewhere.
        for invoice in sorted(tag.invoices or job.invoices, key=lambda one: one in job.invoices):
            notes = there[invoice] if invoice in there else scope.calls.notes_on("Invoice", invoice)
            placements += _change_all(
                scope,
                invoice,
                [one for one in notes if _has_id(one, tag.id)],
                change=mark,
                facts=(Fact.PROMISE_DATE,),
                subjects=(local_id(tag.id),),
                part=f"s{tag.id.hex[:6]}",
            )
    return placements


def place_withdrawn(scope: WriteScope, command: WithdrawPromise) -> list[Placement]:
    """Say on a promise's notes that it no longer stands; where there is none, hang up one that says so.

    Raises RejectedError when nothing is known of the promise.
    """
    identity, invoices = _known(scope, command.promise_id)
    lead = texts.withdrawn_lead(command)

    def change(tag: Tag) -> Edited | None:
        if not isinstance(tag, PromiseTag) or tag.withdrawn is not None:
            return None
        return Edited(replace(tag, withdrawn=command.withdrawn_on), lead)

    fresh = None
    if promise := scope.promise(command.promise_id):
        tag = texts.promise_tag(promise, identity, scope.tenant, promise.recorded_at)
        fresh = replace(tag, withdrawn=command.withdrawn_on), f"{lead} {texts.promise_text(promise)}"
    about = (command.promise_id, command.customer_id)
    return _change_everywhere(
        scope, identity, invoices, change=change, fresh=fresh, facts=(Fact.PROMISE_DATE,), subjects=about
    )


def place_resolved(scope: WriteScope, command: ResolveDispute) -> list[Placement]:
    """Say on a dispute's note that it is settled; where there is none, hang up one that says so.

    Raises RejectedError when nothing is known of the dispute.
    """
    identity, invoices = _known(scope, command.dispute_id)
    lead = texts.resolved_lead(command)

    def settled(tag: DisputeTag) -> DisputeTag:
        return replace(tag, resolved=command.resolved_on, resolution=command.resolution[:300])

    def change(tag: Tag) -> Edited | None:
        if not isinstance(tag, DisputeTag) or tag.resolved is not None:
            return None
        return Edited(settled(tag), lead)

    fresh = None
    dispute = scope.view.record(command.dispute_id)
    if isinstance(dispute, Dispute):
        tag = texts.dispute_tag(dispute, identity, scope.tenant, dispute.recorded_at)
        fresh = settled(tag), f"{lead} {texts.dispute_text(dispute)}"
    about = (command.dispute_id, command.customer_id)
    return _change_everywhere(
        scope, identity, invoices, change=change, fresh=fresh, facts=(Fact.DISPUTE,), subjects=about
    )


def find_change(
    scope: WriteScope, record: str, facts: tuple[Fact, ...], subjects: tuple[str, ...]
) -> list[Placement] | None:
    """Where a withdrawal or a resolution shows; None while any note of the record does not show it."""
    identity, invoices = _known(scope, record)
    found: list[Placement] = []
    for invoice in invoices:
        for note in own_notes(scope, invoice, identity):
            tag = tag_of(note)
            if tag is None or not is_settled(tag):
                return None
            found += at_note(facts, note, invoice, (scope.id_of(RecordKind.INVOICE, invoice), *subjects))
    return found or None


def at_note(
    facts: tuple[Fact, ...], note: Note, invoice: str, subjects: tuple[str, ...], reason: str | None = None
) -> list[Placement]:
    """The placements of facts in one note."""
    target = f"Attachable note on Invoice {invoice}"
    return [
        Placement(
            fact, target, "Attachable", note.id, note.version, reason is not None, reason, None, subjects
        )
        for fact in facts
    ]


def at_customer(
    facts: tuple[Fact, ...], customer: str, version: str, subjects: tuple[str, ...], reason: str | None = None
) -> list[Placement]:
    """The placements of facts in Customer.Notes; with a reason they are degraded."""
    target = f"Customer.Notes of Customer {customer}"
    return [
        Placement(fact, target, "Customer", customer, version, reason is not None, reason, None, subjects)
        for fact in facts
    ]


def _hang(
    scope: WriteScope, job: Job, invoice: str, mine: Sequence[Note], *, number: int, result: _Result
) -> None:
    subjects = _subjects(scope, job, invoice)
    if mine:
        result.placements += at_note(job.facts, mine[0], invoice, subjects)
        return
    tag, reason = fitting(job.tag, invoice)
    note = hang_note(scope, invoice, tag, job.text, str(number) if number else "")
    if tag_of(note) != tag:
        reason = "QuickBooks did not store the note as it was sent"
    result.placements += at_note(job.facts, note, invoice, subjects, reason)


def _line_instead(scope: WriteScope, job: Job, closed: PeriodClosedError) -> list[Placement]:
    tag = job.tag
    if isinstance(tag, StatusTag):
        raise closed  # its line in Customer.Notes was tried before the note
    customer = job.customer or customer_of(scope, job.invoices[0])
    line = lines.tagged_line(tag, job.text, latin1_only=scope.latin1_only)
    written = change_block(scope, customer, lambda block: (block.put(line), line), "fallback")
    invoices = tuple(scope.id_of(RecordKind.INVOICE, one) for one in job.invoices)
    return at_customer(
        job.facts, customer, written.version, (*invoices, *job.subjects), f"closed books: {closed.message}"
    )


def _change_everywhere(
    scope: WriteScope,
    identity: UUID,
    invoices: tuple[str, ...],
    *,
    change: Callable[[Tag], Edited | None],
    fresh: tuple[Tag, str] | None,
    facts: tuple[Fact, ...],
    subjects: tuple[str, ...],
) -> list[Placement]:
    """Edit all notes of a record; where none is left that can be edited, hang up one that says how it stands."""
    placements: list[Placement] = []
    for number, invoice in enumerate(invoices):
        notes = own_notes(scope, invoice, identity)
        placements += _change_all(
            scope, invoice, notes, change=change, facts=facts, subjects=subjects, part=f"c{number}"
        )
    if placements:
        return placements
    if fresh is None:
        raise _unknown_record(scope, subjects[0])
    tag, text = fresh
    job = Job(invoices, tag, text, facts, subjects, None)
    return place_notes(scope, job, dict.fromkeys(invoices, ()))


def _change_all(
    scope: WriteScope,
    invoice: str,
    notes: Sequence[Note],
    *,
    change: Callable[[Tag], Edited | None],
    facts: tuple[Fact, ...],
    subjects: tuple[str, ...],
    part: str,
) -> list[Placement]:
    placements: list[Placement] = []
    for note in notes:
        written = edit_note(scope, invoice, note, change, f"{part}-{note.id[-6:]}")
        if written is not None:
            about = (scope.id_of(RecordKind.INVOICE, invoice), *subjects)
            placements += at_note(facts, written, invoice, about)
    return placements


def _known(scope: WriteScope, record: str) -> tuple[UUID, tuple[str, ...]]:
    """The mark of an earlier fact of ours, and the invoices it hangs on."""
    identity = texts.local_uuid(record)
    found = scope.view.record(record)
    ids = getattr(found, "invoice_ids", None) or (getattr(found, "invoice_id", None),)
    if found is None:
        prefix = scope.id_of(RecordKind.INVOICE, "0")[:-1]
        placed = (one for placement in scope.view.placements(record) for one in placement.subject_ids)
        ids = tuple(one for one in placed if one.startswith(prefix))
    invoices = scope.invoice_ids(*(one for one in ids if one))
    if identity is None or not invoices:
        raise _unknown_record(scope, record)
    return identity, invoices


def _unknown_record(scope: WriteScope, record: str) -> RejectedError:
    return RejectedError(
        f"nothing is known of {record}: it is not in the store, and no note in QuickBooks has its mark",
        platform=PLATFORM,
        tenant=scope.tenant.id,
        operation=scope.write.command.type,
        advice="sync this connection first; give the id of a promise or dispute that was recorded here",
    )


def customer_of(scope: WriteScope, invoice: str) -> str:
    """QuickBooks' id of the customer an invoice was billed to: as synced, else asked. Raises RejectedError."""
    known = scope.invoice(invoice)
    if known is not None and known.customer_id is not None:
        return scope.customer_id(known.customer_id)
    customer = scope.calls.invoice_fields(invoice).customer
    if customer is None:
        raise RejectedError(f"Invoice {invoice} has no customer", platform=PLATFORM, tenant=scope.tenant.id)
    return customer


def _subjects(scope: WriteScope, job: Job, invoice: str) -> tuple[str, ...]:
    return (scope.id_of(RecordKind.INVOICE, invoice), *job.subjects)


def _mine(scope: WriteScope, job: Job, invoice: str, there: dict[str, Sequence[Note]] | None) -> list[Note]:
    if there is None:
        return own_notes(scope, invoice, job.tag.id)
    return [note for note in there[invoice] if _has_id(note, job.tag.id)]


def _line_kind(tag: Tag) -> str | None:
    return {PromiseTag: "ptp", DisputeTag: "dispute", NoteTag: "note"}.get(type(tag))


def _has_id(note: Note, identity: UUID) -> bool:
    tag = tag_of(note)
    return tag is not None and tag.id == identity
