"""What serves the mapping of one page, whatever the ERP? Record ids, references, currencies, and a check on every number.

A `Mapper` is made for one page and thrown away, so two threads never share one. A page is a thousand rows of ten objects
each, so what is used for every row is a plain attribute, and the cheapest way to an answer is tried first; an ERP's own
mapper is a subclass, and adds only what its rows need.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable
from datetime import datetime
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
from functools import lru_cache
from typing import Any, Final

from ar_connectors.adapterkit.tenant import Tenant
from ar_core.model import RecordKind, Source
from ar_core.model.base import adopt, blank, empty
from ar_core.model.money import MAX_EXPONENT, ZERO

__all__ = ["CHECK_EVERY", "CUSTOMER", "INVOICE", "PAYMENT", "Mapper", "RowError", "bounded", "sums_safely"]

CUSTOMER: Final = RecordKind.CUSTOMER
INVOICE: Final = RecordKind.INVOICE
PAYMENT: Final = RecordKind.PAYMENT
"""The kinds that ids are made for in nearly every row. Reading a member of an enumeration runs code of Python until 3.12: what a row
needs has a name of its own here and in the mappings."""

CHECK_EVERY: Final = 32
"""Rows between two checks of their numbers: what was made just now is still in the processor's cache."""

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_PLAIN: Final = f"-{string.digits}{string.ascii_letters}".encode()
"""What need not be escaped in an id."""

_BOUNDED: Final = DecimalContext(
    prec=60,
    Emin=-MAX_EXPONENT - 60,
    Emax=MAX_EXPONENT,
    traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Underflow, Subnormal, Clamped],
)


@lru_cache(maxsize=64)
def _sources_of(platform: str, tenant: str) -> Callable[[], dict[str, Any]]:
    """Blank sources of one company; the few that a process works on are remembered."""
    return blank(Source, platform=platform, tenant=tenant)


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


def sums_safely(numbers: Iterable[Decimal | None]) -> bool:
    """The check of `Mapper.check_numbers`, on any numbers. Never True when one of them is not `bounded`."""
    try:
        with localcontext(_BOUNDED):
            result = sum([number for number in numbers if number is not None], ZERO)
    except DecimalException:
        return False
    # Opposite signs may cancel, but exponents never do: the sum has the smallest exponent that came in.
    return result.is_finite() and abs(int(result.as_tuple().exponent)) <= MAX_EXPONENT


class Mapper:
    """Caches that make equal things one object, and the page's numbers for one check.

    Args:
        tenant: whose rows they are.
        kinds: the kinds of record that ids are made for again and again; of any other they are made one by one.
        home_currency: of the company, for rows that name no currency; None when it is not known (a lone decode).
    """

    __slots__ = (
        "_currencies",
        "_new_source",
        "_prefixes",
        "home_currency",
        "numbers",
        "platform",
        "tenant",
    )

    def __init__(self, tenant: Tenant, kinds: Iterable[RecordKind], home_currency: str | None = None) -> None:
        self.tenant = tenant.id
        self.platform = tenant.platform
        self.home_currency = home_currency
        self.numbers: list[Decimal | None] = []
        """Every number that went into a record since the last check; see `check_numbers`."""
        self._new_source = _sources_of(self.platform, self.tenant)
        self._prefixes = {kind: tenant.record_id(kind, "0")[:-1] for kind in kinds}
        self._currencies: dict[str, str] = {}

    def id(self, kind: RecordKind, remote_id: str | None) -> str:
        """A record id; fast for the usual plain ids and GUIDs. Raises RowError where there is none."""
        if not remote_id:
            raise RowError("missing_field", "the row has no Id")
        # Nearly all are digits only, or a GUID; the first is told in a third of the time of the second.
        if (
            remote_id.isascii()
            and (remote_id.isalnum() or not remote_id.encode().translate(None, _PLAIN))
            and (prefix := self._prefixes.get(kind)) is not None
        ):
            return prefix + remote_id
        try:
            return Tenant(self.platform, self.tenant).record_id(kind, remote_id)
        except UnicodeEncodeError as error:
            raise RowError("bad_text", f"the Id {remote_id!r} is not text") from error

    def customer_id(self, remote_id: str | None) -> str | None:
        """The record id of the customer that something points at, None where it points at nobody."""
        # Not remembered: a page of a large company names nearly as many customers as it has rows.
        return self.id(CUSTOMER, remote_id) if remote_id else None

    def source(
        self, kind: str, remote_id: str | None, version: str | None, updated_at: datetime | None
    ) -> Source:
        """Where a row came from. `updated_at` in UTC; None where the row does not say an instant."""
        values = self._new_source()
        values["kind"] = kind
        values["remote_id"] = remote_id
        values["version"] = version
        values["updated_at"] = updated_at
        adopt(source := empty(Source), values)
        return source

    def currency_code(self, code: str | None, field: str = "currency") -> str | None:
        """The currency of a row: its own, else the company's, else unknown. Raises RowError for what is no code."""
        if not code:
            return self.home_currency
        known = self._currencies.get(code)
        if known is None:
            if not _CURRENCY.fullmatch(code):
                raise RowError("bad_currency", f"{field} {code!r} is not a currency code")
            known = self._currencies[code] = code
        return known

    def check_numbers(self) -> bool:
        """True when every number since the last check is finite and within the limit; see `CHECK_EVERY`.

        One exact sum in a bounded context finds them all at once: a NaN stays a NaN, a huge number overflows, a tiny one is
        inexact or drags the sum's exponent along. A false alarm costs nothing but the careful path.
        """
        good = sums_safely(self.numbers)
        self.numbers.clear()
        return good
