"""pytest fixtures that serve an emulator. It is loaded with every pytest run, so it imports nothing until a fixture is used.

def test_my_collections(quickbooks_emulator, ar_clock):
    client = MyClient(quickbooks_emulator.base_url, quickbooks_emulator.access_token)
    ar_clock.advance(timedelta(hours=2))  # the access token is dead now
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ar_connectors.testkit.clock import ScriptedClock
    from ar_connectors.testkit.server import Handle, NetSuiteHandle, XeroHandle

__all__ = ["ar_clock", "netsuite_emulator", "quickbooks_emulator", "xero_emulator"]


@pytest.fixture
def ar_clock() -> ScriptedClock:
    """A clock that stands at the end of the generated company's history; give it to the client too."""
    from ar_connectors.testkit.clock import ScriptedClock
    from ar_connectors.testkit.company import DEFAULT_NOW

    return ScriptedClock(DEFAULT_NOW)


@pytest.fixture
def quickbooks_emulator(ar_clock: ScriptedClock) -> Iterator[Handle]:
    """A QuickBooks company with 200 invoices on 127.0.0.1, on `ar_clock`, without rate limits. For another size or settings
    use `ar_connectors.testkit.server.start_quickbooks` itself."""
    from ar_connectors.testkit.server import start_quickbooks

    with start_quickbooks(clock=ar_clock, invoices=200) as handle:
        yield handle


@pytest.fixture
def netsuite_emulator(ar_clock: ScriptedClock) -> Iterator[NetSuiteHandle]:
    """A NetSuite account with two subsidiaries and 200 invoices on 127.0.0.1, on `ar_clock`, without limits. For another size or
    settings use `ar_connectors.testkit.server.start_netsuite` itself."""
    from ar_connectors.testkit.server import start_netsuite

    with start_netsuite(clock=ar_clock, invoices=200) as handle:
        yield handle


@pytest.fixture
def xero_emulator(ar_clock: ScriptedClock) -> Iterator[XeroHandle]:
    """A Xero company with 200 sales invoices and 20 bills on 127.0.0.1, on `ar_clock`, without rate limits. For another size or
    settings use `ar_connectors.testkit.server.start_xero` itself."""
    from ar_connectors.testkit.server import start_xero

    with start_xero(clock=ar_clock, invoices=200) as handle:
        yield handle
