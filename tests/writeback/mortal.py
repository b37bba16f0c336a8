"""Workers that are killed, the real kind: processes with a real store that get SIGKILL at a checkpoint of a delivery."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from ar_connectors.errors import (
    ARError,
    RejectedError,
    StaleVersionError,
    TransientError,
    WriteOutcomeUnknown,
)
from ar_connectors.http.messages import Replay, Request, Response
from ar_connectors.quickbooks.connector import QuickBooksConnector
from ar_connectors.store import open_store
from ar_connectors.writeback import deliver
from tests.quickbooks.little_books import TENANT, LittleBooks
from tests.writeback.memory import FakeClock


class Fate:
    """Ends the process at its nth checkpoint; 0: never."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at = dies_at
        self.passed = 0

    def check(self) -> None:
        self.passed += 1
        if self.passed == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, thing: Any, *names: str) -> Any:
        """`thing` with a checkpoint before and after each of its methods in `names`."""
        fate = self

        class Mortal:
            def __getattr__(self, name: str) -> Any:
                real = getattr(thing, name)
                if name not in names:
                    return real

                def call(*arguments: Any, **options: Any) -> Any:
                    fate.check()
                    result = real(*arguments, **options)
                    fate.check()
                    return result

                return call

        return Mortal()


class LoopbackSender:
    """Sends requests to the little books over a socket."""

    def __init__(self) -> None:
        self.session = requests.Session()

    def send(self, request: Request) -> Response:
        try:
            answer = self.session.request(
                request.method, request.url, params=list(request.params), data=request.body,
                headers=dict(request.headers), timeout=(5, 20),
            )  # fmt: skip
        except requests.ConnectionError as error:
            kind = WriteOutcomeUnknown if request.replay is Replay.UNSAFE else TransientError
            raise kind("no answer came", operation=request.operation) from error
        if answer.status_code != 200:
            error_class: type[ARError] = StaleVersionError if b"5010" in answer.content else RejectedError
            raise error_class(answer.text, http_status=answer.status_code)
        return Response(200, {"content-type": "application/json"}, answer.content, None, 0.0)


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


def work(store_url: str, base_url: str, now: datetime, owner: str, dies_at: int) -> None:
    """One worker's life, in a process of its own."""
    fate = Fate(dies_at)
    clock = FakeClock(now)
    store = open_store(store_url, clock=clock)
    sender = fate.around(LoopbackSender(), "send")
    connector = QuickBooksConnector(TENANT, sender, clock, base_url=base_url)
    mortal = fate.around(store, "claim_writes", "mark_sending", "finish_write")
    deliver(connector, mortal, owner=owner, clock=clock)
    store.close()
