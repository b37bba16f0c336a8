"""How is a call signed with token-based authentication (TBA)? OAuth 1.0a with HMAC-SHA256 (RFC 5849), for accounts that still use it.

Legacy: no new TBA integration can be made from NetSuite 2027.1 on (quirks.md#ns-3), so twenty lines of the standard
library stand here instead of a dependency. They are proven on the example that Oracle publishes.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from ar_connectors.clock import Clock
from ar_connectors.errors import ConfigurationError
from ar_connectors.http.messages import Request, Response

__all__ = ["TbaCredentials", "TbaSigner", "authorization", "signature"]


@dataclass(frozen=True, slots=True)
class TbaCredentials:
    """Keys of an integration record and of an access token. Raises ConfigurationError when one is empty."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    token_id: str
    token_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("consumer_key", "consumer_secret", "token_id", "token_secret"):
            value = getattr(self, name)
            if not value or value != value.strip():
                raise ConfigurationError(
                    f"{name} is empty or has blanks around it",
                    advice="copy it when NetSuite shows it: each secret is shown once only",
                )


def signature(
    credentials: TbaCredentials,
    method: str,
    url: str,
    parameters: Iterable[tuple[str, str]],
    *,
    nonce: str,
    timestamp: int,
) -> str:
    """The signature of a request, Base64. `url` may have a query; `parameters` are further ones. A JSON body is not signed."""
    parts = urlsplit(url)
    base_url = urlunsplit(
        (parts.scheme.lower(), _host(parts.scheme, parts.netloc), parts.path or "/", "", "")
    )
    signed = [
        *parse_qsl(parts.query, keep_blank_values=True),
        *parameters,
        *_oauth(credentials, nonce, timestamp).items(),
    ]
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in signed)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join((method.upper(), _escaped(base_url), _escaped(joined)))
    key = f"{_escaped(credentials.consumer_secret)}&{_escaped(credentials.token_secret)}"
    return b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def authorization(
    credentials: TbaCredentials, realm: str, request: Request, *, nonce: str, timestamp: int
) -> str:
    """The Authorization header of a request. `realm`: the account id; it is told, not signed."""
    signed = signature(
        credentials, request.method, request.url, request.params, nonce=nonce, timestamp=timestamp
    )
    fields = {"realm": realm, **_oauth(credentials, nonce, timestamp), "oauth_signature": signed}
    return "OAuth " + ", ".join(f'{name}="{_escaped(value)}"' for name, value in fields.items())


class TbaSigner:
    """Signs every try anew: a signature works once (quirks.md#ns-3). Thread-safe. `nonce`: unlike any other one at every call."""

    def __init__(
        self, credentials: TbaCredentials, realm: str, *, clock: Clock, nonce: Callable[[], str]
    ) -> None:
        self._credentials, self._realm = credentials, realm
        self._clock, self._nonce = clock, nonce

    def __repr__(self) -> str:
        return f"TbaSigner({self._realm!r})"

    def sign(self, request: Request) -> Mapping[str, str]:
        """The headers to add."""
        stamp = int(self._clock.now().timestamp())
        header = authorization(self._credentials, self._realm, request, nonce=self._nonce(), timestamp=stamp)
        return {"Authorization": header}

    def refused(self, request: Request, response: Response) -> bool:  # noqa: ARG002 - the Signer protocol
        """After a 401: a new nonce and a new time are all the new credentials there can be, and worth one more try."""
        return True


def _oauth(credentials: TbaCredentials, nonce: str, timestamp: int) -> dict[str, str]:
    return {
        "oauth_consumer_key": credentials.consumer_key,
        "oauth_token": credentials.token_id,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(timestamp),
        "oauth_nonce": nonce,
        "oauth_version": "1.0",
    }


def _host(scheme: str, netloc: str) -> str:
    """Host in lower case, without the port that goes without saying (RFC 5849, section 3.4.1.2)."""
    host = netloc.rpartition("@")[2].lower()
    usual = {"http": ":80", "https": ":443"}.get(scheme.lower(), "")
    return host.removesuffix(usual) if usual else host


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")
