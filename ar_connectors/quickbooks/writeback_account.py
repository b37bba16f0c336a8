"""Collections status, order hold and notes about a customer: a custom field, or a line in Customer.Notes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.connector import Fact, Placement
from ar_connectors.errors import NotFoundError, PeriodClosedError, RejectedError, StaleVersionError
from ar_connectors.quickbooks import managed_lines as lines
from ar_connectors.quickbooks.managed_block import Block, Line, parse_block
from ar_connectors.quickbooks.writeback_activity import Job, at_customer, at_note, customer_of, place_notes
from ar_connectors.quickbooks.writeback_calls import InvoiceFields
from ar_connectors.quickbooks.writeback_customer import RETRIES, change_block, read_block
from ar_connectors.quickbooks.writeback_notes import own_notes
from ar_connectors.quickbooks.writeback_scope import WriteOptions, WriteScope
from ar_core.commands import AddNote, ReleaseOrderHold, SetCollectionsStatus, SetOrderHold
from ar_core.model import RecordKind, parse_record_id

__all__ = [
    "find_customer_note",
    "find_hold",
    "find_release",
    "find_status",
    "place_customer_note",
    "place_hold",
    "place_release",
    "place_status",
]

_STATUS = (Fact.COLLECTIONS_STATUS,)
_HOLD = (Fact.ORDER_HOLD,)
_NOTE = (Fact.NOTE,)
_CUT = "Customer.Notes is nearly full: lines of ours were shortened or left out"


def place_customer_note(scope: WriteScope, command: AddNote) -> list[Placement]:
    """A note about a customer, as a line of our block. Raises RejectedError when there is no room."""
    customer = scope.customer_id(command.subject_id)
    line = lines.note_line(command, scope.identity, latin1_only=scope.latin1_only)
    return _put(scope, customer, line, _NOTE, (command.subject_id,))


def find_customer_note(scope: WriteScope, command: AddNote) -> list[Placement] | None:
    """Whether that line is there."""
    return _find_line(scope, scope.customer_id(command.subject_id), "note", _NOTE, (command.subject_id,))


def place_hold(scope: WriteScope, command: SetOrderHold) -> list[Placement]:
    """Advise to stop new orders. What stood there before us is kept in the placement, to be put back on release."""
    customer = scope.customer_id(command.customer_id)
    line = lines.hold_line(command, scope.identity, latin1_only=scope.latin1_only)
    written = change_block(scope, customer, lambda block: (block.put(line), line))
    earlier = _last_hold(scope, command.customer_id)
    before = written.before.find("hold")
    if earlier is not None and before is not None:
        previous = earlier.previous  # our own second advice: what was there before the first one counts
    else:
        kept = None if before is None or before.ref == line.ref else str(before)
        previous = json.dumps({"hold": kept})
    placements = at_customer(
        _HOLD, customer, written.version, (command.customer_id,), _CUT if written.cut else None
    )
    return [replace(one, previous=previous) for one in placements]


def find_hold(scope: WriteScope, command: SetOrderHold) -> list[Placement] | None:
    """Whether that advice is there."""
    return _find_line(scope, scope.customer_id(command.customer_id), "hold", _HOLD, (command.customer_id,))


def place_release(scope: WriteScope, command: ReleaseOrderHold) -> list[Placement]:
    """Take the advice away, and put back what our first one replaced."""
    customer = scope.customer_id(command.customer_id)
    back = _replaced(scope, command.customer_id)

    def edit(block: Block) -> tuple[Block, Line | None]:
        if block.find("hold") is None:
            return block, None
        return (block.drop("hold"), None) if back is None else (block.put(back), back)

    written = change_block(scope, customer, edit)
    return at_customer(_HOLD, customer, written.version, (command.customer_id,))


def find_release(scope: WriteScope, command: ReleaseOrderHold) -> list[Placement] | None:
    """Whether the advice is gone."""
    customer = scope.customer_id(command.customer_id)
    notes, block = read_block(scope, customer)
    back = _replaced(scope, command.customer_id)
    hold = block.find("hold")
    if hold is None or (back is not None and hold.ref == back.ref):
        return at_customer(_HOLD, customer, notes.version, (command.customer_id,))
    return None


def place_status(scope: WriteScope, command: SetCollectionsStatus, options: WriteOptions) -> list[Placement]:
    """The status of a customer, or of an invoice: the configured custom field, else a line of our block, else (no room
    there) a note on the invoice."""
    if not _is_invoice(command.subject_id):
        customer = scope.customer_id(command.subject_id)
        line = lines.status_line(command, scope.identity, None, None, latin1_only=scope.latin1_only)
        return _put(scope, customer, line, _STATUS, (command.subject_id,))
    (invoice,) = scope.invoice_ids(command.subject_id)
    reason = None
    if options.status_custom_field is not None:
        placed = _in_field(scope, command, invoice, options)
        if isinstance(placed, Placement):
            return [placed]
        reason = placed
    customer = customer_of(scope, invoice)
    known = scope.invoice(invoice)
    line = lines.status_line(
        command, scope.identity, invoice, known.number if known else None, latin1_only=scope.latin1_only
    )
    try:
        return _put(scope, customer, line, _STATUS, (command.subject_id,), reason=reason)
    except StaleVersionError:
        raise
    except RejectedError as error:
        job = _status_job(scope, command, invoice)
        return [replace(one, degraded=True, reason=error.message) for one in place_notes(scope, job)]


def find_status(
    scope: WriteScope, command: SetCollectionsStatus, options: WriteOptions
) -> list[Placement] | None:
    """Whether the status is in any of its places."""
    if not _is_invoice(command.subject_id):
        return _find_line(
            scope, scope.customer_id(command.subject_id), "status", _STATUS, (command.subject_id,)
        )
    (invoice,) = scope.invoice_ids(command.subject_id)
    if options.status_custom_field is not None:
        now = scope.calls.invoice_fields(invoice)
        if _value(now.fields, options.status_custom_field) == _field_value(scope, command, options):
            return [_at_field(now, options, command)]
    kind = lines.status_line(command, scope.identity, invoice, None, latin1_only=True).kind or ""
    customer = customer_of(scope, invoice)
    placed = _find_line(scope, customer, kind, _STATUS, (command.subject_id,))
    if placed is not None:
        return placed
    mine = own_notes(scope, invoice, scope.identity)
    return at_note(_STATUS, mine[0], invoice, (command.subject_id,), "found in a note") if mine else None


def _put(
    scope: WriteScope,
    customer: str,
    line: Line,
    facts: tuple[Fact, ...],
    subjects: tuple[str, ...],
    *,
    reason: str | None = None,
) -> list[Placement]:
    written = change_block(scope, customer, lambda block: (block.put(line), line))
    if written.cut:
        reason = _CUT
    elif written.after.find(line.kind or "", line.ref) is None:
        reason = "QuickBooks did not store the line as it was sent"
    return at_customer(facts, customer, written.version, subjects, reason)


def _find_line(
    scope: WriteScope, customer: str, kind: str, facts: tuple[Fact, ...], subjects: tuple[str, ...]
) -> list[Placement] | None:
    notes, block = read_block(scope, customer)
    if block.find(kind, lines.ref_of(scope.identity)) is None:
        return None
    return at_customer(facts, customer, notes.version, subjects)


def _in_field(
    scope: WriteScope, command: SetCollectionsStatus, invoice: str, options: WriteOptions
) -> Placement | str:
    """The placement in the custom field, or the reason why it has to go elsewhere."""
    name = options.status_custom_field or ""
    if scope.books_closed(invoice):
        return "the invoice lies in closed books"
    now = scope.calls.invoice_fields(invoice)
    value = _field_value(scope, command, options)
    for again in range(RETRIES + 1):
        fields = _with_value(now.fields, name, value)
        if fields is None:
            return f"the invoice has no custom field {name!r}"
        try:
            written = scope.calls.update_invoice_fields(
                now, fields, scope.request_id(f"field-{again}" if again else "field")
            )
        except StaleVersionError:
            if again == RETRIES:
                raise
            now = scope.calls.invoice_fields(invoice)
            continue
        except NotFoundError:
            raise
        except (PeriodClosedError, RejectedError) as error:
            return error.message
        if _value(written.fields, name) != value:
            return f"QuickBooks did not keep the custom field {name!r}"
        return _at_field(written, options, command)
    raise AssertionError("unreachable: the last try returns or raises")


def _with_value(fields: Sequence[Mapping[str, str]], name: str, value: str) -> list[Mapping[str, str]] | None:
    """All custom fields with one changed: QuickBooks replaces the array as a whole."""
    chosen = _chosen(fields, name)
    if chosen is None:
        if not name.isdecimal():
            return None
        return [*fields, {"DefinitionId": name, "Type": "StringType", "StringValue": value}]
    return [{**one, "StringValue": value} if one is chosen else one for one in fields]


def _chosen(fields: Sequence[Mapping[str, str]], name: str) -> Mapping[str, str] | None:
    for key in ("DefinitionId", "Name"):
        for one in fields:
            if one.get(key, "").casefold() == name.casefold():
                return one
    return None


def _value(fields: Sequence[Mapping[str, str]], name: str) -> str | None:
    chosen = _chosen(fields, name)
    return None if chosen is None else chosen.get("StringValue")


def _field_value(scope: WriteScope, command: SetCollectionsStatus, options: WriteOptions) -> str:
    return lines.field_text(scope.clean(command.status), options.custom_field_length)


def _at_field(invoice: InvoiceFields, options: WriteOptions, command: SetCollectionsStatus) -> Placement:
    return Placement(
        Fact.COLLECTIONS_STATUS,
        f"custom field {options.status_custom_field!r} of Invoice {invoice.id}",
        "Invoice",
        invoice.id,
        invoice.version,
        subject_ids=(command.subject_id,),
    )


def _status_job(scope: WriteScope, command: SetCollectionsStatus, invoice: str) -> Job:
    tag = texts.status_tag(command, scope.identity, invoice)
    return Job((invoice,), tag, texts.status_text(command), _STATUS, (), None)


def _last_hold(scope: WriteScope, customer: str) -> Placement | None:
    """Our last advice on a customer, or None when it never had one."""
    holds = scope.view.placements(customer, "set_order_hold")
    return holds[-1] if holds else None


def _replaced(scope: WriteScope, customer: str) -> Line | None:
    """The line that our advice replaced."""
    last = _last_hold(scope, customer)
    kept = json.loads(last.previous).get("hold") if last is not None and last.previous else None
    if not kept:
        return None
    block = parse_block(f"--- AR status (managed) ---\n{kept}\n--- end ---")
    return block.find("hold")


def _is_invoice(record: str) -> bool:
    parts = parse_record_id(record)
    return parts is not None and parts.kind == RecordKind.INVOICE
