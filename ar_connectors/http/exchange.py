"""One request out, one answer in. No second try, no redirect, no cookie, no credentials of its own; an end to every wait.

What goes wrong comes back as a `Failure` value: an exception of the HTTP library would carry the request, its headers and its
secrets along in a traceback.
"""

from __future__ import annotations

import io
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import ProxyError as PoolProxyError
from urllib3.exceptions import SSLError as PoolSSLError

from ar_connectors.clock import Clock
from ar_connectors.errors import ConfigurationError, ContractError, TransientError
from ar_connectors.http.messages import Request, Response
from ar_connectors.http.redact import Redactor
from ar_connectors.http.retry import Failure, Trouble

__all__ = ["Exchange", "TransportSettings", "Wire", "user_agent"]

_CHUNK: Final = 1 << 18
"""What is asked of the socket at once. Each look at it gives the interpreter away to other threads and waits to get it back, so that
few large looks are cheaper than many small ones; a piece of a whole megabyte leaves the processor's cache before it is copied."""
_ROOM: Final = 16 << 20
"""The most that is set aside for a body on the word of its Content-Length alone."""


def user_agent() -> str:
    """How we name ourselves: product and version, nothing about the machine."""
    try:
        return f"ar-connectors/{version('ar-connectors')}"
    except PackageNotFoundError:
        return "ar-connectors"


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """How connections are made. Times in seconds, sizes in bytes."""

    connect_timeout: float = 5.0
    read_timeout: float = 125.0
    """Silence on an open connection. A little longer than the 120 after which QuickBooks itself gives up."""
    body_timeout: float = 300.0
    """For a whole body, however steadily it drips."""
    max_body: int = 256 * 1024 * 1024
    """Decompressed; a larger answer is refused, so that a small one cannot unpack into all memory."""
    connections: int = 16
    """Kept open for reuse."""
    trust_env: bool = False
    """Take proxies and CA bundle from the environment (HTTPS_PROXY, REQUESTS_CA_BUNDLE). Passwords of a .netrc never."""
    proxies: Mapping[str, str] | None = None
    """By scheme: `{"https": "http://proxy.example:3128"}`."""
    ca_bundle: str | None = None
    """Path of a bundle of trusted certificates. There is no switch to trust everybody."""
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """How one try went: an answer or a failure, and its sizes in bytes."""

    outcome: Response | Failure
    sent: int
    received: int = 0
    decoded: int = 0
    seconds: float = 0.0


class _TooLarge(ValueError):
    """The body exceeds the limit."""


class _Broken(ValueError):
    """The body is not what its header says."""


