"""What does a mapper know beyond the row in front of it? Facts of the account, and caches for one page.

A `Context` is plain data (it is saved in the cursor of the `reference` stream); a `Mapper` serves one page and is thrown
away, so two threads never share one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Context as DecimalContext
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import Any, Final, TypeVar

from ar_connectors.adapterkit import mapper as kit
from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.connector import Record
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.dates import LOCAL, Days, instant
from ar_connectors.netsuite.statuses import RECORD_TYPES, document_status, is_true, status_words
from ar_connectors.netsuite.wire import MAX_DIGITS
from ar_core.model import DocumentStatus, PaymentTerms, RecordKind, Source
from ar_core.model.base import adopt, blank, empty

__all__ = ["PAGE_KINDS", "Context", "Made", "Mapper", "RowError"]

Made = tuple[tuple[Record, ...], str | None]
"""The records of a row, and the parent whose whole set of children they hold."""

PAGE_KINDS: Final = (
    RecordKind.CUSTOMER,
    RecordKind.CONTACT,
    RecordKind.INVOICE,
    RecordKind.CREDIT_NOTE,
    RecordKind.PAYMENT,
    RecordKind.ADJUSTMENT,
    RecordKind.PROMISE,
)

_BLANK = Callable[[], dict[str, Any]]
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


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
    knows_rates: bool = True
    """The exchange rate of a transaction is that of the book that is read: it is the primary book's."""
    day_first: bool | None = None
    """How dates without TO_CHAR are to be read; None: by what their page tells."""


@lru_cache(maxsize=64)
def _sources_of(tenant: str, kind: str) -> Callable[[], dict[str, Any]]:
    """Blank sources of one kind of record of one account."""
    return blank(Source, platform=PLATFORM, tenant=tenant, kind=kind)


class _Remembered(dict[_Key, _Value]):
    """Answers by what was asked, each made once by `make`. A dict, because nothing answers a known question sooner."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[_Key], _Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: _Key) -> _Value:
        value = self[key] = self._make(key)
        return value


_exact: Final = DecimalContext(prec=MAX_DIGITS, traps=[InvalidOperation]).create_decimal
"""The number that a text of at most so many digits says, to the last digit."""
_ONE: Final = Decimal(1)


def _as_it_is(number: Any) -> Any:
    return number


class Mapper(kit.Mapper):
    """Serves the mapping of one page: what the shared one does, and what NetSuite's rows need.

    `body`: the page's bytes, where dates that can be read in two ways look for company. `of_text`: the numbers of its rows are text
    (`wire.ANSWERS`).
    """

    __slots__ = (
        "_sources",
        "context",
        "currencies",
        "customers",
        "days",
        "documents",
        "invoices",
        "knows_promises",
        "knows_rates",
        "number",
        "of_text",
        "payments",
        "rate",
        "read",
        "statuses",
        "terms",
        "zone",
    )

    def __init__(self, context: Context, body: bytes = b"", *, of_text: bool = False) -> None:
        super().__init__(Tenant(PLATFORM, context.tenant), PAGE_KINDS, context.base_currency)
        self.context = context
        self.zone = context.zone
        self.knows_rates = context.knows_rates
        self.customers = self._prefixes[kit.CUSTOMER]
        """What the ids of customers begin with; so the other two."""
        self.invoices = self._prefixes[kit.INVOICE]
        self.payments = self._prefixes[kit.PAYMENT]
        self.of_text = of_text
        self.read: list[Any] = [] if of_text else self.numbers
        """As `numbers`, as the columns hold them."""
        self.number: Callable[[Any], Decimal] = _exact if of_text else _as_it_is
        """The number that a column holds. Raises InvalidOperation for text that is none."""
        self.rate: Callable[[Any], Decimal] = _Remembered(_exact).__getitem__ if of_text else _as_it_is
        """The same for a column that holds few different ones."""
        self.knows_promises = context.reads_promises
        """The account shows promise dates, so an invoice without one has none."""
        self.days = Days(context.day_first, body)
        self.currencies = _Remembered(partial(_currency, context))
        """ISO code by a row's `currency` and `currencyname`; None where neither tells one."""
        self.terms = _Remembered(partial(_terms, context))
        """Payment terms by a row's `terms` and `termsname`."""
        self.statuses = _Remembered(partial(_status, context))
        """What a person calls a transaction's status and what it means, by type, `status`, `statusname`, `voided`, `posting`."""
        self.documents: dict[tuple[str | None, ...], tuple[_BLANK, _BLANK]] = {}
        """What `new_document` has made: by what most documents of a page have in common."""
        self._sources: _Remembered[str, _BLANK] = _Remembered(partial(_sources_of, context.tenant))

    def id(self, kind: RecordKind, remote_id: str | None) -> str:
        """As the shared one; internal ids are numbers, and those are seen to need no escaping at a glance."""
        if remote_id and remote_id.isdigit() and remote_id.isascii() and kind in self._prefixes:
            return self._prefixes[kind] + remote_id
        return super().id(kind, remote_id)

    def customer_id(self, remote_id: str | None) -> str | None:
        """As the shared one, without a call more."""
        if remote_id and remote_id.isdigit() and remote_id.isascii():
            return self.customers + remote_id
        return super().id(RecordKind.CUSTOMER, remote_id) if remote_id else None

    def provenance(self, kind: str, remote_id: str | None, changed: str | None) -> Source:
        """Where a row came from. Its version is the time of its last change as NetSuite wrote it: equal means unchanged."""
        return self.source_of(self._sources[kind](), remote_id, changed)

    def source_of(self, values: dict[str, Any], remote_id: str | None, changed: str | None) -> Source:
        """The same of a blank source of its kind, which nobody else may keep."""
        values["remote_id"] = remote_id
        if changed:
            values["version"] = changed
            if self.zone is not None or len(changed) != LOCAL:
                values["updated_at"] = instant(changed, self.zone)
        adopt(source := empty(Source), values)
        return source

    def new_document(
        self, key: tuple[str | None, ...], new: _BLANK, terms: tuple[str | None, str | None] = (None, None)
    ) -> tuple[_BLANK, _BLANK]:
        """What makes `blank` records of documents that have this much in common, and what makes their sources. `key`: type, `status`,
        `statusname`, `voided`, `posting`, `currency`, `currencyname`, `subsidiary`, and what else tells them from others; `new`: a
        blank one of their kind. Their rate is 1."""
        values = new()
        values["raw_status"], values["document_status"] = self.statuses[key[:5]]
        values["currency"] = self.currencies[key[5], key[6]]
        values["subsidiary_id"] = key[7] or None
        values["source_rate"] = _ONE
        values["exchange_rate"] = _ONE if self.knows_rates else None
        if "terms" in values:
            values["terms"] = self.terms[terms]
        made = self.documents[key] = values.copy, self._sources[RECORD_TYPES[key[0] or ""]]
        return made

    def check_numbers(self) -> bool:
        """As the shared one. Text has at most `MAX_DIGITS` characters here, so only an exponent could take a number beyond the limit,
        and what is no number is called NaN or Infinity."""
        if not self.of_text:
            return super().check_numbers()
        texts = "".join(self.read)
        self.read.clear()
        return not any(letter in texts for letter in "EeNn")


