"""What does a mapper know beyond the row in front of it? Facts of the company, id prefixes, and a check on every number.

A `Context` is plain data (it is saved in the cursor of the `reference` stream); a `Mapper` serves one page and is thrown
away, so two threads never share one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from decimal import (
    Clamped,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Subnormal,
    Underflow,
    localcontext,
)
from decimal import Context as DecimalContext
from typing import Final

from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.faults import PLATFORM
from ar_core.model import CustomField, PaymentTerms, RecordKind, Source, record_id
from ar_core.model.base import adopter
from ar_core.model.money import MAX_EXPONENT, ZERO

__all__ = ["ENTITY_KINDS", "PLATFORM", "Context", "Mapper", "RowError", "bounded", "sums_safely"]

ENTITY_KINDS: Final[Mapping[str, RecordKind]] = {
    "Invoice": RecordKind.INVOICE,
    "CreditMemo": RecordKind.CREDIT_NOTE,
    "Payment": RecordKind.PAYMENT,
    "RefundReceipt": RecordKind.PAYMENT,
    "JournalEntry": RecordKind.ADJUSTMENT,
    "Customer": RecordKind.CUSTOMER,
    "Attachable": RecordKind.NOTE,
    "CompanyInfo": RecordKind.ORGANIZATION,
    "Preferences": RecordKind.ORGANIZATION,
}
"""Which kind of record an entity becomes. A RefundReceipt is a payment of kind refund; transaction ids of a company
come from one sequence, so the two do not collide (quirks.md#qbo-12)."""

_PREFIXED: Final = (*dict.fromkeys(ENTITY_KINDS.values()), RecordKind.CONTACT)
_source = adopter(Source)

_CURRENCY: Final = re.compile(r"[A-Z]{3}")

_BOUNDED: Final = DecimalContext(
    prec=60,
    Emin=-MAX_EXPONENT - 60,
    Emax=MAX_EXPONENT,
    traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Underflow, Subnormal, Clamped],
)


