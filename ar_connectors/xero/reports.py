"""What does Xero itself say is owed? Balances of its contacts, for reconciliation.

In which currency a balance is, is disputed (quirks.md#xero-31). It is taken as the contact's own currency, else the base
currency; where that is wrong, the difference is listed, never hidden.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ar_connectors.adapterkit.cutting import UNREADABLE
from ar_connectors.connector import ReportedBalance
from ar_connectors.errors import ContractError
from ar_connectors.xero import wire
from ar_connectors.xero.client import PAGE_SIZE, XeroClient
from ar_connectors.xero.context import PLATFORM, Context
from ar_core.model import RecordKind

__all__ = ["reported_balances"]

_BASIS: Final = "Contact.Balances.AccountsReceivable.Outstanding"


class _Contacts(msgspec.Struct):
    Contacts: list[wire.Contact] = []


_CONTACTS: Final = msgspec.json.Decoder(_Contacts)


def reported_balances(client: XeroClient, context: Context) -> list[ReportedBalance]:
    """What each contact owes, those of zero left out; one call per 1000 contacts. In the contact's
    own currency, else in base currency. Raises ContractError when an answer cannot be read."""
    found: list[ReportedBalance] = []
    number = 1
    while True:
        answer = client.page("Contacts", (("includeArchived", "true"), ("order", "ContactID")), number)
        try:
            rows = _CONTACTS.decode(answer.body).Contacts
        except UNREADABLE as error:
            raise ContractError(
                f"the contacts cannot be read: {error}",
                platform=PLATFORM,
                tenant=client.tenant,
                operation="reported balances",
            ) from error
        for row in rows:
            balance = row.balances.accounts_receivable if row.balances is not None else None
            if row.contact_id and balance is not None and balance.outstanding:
                identity = context.company.record_id(RecordKind.CUSTOMER, row.contact_id)
                currency = row.default_currency or context.base_currency
                found.append(ReportedBalance(identity, currency, balance.outstanding, _BASIS))
        if len(rows) < PAGE_SIZE:
            return found
        number += 1
