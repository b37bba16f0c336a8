"""What does a mapper know beyond the row in front of it? Facts of the company, id prefixes, and a check on every number.

A `Context` is plain data (it is saved in the cursor of the `reference` stream); a `Mapper` serves one page and is thrown
away, so two threads never share one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Final

from ar_connectors.adapterkit.mapper import Mapper as BaseMapper
from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.faults import PLATFORM
from ar_core.model import CustomField, PaymentTerms, RecordKind, Source
from ar_core.model.base import adopt, empty

__all__ = ["ENTITY_KINDS", "PLATFORM", "Context", "Mapper", "RowError"]

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
        return Tenant(PLATFORM, self.tenant).record_id(kind, remote_id)


class Mapper(BaseMapper):
    """Serves the mapping of one page of QuickBooks; see `adapterkit.mapper.Mapper`."""

    __slots__ = ("_custom", "_single", "_terms", "context")

    def __init__(self, context: Context) -> None:
        super().__init__(Tenant(PLATFORM, context.tenant), _PREFIXED, context.home_currency)
        self.context = context
        self._terms: dict[tuple[str | None, str | None], PaymentTerms] = {}
        self._single: dict[tuple[str | None, str | None, str | None], tuple[CustomField]] = {}
        self._custom: dict[tuple[str | None, str | None, str | None], CustomField] = {}

    def customer(self, reference: wire.Id | None) -> str | None:
        """The record id of the customer a reference points at, None for an empty one."""
        return self.customer_id(reference.value) if reference is not None else None

    def provenance(self, kind: str, row: wire.Entity) -> Source:
        """Where a row came from. A time without an offset is not an instant: it stays unknown (quirks.md#qbo-51)."""
        values = self._new_source()
        values["kind"] = kind
        values["remote_id"] = row.id
        values["version"] = row.sync_token
        meta = row.meta_data
        if meta is not None:
            changed = meta.last_updated_time
            if changed is not None and changed.tzinfo is not None:
                values["updated_at"] = changed.astimezone(UTC)
        adopt(source := empty(Source), values)
        return source

    def currency(self, reference: wire.Id | None) -> str | None:
        """The currency of a row: its own, else the company's home currency, else unknown (quirks.md#qbo-14)."""
        code = reference.value if reference is not None else None
        known = self._currencies.get(code) if code else self.home_currency
        return known if known is not None else self.currency_code(code, "CurrencyRef")

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
        if len(rows) > 1 or rows[0].string_value is None:
            return tuple([self._custom_field(row) for row in rows])
        # Nearly every row with any has one, a text; a page has few different ones.
        row = rows[0]
        key = (row.name, row.string_value, row.definition_id)
        found = self._single.get(key)
        if found is None:
            found = self._single[key] = (self._custom_field(row),)
        return found

    def _custom_field(self, row: wire.CustomField) -> CustomField:
        value = row.string_value
        if value is None:
            value = _text(row)
        key = (row.name, value, row.definition_id)
        custom = self._custom.get(key)
        if custom is None:
            custom = self._custom[key] = CustomField.trusted(
                name=row.name, value=value, definition_id=row.definition_id
            )
        return custom


def _text(row: wire.CustomField) -> str | None:
    if row.number_value is not None:
        return str(row.number_value)
    if row.boolean_value is not None:
        return "true" if row.boolean_value else "false"
    return row.date_value
