"""Phone calls, tasks and support cases: notes of the books, with NetSuite's fields beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ar_connectors.testkit.ledger import Ledger, Note
from ar_connectors.testkit.ledger.records import Kind

__all__ = ["ACTIVITIES", "Activity", "activities", "activity", "add_activity", "change_activity"]

ACTIVITIES: Final = ("phoneCall", "task", "supportCase")
_OFFSET: Final = 5_000_000_000_000_000_000
"""Notes of the books have long ids, for another ERP's sake; here they count from 1."""
_TEXTS: Final = {"phoneCall": "message", "task": "message", "supportCase": "incomingMessage"}


@dataclass(frozen=True, slots=True)
class Activity:
    """One of them."""

    note: Note

    @property
    def id(self) -> str:
        """The internal id."""
        return str(int(self.note.id) - _OFFSET)

    @property
    def kind(self) -> str:
        """The record type."""
        return str(self.note.extra["recordType"])

    @property
    def fields(self) -> dict[str, Any]:
        """The fields as they were written, references as bare ids."""
        fields: dict[str, Any] = self.note.extra["fields"]
        return fields

    @property
    def external_id(self) -> str | None:
        """What the writer knows it by."""
        value = self.fields.get("externalId")
        return None if value is None else str(value)


def activities(ledger: Ledger, kind: str) -> Iterator[Activity]:
    """All of a kind."""
    for note in ledger.notes.values():
        if note.extra.get("recordType") == kind:
            yield Activity(note)


def activity(ledger: Ledger, kind: str, identity: str) -> Activity | None:
    """One by its internal id."""
    note = ledger.notes.get(str(int(identity) + _OFFSET)) if identity.isdecimal() else None
    return Activity(note) if note is not None and note.extra.get("recordType") == kind else None


def add_activity(ledger: Ledger, kind: str, fields: dict[str, Any]) -> Activity:
    """A new one, hung on the invoice or customer it names. Raises LedgerError for one there is not."""
    note = ledger.add_note(_text(kind, fields), _places(ledger, fields))
    note.extra = {"recordType": kind, "fields": fields}
    return Activity(note)


def change_activity(ledger: Ledger, one: Activity, fields: dict[str, Any]) -> None:
    """New values for fields; None takes one away."""
    merged = {name: value for name, value in {**one.fields, **fields}.items() if value is not None}
    extra = {"recordType": one.kind, "fields": merged}
    ledger.change_note(one.note.id, text=_text(one.kind, merged), on=_places(ledger, merged), extra=extra)


def _text(kind: str, fields: dict[str, Any]) -> str | None:
    parts = [fields.get("title"), fields.get(_TEXTS[kind])]
    return "\n".join(str(part) for part in parts if part) or None


def _places(ledger: Ledger, fields: dict[str, Any]) -> tuple[tuple[Kind, str], ...]:
    identity = str(fields.get("transaction", ""))
    if identity in ledger.invoices:
        return (("invoice", identity),)
    company = str(fields.get("company", ""))
    return (("customer", company),) if company in ledger.customers else ()
