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
from ar_connectors.errors import ConfigurationError, ContractError, DuplicateError
from ar_connectors.http.messages import Response
from ar_connectors.xero.client import MAX_IDS, XeroClient
from ar_connectors.xero.decode import history_of
from ar_connectors.xero.faults import PLATFORM, element_errors, parse_problem, problem_error
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

    def is_called(self, name: str) -> bool:
        """Whether this is its name; Xero does not tell names apart by their case."""
        return self.name.casefold() == name.casefold()


def idempotency_key(key: str) -> str:
    """The Idempotency-Key of one write, at most 128 characters (quirks.md#xero-48)."""
    return key if len(key) <= _LONGEST_KEY else sha256(key.encode()).hexdigest()


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
                told = _expected(row)
                found[told.invoice] = told
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
            answer = self._effect(
                "POST",
                "Invoices",
                "set ExpectedPaymentDate",
                body,
                f"{key}-epd{start}",
                (("summarizeErrors", "false"),),
            )
            with outcome_told():
                rows = _rows(answer, "Invoices")
            for number, row in enumerate(rows):
                # A refused element may come without its id: they come in the order in which they were sent.
                sent = body["Invoices"][number]["InvoiceID"] if len(rows) == len(body["Invoices"]) else None
                told = _expected(row, sent)
                found[told.invoice] = told
        return found

    # ---- history

    def notes(self, collection: str, remote_id: str) -> list[str]:
        """The texts in the history of a document or contact, oldest first."""
        return [one.details or "" for one in history_of(self.client.history(collection, remote_id).body)]

    def add_note(self, collection: str, remote_id: str, text: str, key: str) -> None:
        """Append a note to the history; it can never be taken back (quirks.md#xero-23). Raises what Xero refuses it with, in a 200
        too; DuplicateError for a key that was used before."""
        path = f"{collection}/{_guarded(remote_id)}/History"
        self._write("PUT", path, f"note on {collection}", {"HistoryRecords": [{"Details": text}]}, key)

    # ---- contact groups

    def groups(self) -> list[Group]:
        """The active contact groups."""
        return _groups(_rows(self.client.get("ContactGroups", "list ContactGroups"), "ContactGroups"))

    def groups_of(self, contact: str) -> list[Group]:
        """The active groups that a contact is in. Raises NotFoundError."""
        rows = _rows(self.client.one("Contacts", _guarded(contact)), "Contacts")
        return _groups([group for row in rows for group in row.get("ContactGroups") or ()])

    def group(self, name: str, key: str) -> Group:
        """The active contact group of a name, made where there is none. Raises RejectedError when there are 100 already."""
        there = next((one for one in self.groups() if one.is_called(name)), None)
        if there is not None:
            return there
        body = {"ContactGroups": [{"Name": name}]}
        try:
            answer = self._write("PUT", "ContactGroups", "create ContactGroup", body, f"{key}-group")
        except DuplicateError:  # somebody was faster, or this key has made it already
            there = next((one for one in self.groups() if one.is_called(name)), None)
            if there is None:
                raise
            return there
        with outcome_told():
            return _groups(_rows(answer, "ContactGroups"))[0]

    def join(self, group: Group, contact: str, key: str) -> None:
        """Put a contact into a group; harmless when it is in it."""
        path = f"ContactGroups/{_guarded(group.id)}/Contacts"
        body = {"Contacts": [{"ContactID": _guarded(contact)}]}
        self._effect("PUT", path, "join ContactGroup", body, f"{key}-join")

    def leave(self, group: Group, contact: str, key: str) -> None:
        """Take one contact out of a group. The address without a contact would empty the group: an empty id is refused here
        (quirks.md#xero-49)."""
        path = f"ContactGroups/{_guarded(group.id)}/Contacts/{_guarded(contact)}"
        self._effect("DELETE", path, "leave ContactGroup", None, f"{key}-leave")

    # ---- sending

    def _write(
        self,
        method: str,
        path: str,
        operation: str,
        body: Mapping[str, Any] | None,
        key: str,
        params: Sequence[tuple[str, str]] = (),
    ) -> Response:
        """Send a write. Raises the error that its answer stands for; a 200 may refuse all it was given (quirks.md#xero-41), which a
        batch whose elements are asked to answer for themselves (`summarizeErrors`) tells element by element."""
        with outcome_told():
            answer = self.client.send(method, path, operation, body, idempotency_key(key), params)
        problem = parse_problem(answer.body) if answer.body and not params else None
        if problem is not None and problem.errors:
            raise problem_error(
                problem, http_status=answer.status, tenant=self.client.tenant, operation=operation
            )
        return answer

    def _effect(
        self,
        method: str,
        path: str,
        operation: str,
        body: Mapping[str, Any] | None,
        key: str,
        params: Sequence[tuple[str, str]] = (),
    ) -> Response:
        """Send a write that does the same however often it is done: under another key where this one is refused as used."""
        try:
            return self._write(method, path, operation, body, key, params)
        except DuplicateError:
            return self._write(method, path, operation, body, f"{key}-again", params)


def _guarded(remote_id: str) -> str:
    if not remote_id.strip() or "/" in remote_id:
        raise ConfigurationError(f"{remote_id!r} is no id of Xero's", platform=PLATFORM)
    return remote_id


def _groups(rows: Sequence[Mapping[str, Any]]) -> list[Group]:
    return [
        Group(str(row["ContactGroupID"]), str(row["Name"]))
        for row in rows
        if row.get("ContactGroupID") and row.get("Name") and row.get("Status", "ACTIVE") == "ACTIVE"
    ]


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


def _expected(row: Mapping[str, Any], sent: str | None = None) -> ExpectedDate:
    """What a row says of its invoice; without an id it is the one that was `sent`. Empty id: nobody can tell."""
    errors = list(element_errors([row]))
    failed = str(row.get("StatusAttributeString", "")).upper() == "ERROR" or bool(errors)
    text, twin = row.get("ExpectedPaymentDate"), row.get("ExpectedPaymentDateString")
    moved = row.get("UpdatedDateUTC")
    counted = milliseconds(moved) if isinstance(moved, str) else None
    return ExpectedDate(
        str(row.get("InvoiceID") or sent or ""),
        to_day(
            twin if isinstance(twin, str) else None,
            text if isinstance(text, str) else None,
            "ExpectedPaymentDate",
        ),
        str(counted) if counted is not None else None,
        (errors[0].message if errors else "refused without a word") if failed else None,
    )
