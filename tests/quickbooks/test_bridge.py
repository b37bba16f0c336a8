"""The bridge, with the real python-quickbooks and intuit-oauth, against a loopback server of a few lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ar_connectors.connector import Page
from ar_connectors.errors import ConfigurationError, NotFoundError, RejectedError, UnsupportedOperation
from ar_connectors.quickbooks.bridge import from_quickbooks, to_sdk
from ar_connectors.quickbooks.decode import decode
from ar_core.model import Customer, Invoice, Payment

pytestmark = pytest.mark.foreign

quickbooks = pytest.importorskip("quickbooks", reason="needs the extra [quickbooks]")
intuitlib = pytest.importorskip("intuitlib.client", reason="needs the extra [quickbooks]")

REALM = "4620816365"


@dataclass
class Intuit:
    """What the two libraries ask for: the discovery document, the token endpoint, one customer."""

    url: str = ""
    seen: list[str] = field(default_factory=list)
    """Authorization headers of API calls."""


@pytest.fixture
def intuit() -> Iterator[Intuit]:
    state = Intuit()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/discovery"):
                names = ("authorization", "token", "revocation", "userinfo")
                document = {f"{name}_endpoint": f"{state.url}/{name}" for name in names}
                self.reply({**document, "issuer": "i", "jwks_uri": state.url})
                return
            state.seen.append(self.headers["Authorization"])
            self.reply({"Customer": {"Id": "1", "SyncToken": "0", "DisplayName": "O'Neil & Sons"}})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.reply({"access_token": "theirs-2", "refresh_token": "refresh-2", "expires_in": 3600})

        def reply(self, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def auth(intuit: Intuit) -> Any:
    client = intuitlib.AuthClient(
        "app-id", "app-secret", "http://127.0.0.1/callback", f"{intuit.url}/discovery",
        access_token="theirs-1", refresh_token="refresh-1", realm_id=REALM,
    )  # fmt: skip
    yield client
    client.close()


@pytest.fixture
def client(auth: Any, intuit: Intuit, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(quickbooks.QuickBooks, "api_url_v3", f"{intuit.url}/v3")
    made = quickbooks.QuickBooks(
        auth_client=auth, refresh_token="refresh-1", company_id=REALM, minorversion=75
    )
    yield made
    made.session.close()


def decoded(kind: str, body: bytes) -> Page:
    page = decode(kind, body, REALM)
    assert isinstance(page, Page)
    return page


def test_credentials_are_taken_from_a_client_as_it_stands(client: Any, intuit: Intuit) -> None:
    bridge = from_quickbooks(client)
    assert (bridge.tenant, bridge.client_id, bridge.client_secret) == (REALM, "app-id", "app-secret")
    assert bridge.tokens() == {"access_token": "theirs-1", "refresh_token": "refresh-1"}
    assert bridge.base_url == intuit.url


def test_an_auth_client_alone_will_do(auth: Any) -> None:
    bridge = from_quickbooks(auth)
    assert (bridge.tenant, bridge.is_sandbox) == (REALM, False)
    assert bridge.base_url == "https://quickbooks.api.intuit.com"
    auth.environment = "sandbox"
    assert bridge.base_url == "https://sandbox-quickbooks.api.intuit.com"
    bridge.push({"access_token": "ours", "refresh_token": "refresh-9"})
    assert (auth.access_token, auth.refresh_token) == ("ours", "refresh-9")


def test_a_refresh_by_the_other_side_is_seen(client: Any, auth: Any) -> None:
    bridge = from_quickbooks(client)
    auth.refresh()
    assert bridge.tokens() == {"access_token": "theirs-2", "refresh_token": "refresh-2"}


def test_rotated_tokens_reach_the_running_session_of_the_other_client(
    client: Any, auth: Any, intuit: Intuit
) -> None:
    bridge = from_quickbooks(client)
    bridge.push(
        {
            "access_token": "ours-3",
            "refresh_token": "refresh-3",
            "expires_in": 3600,
            "x_refresh_token_expires_in": 8640000,
        }
    )
    from quickbooks.objects.customer import Customer as SdkCustomer

    customer = SdkCustomer.get(1, qb=client)
    assert customer.DisplayName == "O'Neil & Sons"
    assert intuit.seen == ["Bearer ours-3"]
    assert (auth.refresh_token, client.refresh_token, auth.expires_in) == ("refresh-3", "refresh-3", 3600)


def test_half_a_pair_of_tokens_is_refused(client: Any, auth: Any) -> None:
    with pytest.raises(ConfigurationError, match="together"):
        from_quickbooks(client).push({"access_token": "ours"})
    assert auth.access_token == "theirs-1"


def test_secrets_are_not_in_the_text_of_a_bridge(client: Any) -> None:
    assert "secret" not in repr(from_quickbooks(client))
    assert "theirs-1" not in repr(from_quickbooks(client))


def test_what_is_no_client_is_refused_with_advice(auth: Any) -> None:
    with pytest.raises(ConfigurationError, match="neither"):
        from_quickbooks(object())
    with pytest.raises(ConfigurationError, match="belongs to company"):
        from_quickbooks(auth, tenant="1")
    auth.refresh_token = None
    with pytest.raises(ConfigurationError, match="no refresh token"):
        from_quickbooks(auth)


PAGE = b"""{"QueryResponse": {"Invoice": [
  {"Id": "128", "SyncToken": "0", "TotalAmt": 1, "Balance": 1, "CustomerRef": {"value": "7"}},
  {"Id": "129", "SyncToken": "3", "DocNumber": "1037", "TxnDate": "2026-10-01", "DueDate": "2026-10-31", "TotalAmt": 12345678901234567.89,
   "Balance": 362.07, "CustomerRef": {"value": "7", "name": "O'Neil & Sons"}, "SalesTermRef": null, "CustomField": [],
   "Line": [{"Id": "1", "LineNum": 1, "Amount": 362.07, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"Qty": 2}}]}
 ], "startPosition": 1, "maxResults": 2}, "time": "2026-11-22T20:00:00.000-08:00"}"""


def test_an_invoice_of_ours_is_had_as_an_object_of_the_library() -> None:
    from quickbooks.objects.invoice import Invoice as SdkInvoice

    page = decoded("invoice", PAGE)
    invoice = next(
        one
        for one in page.records
        if isinstance(one, Invoice) and one.source and one.source.remote_id == "129"
    )
    there = to_sdk(invoice, PAGE)
    assert isinstance(there, SdkInvoice)
    assert (there.Id, there.DocNumber, there.SyncToken) == ("129", "1037", "3")
    assert there.TotalAmt == Decimal("12345678901234567.89") == invoice.total
    assert there.Line[0].SalesItemLineDetail.Qty == 2
    assert there.CustomerRef.name == "O'Neil & Sons"


@pytest.mark.parametrize(
    ("kind", "body", "shape"),
    [
        ("customer", b'{"Customer": {"Id": "7", "SyncToken": "1", "DisplayName": "O\'Neil & Sons", "BillAddr": null}}', Customer),
        ("payment", b'{"Payment": {"Id": "9", "TxnDate": "2026-11-01", "TotalAmt": 5.10, "Line": []}}', Payment),
    ],
)  # fmt: skip
def test_other_kinds_have_their_objects(kind: str, body: bytes, shape: type[Customer | Payment]) -> None:
    record = next(one for one in decoded(kind, body).records if isinstance(one, shape))
    assert record.source is not None
    there = to_sdk(record, body)
    assert type(there).__name__ == shape.__name__
    assert there.Id == record.source.remote_id
    row = next(iter(json.loads(body, parse_float=Decimal).values()))
    assert to_sdk(record, row).to_json() == there.to_json() == to_sdk(record, body.decode()).to_json()


def test_a_record_that_is_not_in_the_body_or_was_deleted_is_not_made_up() -> None:
    page = decoded("invoice", PAGE)
    invoice = next(
        one
        for one in page.records
        if isinstance(one, Invoice) and one.source and one.source.remote_id == "129"
    )
    with pytest.raises(NotFoundError, match="not in the body"):
        to_sdk(invoice, b'{"QueryResponse": {}}')
    with pytest.raises(NotFoundError, match="was deleted"):
        to_sdk(invoice, b'{"Invoice": {"Id": "129", "status": "Deleted", "domain": "QBO"}}')
    with pytest.raises(RejectedError, match="not JSON"):
        to_sdk(invoice, b"{")
    with pytest.raises(UnsupportedOperation):
        to_sdk(invoice.model_copy(update={"source": None}), PAGE)
