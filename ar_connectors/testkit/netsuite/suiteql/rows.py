"""Records of the books as rows of SuiteQL's large tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from ar_connectors.testkit.ledger import CreditNote, Customer, Deposit, Invoice, Journal, Ledger, Payment
from ar_connectors.testkit.ledger.records import Kind, Record
from ar_connectors.testkit.netsuite.company import (
    LOCAL_RATE,
    Account,
    account_type,
    currency_id,
    local,
    period_of,
)
from ar_connectors.testkit.netsuite.customers import contact_of, facts_of
from ar_connectors.testkit.netsuite.suiteql.udfs import plain
from ar_connectors.testkit.netsuite.transactions import (
    TYPES,
    Transaction,
    TransactionLine,
    edges,
    in_base,
    lines_of,
    transaction_of,
)

__all__ = ["Row", "Rows", "day_text", "digits", "flag"]

Row = dict[str, Any]
_KINDS: Final[dict[type[Record], Kind]] = {
    Invoice: "invoice",
    CreditNote: "credit",
    Payment: "payment",
    Deposit: "deposit",
    Journal: "journal",
    Customer: "customer",
}
_BOOKS: Final = (1, 2)
_IN_BASE: Final = (
    "debit", "credit", "amount", "amountlinked", "amountpaid", "amountunpaid", "paymentamountused", "paymentamountunused",
    "exchangerate",
)  # fmt: skip
"""Columns of an accounting line that are in its book's currency."""


def flag(value: object) -> str:
    """A checkbox."""
    return "T" if value else "F"


def day_text(day: date | None) -> str | None:
    """A date as the tables keep it."""
    return None if day is None else f"{day.isoformat()} 00:00:00"


def digits(amount: Decimal | None) -> str | None:
    """A decimal as the tables keep it."""
    return None if amount is None else plain(amount)


