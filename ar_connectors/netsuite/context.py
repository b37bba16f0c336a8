"""What does a mapper know beyond the row in front of it? Facts of the account, and caches for one page.

A `Context` is plain data (it is saved in the cursor of the `reference` stream); a `Mapper` serves one page and is thrown
away, so two threads never share one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final

from ar_connectors.adapterkit import mapper as kit
from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.statuses import document_status, is_true, status_words
from ar_connectors.netsuite.wire import TransactionRow
from ar_core.model import DocumentStatus, PaymentTerms, RecordKind, Source
from ar_core.model.base import adopter, blank

__all__ = ["PAGE_KINDS", "Context", "Mapper", "RowError", "instant"]

PAGE_KINDS: Final = (
    RecordKind.CUSTOMER,
    RecordKind.CONTACT,
    RecordKind.INVOICE,
    RecordKind.CREDIT_NOTE,
    RecordKind.PAYMENT,
    RecordKind.ADJUSTMENT,
    RecordKind.PROMISE,
)

_source = adopter(Source)
_NUMERIC: Final = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4})")
_LOCAL: Final = len("2026-11-20 09:48:00")
_IN_BODY: Final = re.compile(rb'"(\d{1,2})/(\d{1,2})/\d{4}')


@dataclass(frozen=True, slots=True)
class Context:
    """Facts of one account; all but the tenant may be unknown (a lone decode)."""

    tenant: str
    """The account's realm."""
    base_currency: str | None = None
    currencies: Mapping[str, str] = field(default_factory=dict)
    """ISO code by internal id."""
    terms: Mapping[str, PaymentTerms] = field(default_factory=dict)
    """Payment terms by internal id."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """`CustInvc:A` -> `Open`, as this account calls it (quirks.md#ns-18)."""
    custom: Mapping[str, Sequence[str]] | None = None
    """Custom fields that were asked for, by table; None: a body has to be looked through for them."""
    zone: tzinfo | None = None
    """In which zone SuiteQL tells instants; None: not proven (quirks.md#ns-14)."""
    reads_promises: bool = False
    """The account shows promise dates to queries, so an invoice without one has none."""
    assumed_zone: tzinfo = UTC
    """The best guess where nothing is proven: only for the order of promises within a day."""
    day_first: bool | None = None
    """How dates without TO_CHAR are to be read; None: by what their page tells."""


def instant(text: str | None, zone: tzinfo | None) -> datetime | None:
    """An instant in UTC from REST (`2026-11-20T09:48:00Z`) or from SuiteQL's local time in `zone`.

    None where it cannot be told for certain: an unknown zone, and the hour that a clock set back shows twice (quirks.md#ns-14).
    """
    if not text:
        return None
    if len(text) == _LOCAL:
        if zone is None:
            return None
        offset = _offset_of_day(text[:10], zone)
        if offset is not None:
            try:
                return datetime.fromisoformat(text + "Z") - offset
            except ValueError:
                return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if zone is None:
        return None
    first = moment.replace(tzinfo=zone)
    if first.utcoffset() != moment.replace(tzinfo=zone, fold=1).utcoffset():
        return None
    return first.astimezone(UTC)


@lru_cache(maxsize=8192)
def _offset_of_day(day: str, zone: tzinfo) -> timedelta | None:
    """The offset of a zone that holds from midnight to midnight; None where it changes, or for text that is no day."""
    try:
        begin = datetime.fromisoformat(day).replace(tzinfo=zone)
    except ValueError:
        return None
    ends = (begin, begin.replace(hour=23, minute=59, second=59))
    found = {moment.replace(fold=fold).utcoffset() for moment in ends for fold in (0, 1)}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=8192)
def _iso_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _sources_of(tenant: str, kind: str) -> Callable[[], dict[str, Any]]:
    """Blank sources of one kind of record of one account."""
    return blank(Source, platform=PLATFORM, tenant=tenant, kind=kind)


@lru_cache(maxsize=8192)
def _numbers(text: str) -> tuple[int, str, int, int] | None:
    """First number, mark, second number and year of a date as people write it; None for anything else."""
    found = _NUMERIC.match(text)
    return (int(found[1]), found[2], int(found[3]), int(found[4])) if found is not None else None


