"""The little books on a socket, with faults that spoil one exchange each."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ar_connectors.errors import (
    ARError,
)
from ar_connectors.http.messages import Replay, Request
from tests.quickbooks.little_books import LittleBooks

Fault = Callable[[BaseHTTPRequestHandler, Callable[[], tuple[int, bytes]]], bool]
"""Spoils one exchange: gets the handler and what carries the request out; True when it has answered (or refused to)."""


@contextmanager
def served(books: LittleBooks, faults: list[Fault] | None = None) -> Iterator[str]:
    """The little books on a loopback port, until the block ends; gives the base URL. Each POST takes one of `faults`."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            self.answer(self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, body: bytes | None) -> None:
            parts = urlsplit(self.path)
            request = Request(
                self.command,
                parts.path,
                "served",
                params=parse_qsl(parts.query, keep_blank_values=True),
                body=body,
                replay=Replay.SAFE if body is None else Replay.UNSAFE,
                metered_units=1 if body is None else 0,
            )

            def carry_out() -> tuple[int, bytes]:
                try:
                    with lock:
                        return 200, books.send(request).body
                except ARError as error:
                    entry = {"Message": error.message, "Detail": error.message, "code": error.platform_code}
                    fault = {"Error": [entry], "type": "ValidationFault"}
                    return 400, json.dumps({"Fault": fault}).encode()

            if body is not None and faults and faults.pop(0)(self, carry_out):
                return
            status, content = carry_out()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
