"""A tiny HTTP server on raw sockets, which can answer, and can fail in every way that HTTP over TCP can fail."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

__all__ = ["FakeClock", "Heard", "LittleServer", "answer", "chunked", "cut", "gzipped", "reset", "silence"]


@dataclass(frozen=True)
class Heard:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Reply = Callable[[socket.socket, Heard], None]
"""Writes an answer, or something else, to the connection. It is closed afterwards unless the reply was whole."""


def answer(
    status: int = 200,
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
    *,
    length: int | None = None,
) -> Reply:
    """A plain answer; `length` lies about its length."""

    def write(connection: socket.socket, _: Heard) -> None:
        lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body) if length is None else length}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        if length is not None:
            raise ConnectionAbortedError

    return write


def gzipped(body: bytes, keep: int | None = None) -> Reply:
    """A compressed answer; `keep`: only that many bytes of the stream, under a Content-Length that fits them."""
    packed = gzip.compress(body)[:keep]
    return answer(200, packed, {"Content-Encoding": "gzip"})


def chunked(*parts: bytes, finish: bool = True) -> Reply:
    """A chunked answer; not finished: it breaks off between two chunks."""

    def write(connection: socket.socket, _: Heard) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        if not finish:
            raise ConnectionAbortedError
        connection.sendall(b"0\r\n\r\n")

    return write


def cut(_: socket.socket, __: Heard) -> None:
    """The connection is closed without a word."""
    raise ConnectionAbortedError


def reset(connection: socket.socket, _: Heard) -> None:
    """The connection is reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def silence(connection: socket.socket, _: Heard) -> None:
    """Nothing is said until the caller hangs up."""
    connection.settimeout(10)
    connection.recv(1)
    raise ConnectionAbortedError


@dataclass
class LittleServer:
    """Serves `replies` in turn, the last one over and over. Use with `with`."""

    replies: list[Reply] = field(default_factory=lambda: [answer()])
    heard: list[Heard] = field(default_factory=list)
    on_request: Callable[[Heard], None] | None = None
    most_in_flight: int = 0

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._lock = threading.Lock()
        self._in_flight = 0
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        # close() alone would not wake accept(); shutdown does.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._acceptor.join(10)
        with self._lock:
            for connection in self._open:
                with suppress(OSError):  # the other side may have gone already
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection.makefile("rb") as stream:
                while (heard := self._hear(stream)) is not None:
                    self._reply(connection, heard)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    @staticmethod
    def _hear(stream: object) -> Heard | None:
        first = stream.readline().decode().split()  # type: ignore[attr-defined]
        if not first:
            return None
        headers: dict[str, str] = {}
        while line := stream.readline().decode().strip():  # type: ignore[attr-defined]
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", "0")))  # type: ignore[attr-defined]
        return Heard(first[0], first[1], headers, body)

    def _reply(self, connection: socket.socket, heard: Heard) -> None:
        with self._lock:
            self.heard.append(heard)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if self.on_request is not None:
            self.on_request(heard)
        with self._lock:
            # Counted down before the answer leaves: the caller may send the next one the moment it arrives.
            self._in_flight -= 1
        reply(connection, heard)


class FakeClock:
    """A clock that moves only when somebody sleeps. Thread-safe."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)) -> None:
        self._now = start
        self._start = start
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        with self._lock:
            return (self._now - self._start).total_seconds()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            if seconds > 0:
                self.slept.append(seconds)
                self._now += timedelta(seconds=seconds)

    def pass_by(self, seconds: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=seconds)