class Mapper(kit.Mapper):
    """Serves the mapping of one page: what the shared one does, and what NetSuite's rows need.

    `body`: the page's bytes, where dates that can be read in two ways look for company.
    """

    __slots__ = (
        "_body",
        "_codes",
        "_common",
        "_day_first",
        "_days",
        "_statuses",
        "_terms",
        "context",
        "zone",
    )

    def __init__(self, context: Context, body: bytes = b"") -> None:
        super().__init__(Tenant(PLATFORM, context.tenant), PAGE_KINDS, context.base_currency)
        self.context = context
        self.zone = context.zone
        self._body = body
        self._codes: dict[tuple[str | None, str | None], str | None] = {}
        self._days: dict[str, date] = {}
        self._day_first = context.day_first
        self._common: dict[tuple[str | None, ...], Callable[[], dict[str, Any]]] = {}
        self._statuses: dict[tuple[str | None, ...], tuple[str | None, DocumentStatus]] = {}
        self._terms: dict[tuple[str | None, str | None], PaymentTerms | None] = {(None, None): None}

    def provenance(self, kind: str, remote_id: str | None, changed: str | None) -> Source:
        """Where a row came from. Its version is the time of its last change as NetSuite wrote it: equal means unchanged."""
        values = _sources_of(self.tenant, kind)()
        values["remote_id"] = remote_id
        if changed:
            values["version"] = changed
            values["updated_at"] = instant(changed, self.zone)
        return _source(values)

    def common(self, row: TransactionRow, kind: str, new: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A `blank` record of a document, filled in with what most documents of a page have in common: status, currency, terms and
        subsidiary, put together once for each set of them. `kind`: the transaction's type."""
        key = (
            kind, row.status, row.statusname, row.voided, row.posting, row.currency, row.currencyname, row.terms, row.termsname,
            row.subsidiary,
        )  # fmt: skip
        known = self._common.get(key)
        if known is None:
            values = new()
            values["raw_status"], values["document_status"] = self.status(
                kind, row.status, row.statusname, row.voided, row.posting
            )
            values["currency"] = self.currency(row.currency, row.currencyname)
            values["subsidiary_id"] = row.subsidiary or None
            if "terms" in values:
                values["terms"] = self.terms(row.terms, row.termsname)
            known = self._common[key] = values.copy
        return known()

    def status(
        self, kind: str, status: str | None, name: str | None, voided: str | None, posting: str | None
    ) -> tuple[str | None, DocumentStatus]:
        """What a person calls a transaction's status, and what it means."""
        key = (kind, status, name, voided, posting)
        try:
            return self._statuses[key]
        except KeyError:
            words = status_words(kind, status, name, self.context.statuses)
            found = (
                words,
                document_status(kind, status, words, voided=is_true(voided), posting=is_true(posting)),
            )
            self._statuses[key] = found
            return found

    def currency(self, internal_id: str | None, name: str | None) -> str | None:
        """The ISO code of a currency: by its internal id, by the code itself or by a name that is one; else the account's base
        currency where the row names none; else unknown: NetSuite's names need not be codes (quirks.md#ns-17)."""
        key = (internal_id, name)
        try:
            return self._codes[key]
        except KeyError:
            found = self.context.currencies.get(internal_id or "")
            for text in (name, internal_id):
                if found is None and text and text in _KNOWN_CODES:
                    # Three capitals need not be a code: Oracle's own samples call the US dollar "USA".
                    found = text
            if found is None and not internal_id and not name:
                found = self.context.base_currency
            self._codes[key] = found
            return found

    def terms(self, internal_id: str | None, name: str | None) -> PaymentTerms | None:
        """Payment terms: all that the table `term` says, else id and name on the document."""
        key = (internal_id or None, name or None)
        try:
            return self._terms[key]
        except KeyError:
            terms = self.context.terms.get(internal_id or "")
            if terms is None:
                terms = PaymentTerms.trusted(remote_id=internal_id or None, name=name or None)
            self._terms[key] = terms
            return terms

    def day(self, text: str | None) -> date | None:
        """A day. ISO as this library asks for it; other spellings as far as they are certain. Raises RowError."""
        if not text:
            return None
        found = self._days.get(text)
        if found is None:
            found = self._days[text] = _iso_day(text) or self._numeric(text)
        return found

    def _numeric(self, text: str) -> date:
        found = _numbers(text)
        if found is None:
            raise RowError("bad_date", f"{text!r} is not a date: ask for TO_CHAR(..., 'YYYY-MM-DD')")
        first, mark, second, year = found
        # 28.5.2010 is written by people who put the day first; 5/28/2010 depends on who writes.
        day_first = True if mark == "." else self._puts_day_first()
        if first > 12 or second > 12:
            day_first = first > 12
        if day_first is None and first != second:
            raise RowError(
                "bad_date",
                f"{text!r} can be read in two ways, and nothing in its page tells which: ask for TO_CHAR(..., 'YYYY-MM-DD')",
            )
        day, month = (first, second) if day_first else (second, first)
        try:
            return date(year, month, day)
        except ValueError as error:
            raise RowError("bad_date", f"{text!r} is not a date: {error}") from error

    def _puts_day_first(self) -> bool | None:
        """What the dates of the page that can be read in one way only have in common."""
        if self._day_first is None:
            pairs = {(int(one) > 12, int(other) > 12) for one, other in _IN_BODY.findall(self._body)}
            if (True, False) in pairs and (False, True) not in pairs:
                self._day_first = True
            elif (False, True) in pairs and (True, False) not in pairs:
                self._day_first = False
        return self._day_first


_KNOWN_CODES: Final = frozenset(
    """AED ARS AUD BGN BHD BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DOP EGP EUR FJD GBP GEL GTQ HKD HNL HRK HUF IDR ILS INR ISK
    JMD JOD JPY KES KRW KWD KZT LKR MAD MUR MXN MYR NGN NIO NOK NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB SAR SEK
    SGD THB TND TRY TTD TWD TZS UAH UGX USD UYU UZS VEF VES VND XAF XCD XOF XPF ZAR ZMW""".split()  # noqa: SIM905 - a table, not a list
)
"""ISO codes of currencies that companies bill in: what a name must be to be taken for a code where the account's own table of
currencies is not at hand."""
