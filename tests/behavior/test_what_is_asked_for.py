"""What stands in the head of everything we send: JSON and compression asked for, and nothing of the machine it runs on."""

from __future__ import annotations

import platform as machine
from typing import Any

import requests
from requests.adapters import HTTPAdapter

import ar_connectors as ar
from tests.behavior.faces import Face
from tests.behavior.stories import an_old_invoice_is_paid_in_part
from tests.faces.collecting import a_debtor, a_week, debtor


def test_every_call_asks_for_compressed_json_and_says_who_it_is(face: Face) -> None:
    """QuickBooks and Xero answer in XML without it, and so do their emulators."""
    sent: list[requests.PreparedRequest] = []
    real = HTTPAdapter.send

    def send(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        sent.append(request)
        return real(self, request, **options)

    face.monkeypatch.setattr(HTTPAdapter, "send", send)
    face.change(a_debtor)
    face.sync()
    ar.record(face.store, a_week(debtor(face.snapshot())))
    for _ in range(12):
        ar.deliver(face.connection, face.store)
        face.clock.sleep(4000)  # the access token grows old meanwhile
    assert {str(one.state) for one in face.store.receipts(face.id)} == {"confirmed"}
    face.change(an_old_invoice_is_paid_in_part)
    face.sync()
    ar.reconcile(face.connection, face.store)
    ar.sweep(face.connection, face.store, force=True)
    assert len(sent) == face.emulator.stats.total
    assert {one.method for one in sent} >= {"GET", "POST"}
    assert any(one.url == face.emulator.token_url for one in sent)
    for one in sent:
        assert "application/json" in one.headers["Accept"], (one.method, one.url)
        assert one.headers["Accept-Encoding"] == "gzip"
        assert one.headers["User-Agent"].startswith("ar-connectors/")
        assert machine.node() not in str(one.headers)
        assert "Cookie" not in one.headers
