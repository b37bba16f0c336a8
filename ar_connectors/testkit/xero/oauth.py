"""Who may come in? Xero's identity server: PKCE, tokens of half an hour, refresh tokens that change every time, granular scopes;
and the connections an app has."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from ar_connectors.testkit.authority import Authority as Common
from ar_connectors.testkit.authority import Lives, form_of, refused
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call, Reply
from ar_connectors.testkit.xero.ids import guid

__all__ = ["SCOPES", "Authority", "Kind"]

Kind = Literal["web", "pkce", "custom"]
"""An app with a secret, one without, or a custom connection."""

LIVES: Final = Lives(
    access=timedelta(minutes=30),
    refresh=timedelta(days=60),
    rotation=timedelta(0),
    grace=timedelta(minutes=30),
    code=timedelta(minutes=5),
)
SCOPES: Final = (
    "openid profile email offline_access accounting.invoices accounting.invoices.read accounting.payments "
    "accounting.payments.read accounting.contacts accounting.contacts.read accounting.settings accounting.settings.read "
    "accounting.reports.aged.read accounting.reports.read accounting.transactions accounting.transactions.read"
)
_ALL: Final = frozenset(SCOPES.split())
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Invoices": ("accounting.invoices", "accounting.transactions"),
    "CreditNotes": ("accounting.invoices", "accounting.transactions"),
    "Payments": ("accounting.payments", "accounting.transactions"),
    "BatchPayments": ("accounting.payments", "accounting.transactions"),
    "Prepayments": ("accounting.payments", "accounting.transactions"),
    "Overpayments": ("accounting.payments", "accounting.transactions"),
    "Contacts": ("accounting.contacts",),
    "ContactGroups": ("accounting.contacts",),
    "Organisation": ("accounting.settings",),
    "Currencies": ("accounting.settings",),
    "Accounts": ("accounting.settings",),
    "InvoiceReminders": ("accounting.settings",),
    "Reports": ("accounting.reports.aged", "accounting.reports"),
}
"""The scopes of which one is needed for an endpoint; for reading it may end in `.read`."""


class Authority(Common):
    """The identity server for one company and one app. Its user holds its lock.

    Args:
        kind: what sort of app it is.
    """

    service = "Xero"
    wrong_client = 400

    def __init__(
        self, clock: ScriptedClock, tenant: str, company: str, seed: str, kind: Kind = "web"
    ) -> None:
        super().__init__(clock, company, seed, LIVES, "E0000000000000000000000000EMULATOR", SCOPES)
        self.tenant = tenant
        self.kind = kind
        self.missing_scope: Literal[401, 403] = 401
        """How a call that the token has no scope for is refused: readers of Xero's pages disagree."""
        self.connected = True
        """Whether the app may still see the company."""

    def grant(self, scope: str | None = None) -> tuple[str, str]:
        """Tokens as if the user had just consented."""
        self.connected = True
        return super().grant(scope)

    def token(self, call: Call) -> Reply:
        """POST /connect/token: the common grants, and client_credentials for a custom connection."""
        form = form_of(call.body)
        if "x-www-form-urlencoded" not in call.headers.get(
            "content-type", "application/x-www-form-urlencoded"
        ):
            return refused("token code", 400, "unsupported_grant_type")
        if form.get("grant_type") != "client_credentials":
            if self.kind == "custom":
                return refused("token code", 400, "unauthorized_client")
            return super().token(call)
        self.calls["token credentials"] += 1
        if not self.app_of(call, form):
            return refused("token credentials", 400, "invalid_client")
        if self.kind != "custom":
            return refused("token credentials", 400, "unauthorized_client")
        scope = form.get("scope", "")
        if not scope or not self.allows_scope(scope):
            return refused("token credentials", 400, "invalid_scope")
        self.connected = True
        access = self._new_access(self.clock.now(), scope)
        return self.tokens(call, "token credentials", access, None)

    def connections(self, call: Call, parts: list[str]) -> Reply:
        """GET /connections, DELETE /connections/{id}."""
        identity = guid("connection", 1)
        if call.method == "DELETE" and parts:
            if parts[0] != identity or not self.connected:
                return Reply(404, b"", "connections")
            self.connected = False
            return Reply(204, b"", "connections delete")
        event = call.params.get("authEventId")
        if not self.connected or (event is not None and event != self.event):
            return Reply(200, b"[]", "connections")
        at = f"{self.granted:%Y-%m-%dT%H:%M:%S}.0000000"
        row = {
            "id": identity,
            "authEventId": self.event,
            "tenantId": self.tenant,
            "tenantType": "ORGANISATION",
            "tenantName": self.company,
            "createdDateUtc": at,
            "updatedDateUtc": at,
        }
        return Reply(200, msgspec.json.encode([row]), "connections")

    @property
    def event(self) -> str:
        """Id of the consent."""
        return guid("user", int(self.granted.timestamp()) % (1 << 36), 1)

    def may(self, authorization: str, endpoint: str, *, write: bool) -> bool:
        """Whether the bearer's scopes allow a call."""
        have = self.scopes(authorization)
        needs = _NEEDS.get(endpoint, ())
        return not needs or any(one in have or (not write and f"{one}.read" in have) for one in needs)

    # ---- what Xero does in its own way

    def app_of(self, call: Call, form: dict[str, Any]) -> bool:
        """An app of the PKCE kind has no secret."""
        if self.kind == "pkce":
            return form.get("client_id") == self.client_id
        return super().app_of(call, form)

    def consent(self, call: Call) -> Reply:
        """The common page; an app without a secret has to bring a challenge, or anybody could trade its codes."""
        asked = call.params if call.method == "GET" else form_of(call.body)
        if self.kind == "pkce" and asked.get("code_challenge_method") != "S256":
            return Reply(400, b"<h1>Sorry, something went wrong</h1><p>invalid_request: code challenge required</p>", "consent",
                         "text/html; charset=utf-8")  # fmt: skip
        return super().consent(call)

    def allows_redirect(self, redirect: str) -> bool:
        """Encrypted, or this machine by its name; not by its number."""
        address = urlsplit(redirect)
        return address.scheme == "https" or (address.scheme == "http" and address.hostname == "localhost")

    def allows_scope(self, scope: str) -> bool:
        """One scope the app has not been given fails the whole consent."""
        return frozenset(scope.split()) <= (_ALL & frozenset(self.scope.split()))

    def token_fields(self, call: Call, refresh: str | None) -> dict[str, Any]:
        """The scopes, as granted."""
        del call, refresh
        latest = next(reversed(self._access.values()))
        return {"scope": latest.scope}

    def access_text(self, scope: str) -> str:
        """A JWT that clients can look into; nobody checks its signature here."""
        now = self.clock.now()
        claims = {
            "nbf": int(now.timestamp()),
            "exp": int((now + LIVES.access).timestamp()),
            "iss": "https://identity.xero.com",
            "aud": "https://identity.xero.com/resources",
            "client_id": self.client_id,
            "sub": guid("user", 1).replace("-", ""),
            "xero_userid": guid("user", 1),
            "authentication_event_id": self.event,
            "jti": self.secret("access")[:32].upper(),
            "scope": scope.split(),
        }
        head = _part({"alg": "HS256", "kid": "EMULATOR", "typ": "JWT"})
        signed = f"{head}.{_part(claims)}"
        mac = hmac.new(self.client_secret.encode(), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def refresh_text(self) -> str:
        """43 characters, as Xero's are."""
        return self.secret("refresh")[:43]


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()
