"""The emulator's plain client as a fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ar_connectors.testkit.server import Handle
from tests.testkit.support import Client, client_of


@pytest.fixture
def emulator(quickbooks_emulator: Handle) -> Handle:
    return quickbooks_emulator


@pytest.fixture
def client(emulator: Handle) -> Iterator[Client]:
    with client_of(emulator) as made:
        yield made