class RowError(ValueError):
    """A row that cannot become a record. `code` is stable (`missing_field`, `bad_number`, ...); the text is for a person."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def bounded(value: Decimal) -> bool:
    """True for a finite number whose exponent and magnitude are within the limit of design rule D15."""
    if not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    return (
        isinstance(exponent, int) and abs(exponent) <= MAX_EXPONENT and abs(value.adjusted()) <= MAX_EXPONENT
    )


@dataclass(frozen=True, slots=True)
class Context:
    """Facts of one company; all but the tenant may be unknown (a lone decode)."""

    tenant: str
    """The realm id, a long number kept as text."""
    home_currency: str | None = None
    multicurrency: bool | None = None
    terms: Mapping[str, PaymentTerms] = field(default_factory=dict)
    """Payment terms by id."""
    receivable_accounts: frozenset[str] | None = None
    """Ids of accounts of type Accounts Receivable; None: not known."""

    def id(self, kind: RecordKind, remote_id: str) -> str:
        """The record id of something in this company. Raises ValueError for an empty remote id."""
        return record_id(PLATFORM, self.tenant, kind, remote_id)


class Mapper:
    """Serves the mapping of one page: caches that make equal things one object, and the page's numbers for one check.

    A page is a thousand rows of ten objects each, so what is used for every row (prefixes of ids, the caches) is a plain
    attribute, and the cheapest way to an answer is tried first.
    """

    __slots__ = ("_currencies", "_custom", "_prefixes", "_refs", "_terms", "context", "numbers", "tenant")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.tenant = context.tenant
        self.numbers: list[Decimal | None] = []
        """Every number that went into a record of this page; see `check_numbers`."""
        self._prefixes = {kind: context.id(kind, "0")[:-1] for kind in _PREFIXED}
        self._refs: dict[str, str] = {}
        self._terms: dict[tuple[str | None, str | None], PaymentTerms] = {}
        self._custom: dict[tuple[str | None, str | None, str | None], CustomField] = {}
        self._currencies: dict[str, str] = {}

    def id(self, kind: RecordKind, remote_id: str | None) -> str:
        """A record id; fast for the usual plain ids. Raises RowError where there is none."""
        if remote_id is not None and remote_id.isalnum() and remote_id.isascii():
            return self._prefixes[kind] + remote_id
        if not remote_id:
            raise RowError("missing_field", "the row has no Id")
        try:
            return self.context.id(kind, remote_id)
        except UnicodeEncodeError as error:
            raise RowError("bad_text", f"the Id {remote_id!r} is not text") from error

    def customer(self, reference: wire.Id | None) -> str | None:
        """The record id of the customer a reference points at, None for an empty one."""
        if reference is None:
            return None
        value = reference.value
        if not value:
            return None
        known = self._refs.get(value)
        if known is None:
            known = self._refs[value] = self.id(RecordKind.CUSTOMER, value)
        return known

    def provenance(self, kind: str, row: wire.Entity) -> Source:
        """Where a row came from. A time without an offset is not an instant: it stays unknown (quirks.md#qbo-51)."""
        meta = row.meta_data
        changed = meta.last_updated_time if meta is not None else None
        if changed is not None:
            changed = changed.astimezone(UTC) if changed.tzinfo is not None else None
        return _source(
            {
                "platform": PLATFORM,
                "tenant": self.tenant,
                "kind": kind,
                "remote_id": row.id,
                "version": row.sync_token,
                "updated_at": changed,
            }
        )

    def currency(self, reference: wire.Id | None) -> str | None:
        """The currency of a row: its own, else the company's home currency, else unknown (quirks.md#qbo-14)."""
        code = reference.value if reference is not None else None
        if not code:
            return self.context.home_currency
        known = self._currencies.get(code)
        if known is None:
            if not _CURRENCY.fullmatch(code):
                raise RowError("bad_currency", f"CurrencyRef {code!r} is not a currency code")
            known = self._currencies[code] = code
        return known

    def terms(self, reference: wire.Ref | None) -> PaymentTerms | None:
        """Payment terms: all that the Term table says, else the id and the name on the document."""
        if reference is None or not reference.value:
            return None
        key = (reference.value, reference.name)
        terms = self._terms.get(key)
        if terms is None:
            terms = self.context.terms.get(reference.value)
            if terms is None:
                terms = PaymentTerms.trusted(remote_id=reference.value, name=reference.name)
            self._terms[key] = terms
        return terms

    def custom_fields(self, rows: list[wire.CustomField] | None) -> tuple[CustomField, ...]:
        """Values the company's users entered; a defined field without a value is kept with None."""
        if not rows:
            return ()
        result = []
        for row in rows:
            value = row.string_value
            if value is None:
                value = _text(row)
            key = (row.name, value, row.definition_id)
            custom = self._custom.get(key)
            if custom is None:
                custom = self._custom[key] = CustomField.trusted(
                    name=row.name, value=value, definition_id=row.definition_id
                )
            result.append(custom)
        return tuple(result)

    def check_numbers(self) -> bool:
        """True when every number of the page is finite and within the limit.

        One exact sum in a bounded context finds them all at once: a NaN stays a NaN, a huge number overflows, a tiny one is
        inexact or drags the sum's exponent along. A false alarm costs nothing but the careful path.
        """
        return sums_safely(self.numbers)


def sums_safely(numbers: Iterable[Decimal | None]) -> bool:
    """The check of `Mapper.check_numbers`, on any numbers. Never True when one of them is not `bounded`."""
    try:
        with localcontext(_BOUNDED):
            result = sum([number for number in numbers if number is not None], ZERO)
    except DecimalException:
        return False
    # Opposite signs may cancel, but exponents never do: the sum has the smallest exponent that came in.
    return result.is_finite() and abs(int(result.as_tuple().exponent)) <= MAX_EXPONENT


def _text(row: wire.CustomField) -> str | None:
    if row.number_value is not None:
        return str(row.number_value)
    if row.boolean_value is not None:
        return "true" if row.boolean_value else "false"
    return row.date_value
