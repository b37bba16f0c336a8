"""Which tables are read, which columns of them, and which rows of them may have changed? Statements as data.

Every statement names its columns, gives dates as text and has a unique order. What not every account has (a subsidiary, a currency, a
second book, a promise date) is left out where a probe found it missing (quirks.md#ns-34).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ar_connectors.netsuite.statuses import CREDIT_TYPES, INVOICE_TYPES, JOURNAL_TYPE, PAYMENT_TYPES
from ar_connectors.netsuite.suiteql import Key, Select, any_of, day, identifier, moment, number, timestamp
from ar_connectors.netsuite.wire import TransactionRow
from ar_core.model import RecordKind

__all__ = ["OPTIONAL", "OVERLAP", "SETTLING_TYPES", "TABLES", "Schema", "Table", "lines_select"]

OVERLAP: Final = timedelta(hours=3)
"""Subtracted from the watermark in the question: more than any clock is ever set back, and than any save takes (quirks.md#ns-14)."""

SETTLING_TYPES: Final = (*PAYMENT_TYPES, *CREDIT_TYPES, "DepAppl", JOURNAL_TYPE)
"""What can settle something: the `next` side of a link."""
_SETTLED_TYPES: Final = (*INVOICE_TYPES, *CREDIT_TYPES, *PAYMENT_TYPES, JOURNAL_TYPE)

OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "transaction": (
        "taxtotal",
        "otherrefnum",
        "email",
        "terms",
        "posting",
        "userestimatedpaymentdate",
        "userestimatesource",
    ),
    "customer": (
        "creditlimit",
        "creditholdoverride",
        "oncredithold",
        "balancesearch",
        "language",
        "comments",
        "mobilephone",
        "parent",
        "terms",
        "altname",
    ),
    "contact": ("title", "officephone", "mobilephone", "isinactive"),
}
"""Columns that some accounts or roles lack; each is probed."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What this account and this role have."""

    features: frozenset[str] = frozenset()
    """`subsidiary`, `currency`, `book`, `address`, and more that statements do not depend on."""
    columns: Mapping[str, frozenset[str]] | None = None
    """Table -> optional columns that are there; None: all of them."""
    custom: Mapping[str, tuple[str, ...]] | None = None
    """Table -> script ids of custom fields to read."""
    book: str = "1"
    """The accounting book whose lines count: each book has all lines of its own."""

    def has(self, table: str, column: str) -> bool:
        """Whether an optional column can be asked for."""
        return self.columns is None or column in self.columns.get(table, frozenset())

    def wanted_custom(self, table: str) -> tuple[str, ...]:
        """The custom fields to read of a table."""
        return tuple(identifier(one) for one in (self.custom or {}).get(table, ()))


@dataclass(frozen=True, slots=True)
class Table:
    """One stream: how its statement is made, and what its rows become."""

    stream: str
    shape: str
    """Which struct its rows are: a key of `wire.ROWS`."""
    kinds: tuple[RecordKind, ...]
    types: tuple[str, ...] = ()
    """Transaction types; empty for other tables."""

    def select(self, schema: Schema) -> Select:
        """All rows."""
        return _SELECTS[self.shape](self, schema)

    @property
    def changed(self) -> str:
        """The column that tells when a row last changed."""
        return _CHANGED[self.shape]

    def moved(self, schema: Schema, since: str, customers: Collection[str] = ()) -> str:
        """The condition for rows that may have changed since a time that the data told, and all that are open.

        An application does not always touch what it settles, so the neighbors of changed transactions count as changed
        (quirks.md#ns-19). `customers`: internal ids that are wanted besides.
        """
        later = f"{self.changed} >= {timestamp(since, OVERLAP)}"
        return f"({' OR '.join([later, *_STILL_OPEN[self.shape](self, schema, since, customers)])})"

    def changed_only(self, since: str) -> str:
        """The condition for rows that changed since then, and no more."""
        return f"{self.changed} >= {timestamp(since, OVERLAP)}"


