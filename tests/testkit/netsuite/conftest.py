"""A NetSuite account and a plain client for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.netsuite.start import Handle, start_netsuite
from tests.testkit.netsuite.support import Client


@pytest.fixture(scope="module")
def books() -> Iterator[Handle]:
    """One account for all tests of a module that only read."""
    with start_netsuite(clock=ScriptedClock(DEFAULT_NOW), invoices=300, seed=5) as handle:
        yield handle


@pytest.fixture
def reader(books: Handle) -> Iterator[Client]:
    client = Client(books)
    yield client
    client.session.close()


@pytest.fixture
def client(netsuite_emulator: Handle) -> Iterator[Client]:
    """For an account of the test's own."""
    made = Client(netsuite_emulator)
    yield made
    made.session.close()
