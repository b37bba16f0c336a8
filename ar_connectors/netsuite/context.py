"""What does a mapper know beyond the row in front of it? Facts of the account, and caches for one page.

A `Context` is plain data (it is saved in the cursor of the `reference` stream); a `Mapper` serves one page and is thrown
away, so two threads never share one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Final

from ar_connectors.netsuite.account import PLATFORM
from ar_core.model import PaymentTerms, RecordKind, Source, record_id
from ar_core.model.base import adopter

__all__ = ["PAGE_KINDS", "Context", "Mapper", "RowError", "instant", "is_true"]

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
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_NUMERIC: Final = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4})")
_IN_BODY: Final = re.compile(rb'"(\d{1,2})/(\d{1,2})/\d{4}')


class RowError(ValueError):
    """A row that cannot become a record. `code` is stable (`missing_field`, `bad_number`, ...); the text is for a person."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


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
    zone: tzinfo | None = None
    """In which zone SuiteQL tells instants; None: not proven (quirks.md#ns-14)."""
    assumed_zone: tzinfo = UTC
    """The best guess where nothing is proven: only for the order of promises within a day."""
    day_first: bool | None = None
    """How dates without TO_CHAR are to be read; None: by what their page tells."""

    def id(self, kind: RecordKind, remote_id: str) -> str:
        """The record id of something in this account. Raises ValueError for an empty remote id."""
        return record_id(PLATFORM, self.tenant, kind, remote_id)


def is_true(value: str | None) -> bool | None:
    """`T` and `F`, or JSON's own booleans as text; None for anything else."""
    if value is None:
        return None
    folded = value.casefold()
    return True if folded in {"t", "true", "yes"} else False if folded in {"f", "false", "no"} else None


def instant(text: str | None, zone: tzinfo | None) -> datetime | None:
    """An instant in UTC from REST (`2026-11-20T09:48:00Z`) or from SuiteQL's local time in `zone`.

    None where it cannot be told for certain: an unknown zone, and the hour that a clock set back shows twice (quirks.md#ns-14).
    """
    if not text:
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
    if zone is not UTC and first.utcoffset() != moment.replace(tzinfo=zone, fold=1).utcoffset():
        return None
    return first.astimezone(UTC)


class Mapper:
    """Serves the mapping of one page: caches that make equal things one object, and the page's numbers for one check.

    `body`: the page's bytes, where dates that can be read in two ways look for company.
    """

    __slots__ = (
        "_body",
        "_currencies",
        "_customers",
        "_dates",
        "_day_first",
        "_prefixes",
        "_terms",
        "context",
        "numbers",
        "tenant",
        "zone",
    )

    def __init__(self, context: Context, body: bytes = b"") -> None:
        self.context = context
        self.tenant, self.zone = context.tenant, context.zone
        self.numbers: list[Decimal | None] = []
        """Every number that went into a record of this page."""
        self._body = body
        self._prefixes = {kind: context.id(kind, "0")[:-1] for kind in PAGE_KINDS}
        self._customers: dict[str | None, str | None] = {None: None, "": None}
        self._terms: dict[tuple[str | None, str | None], PaymentTerms | None] = {(None, None): None}
        self._currencies: dict[tuple[str | None, str | None], str | None] = {}
        self._dates: dict[str | None, date | None] = {None: None, "": None}
        self._day_first = context.day_first

    def id(self, kind: RecordKind, remote_id: str | None) -> str:
        """A record id; fast for the usual plain ids. Raises RowError where there is none."""
        if remote_id is not None and remote_id.isalnum() and remote_id.isascii():
            return self._prefixes[kind] + remote_id
        if not remote_id:
            raise RowError("missing_field", "the row has no id")
        try:
            return self.context.id(kind, remote_id)
        except UnicodeEncodeError as error:
            raise RowError("bad_text", f"the id {remote_id!r} is not text") from error

    def customer(self, entity: str | None) -> str | None:
        """The record id of a customer, None for none."""
        try:
            return self._customers[entity]
        except KeyError:
            known = self._customers[entity] = self.id(RecordKind.CUSTOMER, entity)
            return known

    def provenance(self, kind: str, remote_id: str | None, changed: str | None) -> Source:
        """Where a row came from. Its version is the time of its last change as NetSuite wrote it: equal means unchanged."""
        return _source(
            {
                "platform": PLATFORM,
                "tenant": self.tenant,
                "kind": kind,
                "remote_id": remote_id,
                "version": changed or None,
                "updated_at": instant(changed, self.zone) if changed else None,
            }
        )

    def currency(self, internal_id: str | None, name: str | None) -> str | None:
        """The ISO code of a currency: by its internal id, by the code itself or by a name that is one; else the account's base
        currency where the row names none; else unknown: NetSuite's names need not be codes (quirks.md#ns-17)."""
        key = (internal_id, name)
        try:
            return self._currencies[key]
        except KeyError:
            found = self.context.currencies.get(internal_id or "")
            for text in (name, internal_id):
                if found is None and text and _CURRENCY.fullmatch(text):
                    # Three capitals need not be a code: Oracle's own samples call the US dollar "USA".
                    found = text if text in _KNOWN_CODES else None
            if found is None and not internal_id and not name:
                found = self.context.base_currency
            self._currencies[key] = found
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
        try:
            return self._dates[text]
        except KeyError:
            found = self._dates[text] = self._parsed(text or "")
            return found

    def _parsed(self, text: str) -> date:
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            pass
        found = _NUMERIC.match(text)
        if found is None:
            raise RowError("bad_date", f"{text!r} is not a date: ask for TO_CHAR(..., 'YYYY-MM-DD')")
        first, mark, second, year = int(found[1]), found[2], int(found[3]), int(found[4])
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
