"""How do the rows of NetSuite look? msgspec structs of the columns this library asks for, under SuiteQL's own (lower-case) names.

SuiteQL gives every value as text and leaves a column without a value out of the row (quirks.md#ns-11), so nothing is required
here: what a record needs is said by the mapping, and a row with a hole is rejected with a reason instead of failing its page. Rows
of other spellings, and REST record bodies, are brought into this shape first (`spellings.py`).

The answers to the statements that read most of an account have narrower shapes (`ANSWERS`), in which numbers are left text: the mapping
makes a number only of what it has not made before. What does not fit them is read into the others.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

__all__ = [
    "ANSWERS",
    "ROWS",
    "ContactRow",
    "CustomerAnswer",
    "CustomerRow",
    "DeletedRow",
    "InvoiceAnswer",
    "JournalRow",
    "LineRow",
    "LinkRow",
    "PaymentAnswer",
    "Row",
    "TransactionRow",
]


class Row(Struct, gc=False):
    """Base of the rows; no cycles, so the collector need not look."""

    id: str | None = None
    """Internal id, a number kept as text. `-3` occurs."""


class LineRow(Row):
    """A line of a credit memo, with the ledger account it is booked on; `id` is the transaction's."""

    line: str | None = None
    item: str | None = None
    itemname: str | None = None
    account: str | None = None
    quantity: Decimal | None = None
    rate: Decimal | None = None
    foreignamount: Decimal | None = None
    """Negative where the line raises what is owed on an invoice (quirks.md#ns-16)."""
    memo: str | None = None
    taxline: str | None = None
    mainline: str | None = None


class TransactionRow(Row):
    """A header of `transaction`: an invoice, a credit memo, a payment, a deposit, a refund. `foreign*` is in its own currency.

    Statements ask for columns in this order: msgspec looks for the next field where it stopped.
    """

    tranid: str | None = None
    type: str | None = None
    """`CustInvc`, `CustCred`, `CustPymt`, `CustDep`, `CustRfnd`, ..."""
    recordtype: str | None = None
    entity: str | None = None
    trandate: str | None = None
    duedate: str | None = None
    status: str | None = None
    """A letter (SuiteQL), or a whole word (REST)."""
    statusname: str | None = None
    currency: str | None = None
    currencyname: str | None = None
    exchangerate: Decimal | None = None
    foreigntotal: Decimal | None = None
    taxtotal: Decimal | None = None
    subtotal: str | None = None
    """Of REST bodies; SuiteQL has no such column."""
    foreignamountpaid: str | None = None
    """This and the other two that are left text are numbers that are needed only where a better column is missing."""
    foreignamountunpaid: Decimal | None = None
    foreignpaymentamountused: str | None = None
    foreignpaymentamountunused: Decimal | None = None
    terms: str | None = None
    termsname: str | None = None
    otherrefnum: str | None = None
    email: str | None = None
    memo: str | None = None
    subsidiary: str | None = None
    lastmodifieddate: str | None = None
    voided: str | None = None
    posting: str | None = None
    userestimatedpaymentdate: str | None = None
    userestimatesource: str | None = None
    lines: list[LineRow] | None = None
    """Of credit memos (`credit_lines.py`)."""
    custom: dict[str, str | None] | None = None
    """Custom fields by script id; only where they were asked for."""


class JournalRow(Row):
    """A line of a journal entry on accounts receivable; `id` is the transaction's, `line` the line's."""

    line: str | None = None
    tranid: str | None = None
    entity: str | None = None
    subsidiary: str | None = None
    trandate: str | None = None
    currency: str | None = None
    currencyname: str | None = None
    exchangerate: Decimal | None = None
    foreignamount: Decimal | None = None
    """Debit positive."""
    foreignamountunpaid: Decimal | None = None
    foreignpaymentamountunused: Decimal | None = None
    account: str | None = None
    memo: str | None = None
    status: str | None = None
    statusname: str | None = None
    posting: str | None = None
    voided: str | None = None
    lastmodifieddate: str | None = None


class LinkRow(Struct, gc=False):
    """An application, from the link table: `next` (a payment, a credit) was applied to `previous` (an invoice)."""

    previousdoc: str | None = None
    previousline: str | None = None
    previoustype: str | None = None
    nextdoc: str | None = None
    nextline: str | None = None
    nexttype: str | None = None
    linktype: str | None = None
    foreignamount: Decimal | None = None
    previouscurrency: str | None = None
    nextcurrency: str | None = None
    nextdate: str | None = None
    nextmodified: str | None = None


