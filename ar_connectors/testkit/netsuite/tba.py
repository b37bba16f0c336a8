"""Token-based authentication: OAuth 1.0a signatures (RFC 5849) with HMAC-SHA256, checked as NetSuite's documentation describes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call

__all__ = ["TokenPair"]

_WINDOW: Final = 300
"""Seconds by which a timestamp may be off."""
_NEEDED: Final = (
    "oauth_consumer_key",
    "oauth_token",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
)


class TokenPair:
    """The secrets of one integration and one user. Its user holds the emulator's lock.

    Args:
        realm: the account's id as it must stand in the header.
    """

    def __init__(self, clock: ScriptedClock, realm: str, seed: str) -> None:
        self.clock = clock
        self.realm = realm
        self.consumer_key, self.consumer_secret, self.token_id, self.token_secret = (
            hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()
            for name in ("consumer key", "consumer secret", "token", "token secret")
        )
        self.revoked = False
        self._seen: dict[tuple[str, str], float] = {}

    def accepts(self, call: Call, base_url: str) -> bool:
        """Whether a call is signed, by us, now, and for the first time."""
        scheme, _, rest = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "oauth" or self.revoked:
            return False
        given = dict(_pairs(rest))
        if any(not given.get(name) for name in _NEEDED):
            return False
        known = given["oauth_consumer_key"] == self.consumer_key and given["oauth_token"] == self.token_id
        if not known or given.get("realm") != self.realm or given["oauth_signature_method"] != "HMAC-SHA256":
            return False
        return self._is_signed(call, base_url, given) and self._is_new(given)

    def _is_signed(self, call: Call, base_url: str, given: dict[str, str]) -> bool:
        signed = {name: value for name, value in given.items() if name not in {"realm", "oauth_signature"}}
        pairs = sorted(
            (_encoded(name), _encoded(value)) for name, value in [*call.params.items(), *signed.items()]
        )
        parameters = _encoded("&".join(f"{name}={value}" for name, value in pairs))
        key = f"{_encoded(self.consumer_secret)}&{_encoded(self.token_secret)}".encode()
        for address in _addresses(call, base_url):
            text = f"{call.method.upper()}&{_encoded(address)}&{parameters}"
            digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
            if hmac.compare_digest(base64.b64encode(digest).decode(), given["oauth_signature"]):
                return True
        return False

    def _is_new(self, given: dict[str, str]) -> bool:
        """Whether the timestamp is of now and the nonce was never used with it."""
        now = self.clock.now().timestamp()
        stamp = given["oauth_timestamp"]
        if not stamp.isdecimal() or abs(int(stamp) - now) > _WINDOW:
            return False
        self._seen = {key: at for key, at in self._seen.items() if abs(at - now) <= _WINDOW}
        key = (stamp, given["oauth_nonce"])
        if key in self._seen:
            return False
        self._seen[key] = int(stamp)
        return True


def _addresses(call: Call, base_url: str) -> Iterator[str]:
    """The address as the client may have written it: what it encoded in the path is not kept, so the usual ways are tried; and
    the vendor's own host, for clients that sign for it and are sent here by a proxy."""
    hosts = [base_url]
    if "host" in call.headers:
        host = call.headers["host"]
        hosts += [f"{urlsplit(base_url).scheme}://{host}", f"https://{host}"]
    for host in dict.fromkeys(hosts):
        for safe in ("/:", "/", "/:@!$&'()*+,;=~"):
            yield f"{host}{quote(call.path, safe=safe)}"


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _pairs(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        yield name, unquote(value.strip().strip('"'))
