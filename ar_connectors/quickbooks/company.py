"""What must be known of a company before its documents can be read? Its card, settings, terms and ledger accounts.

Read once, as the stream `reference`, and again after `MAX_AGE`; terms and accounts that change in between come through
the change feed. The facts are kept in the stream's cursor as JSON, and become the `Context` of every mapping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.side_by_side import side_by_side
from ar_connectors.connector import Cursor, Page, Rejected
from ar_connectors.errors import ConfigurationError, ContractError
from ar_connectors.http.messages import Response
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.client import QuickBooksClient
from ar_connectors.quickbooks.context import PLATFORM, Context, Mapper
from ar_connectors.quickbooks.decode import MAPPER_VERSION
from ar_connectors.quickbooks.envelope import Row, open_envelope
from ar_connectors.quickbooks.mapping_parties import map_organization, map_term
from ar_core.model import CustomField, Organization, PaymentTerms

__all__ = [
    "MAX_AGE",
    "REFERENCE",
    "Company",
    "company_of",
    "missing_reference",
    "read_company",
    "stores_latin1_only",
    "with_changes",
]

REFERENCE: Final = "reference"
MAX_AGE: Final = timedelta(days=30)
"""Settings older than this are read again: QuickBooks does not tell when a company's books are closed anew."""

_Shape = TypeVar("_Shape", bound=wire.Entity)

_RECEIVABLE: Final = {"accounts receivable", "accountsreceivable"}
_BAD_DEBT: Final = {"baddebts", "bad debts"}


