"""The bridge, with the real xero-python, against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests

import ar_connectors as ar
from ar_connectors.auth.tokens import TokenSet
from ar_connectors.connector import Page
from ar_connectors.errors import ConfigurationError, RejectedError, UnsupportedOperation
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.store import open_store
from ar_connectors.testkit.server import XeroHandle
from ar_connectors.xero.bridge import LentRefresher, from_xero, to_sdk
from ar_core.model import Allocation, Contact, Customer, Promise, Source
from tests.behavior.stories import money_stays_on_account

pytestmark = pytest.mark.foreign

pytest.importorskip("xero_python", reason="needs the extra [xero]")

from xero_python.accounting import AccountingApi  # noqa: E402 - only where the extra is
from xero_python.api_client import ApiClient  # noqa: E402 - only where the extra is
from xero_python.api_client.oauth2 import OAuth2Token  # noqa: E402 - only where the extra is

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.fixture
def held(xero_emulator: XeroHandle) -> dict[str, Any]:
    """What the program that has the client keeps. Its access token is no longer good."""
    return {
        "access_token": "worn-out",
        "refresh_token": xero_emulator.refresh_token,
        "expires_in": 1800,
        "token_type": "Bearer",
        "scope": xero_emulator.service.authority.scope.split(),
    }


@pytest.fixture
def auth(xero_emulator: XeroHandle) -> Any:
    return OAuth2Token(client_id=xero_emulator.client_id, client_secret=xero_emulator.client_secret)


@pytest.fixture
def client(held: dict[str, Any], auth: Any) -> Iterator[Any]:
    made = ApiClient(pool_threads=1, oauth2_token_getter=lambda: held, oauth2_token_saver=held.update)
    made.configuration.oauth2_token = auth
    yield made
    made.rest_client.pool_manager.clear()


def test_a_rotation_in_our_sync_lands_in_the_client(
    client: Any, held: dict[str, Any], xero_emulator: XeroHandle
) -> None:
    hosts = Endpoints(xero_emulator.base_url, token=xero_emulator.token_url)
    before = held["refresh_token"]
    tenant = xero_emulator.tenant
    bridge = from_xero(client, tenant=tenant)
    with open_store("sqlite://", key=KEY) as store:
        with pytest.raises(ConfigurationError, match="lent for"):
            ar.connect("xero", tenant="another", store=store, credentials=bridge, endpoints=hosts)
        conn = ar.connect("xero", tenant=tenant, store=store, credentials=bridge, endpoints=hosts)
        try:
            assert ar.sync(conn, store).complete
        finally:
            conn.close()
    assert held["access_token"] != "worn-out"
    assert held["refresh_token"] != before
    assert held["expires_at"] is not None
    api = AccountingApi(client, base_url=f"{xero_emulator.base_url}/api.xro/2.0")
    assert api.get_organisations(tenant).organisations[0].name == xero_emulator.ledger.settings.name


def test_what_cannot_lend_is_refused_and_half_a_pair_too(client: Any, held: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="cannot lend"):
        from_xero(object(), tenant="t")
    with pytest.raises(ConfigurationError, match="together"):
        from_xero(client, tenant="t").push({"access_token": "ours"})
    assert held["access_token"] == "worn-out"
    held["refresh_token"] = None
    with pytest.raises(ConfigurationError, match="no refresh token"):
        from_xero(client, tenant="t")


def test_two_organisations_of_one_client_share_its_refresh_token_and_one_of_them_asks(
    client: Any, held: dict[str, Any], xero_emulator: XeroHandle
) -> None:
    """One consent reaches several organisations. Both begin with the same worn-out tokens."""
    hosts = Endpoints(xero_emulator.base_url, token=xero_emulator.token_url)
    with open_store("sqlite://", key=KEY) as store:
        first, second = (
            ar.connect(
                "xero",
                tenant=one,
                store=store,
                credentials=from_xero(client, tenant=one),
                endpoints=hosts,
                clock=xero_emulator.clock,
            )
            for one in (xero_emulator.tenant, "11111111-1111-4111-8111-111111111111")
        )
        try:
            for round_ in (1, 2, 3):
                with ThreadPoolExecutor(2) as pool:
                    asked = [pool.submit(one.connector.client.connections) for one in (first, second)]  # type: ignore[attr-defined]
                    assert [one.result().status for one in asked] == [200, 200]
                assert xero_emulator.stats.refreshes == round_
                assert xero_emulator.stats.double_refreshes == 0
                kept = [store.load_tokens(one.id) for one in (first, second)]
                assert [one[0]["refresh_token"] for one in kept if one is not None] == [
                    held["refresh_token"]
                ] * 2
                with xero_emulator.service.lock:
                    xero_emulator.service.authority.kill_access()
                xero_emulator.clock.advance(timedelta(minutes=5))
        finally:
            first.close()
            second.close()


def test_tokens_that_were_replaced_do_not_come_back_into_the_client(
    client: Any, held: dict[str, Any], xero_emulator: XeroHandle
) -> None:
    class Endpoint:
        """Each refresh token is good once."""

        def refresh(self, tokens: TokenSet) -> TokenSet:
            return TokenSet(f"after {tokens.refresh_token}", f"{tokens.refresh_token}+")

    bridge = from_xero(client, tenant=xero_emulator.tenant)
    begun = held["refresh_token"]
    fresh = LentRefresher(Endpoint(), bridge).refresh(TokenSet("worn-out", begun))
    assert held["refresh_token"] == fresh.refresh_token == f"{begun}+"
    bridge.push({"access_token": "late", "refresh_token": begun})
    assert held["access_token"] == fresh.access_token
    assert LentRefresher(Endpoint(), bridge).refresh(TokenSet("worn-out", begun)) == TokenSet(
        fresh.access_token, fresh.refresh_token
    ), "asked again for what the client already had"


def test_a_record_is_had_as_an_object() -> None:
    row = {"ContactID": "11111111-1111-4111-8111-111111111111", "Name": "O'Neil & Sons", "Phones": None}
    source = Source(platform="xero", tenant="t", kind="Contact", remote_id=str(row["ContactID"]))
    customer = Customer.model_construct(id="xero:t:1", name="O", source=source)
    there = to_sdk(customer, json.dumps({"Contacts": [row]}))
    assert (type(there).__name__, there.name) == ("Contact", "O'Neil & Sons")
    with pytest.raises(ar.errors.NotFoundError, match="not in the body"):
        to_sdk(customer, b'{"Contacts": []}')


KINDS: dict[str, tuple[str, str, str, str]] = {
    # collection -> our attribute, theirs, and how an id is called there
    "Invoices": ("total", "total", "invoice_id", "Invoice"),
    "CreditNotes": ("total", "total", "credit_note_id", "CreditNote"),
    "Payments": ("total", "amount", "payment_id", "Payment"),
    "Overpayments": ("total", "total", "overpayment_id", "Overpayment"),
    "Prepayments": ("total", "total", "prepayment_id", "Prepayment"),
    "Contacts": ("name", "name", "contact_id", "Contact"),
}


@pytest.fixture
def rows(xero_emulator: XeroHandle) -> Callable[[str], bytes]:
    """A page of a list as Xero sends it."""

    def get(collection: str) -> bytes:
        answer = requests.get(
            f"{xero_emulator.base_url}/api.xro/2.0/{collection}",
            params={"page": "1", "pageSize": "1000", "includeArchived": "true"},
            headers={
                "Authorization": f"Bearer {xero_emulator.access_token}",
                "Accept": "application/json",
                "xero-tenant-id": xero_emulator.tenant,
            },
            timeout=10,
        )
        assert answer.status_code == 200
        return answer.content

    return get


@pytest.mark.parametrize("collection", KINDS)
def test_every_kind_of_record_is_had_as_the_object_of_its_row(
    xero_emulator: XeroHandle, rows: Callable[[str], bytes], collection: str
) -> None:
    ours, theirs, named, kind = KINDS[collection]
    if collection in {"Overpayments", "Prepayments"}:
        with xero_emulator.service.lock:
            money_stays_on_account(xero_emulator.ledger)
    body = rows(collection)
    page = ar.decode("xero", kind.lower(), body, tenant=xero_emulator.tenant)
    assert isinstance(page, Page)
    made = 0
    for record in page.records:
        if (
            record.source is None
            or record.source.kind != kind
            or isinstance(record, Contact | Allocation | Promise)
        ):
            continue
        if b"BatchPayment" in row_of(body, collection, record.source.remote_id):
            # xero-python refuses the text "false" that Xero itself sends in a payment of a batch.
            with pytest.raises(RejectedError, match="bool"):
                to_sdk(record, body)
            continue
        there = to_sdk(record, body)
        made += 1
        assert type(there).__name__ == kind
        assert getattr(there, named) == record.source.remote_id
        assert getattr(there, theirs) == getattr(record, ours), "an amount became another one"
    assert made > 0


def row_of(body: bytes, collection: str, remote_id: str) -> bytes:
    rows = json.loads(body)[collection]
    return json.dumps([one for one in rows if remote_id in one.values()]).encode()


def test_what_did_not_come_from_xero_has_no_object() -> None:
    source = Source(platform="quickbooks", tenant="t", kind="Invoice", remote_id="1")
    for one in (source, None):
        with pytest.raises(UnsupportedOperation, match="no object in xero-python"):
            to_sdk(Customer.model_construct(id="x", name="O", source=one), b"{}")
    source = Source(platform="xero", tenant="t", kind="Contact", remote_id="1")
    with pytest.raises(RejectedError, match="not JSON"):
        to_sdk(Customer.model_construct(id="x", name="O", source=source), b"<html>")