_BOOKED: Final = (
    "JOIN transactionaccountingline tal ON tal.transaction = tl.transaction AND tal.transactionline = tl.id"
)
_HEADER_KEYS: Final = (Key("t.id", "id"),)
_LINE_KEYS: Final = (Key("tl.transaction", "id"), Key("tl.id", "line"))
_LINK_KEYS: Final = (
    Key("l.nextdoc", "nextdoc"),
    Key("l.previousdoc", "previousdoc"),
    Key("l.nextline", "nextline"),
    Key("l.previousline", "previousline"),
)
_CHANGED: Final = {
    "transaction": "t.lastmodifieddate",
    "journal": "t.lastmodifieddate",
    "link": "n.lastmodifieddate",
    "customer": "c.lastmodifieddate",
    "contact": "k.lastmodifieddate",
    "deleted": "d.deleteddate",
}

_ORDER: Final = TransactionRow.__struct_fields__


def _transactions(table: Table, schema: Schema) -> Select:
    columns = {
        "id": "t.id",
        "type": "t.type",
        "tranid": "t.tranid",
        "entity": "t.entity",
        "trandate": day("t.trandate"),
        "status": "t.status",
        "exchangerate": "t.exchangerate",
        "foreigntotal": "t.foreigntotal",
        "memo": "t.memo",
        "voided": "t.voided",
        "lastmodifieddate": moment("t.lastmodifieddate"),
    }
    if table.types == INVOICE_TYPES:
        columns["duedate"] = day("t.duedate")
        columns["foreignamountunpaid"] = "t.foreignamountunpaid"
        optional: tuple[str, ...] = OPTIONAL["transaction"]
    else:
        columns["foreignpaymentamountused"] = "t.foreignpaymentamountused"
        columns["foreignpaymentamountunused"] = "t.foreignpaymentamountunused"
        optional = ("taxtotal", "otherrefnum", "posting")
    for name in optional:
        if schema.has("transaction", name):
            columns[name] = day(f"t.{name}") if name.endswith("date") else f"t.{name}"
    if "currency" in schema.features:
        columns["currency"] = "t.currency"
    if table.types == INVOICE_TYPES:
        columns |= {name: f"t.{name}" for name in schema.wanted_custom("transaction")}
    source = "transaction t"
    if "subsidiary" in schema.features:
        # transaction.subsidiary is not in every account; the main line's is (quirks.md#ns-16).
        columns["subsidiary"] = "tl.subsidiary"
        source += " JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'T'"
    asked = {name: columns[name] for name in _ORDER if name in columns} | columns
    return Select(asked, source, _HEADER_KEYS, (f"t.type IN {any_of(table.types)}",))


def _journal_lines(table: Table, schema: Schema) -> Select:
    columns = {
        "id": "tl.transaction",
        "line": "tl.id",
        "tranid": "t.tranid",
        "entity": "tl.entity",
        "trandate": day("t.trandate"),
        "exchangerate": "t.exchangerate",
        "foreignamount": "tl.foreignamount",
        "foreignamountunpaid": "tl.foreignamountunpaid",
        "foreignpaymentamountunused": "tl.foreignpaymentamountunused",
        "account": "tal.account",
        "memo": "tl.memo",
        "status": "t.status",
        "voided": "t.voided",
        "lastmodifieddate": moment("t.lastmodifieddate"),
    }
    if schema.has("transaction", "posting"):
        columns["posting"] = "t.posting"
    if "currency" in schema.features:
        columns["currency"] = "t.currency"
    if "subsidiary" in schema.features:
        columns["subsidiary"] = "tl.subsidiary"
    source = f"transactionline tl JOIN transaction t ON t.id = tl.transaction {_BOOKED}"
    where = [f"t.type IN {any_of(table.types)}", "tal.accounttype = 'AcctRec'", "tl.entity IS NOT NULL"]
    if "book" in schema.features:
        where.append(f"tal.accountingbook = {number(schema.book)}")
    return Select(columns, source, _LINE_KEYS, tuple(where))


