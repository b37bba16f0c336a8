"""xero-python, the vendor's client, unchanged, works against the emulator. Its known traps are walked around here and nowhere
else: it refuses what Xero itself sends as texts, waits silently on 429, and sends a PUT four times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import urllib3

from ar_connectors.testkit.server import XeroHandle
from ar_connectors.testkit.xero.ids import guid

pytest.importorskip("xero_python")

from xero_python.accounting import AccountingApi, HistoryRecord, HistoryRecords
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import AccountingBadRequestException, HTTPStatusException
from xero_python.identity import IdentityApi

pytestmark = pytest.mark.foreign


@pytest.fixture
def held(xero_emulator: XeroHandle) -> dict[str, Any]:
    """The token the client is given, and writes to."""
    return {
        "access_token": xero_emulator.access_token,
        "refresh_token": xero_emulator.refresh_token,
        "expires_in": 1800,
        "token_type": "Bearer",
        "scope": xero_emulator.service.authority.scope.split(),
    }


@pytest.fixture
def client(
    xero_emulator: XeroHandle, held: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ApiClient]:
    monkeypatch.setattr(TokenApi, "refresh_token_url", xero_emulator.token_url)
    # One Configuration is shared by a whole process and keeps the first token it was given.
    monkeypatch.setattr(Configuration, "_default", None, raising=False)
    token = OAuth2Token(client_id=xero_emulator.client_id, client_secret=xero_emulator.client_secret)
    made = ApiClient(Configuration(oauth2_token=token), pool_threads=1)
    made.configuration.oauth2_token = token
    # urllib3 would wait as long as Retry-After says and send a PUT again.
    made.rest_client.pool_manager = urllib3.PoolManager(
        retries=urllib3.Retry(0, respect_retry_after_header=False)
    )
    made.oauth2_token_getter(lambda: held)

    def keep(token: dict[str, Any]) -> None:
        held.clear()
        held.update(token)

    made.oauth2_token_saver(keep)
    yield made
    made.rest_client.pool_manager.clear()


@pytest.fixture
def api(client: ApiClient, xero_emulator: XeroHandle) -> AccountingApi:
    return AccountingApi(client, base_url=f"{xero_emulator.base_url}/api.xro/2.0")


def test_it_finds_the_company_among_its_connections(client: ApiClient, xero_emulator: XeroHandle) -> None:
    (connection,) = IdentityApi(client, base_url=xero_emulator.base_url).get_connections()
    assert (connection.tenant_id, connection.tenant_type) == (xero_emulator.tenant, "ORGANISATION")
    assert connection.tenant_name == xero_emulator.ledger.settings.name


def test_it_pages_through_every_invoice(api: AccountingApi, xero_emulator: XeroHandle) -> None:
    found, page = [], 1
    while True:
        answer = api.get_invoices(xero_emulator.tenant, page=page, page_size=50)
        found += answer.invoices
        if page >= answer.pagination.page_count:
            break
        page += 1
    facts = xero_emulator.truth()
    assert {one.invoice_id: one.amount_due for one in found if one.amount_due and one.type == "ACCREC"} == {
        guid("invoice", one.id): one.open for one in facts.open_invoices.values()
    }
    assert {
        one.invoice_id: one.due_date
        for one in found
        if one.type == "ACCREC" and one.amount_due and one.due_date
    } == {
        guid("invoice", one.id): date.fromisoformat(one.due)
        for one in facts.open_invoices.values()
        if one.due
    }


def test_it_reads_contacts_credits_and_money_on_account(
    api: AccountingApi, xero_emulator: XeroHandle
) -> None:
    tenant = xero_emulator.tenant
    contacts = api.get_contacts(tenant, page=1, page_size=1000, include_archived=True).contacts
    assert sum(one.is_customer for one in contacts) == len(xero_emulator.ledger.customers)
    credits_ = api.get_credit_notes(tenant, page=1, page_size=1000).credit_notes
    open_credit = sum(one.open for one in xero_emulator.ledger.credits.values())
    assert sum(one.remaining_credit for one in credits_) == open_credit
    over = api.get_overpayments(tenant, page=1).overpayments
    before = api.get_prepayments(tenant, page=1).prepayments
    on_account = sum(one.unapplied for one in xero_emulator.ledger.payments.values())
    assert sum(one.remaining_credit for one in [*over, *before]) == on_account
    assert api.get_organisations(tenant).organisations[0].base_currency.value == "USD"


def test_it_reads_payments_but_not_those_of_a_batch(api: AccountingApi, xero_emulator: XeroHandle) -> None:
    """Xero sends a boolean as text in a batch; its own client refuses that."""
    tenant = xero_emulator.tenant
    with pytest.raises(ValueError, match="bool value expected"):
        api.get_payments(tenant, page=1, page_size=1000)
    split = xero_emulator.service.view.split
    alone = next(
        one for one in xero_emulator.ledger.payments.values() if len(split(one).receipts) == 1 and one.total
    )
    (payment,) = api.get_payment(tenant, guid("payment", alone.id)).payments
    assert (payment.amount, payment.date) == (split(alone).receipts[0].amount, alone.received)


def test_it_writes_a_note_and_reads_it_back(api: AccountingApi, xero_emulator: XeroHandle) -> None:
    invoice = guid("invoice", next(iter(xero_emulator.truth().open_invoices)))
    records = HistoryRecords(history_records=[HistoryRecord(details="[app:promise:1] by Friday")])
    api.create_invoice_history(xero_emulator.tenant, invoice, records, idempotency_key="k-1")
    api.create_invoice_history(xero_emulator.tenant, invoice, records, idempotency_key="k-1")
    found = api.get_invoice_history(xero_emulator.tenant, invoice).history_records
    assert [one.details for one in found if one.changes == "Note"] == ["[app:promise:1] by Friday"]


def test_it_sets_an_expected_date_and_understands_a_refusal(
    api: AccountingApi, xero_emulator: XeroHandle
) -> None:
    ledger = xero_emulator.ledger
    untouched = next(
        one for one in ledger.invoices.values() if one.open and not one.applied and not one.deposit
    )
    identity = guid("invoice", untouched.id)
    body = {"Invoices": [{"InvoiceID": identity, "ExpectedPaymentDate": "2026-12-04"}]}
    (row,) = api.update_invoice(xero_emulator.tenant, identity, body).invoices
    assert row.expected_payment_date == untouched.expected == date(2026, 12, 4)
    voided = guid("invoice", next(one.id for one in ledger.invoices.values() if one.voided))
    with pytest.raises(AccountingBadRequestException) as refused:
        api.update_invoice(
            xero_emulator.tenant, voided, {"Invoices": [{"InvoiceID": voided, "DueDate": "2026-12-04"}]}
        )
    assert "Invoice not of valid status for modification" in str(refused.value)


def test_it_sees_a_rate_limit_as_what_it_is(api: AccountingApi, xero_emulator: XeroHandle) -> None:
    xero_emulator.faults.add("rate_limited_with_retry_after")
    with pytest.raises(HTTPStatusException) as limited:
        api.get_organisations(xero_emulator.tenant)
    assert limited.value.status == 429
    assert xero_emulator.stats.total == 1


def test_it_refreshes_its_token(
    api: AccountingApi, client: ApiClient, held: dict[str, Any], xero_emulator: XeroHandle
) -> None:
    before = dict(held)
    client.refresh_oauth2_token()
    assert held["refresh_token"] != before["refresh_token"]
    assert xero_emulator.stats.refreshes == 1
    assert api.get_organisations(xero_emulator.tenant).organisations
