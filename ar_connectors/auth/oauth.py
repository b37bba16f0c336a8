"""How does one platform do OAuth 2? A provider as data, and the four things its endpoints can be asked (RFC 6749, 7009, 7636)."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import quote, urlencode

from ar_connectors.auth.refusals import json_object, token_refusal
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.clock import Clock
from ar_connectors.errors import (
    ARError,
    ConfigurationError,
    ContractError,
    ReauthorizationRequired,
    UnsupportedOperation,
)
from ar_connectors.events import Event
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.http.messages import Replay, Request, Response
from ar_connectors.http.redact import Redactor
from ar_connectors.http.retry import RetryPolicy
from ar_connectors.http.transport import Transport

__all__ = ["OAuthProvider", "TokenClient", "TokenDialect", "TokenEndpoint", "challenge"]

_ONE_TRY: Final = RetryPolicy(attempts=1, total=10, retry_after_cap=5, throttle_total=10)
"""Whoever holds the lease repeats a refresh, because it has to renew the lease in between."""
_QUICK: Final = TransportSettings(
    connect_timeout=5, read_timeout=20, body_timeout=20, max_body=1_000_000, connections=2
)


@dataclass(frozen=True, slots=True)
class OAuthProvider:
    """What is particular about one platform's OAuth; everything else is the same everywhere."""

    platform: str
    endpoints: Endpoints
    scopes: tuple[str, ...]
    tenant_parameter: str | None = None
    """The parameter of the redirect that names the company; None where it must be asked for afterwards."""
    refresh_life: str | None = None
    """The name under which the answer gives the refresh token's life in seconds."""
    usual_refresh_life: timedelta | None = None
    """Where it does not give one."""
    hard_life: str | None = None
    """The name under which the answer gives the life that no refresh prolongs."""
    token_headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every token request."""
    authorize_parameters: Mapping[str, str] = field(default_factory=dict)
    pkce: bool = False
    """The platform understands S256 challenges (RFC 7636)."""
    revoke_as_json: bool = False
    """The token to revoke goes in a JSON body instead of a form (RFC 7009)."""
    rotation_grace: timedelta = timedelta(0)
    """How long a refresh token may be used again after its successor was issued, for those who lost the answer."""


def challenge(verifier: str) -> str:
    """The S256 challenge of a code verifier (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


class TokenDialect:
    """What a token endpoint's refusals mean."""

    def error(self, _: Request, response: Response) -> ARError | None:
        """The failure an answer stands for, or None for success."""
        if 200 <= response.status < 300:
            return None
        return token_refusal(response.body, response.status)


class TokenClient:
    """Sends forms to one platform's token endpoint and reads tokens off its answers; how the app proves itself is its
    subclasses' business. Thread-safe; closed with `close()`.

    Args:
        provider: the platform.
        client_id: the app.
        clock: tells when lifetimes begin.
        jitter: random numbers in [0, 1).
        tenant: the company, for errors and events, where it is known.
        settings: timeouts, proxies, certificates.
        observer: hears every call.
        redactor: learns the secrets; shared with the connection's transport.
    """

    def __init__(
        self,
        provider: OAuthProvider,
        client_id: str,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        tenant: str = "",
        settings: TransportSettings | None = None,
        observer: Callable[[Event], None] | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.provider, self.client_id = provider, client_id
        self.redactor = redactor if redactor is not None else Redactor()
        self._clock = clock
        self._transport = Transport(
            provider.platform,
            tenant,
            provider.endpoints,
            TokenDialect(),
            clock=clock,
            jitter=jitter,
            policy=_ONE_TRY,
            settings=settings or _QUICK,
            observer=observer,
            redactor=self.redactor,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.provider.platform!r}, {self.client_id!r})"

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def _ask(
        self,
        form: Sequence[tuple[str, str]],
        operation: str,
        previous: TokenSet | None,
        replay: Replay,
        headers: Mapping[str, str] | None = None,
    ) -> TokenSet:
        address = self._address("token", self.provider.endpoints.token)
        kind = "application/x-www-form-urlencoded"
        # Before it is sent: the token's life began no earlier than this.
        asked_at = self._clock.now()
        response = self._transport.send(
            self._request(address, urlencode(form).encode(), kind, operation, replay, headers or {})
        )
        try:
            tokens = TokenSet.from_answer(
                json_object(response.body),
                asked_at,
                previous=previous,
                refresh_life=self.provider.refresh_life,
                hard_life=self.provider.hard_life,
                usual_refresh_life=self.provider.usual_refresh_life,
            )
        except ContractError as error:
            # No excerpt: what cannot be understood may still be a token.
            error.platform, error.operation, error.http_status = (
                self.provider.platform,
                operation,
                response.status,
            )
            raise
        self.redactor.add(*tokens.secrets())
        return tokens

    def _request(
        self,
        address: str,
        body: bytes,
        kind: str,
        operation: str,
        replay: Replay,
        headers: Mapping[str, str],
    ) -> Request:
        told = {
            "Accept": "application/json",
            "Content-Type": kind,
            **headers,
            **self.provider.token_headers,
        }
        return Request(
            "POST", address, operation, headers=told, body=body, replay=replay, request_class="token"
        )

    def _address(self, name: str, address: str | None) -> str:
        if address is None:
            raise ConfigurationError(
                f"{self.provider.platform} has no {name} address", advice=f"give it in Endpoints({name}=...)"
            )
        return address


class TokenEndpoint(TokenClient):
    """One app's dealings with one platform's token endpoint, by authorization codes and refresh tokens.

    `credentials`: the app's keys; sent as HTTP Basic (RFC 6749, section 2.3.1), of an app without a secret its id in the form
    (section 3.2.1). The rest as of `TokenClient`. Raises ConfigurationError where the platform needs a secret.
    """

    def __init__(
        self,
        provider: OAuthProvider,
        credentials: ClientCredentials,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        tenant: str = "",
        settings: TransportSettings | None = None,
        observer: Callable[[Event], None] | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        super().__init__(
            provider,
            credentials.client_id,
            clock=clock,
            jitter=jitter,
            tenant=tenant,
            settings=settings,
            observer=observer,
            redactor=redactor,
        )
        self.credentials = credentials
        if credentials.client_secret is None and not provider.pkce:
            raise ConfigurationError(
                f"{provider.platform} needs a client secret",
                advice="copy it from the app's page at the platform",
            )
        self.redactor.add(credentials.client_secret)

    def authorize_url(self, redirect_uri: str, state: str, code_challenge: str | None = None) -> str:
        """The address of the consent page. Raises ConfigurationError where the platform has none."""
        provider = self.provider
        page = self._address("authorize", provider.endpoints.authorize)
        parameters = {
            "response_type": "code",
            "client_id": self.credentials.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.credentials.scopes or provider.scopes),
            "state": state,
            **provider.authorize_parameters,
        }
        if code_challenge is not None:
            parameters |= {"code_challenge": code_challenge, "code_challenge_method": "S256"}
        return f"{page}{'&' if '?' in page else '?'}{urlencode(parameters, quote_via=quote)}"

    def exchange(self, code: str, redirect_uri: str, verifier: str | None = None) -> TokenSet:
        """The tokens for an authorization code. A code works once, so this is never repeated after it was sent.

        Raises ReauthorizationRequired for a code that is used, expired or of another app; ConfigurationError for wrong keys;
        WriteOutcomeUnknown when no answer came (connect again).
        """
        self.redactor.add(code, verifier)
        form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)]
        if verifier is not None:
            form.append(("code_verifier", verifier))
        form += self._public()
        return self._ask(form, "exchange authorization code", None, Replay.UNSAFE, self._keys())

    def refresh(self, tokens: TokenSet) -> TokenSet:
        """New tokens for a refresh token. Sent once; the caller holds the lease and decides about a repeat.

        Raises ReauthorizationRequired (invalid_grant), ConfigurationError (wrong keys), TransientError (no answer came, or a
        fault of the server), QuotaExhausted.
        """
        if not tokens.refresh_token:
            raise ReauthorizationRequired("there is no refresh token", platform=self.provider.platform)
        self.redactor.add(*tokens.secrets())
        form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token), *self._public()]
        return self._ask(form, "refresh tokens", tokens, Replay.SAFE, self._keys())

    def client_credentials(self, scopes: Sequence[str]) -> TokenSet:
        """Tokens for the app itself, where the platform lets it have them (RFC 6749, section 4.4); no refresh token comes along.

        Raises ConfigurationError (wrong keys, scopes that the app has not), TransientError, QuotaExhausted.
        """
        if self.credentials.client_secret is None:
            raise ConfigurationError(
                "an app without a secret cannot ask for tokens of its own",
                platform=self.provider.platform,
                advice="connect by consent, or give the client secret",
            )
        form = [("grant_type", "client_credentials"), ("scope", " ".join(scopes))]
        return self._ask(form, "ask for tokens", None, Replay.SAFE, self._keys())

    def revoke(self, tokens: TokenSet) -> None:
        """End the connection at the platform. Harmless when it has ended already.

        Raises UnsupportedOperation where the platform has no such endpoint, and what a call raises.
        """
        address = self.provider.endpoints.revoke
        if address is None:
            raise UnsupportedOperation(
                "this platform has no revocation endpoint", platform=self.provider.platform
            )
        token = tokens.refresh_token or tokens.access_token
        self.redactor.add(*tokens.secrets())
        if self.provider.revoke_as_json:
            body, kind = json.dumps({"token": token}).encode(), "application/json"
        else:
            form = [("token", token), *self._public()]
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        try:
            self._transport.send(
                self._request(address, body, kind, "revoke tokens", Replay.SAFE, self._keys())
            )
        except ReauthorizationRequired:
            return

    def _public(self) -> list[tuple[str, str]]:
        """How an app without a secret names itself."""
        return (
            [] if self.credentials.client_secret is not None else [("client_id", self.credentials.client_id)]
        )

    def _keys(self) -> Mapping[str, str]:
        """How an app with a secret proves itself."""
        secret = self.credentials.client_secret
        if secret is None:
            return {}
        keys = f"{quote(self.credentials.client_id, safe='')}:{quote(secret, safe='')}"
        basic = b64encode(keys.encode()).decode()
        self.redactor.add(basic)
        return {"Authorization": f"Basic {basic}"}
