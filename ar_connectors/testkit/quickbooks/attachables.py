"""Notes on records: what may be hung on what, and what a change of one does. Notes never touch what they hang on."""

from __future__ import annotations

from typing import Any, Final

from ar_connectors.testkit.ledger import Ledger, Note
from ar_connectors.testkit.ledger.records import Kind
from ar_connectors.testkit.quickbooks.bodies import Body, current, text_of
from ar_connectors.testkit.quickbooks.errors import ServiceError

__all__ = ["write_attachable"]

_LONGEST: Final = 2000
_TARGETS: Final[dict[str, Kind]] = {
    "Invoice": "invoice",
    "CreditMemo": "credit",
    "Payment": "payment",
    "JournalEntry": "journal",
    "Customer": "customer",
}


def write_attachable(ledger: Ledger, operation: str, body: Body) -> Note | str:
    """Create, update (what is not named stays only when sparse) or delete a note. Raises ServiceError."""
    if operation == "create":
        text, file = text_of(ledger, body, "Note", _LONGEST), body.get("FileName") or None
        if text is None and file is None:
            raise ServiceError("2020", "Required param missing: Note or FileName", element="Note")
        on, sends = _references(ledger, body)
        note = ledger.add_note(text, on, file=file)
        note.extra["IncludeOnSend"] = sends
        return note
    note = current(ledger.notes, body)
    if operation == "delete":
        ledger.delete_note(note.id)
        return note.id
    if operation != "update":
        raise ServiceError("500", f"Operation {operation} of Attachable is not supported.")
    sparse = bool(body.get("sparse"))
    changes: dict[str, Any] = {}
    if "Note" in body or not sparse:
        changes["text"] = text_of(ledger, body, "Note", _LONGEST)
    if "AttachableRef" in body or not sparse:
        changes["on"], sends = _references(ledger, body)
        changes["extra"] = {**note.extra, "IncludeOnSend": sends}
    return ledger.change_note(note.id, **changes)


def _references(ledger: Ledger, body: Body) -> tuple[tuple[tuple[Kind, str], ...], dict[str, bool]]:
    on: list[tuple[Kind, str]] = []
    sends = {}
    for row in body.get("AttachableRef") or ():
        reference = row.get("EntityRef") or {}
        type_, value = str(reference.get("type")), str(reference.get("value"))
        kind = _TARGETS.get(type_)
        if kind is None or value not in ledger.shelf(kind):
            raise ServiceError(
                "6000",
                f"Business Validation Error: The entity {type_} {value} that you are trying to link does not exist. "
                f"{type_} {value}",
            )
        on.append((kind, value))
        sends[f"{kind}:{value}"] = bool(row.get("IncludeOnSend", False))
    return tuple(on), sends
