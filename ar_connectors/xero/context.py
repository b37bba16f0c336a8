"""What does a mapper know beyond the row in front of it? Facts of the organisation, and caches that serve one page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec

from ar_connectors.adapterkit.mapper import Mapper as BaseMapper
from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.xero import wire
from ar_connectors.xero.faults import PLATFORM
from ar_connectors.xero.moments import to_day, to_instant
from ar_core.model import PaymentTerms, RecordKind, Source
from ar_core.model.base import adopt, empty

__all__ = ["KIND_OF", "PLATFORM", "SINGULAR", "Context", "Mapper"]

KIND_OF: Final[Mapping[str, RecordKind]] = {
    "Invoices": RecordKind.INVOICE,
    "CreditNotes": RecordKind.CREDIT_NOTE,
    "Payments": RecordKind.PAYMENT,
    "Prepayments": RecordKind.PAYMENT,
    "Overpayments": RecordKind.PAYMENT,
    "Contacts": RecordKind.CUSTOMER,
    "Organisations": RecordKind.ORGANIZATION,
    "Allocations": RecordKind.ALLOCATION,
    "HistoryRecords": RecordKind.NOTE,
}
"""Which kind of record the rows of a collection become. Ids are GUIDs: payments, prepayments and overpayments do not collide."""

SINGULAR: Final[Mapping[str, str]] = {name: name.removesuffix("s") for name in KIND_OF}
"""What one row of a collection is called: the kind in a record's source."""

_PREFIXED: Final = (
    RecordKind.INVOICE,
    RecordKind.CREDIT_NOTE,
    RecordKind.PAYMENT,
    RecordKind.CUSTOMER,
    RecordKind.CONTACT,
    RecordKind.ORGANIZATION,
    RecordKind.PROMISE,
    RecordKind.NOTE,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE: Final = Decimal(1)
_DAY_ZERO: Final = _EPOCH.toordinal()
_MOMENT: Final = re.compile(r"/Date\([1-9][0-9]{12}(?:[+-][0-9]{4})?\)/").fullmatch
"""Any day since 2001, as it is nearly always written: milliseconds in thirteen digits."""
_seconds: Final = msgspec.json.Decoder(datetime, strict=False).decode
"""The instant so many seconds after 1970, from their digits: a third of what `datetime.fromtimestamp` takes."""


@lru_cache(maxsize=1000)
def _fraction(milliseconds: str) -> timedelta:
    """So many milliseconds."""
    return timedelta(milliseconds=int(milliseconds))


@lru_cache(maxsize=4096)
def _iso_day(text: str) -> date:
    """The day in an ISO text. Raises ValueError. A company's documents have few different days: eleven years of them are kept."""
    return datetime.fromisoformat(text).date()


@lru_cache(maxsize=4096)
def _counted_day(text: str) -> date:
    """The day in the usual `/Date()/`. Raises ValueError for any other text."""
    if not _MOMENT(text):
        raise ValueError(text)
    return date.fromordinal(_DAY_ZERO + int(text[6:16]) // 86_400)


@dataclass(frozen=True, slots=True)
class Context:
    """Facts of one organisation; all but the tenant may be unknown (a lone decode)."""

    tenant: str
    base_currency: str | None = None
    order_hold_group: str | None = None
    """Name of the contact group that stands for an order hold; None: not configured."""
    keeps_links: bool = False
    """Whether payment links are fetched, so that an invoice that is read again keeps the one it has."""

    @property
    def company(self) -> Tenant:
        """Whose rows they are."""
        return Tenant(PLATFORM, self.tenant)


class Mapper(BaseMapper):
    """Serves the mapping of one page of Xero; see `adapterkit.mapper.Mapper`."""

    __slots__ = ("context", "terms")

    def __init__(self, context: Context) -> None:
        super().__init__(context.company, _PREFIXED, context.base_currency)
        self.context = context
        self.terms: dict[tuple[int, str | None], PaymentTerms] = {}
        """Terms of sale of this page, by day and how it is counted."""

    def day(self, twin: str | None, text: str | None, field: str) -> date | None:
        """A calendar day: of the ISO twin, else of `/Date()/`. Raises RowError. What `to_day` does; the usual texts are remembered."""
        try:
            if twin:
                return _iso_day(twin)
            if text:
                return _counted_day(text)
        except ValueError:
            return to_day(twin, text, field)
        return None

    def provenance(self, kind: str, remote_id: str | None, row: wire.Row) -> Source:
        """Where a row came from. Its version is the millisecond in UpdatedDateUTC: Xero has no other, and an answer to a write
        of ours carries it too, so that the echo is known when it comes back (quirks.md#xero-13)."""
        text = row.updated
        if text is not None and _MOMENT(text):
            version = text[6:19]
            instant = _seconds(version[:10])
            if not version.endswith("000"):
                instant += _fraction(version[10:])
            values = self._new_source()
            values["kind"] = kind
            values["remote_id"] = remote_id
            values["version"] = version
            values["updated_at"] = instant
            adopt(source := empty(Source), values)
            return source
        changed = to_instant(text, row.updated_string, "UpdatedDateUTC")
        if changed is None:
            return self.source(kind, remote_id, None, None)
        counted = (changed - _EPOCH) // timedelta(milliseconds=1)
        return self.source(kind, remote_id, str(counted) if text and counted >= 0 else None, changed)

    def base_rate(self, rate: Decimal | None, currency: str | None) -> Decimal | None:
        """Base currency per unit, where that is certain: in the base currency, and for a rate of one. Which way Xero's
        CurrencyRate points is not documented (quirks.md#xero-30)."""
        if currency is not None and currency == self.home_currency:
            return _ONE
        return rate if rate is not None and rate == _ONE else None
