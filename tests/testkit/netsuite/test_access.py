"""Who is let in: client assertions, signatures, limits, and faults by name."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.netsuite import Limits
from ar_connectors.testkit.netsuite.start import Handle, start_netsuite
from tests.testkit.netsuite.support import Client

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def _assertion(
    handle: Handle, *, key: Any = None, algorithm: str = "ES256", kid: str | None = None, **claims: Any
) -> str:
    now = int(handle.clock.now().timestamp())
    payload = {
        "iss": handle.client_id,
        "scope": "rest_webservices",
        "aud": handle.token_url,
        "iat": now,
        "exp": now + 3000,
        **claims,
    }
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(
        payload, key or handle.private_key, algorithm, headers={"kid": kid or handle.certificate_id}
    )


def _ask(handle: Handle, assertion: str, **form: str) -> requests.Response:
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": assertion,
        **form,
    }
    return requests.post(handle.token_url, data=fields, timeout=10)


def test_an_assertion_buys_an_access_token(netsuite_emulator: Handle, client: Client) -> None:
    answer = _ask(netsuite_emulator, _assertion(netsuite_emulator))
    assert answer.status_code == 200
    token = answer.json()
    assert token["token_type"] == "Bearer"
    assert int(token["expires_in"]) == 3600
    assert "refresh_token" not in token
    client.session.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert client.rows("SELECT id FROM term")
    netsuite_emulator.clock.advance(timedelta(seconds=3601))
    assert client.refused(client.suiteql("SELECT id FROM term"))[:2] == (401, "INVALID_LOGIN")


def test_the_accounts_own_address_is_an_audience_too(netsuite_emulator: Handle) -> None:
    address = "https://7654321-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"
    assert _ask(netsuite_emulator, _assertion(netsuite_emulator, aud=address)).status_code == 200


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512", "ES256", "ES512"])
def test_every_algorithm_of_oracles_list(netsuite_emulator: Handle, algorithm: str) -> None:
    curves = {"ES256": ec.SECP256R1(), "ES512": ec.SECP521R1()}
    key: Any = (
        ec.generate_private_key(curves[algorithm])
        if algorithm in curves
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    kid = netsuite_emulator.service.desk.register(_public(key))
    assert (
        _ask(
            netsuite_emulator, _assertion(netsuite_emulator, key=key, algorithm=algorithm, kid=kid)
        ).status_code
        == 200
    )


def _public(key: Any) -> str:
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return str(pem.decode())


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example/token"},
        {"iss": "somebody"},
        {"scope": "restlets"},
        {"scope": None},
        {"exp": None},
        {"iat": None},
        {"exp": int(DEFAULT_NOW.timestamp()) + 3600},
        {"exp": int(DEFAULT_NOW.timestamp()) - 1, "iat": int(DEFAULT_NOW.timestamp()) - 600},
        {"iat": int(DEFAULT_NOW.timestamp()) + 900, "exp": int(DEFAULT_NOW.timestamp()) + 1000},
        {"kid": "unknown"},
    ],
)
def test_assertions_that_are_refused(netsuite_emulator: Handle, claims: dict[str, Any]) -> None:
    answer = _ask(netsuite_emulator, _assertion(netsuite_emulator, **claims))
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_other_keys_and_algorithms_are_refused(netsuite_emulator: Handle) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert _ask(netsuite_emulator, _assertion(netsuite_emulator, key=stranger)).status_code == 400
    old = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kid = netsuite_emulator.service.desk.register(_public(old))
    assert (
        _ask(
            netsuite_emulator, _assertion(netsuite_emulator, key=old, algorithm="RS256", kid=kid)
        ).status_code
        == 400
    )
    assert _ask(netsuite_emulator, "no.jwt").status_code == 400
    assert (
        _ask(netsuite_emulator, _assertion(netsuite_emulator), grant_type="refresh_token").status_code == 400
    )
    assert (
        _ask(netsuite_emulator, _assertion(netsuite_emulator), client_assertion_type="x").status_code == 400
    )


def test_certificates_have_rules(netsuite_emulator: Handle) -> None:
    desk = netsuite_emulator.service.desk
    with pytest.raises(ValueError, match="too short"):
        desk.register(_public(rsa.generate_private_key(public_exponent=65537, key_size=1024)))
    for _ in range(4):
        desk.register(_public(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(ValueError, match="at most five"):
        desk.register(_public(ec.generate_private_key(ec.SECP256R1())))


# ---- TBA


def _signed(handle: Handle, method: str, url: str, **changes: str) -> dict[str, str]:
    """RFC 5849, written down once more."""
    more = handle.as_json()
    fields = {
        "oauth_consumer_key": more["consumer_key"],
        "oauth_token": more["token_id"],
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(handle.clock.now().timestamp())),
        "oauth_nonce": changes.pop("nonce", "n1"),
        "oauth_version": "1.0",
        **changes,
    }
    parts = urlsplit(url)

    def enc(text: str) -> str:
        return quote(text, safe="~")

    pairs = sorted((enc(name), enc(value)) for name, value in [*parse_qsl(parts.query), *fields.items()])
    base = "&".join(
        [
            method,
            enc(f"{parts.scheme}://{parts.netloc}{parts.path}"),
            enc("&".join(f"{n}={v}" for n, v in pairs)),
        ]
    )
    secret = f"{more['consumer_secret']}&{more['token_secret']}".encode()
    signature = base64.b64encode(hmac.new(secret, base.encode(), hashlib.sha256).digest()).decode()
    shown = {"realm": more["account"], **fields, "oauth_signature": signature}
    return {"Authorization": "OAuth " + ", ".join(f'{name}="{enc(value)}"' for name, value in shown.items())}


def test_a_signed_call_works_once(netsuite_emulator: Handle) -> None:
    url = f"{netsuite_emulator.base_url}/services/rest/record/v1/invoice?limit=5&q=memo%20IS%20%22a%20%26%20b%22"
    headers = _signed(netsuite_emulator, "GET", url)
    assert requests.get(url, headers=headers, timeout=10).status_code == 200
    assert requests.get(url, headers=headers, timeout=10).status_code == 401, "the nonce was used"
    again = _signed(netsuite_emulator, "GET", url, nonce="n2")
    assert requests.get(url, headers=again, timeout=10).status_code == 200


def test_paths_with_external_ids_can_be_signed(netsuite_emulator: Handle) -> None:
    for number, path in enumerate(("eid:AB~C%201", "eid%3AAB~C%201", "eid:plain")):
        url = f"{netsuite_emulator.base_url}/services/rest/record/v1/phoneCall/{path}"
        headers = {
            **_signed(netsuite_emulator, "PUT", url, nonce=f"x{number}"),
            "Content-Type": "application/json",
        }
        assert requests.put(url, data='{"title": "x"}', headers=headers, timeout=10).status_code == 204


@pytest.mark.parametrize(
    "changes",
    [
        {"oauth_signature_method": "HMAC-SHA1"},
        {"oauth_consumer_key": "x"},
        {"oauth_token": "x"},
        {"oauth_timestamp": str(int(DEFAULT_NOW.timestamp()) - 301)},
        {"oauth_timestamp": "yesterday"},
        {"nonce": ""},
    ],
)
def test_signatures_that_are_refused(netsuite_emulator: Handle, changes: dict[str, str]) -> None:
    url = f"{netsuite_emulator.base_url}/services/rest/record/v1/customer/1"
    answer = requests.get(url, headers=_signed(netsuite_emulator, "GET", url, **changes), timeout=10)
    assert answer.status_code == 401
    assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_LOGIN"


def test_a_signature_is_for_one_call(netsuite_emulator: Handle) -> None:
    url = f"{netsuite_emulator.base_url}/services/rest/record/v1/customer/1"
    headers = _signed(netsuite_emulator, "GET", url)
    assert requests.get(url.removesuffix("1") + "2", headers=headers, timeout=10).status_code == 401
    other = headers["Authorization"].replace("7654321_SB1", "7654321")
    assert requests.get(url, headers={"Authorization": other}, timeout=10).status_code == 401


# ---- limits, faults, the server


@pytest.mark.parametrize(
    ("overload", "status", "code"),
    [("429", 429, "CONCURRENCY_LIMIT_EXCEEDED"), ("401", 401, "INVALID_LOGIN")],
)
def test_too_many_calls_at_a_time(overload: Any, status: int, code: str) -> None:
    limits = Limits(in_flight=2, overload=overload)
    with start_netsuite(clock=ScriptedClock(DEFAULT_NOW), invoices=5, limits=limits) as handle:
        answers: list[requests.Response] = []
        with handle.service.lock:
            threads = [
                threading.Thread(target=lambda: answers.append(Client(handle).suiteql("SELECT id FROM term")))
                for _ in range(5)
            ]
            for thread in threads:
                thread.start()
            while handle.stats.in_flight < 5:
                time.sleep(0.002)
        for thread in threads:
            thread.join()
        refused = [one for one in answers if one.status_code != 200]
        assert len(refused) >= 1
        for one in refused:
            assert one.status_code == status
            body = one.json()
            assert body["o:errorDetails"][0]["o:errorCode"] == code
            assert "Retry-After" not in one.headers
            if status == 429:
                assert (body["o:errorCode"], body["title"]) == ("USER_ERROR", "Bad Request")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("unauthorized", 401, "INVALID_LOGIN"),
        ("forbidden", 403, "INSUFFICIENT_PERMISSION"),
        ("permission_denied", 400, "USER_ERROR"),
        ("rate_limited", 429, "CONCURRENCY_LIMIT_EXCEEDED"),
        ("rate_limited_with_retry_after", 429, "CONCURRENCY_LIMIT_EXCEEDED"),
        ("server_error", 500, "UNEXPECTED_ERROR"),
        ("stale_version", 400, "RCRD_HAS_BEEN_CHANGED"),
        ("period_closed", 400, "USER_ERROR"),
        ("duplicate_request_id", 400, "IDEMPOTENCY_ERROR"),
        ("subscription_lapsed", 403, "INSUFFICIENT_PERMISSION"),
    ],
)
def test_faults_in_netsuites_dialect(
    netsuite_emulator: Handle, client: Client, fault: str, status: int, code: str
) -> None:
    netsuite_emulator.faults.add(fault, on="query term")
    assert client.refused(client.suiteql("SELECT id FROM term"))[:2] == (status, code)
    assert client.rows("SELECT id FROM term"), "it struck once"


def test_faults_that_are_no_errors_of_the_service(netsuite_emulator: Handle, client: Client) -> None:
    for fault in ("gateway_xml", "gateway_fault", "service_unavailable", "fault_with_200"):
        netsuite_emulator.faults.add(fault, on="query term")
        answer = client.suiteql("SELECT id FROM term")
        assert answer.status_code == {"service_unavailable": 503, "fault_with_200": 200}.get(fault, 500)
        assert "items" not in answer.text
    netsuite_emulator.faults.add("unknown_enum", on="query transaction*")
    assert {row["type"] for row in client.rows("SELECT type FROM transaction WHERE type = 'CustInvc'")} == {
        "CustWarp"
    }


def test_a_write_whose_answer_is_lost_was_done(netsuite_emulator: Handle, client: Client) -> None:
    netsuite_emulator.faults.add("timeout_after_commit", on="upsert phoneCall", seconds=0.05)
    with pytest.raises(requests.ConnectionError):
        client.write("PUT", "phoneCall/eid:a", {"title": "x"})
    assert client.rows("SELECT externalid FROM phonecall") == [{"externalid": "a"}]


def test_dead_tokens_and_a_lost_mapping(netsuite_emulator: Handle, client: Client) -> None:
    netsuite_emulator.faults.add("token_killed", on="query *")
    assert client.suiteql("SELECT id FROM term").status_code == 401
    assert client.suiteql("SELECT id FROM term").status_code == 401, "dead for good"
    token = _ask(netsuite_emulator, _assertion(netsuite_emulator)).json()["access_token"]
    client.session.headers["Authorization"] = f"Bearer {token}"
    assert client.suiteql("SELECT id FROM term").status_code == 200
    netsuite_emulator.faults.add("grant_revoked", on="query *")
    assert client.suiteql("SELECT id FROM term").status_code == 401
    assert _ask(netsuite_emulator, _assertion(netsuite_emulator)).json()["error"] == "invalid_grant"


def test_the_servers_time_needs_no_permission(netsuite_emulator: Handle) -> None:
    url = f"{netsuite_emulator.base_url}/services/rest/system/v1/serverTime"
    answer = requests.get(url, timeout=10)
    assert answer.json() == {"serverTime": "2026-11-20T17:00:00.000Z"}
    netsuite_emulator.faults.add("clock_skew", on="serverTime")
    assert requests.get(url, timeout=10).json() == {"serverTime": "2026-11-20T18:00:00.000Z"}


def test_nonsense_gets_an_answer_and_spoils_nothing(netsuite_emulator: Handle, client: Client) -> None:
    before = netsuite_emulator.truth()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        for path in (
            "", "record/v1", "record/v1/", "record/v1/invoice/", "record/v1/invoice/1/2/3", "record/v1/invoice/'; DROP", "nothing",
            "record/v1/phoneCall/eid:", "record/v1/invoice/999999999999999999999", "record/v1/customer/-5", "async/v1/job/x",
            "query/v1/dataset/1/result", "system/v1/governanceLimits", "record/v1/invoice/%00", "record/v1/subsidiary/1/item",
        ):  # fmt: skip
            answer = client.send(method, path, {"x": [1, {"y": None}]})
            assert 200 <= answer.status_code < 500, (method, path, answer.text)
            assert "X-N-OperationId" in answer.headers
    for body in (
        b"",
        b"[]",
        b"{",
        b"null",
        b'{"memo": NaN}',
        b"\xff\xfe",
        b'{"memo": "' + b"x" * 10_000 + b'"}',
    ):
        for path in ("record/v1/invoice/1", "record/v1/customer/1"):
            answer = client.session.patch(f"{client.root}/{path}", data=body, timeout=10)
            assert answer.status_code in {204, 400, 404}
    assert netsuite_emulator.truth() == before


def test_the_handle_tells_a_client_all_it_needs(netsuite_emulator: Handle, client: Client) -> None:
    told = netsuite_emulator.as_json()
    assert told["erp"] == "netsuite"
    assert told["account"] == told["tenant"] == "7654321_SB1"
    assert {
        "consumer_key",
        "consumer_secret",
        "token_id",
        "token_secret",
        "certificate_id",
        "private_key",
    } <= set(told)
    assert client.suiteql("SELECT id FROM term").headers["X-Emulator-Evidence"] == "recorded"
    json.dumps(told)
    with pytest.raises(ValueError, match="no webhooks"):
        netsuite_emulator.service.notify("http://127.0.0.1:1/")


def test_the_emulator_is_served_by_name(tmp_path: Path) -> None:
    del tmp_path
    from ar_connectors.testkit.server import STARTERS

    with STARTERS["netsuite"](
        port=0, invoices=5, seed=1, clock=ScriptedClock(DEFAULT_NOW), limits=True
    ) as running:
        assert running.as_json()["erp"] == "netsuite"
