"""Who owes, who is owed, and whom do we talk to? Organization, customers, contacts, terms."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from ar_core.model.base import Amount, Currency, Frozen
from ar_core.model.refs import Source

__all__ = [
    "Address",
    "Channel",
    "Contact",
    "ContactRole",
    "CustomField",
    "Customer",
    "Organization",
    "PaymentTerms",
    "Subsidiary",
]


class Channel(StrEnum):
    """A way to reach a person."""

    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    WHATSAPP = "whatsapp"
    LETTER = "letter"
    INTERNAL = "internal"
    """Not a contact with the customer: a notice to our own people."""


class ContactRole(StrEnum):
    """What a contact person does at the customer."""

    BILLING = "billing"
    ACCOUNTS_PAYABLE = "accounts_payable"
    DEPARTMENT_HEAD = "department_head"
    EXECUTIVE = "executive"
    OTHER = "other"
    UNKNOWN = "unknown"


class CustomField(Frozen):
    """One value that the ERP's own users defined; text as the ERP gave it."""

    name: str | None = None
    value: str | None = None
    definition_id: str | None = None


class Address(Frozen):
    """A postal address. Free lines first, then the parts the ERP knows."""

    lines: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    """As the ERP wrote it: a code or a name."""


class PaymentTerms(Frozen):
    """When an invoice falls due, and what an early payment earns."""

    remote_id: str | None = None
    name: str | None = None
    due_days: int | None = None
    """Days after the issue date."""
    day_of_month_due: int | None = None
    due_next_month_days: int | None = None
    """Issued within this many days of the due day: due a month later."""
    discount_percent: Amount | None = None
    discount_days: int | None = None


class Subsidiary(Frozen):
    """A legal entity of the organization that issues documents of its own."""

    id: str
    name: str | None = None
    currency: Currency | None = None
    country: str | None = None
    parent_id: str | None = None


class Organization(Frozen):
    """The company that is owed the money: one per connection."""

    id: str
    source: Source | None = None
    name: str | None = None
    legal_name: str | None = None
    base_currency: Currency | None = None
    time_zone: str | None = None
    """IANA name. Asked from the user, never guessed; days past due are counted in it."""
    country: str | None = None
    multicurrency: bool | None = None
    lock_date: date | None = None
    """Books are closed up to and including this day."""
    adviser_lock_date: date | None = None
    """The same for advisers, where the ERP tells the two apart."""
    subsidiaries: tuple[Subsidiary, ...] = ()
    custom_fields: tuple[CustomField, ...] = ()


class Contact(Frozen):
    """A person or mailbox at a customer."""

    id: str
    customer_id: str
    source: Source | None = None
    role: ContactRole = ContactRole.UNKNOWN
    person: str | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    whatsapp: str | None = None
    postal: Address | None = None
    language: str | None = None
    time_zone: str | None = None
    """IANA name; quiet hours are kept in it."""
    is_active: bool | None = None

    def address(self, channel: Channel) -> str | None:
        """Where this contact is reached on a channel; None when it cannot be. A letter needs a postal address."""
        match channel:
            case Channel.EMAIL:
                return self.email
            case Channel.SMS:
                return self.mobile
            case Channel.VOICE:
                return self.phone or self.mobile
            case Channel.WHATSAPP:
                return self.whatsapp or self.mobile
            case Channel.LETTER:
                return ", ".join(self.postal.lines) or self.postal.city if self.postal else None
            case Channel.INTERNAL:
                return None


class Customer(Frozen):
    """Who owes: the party that documents are billed to."""

    id: str
    source: Source | None = None
    name: str
    legal_name: str | None = None
    number: str | None = None
    """The customer code that people use, where the ERP has one."""
    billing_address: Address | None = None
    country: str | None = None
    language: str | None = None
    time_zone: str | None = None
    currency: Currency | None = None
    terms: PaymentTerms | None = None
    credit_limit: Amount | None = None
    order_hold: bool | None = None
    """The ERP's stop on new orders; None where the ERP has no such thing."""
    is_active: bool | None = None
    parent_id: str | None = None
    bill_with_parent: bool | None = None
    merged_into_id: str | None = None
    reported_balance: Amount | None = None
    """What the ERP prints as the customer's balance. Never summed: reconcile compares it."""
    subsidiary_id: str | None = None
    notes: str | None = None
    """Staff-only notes on the customer, verbatim."""
    raw_status: str | None = None
    custom_fields: tuple[CustomField, ...] = ()
