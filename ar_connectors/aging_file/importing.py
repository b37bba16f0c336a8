"""What does a new list do to what is known? Items get the identities they had before, and what is missing is closed, with care.

An item keeps its record while its customer, kind, number and issue date stay the same; its due date may move. Items that share
all of these (instalments) are told apart by their due dates. What was open and is not on the list any more was settled, by what is
not known; if that is much at once, the list is more likely wrong than the customers are quick, and a person has to agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from ar_connectors.aging_file.cells import PLATFORM, file_error
from ar_connectors.aging_file.layouts import normal
from ar_connectors.aging_file.mapping import KINDS, closed, customer_identity, identity, is_open
from ar_connectors.aging_file.settings import ListSettings
from ar_connectors.aging_file.spool import Spool, Spooled
from ar_connectors.aging_file.survey import Survey
from ar_connectors.connector import Record, StoreView
from ar_connectors.errors import ContractError
from ar_core.model import Customer, RecordKind

__all__ = ["PAGE", "assign", "closing_page", "customers_meant", "missing"]

PAGE: Final = 1000
ALWAYS_CLOSED: Final = 20
"""So many items may go missing at once without a question."""


def assign(spool: Spool, tenant: str, view: StoreView) -> None:
    """Give every item of the list the remote id it had before, or a new one."""
    for start in range(0, len(spool), PAGE):
        rows = [_Nameable(one, tenant) for one in spool.page(start, PAGE)]
        live = view.records(identity for one in rows for identity in (one.narrow_id, one.wide_id))
        spool.name([one.named(live) for one in rows])


class _Nameable:
    """An item with the two names it may go by: that of its row alone, and the one with its due date, which tells twins apart."""

    __slots__ = ("narrow_id", "one", "wide", "wide_id")

    def __init__(self, one: Spooled, tenant: str) -> None:
        self.one = one
        self.wide = _by_due_date(one)
        self.narrow_id = identity(tenant, one.item, one.base)
        self.wide_id = identity(tenant, one.item, self.wide)

    def named(self, live: Mapping[str, Any]) -> tuple[Spooled, str, str]:
        """The item, its remote id and its record id. An identity once given is kept, when a twin comes as when it goes."""
        wide = (self.one, self.wide, self.wide_id)
        base = (self.one, self.one.base, self.narrow_id)
        narrow, known_wide = live.get(self.narrow_id), self.wide_id in live
        if self.one.twin == 0:
            return wide if known_wide and narrow is None else base
        same = narrow is not None and getattr(narrow, "due_date", None) == self.one.item.due_date
        return base if same and self.one.twin == 1 and not known_wide else wide


def _by_due_date(one: Spooled) -> str:
    """The identity of an item that has twins."""
    due = one.item.due_date.isoformat() if one.item.due_date else "-"
    return f"{one.base}/due {due}" + (f"/{one.twin}" if one.twin > 1 else "")


def customers_meant(
    settings: ListSettings, spool: Spool, tenant: str, view: StoreView, survey: Survey
) -> set[str] | None:
    """Record ids of the customers that a partial list was said to be about; None: it is about all.

    Raises ContractError when the list holds others, or nobody knows one that was named.
    """
    if not settings.only:
        return None
    names = {normal(name): name for name in settings.only}
    meant: set[str] = set()
    found: set[str] = set()
    for item in spool.customers():
        fits = {normal(item.customer), normal(item.customer_key)} & names.keys()
        if not fits:
            raise file_error(
                f"the list was said to hold only {', '.join(settings.only)}, and holds {item.customer!r} too",
                table=survey.table,
                row=item.row,
                advice="name all customers of the list, or import it as a whole one",
                kind=ContractError,
            )
        meant.add(customer_identity(tenant, item.customer_key))
        found |= fits
    for record in _records(view, RecordKind.CUSTOMER):
        fits = {normal(record.name), normal(record.number or record.name)} & names.keys()
        if isinstance(record, Customer) and fits:
            meant.add(record.id)
            found |= fits
    unknown = [name for key, name in names.items() if key not in found]
    if unknown:
        raise file_error(
            f"there is no customer {unknown[0]!r}, neither on this list nor on an earlier one",
            table=survey.table,
            advice="write the name or number as the list has it",
        )
    return meant


def missing(
    settings: ListSettings, spool: Spool, view: StoreView, survey: Survey, meant: set[str] | None
) -> int:
    """Keep in the spool what was open and is not on the list, and say how many of it may be closed: none where a row of the list could
    not be read, because it may be one of them. Raises ContractError when it is more than one list may close."""
    open_before = gone = 0
    for kind in KINDS.values():
        for chunk in _chunks(view, kind):
            live = [one for one in view.records(chunk).values() if is_open(one)]
            of_these = [one.id for one in live if meant is None or one.customer_id in meant]
            open_before += len(of_these)
            gone += spool.note_missing(of_these)
    if not gone:
        return 0
    if survey.set_aside:
        survey.notes.append(
            f"{gone:,} open items are not on the list; none was closed, because rows could not be read and may be these"
        )
        return 0
    allowed = max(ALWAYS_CLOSED, open_before * settings.most_closed_percent // 100)
    if gone > allowed and not settings.accept_closed:
        raise file_error(
            f"{gone:,} of {open_before:,} open items are not on this list, and {allowed:,} may be closed at once",
            table=survey.table,
            advice="is it the whole list? If so, import it with --accept-closed; if it is about some customers, name them (--only)",
            kind=ContractError,
        )
    return gone


def closing_page(view: StoreView, ids: Sequence[str], as_of: date | None) -> list[Record]:
    """Records with nothing open any more."""
    known = view.records(ids)
    return [closed(known[one], as_of) for one in ids if one in known and is_open(known[one])]


def _records(view: StoreView, kind: RecordKind) -> Iterator[Any]:
    for chunk in _chunks(view, kind):
        yield from view.records(chunk).values()


def _chunks(view: StoreView, kind: RecordKind) -> Iterator[list[str]]:
    chunk: list[str] = []
    for one in view.live_ids(kind):
        if one.startswith(f"{PLATFORM}:"):
            chunk.append(one)
        if len(chunk) >= PAGE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
