"""What must be known of an account before its transactions can be read? Features, currencies, subsidiaries, terms, status words.

Read once, as the stream `reference`, and again after `MAX_AGE`. The facts are kept in the stream's cursor as JSON, and become the
`Context` of every mapping and the `Schema` of every statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from ar_connectors.adapterkit.side_by_side import side_by_side
from ar_connectors.connector import Cursor, Page
from ar_connectors.errors import (
    ConfigurationError,
    ContractError,
    PermissionDenied,
    RejectedError,
    TransientError,
)
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.context import Context, Mapper
from ar_connectors.netsuite.decode import MAPPER_VERSION
from ar_connectors.netsuite.probing import (
    AT_ONCE,
    FEATURES,
    answers,
    optional_columns,
    proven_zone,
    told,
    zone_named,
)
from ar_connectors.netsuite.statuses import CREDIT_TYPES, INVOICE_TYPES, JOURNAL_TYPE, PAYMENT_TYPES
from ar_connectors.netsuite.suiteql import any_of, moment
from ar_connectors.netsuite.tables import OPTIONAL, Schema
from ar_core.model import CustomField, Organization, PaymentTerms, RecordKind, Subsidiary

__all__ = ["MAX_AGE", "REFERENCE", "Company", "Wishes", "company_of", "missing_reference", "read_company"]

REFERENCE: Final = "reference"
MAX_AGE: Final = timedelta(days=1)
"""Facts older than this are read again: a new currency, subsidiary or custom field does not announce itself."""

_STATUS_TYPES: Final = (*INVOICE_TYPES, *CREDIT_TYPES, *PAYMENT_TYPES, JOURNAL_TYPE)
_PASSED_OVER: Final = (PermissionDenied, RejectedError, TransientError)
"""A fact that cannot be read is unknown; the documents are read all the same."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user configured, as far as reading is concerned."""

    time_zone: str | None = None
    """The company's IANA zone."""
    custom: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Custom fields to read: `transaction` and `customer` -> script ids."""
    bad_debt_accounts: tuple[str, ...] = ()
    """Internal ids of accounts whose credits write off, besides those whose name says so."""
    day_first: bool | None = None
    book: str | None = None
    """Internal id of the accounting book whose accounts and entries count; None: the primary one."""


@dataclass(frozen=True, slots=True)
class Company:
    """Facts of an account, as its reference data had them."""

    read_at: datetime
    base_currency: str | None = None
    currencies: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, PaymentTerms] = field(default_factory=dict)
    features: frozenset[str] = frozenset()
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    custom: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    book: str = "1"
    """The accounting book that is read."""
    is_primary_book: bool = True
    query_zone: str | None = None
    """`UTC` or `company`; None: not proven."""
    time_zone: str | None = None
    day_first: bool | None = None
    deletions_from: str | None = None
    """The latest deletion when the account was first looked at, in the session's zone; None: there was none, or none may be seen."""
    wished_book: str | None = None
    """The book that was configured when this was read."""

    def suits(self, wishes: Wishes) -> bool:
        """Whether it was read under the same configuration."""
        return self.time_zone == wishes.time_zone and self.wished_book == wishes.book

    def context(self, tenant: str) -> Context:
        """What the mappers need of it."""
        company_zone = zone_named(self.time_zone)
        zone = UTC if self.query_zone == "UTC" else company_zone if self.query_zone == "company" else None
        return Context(
            tenant=tenant,
            base_currency=self.base_currency,
            currencies=self.currencies,
            terms=self.terms,
            statuses=self.statuses,
            custom=self.custom,
            zone=zone,
            reads_promises={"userestimatedpaymentdate", "userestimatesource"}
            <= self.columns.get("transaction", frozenset()),
            assumed_zone=zone or company_zone or UTC,
            day_first=self.day_first,
            knows_rates=self.is_primary_book,
        )

    def schema(self) -> Schema:
        """What the statements need of it."""
        return Schema(self.features, self.columns, self.custom, self.book)

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values, for a cursor."""
        return {
            "read_at": self.read_at.isoformat(),
            "base_currency": self.base_currency,
            "currencies": dict(self.currencies),
            "statuses": dict(self.statuses),
            "terms": [one.model_dump(mode="json") for one in self.terms.values()],
            "features": sorted(self.features),
            "columns": {table: sorted(names) for table, names in self.columns.items()},
            "custom": {table: list(names) for table, names in self.custom.items()},
            "book": self.book,
            "is_primary_book": self.is_primary_book,
            "wished_book": self.wished_book,
            "query_zone": self.query_zone,
            "time_zone": self.time_zone,
            "day_first": self.day_first,
            "deletions_from": self.deletions_from,
        }


def company_of(cursor: Cursor | None) -> Company | None:
    """The facts a cursor of `reference` holds; None when there are none."""
    if cursor is None or "company" not in cursor.state:
        return None
    state = cursor.state["company"]
    terms = [PaymentTerms.model_validate_json(msgspec.json.encode(one)) for one in state["terms"]]
    return Company(
        read_at=datetime.fromisoformat(state["read_at"]),
        base_currency=state["base_currency"],
        currencies=state["currencies"],
        statuses=state["statuses"],
        terms={one.remote_id: one for one in terms if one.remote_id is not None},
        features=frozenset(state["features"]),
        columns={table: frozenset(names) for table, names in state["columns"].items()},
        custom={table: tuple(names) for table, names in state["custom"].items()},
        book=state.get("book", _PRIMARY),
        is_primary_book=state.get("is_primary_book", True),
        wished_book=state.get("wished_book"),
        query_zone=state["query_zone"],
        time_zone=state["time_zone"],
        day_first=state["day_first"],
        deletions_from=state.get("deletions_from"),
    )


def read_company(
    client: NetSuiteClient, wishes: Wishes, now: datetime, earlier: Company | None = None
) -> Page:
    """Read the reference data: about twenty small calls, a few at a time. A fact that this role may not read is unknown, not an
    error. `earlier`: what was read the last time. Raises ConfigurationError for an accounting book that the account does not have."""
    own = {table: names for table, names in wishes.custom.items() if names}
    with side_by_side(AT_ONCE) as asked:
        # The longest way first: two calls, one after the other.
        zone = asked.submit(proven_zone, client, zone_named(wishes.time_zone))
        lists = {name: asked.submit(told, client, how, f"query {name}") for name, how in _LISTS.items()}
        probed = {name: asked.submit(answers, client, how, f"probe {name}") for name, how in FEATURES.items()}
        contact = asked.submit(_columns_of_contacts, client)
        found = {
            table: asked.submit(optional_columns, client, table, names)
            for table, names in OPTIONAL.items()
            if table != "contact"
        }
        wanted = {table: asked.submit(optional_columns, client, table, names) for table, names in own.items()}
        statuses = asked.submit(_statuses, client)
        server_time = asked.submit(_server_time, client)
        there = {name: one.result() for name, one in lists.items()}
        columns = {table: one.result() for table, one in found.items()}
        features = {name for name, one in probed.items() if one.result()}
        features |= {name for name, rows in there.items() if rows is not None}
        if (of_contacts := contact.result()) is not None:
            features.add("contact")
            columns["contact"] = of_contacts
        currencies, base = _currencies(there["currency"] or ())
        subsidiaries, root = _subsidiaries(there["subsidiary"] or (), currencies)
        book, is_primary = _book(client.tenant, there["accountingbook"] or (), wishes.book)
        company = Company(
            read_at=now,
            base_currency=(root.currency if root is not None else None) or base,
            currencies=currencies,
            statuses=statuses.result(),
            terms=_terms(there["term"] or ()),
            features=frozenset(features),
            columns=columns,
            custom={table: tuple(sorted(one.result())) for table, one in wanted.items()},
            book=book,
            is_primary_book=is_primary,
            query_zone=zone.result(),
            time_zone=wishes.time_zone,
            day_first=wishes.day_first,
            deletions_from=_deletions_from(there["deletedrecord"] or (), earlier),
            wished_book=wishes.book,
        )
        moment_there = server_time.result()
    accounts = {*wishes.bad_debt_accounts, *(row["id"] for row in there["account"] or ())}
    mapper = Mapper(company.context(client.tenant))
    bad_debts = [
        CustomField(
            name="bad_debt_accounts", value=",".join(sorted(accounts)), definition_id="netsuite:account"
        )
    ]
    organization = Organization(
        id=mapper.id(RecordKind.ORGANIZATION, client.tenant),
        source=mapper.source("account", client.tenant, None, None),
        name=root.name if root is not None else None,
        base_currency=company.base_currency,
        time_zone=wishes.time_zone,
        country=root.country if root is not None else None,
        multicurrency=len(currencies) > 1 if currencies else None,
        subsidiaries=tuple(subsidiaries),
        custom_fields=tuple(bad_debts) if accounts else (),
    )
    return Page(
        records=(organization,),
        stream=REFERENCE,
        kind="account",
        rows=1,
        cursor=Cursor(REFERENCE, {"company": company.to_json()}),
        server_time=moment_there,
        mapper_version=MAPPER_VERSION,
    )


_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "currency": (
        "SELECT c.id AS id, c.symbol AS symbol, c.isbasecurrency AS isbasecurrency FROM currency c ORDER BY c.id ASC",
        "SELECT c.id AS id, c.symbol AS symbol FROM currency c ORDER BY c.id ASC",
        "SELECT c.id AS id FROM currency c ORDER BY c.id ASC",
    ),
    "subsidiary": tuple(
        f"SELECT s.id AS id, s.name AS name, s.parent AS parent{more} FROM subsidiary s ORDER BY s.id ASC"  # noqa: S608 - constants
        for more in (", s.currency AS currency, s.country AS country", ", s.currency AS currency", "")
    ),
    "accountingbook": (
        "SELECT b.id AS id, b.isprimary AS isprimary FROM accountingbook b ORDER BY b.id ASC",
        "SELECT b.id AS id FROM accountingbook b ORDER BY b.id ASC",
    ),
    "term": (
        "SELECT m.id AS id, m.name AS name, m.daysuntilnetdue AS daysuntilnetdue FROM term m ORDER BY m.id ASC",
        "SELECT m.id AS id, m.name AS name FROM term m ORDER BY m.id ASC",
    ),
    # Expense accounts whose name says that they take bad debts.
    "account": tuple(
        f"SELECT a.id AS id, a.{name} AS name FROM account a WHERE LOWER(a.{name}) LIKE '%bad debt%' ORDER BY a.id ASC"  # noqa: S608 - constants
        for name in ("accountsearchdisplayname", "fullname")
    ),
    "deletedrecord": (f"SELECT {moment('MAX(d.deleteddate)')} AS latest FROM deletedrecord d",),  # noqa: S608 - constants
}
"""Lists of facts, and whether the account has them at all: statements with fewer and fewer columns that some accounts lack."""


def _columns_of_contacts(client: NetSuiteClient) -> frozenset[str] | None:
    """None where there are no contacts to see."""
    try:
        return optional_columns(client, "contact", OPTIONAL["contact"])
    except PermissionDenied:
        return None


def _currencies(rows: Sequence[Mapping[str, str]]) -> tuple[dict[str, str], str | None]:
    """ISO codes by internal id, and the base currency of an account without subsidiaries."""
    codes = {row["id"]: row["symbol"] for row in rows if len(row.get("symbol", "")) == 3}
    base = next((row.get("symbol") for row in rows if row.get("isbasecurrency") == "T"), None)
    return codes, base or (next(iter(codes.values())) if len(codes) == 1 else None)


def _subsidiaries(
    rows: Sequence[Mapping[str, str]], currencies: Mapping[str, str]
) -> tuple[list[Subsidiary], Subsidiary | None]:
    """All subsidiaries, and the root one, whose currency is the account's."""
    found = [
        Subsidiary(
            id=row["id"],
            name=row.get("name"),
            currency=currencies.get(row.get("currency", "")),
            country=row.get("country"),
            parent_id=row.get("parent"),
        )
        for row in rows
    ]
    return found, next((one for one in found if one.parent_id is None), None)