def lines_select(schema: Schema) -> Select:
    """The lines of documents, with the account that each is booked on in the book that is read; without the main line."""
    columns = {
        "id": "tl.transaction",
        "line": "tl.id",
        "item": "tl.item",
        "itemname": "BUILTIN.DF(tl.item)",
        "account": "tal.account",
        "quantity": "tl.quantity",
        "rate": "tl.rate",
        "foreignamount": "tl.foreignamount",
        "memo": "tl.memo",
        "taxline": "tl.taxline",
    }
    where = ["tl.mainline = 'F'"]
    if "book" in schema.features:
        where.append(f"tal.accountingbook = {number(schema.book)}")
    return Select(columns, f"transactionline tl {_BOOKED}", _LINE_KEYS, tuple(where))


def _links(table: Table, schema: Schema) -> Select:  # noqa: ARG001 - as the other makers
    columns = {
        "previousdoc": "l.previousdoc",
        "previousline": "l.previousline",
        "previoustype": "p.type",
        "nextdoc": "l.nextdoc",
        "nextline": "l.nextline",
        "nexttype": "n.type",
        "foreignamount": "l.foreignamount",
        "nextdate": day("n.trandate"),
        "nextmodified": moment("n.lastmodifieddate"),
    }
    if "currency" in schema.features:
        columns |= {"previouscurrency": "p.currency", "nextcurrency": "n.currency"}
    source = "nexttransactionlinelink l JOIN transaction n ON n.id = l.nextdoc JOIN transaction p ON p.id = l.previousdoc"
    where = (
        f"n.type IN {any_of(SETTLING_TYPES)}",
        f"p.type IN {any_of(_SETTLED_TYPES)}",
        "(l.linktype = 'Payment' OR (n.type = 'DepAppl' AND p.type = 'CustDep'))",
    )
    return Select(columns, source, _LINK_KEYS, where)


def _customers(table: Table, schema: Schema) -> Select:  # noqa: ARG001 - as the other makers
    columns = {name: f"c.{name}" for name in (
        "id", "entityid", "companyname", "firstname", "lastname", "isperson", "email", "phone", "isinactive",
    )}  # fmt: skip
    columns["lastmodifieddate"] = moment("c.lastmodifieddate")
    columns |= {name: f"c.{name}" for name in OPTIONAL["customer"] if schema.has("customer", name)}
    columns |= {name: f"c.{name}" for name in schema.wanted_custom("customer")}
    if "currency" in schema.features:
        columns["currency"] = "c.currency"
    if "subsidiary" in schema.features:
        columns["subsidiary"] = "c.subsidiary"
    source = "customer c"
    if "address" in schema.features:
        columns |= {
            "billaddr1": "a.addr1",
            "billaddr2": "a.addr2",
            "billcity": "a.city",
            "billstate": "a.state",
            "billzip": "a.zip",
            "billcountry": "a.country",
        }
        source += (
            " LEFT JOIN customerAddressbook ab ON ab.entity = c.id AND ab.defaultbilling = 'T'"
            " LEFT JOIN customerAddressbookEntityAddress a ON a.nkey = ab.addressbookaddress"
        )
    return Select(columns, source, (Key("c.id", "id"),))


def _contacts(table: Table, schema: Schema) -> Select:  # noqa: ARG001 - as the other makers
    columns = {
        name: f"k.{name}" for name in ("id", "company", "entityid", "firstname", "lastname", "email", "phone")
    }
    columns["lastmodifieddate"] = moment("k.lastmodifieddate")
    columns |= {name: f"k.{name}" for name in OPTIONAL["contact"] if schema.has("contact", name)}
    # Vendors have contacts too.
    return Select(columns, "contact k JOIN customer c ON c.id = k.company", (Key("k.id", "id"),))


