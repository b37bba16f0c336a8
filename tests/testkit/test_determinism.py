"""A seed means the same company to the last byte, also after things happened to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.quickbooks.rows import ENTITIES
from ar_connectors.testkit.server import start_quickbooks
from tests.testkit.support import client_of


def session(seed: int) -> list[tuple[int, bytes, str]]:
    """All that one client is told, ids of calls and tokens too."""
    told: list[tuple[int, bytes, str]] = []

    def keep(answer: requests.Response) -> None:
        told.append((answer.status_code, answer.content, answer.headers["intuit_tid"]))

    clock = ScriptedClock(DEFAULT_NOW)
    with start_quickbooks(seed=seed, invoices=120, clock=clock) as handle, client_of(handle) as client:
        for _ in range(2):
            for entity in ENTITIES:
                keep(client.send("GET", "query", query=f"SELECT * FROM {entity} MAXRESULTS 1000"))
            clock.advance(timedelta(minutes=3))
            for story in ("receive_payment", "void_invoice", "write_off", "issue_invoice", "attach_note"):
                handle.stories.run(story)
            since = (clock.now() - timedelta(minutes=1)).isoformat()
            keep(client.send("GET", "cdc", entities="Invoice,Payment,CreditMemo", changedSince=since))
            keep(client.send("GET", "reports/AgedReceivables"))
        form = {"grant_type": "refresh_token", "refresh_token": handle.refresh_token}
        app = (handle.client_id, handle.client_secret)
        keep(requests.post(handle.token_url, data=form, auth=app, timeout=10))
    return told


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    first = session(seed)
    assert len(first) > 20
    assert first == session(seed)


def test_another_seed_gives_another_company() -> None:
    assert session(1) != session(2)
