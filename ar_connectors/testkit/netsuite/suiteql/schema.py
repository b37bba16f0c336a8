"""Which tables and columns does SuiteQL have? Names, kinds, and what `BUILTIN.DF` shows of a value.

Only what collections needs: about twenty of some hundred tables. What an account has not (subsidiaries, a second currency) or a
role may not see is missing here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from ar_connectors.testkit.netsuite.company import Account

__all__ = ["BOOK", "Column", "Kind", "Table", "schema"]

BOOK: Final = 1
"""The primary accounting book."""


class Kind(Enum):
    """What a value is; how it is kept in SQLite stands behind it."""

    INTEGER = "INTEGER"
    NUMBER = "TEXT"
    """A decimal, as its digits: SQLite has only floating point."""
    BOOLEAN = "TEXT "
    """T or F."""
    TEXT = "TEXT  "
    DATE = "TEXT   "
    """In the account's zone, as YYYY-MM-DD HH:MI:SS; shown without the time of day."""
    DATETIME = "TEXT    "


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Templates have `{c}` for the column and `{t}` for its table."""

    name: str
    kind: Kind
    shown: str | None = None
    """SQL of what BUILTIN.DF shows; None: the value itself."""
    coded: str | None = None
    """SQL of what BUILTIN.CF shows; None: the value itself."""
    formula: str | None = None
    """SQL of a column that is not kept but computed."""
    required: bool = False
    """Never null: then an index gives its order."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `keys` are its primary key, `indexes` further columns to look up by."""

    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ("id",)
    indexes: tuple[str, ...] = ()
    by_name: dict[str, Column] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.columns})

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns that are kept."""
        return tuple(one for one in self.columns if one.formula is None)


def _of(kind: Kind, *names: str) -> Iterator[Column]:
    return (Column(name, kind) for name in names)


def _key(*names: str) -> Iterator[Column]:
    return (Column(name, Kind.INTEGER, required=True) for name in names)


def _ref(name: str, table: str, label: str = "name") -> Column:
    return Column(name, Kind.INTEGER, shown=f'(SELECT "{label}" FROM "v_{table}" WHERE id = {{c}})')


def _texts(*names: str) -> Iterator[Column]:
    return _of(Kind.TEXT, *names)


def _numbers(*names: str) -> Iterator[Column]:
    return _of(Kind.NUMBER, *names)


def _flags(*names: str) -> Iterator[Column]:
    return (Column(name, Kind.BOOLEAN, shown="CASE {c} WHEN 'T' THEN 'Yes' ELSE 'No' END") for name in names)


_CREATED: Final = tuple(_of(Kind.DATETIME, "createddate", "lastmodifieddate"))
_DATES: Final = tuple(_of(Kind.DATETIME, "datecreated", "lastmodifieddate"))
_SUBSIDIARY: Final = _ref("subsidiary", "subsidiary")


def schema(account: Account) -> Mapping[str, Table]:
    """The tables of an account, by name."""
    oneworld = account.oneworld
    within = (_SUBSIDIARY,) if oneworld else ()
    tables = [
        *_transactions(account, within),
        *_parties(account, within),
        *_lists(account),
        *_activities(),
    ]
    return {one.name: one for one in tables}


def _transactions(account: Account, within: tuple[Column, ...]) -> Iterator[Table]:
    shown = account.shows_estimates
    estimate = (*_of(Kind.DATE, "userestimatedpaymentdate"), *_texts("userestimatesource")) if shown else ()
    yield Table(
        "transaction",
        (
            *_key("id"),
            Column("type", Kind.TEXT, shown="type_text({c})", required=True),
            *_texts(
                "tranid", "transactionnumber", "recordtype", "memo", "otherrefnum", "externalid", "email"
            ),
            Column(
                "status",
                Kind.TEXT,
                shown="status_text({t}.type, {c})",
                coded="{t}.type || ':' || {c}",
            ),
            *_flags("posting", "void", "voided", "isfinchrg", "paymenthold", "isreversal"),
            *_of(Kind.DATE, "trandate", "duedate", "closedate"),
            *estimate,
            _ref("entity", "entity", "entityid"),
            _ref("currency", "currency"),
            _ref("terms", "term"),
            _ref("postingperiod", "accountingperiod", "periodname"),
            *_of(Kind.INTEGER, "lastmodifiedby", "createdby", "reversal"),
            *_numbers(
                "exchangerate",
                "foreigntotal",
                "foreignamountpaid",
                "foreignamountunpaid",
                "foreignpaymentamountused",
                "foreignpaymentamountunused",
            ),
            *_CREATED,
            Column("daysopen", Kind.INTEGER, formula="days_since({t}.trandate)"),
            Column(
                "daysoverduesearch",
                Kind.INTEGER,
                formula="CASE WHEN CAST({t}.foreignamountunpaid AS REAL) > 0 THEN MAX(0, days_since({t}.duedate)) END",
            ),
            *_custom(account, "transaction"),
        ),
    )
    yield Table(
        "transactionline",
        (
            *_key("transaction", "id", "uniquekey"),
            *_of(Kind.INTEGER, "linesequencenumber", "item", "createdfrom"),
            _ref("entity", "entity", "entityid"),
            *within,
            *_flags("mainline", "taxline"),
            *_texts("memo"),
            *_numbers(
                "foreignamount",
                "netamount",
                "quantity",
                "rate",
                "foreignamountpaid",
                "foreignamountunpaid",
                "foreignpaymentamountused",
                "foreignpaymentamountunused",
            ),
            *_of(Kind.DATETIME, "linelastmodifieddate"),
        ),
        keys=("transaction", "id"),
        indexes=("uniquekey", "entity"),
    )
    yield Table(
        "transactionaccountingline",
        (
            *_key("transaction", "transactionline", "accountingbook"),
            _ref("account", "account", "accountsearchdisplayname"),
            *_texts("accounttype"),
            *_flags("posting"),
            *_numbers(
                "debit",
                "credit",
                "amount",
                "amountlinked",
                "amountpaid",
                "amountunpaid",
                "paymentamountused",
                "paymentamountunused",
                "exchangerate",
            ),
            *_of(Kind.DATETIME, "lastmodifieddate"),
        ),
        keys=("transaction", "transactionline", "accountingbook"),
    )
    for name in ("nexttransactionlinelink", "previoustransactionlinelink"):
        yield Table(
            name,
            (
                *_key("previousdoc", "previousline", "nextdoc", "nextline"),
                *_texts("previoustype", "nexttype", "linktype", "paycurrency"),
                *_of(Kind.DATE, "previousdate", "nextdate"),
                *_numbers("foreignamount", "payexrate"),
                *_of(Kind.DATETIME, "lastmodifieddate"),
            ),
            keys=(),
            indexes=("previousdoc", "nextdoc"),
        )
    for name in ("nexttransactionlink", "previoustransactionlink"):
        yield Table(
            name,
            (
                *_key("previousdoc", "nextdoc"),
                *_texts("previoustype", "nexttype", "linktype"),
                *_of(Kind.DATETIME, "lastmodifieddate"),
            ),
            keys=(),
            indexes=("previousdoc", "nextdoc"),
        )
    yield Table(
        "deletedrecord",
        (
            *_of(Kind.DATETIME, "deleteddate"),
            *_texts("type", "name"),
            *_of(Kind.INTEGER, "recordid"),
            Column("deletedby", Kind.INTEGER, shown="'REST Web Services'"),
        ),
        keys=(),
    )
    yield Table(
        "accountsreceivableaging",
        (
            *_of(Kind.INTEGER, "transaction"),
            _ref("entity", "entity", "entityid"),
            *within,
            *_texts("transactiontype", "documentnumber"),
            *_of(Kind.DATE, "transactiondate", "duedate"),
            *_numbers("openbalance"),
            *_of(Kind.INTEGER, "accountingbook"),
        ),
        keys=(),
    )


def _parties(account: Account, within: tuple[Column, ...]) -> Iterator[Table]:
    yield Table(
        "customer",
        (
            *_key("id"),
            *_texts(
                "entityid", "companyname", "altname", "firstname", "lastname", "email", "phone", "comments"
            ),
            *_texts("externalid", "creditholdoverride", "emailpreference", "language", "legalname", "url"),
            _ref("parent", "entity", "entityid"),
            *within,
            _ref("currency", "currency"),
            _ref("terms", "term"),
            *_of(Kind.INTEGER, "salesrep", "defaultbillingaddress"),
            _ref("receivablesaccount", "account", "accountsearchdisplayname"),
            *_numbers(
                "creditlimit",
                "balancesearch",
                "overduebalancesearch",
                "consolbalancesearch",
                "consoloverduebalancesearch",
                "unbilledorderssearch",
            ),
            *_of(Kind.INTEGER, "consoldaysoverduesearch"),
            *_flags("isinactive", "isperson", "oncredithold"),
            *_DATES,
            *_custom(account, "entity"),
        ),
    )
    yield Table(
        "entity",
        (
            *_key("id"),
            *_texts("entityid", "altname", "type", "email", "phone"),
            *_flags("isinactive"),
            *_DATES,
        ),
    )
    yield Table(
        "contact",
        (
            *_key("id"),
            *_texts("entityid", "firstname", "lastname", "email", "phone", "title", "externalid"),
            _ref("company", "entity", "entityid"),
            *_of(Kind.INTEGER, "contactrole"),
            *_flags("isinactive"),
            *within,
            *_DATES,
        ),
        indexes=("company",),
    )
    yield Table(
        "customeraddressbook",
        (
            *_key("internalid"),
            *_of(Kind.INTEGER, "entity", "addressbookaddress"),
            *_texts("label"),
            *_flags("defaultbilling", "defaultshipping"),
        ),
        keys=("internalid",),
        indexes=("entity",),
    )
    yield Table(
        "customeraddressbookentityaddress",
        (
            *_key("nkey"),
            *_texts("addr1", "addr2", "city", "state", "zip", "country", "addressee", "addrtext"),
        ),
        keys=("nkey",),
    )
    if within:
        yield Table(
            "customersubsidiaryrelationship",
            (
                *_key("id"),
                _ref("entity", "entity", "entityid"),
                *within,
                *_flags("isprimarysub", "isinactive"),
                _ref("primarycurrency", "currency"),
                *_numbers("balance", "depositbalance", "unbilledorders"),
            ),
            indexes=("entity",),
        )


def _lists(account: Account) -> Iterator[Table]:
    if account.multicurrency:
        yield Table(
            "currency",
            (
                *_key("id"),
                *_texts("symbol", "name", "displaysymbol"),
                *_numbers("exchangerate"),
                *_of(Kind.INTEGER, "currencyprecision"),
                *_flags("isinactive", "isbasecurrency"),
            ),
        )
    if account.oneworld:
        yield Table(
            "subsidiary",
            (
                *_key("id"),
                *_texts("name", "fullname", "legalname", "country"),
                _ref("currency", "currency"),
                _ref("parent", "subsidiary"),
                *_flags("iselimination", "isinactive"),
                *_of(Kind.DATETIME, "lastmodifieddate"),
            ),
        )
    yield Table(
        "term", (*_key("id"), *_texts("name"), *_of(Kind.INTEGER, "daysuntilnetdue"), *_flags("isinactive"))
    )
    yield Table(
        "account",
        (
            *_key("id"),
            *_texts("acctnumber", "accountsearchdisplayname", "fullname", "accttype"),
            _ref("currency", "currency"),
            *_flags("isinactive"),
        ),
    )
    yield Table(
        "accountingperiod",
        (
            *_key("id"),
            *_texts("periodname"),
            *_of(Kind.DATE, "startdate", "enddate"),
            *_flags(
                "closed", "alllocked", "arlocked", "allownonglchanges", "isyear", "isquarter", "isadjust"
            ),
            *_flags("isposting", "isinactive"),
        ),
    )
    if account.multi_book:
        yield Table("accountingbook", (*_key("id"), *_texts("name"), *_flags("isprimary")))
    yield Table(
        "customfield",
        (
            *_key("internalid"),
            *_texts("scriptid", "name", "fieldvaluetype", "fieldtype"),
            *_flags("isinactive", "isstoredvalue"),
        ),
        keys=("internalid",),
    )


def _activities() -> Iterator[Table]:
    dates = {"phonecall": ("startdate", "completeddate"), "task": ("startdate", "duedate", "completeddate")}
    for name in ("phonecall", "task"):
        yield Table(
            name,
            (
                *_key("id"),
                *_texts("title", "message", "status", "priority", "externalid"),
                _ref("company", "entity", "entityid"),
                _ref("transaction", "transaction", "tranid"),
                *_of(Kind.INTEGER, "assigned", "owner"),
                *_of(Kind.DATE, *dates[name]),
                *_CREATED,
            ),
            indexes=("externalid",),
        )
    yield Table(
        "supportcase",
        (
            *_key("id"),
            *_texts("casenumber", "title", "incomingmessage", "status", "priority", "externalid"),
            _ref("company", "entity", "entityid"),
            *_of(Kind.DATE, "startdate"),
            *_CREATED,
        ),
        indexes=("externalid",),
    )


_CUSTOM_KINDS: Final = {
    "CHECKBOX": Kind.BOOLEAN,
    "CURRENCY": Kind.NUMBER,
    "DECIMAL": Kind.NUMBER,
    "INTEGER": Kind.INTEGER,
    "DATE": Kind.DATE,
    "DATETIMETZ": Kind.DATETIME,
    "SELECT": Kind.INTEGER,
}


def _custom(account: Account, applies: str) -> Iterator[Column]:
    for one in account.custom_fields:
        if one.applies == applies:
            names = " ".join(f"WHEN {value} THEN '{text}'" for value, text in one.values)
            shown = f"CASE {{c}} {names} END" if names else None
            yield Column(one.script_id, _CUSTOM_KINDS.get(one.kind, Kind.TEXT), shown=shown)