def _deleted(table: Table, schema: Schema) -> Select:  # noqa: ARG001 - as the other makers
    columns = {"recordid": "d.recordid", "type": "d.type", "deleteddate": moment("d.deleteddate")}
    keys = (Key("d.recordid", "recordid"), Key("d.type", "type", is_number=False))
    return Select(columns, "deletedrecord d", keys)


_SELECTS: Final = {
    "transaction": _transactions,
    "journal": _journal_lines,
    "link": _links,
    "customer": _customers,
    "contact": _contacts,
    "deleted": _deleted,
}


def _neighbors(column: str, since: str) -> list[str]:
    """Transactions tied to one that changed, on either side of a link."""
    later = f"lastmodifieddate >= {timestamp(since, OVERLAP)}"
    return [
        f"{column} IN (SELECT l.{this} FROM nexttransactionlinelink l JOIN transaction o ON o.id = l.{other} WHERE o.{later})"  # noqa: S608 - see `suiteql`
        for this, other in (("previousdoc", "nextdoc"), ("nextdoc", "previousdoc"))
    ]


def _open_transactions(table: Table, schema: Schema, since: str, customers: Collection[str]) -> list[str]:  # noqa: ARG001
    left = "t.foreignamountunpaid" if table.types == INVOICE_TYPES else "t.foreignpaymentamountunused"
    return [f"{left} <> 0", *_neighbors("t.id", since)]


def _open_lines(table: Table, schema: Schema, since: str, customers: Collection[str]) -> list[str]:  # noqa: ARG001
    return [
        "tl.foreignamountunpaid <> 0",
        "tl.foreignpaymentamountunused <> 0",
        *_neighbors("tl.transaction", since),
    ]


def _open_links(table: Table, schema: Schema, since: str, customers: Collection[str]) -> list[str]:  # noqa: ARG001
    # The columns of journals are on their lines, and applying one need not touch it: theirs are few, and always read.
    return ["n.foreignpaymentamountunused <> 0", f"n.type = '{JOURNAL_TYPE}'"]


def _owing_customers(table: Table, schema: Schema, since: str, customers: Collection[str]) -> list[str]:  # noqa: ARG001
    """A balance changes without its customer: by a document that changed, or that is gone."""
    later = f"t.lastmodifieddate >= {timestamp(since, OVERLAP)}"
    found = [f"c.id IN (SELECT t.entity FROM transaction t WHERE {later})"]  # noqa: S608 - see `suiteql`
    if schema.has("customer", "balancesearch"):
        found.append("c.balancesearch <> 0")
    if customers:
        found.append(f"c.id IN ({', '.join(number(one) for one in customers)})")
    return found


def _nothing_more(table: Table, schema: Schema, since: str, customers: Collection[str]) -> list[str]:  # noqa: ARG001
    return []


_STILL_OPEN: Final = {
    "transaction": _open_transactions,
    "journal": _open_lines,
    "link": _open_links,
    "customer": _owing_customers,
    "contact": _nothing_more,
    "deleted": _nothing_more,
}

TABLES: Final[dict[str, Table]] = {
    table.stream: table
    for table in (
        Table("payment", "transaction", (RecordKind.PAYMENT,), tuple(PAYMENT_TYPES)),
        Table("credit_memo", "transaction", (RecordKind.CREDIT_NOTE,), CREDIT_TYPES),
        Table("journal", "journal", (RecordKind.ADJUSTMENT,), (JOURNAL_TYPE,)),
        Table("application", "link", (RecordKind.ALLOCATION,)),
        Table("invoice", "transaction", (RecordKind.INVOICE,), INVOICE_TYPES),
        Table("customer", "customer", (RecordKind.CUSTOMER,)),
        Table("contact", "contact", (RecordKind.CONTACT,)),
    )
}
"""By stream, in reading order."""
