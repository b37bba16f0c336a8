"""How does a transaction header become an invoice or a credit note, and a date on it a promise? Pure.

Amounts are in the transaction's own currency and taken verbatim; only a sign is dropped where NetSuite writes a credit negative,
and `subtotal` is exactly total less tax (quirks.md#ns-12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, DecimalException
from typing import Any, Final

from ar_connectors.adapterkit.cutting import UNREADABLE
from ar_connectors.adapterkit.mapper import INVOICE
from ar_connectors.adapterkit.pages import FillingPage
from ar_connectors.netsuite.context import Made, Mapper, RowError
from ar_connectors.netsuite.dates import instant
from ar_connectors.netsuite.statuses import RECORD_TYPES, is_true
from ar_connectors.netsuite.wire import InvoiceAnswer, LineRow, TransactionRow
from ar_core.model import (
    CreditNote,
    CustomField,
    DocumentStatus,
    Invoice,
    Line,
    LineKind,
    Origin,
    Promise,
    RecordKind,
)
from ar_core.model.base import adopt, adopter, blank, empty
from ar_core.model.money import ZERO, parse_amount, subtract

__all__ = [
    "UNMAPPABLE",
    "MapRows",
    "alone",
    "amount_in",
    "custom_fields",
    "loose_id",
    "map_credit_memo",
    "map_invoice",
    "map_invoices",
    "map_lines",
    "native_promise",
    "set_rate",
]

MapRows = Callable[[Mapper, list[Any], FillingPage, Callable[[int], None]], None]
"""Puts rows into a page, and hands over the number of each that cannot be mapped; see `map_invoices`."""
UNMAPPABLE: Final = (*UNREADABLE, RowError, DecimalException)
"""What the mapping of a row that cannot be read quickly raises."""

_new_invoice = blank(Invoice)
_credit_note, _new_credit_note = adopter(CreditNote), blank(CreditNote)
_SETTLED: Final = ("paid in full", "fully applied", "void")
_VOIDED: Final = DocumentStatus.VOIDED


def map_invoice(mapper: Mapper, row: TransactionRow | InvoiceAnswer) -> Made:
    """An invoice (or statement or finance charge), and the promise that a bookkeeper set on it. Raises RowError when it has no id, no
    total or nothing that tells what is open, DecimalException for text that is no number."""
    return alone(map_invoices, mapper, row)


def map_invoices(  # noqa: C901, PLR0912  a call for each part of a row is what it avoids
    mapper: Mapper,
    rows: list[Any],
    filled: FillingPage,
    set_aside: Callable[[int], None],
) -> None:
    """Put invoices, each as of `map_invoice`, into the page. Rows (`TransactionRow` or `InvoiceAnswer`) are taken out of their list.
    `set_aside`: called with the number of a row that cannot be mapped, while its exception is handled.

    One loop instead of a call for each row, and for each of a row's results: a ninth of the time of a page.
    """
    documents, days, number_of, of_text = mapper.documents, mapper.days, mapper.number, mapper.of_text
    prefix, read, knows_promises = mapper.invoices, mapper.read, mapper.knows_promises
    records, row_of, replaces = filled.records, filled.row_of, filled.replaces
    for number, row in enumerate(rows):
        rows[number] = None
        try:
            kind, told, left, remote_id = row.type, row.foreigntotal, row.foreignamountunpaid, row.id
            if kind is None or told is None:
                raise RowError(
                    "missing_field", f"{RECORD_TYPES.get(kind, kind)} {remote_id} has no foreigntotal"
                )
            total = number_of(told)
            key = (
                kind, row.status, row.statusname, row.voided, row.posting, row.currency, row.currencyname, row.subsidiary,
                row.terms, row.termsname,
            )  # fmt: skip
            try:
                new, new_source = documents[key]
            except KeyError:
                new, new_source = mapper.new_document(key, _new_invoice, (row.terms, row.termsname))
            values = new()
            if left == "0":
                values["balance_due"] = ZERO
            elif left is None:
                values["balance_due"] = _open_of(row, total, values["raw_status"], values["document_status"])
            elif of_text and left == told:
                values["balance_due"] = total
            else:
                values["balance_due"] = number_of(left)
                read.append(left)
            if remote_id and remote_id.isdigit() and remote_id.isascii():
                values["id"] = identity = prefix + remote_id
            else:
                values["id"] = identity = mapper.id(INVOICE, remote_id)
            _document(mapper, values, row, new_source(), total)
            values["due_date"] = days[row.duedate]
            if row.email:
                values["billing_email"] = row.email
            if row.userestimatedpaymentdate:
                values["expected_payment_date"] = days[row.userestimatedpaymentdate]
                adopt(invoice := empty(Invoice), values)
                if (promise := native_promise(mapper, row, invoice)) is not None:
                    records += (invoice, promise)
                    row_of += (number, number)
                else:
                    records.append(invoice)
                    row_of.append(number)
            else:
                adopt(invoice := empty(Invoice), values)
                records.append(invoice)
                row_of.append(number)
            if knows_promises:
                replaces.append(identity)
        except UNMAPPABLE:
            set_aside(number)


def alone(
    map_rows: MapRows,
    mapper: Mapper,
    row: Any,
) -> Made:
    """What one row becomes by itself. Raises what its mapping raises."""
    filled = FillingPage()
    map_rows(mapper, [row], filled, _raise_again)
    return tuple(filled.records), filled.replaces[0] if filled.replaces else None


def _raise_again(_: int) -> None:
    raise  # noqa: PLE0704  the exception that is being handled


def map_credit_memo(mapper: Mapper, row: TransactionRow) -> Made:
    """One credit memo. Raises RowError when it has no id, no total or nothing that tells what is unapplied."""
    kind = row.type or "CustCred"
    total = row.foreigntotal
    if total is None:
        raise RowError("missing_field", f"creditMemo {row.id} has no foreigntotal")
    key = (
        kind, row.status, row.statusname, row.voided, row.posting, row.currency, row.currencyname, row.subsidiary,
    )  # fmt: skip
    try:
        new, new_source = mapper.documents[key]
    except KeyError:
        new, new_source = mapper.new_document(key, _new_credit_note)
    values = new()
    unused = row.foreignpaymentamountunused
    if unused is None:
        unused = _unused_of(row, total, values["raw_status"], values["document_status"])
    if unused < ZERO:
        unused = unused.copy_negate()
    values["id"] = mapper.id(RecordKind.CREDIT_NOTE, row.id)
    _document(mapper, values, row, new_source(), total)
    mapper.numbers.append(unused)
    if total < ZERO:
        values["total"] = total = total.copy_negate()
        if row.taxtotal is not None:
            values["tax_total"] = tax = row.taxtotal.copy_negate()
            values["subtotal"] = subtract(total, tax)
    if row.lines:
        values["lines"] = map_lines(mapper, row.lines)
    values["unapplied_amount"] = unused
    return (_credit_note(values),), loose_id(values)


def loose_id(values: Mapping[str, Any]) -> str | None:
    """The id of a payment or credit of which nothing is applied: then it has no links, and no row tells that it had some. None for
    any other."""
    unused, amount = values["unapplied_amount"], values["total"]
    # A total of zero is all used and all unused; only a void is known to have let go of everything.
    if unused == amount and (amount or values["document_status"] is _VOIDED):
        found: str = values["id"]
        return found
    return None


def _document(
    mapper: Mapper,
    values: dict[str, Any],
    row: TransactionRow | InvoiceAnswer,
    source: dict[str, Any],
    total: Decimal,
) -> None:
    """Fill in what invoices and credit notes share. `source`: a blank one of its kind."""
    mapper.read.append(row.foreigntotal)
    values["source"] = mapper.source_of(source, row.id, row.lastmodifieddate)
    values["number"] = row.tranid or None
    entity = row.entity
    if entity and entity.isdigit() and entity.isascii():
        values["customer_id"] = mapper.customers + entity
    else:
        values["customer_id"] = mapper.customer_id(entity)
    values["issue_date"] = mapper.days[row.trandate]
    rate, tax = row.exchangerate, row.taxtotal
    if rate != "1":
        set_rate(mapper, values, rate)
    if tax == "0":
        values["tax_total"], values["subtotal"] = ZERO, total
    elif tax is not None:
        values["tax_total"] = amount = mapper.number(tax)
        mapper.read.append(tax)
        values["subtotal"] = subtract(total, amount)
    elif row.subtotal:
        values["subtotal"] = amount_in(row, "subtotal")
    values["total"] = total
    if row.otherrefnum:
        values["customer_reference"] = row.otherrefnum
    if row.memo:
        values["memo"] = row.memo
    if row.custom:
        values["custom_fields"] = custom_fields(row.custom)


def set_rate(mapper: Mapper, values: dict[str, Any], told: Decimal | str | None) -> None:
    """Fill in a rate other than 1, with which documents are made (`Mapper.new_document`)."""
    rate = None
    if told is not None:
        rate = mapper.rate(told)
        mapper.read.append(told)
    values["source_rate"] = rate
    if mapper.knows_rates:
        values["exchange_rate"] = rate


def amount_in(row: Any, column: str) -> Decimal:
    """A number that a struct holds as text. Raises RowError."""
    try:
        return parse_amount(getattr(row, column))
    except ValueError as error:
        raise RowError("bad_number", f"{column} of transaction {row.id}: {error}") from error


def _open_of(
    row: TransactionRow | InvoiceAnswer, total: Decimal, words: str | None, status: DocumentStatus
) -> Decimal:
    """What is open of an invoice that leaves `foreignamountunpaid` out: SuiteQL does so with a column that has no value."""
    if row.foreignamountpaid:
        return subtract(total, amount_in(row, "foreignamountpaid"))
    if status is _VOIDED or any(word in (words or "").casefold() for word in _SETTLED) or total == ZERO:
        return ZERO
    if status in {DocumentStatus.PENDING_APPROVAL, DocumentStatus.DRAFT}:
        return total
    raise RowError("missing_field", f"invoice {row.id} has no foreignamountunpaid")


def _unused_of(row: TransactionRow, total: Decimal, words: str | None, status: DocumentStatus) -> Decimal:
    if row.foreignpaymentamountused:
        return subtract(abs(total), abs(amount_in(row, "foreignpaymentamountused")))
    if row.foreignamountunpaid is not None:
        return row.foreignamountunpaid
    if status is _VOIDED or any(word in (words or "").casefold() for word in _SETTLED) or total == ZERO:
        return ZERO
    if status in {DocumentStatus.PENDING_APPROVAL, DocumentStatus.DRAFT}:
        return total
    raise RowError("missing_field", f"creditMemo {row.id} has no foreignpaymentamountunused")


def map_lines(mapper: Mapper, lines: Sequence[LineRow]) -> tuple[Line, ...]:
    """The lines of a document that have an amount; positive where they add to the document."""
    found = []
    for line in lines:
        amount = line.foreignamount
        mapper.numbers += (amount, line.quantity, line.rate)
        found.append(
            Line.trusted(
                remote_id=line.line or None,
                kind=LineKind.TAX if is_true(line.taxline) else LineKind.ITEM,
                description=line.memo or None,
                item=line.itemname or None,
                item_id=line.item or None,
                account_id=line.account or None,
                quantity=abs(line.quantity) if line.quantity is not None else None,
                unit_price=line.rate,
                amount=amount,
            )
        )
    return tuple(found)


def custom_fields(values: dict[str, str | None]) -> tuple[CustomField, ...]:
    """Values of the account's own fields, by script id."""
    return tuple(
        CustomField.trusted(name=name, value=value, definition_id=name)
        for name, value in sorted(values.items())
    )


def native_promise(mapper: Mapper, row: TransactionRow | InvoiceAnswer, invoice: Invoice) -> Promise | None:
    """The promise that a bookkeeper set on an invoice: an estimated payment date whose source is the customer's promise. A date
    that is the company's own estimate is none (quirks.md#ns-20)."""
    day = invoice.expected_payment_date
    if day is None or "PROMIS" not in (row.userestimatesource or "").upper():
        return None
    changed = row.lastmodifieddate
    return Promise.trusted(
        id=mapper.id(RecordKind.PROMISE, row.id),
        source=invoice.source,
        customer_id=invoice.customer_id,
        invoice_ids=(invoice.id,),
        currency=invoice.currency,
        promised_date=day,
        origin=Origin.ERP,
        recorded_at=instant(changed, mapper.zone) or instant(changed, mapper.context.assumed_zone),
    )
