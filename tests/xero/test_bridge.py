"""The bridge, with the real xero-python, against the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.errors import ConfigurationError
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.store import open_store
from ar_connectors.testkit.server import XeroHandle
from ar_connectors.xero.bridge import from_xero, to_sdk
from ar_core.model import Customer, Source

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


def test_a_record_is_had_as_an_object() -> None:
    row = {"ContactID": "11111111-1111-4111-8111-111111111111", "Name": "O'Neil & Sons", "Phones": None}
    source = Source(platform="xero", tenant="t", kind="Contact", remote_id=str(row["ContactID"]))
    customer = Customer.model_construct(id="xero:t:1", name="O", source=source)
    there = to_sdk(customer, json.dumps({"Contacts": [row]}))
    assert (type(there).__name__, there.name) == ("Contact", "O'Neil & Sons")
    with pytest.raises(ar.errors.NotFoundError, match="not in the body"):
        to_sdk(customer, b'{"Contacts": []}')
