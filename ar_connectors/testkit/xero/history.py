"""What is written in a document's history? Notes that nobody can change, beside what Xero itself writes down."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.ledger.records import Kind
from ar_connectors.testkit.xero.errors import Invalid, Refused, invalid, malformed
from ar_connectors.testkit.xero.ids import Code, parse
from ar_connectors.testkit.xero.texts import Row, envelope_time, stamp
from ar_connectors.testkit.xero.view import View

__all__ = ["History", "kind_of"]

_KINDS: Final[dict[str, tuple[tuple[Code, Kind], ...]]] = {
    "Invoices": (("invoice", "invoice"),),
    "CreditNotes": (("credit", "credit"),),
    "Contacts": (("contact", "customer"),),
    "Payments": (("payment", "payment"),),
    "Prepayments": (("onaccount", "payment"), ("onaccount", "deposit"), ("onaccount", "invoice")),
    "Overpayments": (("onaccount", "payment"),),
    "BatchPayments": (("batch", "payment"),),
}
_OWN_WORDS: Final = {
    "created": ("Approved", "{what} approved"),
    "changed": ("Edited", "{what} edited"),
    "settled": ("Paid", "Amount applied"),
    "voided": ("Voided", "{what} voided"),
}


def kind_of(ledger: Ledger, endpoint: str, identity: str) -> tuple[Kind, str] | None:
    """The record of the books behind a document of Xero, None when there is none."""
    for code, kind in _KINDS.get(endpoint, ()):
        found = parse(code, identity)
        if found is not None and (found[0] in ledger.shelf(kind) or (kind, found[0]) in ledger.removed):
            return kind, found[0]
    return None


class History:
    """Histories of one company. Its user holds the lock.

    Args:
        limit: most characters of a note: Xero's page says 2500, an older one 250.
        user: whose name stands beside notes of an app.
    """

    def __init__(self, view: View, *, limit: int = 2500, user: str = "System Generated") -> None:
        self.view = view
        self.limit = limit
        self.user = user

    def read(self, endpoint: str, identity: str) -> list[Row]:
        """All records, the newest first. Raises Refused (404)."""
        place = kind_of(self.view.ledger, endpoint, identity)
        if place is None:
            if self.view.side.row(endpoint, identity) is not None:
                return []
            raise Refused(404, "The resource you're looking for cannot be found", "text/html; charset=utf-8")
        ledger = self.view.ledger
        singular = endpoint.removesuffix("s")
        found = [
            (one.at, _row(one.at, words[0], words[1].format(what=singular), self.user))
            for one in ledger.log
            if (one.kind, one.id) == place and (words := _OWN_WORDS.get(one.what)) is not None
        ]
        found += [
            (note.created, _row(note.created, "Note", note.text or "", self.user))
            for note in ledger.notes.values()
            if place in note.on
        ]
        return [row for _, row in sorted(found, key=lambda one: one[0], reverse=True)]

    def write(self, endpoint: str, identity: str, body: Any) -> list[Row]:
        """Add notes. Nothing is added when one of them cannot be. Raises Refused."""
        records = body.get("HistoryRecords") if isinstance(body, dict) else None
        if not isinstance(records, list) or not records or not all(isinstance(one, dict) for one in records):
            raise malformed("HistoryRecords is missing or is no list of records")
        place = kind_of(self.view.ledger, endpoint, identity)
        now = self.view.ledger.now()
        echoes, wrong = [], False
        for one in records:
            echo: Row = {
                "DateUTCString": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
                "DateUTC": envelope_time(now),
                "Details": one.get("Details"),
            }
            try:
                self._check(place, one.get("Details"))
                echo["ValidationErrors"] = []
            except Invalid as error:
                wrong = True
                echo["ValidationErrors"] = [{"Message": message} for message in error.messages]
            echoes.append(echo)
        if wrong or place is None:
            raise invalid(echoes)
        for one in records:
            self.view.ledger.add_note(one["Details"], [place])
        return echoes

    def _check(self, place: tuple[Kind, str] | None, details: Any) -> None:
        if place is None:
            raise Invalid("The document with the supplied id was not found for this endpoint.")
        if not isinstance(details, str) or not details.strip():
            raise Invalid("Details is required.")
        if len(details) > self.limit:
            raise Invalid(f"The Details field must be no longer than {self.limit} characters.")


def _row(at: Any, changes: str, details: str, user: str) -> Row:
    return {
        "Changes": changes,
        "DateUTCString": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        "DateUTC": stamp(at),
        "User": user,
        "Details": details,
    }
