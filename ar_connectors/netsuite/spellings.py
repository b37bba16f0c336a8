"""Under which other names do NetSuite's values come? Others' queries and REST record bodies, brought into the columns we ask for.

SuiteQL names a column as its author liked; REST writes camelCase, references as objects and real booleans. Both become one flat row
of text under our own column names (`wire.py`), and what a row is shows in its columns where nobody has said it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ar_connectors.netsuite.statuses import (
    CREDIT_TYPES,
    INVOICE_TYPES,
    JOURNAL_TYPE,
    OUT_OF_SCOPE,
    PAYMENT_TYPES,
    TYPES_BY_RECORD,
)

__all__ = ["canonical", "flat", "is_spelled_as_ours", "kind_of_path", "table_of", "transaction_type"]

_CUSTOM: Final = ("custbody", "custentity")

_ALIASES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "transaction": {
        "id": ("internalid", "transactionid", "transaction", "docid", "invoiceid", "paymentid"),
        "type": ("transactiontype", "trantype"),
        "tranid": ("documentnumber", "docnumber", "invoicenumber", "transactionnumber", "number"),
        "entity": ("customer", "customerid", "entityinternalid"),
        "subsidiary": ("subsidiaryid",),
        "trandate": ("transactiondate", "invoicedate", "paymentdate", "date"),
        "duedate": ("due", "datedue"),
        "statusname": ("statustext", "statusdisplay", "statuslabel", "displaystatus"),
        "currencyname": ("currencysymbol", "currencycode", "isocode", "currencytext"),
        "exchangerate": ("fxrate",),
        "foreigntotal": ("total", "payment", "amount", "transactiontotal", "invoicetotal"),
        "foreignamountpaid": ("amountpaid", "paid"),
        "foreignamountunpaid": ("amountremaining", "amountunpaid", "openbalance", "amountdue", "remaining", "unpaid", "balance"),
        "foreignpaymentamountused": ("applied", "amountapplied", "used"),
        "foreignpaymentamountunused": ("unapplied", "amountunapplied", "unappliedamount", "unused"),
        "otherrefnum": ("ponumber", "purchaseorder", "po"),
        "lastmodifieddate": ("lastmodified", "modified", "datemodified"),
        "termsname": ("termstext", "termname"),
    },
    "journal": {
        "id": ("transaction", "internalid", "transactionid"),
        "line": ("lineid", "transactionline", "linenumber", "linesequencenumber"),
        "tranid": ("documentnumber", "transactionnumber"),
        "currencyname": ("currencysymbol", "currencycode"),
        "foreignamount": ("amount", "netamount"),
        "lastmodifieddate": ("lastmodified",),
    },
    "link": {
        "foreignamount": ("amount", "appliedamount"),
        "previoustype": ("previoustransactiontype",),
        "nexttype": ("nexttransactiontype",),
    },
    "customer": {
        "id": ("internalid", "customerid", "customer"),
        "entityid": ("customernumber",),
        "companyname": ("customername", "name"),
        "currencyname": ("currencysymbol", "currencycode"),
        "balancesearch": ("balance",),
        "termsname": ("termstext", "termname"),
        "lastmodifieddate": ("lastmodified", "modified", "datemodified"),
        "billaddr1": ("addr1", "billingaddress1", "address1"),
        "billaddr2": ("addr2", "billingaddress2", "address2"),
        "billcity": ("city",),
        "billstate": ("state",),
        "billzip": ("zip", "postalcode"),
        "billcountry": ("country",),
    },
    "contact": {
        "id": ("internalid", "contactid"),
        "company": ("customer", "customerid", "companyid"),
        "lastmodifieddate": ("lastmodified",),
    },
    "deleted": {"recordid": ("id", "internalid"), "type": ("recordtype",), "deleteddate": ("date", "deletedat")},
}  # fmt: skip
"""Table of ours -> column -> what else it is called, most certain first. Names are compared in lower case without underscores."""

_ONLY_CUSTOMERS: Final = {
    "balancesearch", "overduebalancesearch", "consolbalancesearch", "creditlimit", "creditholdoverride", "oncredithold",
    "receivablesaccount", "overduebalance", "daysoverdue", "unbilledorderssearch", "customerid", "customername",
}  # fmt: skip
"""Columns that `customer` has and no other entity."""
_ONLY_OTHERS: Final = {
    "vendorid",
    "payablesaccount",
    "employeeid",
    "hiredate",
    "supervisor",
    "is1099eligible",
}


_FOREIGN: Final = {
    table: frozenset(other for others in columns.values() for other in others)
    for table, columns in _ALIASES.items()
}


def is_spelled_as_ours(names: Iterable[str], table: str) -> bool:
    """Whether a row with these members can be read into the struct of a table as it stands."""
    return all(
        name not in _FOREIGN[table] and name.islower() and ("_" not in name or name.startswith(_CUSTOM))
        for name in names
    )


def flat(document: Mapping[str, Any]) -> dict[str, str]:
    """A row or record body as text by lower-case name: a reference `x` as `x` (its id) and `xname`, booleans as T and F. Links,
    sublists and values that are missing are left out; a custom field keeps its script id."""
    row: dict[str, str] = {}
    for name, value in document.items():
        lower = name.lower()
        key = lower if lower.startswith(_CUSTOM) else lower.replace("_", "")
        if isinstance(value, Mapping):
            if (identity := _text(value.get("id"))) is not None:
                row[key] = identity
            if (told := _text(value.get("refName"))) is not None:
                row[f"{key}name"] = told
        elif (text := _text(value)) is not None:
            row[key] = text
    return row


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | Decimal) else None


def canonical(row: Mapping[str, str], table: str) -> dict[str, Any]:
    """A flat row under our own column names; custom fields are gathered in `custom`."""
    found: dict[str, Any] = {name: value for name, value in row.items() if not name.startswith(_CUSTOM)}
    for column, others in _ALIASES[table].items():
        if column not in found:
            other = next((name for name in others if row.get(name)), None)
            if other is not None:
                found[column] = row[other]
    custom = {
        name: value
        for name, value in row.items()
        if name.startswith(_CUSTOM) and not (name.endswith("name") and name[:-4] in row)
    }
    # A list value is told by its text, which is what people see; its id means nothing outside of the list.
    found["custom"] = {name: row.get(f"{name}name", value) for name, value in custom.items()} or None
    if table in {"transaction", "journal"} and "type" in found:
        found["type"] = transaction_type(found["type"]) or found["type"]
    return found


def transaction_type(told: str | None) -> str | None:
    """`CustInvc` for any spelling of a transaction's type: its code, its record type, a compound status; None for no such thing."""
    if not told:
        return None
    bare = told.partition(":")[0]
    for known in (*INVOICE_TYPES, *CREDIT_TYPES, *PAYMENT_TYPES, JOURNAL_TYPE, *OUT_OF_SCOPE):
        if bare.casefold() == known.casefold():
            return known
    return TYPES_BY_RECORD.get(bare.replace(" ", "").replace("_", "").casefold())