class Wire:
    """A pool of connections. Thread-safe."""

    def __init__(self, settings: TransportSettings, clock: Clock, redactor: Redactor) -> None:
        self._settings, self._clock, self._redactor = settings, clock, redactor
        self._session = requests.Session()
        self._session.trust_env = settings.trust_env
        # A cookie of one call must not travel with another one; tenants share nothing.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(
            pool_connections=4,
            pool_maxsize=settings.connections,
            pool_block=False,
            max_retries=Retry(0, read=False, redirect=False, respect_retry_after_header=False),
        )
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._agent = settings.user_agent or user_agent()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def exchange(self, request: Request, credentials: Mapping[str, str]) -> Exchange:
        """Send once. Raises ConfigurationError for a request that cannot be put on a wire, ContractError for an answer that
        is too large or in an unknown encoding (such failures do not pass)."""
        prepared = self._prepare(request, credentials)
        sent = len(request.body or b"")
        began = self._clock.monotonic()
        problem: Failure | ConfigurationError | None = None
        answer: requests.Response | None = None
        try:
            # By the adapter and not by the session: there is nothing to follow and no cookie to keep.
            answer = self._session.get_adapter(request.url).send(prepared, **self._connection(request.url))
        except (requests.exceptions.RequestException, HTTPError) as error:
            problem = self._no_answer(request, error)
        # Raised and returned here, outside the except block, so that the library's exception does not travel along.
        if isinstance(problem, ConfigurationError):
            raise problem
        if answer is None:
            failure = problem or Failure(Trouble.NO_ANSWER, TransientError("no answer came"))
            return Exchange(failure, sent, seconds=self._clock.monotonic() - began)
        with answer:
            return self._read(request, answer, sent, began)

    def _prepare(self, request: Request, credentials: Mapping[str, str]) -> requests.PreparedRequest:
        headers = {"User-Agent": self._agent, "Accept-Encoding": "gzip", **request.headers, **credentials}
        problem = ""
        try:
            # Step by step: no cookies, no .netrc, no header that we did not write, and no time spent on looking for them.
            prepared = requests.PreparedRequest()
            prepared.prepare_method(request.method)
            prepared.prepare_url(request.url, list(request.params))
            prepared.prepare_headers(headers)
            prepared.prepare_body(request.body, None)
        except (requests.exceptions.RequestException, UnicodeError) as error:
            problem = f"{type(error).__name__}: {error}"
        else:
            return prepared
        raise ConfigurationError(
            self._redactor.text(f"the request cannot be sent: {problem}"), operation=request.operation
        )

    def _connection(self, url: str) -> dict[str, Any]:
        settings = self._settings
        chosen: dict[str, Any] = {
            "proxies": dict(settings.proxies or {}),
            "verify": settings.ca_bundle or True,
            "stream": True,
            "cert": None,
        }
        if settings.trust_env:
            chosen = {
                **chosen,
                **self._session.merge_environment_settings(
                    url, chosen["proxies"], True, settings.ca_bundle, None
                ),
            }
        return {
            **chosen,
            "timeout": (settings.connect_timeout, settings.read_timeout),
        }

    def _no_answer(self, request: Request, error: Exception) -> Failure | ConfigurationError:
        what = self._redactor.text(f"{type(error).__name__}: {error}")
        if _is_certificate(error):
            return ConfigurationError(
                f"the certificate of the server is not trusted: {what}",
                operation=request.operation,
                advice="check the address and the system's clock; name a private authority with ca_bundle",
            )
        if _never_sent(error):
            return Failure(Trouble.NOT_SENT, TransientError(f"no connection: {what}"))
        return Failure(Trouble.NO_ANSWER, TransientError(f"no answer came: {what}"))

    def _read(self, request: Request, answer: requests.Response, sent: int, began: float) -> Exchange:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        wire = io.BytesIO()
        body, broken = b"", ""
        try:
            self._receive(answer, wire)
            body = _decoded(wire.getvalue(), headers.get("content-encoding", ""), self._settings.max_body)
        except _TooLarge:
            raise ContractError(
                f"the answer is larger than {self._settings.max_body:,} bytes",
                operation=request.operation,
                http_status=answer.status_code,
                advice="ask for less at once, or raise max_body",
            ) from None
        except _Broken as error:
            broken = str(error)
        except (HTTPError, OSError) as error:
            broken = f"{type(error).__name__}: {error}"
        seconds = self._clock.monotonic() - began
        received = wire.tell()
        if broken:
            text = self._redactor.text(f"the answer broke off: {broken}")
            failure = Failure(Trouble.BROKEN_BODY, TransientError(text, http_status=answer.status_code))
            return Exchange(failure, sent, received, 0, seconds)
        response = Response(answer.status_code, headers, body, _server_date(headers), seconds)
        return Exchange(response, sent, received, len(body), seconds)

    def _receive(self, answer: requests.Response, wire: io.BytesIO) -> None:
        deadline = self._clock.monotonic() + self._settings.body_timeout
        room = self._settings.max_body
        # Room for the whole body at once, so that it is in one piece when it has arrived. Pieces that are joined at the end take
        # twice the memory; it went back to the system after each page, and to fetch it again took longer than the transfer.
        if 0 < (announced := answer.raw.length_remaining or 0) <= _ROOM:
            wire.seek(announced - 1)
            wire.write(b"\0")
            wire.seek(0)
        try:
            # read1 returns what is there, so a body that drips byte by byte meets the deadline too.
            while part := answer.raw.read1(_CHUNK, decode_content=False):
                room -= wire.write(part)
                if room < 0:
                    raise _TooLarge
                if self._clock.monotonic() > deadline:
                    raise _Broken(f"it took more than {self._settings.body_timeout:.0f} seconds")
        finally:
            wire.truncate()


def _decoded(wire: bytes, encoding: str, limit: int) -> bytes:
    """The body without its content encoding. Raises _Broken, _TooLarge."""
    encoding = encoding.strip().casefold()
    if encoding in {"", "identity"} or not wire:
        return wire
    if encoding not in {"gzip", "x-gzip"}:
        raise _Broken(f"its encoding {encoding!r} was not asked for")
    parts: list[bytes] = []
    size = 0
    rest = wire
    while rest:
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            part = inflate.decompress(rest, limit - size + 1)
        except zlib.error as error:
            raise _Broken(f"it is no valid gzip ({error})") from None
        size += len(part)
        if size > limit:
            raise _TooLarge
        if not inflate.eof:
            raise _Broken("its gzip stream is cut off")
        parts.append(part)
        # Several members may follow each other; zeros after the last one are padding (RFC 1952, section 2.2).
        rest = inflate.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _server_date(headers: Mapping[str, str]) -> datetime | None:
    try:
        date = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def _reason(error: BaseException) -> BaseException | None:
    """What urllib3 says lies behind an exception of requests."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    if isinstance(reason, BaseException):
        return reason
    return inner if isinstance(inner, BaseException) else None


def _never_sent(error: Exception) -> bool:
    """True when it is certain that not one byte of the request left."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return isinstance(_reason(error), NewConnectionError | PoolProxyError)


def _is_certificate(error: BaseException) -> bool:
    reason = _reason(error)
    causes = [error, reason, *(reason.args if isinstance(reason, PoolSSLError) else ())]
    return any(
        isinstance(one, ssl.SSLCertVerificationError) for one in causes
    ) or "CERTIFICATE_VERIFY_FAILED" in str(error)
