"""What is known about one connection at one moment? All records together, sorted, as one immutable value."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from operator import attrgetter
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import AfterValidator

from ar_core.model.activity import Dispute, Pause, Promise, Touch
from ar_core.model.base import Amount, Currency, Frozen, UtcDatetime
from ar_core.model.documents import CreditNote, Invoice
from ar_core.model.parties import Contact, Customer, Organization
from ar_core.model.profile import CustomerProfile
from ar_core.model.settlements import Adjustment, Allocation, Payment

__all__ = ["ExchangeRate", "Snapshot", "json_schema"]


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_HasId)

_by_id = attrgetter("id")


def _sorted_by_id(records: tuple[T, ...]) -> tuple[T, ...]:
    """Order is part of the value: the same facts give the same bytes. Two records with one id are an error."""
    ordered = tuple(sorted(records, key=_by_id))
    for first, second in pairwise(ordered):
        if first.id == second.id:
            raise ValueError(f"two records have the id {first.id!r}: keep one")
    return ordered


class ExchangeRate(Frozen):
    """One currency's price in the base currency on a day; supplied by the host or read from the ERP."""

    currency: Currency
    base_currency: Currency
    rate: Amount
    """Base units per 1 unit of `currency`."""
    as_of: date

    @property
    def id(self) -> str:
        """Sort key: currency, base, day."""
        return f"{self.currency}/{self.base_currency}/{self.as_of.isoformat()}"


class Snapshot(Frozen):
    """Everything the evaluator, the aging report and the metrics read. No record in it is a tombstone.

    Raises pydantic.ValidationError (a ValueError) for two records with one id.
    """

    schema_version: int = 1
    organization: Organization | None = None
    customers: Annotated[tuple[Customer, ...], AfterValidator(_sorted_by_id)] = ()
    contacts: Annotated[tuple[Contact, ...], AfterValidator(_sorted_by_id)] = ()
    profiles: Annotated[tuple[CustomerProfile, ...], AfterValidator(_sorted_by_id)] = ()
    invoices: Annotated[tuple[Invoice, ...], AfterValidator(_sorted_by_id)] = ()
    credit_notes: Annotated[tuple[CreditNote, ...], AfterValidator(_sorted_by_id)] = ()
    payments: Annotated[tuple[Payment, ...], AfterValidator(_sorted_by_id)] = ()
    adjustments: Annotated[tuple[Adjustment, ...], AfterValidator(_sorted_by_id)] = ()
    allocations: Annotated[tuple[Allocation, ...], AfterValidator(_sorted_by_id)] = ()
    promises: Annotated[tuple[Promise, ...], AfterValidator(_sorted_by_id)] = ()
    disputes: Annotated[tuple[Dispute, ...], AfterValidator(_sorted_by_id)] = ()
    touches: Annotated[tuple[Touch, ...], AfterValidator(_sorted_by_id)] = ()
    pauses: Annotated[tuple[Pause, ...], AfterValidator(_sorted_by_id)] = ()
    rates: Annotated[tuple[ExchangeRate, ...], AfterValidator(_sorted_by_id)] = ()
    known_at: UtcDatetime | None = None
    """Only what was known at this instant is in it; None: everything known."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a snapshot file, for users of other languages. Amounts are JSON strings."""
    return Snapshot.model_json_schema(mode="serialization")
