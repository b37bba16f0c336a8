"""The normalized accounts-receivable model: the only one in this product.

Records are frozen values; what a ledger says is stored in them, what we conclude from it is computed elsewhere with an
explicit as-of date.
"""

from ar_core.model.activity import (
    Coverage,
    Direction,
    Dispute,
    Intent,
    Origin,
    Pause,
    Promise,
    Touch,
    TouchOutcome,
)
from ar_core.model.base import Amount, Currency, Frozen, UtcDatetime
from ar_core.model.documents import CreditNote, Document, DocumentStatus, Invoice, Line, LineKind
from ar_core.model.findings import Finding, FindingCode, check_document, check_snapshot
from ar_core.model.money import CurrencyMismatch, Money, parse_amount
from ar_core.model.parties import (
    Address,
    Channel,
    Contact,
    ContactRole,
    Customer,
    CustomField,
    Organization,
    PaymentTerms,
    Subsidiary,
)
from ar_core.model.profile import (
    BouncedChannel,
    Consent,
    CustomerProfile,
    OutOfOffice,
    ProfileFlag,
    TeamMember,
)
from ar_core.model.refs import (
    DeletionEvidence,
    RecordId,
    RecordKind,
    Source,
    Tombstone,
    allocation_id,
    connection_id,
    local_id,
    parse_record_id,
    record_id,
)
from ar_core.model.settlements import Adjustment, Allocation, Payment, PaymentKind
from ar_core.model.snapshot import ExchangeRate, Snapshot, json_schema

__all__ = [
    "Address",
    "Adjustment",
    "Allocation",
    "Amount",
    "BouncedChannel",
    "Channel",
    "Consent",
    "Contact",
    "ContactRole",
    "Coverage",
    "CreditNote",
    "Currency",
    "CurrencyMismatch",
    "CustomField",
    "Customer",
    "CustomerProfile",
    "DeletionEvidence",
    "Direction",
    "Dispute",
    "Document",
    "DocumentStatus",
    "ExchangeRate",
    "Finding",
    "FindingCode",
    "Frozen",
    "Intent",
    "Invoice",
    "Line",
    "LineKind",
    "Money",
    "Organization",
    "Origin",
    "OutOfOffice",
    "Pause",
    "Payment",
    "PaymentKind",
    "PaymentTerms",
    "ProfileFlag",
    "Promise",
    "RecordId",
    "RecordKind",
    "Snapshot",
    "Source",
    "Subsidiary",
    "TeamMember",
    "Tombstone",
    "Touch",
    "TouchOutcome",
    "UtcDatetime",
    "allocation_id",
    "check_document",
    "check_snapshot",
    "connection_id",
    "json_schema",
    "local_id",
    "parse_amount",
    "parse_record_id",
    "record_id",
]
