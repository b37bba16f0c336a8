"""Who may come in? What the OAuth 2.0 servers of the ERPs have in common; each ERP's own lifetimes and words are a subclass.

Codes, access tokens that die, refresh tokens that rotate with a grace, PKCE, revocation, and a consent page.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call, Reply

__all__ = ["Authority", "Lives", "form_of", "refused"]

MOMENTS: Final = timedelta(seconds=60)
"""Within these a second refresh with one token means that two workers did not agree."""
_HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Lives:
    """How long things live at an ERP."""

    access: timedelta
    refresh: timedelta
    """Of a refresh token that nobody uses."""
    rotation: timedelta
    """After how long a refresh gives a new refresh token; zero: every time."""
    grace: timedelta
    """How long the one before still works."""
    code: timedelta
    hard: timedelta | None = None
    """From consent until no refresh token works any more; None: never."""


@dataclass(slots=True)
class _Refresh:
    made: datetime
    ends: datetime
    scope: str


@dataclass(frozen=True, slots=True)
class _Access:
    ends: datetime
    scope: str


@dataclass(frozen=True, slots=True)
class _Code:
    ends: datetime
    redirect: str
    scope: str
    challenge: str


class Authority:
    """The token endpoint of one company and one app. Its user holds its lock.

    Subclasses say what differs: `service`, `wrong_client`, `app_of`, `token_fields`, `back_fields`, `allows_redirect`,
    `allows_scope`, `new_access_text`, `new_refresh_text`.
    """

    service = "the ERP"
    """For the consent page."""
    wrong_client = 401
    """Status of `invalid_client`."""

    def __init__(
        self, clock: ScriptedClock, company: str, seed: str, lives: Lives, client_id: str, scope: str = ""
    ) -> None:
        self.clock = clock
        self.company = company
        self.lives = lives
        self.client_id = client_id
        self.client_secret = "emulator-client-secret"
        self.rotation = lives.rotation
        """May be changed by a test, as `grace`."""
        self.grace = lives.grace
        self.punishes_reuse = False
        """Whether a refresh token that comes again after it was replaced ends the whole connection, its grace
        notwithstanding."""
        self.calls: Counter[str] = Counter()
        self.scope = scope
        """What the app may ask for, and gets at the start; separated by spaces."""
        self._seed = seed
        self._issued = 0
        self._access: dict[str, _Access] = {}
        self._refresh: dict[str, _Refresh] = {}
        self._used: dict[str, datetime] = {}
        self._codes: dict[str, _Code] = {}
        self._granted = clock.now()
        self._current = ""

    def grant(self, scope: str | None = None) -> tuple[str, str]:
        """Tokens as if the user had just consented: access and refresh token."""
        now = self.clock.now()
        scope = self.scope if scope is None else scope
        self._granted = now
        self._refresh.clear()
        self._current = self._new_refresh(now, scope)
        return self._new_access(now, scope), self._current

    def accepts(self, authorization: str) -> bool:
        """Whether an Authorization header holds a living access token."""
        return self._living(authorization) is not None

    def scopes(self, authorization: str) -> frozenset[str]:
        """What the bearer of a living access token may do; nothing for any other."""
        living = self._living(authorization)
        return frozenset(living.scope.split()) if living is not None else frozenset()

    def ended(self, authorization: str) -> datetime | None:
        """When a token that was good died by its age; None for one that is alive, killed, or never was."""
        known = self._access.get(authorization.partition(" ")[2].strip())
        return known.ends if known is not None and self.clock.now() >= known.ends else None

    def _living(self, authorization: str) -> _Access | None:
        scheme, _, token = authorization.partition(" ")
        known = self._access.get(token.strip())
        alive = scheme.lower() == "bearer" and known is not None and self.clock.now() < known.ends
        return known if alive else None

    def kill_access(self) -> None:
        """All access tokens die; refresh tokens live."""
        self._access.clear()

    def revoke_all(self) -> None:
        """The connection is gone."""
        self._access.clear()
        self._refresh.clear()

    # ---- endpoints

    def token(self, call: Call) -> Reply:
        """The token endpoint."""
        form = form_of(call.body)
        grant = form.get("grant_type", "")
        operation = "token refresh" if grant == "refresh_token" else "token code"
        self.calls[operation] += 1
        if not self.app_of(call, form):
            return refused(operation, self.wrong_client, "invalid_client")
        if grant == "refresh_token":
            return self._refreshed(call, form.get("refresh_token", ""), operation)
        if grant == "authorization_code":
            return self._exchanged(call, form, operation)
        return refused(operation, 400, "unsupported_grant_type")

    def _exchanged(self, call: Call, form: dict[str, str], operation: str) -> Reply:
        code = self._codes.pop(form.get("code", ""), None)
        if (
            code is None
            or self.clock.now() >= code.ends
            or code.redirect != form.get("redirect_uri", "")
            or (code.challenge and code.challenge != _challenge(form.get("code_verifier", "")))
        ):
            return refused(operation, 400, "invalid_grant", "Invalid authorization code")
        access, refresh = self.grant(code.scope)
        return self.tokens(call, operation, access, refresh)

    def _refreshed(self, call: Call, token: str, operation: str) -> Reply:
        now = self.clock.now()
        before, self._used[token] = self._used.get(token), now
        reply = self._renewed(call, token, now, operation)
        reply.again = before is not None and now - before < MOMENTS
        return reply

    def _renewed(self, call: Call, token: str, now: datetime, operation: str) -> Reply:
        known = self._refresh.get(token)
        if known is not None and token != self._current and self.punishes_reuse:
            self.revoke_all()
            known = None
        spent = self.lives.hard is not None and now >= self._granted + self.lives.hard
        if known is None or now >= known.ends or spent:
            return refused(operation, 400, "invalid_grant", "Incorrect or invalid refresh token")
        current = self._refresh[self._current]
        if token == self._current and now - current.made >= self.rotation:
            current.ends = min(current.ends, now + self.grace)
            self._current = self._new_refresh(now, known.scope)
        else:
            current.ends = now + self.lives.refresh
        return self.tokens(call, operation, self._new_access(now, known.scope), self._current)

    def tokens(self, call: Call, operation: str, access: str, refresh: str | None) -> Reply:
        """The answer of the token endpoint."""
        body = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(self.lives.access.total_seconds()),
            **({} if refresh is None else {"refresh_token": refresh}),
            **self.token_fields(call, refresh),
        }
        return Reply(200, msgspec.json.encode(body), operation, headers={"Cache-Control": "no-store"})

    def revoke(self, call: Call) -> Reply:
        """The revocation endpoint: with either token the whole connection ends."""
        self.calls["token revoke"] += 1
        try:
            document = msgspec.json.decode(call.body)
            form = document if isinstance(document, dict) else {}
        except msgspec.DecodeError:
            form = form_of(call.body)
        if not self.app_of(call, form):
            return refused("token revoke", self.wrong_client, "invalid_client")
        token = form.get("token", "")
        if token not in self._refresh and token not in self._access:
            return refused("token revoke", 400, "invalid_request")
        self.revoke_all()
        return Reply(200, b"", "token revoke")

    def consent(self, call: Call) -> Reply:
        """The page on which the user chooses a company (GET), and the way back to the app (POST)."""
        asked = call.params if call.method == "GET" else form_of(call.body)
        redirect = asked.get("redirect_uri", "")
        if asked.get("client_id") != self.client_id or not self.allows_redirect(redirect):
            page = "<h1>Sorry, but something went wrong</h1><p>The redirect_uri or client_id query parameter value is invalid.</p>"
            return Reply(400, page.encode(), "consent", _HTML)
        scope = asked.get("scope", "")
        if not self.allows_scope(scope):
            return self._back(redirect, asked, {"error": "invalid_scope"})
        if call.method == "GET":
            return Reply(200, self._page(asked).encode(), "consent", _HTML)
        if asked.get("decision") != "connect":
            return self._back(redirect, asked, {"error": "access_denied"})
        code = self.secret("code")
        challenge = asked.get("code_challenge", "")
        self._codes[code] = _Code(self.clock.now() + self.lives.code, redirect, scope, challenge)
        return self._back(redirect, asked, {"code": code}, self.back_fields())

    @staticmethod
    def _back(
        redirect: str, asked: dict[str, str], first: dict[str, str], last: dict[str, str] | None = None
    ) -> Reply:
        """The browser is sent back to the app."""
        state = {"state": asked["state"]} if "state" in asked else {}
        joint = "&" if urlsplit(redirect).query else "?"
        query = urlencode({**first, **state, **(last or {})})
        return Reply(302, b"", "consent", headers={"Location": f"{redirect}{joint}{query}"})

    def _page(self, asked: dict[str, str]) -> str:
        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(asked[name])}">'
            for name in (
                "client_id", "redirect_uri", "state", "scope", "response_type", "code_challenge", "code_challenge_method"
            )
            if name in asked
        )  # fmt: skip
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Connect to {self.service} (emulator)</title>'
            f"</head><body><h1>Connect {escape(self.company)} to your app?</h1>"
            "<p>This is an emulator on this machine. No account of the vendor is involved.</p>"
            f'<form method="post">{fields}'
            f'<label>Company <select name="company"><option>{escape(self.company)}</option></select></label> '
            '<button id="connect" name="decision" value="connect">Connect</button> '
            '<button id="deny" name="decision" value="deny">No, thanks</button></form></body></html>'
        )

    # ---- what an ERP does in its own way

    def app_of(self, call: Call, form: dict[str, Any]) -> bool:
        """Whether the call is from the app: id and secret by Basic authentication or in the form."""
        scheme, _, value = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(value, validate=True).decode()
            except ValueError:
                return False
            return given == f"{self.client_id}:{self.client_secret}"
        return form.get("client_id") == self.client_id and form.get("client_secret") == self.client_secret

    def allows_redirect(self, redirect: str) -> bool:
        """Whether the user may be sent there."""
        return urlsplit(redirect).scheme in {"http", "https"}

    def allows_scope(self, scope: str) -> bool:
        """Whether the app may ask for it."""
        del scope
        return True

    def token_fields(self, call: Call, refresh: str | None) -> dict[str, Any]:
        """What else the token endpoint says; may replace what all say."""
        del call, refresh
        return {}

    def back_fields(self) -> dict[str, str]:
        """What else goes back to the app beside code and state."""
        return {}

    def access_text(self, scope: str) -> str:
        """A new access token."""
        del scope
        return self.secret("access")

    def refresh_text(self) -> str:
        """A new refresh token."""
        return self.secret("refresh")

    # ---- inside

    def refresh_ends(self, token: str) -> datetime:
        """Until when a refresh token is good if nobody uses it. Raises KeyError."""
        return self._refresh[token].ends

    @property
    def granted(self) -> datetime:
        """When the user consented."""
        return self._granted

    def _new_access(self, now: datetime, scope: str) -> str:
        token = self.access_text(scope)
        self._access[token] = _Access(now + self.lives.access, scope)
        return token

    def _new_refresh(self, now: datetime, scope: str) -> str:
        token = self.refresh_text()
        self._refresh[token] = _Refresh(now, now + self.lives.refresh, scope)
        return token

    def secret(self, what: str) -> str:
        """Reproducible from the seed, and never the same twice."""
        self._issued += 1
        return hashlib.sha256(f"{self._seed}/{what}/{self._issued}".encode()).hexdigest()


def form_of(body: bytes) -> dict[str, str]:
    """A form as sent; of a repeated field the last value counts."""
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", errors="replace")).items()}


def refused(operation: str, status: int, error: str, description: str = "") -> Reply:
    """A refusal of the token endpoint (RFC 6749, section 5.2)."""
    body = {"error": error} if not description else {"error_description": description, "error": error}
    return Reply(status, msgspec.json.encode(body), operation)


def _challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
