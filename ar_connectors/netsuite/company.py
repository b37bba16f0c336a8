"""What must be known of an account before its transactions can be read? Features, currencies, subsidiaries, terms, status words.

Read once, as the stream `reference`, and again after `MAX_AGE`. The facts are kept in the stream's cursor as JSON, and become the
`Context` of every mapping and the `Schema` of every statement.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    optional_columns,
    present_features,
    proven_zone,
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
    primary_book: str = "1"
    query_zone: str | None = None
    """`UTC` or `company`; None: not proven."""
    time_zone: str | None = None
    day_first: bool | None = None
    deletions_from: str | None = None
    """The latest deletion when the account was first looked at, in the session's zone; None: there was none, or none may be seen."""

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
        )

    def schema(self) -> Schema:
        """What the statements need of it."""
        return Schema(self.features, self.columns, self.custom, self.primary_book)

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
            "primary_book": self.primary_book,
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
        primary_book=state["primary_book"],
        query_zone=state["query_zone"],
        time_zone=state["time_zone"],
        day_first=state["day_first"],
        deletions_from=state.get("deletions_from"),
    )


def read_company(
    client: NetSuiteClient, wishes: Wishes, now: datetime, earlier: Company | None = None
) -> Page:
    """Read the reference data: about twenty small calls, a few at a time. A fact that this role may not read is unknown, not an
    error. `earlier`: what was read the last time."""
    features = present_features(client)
    wanted = {table: names for table, names in wishes.custom.items() if names}
    optional = {
        table: names for table, names in OPTIONAL.items() if table != "contact" or "contact" in features
    }
    with side_by_side(AT_ONCE) as asked:
        zone = asked.submit(proven_zone, client, zone_named(wishes.time_zone))
        told_currencies = asked.submit(_currencies, client) if "currency" in features else None
        told_accounts = asked.submit(_bad_debts, client) if "account" in features else None
        found = {
            table: asked.submit(optional_columns, client, table, names) for table, names in optional.items()
        }
        own = {table: asked.submit(optional_columns, client, table, names) for table, names in wanted.items()}
        statuses = asked.submit(_statuses, client)
        told_terms = asked.submit(_terms, client) if "term" in features else None
        book = asked.submit(_primary_book, client) if "accountingbook" in features else None
        deletions = asked.submit(_deletions_from, client, features, earlier)
        server_time = asked.submit(_server_time, client)
        currencies, base = told_currencies.result() if told_currencies is not None else ({}, None)
        subsidiaries, root = asked.submit(_subsidiaries, client, features, currencies).result()
        accounts = {*wishes.bad_debt_accounts, *(told_accounts.result() if told_accounts is not None else ())}
        columns = {table: one.result() for table, one in found.items()}
        custom = {table: tuple(sorted(one.result())) for table, one in own.items()}
        terms = told_terms.result() if told_terms is not None else {}
        primary_book = book.result() if book is not None else "1"
        company = Company(
            read_at=now,
            base_currency=(root.currency if root is not None else None) or base,
            currencies=currencies,
            statuses=statuses.result(),
            terms=terms,
            features=features,
            columns=columns,
            custom=custom,
            primary_book=primary_book,
            query_zone=zone.result(),
            time_zone=wishes.time_zone,
            day_first=wishes.day_first,
            deletions_from=deletions.result(),
        )
        moment_there = server_time.result()
    mapper = Mapper(company.context(client.tenant))
    told = [
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
        custom_fields=tuple(told) if accounts else (),
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


def _rows(client: NetSuiteClient, statement: str, operation: str) -> list[dict[str, str]]:
    try:
        return client.rows(statement, operation)
    except _PASSED_OVER:
        return []


def _currencies(client: NetSuiteClient) -> tuple[dict[str, str], str | None]:
    """ISO codes by internal id, and the base currency of an account without subsidiaries."""
    rows = _rows(
        client,
        "SELECT c.id AS id, c.symbol AS symbol, c.isbasecurrency AS isbasecurrency FROM currency c ORDER BY c.id ASC",
        "query currency",
    ) or _rows(
        client, "SELECT c.id AS id, c.symbol AS symbol FROM currency c ORDER BY c.id ASC", "query currency"
    )
    codes = {row["id"]: row["symbol"] for row in rows if len(row.get("symbol", "")) == 3}
    base = next((row.get("symbol") for row in rows if row.get("isbasecurrency") == "T"), None)
    return codes, base or (next(iter(codes.values())) if len(codes) == 1 else None)


def _subsidiaries(
    client: NetSuiteClient, features: frozenset[str], currencies: Mapping[str, str]
) -> tuple[list[Subsidiary], Subsidiary | None]:
    """All subsidiaries, and the root one, whose currency is the account's."""
    if "subsidiary" not in features:
        return [], None
    columns = "s.id AS id, s.name AS name, s.parent AS parent"
    if "subsidiary_currency" in features:
        columns += ", s.currency AS currency"
    rows = _rows(
        client,
        f"SELECT {columns}, s.country AS country FROM subsidiary s ORDER BY s.id ASC",  # noqa: S608 - constants
        "query subsidiary",
    ) or _rows(
        client,
        f"SELECT {columns} FROM subsidiary s ORDER BY s.id ASC",  # noqa: S608 - constants
        "query subsidiary",
    )
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


def _terms(client: NetSuiteClient) -> dict[str, PaymentTerms]:
    rows = _rows(
        client,
        "SELECT m.id AS id, m.name AS name, m.daysuntilnetdue AS daysuntilnetdue FROM term m ORDER BY m.id ASC",
        "query term",
    )
    return {
        row["id"]: PaymentTerms(
            remote_id=row["id"],
            name=row.get("name"),
            due_days=int(days) if (days := row.get("daysuntilnetdue", "")).isdecimal() else None,
        )
        for row in rows
    }


def _bad_debts(client: NetSuiteClient) -> list[str]:
    """Expense accounts whose name says that they take bad debts."""
    for name in ("accountsearchdisplayname", "fullname"):
        try:
            rows = client.rows(
                f"SELECT a.id AS id, a.{name} AS name FROM account a "  # noqa: S608 - constants
                f"WHERE LOWER(a.{name}) LIKE '%bad debt%' ORDER BY a.id ASC",
                "query account",
            )
        except _PASSED_OVER:
            continue
        return [row["id"] for row in rows]
    return []


def _deletions_from(client: NetSuiteClient, features: frozenset[str], earlier: Company | None) -> str | None:
    """Where the deletions begin that matter: noted once, before anything else of the account is read."""
    if "deletedrecord" not in features:
        return None
    if earlier is not None and "deletedrecord" in earlier.features:
        return earlier.deletions_from
    rows = _rows(
        client,
        f"SELECT {moment('MAX(d.deleteddate)')} AS latest FROM deletedrecord d",  # noqa: S608 - constants
        "latest deletion",
    )
    return rows[0].get("latest") if rows else None


def _statuses(client: NetSuiteClient) -> dict[str, str]:
    """What this account calls the statuses of its transactions (quirks.md#ns-18)."""
    types = any_of(_STATUS_TYPES)
    rows = _rows(
        client,
        "SELECT DISTINCT t.type AS type, t.status AS status, BUILTIN.DF(t.status) AS statusname FROM transaction t "  # noqa: S608 - constants
        f"WHERE t.type IN {types}",
        "query statuses",
    )
    return {
        f"{row['type']}:{row['status'].rpartition(':')[2]}": row["statusname"].rpartition(" : ")[2].strip()
        for row in rows
        if row.get("type") and row.get("status") and row.get("statusname")
    }


def _primary_book(client: NetSuiteClient) -> str:
    rows = _rows(
        client,
        "SELECT b.id AS id FROM accountingbook b WHERE b.isprimary = 'T' ORDER BY b.id ASC",
        "query accountingbook",
    )
    return rows[0]["id"] if rows else "1"


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
