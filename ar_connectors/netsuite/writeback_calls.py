"""The few calls that writing needs: activities by external id, fields of an invoice or customer; the smallest bodies that do it.

Nothing that was read is ever posted back. A write is answered 204 without a body, so each is read back (quirks.md#ns-24).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ar_connectors.adapterkit.text import clean_text
from ar_connectors.adapterkit.writing import outcome_told
from ar_connectors.errors import (
    ContractError,
    NotFoundError,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    StaleVersionError,
    TransientError,
    WriteOutcomeUnknown,
)
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.faults import LockedRecord, UnknownColumn, UnknownTable
from ar_connectors.netsuite.suiteql import Key, Select, text

__all__ = ["OWN", "Activity", "ActivityKind", "Calls", "on_wire"]

Found = TypeVar("Found")

OWN: Final = "ar-"
"""How the external ids of our activities start."""
_RETRIES: Final = 3
_NO_TYPE: Final = re.compile(r"record type\W+\w+\W+does not exist", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"\\(?=[nr])")
_TITLE: Final = 200
_PLACES: Final = 100
"""Invoices and customers asked about in one statement."""


@dataclass(frozen=True, slots=True)
class ActivityKind:
    """A kind of activity: its record type, and what marks one as done on a day."""

    record: str
    """phoneCall or task."""
    days: tuple[str, ...]
    """Its date fields."""


@dataclass(frozen=True, slots=True)
class Activity:
    """A phone call or task of ours."""

    id: str
    external_id: str
    title: str
    message: str


def on_wire(value: str) -> str:
    """A text as NetSuite wants it: a line end is a backslash and an n (quirks.md#ns-27). A backslash that stands before such a
    letter by itself would become a line end, and there is no way to say that it is not: a slash takes its place."""
    kept = clean_text(value, latin1_only=False)
    return _ESCAPE.sub("/", kept).replace("\r", "\\r").replace("\n", "\\n")


def _wire(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: on_wire(value) if isinstance(value, str) else value for name, value in values.items()}


@contextmanager
def _parked() -> Iterator[None]:
    """Around one call: a record that is locked now can be written later, so the command waits (quirks.md#ns-35)."""
    try:
        yield
    except LockedRecord as error:
        parked = error.told_as(TransientError, advice=error.advice)
        # A transient failure with a status may stand before work that was done (`outcome_told`); a lock stands before none.
        parked.http_status = None
        raise parked from error


@contextmanager
def _visible() -> Iterator[None]:
    """Around one call: a record type that does not exist is one that the role may not see, or whose feature is off
    (quirks.md#ns-33). It tells nothing of the one record that was asked for."""
    try:
        yield
    except NotFoundError as error:
        if not _NO_TYPE.search(error.message):
            raise
        raise error.told_as(PermissionDenied) from error


@dataclass(frozen=True, slots=True)
class Calls:
    """Reads and writes of one account."""

    client: NetSuiteClient
    kind: ActivityKind

    # ---- activities

    def activity(self, external_id: str) -> Activity | None:
        """An activity as it is now; None when it is certainly not there. Raises PermissionDenied where the role sees none at all."""
        record = self.kind.record
        try:
            with _visible(), _parked():
                found = self.client.record(
                    record, f"eid:{external_id}", f"read {record}", ("id", "title", "message")
                )
        except NotFoundError:
            return None
        return Activity(
            str(found.get("id", "")), external_id, found.get("title") or "", found.get("message") or ""
        )

    def activities_on(self, places: Sequence[str]) -> dict[str, Activity] | None:
        """Our activities about invoices (`i129`) and customers (`c7`), by external id; None where the role, or this account, does
        not show activities to queries."""
        found: dict[str, Activity] = {}
        try:
            for start in range(0, len(places), _PLACES):
                found |= self._on(places[start : start + _PLACES])
        except (UnknownTable, UnknownColumn, PermissionDenied):
            return None
        except TransientError as error:
            if (
                error.platform_code == "UNEXPECTED_ERROR"
            ):  # so it says of a column it does not know (quirks.md#ns-34)
                return None
            raise
        return found

    def _on(self, places: Sequence[str]) -> dict[str, Activity]:
        asked = " OR ".join(f"p.externalid LIKE {text(f'{OWN}{place}-%')}" for place in places)
        select = Select(
            {"id": "p.id", "externalid": "p.externalid", "title": "p.title", "message": "p.message"},
            f"{self.kind.record.lower()} p",
            (Key("p.id", "id"),),
            (f"({asked})",),
        )
        rows = (row for page in self.client.every_row(select, f"find {self.kind.record}") for row in page)
        return {
            row["externalid"]: Activity(
                row["id"], row["externalid"], row.get("title", ""), row.get("message", "")
            )
            for row in rows
        }

    def put_activity(self, external_id: str, title: str, values: Mapping[str, Any]) -> None:
        """Create an activity, or give the one with this external id these values."""
        record = self.kind.record
        with outcome_told(), _visible(), _parked():
            body = _wire({"title": title[:_TITLE], "status": {"id": "COMPLETE"}, **values})
            self.client.put(record, external_id, body, f"write {record}")

    def change_activity(self, external_id: str, title: str, message: str) -> None:
        """Change title and message of an activity."""
        values = {"title": title[:_TITLE], "message": message}
        self._patch(self.kind.record, f"eid:{external_id}", values)

    # ---- fields

    def fields(self, record: str, identity: str, names: Sequence[str]) -> dict[str, Any]:
        """Fields of an invoice or customer as they are now; an empty one is left out. Raises TransientError while it is locked:
        then it cannot be told (quirks.md#ns-23)."""
        with _parked():
            return self.client.record(record, identity, f"read {record}", names)

    def change(self, record: str, identity: str, values: Mapping[str, Any]) -> None:
        """Change fields of an invoice or customer; None empties one."""
        self._patch(record, identity, values)

    def _patch(self, record: str, identity: str, values: Mapping[str, Any]) -> None:
        for again in range(_RETRIES + 1):
            try:
                with outcome_told(), _parked():
                    self.client.patch(record, identity, _wire(values), f"change {record}")
            except StaleVersionError:
                # Usually a script of the account that saved the record too. Our change names its fields only and can be said again.
                if again == _RETRIES:
                    raise
            else:
                return

    @staticmethod
    def read_back(read: Callable[[], Found]) -> Found:
        """What a write that was accepted has left. Raises WriteOutcomeUnknown where it cannot be read now: it is looked for later."""
        try:
            return read()
        except (TransientError, RateLimited, QuotaExhausted, ContractError) as error:
            raise error.told_as(
                WriteOutcomeUnknown, message=f"it was written, and could not be read back: {error.message}"
            ) from error
