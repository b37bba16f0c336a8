"""Which promised dates did bookkeepers set, where queries do not show them? The record API lists the invoices that have a date; each of
those that are open is read by itself once, and again whenever it changed (quirks.md#ns-20).

One small call on a run in which nothing happened. A GET loads a record for editing: a role without that right reads no dates here, and
of a locked invoice we keep what we know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ar_connectors.connector import Cursor, Fetch, Page, StoreView
from ar_connectors.errors import NotFoundError, PermissionDenied, RejectedError
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.context import Context, Mapper
from ar_connectors.netsuite.decode import MAPPER_VERSION
from ar_connectors.netsuite.faults import LockedRecord
from ar_connectors.netsuite.mapping_documents import native_promise
from ar_connectors.netsuite.wire import TransactionRow
from ar_core.model import Invoice, Promise, RecordKind

__all__ = ["ESTIMATE", "pull_estimates"]

ESTIMATE: Final = "estimate"
"""The stream."""
_DAY: Final = "userEstimatedPaymentDate"
_SOURCE: Final = "userEstimateSource"
_AT_ONCE: Final = 25
"""Invoices read in one page."""


def pull_estimates(client: NetSuiteClient, company: Company, view: StoreView) -> Iterator[Sequence[Fetch]]:
    """What to ask for: the open invoices whose date may be another than the one we read. Nothing where the invoices' own rows tell
    their dates, and nothing where the role may not read records."""
    context = company.context(client.tenant)
    if context.reads_promises:
        return
    try:
        listed = {
            one
            for ids in client.list_ids("invoice", f"{_DAY} EMPTY_NOT", "list promised dates")
            for one in ids
        }
    except (PermissionDenied, RejectedError):
        return
    cursor = view.cursor(ESTIMATE)
    known: dict[str, str] = dict(cursor.state.get("read", {})) if cursor is not None else {}
    mapper = Mapper(context)
    ids = {mapper.id(RecordKind.INVOICE, one): one for one in sorted({*listed, *known})}
    open_now = {
        ids[record.id]: record
        for record in view.records(ids).values()
        if isinstance(record, Invoice) and record.balance_due
    }
    read = {one: version for one, version in known.items() if one in open_now}
    wanted = [
        one for one, invoice in open_now.items() if one not in listed or read.get(one) != _version(invoice)
    ]
    denied: list[str] = []
    while wanted and not denied:
        some = {one: open_now[one] for one in wanted[:_AT_ONCE]}
        wanted = wanted[_AT_ONCE:]
        yield [
            Fetch(
                f"promised dates of {len(some)} invoices", partial(_read, client, context, some, read, denied)
            )
        ]


def _read(
    client: NetSuiteClient,
    context: Context,
    invoices: Mapping[str, Invoice],
    read: dict[str, str],
    denied: list[str],
) -> Page:
    """The native promises of some invoices; `read` is brought up to date and saved with them. `denied` gets the first invoice that
    the role may not read: it may read none."""
    mapper = Mapper(context)
    seen: list[str] = []
    promises: list[Promise] = []
    for identity, invoice in invoices.items():
        try:
            found = _dated(client, identity)
        except PermissionDenied:
            denied.append(identity)
            break
        if found is None:
            continue
        seen.append(invoice.id)
        read.pop(identity, None)
        if found.day:
            read[identity] = _version(invoice)
            row = TransactionRow(
                id=identity, userestimatesource=found.source, lastmodifieddate=_version(invoice)
            )
            dated = invoice.model_copy(update={"expected_payment_date": mapper.days[found.day]})
            promise = native_promise(mapper, row, dated)
            promises += [promise] if promise is not None else []
    return Page(
        records=promises,
        replaces=seen,
        stream=ESTIMATE,
        kind="invoice",
        rows=len(promises),
        row_of=list(range(len(promises))),
        cursor=Cursor(ESTIMATE, {"read": dict(read)}),
        mapper_version=MAPPER_VERSION,
    )


@dataclass(frozen=True, slots=True)
class _Dated:
    day: str | None
    source: str | None


def _dated(client: NetSuiteClient, invoice: str) -> _Dated | None:
    """The date of an invoice as it is now; None while it is locked, when it cannot be told."""
    try:
        shown = client.record("invoice", invoice, "read promised date", (_DAY, _SOURCE))
    except NotFoundError:
        return _Dated(None, None)
    except LockedRecord:
        return None
    source: Any = shown.get(_SOURCE)
    told = source.get("id") if isinstance(source, Mapping) else source
    day = shown.get(_DAY)
    return _Dated(str(day) if day else None, str(told) if told else None)


def _version(invoice: Invoice) -> str:
    return (invoice.source.version if invoice.source is not None else None) or ""
