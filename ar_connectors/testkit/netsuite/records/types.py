"""Which record types are there, and which fields have they? What may be written, what the metadata catalog says, what a typo is.

Names are those of Oracle's REST API browser; only what receivables need is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ar_connectors.testkit.ledger.records import Kind
from ar_connectors.testkit.netsuite.company import Account

__all__ = ["TYPES", "Field", "FieldKind", "RecordType", "fields_of", "type_named"]

FieldKind = Literal[
    "string", "boolean", "number", "integer", "date", "date-time", "reference", "enum", "sublist"
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    name: str
    kind: FieldKind
    title: str
    writable: bool = False
    to: str = ""
    """The record type a reference is to."""
    values: tuple[tuple[str, str], ...] = ()
    """Ids and texts of an enum."""


@dataclass(frozen=True, slots=True)
class RecordType:
    """One record type."""

    name: str
    kind: Kind | None
    """The kind of the books; None for activities."""
    transaction: str = ""
    """Its type code, if it is a transaction."""
    custom: str = ""
    """Whose custom fields it has: transaction or entity."""
    fields: tuple[Field, ...] = ()
    creatable: bool = False
    by_name: Mapping[str, Field] = field(init=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.fields})


def _title(name: str) -> str:
    return "".join(f" {letter}" if letter.isupper() else letter for letter in name).strip().capitalize()


def _of(kind: FieldKind, *names: str, writable: bool = False) -> Iterator[Field]:
    return (Field(name, kind, _title(name), writable) for name in names)


def _ref(name: str, to: str, *, writable: bool = False) -> Field:
    return Field(name, "reference", _title(name), writable, to)


def _enum(name: str, *values: tuple[str, str], writable: bool = True) -> Field:
    return Field(name, "enum", _title(name), writable, values=values)


_HOLD: Final = _enum("creditHoldOverride", ("AUTO", "Auto"), ("ON", "On"), ("OFF", "Off"))
_SOURCE: Final = _enum(
    "userEstimateSource",
    ("COMPANY_ESTIMATE", "Company Estimate"),
    ("CUSTOMER_PROMISED_DATE", "Customer Promised Date"),
)
_PRIORITY: Final = _enum("priority", ("HIGH", "High"), ("MEDIUM", "Medium"), ("LOW", "Low"))


def _header(*, currency: bool = True, party: str = "entity") -> tuple[Field, ...]:
    """What all transactions have."""
    return (
        *_of("string", "id", "tranId"),
        *_of("string", "externalId", "memo", writable=True),
        *_of("date", "tranDate", writable=True),
        *_of("date-time", "createdDate", "lastModifiedDate"),
        _ref(party, "customer", writable=True),
        *((_ref("currency", "currency"),) if currency else ()),
        *_of("number", "exchangeRate"),
        _ref("subsidiary", "subsidiary"),
        _ref("postingPeriod", "accountingPeriod"),
        _enum("status", writable=False),
    )


_ACTIVITY: Final = (
    *_of("string", "id"),
    *_of("string", "externalId", "title", "message", writable=True),
    _ref("company", "customer", writable=True),
    _ref("contact", "contact", writable=True),
    _ref("transaction", "invoice", writable=True),
    _ref("assigned", "employee", writable=True),
    _ref("owner", "employee", writable=True),
    *_of("date", "startDate", "completedDate", writable=True),
    _PRIORITY,
    *_of("date-time", "createdDate", "lastModifiedDate"),
)

TYPES: Final[tuple[RecordType, ...]] = (
    RecordType(
        "invoice",
        "invoice",
        "CustInvc",
        "transaction",
        (
            *_header(),
            *_of("date", "dueDate", "userEstimatedPaymentDate", writable=True),
            _SOURCE,
            *_of("string", "email", "otherRefNum", writable=True),
            _ref("terms", "term", writable=True),
            *_of("number", "total", "subtotal", "taxTotal", "amountPaid", "amountRemaining"),
            Field("item", "sublist", "Items", writable=True),
        ),
        creatable=True,
    ),
    RecordType(
        "creditMemo",
        "credit",
        "CustCred",
        "transaction",
        (
            *_header(),
            *_of("string", "email", "otherRefNum", writable=True),
            *_of(
                "number",
                "total",
                "subtotal",
                "taxTotal",
                "applied",
                "unapplied",
                "amountPaid",
                "amountRemaining",
            ),
            Field("item", "sublist", "Items"),
            Field("apply", "sublist", "Apply"),
        ),
    ),
    RecordType(
        "customerPayment",
        "payment",
        "CustPymt",
        "transaction",
        (
            *_header(party="customer"),
            *_of("number", "payment", writable=True),
            *_of("number", "total", "applied", "unapplied"),
            *_of("string", "checkNum", writable=True),
            Field("apply", "sublist", "Apply", writable=True),
        ),
        creatable=True,
    ),
    RecordType(
        "customerDeposit",
        "deposit",
        "CustDep",
        "transaction",
        (*_header(party="customer"), *_of("number", "payment")),
    ),
    RecordType(
        "depositApplication",
        "payment",
        "DepAppl",
        "transaction",
        (*_header(party="customer"), *_of("number", "total", "applied"), Field("apply", "sublist", "Apply")),
    ),
    RecordType(
        "journalEntry",
        "journal",
        "Journal",
        "transaction",
        (*_header(), Field("line", "sublist", "Lines")),
    ),
    RecordType(
        "customer",
        "customer",
        "",
        "entity",
        (
            *_of("string", "id"),
            *_of(
                "string", "externalId", "entityId", "companyName", "email", "phone", "comments", writable=True
            ),
            *_of("boolean", "isPerson"),
            *_of("boolean", "isInactive", writable=True),
            _ref("subsidiary", "subsidiary", writable=True),
            _ref("currency", "currency", writable=True),
            _ref("terms", "term", writable=True),
            _ref("parent", "customer", writable=True),
            _HOLD,
            *_of("number", "creditLimit", writable=True),
            *_of("number", "balance", "depositBalance"),
            *_of("date-time", "dateCreated", "lastModifiedDate"),
            Field("addressBook", "sublist", "Address book"),
        ),
        creatable=True,
    ),
    RecordType(
        "phoneCall",
        None,
        fields=(
            *_ACTIVITY,
            *_of("string", "phone", writable=True),
            _enum("status", ("SCHEDULED", "Scheduled"), ("COMPLETE", "Completed"), ("FAILED", "Failed")),
        ),
        creatable=True,
    ),
    RecordType(
        "task",
        None,
        fields=(
            *_ACTIVITY,
            *_of("date", "dueDate", writable=True),
            _enum(
                "status", ("NOTSTART", "Not Started"), ("PROGRESS", "In Progress"), ("COMPLETE", "Completed")
            ),
        ),
        creatable=True,
    ),
    RecordType(
        "supportCase",
        None,
        fields=(
            *_of("string", "id", "caseNumber"),
            *_of("string", "externalId", "title", "incomingMessage", "email", writable=True),
            _ref("company", "customer", writable=True),
            *_of("date", "startDate", writable=True),
            _enum(
                "status",
                ("1", "Not Started"),
                ("2", "In Progress"),
                ("3", "Escalated"),
                ("4", "Re-Opened"),
                ("5", "Closed"),
            ),
            _enum("priority", ("1", "High"), ("2", "Medium"), ("3", "Low")),
            *_of("date-time", "createdDate", "lastModifiedDate"),
        ),
        creatable=True,
    ),
    RecordType(
        "subsidiary",
        "subsidiary",
        fields=(*_of("string", "id", "name"), *_of("boolean", "isInactive"), _ref("currency", "currency")),
    ),
    RecordType(
        "term",
        "term",
        fields=(
            *_of("string", "id", "name"),
            *_of("integer", "daysUntilNetDue"),
            *_of("boolean", "isInactive"),
        ),
    ),
)
_BY_NAME: Final = {one.name.lower(): one for one in TYPES}

_CUSTOM_KINDS: Final[Mapping[str, FieldKind]] = {
    "CHECKBOX": "boolean",
    "CURRENCY": "number",
    "DECIMAL": "number",
    "INTEGER": "integer",
    "DATE": "date",
    "SELECT": "enum",
}


def type_named(name: str) -> RecordType | None:
    """A record type by its name, in any case."""
    return _BY_NAME.get(name.lower())


def fields_of(record_type: RecordType, account: Account) -> dict[str, Field]:
    """All fields of a record type, with the account's custom ones."""
    fields = dict(record_type.by_name)
    if not account.oneworld:
        fields.pop("subsidiary", None)
    for one in account.custom_fields:
        if one.applies == record_type.custom:
            values = tuple((str(value), text) for value, text in one.values)
            fields[one.script_id] = Field(
                one.script_id, _CUSTOM_KINDS.get(one.kind, "string"), one.name, True, values=values
            )
    return fields
