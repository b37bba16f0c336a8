"""Who may come in? Intuit's OAuth 2.0 as documented: codes, access tokens of an hour, refresh tokens that change once a day."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call, Reply
from ar_connectors.testkit.quickbooks.texts import encode

__all__ = ["Authority"]

ACCESS_LIFE: Final = timedelta(seconds=3600)
REFRESH_LIFE: Final = timedelta(days=100)
HARD_LIFE: Final = timedelta(days=5 * 365)
ROTATION: Final = timedelta(hours=24)
GRACE: Final = timedelta(hours=24)
CODE_LIFE: Final = timedelta(minutes=10)
MOMENTS: Final = timedelta(seconds=60)
"""Within these a second refresh with one token means that two workers did not agree."""


@dataclass(slots=True)
class _Refresh:
    made: datetime
    ends: datetime


class Authority:
    """The token endpoint of one company and one app. Its user holds its lock."""

    def __init__(self, clock: ScriptedClock, realm: str, company: str, seed: str) -> None:
        self.clock = clock
        self.realm = realm
        self.company = company
        self.client_id = "ABemulatorclientid"
        self.client_secret = "emulator-client-secret"
        self.rotation = ROTATION
        """After how long a refresh gives a new refresh token; zero: every time."""
        self.grace = GRACE
        """How long the one before still works."""
        self.punishes_reuse = False
        """Whether a refresh token that comes again after it was replaced ends the whole connection, its grace
        notwithstanding. Intuit's FAQ warns of it; others report that the grace is kept."""
        self.calls: Counter[str] = Counter()
        self._seed = seed
        self._issued = 0
        self._access: dict[str, datetime] = {}
        self._refresh: dict[str, _Refresh] = {}
        self._used: dict[str, datetime] = {}
        self._codes: dict[str, tuple[datetime, str]] = {}
        self._granted = clock.now()
        self._current = ""

    def grant(self) -> tuple[str, str]:
        """Tokens as if the user had just consented: access and refresh token."""
        now = self.clock.now()
        self._granted = now
        self._refresh.clear()
        self._current = self._new_refresh(now)
        return self._new_access(now), self._current

    def accepts(self, authorization: str) -> bool:
        """Whether an Authorization header holds a living access token."""
        scheme, _, token = authorization.partition(" ")
        ends = self._access.get(token.strip())
        return scheme.lower() == "bearer" and ends is not None and self.clock.now() < ends

    def kill_access(self) -> None:
        """All access tokens die; refresh tokens live."""
        self._access.clear()

    def revoke_all(self) -> None:
        """The connection is gone."""
        self._access.clear()
        self._refresh.clear()

    # ---- endpoints

    def token(self, call: Call) -> Reply:
        """POST /oauth2/v1/tokens/bearer."""
        form = {
            name: values[-1] for name, values in parse_qs(call.body.decode("utf-8", errors="replace")).items()
        }
        grant = form.get("grant_type", "")
        operation = "token refresh" if grant == "refresh_token" else "token code"
        self.calls[operation] += 1
        if not self._is_app(call, form):
            return _refused(operation, 401, "invalid_client")
        hard = call.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true"
        if grant == "refresh_token":
            return self._refreshed(form.get("refresh_token", ""), operation, hard=hard)
        if grant == "authorization_code":
            return self._exchanged(form, operation, hard=hard)
        return _refused(operation, 400, "unsupported_grant_type")

    def _exchanged(self, form: dict[str, str], operation: str, *, hard: bool) -> Reply:
        ends, redirect = self._codes.pop(form.get("code", ""), (None, ""))
        if ends is None or self.clock.now() >= ends or redirect != form.get("redirect_uri", ""):
            return _refused(operation, 400, "invalid_grant", "Invalid authorization code")
        access, refresh = self.grant()
        return self._tokens(operation, access, refresh, hard=hard)

    def _refreshed(self, token: str, operation: str, *, hard: bool) -> Reply:
        now = self.clock.now()
        before, self._used[token] = self._used.get(token), now
        reply = self._renewed(token, now, operation, hard=hard)
        reply.again = before is not None and now - before < MOMENTS
        return reply

    def _renewed(self, token: str, now: datetime, operation: str, *, hard: bool) -> Reply:
        known = self._refresh.get(token)
        if known is not None and token != self._current and self.punishes_reuse:
            self.revoke_all()
            known = None
        if known is None or now >= known.ends or now >= self._granted + HARD_LIFE:
            return _refused(operation, 400, "invalid_grant", "Incorrect or invalid refresh token")
        current = self._refresh[self._current]
        if token == self._current and now - current.made >= self.rotation:
            current.ends = min(current.ends, now + self.grace)
            self._current = self._new_refresh(now)
        else:
            current.ends = now + REFRESH_LIFE
        return self._tokens(operation, self._new_access(now), self._current, hard=hard)

    def _tokens(self, operation: str, access: str, refresh: str, *, hard: bool) -> Reply:
        now = self.clock.now()
        body: dict[str, object] = {
            "x_refresh_token_expires_in": int((self._refresh[refresh].ends - now).total_seconds()),
            "refresh_token": refresh,
            "access_token": access,
            "token_type": "bearer",
            "expires_in": int(ACCESS_LIFE.total_seconds()),
        }
        if hard:
            body["x_refresh_token_hard_expires_in"] = int((self._granted + HARD_LIFE - now).total_seconds())
        return Reply(200, encode(body), operation, headers={"Cache-Control": "no-store"})

    def revoke(self, call: Call) -> Reply:
        """POST /v2/oauth2/tokens/revoke: with either token the whole connection ends."""
        self.calls["token revoke"] += 1
        form: dict[str, str] = {}
        try:
            document = msgspec.json.decode(call.body)
            form = document if isinstance(document, dict) else {}
        except msgspec.DecodeError:
            form = {name: values[-1] for name, values in parse_qs(call.body.decode("latin-1")).items()}
        if not self._is_app(call, form):
            return _refused("token revoke", 401, "invalid_client")
        token = form.get("token", "")
        if token not in self._refresh and token not in self._access:
            return _refused("token revoke", 400, "invalid_request")
        self.revoke_all()
        return Reply(200, b"", "token revoke")

    def consent(self, call: Call) -> Reply:
        """The page on which the user chooses a company (GET), and the way back to the app (POST)."""
        asked = (
            call.params
            if call.method == "GET"
            else {n: v[-1] for n, v in parse_qs(call.body.decode()).items()}
        )
        redirect = asked.get("redirect_uri", "")
        if asked.get("client_id") != self.client_id or urlsplit(redirect).scheme not in {"http", "https"}:
            page = "<h1>Sorry, but something went wrong</h1><p>The redirect_uri or client_id query parameter value is invalid.</p>"
            return Reply(400, page.encode(), "consent", "text/html; charset=utf-8")
        if call.method == "GET":
            return Reply(200, self._page(asked).encode(), "consent", "text/html; charset=utf-8")
        back = {"state": asked["state"]} if "state" in asked else {}
        if asked.get("decision") == "connect":
            code = self._secret("code")
            self._codes[code] = (self.clock.now() + CODE_LIFE, redirect)
            back = {"code": code, **back, "realmId": self.realm}
        else:
            back = {"error": "access_denied", **back}
        joint = "&" if urlsplit(redirect).query else "?"
        return Reply(302, b"", "consent", headers={"Location": f"{redirect}{joint}{urlencode(back)}"})

    def _page(self, asked: dict[str, str]) -> str:
        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(asked[name])}">'
            for name in ("client_id", "redirect_uri", "state", "scope", "response_type")
            if name in asked
        )
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Connect to QuickBooks (emulator)</title></head>'
            f"<body><h1>Connect {escape(self.company)} to your app?</h1>"
            "<p>This is an emulator on this machine. No Intuit account is involved.</p>"
            f'<form method="post">{fields}'
            f'<label>Company <select name="company"><option>{escape(self.company)}</option></select></label> '
            '<button id="connect" name="decision" value="connect">Connect</button> '
            '<button id="deny" name="decision" value="deny">No, thanks</button></form></body></html>'
        )

    def _is_app(self, call: Call, form: dict[str, str]) -> bool:
        scheme, _, value = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(value, validate=True).decode()
            except ValueError:
                return False
            return given == f"{self.client_id}:{self.client_secret}"
        return form.get("client_id") == self.client_id and form.get("client_secret") == self.client_secret

    def _new_access(self, now: datetime) -> str:
        token = "eyJlbmMi" + self._secret("access")
        self._access[token] = now + ACCESS_LIFE
        return token

    def _new_refresh(self, now: datetime) -> str:
        token = "AB1" + self._secret("refresh")[:47]
        self._refresh[token] = _Refresh(now, now + REFRESH_LIFE)
        return token

    def _secret(self, what: str) -> str:
        """Reproducible from the seed, and never the same twice."""
        self._issued += 1
        return hashlib.sha256(f"{self._seed}/{what}/{self._issued}".encode()).hexdigest()


def _refused(operation: str, status: int, error: str, description: str = "") -> Reply:
    body = {"error": error} if not description else {"error_description": description, "error": error}
    return Reply(status, encode(body), operation)
