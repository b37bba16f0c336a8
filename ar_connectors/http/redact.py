"""Which words must never reach a log, an error or a repr? Secrets by their place in a text, and secrets by their value.

Places are known to all (a bearer header, `"refresh_token": "..."`, `client_secret=...`). Values are learned while we run: a
`Redactor` is told every secret that is put on a wire, so an echo of it in any dress is recognized.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import quote

from ar_connectors.errors import ARError

__all__ = ["EXCERPT_LENGTH", "MASK", "Redactor", "excerpt", "redact"]

MASK: Final = "***"
EXCERPT_LENGTH: Final = 500
"""Characters of an answer that an error may carry."""

_SHORTEST: Final = 6
"""A shorter value is no secret worth the name, and masking every place it occurs in would make texts unreadable."""
_MOST_VALUES: Final = 100

_NAMES: Final = (
    r"(?:access|refresh|id|oauth|session)_?token|client_?secret|consumer_?secret|token_?secret|consumer_?key|token_?id|"
    r"client_?assertion|assertion|code_?verifier|password|passwd|secret|api_?key|apikey|token|signature|"
    r"oauth_signature|oauth_consumer_key|oauth_nonce"
)
_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # A whole credential header, in any spelling it takes in a repr, a dump or a curl line.
    (
        re.compile(
            r"(?P<keep>\b(?:proxy-)?authorization\b[\"']?\s*[:=]\s*[\"']?)[^\r\n\"'}]+(?:\"[^\r\n\"]*\"[^\r\n\"'}]*)*",
            re.IGNORECASE,
        ),
        rf"\g<keep>{MASK}",
    ),
    (
        re.compile(r"(?P<keep>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=\-]{6,}", re.IGNORECASE),
        rf"\g<keep>{MASK}",
    ),
    # "name": "value" in JSON and in a Python repr; the value may hold escaped quotes.
    (
        re.compile(
            rf"(?P<keep>[\"'](?:{_NAMES})[\"']\s*:\s*b?)(?P<q>[\"'])(?:\\.|(?!(?P=q)).)*(?P=q)?",
            re.IGNORECASE | re.DOTALL,
        ),
        rf"\g<keep>\g<q>{MASK}\g<q>",
    ),
    # An authorization code, and the state that goes with it. Shorter ones are error codes, which people need to see.
    (
        re.compile(
            r"(?P<keep>(?<![A-Za-z0-9_])(?:code|state)[\"']?\s*[:=]\s*[\"']?)[^\s&;,\"'<>)\]]{16,}",
            re.IGNORECASE,
        ),
        rf"\g<keep>{MASK}",
    ),
    # name=value in a URL, a form or a keyword repr.
    (
        re.compile(
            rf"(?P<keep>(?<![A-Za-z0-9])(?:{_NAMES})=)(?P<q>[\"']?)(?!(?P=q)?{re.escape(MASK)})[^\s&;,\"'<>)\]]{{6,}}",
            re.IGNORECASE,
        ),
        rf"\g<keep>\g<q>{MASK}",
    ),
    # <name>value</name>
    (re.compile(rf"(?P<keep><(?P<n>{_NAMES})>)[^<]+", re.IGNORECASE), rf"\g<keep>{MASK}"),
    # A signed JSON web token, wherever it stands.
    (re.compile(r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]*)*"), MASK),
    # user:password@ in a URL.
    (re.compile(r"(?P<keep>://)[^/\s:@]+:[^/\s@]+@"), rf"\g<keep>{MASK}@"),
)


def redact(text: str) -> str:
    """The text with every secret that its place gives away replaced by `***`. Twice gives the same as once."""
    for pattern, masked in _RULES:
        text = pattern.sub(masked, text)
    return text


def excerpt(body: bytes | str, limit: int = EXCERPT_LENGTH) -> str:
    """The start of an answer, redacted, at most `limit` characters. Redacted before it is cut: half a secret is one too."""
    return _cut(redact(_text(body, limit)), limit)


def _text(body: bytes | str, limit: int) -> str:
    # Some way beyond the limit, so that a secret across the cut is seen whole; a token is rarely longer than 4 kB.
    return (
        body[: limit * 4 + 8192].decode("utf-8", errors="replace")
        if isinstance(body, bytes)
        else body[: limit * 4 + 8192]
    )


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="surrogatepass")


_E = TypeVar("_E", bound=ARError)


class Redactor:
    """Knows secret values. Thread-safe. One per connection; the transport and the signer share it."""

    __slots__ = ("_known", "_lock", "_pattern")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, ...]] = {}
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def __repr__(self) -> str:
        return f"Redactor({len(self._known)} values)"

    def add(self, *secrets: str | None) -> None:
        """Learn values; also as they look in a URL, in JSON and in base64. None and short words are passed over; of very
        many the oldest are forgotten (tokens rotate for years, and nothing must grow for ever)."""
        fresh = [
            one for one in secrets if one is not None and len(one) >= _SHORTEST and one not in self._known
        ]
        if not fresh:
            return
        with self._lock:
            known = dict(self._known)
            for one in fresh:
                encoded = b64encode(one.encode("utf-8", errors="surrogatepass")).decode()
                known[one] = (
                    one,
                    _quoted(one),
                    _quoted(one).replace("%20", "+"),
                    json.dumps(one)[1:-1],
                    encoded,
                )
            while len(known) > _MOST_VALUES:
                del known[next(iter(known))]
            self._known, self._pattern = known, None

    def _compiled(self) -> re.Pattern[str] | None:
        """Compiled when first needed: tokens are learned far more often than errors are told."""
        with self._lock:
            if self._pattern is None and self._known:
                spellings = {spelling for all_of_one in self._known.values() for spelling in all_of_one}
                self._pattern = re.compile("|".join(map(re.escape, sorted(spellings, key=len, reverse=True))))
            return self._pattern

    def text(self, text: str) -> str:
        """`redact`, and every known value masked."""
        pattern = self._compiled()
        return redact(pattern.sub(MASK, text) if pattern is not None else text)

    def excerpt(self, body: bytes | str, limit: int = EXCERPT_LENGTH) -> str:
        """The start of an answer, without known values, at most `limit` characters."""
        return _cut(self.text(_text(body, limit)), limit)

    def clean(self, error: _E) -> _E:
        """The same error object with every text in it redacted, and its excerpt cut to length."""
        for field in fields(error):
            value = getattr(error, field.name)
            setattr(error, field.name, self._value(value))
        if error.excerpt is not None:
            error.excerpt = _cut(error.excerpt, EXCERPT_LENGTH)
        error.args = (error.message,)
        return error

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, tuple):
            return tuple(self._value(one) for one in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(
                value, **{one.name: self._value(getattr(value, one.name)) for one in fields(value)}
            )
        return value