def _status(context: Context, told: tuple[str | None, ...]) -> tuple[str | None, DocumentStatus]:
    kind, status, name, voided, posting = told
    words = status_words(kind or "", status, name, context.statuses)
    return words, document_status(kind or "", status, words, voided=is_true(voided), posting=is_true(posting))


def _currency(context: Context, told: tuple[str | None, str | None]) -> str | None:
    """The ISO code of a currency: by its internal id, by the code itself or by a name that is one; else the account's base
    currency where the row names none; else unknown: NetSuite's names need not be codes (quirks.md#ns-17)."""
    internal_id, name = told
    found = context.currencies.get(internal_id or "")
    for text in (name, internal_id):
        if found is None and text and text in _KNOWN_CODES:
            # Three capitals need not be a code: Oracle's own samples call the US dollar "USA".
            found = text
    if found is None and not internal_id and not name:
        found = context.base_currency
    return found


def _terms(context: Context, told: tuple[str | None, str | None]) -> PaymentTerms | None:
    """Payment terms: all that the table `term` says, else id and name on the document."""
    internal_id, name = told
    if not internal_id and not name:
        return None
    known = context.terms.get(internal_id or "")
    return known or PaymentTerms.trusted(remote_id=internal_id or None, name=name or None)


_KNOWN_CODES: Final = frozenset(
    """AED ARS AUD BGN BHD BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DOP EGP EUR FJD GBP GEL GTQ HKD HNL HRK HUF IDR ILS INR ISK
    JMD JOD JPY KES KRW KWD KZT LKR MAD MUR MXN MYR NGN NIO NOK NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB SAR SEK
    SGD THB TND TRY TTD TWD TZS UAH UGX USD UYU UZS VEF VES VND XAF XCD XOF XPF ZAR ZMW""".split()  # noqa: SIM905 - a table, not a list
)
"""ISO codes of currencies that companies bill in: what a name must be to be taken for a code where the account's own table of
currencies is not at hand."""
