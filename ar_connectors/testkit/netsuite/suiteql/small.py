"""SuiteQL's small tables: lists, settings, deletions, addresses, activities. They are written anew when anything has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ar_connectors.testkit.ledger.records import Kind
from ar_connectors.testkit.netsuite.activities import activities
from ar_connectors.testkit.netsuite.company import CURRENCIES, account_type, base_rate, currency_id, periods
from ar_connectors.testkit.netsuite.customers import facts_of
from ar_connectors.testkit.netsuite.suiteql.rows import Row, Rows, day_text, digits, flag
from ar_connectors.testkit.netsuite.transactions import KINDS, TYPES, in_base, transaction_of

__all__ = ["SMALL"]

_DELETED: Final[Mapping[Kind, str]] = {
    "invoice": "invoice",
    "credit": "creditmemo",
    "payment": "customerpayment",
    "deposit": "customerdeposit",
    "journal": "journalentry",
    "customer": "customer",
}


def _currencies(rows: Rows) -> Iterator[Row]:
    ledger = rows.ledger
    home = ledger.settings.home_currency
    codes = {home, *CURRENCIES, *(one.currency for one in ledger.customers.values())}
    for code in sorted(codes, key=currency_id):
        _, name, symbol = CURRENCIES.get(code, (0, code, code))
        yield {
            "id": currency_id(code),
            "symbol": code,
            "name": name,
            "displaysymbol": symbol,
            "exchangerate": "1" if code == home else digits(base_rate(ledger, code)),
            "currencyprecision": 2,
            "isinactive": "F",
            "isbasecurrency": flag(code == home),
        }


def _subsidiaries(rows: Rows) -> Iterator[Row]:
    for one in rows.ledger.subsidiaries.values():
        yield {
            "id": int(one.id),
            "name": one.name,
            "fullname": one.name,
            "legalname": one.name,
            "country": one.country,
            "currency": currency_id(one.currency),
            "parent": None if one.parent is None else int(one.parent),
            "iselimination": "F",
            "isinactive": flag(not one.active),
            "lastmodifieddate": rows.at(one.updated),
        }


def _terms(rows: Rows) -> Iterator[Row]:
    for one in rows.ledger.terms.values():
        yield {
            "id": int(one.id),
            "name": one.name,
            "daysuntilnetdue": one.due_days,
            "isinactive": flag(not one.active),
        }


def _accounts(rows: Rows) -> Iterator[Row]:
    for one in rows.ledger.accounts.values():
        yield {
            "id": int(one.id),
            "acctnumber": str(1000 + int(one.id)),
            "accountsearchdisplayname": f"{1000 + int(one.id)} {one.name}",
            "fullname": one.name,
            "accttype": account_type(one.type),
            "currency": currency_id(one.currency),
            "isinactive": flag(not one.active),
        }


def _periods(rows: Rows) -> Iterator[Row]:
    for one in periods(rows.ledger):
        yield {
            "id": one.id,
            "periodname": one.name,
            "startdate": day_text(one.start),
            "enddate": day_text(one.end),
            "closed": flag(one.closed),
            "alllocked": flag(one.closed),
            "arlocked": flag(one.closed),
            "allownonglchanges": flag(rows.account.allow_non_gl_changes),
            "isyear": "F",
            "isquarter": "F",
            "isadjust": "F",
            "isposting": "T",
            "isinactive": "F",
        }


def _books(_: Rows) -> Iterator[Row]:
    yield {"id": 1, "name": "Primary Accounting Book", "isprimary": "T"}
    yield {"id": 2, "name": "Local Accounting Book", "isprimary": "F"}


def _custom_fields(rows: Rows) -> Iterator[Row]:
    for place, one in enumerate(rows.account.custom_fields, start=1):
        yield {
            "internalid": place,
            "scriptid": one.script_id.upper(),
            "name": one.name,
            "fieldvaluetype": one.kind,
            "fieldtype": "BODY" if one.applies == "transaction" else "ENTITY",
            "isinactive": "F",
            "isstoredvalue": "T",
        }


def _deletions(rows: Rows) -> Iterator[Row]:
    for one in rows.ledger.deletions:
        kind = _DELETED.get(one.kind)
        if kind is not None:
            yield {
                "deleteddate": rows.at(one.at),
                "type": kind,
                "name": f"{kind} {one.id}",
                "recordid": int(one.id),
                "deletedby": -5,
            }


def _addresses(rows: Rows) -> Iterator[Row]:
    for one in rows.ledger.customers.values():
        if one.street is not None:
            yield {
                "internalid": int(one.id) * 10,
                "entity": int(one.id),
                "addressbookaddress": int(one.id) * 10 + 1,
                "label": one.street,
                "defaultbilling": "T",
                "defaultshipping": "T",
            }


def _entity_addresses(rows: Rows) -> Iterator[Row]:
    for one in rows.ledger.customers.values():
        if one.street is not None:
            yield {
                "nkey": int(one.id) * 10 + 1,
                "addr1": one.street,
                "city": one.city,
                "country": rows.ledger.settings.country,
                "addressee": one.name,
                "addrtext": f"{one.name}\n{one.street}\n{one.city}",
            }


def _relationships(rows: Rows) -> Iterator[Row]:
    for one in rows.ledger.customers.values():
        if one.subsidiary is not None:
            facts = facts_of(rows.ledger, one)
            yield {
                "id": int(one.id),
                "entity": int(one.id),
                "subsidiary": int(one.subsidiary),
                "isprimarysub": "T",
                "isinactive": "F",
                "primarycurrency": currency_id(one.currency),
                "balance": digits(facts.balance),
                "depositbalance": digits(facts.deposits),
                "unbilledorders": "0",
            }


def _aging(rows: Rows) -> Iterator[Row]:
    """Every open document in base currency; what settles is negative. Deposits are no receivables."""
    for kind in KINDS:
        for record in rows.ledger.shelf(kind).values():
            one = transaction_of(rows.ledger, record)
            if one is None or not one.open or one.type == "CustDep":
                continue
            yield {
                "transaction": int(one.id),
                "entity": int(one.customer),
                "subsidiary": None if one.subsidiary is None else int(one.subsidiary),
                "transactiontype": TYPES[one.type][1],
                "documentnumber": one.number,
                "transactiondate": day_text(one.day),
                "duedate": day_text(one.due or one.day),
                "openbalance": digits(in_base(one, -one.open if one.settles else one.open)),
                "accountingbook": 1,
            }


def _activities(kind: str) -> Callable[[Rows], Iterator[Row]]:
    def rows_of(rows: Rows) -> Iterator[Row]:
        for one in activities(rows.ledger, kind):
            fields = one.fields
            yield {
                "id": int(one.id),
                "casenumber": one.id,
                "title": fields.get("title"),
                "message": fields.get("message"),
                "incomingmessage": fields.get("incomingMessage"),
                "status": _id(fields.get("status")),
                "priority": _id(fields.get("priority")),
                "externalid": one.external_id,
                "company": _number(fields.get("company")),
                "transaction": _number(fields.get("transaction")),
                "assigned": _number(fields.get("assigned")),
                "owner": _number(fields.get("owner")),
                "startdate": _day(fields.get("startDate")),
                "duedate": _day(fields.get("dueDate")),
                "completeddate": _day(fields.get("completedDate")),
                "createddate": rows.at(one.note.created),
                "lastmodifieddate": rows.at(one.note.updated),
            }

    return rows_of


def _id(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> int | None:
    text = str(value) if value is not None else ""
    return int(text) if text.removeprefix("-").isdecimal() else None


def _day(value: object) -> str | None:
    return None if value is None else f"{str(value)[:10]} 00:00:00"


SMALL: Final[Mapping[str, Callable[[Rows], Iterator[Row]]]] = {
    "currency": _currencies,
    "subsidiary": _subsidiaries,
    "term": _terms,
    "account": _accounts,
    "accountingperiod": _periods,
    "accountingbook": _books,
    "customfield": _custom_fields,
    "deletedrecord": _deletions,
    "customeraddressbook": _addresses,
    "customeraddressbookentityaddress": _entity_addresses,
    "customersubsidiaryrelationship": _relationships,
    "accountsreceivableaging": _aging,
    "phonecall": _activities("phoneCall"),
    "task": _activities("task"),
    "supportcase": _activities("supportCase"),
}
"""What fills each, by name."""
