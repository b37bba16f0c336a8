"""What does a GET of a record show? References with names, enums with texts, links everywhere, nothing that is empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from ar_connectors.testkit.ledger import Customer, Invoice, Ledger, Payment, Subsidiary
from ar_connectors.testkit.ledger.records import Document, Record, Term
from ar_connectors.testkit.netsuite.activities import Activity
from ar_connectors.testkit.netsuite.company import CURRENCIES, Account, currency_id, period_of
from ar_connectors.testkit.netsuite.customers import facts_of
from ar_connectors.testkit.netsuite.records.types import Field, RecordType, fields_of
from ar_connectors.testkit.netsuite.transactions import (
    Transaction,
    edges,
    lines_of,
    status_text,
    transaction_of,
)

__all__ = ["Bodies"]

Body = dict[str, Any]


class Bodies:
    """Bodies of one account's records."""

    def __init__(self, ledger: Ledger, account: Account) -> None:
        self.ledger = ledger
        self.account = account
        self.root = ""
        """The address of the record API."""

    def of(self, record_type: RecordType, record: Record | Activity) -> Body:
        """A record's fields, without links and sublists."""
        match record:
            case Activity():
                body = self._activity(record_type, record)
            case Customer():
                body = self._customer(record_type, record)
            case Subsidiary():
                body = {
                    "id": record.id,
                    "name": record.name,
                    "isInactive": not record.active,
                    "currency": self.currency(record.currency),
                }
            case Term():
                body = {
                    "id": record.id,
                    "name": record.name,
                    "daysUntilNetDue": record.due_days,
                    "isInactive": not record.active,
                }
            case _:
                transaction = transaction_of(self.ledger, record)
                assert transaction is not None  # noqa: S101  looked up by its type before
                body = self._transaction(record_type, transaction)
        return {name: value for name, value in body.items() if value is not None}

    # ---- references

    def link(self, record_type: str, identity: object) -> str:
        """The address of a record; types in lower case, as recorded."""
        return f"{self.root}/{record_type.lower()}/{identity}"

    def reference(self, record_type: str, identity: object, name: str | None) -> Body:
        """A reference to a record."""
        return {
            "links": [{"rel": "self", "href": self.link(record_type, identity)}],
            "id": str(identity),
            **({} if name is None else {"refName": name}),
        }

    def currency(self, code: str) -> Body:
        """A reference to a currency: its name is free text, not its code."""
        return self.reference("currency", currency_id(code), CURRENCIES.get(code, (0, code))[1])

    def _party(self, identity: str) -> Body:
        return self.reference("customer", identity, self.ledger.customers[identity].name)

    def _subsidiary(self, identity: str | None) -> Body | None:
        if identity is None or not self.account.oneworld:
            return None
        return self.reference("subsidiary", identity, self.ledger.subsidiaries[identity].name)

    @staticmethod
    def enum(field: Field, value: object) -> Body | None:
        """An enum's value."""
        text = dict(field.values).get(str(value))
        return None if value is None else {"id": str(value), "refName": text or str(value)}

    def _custom(self, record_type: RecordType, extra: dict[str, Any]) -> Body:
        shown: Body = {}
        for one in self.account.custom_fields:
            if one.applies != record_type.custom:
                continue
            value = extra.get(one.script_id)
            if one.kind == "CHECKBOX":
                shown[one.script_id] = bool(value)
            elif one.kind == "SELECT" and value is not None:
                text = dict(one.values).get(int(value), str(value))
                shown[one.script_id] = {"id": str(value), "refName": text}
            elif value is not None:
                shown[one.script_id] = value
        return shown

    # ---- records

    def _transaction(self, record_type: RecordType, one: Transaction) -> Body:
        record = one.record
        party = "customer" if "customer" in record_type.by_name else "entity"
        status = status_text(one.type, one.status, bare=True)
        body: Body = {
            "id": one.id,
            "tranId": one.number,
            "externalId": one.extra.get("externalId"),
            "memo": one.memo,
            "tranDate": one.day.isoformat(),
            "createdDate": _minute(record.created),
            "lastModifiedDate": _minute(record.updated),
            party: self._party(one.customer),
            "currency": self.currency(one.currency),
            "exchangeRate": one.rate,
            "subsidiary": self._subsidiary(one.subsidiary),
            "postingPeriod": self.reference(
                "accountingPeriod", period_of(one.day), one.day.strftime("%b %Y")
            ),
            "status": None if status is None else {"id": status, "refName": status},
            **self._amounts(one),
            **self._custom(record_type, record.extra),
        }
        if isinstance(record, Invoice):
            body |= self._invoice(record_type, record, one)
        for name in ("otherRefNum", "checkNum"):
            body[name] = one.extra.get(name) or (record.reference if isinstance(record, Payment) else None)
        if "email" in record_type.by_name:
            body["email"] = one.extra.get("email") or self.ledger.customers[one.customer].email
        return {name: value for name, value in body.items() if name in fields_of(record_type, self.account)}

    def _invoice(self, record_type: RecordType, record: Invoice, one: Transaction) -> Body:
        term = self.ledger.terms.get(record.term or "")
        source = record.extra.get("userEstimateSource") or ("COMPANY_ESTIMATE" if record.expected else None)
        return {
            "dueDate": _day(one.due),
            "userEstimatedPaymentDate": _day(record.expected),
            "userEstimateSource": self.enum(record_type.by_name["userEstimateSource"], source),
            "terms": None if term is None else self.reference("term", term.id, term.name),
        }

    @staticmethod
    def _amounts(one: Transaction) -> Body:
        record = one.record
        body: Body = {"total": one.total, "payment": one.total}
        if isinstance(record, Document):
            body |= {"subtotal": record.net, "taxTotal": record.tax}
        body |= {
            "amountPaid": one.used,
            "amountRemaining": one.open,
            "applied": one.used,
            "unapplied": one.open,
        }
        return body

    def _customer(self, record_type: RecordType, one: Customer) -> Body:
        facts = facts_of(self.ledger, one)
        fields = fields_of(record_type, self.account)
        term = self.ledger.terms.get(one.term or "")
        return {
            "id": one.id,
            "externalId": one.extra.get("externalId"),
            "entityId": one.name,
            "companyName": one.name,
            "email": one.email,
            "phone": one.phone,
            "comments": one.notes,
            "isPerson": False,
            "isInactive": not one.active,
            "subsidiary": self._subsidiary(one.subsidiary),
            "currency": self.currency(one.currency),
            "terms": None if term is None else self.reference("term", term.id, term.name),
            "parent": None if one.parent is None else self._party(one.parent),
            "creditHoldOverride": self.enum(fields["creditHoldOverride"], facts.hold),
            "creditLimit": facts.credit_limit,
            "balance": facts.balance,
            "depositBalance": facts.deposits,
            "dateCreated": _minute(one.created),
            "lastModifiedDate": _minute(one.updated),
            **self._custom(record_type, one.extra),
        }

    def _activity(self, record_type: RecordType, one: Activity) -> Body:
        body: Body = {"id": one.id}
        if record_type.name == "supportCase":
            body["caseNumber"] = one.id
        for name, value in one.fields.items():
            field = record_type.by_name[name]
            if field.kind == "reference":
                body[name] = self.reference(field.to, value, self._name(field.to, str(value)))
            elif field.kind == "enum":
                body[name] = self.enum(field, value)
            else:
                body[name] = value
        body["createdDate"], body["lastModifiedDate"] = _minute(one.note.created), _minute(one.note.updated)
        return body

    def _name(self, record_type: str, identity: str) -> str | None:
        if record_type == "customer" and identity in self.ledger.customers:
            return self.ledger.customers[identity].name
        if record_type == "invoice" and identity in self.ledger.invoices:
            return f"Invoice #{self.ledger.invoices[identity].number}"
        return None

    # ---- sublists

    def sublist(self, record: Record | Activity, name: str) -> list[Body]:
        """The lines of a sublist."""
        if isinstance(record, Customer):
            return list(self._addresses(record))
        if isinstance(record, Activity):
            return []
        if name == "apply":
            return list(self._applied(record))
        transaction = transaction_of(self.ledger, record)
        assert transaction is not None  # noqa: S101  looked up by its type before
        return list(self._lines(transaction, journal=name == "line"))

    def _lines(self, one: Transaction, *, journal: bool) -> Iterator[Body]:
        for line in lines_of(self.ledger, one):
            if journal:
                account = self.ledger.accounts[line.account]
                body: Body = {
                    "line": line.id,
                    "account": self.reference("account", account.id, account.name),
                    "debit" if line.amount >= 0 else "credit": abs(line.amount),
                    "memo": line.memo,
                }
                if line.receivable:
                    body["entity"] = self._party(one.customer)
            elif line.main or line.tax:
                continue
            else:
                item = self.ledger.item_of(line.account)
                body = {
                    "line": line.id,
                    "item": self.reference("serviceItem", item.id, item.name),
                    "amount": abs(line.amount)
                    if line.amount * (1 if one.settles else -1) >= 0
                    else -abs(line.amount),
                    "description": line.memo,
                    "quantity": None if line.quantity is None else abs(line.quantity),
                    "rate": line.price,
                }
            yield {name: value for name, value in body.items() if value is not None}

    def _applied(self, record: Record) -> Iterator[Body]:
        """What a payment, a deposit application or a credit memo is applied to."""
        if isinstance(record, Payment):
            payments = [record]
        else:
            payments = [
                self.ledger.payments[one] for one in sorted(self.ledger.links.get(("credit", record.id), ()))
            ]
        me = ("payment" if isinstance(record, Payment) else "credit", record.id)
        place = 0
        for payment in payments:
            for edge in edges(payment):
                if edge.next != me or edge.kind != "Payment" or not edge.amount:
                    continue
                target = transaction_of(self.ledger, self.ledger.shelf(edge.previous[0])[edge.previous[1]])
                if target is None:
                    continue
                yield {
                    "line": place,
                    "apply": True,
                    "doc": self.reference("invoice", target.id, target.number),
                    "refNum": target.number,
                    "type": "Invoice" if target.type == "CustInvc" else "Journal",
                    "amount": edge.amount,
                    "total": target.total,
                    "due": target.open + edge.amount,
                    "applyDate": target.day.isoformat(),
                    "currency": target.currency,
                }
                place += 1

    def _addresses(self, one: Customer) -> Iterator[Body]:
        if one.street is None:
            return
        yield {
            "id": int(one.id) * 10,
            "internalId": int(one.id) * 10,
            "addressId": str(int(one.id) * 10),
            "defaultBilling": True,
            "defaultShipping": True,
            "label": one.street,
            "addressBookAddress": {
                "addr1": one.street,
                "city": one.city,
                "country": {"id": self.ledger.settings.country, "refName": self.ledger.settings.country},
                "addressee": one.name,
            },
        }


def _minute(instant: datetime) -> str:
    """An instant in UTC, whole minutes, as recorded."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z")


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
