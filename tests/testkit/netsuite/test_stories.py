"""The stories of the shared suites, told in a group's books, are seen through SuiteQL and the record API as they happened."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.ledger import check
from ar_connectors.testkit.netsuite.start import start_netsuite
from tests.behavior.stories import STORIES, CannotHappenError, Story
from tests.testkit.netsuite.support import Client, balances


@pytest.mark.parametrize("story", STORIES, ids=lambda one: one.__name__)
def test_a_story_is_seen(story: Story) -> None:
    with start_netsuite(clock=ScriptedClock(DEFAULT_NOW), invoices=60, seed=8) as handle:
        client = Client(handle)
        try:
            assert balances(client) == handle.truth().balances
            handle.clock.sleep(600)
            with handle.service.lock:
                try:
                    story(handle.ledger)
                except CannotHappenError:
                    pytest.skip("these books have nothing it could happen to")
            assert check(handle.ledger) == []
            assert balances(client) == handle.truth().balances
            rows = client.rows(
                "SELECT id, foreigntotal, foreignamountunpaid FROM transaction WHERE type = 'CustInvc' ORDER BY id"
            )
            assert [
                (row["id"], Decimal(row["foreigntotal"]), Decimal(row["foreignamountunpaid"])) for row in rows
            ] == [(one.id, one.total, one.open) for one in handle.ledger.invoices.values()]
            last = max(handle.ledger.invoices, key=int)
            body = client.record(f"invoice/{last}")
            assert body["amountRemaining"] == handle.ledger.invoices[last].open
        finally:
            client.session.close()