def _terms(rows: Sequence[Mapping[str, str]]) -> dict[str, PaymentTerms]:
    return {
        row["id"]: PaymentTerms(
            remote_id=row["id"],
            name=row.get("name"),
            due_days=int(days) if (days := row.get("daysuntilnetdue", "")).isdecimal() else None,
        )
        for row in rows
    }


_PRIMARY: Final = "1"
"""The id of the primary book, where the role may not see the list of books (quirks.md#ns-13)."""


def _book(tenant: str, books: Sequence[Mapping[str, str]], wished: str | None) -> tuple[str, bool]:
    """The accounting book to read, and whether it is the primary one. Raises ConfigurationError for one that is not there."""
    primary = next((row["id"] for row in books if row.get("isprimary") == "T"), _PRIMARY)
    if wished is None or wished == primary:
        return primary, True
    if books and wished not in {row["id"] for row in books}:
        raise ConfigurationError(
            f"there is no accounting book {wished}",
            platform=PLATFORM,
            tenant=tenant,
            operation="read the reference data",
            advice=f"accounting_book is one of {', '.join(row['id'] for row in books)}; without it the primary one is read",
        )
    return wished, False


def _deletions_from(rows: Sequence[Mapping[str, str]], earlier: Company | None) -> str | None:
    """Where the deletions begin that matter: noted once, before anything else of the account is read."""
    if earlier is not None and "deletedrecord" in earlier.features:
        return earlier.deletions_from
    return rows[0].get("latest") if rows else None


