"""What must be known of an organisation before its documents can be read? Its card, its lock dates, its own reminders.

Read as the stream `reference`, again after `MAX_AGE`; kept in the stream's cursor as JSON, and becomes the `Context` of every mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ar_connectors.adapterkit.cutting import loads_plain
from ar_connectors.adapterkit.side_by_side import side_by_side
from ar_connectors.connector import Cursor, Page
from ar_connectors.errors import (
    ContractError,
    NotFoundError,
    PermissionDenied,
    RejectedError,
    UnsupportedOperation,
)
from ar_connectors.http.messages import Response
from ar_connectors.xero.client import XeroClient
from ar_connectors.xero.context import PLATFORM, Context
from ar_connectors.xero.reading import rows_of
from ar_core.model import CustomField, Organization

__all__ = ["MAX_AGE", "REFERENCE", "Company", "company_of", "read_company", "sends_reminders"]

REFERENCE: Final = "reference"
MAX_AGE: Final = timedelta(hours=24)
"""Lock dates and reminder settings older than this are read again: nothing tells when they change."""
_REFUSED: Final = (PermissionDenied, NotFoundError, RejectedError, UnsupportedOperation)


@dataclass(frozen=True, slots=True)
class Company:
    """Facts of an organisation, as its reference data had them."""

    read_at: datetime
    """The server's clock when these facts were read, UTC."""
    base_currency: str | None = None
    reminders: bool | None = None
    """Xero itself sends reminders; None: not told."""

    def context(self, tenant: str, order_hold_group: str | None = None) -> Context:
        """What the mappers need of it."""
        return Context(tenant, self.base_currency, order_hold_group)

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values, for a cursor."""
        return {
            "read_at": self.read_at.isoformat(),
            "base_currency": self.base_currency,
            "reminders": self.reminders,
        }


def company_of(cursor: Cursor | None) -> Company | None:
    """The facts that a cursor of `reference` holds; None when there are none."""
    if cursor is None or "company" not in cursor.state:
        return None
    state: Mapping[str, Any] = cursor.state["company"]
    return Company(
        read_at=datetime.fromisoformat(state["read_at"]),
        base_currency=state["base_currency"],
        reminders=state["reminders"],
    )


def read_company(client: XeroClient, now: datetime) -> Page:
    """Read the reference data: three calls, side by side. `now` (UTC) serves only where the server tells no time. Raises
    ContractError when there is no organisation in the answer."""
    with side_by_side(3) as asked:
        card = asked.submit(client.get, "Organisation", "read Organisation")
        chasing = asked.submit(sends_reminders, client)
        bad_debts = asked.submit(_bad_debt_accounts, client)
        answer, reminders, accounts = card.result(), chasing.result(), bad_debts.result()
    page = rows_of(client, answer, "Organisations", Context(client.tenant), stream=REFERENCE)
    organization = next((one for one in page.records if isinstance(one, Organization)), None)
    if organization is None:
        raise ContractError(
            "the answer holds no readable organisation",
            platform=PLATFORM,
            tenant=client.tenant,
            operation="read Organisation",
            excerpt=answer.body[:200].decode("utf-8", errors="replace"),
        )
    told: list[tuple[str, str, str | None]] = (
        [] if reminders is None else [("erp_reminders", "on" if reminders else "off", None)]
    )
    if accounts:
        told.append(("bad_debt_accounts", ",".join(sorted(accounts)), "xero:Account"))
    fields = tuple(CustomField.trusted(name=n, value=v, definition_id=d) for n, v, d in told)
    organization = organization.model_copy(update={"custom_fields": (*organization.custom_fields, *fields)})
    moment = page.server_time or now
    company = Company(moment, organization.base_currency, reminders)
    cursor = Cursor(REFERENCE, {"company": company.to_json()})
    return replace(page, records=[organization], row_of=[0], cursor=cursor)


def sends_reminders(client: XeroClient) -> bool | None:
    """Whether Xero itself chases; unknown where the connection may not ask."""
    try:
        rows = _rows(client.get("InvoiceReminders/Settings", "read InvoiceReminders"), "InvoiceReminders")
    except _REFUSED:
        return None
    enabled = rows[0].get("Enabled") if rows else None
    return enabled if isinstance(enabled, bool) else None


def _bad_debt_accounts(client: XeroClient) -> set[str]:
    """Ids and codes of accounts called bad debts: Xero has no type for them. None where the connection may not ask."""
    try:
        rows = _rows(client.get("Accounts", "list Accounts"), "Accounts")
    except _REFUSED:
        return set()
    found = [row for row in rows if "bad debt" in str(row.get("Name", "")).casefold()]
    return {str(row[name]) for row in found for name in ("AccountID", "Code") if row.get(name)}


def _rows(answer: Response, name: str) -> list[dict[str, Any]]:
    try:
        rows = loads_plain(answer.body).get(name)
    except (ValueError, AttributeError, RecursionError):
        rows = None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
