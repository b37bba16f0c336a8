"""A dispute in NetSuite: an activity on its invoice, and the invoice's own fields where the account has some for it.

NetSuite knows no disputed invoice; a case is a record of another department. The activity is the dispute's record, changed when it
is settled.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.adapterkit.notes import DisputeTag, Tag
from ar_connectors.connector import Fact, Placement
from ar_connectors.netsuite.writeback_activities import Edited, Said, at_activity, edited, said
from ar_connectors.netsuite.writeback_native import kept
from ar_connectors.netsuite.writeback_scope import WriteScope
from ar_core.commands import OpenDispute, ResolveDispute
from ar_core.model import Dispute, RecordKind

__all__ = ["open_dispute", "resolve_dispute"]

_FACTS: Final = (Fact.DISPUTE,)
_FIELDS: Final = ("disputed", "dispute_reason", "dispute_amount", "dispute_opened", "dispute_note")


def open_dispute(scope: WriteScope, command: OpenDispute) -> list[Placement] | None:
    """Note a dispute on its invoice and fill the mapped fields."""
    record = scope.write.record_id or command.local_record_id
    known = scope.view.record(record)
    recorded = known.recorded_at if isinstance(known, Dispute) else scope.write.first_sent_at
    (invoice,) = scope.invoice_ids(command.invoice_id)
    tag = texts.dispute_tag(command, scope.identity, scope.tenant, recorded)
    title = f"Dispute: {command.reason}"
    subjects = (record, command.customer_id)
    what = Said(tag, title, texts.dispute_text(command), command.opened_on)
    made = said(scope, scope.on_invoice(invoice), what, _FACTS, subjects)
    if made is None:
        return None
    if isinstance(known, Dispute) and known.resolved_on is not None:
        return made  # it was settled before this was delivered: the fields are never filled
    facts = {
        "disputed": True,
        "dispute_reason": command.reason,
        "dispute_amount": command.disputed_amount,
        "dispute_opened": command.opened_on,
        "dispute_note": command.note,
    }
    return _filled(scope, invoice, facts, subjects, made)


def resolve_dispute(scope: WriteScope, command: ResolveDispute) -> list[Placement] | None:
    """Say on a dispute's activity that it is settled, and empty the mapped fields. Raises RejectedError when nothing is known of it."""
    known = scope.view.record(command.dispute_id)
    identity = texts.local_uuid(command.dispute_id)
    if not isinstance(known, Dispute) or identity is None:
        raise scope.unknown(command.dispute_id)
    lead = texts.resolved_lead(command)
    resolution = texts.shortened(command.resolution)

    def change(tag: Tag) -> Edited | None:
        if not isinstance(tag, DisputeTag) or tag.resolved is not None:
            return None
        settled = replace(tag, resolved=command.resolved_on, resolution=resolution)
        return Edited(settled, lead, "Resolved")

    (invoice,) = scope.invoice_ids(known.invoice_id)
    place, subjects = scope.on_invoice(invoice), (command.dispute_id, command.customer_id)
    activity = scope.calls.activity(place.external_id(identity))
    made: list[Placement] | None
    if activity is not None:
        if edited(scope, activity, change) is None:
            return None
        made = at_activity(scope, place, activity, _FACTS, subjects)
    else:
        tag = replace(
            texts.dispute_tag(known, identity, scope.tenant, known.recorded_at),
            resolved=command.resolved_on,
            resolution=resolution,
        )
        text = f"{lead} {texts.dispute_text(known)}"
        what = Said(tag, f"Resolved: Dispute: {known.reason}", text, command.resolved_on)
        made = said(scope, place, what, _FACTS, subjects, known={})
    if made is None:
        return None
    if _another_stands(scope, known):
        return made
    facts = {word: False if word == "disputed" else None for word in _FIELDS}
    return _filled(scope, invoice, facts, subjects, made)


def _filled(
    scope: WriteScope,
    invoice: str,
    facts: dict[str, Any],
    subjects: tuple[str, ...],
    made: list[Placement],
) -> list[Placement] | None:
    custom = scope.options.fields.changes(facts)
    found = kept(scope, "invoice", invoice, {}, custom)
    if found.missing:
        return None
    if not custom:
        return made
    about = (scope.id_of(RecordKind.INVOICE, invoice), *subjects)
    target = f"{', '.join(custom)} of invoice {invoice}"
    shown = Placement(
        Fact.DISPUTE, target, "invoice", invoice, None, found.custom is not None, found.custom, None, about
    )
    return [shown, *made]


def _another_stands(scope: WriteScope, settled: Dispute) -> bool:
    """True when the invoice is disputed for another reason too: then its fields stay as they are."""
    for placement in scope.view.placements(settled.invoice_id, "open_dispute"):
        for one in placement.subject_ids:
            other = scope.view.record(one) if one != settled.id and one.startswith("local:") else None
            if (
                isinstance(other, Dispute)
                and other.invoice_id == settled.invoice_id
                and other.resolved_on is None
            ):
                return True
    return False
