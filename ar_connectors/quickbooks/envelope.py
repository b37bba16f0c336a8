"""Which rows are in a body? Every envelope of QuickBooks taken apart into rows with their exact bytes.

A body is a bare entity, a list, an entity under its name, a QueryResponse, a CDCResponse, a BatchItemResponse or an
AttachableResponse: its shape decides (quirks.md#qbo-5). The cutting itself is `adapterkit.cutting`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from ar_connectors.adapterkit.cutting import Cutter, cut_up, loads_plain
from ar_connectors.errors import ContractError
from ar_connectors.quickbooks.faults import PLATFORM, Fault, fault_error, fault_in, parse_fault, redact

__all__ = ["ENTITY_NAMES", "Envelope", "Row", "open_envelope"]

ENTITY_NAMES: Final = frozenset(
    {
        "Account", "Attachable", "Bill", "BillPayment", "Budget", "Charge", "Class", "CompanyCurrency",
        "CompanyInfo", "CreditCardPayment", "CreditMemo", "Customer", "CustomerType", "Department", "Deposit",
        "Employee", "Entitlements", "Estimate", "ExchangeRate", "InventoryAdjustment", "Invoice", "Item",
        "JournalCode", "JournalEntry", "Payment", "PaymentMethod", "Preferences", "Purchase", "PurchaseOrder",
        "RecurringTransaction", "RefundReceipt", "ReimburseCharge", "SalesReceipt", "StatementCharge",
        "TaxAgency", "TaxCode", "TaxPayment", "TaxRate", "TaxReturn", "TaxService", "Term", "TimeActivity",
        "Transfer", "Vendor", "VendorCredit", "VendorType",
    }
)  # fmt: skip
"""Entities of the accounting API, by wire name: they tell a wrapped entity from a bare one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a body: an entity, or the fault that stands in its place."""

    entity: str
    raw: bytes
    fault: Fault | None = None


@dataclass(slots=True)
class Envelope:
    """A body taken apart."""

    rows: list[Row] = field(default_factory=list)
    server_time: datetime | None = None
    """The answer's `time`, UTC: when the server started on it (quirks.md#qbo-6)."""
    total_count: int | None = None
    """Of a COUNT(*) query."""


def open_envelope(body: bytes, entity: str | None) -> Envelope:
    """Take a body apart. `entity`: what a bare row or list is, None where only an envelope can tell.

    Raises ContractError when it is not JSON or no known envelope, and the mapped error when the body as a whole is a fault.
    """
    if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise fault_error(parse_fault(body), operation="decode")
    return cut_up(
        body,
        lambda cutter, whole: _Opener(entity, cutter).open(whole),
        lambda sentence: _contract(sentence, body),
    )


def _contract(message: str, body: bytes) -> ContractError:
    return ContractError(
        message,
        platform=PLATFORM,
        operation="decode",
        excerpt=redact(body[:200].decode("utf-8", errors="replace")),
    )


class _Opener:
    """Knows the envelopes; `cut` knows how to take one level apart."""

    def __init__(self, entity: str | None, cut: Cutter) -> None:
        self._entity = entity
        self._cut = cut
        self._envelope = Envelope()

    def open(self, body: bytes) -> Envelope:
        if body.lstrip()[:1] == b"[":
            if self._entity is None:
                raise _contract("a bare list does not say what its rows are", body)
            self._add(self._entity, body)
            return self._envelope
        members = self._cut.members(body)
        names = dict(members)
        self._raise_fault(names)
        self._envelope.server_time = _instant(names.get("time"))
        if "QueryResponse" in names:
            self._query(names["QueryResponse"])
        elif "CDCResponse" in names:
            self._changes(names["CDCResponse"])
        elif "BatchItemResponse" in names:
            for item in self._cut.elements(names["BatchItemResponse"]):
                self._batch_item(item)
        elif "AttachableResponse" in names:
            for item in self._cut.elements(names["AttachableResponse"]):
                self._batch_item(item)
        else:
            self._entities(members, body)
        return self._envelope

    def _raise_fault(self, names: dict[str, bytes]) -> None:
        """A fault of the whole body is raised; `"fault": null` is none."""
        found = {
            name: loads_plain(names[name])
            for name in ("Fault", "fault", "AttachableResponse")
            if names.get(name, b"null") != b"null"
        }
        fault = fault_in(found)
        if fault is not None:
            raise fault_error(fault, operation="decode")

    def _entities(self, members: list[tuple[str, bytes]], body: bytes) -> None:
        """One entity under its name, or bare."""
        wrapped = [(name, raw) for name, raw in members if name in ENTITY_NAMES and raw[:1] in {b"{", b"["}]
        rest = (
            {name for name, _ in members} - {name for name, _ in wrapped} - {"time", "requestId", "warnings"}
        )
        if wrapped and not rest:
            for name, raw in wrapped:
                self._add(name, raw)
        elif self._entity is not None:
            self._envelope.rows.append(Row(self._entity, body.strip()))
        else:
            raise _contract(
                f"no known envelope: {', '.join(sorted(name for name, _ in members))[:200] or 'an empty object'}",
                body,
            )

    def _query(self, raw: bytes) -> None:
        if raw == b"null":
            return
        members = self._cut.members(raw)
        faults = {"Fault", "fault"}
        if not any(value[:1] in {b"[", b"{"} for name, value in members if name not in faults):
            self._raise_fault(dict(members))
        for name, value in members:
            if name in faults and value != b"null":
                # Rows and a fault side by side: the rows count, and the fault is seen.
                self._add_fault(value)
            elif value[:1] in {b"[", b"{"}:
                self._add(name, value)
            elif name == "totalCount" and value.isdigit():
                self._envelope.total_count = int(value)

    def _changes(self, raw: bytes) -> None:
        for part in self._elements_or_one(raw):
            members = dict(self._cut.members(part))
            self._raise_fault(members)
            for answer in self._elements_or_one(members.get("QueryResponse", b"[]")):
                self._query(answer)

    def _batch_item(self, raw: bytes) -> None:
        for name, value in self._cut.members(raw):
            if name in {"Fault", "fault"}:
                self._add_fault(value)
            elif name == "QueryResponse":
                self._query(value)
            elif name == "CDCResponse":
                self._changes(value)
            elif name == "BatchItemResponse":
                # Only bodies that this library put together hold one in the other (settle.merge).
                for item in self._cut.elements(value):
                    self._batch_item(item)
            elif value[:1] in {b"[", b"{"}:
                self._add(name, value)

    def _add_fault(self, raw: bytes) -> None:
        self._envelope.rows.append(
            Row("Fault", raw, fault_in({"Fault": loads_plain(raw)}) or Fault(None, ()))
        )

    def _elements_or_one(self, raw: bytes) -> list[bytes]:
        if raw == b"null":
            return []
        return self._cut.elements(raw) if raw[:1] == b"[" else [raw]

    def _add(self, entity: str, raw: bytes) -> None:
        self._envelope.rows.extend(Row(entity, one) for one in self._rows(raw))

    def _rows(self, raw: bytes) -> Iterator[bytes]:
        if raw.lstrip()[:1] == b"[":
            yield from self._cut.elements(raw)
        else:
            yield raw


def _instant(raw: bytes | None) -> datetime | None:
    """The server's time, UTC; None where it is missing, not text, or has no offset."""
    if raw is None or raw[:1] != b'"':
        return None
    try:
        instant = datetime.fromisoformat(raw[1:-1].decode("ascii"))
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo is not None else None
