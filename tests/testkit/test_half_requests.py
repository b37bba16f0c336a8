"""A client that dies while it sends has asked nothing: the emulators neither answer nor count nor do what they got half of."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from ar_connectors.testkit.netsuite.start import start_netsuite
from ar_connectors.testkit.quickbooks.start import start_quickbooks
from ar_connectors.testkit.running import Running
from ar_connectors.testkit.xero.start import start_xero

FORM = b"grant_type=refresh_token&refresh_token=never"
START: dict[str, Callable[..., Any]] = {
    "netsuite": start_netsuite,
    "quickbooks": start_quickbooks,
    "xero": start_xero,
}


def send(emulator: Running[Any], body: bytes) -> bytes:
    """POST to the token endpoint what may be less than was announced, hang up, and return all that comes back."""
    address = urlsplit(emulator.token_url)
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(FORM)}\r\n\r\n"
    )
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=10) as connection:
        connection.sendall(head.encode("ascii") + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while some := connection.recv(65536):
            answer += some
    return answer


@pytest.mark.parametrize("name", sorted(START))
@pytest.mark.parametrize("length", [0, 1, len(FORM) - 1])
def test_half_a_request_was_never_made(name: str, length: int) -> None:
    with START[name](invoices=1) as emulator:
        assert send(emulator, FORM[:length]) == b""
        assert list(emulator.stats.log) == []
        assert send(emulator, FORM).startswith(b"HTTP/1.1 4"), "the same request, whole, is answered"
        assert len(emulator.stats.log) == 1