@dataclass(frozen=True, slots=True)
class Company:
    """Facts of a company, as its reference data had them."""

    started_at: datetime
    """The server's clock when the first load began, UTC: upper bound of its windows, start of the change feed."""
    read_at: datetime
    """The server's clock when these facts were read, UTC."""
    home_currency: str | None = None
    multicurrency: bool | None = None
    country: str | None = None
    close_date: date | None = None
    """Books are closed up to and including this day; None: not closed, or not told."""
    terms: Mapping[str, PaymentTerms] | None = None
    receivable_accounts: frozenset[str] | None = None
    bad_debt_accounts: frozenset[str] = frozenset()

    def context(self, tenant: str) -> Context:
        """What the mappers need of it."""
        return Context(
            tenant=tenant,
            home_currency=self.home_currency,
            multicurrency=self.multicurrency,
            terms=self.terms or {},
            receivable_accounts=self.receivable_accounts,
        )

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values, for a cursor."""
        return {
            "started_at": self.started_at.isoformat(),
            "read_at": self.read_at.isoformat(),
            "home_currency": self.home_currency,
            "multicurrency": self.multicurrency,
            "country": self.country,
            "close_date": self.close_date.isoformat() if self.close_date is not None else None,
            "terms": [terms.model_dump(mode="json") for terms in (self.terms or {}).values()],
            "receivable_accounts": sorted(self.receivable_accounts)
            if self.receivable_accounts is not None
            else None,
            "bad_debt_accounts": sorted(self.bad_debt_accounts),
        }


def company_of(cursor: Cursor | None) -> Company | None:
    """The facts a cursor holds (of `reference`, or newer ones in `changes`); None when there are none."""
    if cursor is None or "company" not in cursor.state:
        return None
    state = cursor.state["company"]
    accounts = state["receivable_accounts"]
    terms = [PaymentTerms.model_validate_json(msgspec.json.encode(one)) for one in state["terms"]]
    return Company(
        started_at=datetime.fromisoformat(state["started_at"]),
        read_at=datetime.fromisoformat(state["read_at"]),
        home_currency=state["home_currency"],
        multicurrency=state["multicurrency"],
        country=state["country"],
        close_date=date.fromisoformat(state["close_date"]) if state["close_date"] else None,
        terms={one.remote_id: one for one in terms if one.remote_id is not None},
        receivable_accounts=frozenset(accounts) if accounts is not None else None,
        bad_debt_accounts=frozenset(state["bad_debt_accounts"]),
    )


def read_company(client: QuickBooksClient, started_at: datetime | None, now: datetime) -> Page:
    """Read the reference data: four calls, side by side. `started_at` is kept from an earlier reading; `now` (UTC) serves only where the
    server tells no time. Raises ContractError when an answer cannot be used."""
    with side_by_side(4) as asked:
        futures = [
            asked.submit(client.resource, f"companyinfo/{client.tenant}", "read CompanyInfo"),
            asked.submit(client.resource, "preferences", "read Preferences"),
            asked.submit(client.query, _all("Term"), "query Term"),
            asked.submit(client.query, _all("Account"), "query Account"),
        ]
        answers = [one.result() for one in futures]
    # The earliest: what changes behind it is told by the change feed.
    server_time = min(_server_time(answer, now) for answer in answers)
    info = _only(client, answers[0], "CompanyInfo", wire.CompanyInfo)
    preferences = _only(client, answers[1], "Preferences", wire.Preferences)
    tables = [
        row
        for answer, name in zip(answers[2:], ("Term", "Account"), strict=True)
        for row in open_envelope(answer.body, name).rows
    ]
    company, rejected = with_changes(
        Company(started_at=started_at or server_time, read_at=server_time), client.tenant, tables
    )
    mapper = Mapper(Context(client.tenant))
    organization = map_organization(mapper, info, preferences)
    if company.bad_debt_accounts:
        organization = _told_bad_debts(organization, company.bad_debt_accounts)
    company = replace(
        company,
        home_currency=organization.base_currency,
        multicurrency=organization.multicurrency,
        country=organization.country,
        close_date=organization.lock_date,
    )
    return Page(
        records=(organization,),
        rejected=rejected,
        stream=REFERENCE,
        kind="CompanyInfo",
        rows=1 + len(rejected),
        row_of=(0,),
        raw=answers[0].body,
        cursor=Cursor(REFERENCE, {"company": company.to_json()}),
        server_time=server_time,
        mapper_version=MAPPER_VERSION,
    )


def _all(table: str) -> str:
    return f"SELECT * FROM {table} WHERE Active IN (true, false) MAXRESULTS 1000"  # noqa: S608 - constants, and it only reads


def with_changes(company: Company, tenant: str, rows: Sequence[Row]) -> tuple[Company, list[Rejected]]:
    """The facts brought up to date from rows that are terms or accounts (others are passed over), and the rows among them
    that cannot be read: their documents keep what they print themselves."""
    mapper = Mapper(Context(tenant))
    terms = dict(company.terms or {})
    receivable, bad_debt = set(company.receivable_accounts or ()), set(company.bad_debt_accounts)
    rejected = []
    for number, row in enumerate(rows, start=1):
        try:
            if row.entity == "Term":
                term = map_term(mapper, msgspec.json.decode(row.raw, type=wire.Term))
                terms[str(term.remote_id)] = term
            elif row.entity == "Account":
                _account(msgspec.json.decode(row.raw, type=wire.Account), receivable, bad_debt)
        except RowError as error:
            rejected.append(Rejected(row.entity, None, error.code, error.reason, row.raw, number))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            rejected.append(Rejected(row.entity, None, "bad_value", str(error), row.raw, number))
    brought_up = replace(
        company,
        terms=terms,
        receivable_accounts=frozenset(receivable) or None,
        bad_debt_accounts=frozenset(bad_debt),
    )
    return brought_up, rejected


def _account(account: wire.Account, receivable: set[str], bad_debt: set[str]) -> None:
    if not account.id:
        return
    kind, detail = (account.account_type or "").casefold(), (account.account_sub_type or "").casefold()
    for matches, known in ((kind in _RECEIVABLE, receivable), (detail in _BAD_DEBT, bad_debt)):
        (known.add if matches else known.discard)(account.id)


def _told_bad_debts(organization: Organization, accounts: frozenset[str]) -> Organization:
    told = CustomField(
        name="bad_debt_accounts", value=",".join(sorted(accounts)), definition_id="quickbooks:Account"
    )
    return organization.model_copy(update={"custom_fields": (*organization.custom_fields, told)})


def _only(client: QuickBooksClient, answer: Response, entity: str, shape: type[_Shape]) -> _Shape:
    rows = [row for row in open_envelope(answer.body, entity).rows if row.entity == entity]
    try:
        return msgspec.json.decode(rows[0].raw, type=shape)
    except (IndexError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContractError(
            f"the answer holds no readable {entity}: {error}",
            platform=PLATFORM,
            tenant=client.tenant,
            operation=f"read {entity}",
            request_id=answer.headers.get("intuit_tid"),
            excerpt=answer.body[:200].decode("utf-8", errors="replace"),
        ) from error


def stores_latin1_only(country: str | None) -> bool:
    """True for a US company, and for one whose country is not known: what is safe there is safe everywhere (quirks.md#qbo-3).

    `country` is CompanyInfo.Country as QuickBooks wrote it (`US`, `USA`, `United States`).
    """
    if country is None:
        return True
    return country.strip().casefold() in {"", "us", "usa", "united states", "united states of america"}


def _server_time(answer: Response, now: datetime) -> datetime:
    told = open_envelope(answer.body, "CompanyInfo").server_time or answer.server_date or now
    return told.astimezone(UTC).replace(microsecond=0)


def missing_reference(tenant: str, stream: str) -> ConfigurationError:
    """The failure of a stream that is read before `reference`."""
    return ConfigurationError(
        f"the stream {stream} needs the company's reference data first",
        platform=PLATFORM,
        tenant=tenant,
        operation=f"pull {stream}",
        advice="read the stream `reference` before it",
    )
