"""Getting into NetSuite: assertions, one token for everybody, signatures that work once, accounts in any spelling."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_pem_x509_certificate

from ar_connectors.auth import MemoryStore
from ar_connectors.auth.assertion import ASSERTION_TYPE
from ar_connectors.clock import Clock, SystemClock
from ar_connectors.errors import AuthError, ConfigurationError, ReauthorizationRequired
from ar_connectors.http import Endpoints, Request, Transport
from ar_connectors.netsuite.account import Account, AccountKind, account, endpoints_of
from ar_connectors.netsuite.auth import (
    CertificateCredentials,
    NetSuiteAccess,
    NetSuiteCredentials,
    credentials_document,
    credentials_from,
    open_access,
)
from ar_connectors.netsuite.faults import NetSuiteDialect
from ar_connectors.netsuite.keys import KeyPair, new_key_pair, upload_advice
from ar_connectors.netsuite.tba import TbaCredentials, authorization, signature
from tests.http.little_server import FakeClock, Heard, LittleServer, Reply, answer

REALM = "1234567_SB1"
PAIR: KeyPair = new_key_pair("tests", datetime(2026, 11, 20, tzinfo=UTC))
ORACLE = TbaCredentials(
    "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4",
    "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5",
    "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc",
    "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295",
)


@dataclass
class LittleAccount:
    """An account on this machine that checks assertions and tokens for real."""

    certificate: str = PAIR.certificate
    heard: list[Heard] = field(default_factory=list)
    assertions: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    refuse: list[Reply] = field(default_factory=list)
    expires_in: object = "3600"
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, connection: Any, heard: Heard) -> None:
        with self.lock:
            self.heard.append(heard)
            chosen = self.token(heard) if heard.target.endswith("/token") else self.call(heard)
        chosen(connection, heard)

    def token(self, heard: Heard) -> Reply:
        form = {name: values[0] for name, values in parse_qs(heard.body.decode()).items()}
        assert form["client_assertion_type"] == ASSERTION_TYPE
        assert "authorization" not in heard.headers
        url = f"http://{heard.headers['host']}{urlsplit(heard.target).path}"
        key = load_pem_x509_certificate(self.certificate.encode()).public_key()
        try:
            # The clock of the test stands in another year, so only the lifetimes are compared.
            claims = jwt.decode(
                form["client_assertion"],
                key,  # type: ignore[arg-type]
                algorithms=["PS256", "ES256", "ES384", "ES512"],
                audience=url,
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return answer(400, b'{"error":"invalid_grant"}')
        self.assertions.append({**claims, "kid": jwt.get_unverified_header(form["client_assertion"])["kid"]})
        self.tokens.append(f"access-{len(self.tokens)}")
        told = {"access_token": self.tokens[-1], "expires_in": self.expires_in, "token_type": "Bearer"}
        return answer(200, json.dumps(told).encode())

    def call(self, heard: Heard) -> Reply:
        if self.refuse:
            return self.refuse.pop(0)
        good = heard.headers.get("authorization", "") == f"Bearer {(self.tokens or ['?'])[-1]}"
        return answer(200) if good or heard.headers.get("authorization", "").startswith("OAuth ") else LOGIN


WORKERS = count()
LOGIN = answer(
    401,
    b'{"title":"Unauthorized","status":401,"o:errorDetails":[{"detail":"Invalid login attempt.","o:errorCode":"INVALID_LOGIN"}]}',
)


@pytest.fixture
def little() -> Iterator[tuple[LittleAccount, str]]:
    company = LittleAccount()
    with LittleServer([company.reply]) as server:
        yield company, server.url


def _keys(pair: KeyPair = PAIR) -> CertificateCredentials:
    return CertificateCredentials("client-id", "certificate-id", pair.private_key)


def _open(
    url: str, store: MemoryStore, clock: Clock, credentials: NetSuiteCredentials | None = None
) -> tuple[NetSuiteAccess, Transport, Request]:
    endpoints: Endpoints = endpoints_of(Account(REALM), url)
    numbers = count()
    access = open_access(
        REALM,
        credentials or _keys(),
        endpoints=endpoints,
        tokens=store,
        leases=store,
        clock=clock,
        jitter=lambda: 0.5,
        nonce=lambda: f"nonce{next(numbers)}",
        owner=f"worker {next(WORKERS)}",
    )
    transport = Transport(
        "netsuite", REALM, endpoints, NetSuiteDialect(REALM), access.signer, clock=clock, jitter=lambda: 0.5
    )
    return access, transport, Request("GET", f"{url}/services/rest/record/v1/invoice/7", "read invoice")


@pytest.mark.parametrize(
    ("text", "realm", "host", "kind"),
    [
        ("1234567", "1234567", "1234567", AccountKind.PRODUCTION),
        (" 1234567_SB1 ", "1234567_SB1", "1234567-sb1", AccountKind.SANDBOX),
        ("1234567-sb2", "1234567_SB2", "1234567-sb2", AccountKind.SANDBOX),
        ("1234567_RP", "1234567_RP", "1234567-rp", AccountKind.RELEASE_PREVIEW),
        ("tstdrv1234567", "TSTDRV1234567", "tstdrv1234567", AccountKind.TEST_DRIVE),
        ("https://1234567-sb1.suitetalk.api.netsuite.com/services", "1234567_SB1", "1234567-sb1", AccountKind.SANDBOX),
        ("1234567-rp.app.netsuite.com", "1234567_RP", "1234567-rp", AccountKind.RELEASE_PREVIEW),
    ],
)  # fmt: skip
def test_an_account_is_understood_in_every_spelling(
    text: str, realm: str, host: str, kind: AccountKind
) -> None:
    one = account(text)
    assert (one.realm, one.host_id, one.kind) == (realm, host, kind)
    assert endpoints_of(one).api == f"https://{host}.suitetalk.api.netsuite.com"
    assert endpoints_of(one).token == f"{one.api_url}/services/rest/auth/oauth2/v1/token"


@pytest.mark.parametrize(
    "text", ["", "  ", "my company", "12 34", "SANDBOX", "https://example.com", "1234567_SB1;"]
)
def test_what_is_no_account_is_refused_with_advice(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        account(text)
    assert "Company Information" in str(refused.value)


def test_the_published_example_of_oracle_is_signed_as_published() -> None:
    url = "https://123456.suitetalk.api.netsuite.com/services/rest/record/v1/employee/40"
    found = signature(ORACLE, "GET", url, [], nonce="fjaLirsIcCGVZWzBX0pg", timestamp=1508242306)
    assert found == "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY="


def test_parameters_are_signed_wherever_they_stand_and_the_realm_is_not() -> None:
    url = "https://123456.suitetalk.api.netsuite.com:443/services/rest/query/v1/suiteql"
    apart = signature(ORACLE, "post", url, [("limit", "5"), ("q", "a b&ü")], nonce="n", timestamp=1)
    within = signature(
        ORACLE, "POST", f"{url.replace(':443', '')}?q=a%20b%26%C3%BC&limit=5", [], nonce="n", timestamp=1
    )
    assert apart == within
    request = Request("POST", url, "query", params=[("limit", "5")], body=b'{"q":"SELECT 1"}')
    header = authorization(ORACLE, REALM, request, nonce="n", timestamp=1)
    assert header.startswith('OAuth realm="1234567_SB1", oauth_consumer_key="ef40')
    assert ORACLE.consumer_secret not in header
    assert ORACLE.consumer_secret not in repr(ORACLE)


def test_a_signature_is_made_for_every_try(little: tuple[LittleAccount, str]) -> None:
    company, url = little
    company.refuse = [LOGIN, answer(500, b""), answer(500, b"")]
    _, transport, request = _open(url, MemoryStore(FakeClock()), FakeClock(), ORACLE)
    assert transport.send(request).status == 200
    signed = [heard.headers["authorization"] for heard in company.heard]
    assert len(signed) == 4
    assert len(set(signed)) == 4


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_an_assertion_is_what_netsuite_asks_for(little: tuple[LittleAccount, str], kind: str) -> None:
    company, url = little
    pair = PAIR
    if kind == "rsa":
        # 2048 bits are enough, and made in a moment; the certificate is checked by its public key alone.
        key = rsa.generate_private_key(65537, 2048)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        clock = FakeClock()
        assertion = _open(url, MemoryStore(clock), clock, CertificateCredentials("c", "k", text))[0].endpoint
        assert assertion is not None
        signed = assertion.assertion()
        assert jwt.get_unverified_header(signed) == {"alg": "PS256", "typ": "JWT", "kid": "k"}
        jwt.decode(
            signed,
            key.public_key(),
            algorithms=["PS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
        return
    clock = FakeClock()
    _, transport, request = _open(url, MemoryStore(clock), clock, _keys(pair))
    assert transport.send(request).status == 200
    (claims,) = company.assertions
    assert claims["iss"] == "client-id"
    assert claims["kid"] == "certificate-id"
    assert claims["scope"] == "rest_webservices"
    assert claims["aud"] == f"{url}/services/rest/auth/oauth2/v1/token"
    assert 0 < claims["exp"] - claims["iat"] < 3600
    assert claims["iat"] == int(clock.now().timestamp())


def test_many_threads_and_two_workers_ask_for_one_token(little: tuple[LittleAccount, str]) -> None:
    company, url = little
    clock = SystemClock()
    store = MemoryStore(clock)
    workers = [_open(url, store, clock) for _ in range(2)]
    with ThreadPoolExecutor(16) as pool:
        sent = [pool.submit(workers[n % 2][1].send, workers[n % 2][2]) for n in range(64)]
        assert {one.result().status for one in sent} == {200}
    assert len(company.tokens) == 1


@pytest.mark.parametrize("expires_in", [3600, "3600"])
def test_a_token_is_replaced_before_it_expires(little: tuple[LittleAccount, str], expires_in: object) -> None:
    company, url = little
    company.expires_in = expires_in
    clock = FakeClock()
    _, transport, request = _open(url, MemoryStore(clock), clock)
    for minutes, tokens in ((0, 1), (50, 1), (56, 2)):
        clock.sleep(timedelta(minutes=minutes).total_seconds())
        transport.send(request)
        assert len(company.tokens) == tokens


def test_a_token_that_is_refused_is_replaced_once(little: tuple[LittleAccount, str]) -> None:
    company, url = little
    clock = FakeClock()
    _, transport, request = _open(url, MemoryStore(clock), clock)
    transport.send(request)
    company.tokens.append("issued to somebody else")
    assert transport.send(request).status == 200
    assert len(company.assertions) == 2


def test_a_certificate_that_netsuite_does_not_know_needs_a_person(little: tuple[LittleAccount, str]) -> None:
    company, url = little
    company.certificate = new_key_pair("another", datetime(2026, 11, 20, tzinfo=UTC)).certificate
    clock = FakeClock()
    _, transport, request = _open(url, MemoryStore(clock), clock)
    with pytest.raises(ReauthorizationRequired) as refused:
        transport.send(request)
    assert "BEGIN" not in str(refused.value)


def test_a_401_after_a_success_is_a_limit_and_one_before_is_a_wrong_login(
    little: tuple[LittleAccount, str],
) -> None:
    company, url = little
    clock = FakeClock()
    _, transport, request = _open(url, MemoryStore(clock), clock, ORACLE)
    company.refuse = [LOGIN, LOGIN]
    with pytest.raises(AuthError):
        transport.send(request)
    transport.send(request)
    company.refuse = [LOGIN, LOGIN, LOGIN]
    assert transport.send(request).status == 200
    company.refuse = [LOGIN] * 50
    with pytest.raises(AuthError):
        transport.send(request)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"client_id": " "}, "client_id"),
        ({"certificate_id": ""}, "certificate_id"),
        ({"private_key": "no key"}, "private key"),
        ({"private_key": PAIR.certificate}, "private key"),
    ],
)
def test_unusable_credentials_are_refused_at_once(broken: dict[str, str], said: str) -> None:
    good = {"client_id": "a", "certificate_id": "b", "private_key": PAIR.private_key}
    with pytest.raises(ConfigurationError) as refused:
        CertificateCredentials(**{**good, **broken})
    assert said in str(refused.value)
    assert PAIR.private_key[40:80] not in str(refused.value)


def test_credentials_survive_a_store() -> None:
    for credentials in (_keys(), ORACLE):
        assert credentials_from(json.loads(json.dumps(credentials_document(credentials)))) == credentials
        assert "secret" not in repr(credentials).replace("consumer_secret", "")
    with pytest.raises(ConfigurationError):
        credentials_from({"kind": "tba", "consumer_key": "x"})


def test_a_new_key_pair_fits_together_and_says_what_to_do_with_it() -> None:
    certificate = load_pem_x509_certificate(PAIR.certificate.encode())
    assert certificate.not_valid_after_utc == PAIR.expires_at
    assert PAIR.expires_at - datetime(2026, 11, 20, tzinfo=UTC) < timedelta(days=730)
    signed = _keys().key().sign({"iss": "x"})
    jwt.decode(signed, certificate.public_key(), algorithms=["ES256"])  # type: ignore[arg-type]
    steps = " ".join(upload_advice(account("1234567_SB1"), "certificate.pem"))
    assert "https://1234567-sb1.app.netsuite.com" in steps
    assert "certificate.pem" in steps
    assert "PRIVATE" not in repr(PAIR)