class Rows:
    """Makes rows for one account."""

    def __init__(self, ledger: Ledger, account: Account) -> None:
        self.ledger = ledger
        self.account = account
        self.zone = ZoneInfo(ledger.settings.zone)

    def origin(self, record: Record) -> str:
        """The record a row is of, for finding it again."""
        return f"{_KINDS[type(record)]}/{record.id}"

    def at(self, instant: datetime) -> str:
        """An instant on the account's clock."""
        return local(instant, self.zone)

    def customs(self, extra: dict[str, Any], applies: str) -> Row:
        """Custom fields as columns."""
        row: Row = {}
        for one in self.account.custom_fields:
            if one.applies == applies:
                value = extra.get(one.script_id)
                row[one.script_id] = _custom(one.kind, value)
        return row

    # ---- transactions

    def transactions(self, record: Record) -> Iterator[Row]:
        """The row of `transaction`."""
        one = transaction_of(self.ledger, record)
        if one is None:
            return
        journal = one.type == "Journal"
        sign = -1 if one.type == "CustCred" and self.account.negative_credits else 1
        reference = record.reference if isinstance(record, Payment) else None
        estimate = record.expected if isinstance(record, Invoice) else None
        reversal = record.reverses if isinstance(record, Journal) else None
        yield {
            "id": int(one.id),
            "type": one.type,
            "tranid": one.number,
            "transactionnumber": f"{one.type.upper()}{one.id}",
            "recordtype": TYPES[one.type][0],
            "memo": one.memo,
            "otherrefnum": one.extra.get("otherRefNum") or reference,
            "externalid": one.extra.get("externalId"),
            "email": one.extra.get("email") or self.ledger.customers[one.customer].email,
            "status": one.status,
            "posting": flag(one.status != "D"),
            "void": flag(one.voided),
            "voided": flag(one.voided),
            "isfinchrg": "F",
            "paymenthold": "F",
            "isreversal": flag(reversal is not None),
            "reversal": None if reversal is None else int(reversal[1]),
            "trandate": day_text(one.day),
            "duedate": day_text(one.due),
            "closedate": day_text(one.closed),
            "userestimatedpaymentdate": day_text(estimate),
            "userestimatesource": None
            if estimate is None
            else record.extra.get("userEstimateSource") or "COMPANY_ESTIMATE",
            "entity": None if journal else int(one.customer),
            "currency": currency_id(one.currency),
            "terms": None if one.term is None else int(one.term),
            "postingperiod": period_of(one.day),
            "lastmodifiedby": -5,
            "createdby": -5,
            "exchangerate": digits(one.rate),
            "foreigntotal": None if journal else digits(sign * one.total),
            **self._header_amounts(one),
            "createddate": self.at(record.created),
            "lastmodifieddate": self.at(record.updated),
            **self.customs(record.extra, "transaction"),
        }

    @staticmethod
    def _header_amounts(one: Transaction) -> Row:
        """Paid and unpaid, or used and unused; journal entries have neither here, only on their lines."""
        if one.type == "Journal":
            return {}
        names = ("foreignpaymentamountused", "foreignpaymentamountunused")
        if not one.settles:
            names = ("foreignamountpaid", "foreignamountunpaid")
        return {names[0]: digits(one.used), names[1]: digits(one.open)}

    def lines(self, record: Record) -> Iterator[Row]:
        """The rows of `transactionline`."""
        one = transaction_of(self.ledger, record)
        if one is None:
            return
        modified = self.at(record.updated)
        for line in lines_of(self.ledger, one):
            row = {
                "transaction": int(one.id),
                "id": line.id,
                "uniquekey": int(one.id) * 1000 + line.id,
                "linesequencenumber": line.id,
                "item": None if line.main or line.receivable else self._item(line),
                "entity": int(one.customer),
                "subsidiary": None if one.subsidiary is None else int(one.subsidiary),
                "mainline": flag(line.main),
                "taxline": flag(line.tax),
                "memo": line.memo,
                "foreignamount": digits(line.amount),
                "netamount": digits(in_base(one, line.amount)),
                "quantity": digits(line.quantity),
                "rate": digits(line.price),
                "linelastmodifieddate": modified,
            }
            if line.open_here:
                names = ("foreignpaymentamountused", "foreignpaymentamountunused")
                if not one.settles:
                    names = ("foreignamountpaid", "foreignamountunpaid")
                row[names[0]], row[names[1]] = digits(one.used), digits(one.open)
            yield row

    def _item(self, line: TransactionLine) -> int:
        return int(self.ledger.item_of(line.account).id)

    def accounting_lines(self, record: Record) -> Iterator[Row]:
        """The rows of `transactionaccountingline`, in every book."""
        one = transaction_of(self.ledger, record)
        if one is None:
            return
        modified = self.at(record.updated)
        for line in lines_of(self.ledger, one):
            amount = in_base(one, line.amount)
            row: Row = {
                "transaction": int(one.id),
                "transactionline": line.id,
                "account": int(line.account),
                "accounttype": account_type(self.ledger.accounts[line.account].type),
                "posting": flag(one.status != "D"),
                "debit": digits(amount) if amount >= 0 else None,
                "credit": digits(-amount) if amount < 0 else None,
                "amount": digits(amount),
                "amountlinked": digits(in_base(one, one.used)) if line.open_here else None,
                "exchangerate": digits(one.rate),
                "lastmodifieddate": modified,
            }
            if line.open_here:
                names = (
                    ("paymentamountused", "paymentamountunused")
                    if one.settles
                    else ("amountpaid", "amountunpaid")
                )
                row[names[0]] = digits(in_base(one, one.used))
                row[names[1]] = digits(in_base(one, one.open))
            yield {**row, "accountingbook": _BOOKS[0]}
            if self.account.multi_book:
                yield {**self._in_local_book(row), "accountingbook": _BOOKS[1]}

    def _in_local_book(self, row: Row) -> Row:
        """The same line in the second book: amounts in that book's currency, on its accounts."""
        account = self.account.local_accounts.get(str(row["account"]), str(row["account"]))
        known = self.ledger.accounts[account]
        there = {
            name: digits(Decimal(row[name]) * LOCAL_RATE) for name in _IN_BASE if row.get(name) is not None
        }
        return {**row, **there, "account": int(account), "accounttype": account_type(known.type)}

    def links(self, record: Record) -> Iterator[Row]:
        """The rows of the link tables: what a payment applies."""
        payment = cast("Payment", record)
        for edge in edges(payment):
            before, after = self._end(edge.previous), self._end(edge.next)
            if before is None or after is None:
                continue
            yield {
                "previousdoc": int(edge.previous[1]),
                "previousline": 1 if before.type == "CustDep" else 0,
                "previoustype": before.type,
                "previousdate": day_text(before.day),
                "nextdoc": int(edge.next[1]),
                "nextline": 0 if after.type in {"CustCred", "Journal"} or edge.kind == "DepAppl" else 1,
                "nexttype": after.type,
                "nextdate": day_text(after.day),
                "linktype": edge.kind,
                "foreignamount": digits(edge.amount),
                "paycurrency": after.currency,
                "payexrate": digits(after.rate),
                "lastmodifieddate": self.at(payment.updated),
            }

    def header_links(self, record: Record) -> Iterator[Row]:
        """The rows of the link tables between headers: without lines and amounts."""
        seen = set()
        for link in self.links(record):
            row = {
                name: link[name]
                for name in ("previousdoc", "previoustype", "nextdoc", "nexttype", "linktype")
            }
            if tuple(row.values()) not in seen:
                seen.add(tuple(row.values()))
                yield {**row, "lastmodifieddate": link["lastmodifieddate"]}

    def _end(self, place: tuple[Kind, str]) -> Transaction | None:
        record = self.ledger.shelf(place[0]).get(place[1])
        return None if record is None else transaction_of(self.ledger, record)

    # ---- parties

    def customers(self, record: Record) -> Iterator[Row]:
        """The row of `customer`."""
        one = cast("Customer", record)
        facts = facts_of(self.ledger, one)
        yield {
            "id": int(one.id),
            "entityid": one.name,
            "companyname": one.name,
            "altname": one.name,
            "email": one.email,
            "phone": one.phone,
            "comments": one.notes,
            "externalid": one.extra.get("externalId"),
            "creditholdoverride": facts.hold,
            "emailpreference": "DEFAULT",
            "language": "en_US",
            "parent": None if one.parent is None else int(one.parent),
            "subsidiary": None if one.subsidiary is None else int(one.subsidiary),
            "currency": currency_id(one.currency),
            "terms": None if one.term is None else int(one.term),
            "defaultbillingaddress": int(one.id) * 10 if one.street is not None else None,
            "receivablesaccount": int(self.ledger.account("AccountsReceivable", one.currency).id),
            "creditlimit": digits(facts.credit_limit),
            "balancesearch": digits(facts.balance),
            "consolbalancesearch": digits(facts.balance),
            "unbilledorderssearch": "0",
            "isinactive": flag(not one.active),
            "isperson": "F",
            "oncredithold": flag(facts.on_hold),
            "datecreated": self.at(one.created),
            "lastmodifieddate": self.at(one.updated),
            **self.customs(one.extra, "entity"),
        }

    def entities(self, record: Record) -> Iterator[Row]:
        """The row of `entity`."""
        one = cast("Customer", record)
        yield {
            "id": int(one.id),
            "entityid": one.name,
            "altname": one.name,
            "type": "CustJob",
            "email": one.email,
            "phone": one.phone,
            "isinactive": flag(not one.active),
            "datecreated": self.at(one.created),
            "lastmodifieddate": self.at(one.updated),
        }

    def contacts(self, record: Record) -> Iterator[Row]:
        """The row of `contact`, if the customer has one."""
        one = cast("Customer", record)
        contact = contact_of(one)
        if contact is None:
            return
        yield {
            "id": contact.id,
            "entityid": contact.name,
            "firstname": contact.first,
            "lastname": contact.last,
            "email": contact.email,
            "phone": one.phone,
            "company": int(one.id),
            "contactrole": -10,
            "isinactive": flag(not one.active),
            "subsidiary": None if one.subsidiary is None else int(one.subsidiary),
            "datecreated": self.at(one.created),
            "lastmodifieddate": self.at(one.updated),
        }


def _custom(kind: str, value: Any) -> Any:
    """A custom field's value as the tables keep it."""
    if kind == "CHECKBOX":
        return flag(value)
    if value is None:
        return None
    if kind == "DATE":
        return f"{value} 00:00:00"
    if kind == "SELECT":
        return int(value)
    return digits(Decimal(str(value))) if kind in {"CURRENCY", "DECIMAL"} else str(value)