class CustomerRow(Row):
    """A row of `customer`."""

    entityid: str | None = None
    companyname: str | None = None
    altname: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    isperson: str | None = None
    email: str | None = None
    phone: str | None = None
    mobilephone: str | None = None
    parent: str | None = None
    subsidiary: str | None = None
    currency: str | None = None
    currencyname: str | None = None
    terms: str | None = None
    termsname: str | None = None
    creditlimit: Decimal | None = None
    creditholdoverride: str | None = None
    oncredithold: str | None = None
    balancesearch: Decimal | None = None
    language: str | None = None
    isinactive: str | None = None
    comments: str | None = None
    billaddr1: str | None = None
    billaddr2: str | None = None
    billcity: str | None = None
    billstate: str | None = None
    billzip: str | None = None
    billcountry: str | None = None
    lastmodifieddate: str | None = None
    custom: dict[str, str | None] | None = None


class ContactRow(Row):
    """A row of `contact`: a person at a customer."""

    company: str | None = None
    entityid: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    title: str | None = None
    email: str | None = None
    phone: str | None = None
    officephone: str | None = None
    mobilephone: str | None = None
    isinactive: str | None = None
    lastmodifieddate: str | None = None


class DeletedRow(Struct, gc=False):
    """A row of `deletedrecord`."""

    recordid: str | None = None
    type: str | None = None
    deleteddate: str | None = None


ROWS: Final[dict[str, type[Struct]]] = {
    "transaction": TransactionRow,
    "journal": JournalRow,
    "link": LinkRow,
    "customer": CustomerRow,
    "contact": ContactRow,
    "deleted": DeletedRow,
}
"""Table of ours -> the shape of its rows."""


# ---- answers to statements of ours

MAX_DIGITS: Final = 40
Number = Annotated[str, Meta(max_length=MAX_DIGITS)]
"""A number as text, short enough to be exact and within any limit if it has no exponent."""
_Flag = Literal["T", "F"]
_Status = Literal[
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
    "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z",
]  # fmt: skip
"""Texts of a list are not made anew for each row, and found at once where they are looked up."""


class InvoiceAnswer(Row):
    """A row of the stream `invoice`, as `TransactionRow`."""

    tranid: str | None = None
    type: Literal["CustInvc", "CustChrg", "FinChrg"] | None = None
    entity: str | None = None
    trandate: str | None = None
    duedate: str | None = None
    status: _Status | None = None
    statusname: str | None = None
    currency: str | None = None
    currencyname: str | None = None
    exchangerate: Number | None = None
    foreigntotal: Number | None = None
    taxtotal: Number | None = None
    subtotal: str | None = None
    foreignamountpaid: str | None = None
    foreignamountunpaid: Number | None = None
    terms: str | None = None
    termsname: str | None = None
    otherrefnum: str | None = None
    email: str | None = None
    memo: str | None = None
    subsidiary: str | None = None
    lastmodifieddate: str | None = None
    voided: _Flag | None = None
    posting: _Flag | None = None
    userestimatedpaymentdate: str | None = None
    userestimatesource: str | None = None
    custom: dict[str, str | None] | None = None


class PaymentAnswer(Row):
    """A row of the stream `payment`, as `TransactionRow`."""

    tranid: str | None = None
    type: Literal["CustPymt", "CustDep", "CustRfnd"] | None = None
    entity: str | None = None
    trandate: str | None = None
    status: _Status | None = None
    statusname: str | None = None
    currency: str | None = None
    currencyname: str | None = None
    exchangerate: Number | None = None
    foreigntotal: Number | None = None
    foreignpaymentamountunused: Number | None = None
    foreignpaymentamountused: str | None = None
    otherrefnum: str | None = None
    memo: str | None = None
    subsidiary: str | None = None
    lastmodifieddate: str | None = None
    voided: _Flag | None = None
    posting: _Flag | None = None
    custom: dict[str, str | None] | None = None


class CustomerAnswer(Row):
    """A row of the stream `customer`, as `CustomerRow`."""

    entityid: str | None = None
    companyname: str | None = None
    altname: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    isperson: _Flag | None = None
    email: str | None = None
    phone: str | None = None
    mobilephone: str | None = None
    parent: str | None = None
    subsidiary: str | None = None
    currency: str | None = None
    currencyname: str | None = None
    terms: str | None = None
    termsname: str | None = None
    creditlimit: Number | None = None
    creditholdoverride: str | None = None
    oncredithold: str | None = None
    balancesearch: Number | None = None
    language: str | None = None
    isinactive: _Flag | None = None
    comments: str | None = None
    billaddr1: str | None = None
    billaddr2: str | None = None
    billcity: str | None = None
    billstate: str | None = None
    billzip: str | None = None
    billcountry: str | None = None
    lastmodifieddate: str | None = None
    custom: dict[str, str | None] | None = None


ANSWERS: Final[dict[str, type[Struct]]] = {
    "invoice": InvoiceAnswer,
    "payment": PaymentAnswer,
    "customer": CustomerAnswer,
}
"""Stream -> the shape of its answer's rows."""