def _statuses(client: NetSuiteClient) -> dict[str, str]:
    """What this account calls the statuses of its transactions (quirks.md#ns-18); nothing where it does not say."""
    types = any_of(_STATUS_TYPES)
    try:
        rows = client.rows(
            "SELECT DISTINCT t.type AS type, t.status AS status, BUILTIN.DF(t.status) AS statusname FROM transaction t "  # noqa: S608 - constants
            f"WHERE t.type IN {types}",
            "query statuses",
        )
    except _PASSED_OVER:
        return {}
    return {
        f"{row['type']}:{row['status'].rpartition(':')[2]}": row["statusname"].rpartition(" : ")[2].strip()
        for row in rows
        if row.get("type") and row.get("status") and row.get("statusname")
    }


def _server_time(client: NetSuiteClient) -> datetime | None:
    """None where the account does not tell it: only the report of a clock that is off needs it. What else goes wrong is raised."""
    try:
        return client.server_time()
    except (PermissionDenied, RejectedError, ContractError):
        return None


def missing_reference(tenant: str, stream: str) -> ConfigurationError:
    """The failure of a stream that is read before `reference`."""
    return ConfigurationError(
        f"the stream {stream} needs the account's reference data first",
        platform=PLATFORM,
        tenant=tenant,
        operation=f"pull {stream}",
        advice="read the stream `reference` before it",
    )
