"""How does a reply get onto the wire, and how does it go wrong there? werkzeug in threads, on the loopback address only."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qsl, unquote

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ar_connectors.testkit.exchange import Call, Effect, Reply
from ar_connectors.testkit.stats import Stats

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["Application", "Listener", "Service"]

_REASONS: Final = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
}
_SMALLEST_GZIP: Final = 1024
_LONGEST_HANG: Final = 120.0
"""Seconds after which even a client that waits forever is cut off."""


class Service(Protocol):
    """What answers calls."""

    stats: Stats

    def handle(self, call: Call, in_flight: int = 1) -> tuple[Reply, str | None]:
        """Answer, and the name of the fault that struck."""
        ...


class Application:
    """A service as a WSGI application."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        call = _call(environ)
        stats = self.service.stats
        in_flight = stats.enter()
        try:
            reply, fault = self.service.handle(call, in_flight)
            if reply.wait is not None and reply.effect is not Effect.HANG:
                time.sleep(reply.wait)
            body, headers = _compressed(reply, call)
            stats.count(reply, len(body), fault)
            if reply.effect is Effect.HANG:
                _hang(environ["werkzeug.socket"], _LONGEST_HANG if reply.wait is None else reply.wait)
            if reply.effect is Effect.RESET:
                _reset(environ["werkzeug.socket"], reply, body, headers)
            if reply.effect is Effect.TRUNCATED_GZIP:
                body = body[: len(body) // 2]
        finally:
            stats.leave()
        headers["Content-Length"] = str(len(body))
        start_response(f"{reply.status} {_REASONS.get(reply.status, 'Status')}", list(headers.items()))
        return [body]


def _call(environ: WSGIEnvironment) -> Call:
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if "CONTENT_TYPE" in environ:
        headers["content-type"] = environ["CONTENT_TYPE"]
    return Call(
        environ["REQUEST_METHOD"],
        unquote(environ.get("PATH_INFO", "/")),
        dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        headers,
        _sent_body(environ),
    )


def _sent_body(environ: WSGIEnvironment) -> bytes:
    """The whole body: the next request follows on the same connection. Raises ConnectionAbortedError for a client that died before it
    had sent all of it: half a request was never made, and must not be answered, counted, or done."""
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = bytes(environ["wsgi.input"].read(length)) if length else b""
    if len(body) < length:
        raise ConnectionAbortedError(f"the client went away after {len(body)} of {length} bytes")
    return body


def _compressed(reply: Reply, call: Call) -> tuple[bytes, dict[str, str]]:
    headers = {"Content-Type": reply.content_type, **reply.headers}
    wants = "gzip" in call.headers.get("accept-encoding", "")
    long = reply.page is not None or len(reply.body) >= _SMALLEST_GZIP
    if wants and (long or reply.effect is Effect.TRUNCATED_GZIP):
        headers["Content-Encoding"] = "gzip"
        return reply.gzipped(), headers
    return reply.whole(), headers


def _hang(connection: socket.socket, seconds: float) -> None:
    """Say nothing until the client hangs up, or close the connection after `seconds`."""
    select.select([connection], [], [], seconds)
    raise ConnectionAbortedError("the client gave up, or has waited long enough")


def _reset(connection: socket.socket, reply: Reply, body: bytes, headers: dict[str, str]) -> None:
    """Send a part of the answer, then reset the connection."""
    if body:
        lines = [f"HTTP/1.1 {reply.status} OK", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1")
        connection.sendall(head + body[: len(body) // 2])
    # Linger of zero seconds: closing sends RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise ConnectionResetError("reset on purpose")


class _Handler(WSGIRequestHandler):
    """werkzeug's handler with connections kept alive, as Intuit keeps them: it can be done here because an application always
    reads the whole body and says how long its answer is."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)  # type: ignore[attr-defined]

    def finish(self) -> None:
        self.server.connections.discard(self.connection)  # type: ignore[attr-defined]
        with contextlib.suppress(
            OSError, ValueError
        ):  # a connection that was reset on purpose cannot be flushed
            super().finish()

    def run_wsgi(self) -> None:
        """Answer one request in one write."""
        started: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _: Any = None
        ) -> Callable[[bytes], object]:
            started[:] = [status, headers]
            return self.wfile.write

        try:
            body = b"".join(self.server.app(self.make_environ(), start_response))
            status, headers = started
            lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
            if "close" in self.headers.get("Connection", "").lower() or self.request_version == "HTTP/1.0":
                lines.append("Connection: close")
                self.close_connection = True
            self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        except ConnectionError:  # a client went away, or was sent away
            self.close_connection = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  werkzeug's own name
        """Nothing: stats hold the log, and a client's output should not be mixed with ours."""


class Listener:
    """A port on 127.0.0.1 that serves a WSGI application in threads; it can vanish and come back."""

    def __init__(self, application: Callable[..., Any], port: int = 0) -> None:
        self._application = application
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._hole: list[socket.socket] = []
        self.port = port
        self.open()

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Serve; nothing happens when it does already."""
        if self._server is not None:
            return
        self._let_go()
        server = make_server(
            "127.0.0.1", self.port, self._application, threaded=True, request_handler=_Handler
        )
        server.connections = set()  # type: ignore[attr-defined]
        server.daemon_threads = True  # type: ignore[attr-defined]
        self.port = server.server_port
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, args=(0.02,), daemon=True, name="ar-testkit"
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving; open connections are cut."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._server.connections):  # type: ignore[attr-defined]
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join()
        self._server = None

    def outage(self, name: str | None) -> None:
        """Vanish as `faults.OUTAGES` says, or come back (None). Raises KeyError for another name."""
        if name is None:
            self.open()
        elif name == "connect_refused":
            self._let_go()
            self.close()
        elif name == "connect_timeout":
            self.swallow()
        else:
            raise KeyError(f"there is no outage {name!r}")

    def _let_go(self) -> None:
        while self._hole:
            self._hole.pop().close()

    def swallow(self) -> None:
        """Instead of serving, let connection attempts time out: a queue of one, filled, that nobody empties."""
        self._let_go()
        self.close()
        hole = socket.socket()
        hole.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        hole.bind(("127.0.0.1", self.port))
        hole.listen(0)
        self._hole.append(hole)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._hole.insert(0, filler)