def kind_of_path(address: str | None) -> tuple[str, str] | None:
    """Record type and id in the address of a record (`.../record/v1/invoice/1215/`); None where it is none."""
    _, mark, rest = (address or "").partition("/record/v1/")
    parts = [part for part in rest.partition("?")[0].split("/") if part]
    return (parts[0], parts[1]) if mark and len(parts) >= 2 else None


def table_of(row: Mapping[str, str]) -> tuple[str, str | None] | None:
    """What a flat row of somebody's query is: a table of ours and a transaction type; None when its columns do not tell."""
    if "previousdoc" in row and "nextdoc" in row:
        return "link", None
    if "recordid" in row and "deleteddate" in row:
        return "deleted", None
    kind = next(
        (
            found
            for name in ("type", "recordtype", "transactiontype", "trantype", "status")
            if (found := transaction_type(row.get(name)))
        ),
        None,
    )
    if kind == JOURNAL_TYPE and ("foreignamount" in row or "netamount" in row):
        return "journal", kind
    if kind is not None:
        return "transaction", kind
    if "tranid" in row or "invoicenumber" in row or "documentnumber" in row:
        return _untyped(row)
    if (
        not _ONLY_CUSTOMERS.isdisjoint(row)
        or (row.get("recordtype") or row.get("type") or "").casefold() == "customer"
    ):
        return "customer", None
    if "company" in row and not {"firstname", "lastname", "email"}.isdisjoint(row):
        return "contact", None
    if "entityid" in row and "companyname" in row and _ONLY_OTHERS.isdisjoint(row):
        return "customer", None
    return None


def _untyped(row: Mapping[str, str]) -> tuple[str, str | None] | None:
    """A transaction whose type was not asked for: only an invoice has something unpaid, or a due date."""
    unpaid = {
        "foreignamountunpaid",
        "foreignamountpaid",
        "amountremaining",
        "amountunpaid",
        "duedate",
        "amountdue",
    }
    return ("transaction", "CustInvc") if not unpaid.isdisjoint(row) else None
