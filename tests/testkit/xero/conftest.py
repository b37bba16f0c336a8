"""The emulator's plain client as a fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ar_connectors.testkit.server import XeroHandle
from tests.testkit.xero.support import Client, client_of


@pytest.fixture
def emulator(xero_emulator: XeroHandle) -> XeroHandle:
    return xero_emulator


@pytest.fixture
def client(emulator: XeroHandle) -> Iterator[Client]:
    with client_of(emulator) as made:
        yield made
