"""The few calls that writing needs: expected payment dates, history notes, contact groups; the smallest bodies that do it.

Nothing that was read is ever posted back (quirks.md#xero-47).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

from ar_connectors.adapterkit.cutting import loads_plain
from ar_connectors.adapterkit.writing import outcome_told
from ar_connectors.errors import ConfigurationError, ContractError
from ar_connectors.http.messages import Response
from ar_connectors.xero.client import MAX_IDS, XeroClient
from ar_connectors.xero.decode import history_of
from ar_connectors.xero.faults import PLATFORM, element_errors
from ar_connectors.xero.moments import milliseconds, to_day

__all__ = ["BATCH", "Calls", "ExpectedDate", "Group", "idempotency_key"]

BATCH: Final = 50
"""Elements of one POST."""
_LONGEST_KEY: Final = 128


@dataclass(frozen=True, slots=True)
class ExpectedDate:
    """The expected payment date of an invoice as it stands, and what decides whether it can be set."""

    invoice: str
    day: date | None
    version: str | None
    """The millisecond of UpdatedDateUTC."""
    refused: str | None = None
    """Why Xero did not take it."""


@dataclass(frozen=True, slots=True)
class Group:
    """A contact group."""

    id: str
    name: str
    contacts: frozenset[str] = frozenset()


def idempotency_key(key: str, part: str = "") -> str:
    """The Idempotency-Key of one write of a command: its key, and what tells several writes apart (quirks.md#xero-48)."""
    whole = f"{key}-{part}" if part else key
    return whole if len(whole) <= _LONGEST_KEY else sha256(whole.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Calls:
    """Reads and writes of one organisation."""

    client: XeroClient

    # ---- expected payment dates

    def expected_dates(self, invoices: Sequence[str]) -> dict[str, ExpectedDate]:
        """The dates as they are now; an invoice that is not there is left out."""
        found = {}
        for start in range(0, len(invoices), MAX_IDS):
            answer = self.client.by_ids("Invoices", invoices[start : start + MAX_IDS])
            for row in _rows(answer, "Invoices"):
                found[str(row["InvoiceID"])] = _expected(row)
        return found

    def set_expected(self, dates: Mapping[str, date | None], key: str) -> dict[str, ExpectedDate]:
        """Set or clear (None) the dates of invoices; each element says for itself whether it was taken (quirks.md#xero-41)."""
        elements = [
            {"InvoiceID": invoice, "ExpectedPaymentDate": day.isoformat()}
            if day is not None
            else {"InvoiceID": invoice, "ExpectedPaymentDateString": ""}  # quirks.md#xero-46
            for invoice, day in dates.items()
        ]
        found = {}
        for start in range(0, len(elements), BATCH):
            body = {"Invoices": elements[start : start + BATCH]}
            with outcome_told():
                answer = self.client.send(
                    "POST",
                    "Invoices",
                    "set ExpectedPaymentDate",
                    body,
                    idempotency_key(key, f"epd{start}"),
                    (("summarizeErrors", "false"),),
                )
                rows = _rows(answer, "Invoices")
            for row in rows:
                found[str(row["InvoiceID"])] = _expected(row)
        return found

    # ---- history

    def notes(self, collection: str, remote_id: str) -> list[str]:
        """The texts in the history of a document or contact, oldest first."""
        return [one.details or "" for one in history_of(self.client.history(collection, remote_id).body)]

    def add_note(self, collection: str, remote_id: str, text: str, key: str) -> None:
        """Append a note to the history; it can never be taken back (quirks.md#xero-23)."""
        path = f"{collection}/{_guarded(remote_id)}/History"
        with outcome_told():
            self.client.send(
                "PUT",
                path,
                f"note on {collection}",
                {"HistoryRecords": [{"Details": text}]},
                idempotency_key(key),
            )

    # ---- contact groups

    def group(self, name: str) -> Group | None:
        """An active contact group by its name, with its members."""
        rows = _rows(self.client.get("ContactGroups", "list ContactGroups"), "ContactGroups")
        for row in rows:
            if row.get("Name") == name and row.get("Status", "ACTIVE") == "ACTIVE":
                identity = str(row["ContactGroupID"])
                answer = self.client.get(f"ContactGroups/{_guarded(identity)}", "read ContactGroup")
                whole = next(iter(_rows(answer, "ContactGroups")), row)
                members = frozenset(str(one["ContactID"]) for one in whole.get("Contacts") or ())
                return Group(identity, name, members)
        return None

    def create_group(self, name: str, key: str) -> Group:
        """A new contact group. Raises RejectedError when there are 100 already."""
        with outcome_told():
            answer = self.client.send(
                "PUT",
                "ContactGroups",
                "create ContactGroup",
                {"ContactGroups": [{"Name": name}]},
                idempotency_key(key, "group"),
            )
            rows = _rows(answer, "ContactGroups")
            if not rows:
                raise self._empty("create ContactGroup")
        return Group(str(rows[0]["ContactGroupID"]), name)

    def join(self, group: Group, contact: str, key: str) -> None:
        """Put a contact into a group; harmless when it is in it."""
        with outcome_told():
            self.client.send(
                "PUT",
                f"ContactGroups/{_guarded(group.id)}/Contacts",
                "join ContactGroup",
                {"Contacts": [{"ContactID": _guarded(contact)}]},
                idempotency_key(key, "join"),
            )

    def leave(self, group: Group, contact: str, key: str) -> None:
        """Take one contact out of a group. The address without a contact would empty the group: an empty id is refused here
        (quirks.md#xero-49)."""
        path = f"ContactGroups/{_guarded(group.id)}/Contacts/{_guarded(contact)}"
        with outcome_told():
            self.client.send("DELETE", path, "leave ContactGroup", None, idempotency_key(key, "leave"))

    def _empty(self, operation: str) -> ContractError:
        return ContractError(
            "the answer to a write is empty",
            platform=PLATFORM,
            tenant=self.client.tenant,
            operation=operation,
        )


def _guarded(remote_id: str) -> str:
    if not remote_id.strip() or "/" in remote_id:
        raise ConfigurationError(f"{remote_id!r} is no id of Xero's", platform=PLATFORM)
    return remote_id


def _rows(answer: Response, name: str) -> list[dict[str, Any]]:
    try:
        rows = loads_plain(answer.body)[name]
    except (ValueError, KeyError, TypeError, RecursionError):
        rows = None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise ContractError(
        f"the answer has no {name} in it",
        platform=PLATFORM,
        http_status=answer.status,
        excerpt=answer.body[:200].decode("utf-8", errors="replace"),
    )


def _expected(row: Mapping[str, Any]) -> ExpectedDate:
    errors = list(element_errors([row]))
    failed = str(row.get("StatusAttributeString", "")).upper() == "ERROR" or bool(errors)
    text, twin = row.get("ExpectedPaymentDate"), row.get("ExpectedPaymentDateString")
    moved = row.get("UpdatedDateUTC")
    counted = milliseconds(moved) if isinstance(moved, str) else None
    return ExpectedDate(
        str(row["InvoiceID"]),
        to_day(
            twin if isinstance(twin, str) else None,
            text if isinstance(text, str) else None,
            "ExpectedPaymentDate",
        ),
        str(counted) if counted is not None else None,
        (errors[0].message if errors else "refused without a word") if failed else None,
    )
