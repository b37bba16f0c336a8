"""The few calls that writing needs: notes by invoice, one customer, one invoice, and the smallest bodies that change them.

Nothing that was read is ever posted back: a body has the id, the version token and the one field that changes. A full
body would null what it leaves out and overwrite what it holds (quirks.md#qbo-43).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from ar_connectors.adapterkit.writing import outcome_told
from ar_connectors.errors import ContractError, NotFoundError, WriteOutcomeUnknown
from ar_connectors.http.messages import Replay, Request, Response
from ar_connectors.quickbooks.client import MINOR_VERSION, PAGE_SIZE, Sender, quoted
from ar_connectors.quickbooks.faults import PLATFORM, redact

__all__ = ["Calls", "CustomerNotes", "InvoiceFields", "Note", "request_id"]


@dataclass(frozen=True, slots=True)
class Note:
    """An Attachable without a file."""

    id: str
    version: str
    text: str
    links: tuple[tuple[str, str], ...]
    """Type and id of what it hangs on."""


@dataclass(frozen=True, slots=True)
class CustomerNotes:
    """Customer.Notes at one version."""

    id: str
    version: str
    text: str


@dataclass(frozen=True, slots=True)
class InvoiceFields:
    """Custom fields of an invoice at one version, and whom it was billed to."""

    id: str
    version: str
    customer: str | None
    number: str | None
    fields: tuple[Mapping[str, str], ...]


def request_id(key: str, part: str = "") -> str:
    """The `requestid` of one POST of a command: its idempotency key, and what tells several POSTs apart; at most 50
    characters (quirks.md#qbo-44). The same POST sent again has the same one; it helps where QuickBooks heeds it and nothing
    relies on it."""
    whole = f"{key}-{part}" if part else key
    return whole if len(whole) <= 50 else sha256(whole.encode()).hexdigest()[:50]


class Calls:
    """Reads and writes of one company. `base_url` is the host, without a path."""

    def __init__(self, sender: Sender, tenant: str, base_url: str) -> None:
        self._sender = sender
        self._tenant = tenant
        self._root = f"{base_url.rstrip('/')}/v3/company/{tenant}"

    def notes_on(self, entity: str, identity: str) -> Sequence[Note]:
        """All notes on a transaction, oldest id first as QuickBooks lists them; files are left out."""
        return [note for row in self._attachables(entity, identity) if (note := _note(row)) is not None]

    def create_note(self, entity: str, identity: str, text: str, requestid: str) -> Note:
        """Hang a note on a transaction. It never travels with an e-mail: IncludeOnSend is said, not left to a default."""
        reference = {"EntityRef": {"type": entity, "value": identity}, "IncludeOnSend": False}
        answer = self._post(
            "attachable", {"Note": text, "AttachableRef": [reference]}, f"note on {entity}", requestid
        )
        return self._written_note(answer)

    def update_note(self, note: Note, text: str, requestid: str) -> Note:
        """Change the text of a note of ours. Whether a sparse update of an Attachable keeps its links is not documented, so
        they are said again, ids only; the version token guards them. Raises StaleVersionError."""
        links = [{"EntityRef": {"type": t, "value": v}, "IncludeOnSend": False} for t, v in note.links]
        body = {
            "Id": note.id,
            "SyncToken": note.version,
            "sparse": True,
            "Note": text,
            "AttachableRef": links,
        }
        return self._written_note(self._post("attachable", body, "update note", requestid))

    def customer_notes(self, identity: str) -> CustomerNotes:
        """Customer.Notes as it is now. Raises NotFoundError."""
        return _customer(self._get(f"customer/{identity}", "Customer"))

    def update_customer_notes(self, notes: CustomerNotes, text: str, requestid: str) -> CustomerNotes:
        """Replace Customer.Notes and nothing else. Raises StaleVersionError."""
        body = {"Id": notes.id, "SyncToken": notes.version, "sparse": True, "Notes": text}
        answer = self._post("customer", body, "update Customer.Notes", requestid)
        written = _customer(self._entity(answer, "Customer", wrote=True))
        # An answer that leaves Notes out says nothing about it; one that holds other text does.
        return written if "Notes" in answer["Customer"] else replace(written, text=text)

    def invoice_fields(self, identity: str) -> InvoiceFields:
        """An invoice's custom fields as they are now. Raises NotFoundError."""
        return _invoice(self._get(f"invoice/{identity}", "Invoice"))

    def update_invoice_fields(
        self, invoice: InvoiceFields, fields: Sequence[Mapping[str, str]], requestid: str
    ) -> InvoiceFields:
        """Replace an invoice's custom fields, all of them: QuickBooks takes the array as a whole (quirks.md#qbo-43)."""
        body = {
            "Id": invoice.id,
            "SyncToken": invoice.version,
            "sparse": True,
            "CustomField": [dict(f) for f in fields],
        }
        answer = self._post("invoice", body, "update Invoice.CustomField", requestid)
        return _invoice(self._entity(answer, "Invoice", wrote=True))

    def _attachables(self, entity: str, identity: str) -> Iterator[Mapping[str, Any]]:
        start = 1
        while True:
            statement = (
                f"select * from Attachable where AttachableRef.EntityRef.type = {quoted(entity)} "  # noqa: S608
                f"and AttachableRef.EntityRef.value = {quoted(identity)} startposition {start} maxresults {PAGE_SIZE}"
            )
            answer = self._send(
                "GET", "query", f"query Attachable of {entity}", params=(("query", statement),)
            )
            document = self._document(answer, "query Attachable")
            rows = (document.get("QueryResponse") or {}).get("Attachable") or []
            yield from rows
            if len(rows) < PAGE_SIZE:
                return
            start += PAGE_SIZE

    def _get(self, path: str, entity: str) -> Mapping[str, Any]:
        document = self._document(self._send("GET", path, f"read {entity}"), f"read {entity}")
        return self._entity(document, entity)

    def _entity(self, document: Mapping[str, Any], entity: str, *, wrote: bool = False) -> Mapping[str, Any]:
        row = document.get(entity)
        if isinstance(row, dict) and row.get("Id") and row.get("SyncToken") is not None:
            if row.get("status") == "Deleted":
                raise NotFoundError(f"this {entity} was deleted", **self._where(f"read {entity}"))
            return row
        if wrote:
            raise WriteOutcomeUnknown(
                f"the write may have happened: the answer has no {entity} in it",
                **self._where(f"write {entity}"),
            )
        raise ContractError(f"the answer has no {entity} in it", **self._where(f"read {entity}"))

    def _written_note(self, document: Mapping[str, Any]) -> Note:
        row = self._entity(document, "Attachable", wrote=True)
        return _note(row) or Note(str(row["Id"]), str(row["SyncToken"]), "", _links(row))

    def _post(self, path: str, body: Mapping[str, Any], operation: str, requestid: str) -> Mapping[str, Any]:
        with outcome_told():
            answer = self._send("POST", path, operation, (("requestid", requestid),), body)
            return self._document(answer, operation)

    def _send(
        self,
        method: str,
        path: str,
        operation: str,
        params: Sequence[tuple[str, str]] = (),
        body: Mapping[str, Any] | None = None,
    ) -> Response:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self._sender.send(
            Request(
                method=method,
                url=f"{self._root}/{path}",
                operation=operation,
                params=(*params, ("minorversion", MINOR_VERSION)),
                headers=headers,
                # ASCII only: whatever characters a text has, they arrive as they were read.
                body=None if body is None else json.dumps(body, ensure_ascii=True).encode("ascii"),
                replay=Replay.SAFE if method == "GET" else Replay.UNSAFE,
                metered_units=1 if method == "GET" else 0,
            )
        )

    def _document(self, answer: Response, operation: str) -> Mapping[str, Any]:
        try:
            document = json.loads(answer.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            return document
        raise ContractError(
            "the answer is not a JSON object",
            **self._where(operation),
            http_status=answer.status,
            excerpt=redact(answer.body[:300].decode("utf-8", errors="replace")),
        )

    def _where(self, operation: str) -> dict[str, Any]:
        return {"platform": PLATFORM, "tenant": self._tenant, "operation": operation}


def _note(row: Mapping[str, Any]) -> Note | None:
    text = row.get("Note")
    if not isinstance(text, str) or not row.get("Id"):
        return None
    return Note(str(row["Id"]), str(row.get("SyncToken", "0")), text, _links(row))


def _links(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    references = ((link or {}).get("EntityRef") or {} for link in row.get("AttachableRef") or ())
    return tuple(
        (str(one["type"]), str(one["value"])) for one in references if one.get("type") and one.get("value")
    )


def _customer(row: Mapping[str, Any]) -> CustomerNotes:
    return CustomerNotes(str(row["Id"]), str(row["SyncToken"]), row.get("Notes") or "")


def _invoice(row: Mapping[str, Any]) -> InvoiceFields:
    names = ("DefinitionId", "Name", "Type", "StringValue")
    fields = tuple(
        {name: str(field[name]) for name in names if field.get(name) is not None}
        for field in row.get("CustomField") or ()
    )
    customer = (row.get("CustomerRef") or {}).get("value")
    return InvoiceFields(str(row["Id"]), str(row["SyncToken"]), customer, row.get("DocNumber"), fields)
