"""What Xero tells on its own: proven by its signature, in every category, and read as one change however many events come."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.errors import AuthError, ConfigurationError, ContractError
from ar_connectors.xero.pull import STREAMS
from ar_connectors.xero.webhooks import receive, streams_of, verify
from ar_core.model import RecordKind
from tests.behavior.faces import Face, opened
from tests.behavior.stories import an_invoice_is_paid
from tests.http.little_server import LittleServer

KEY = "a key of the app"
TENANT = "11111111-1111-4111-8111-111111111111"


def signed(body: bytes, key: str = KEY) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def event(category: str, verb: str = "UPDATE", number: int = 1, **more: Any) -> dict[str, Any]:
    identity = f"00000000-0000-4000-8000-{number:012}"
    return {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/{category}/{identity}",
        "resourceId": identity,
        "tenantId": TENANT,
        "tenantType": "ORGANISATION",
        "eventCategory": category,
        "eventType": verb,
        "eventDateUtc": "2026-11-20T17:00:00.123",
        **more,
    }


def body_of(*events: dict[str, Any]) -> bytes:
    return json.dumps(
        {"events": events, "firstEventSequence": 1, "lastEventSequence": 9, "entropy": "XYZ"}
    ).encode()


@pytest.mark.parametrize(
    ("category", "kind", "verb"),
    [
        ("INVOICE", RecordKind.INVOICE, "CREATE"),
        ("CONTACT", RecordKind.CUSTOMER, "UPDATE"),
        ("CREDITNOTE", RecordKind.CREDIT_NOTE, "UPDATE"),
        ("PREPAYMENT", RecordKind.PAYMENT, "CREATE"),
        ("OVERPAYMENT", RecordKind.PAYMENT, "UPDATE"),
        ("SUBSCRIPTION", None, "CREATE"),
        ("SOMETHING NEW", None, "RENAME"),
    ],
)
def test_every_category_is_read(category: str, kind: RecordKind | None, verb: str) -> None:
    body = body_of(event(category, verb, data={"type": "x", "status": "y"}))
    (told,) = receive(body, signed(body), KEY, tenant=TENANT)
    assert (told.entity, told.kind, told.raw_verb, told.tenant) == (category, kind, verb, TENANT)
    assert told.verb == {"CREATE": "created", "UPDATE": "updated"}.get(verb, "unknown")
    assert told.occurred_at is not None
    assert told.occurred_at.isoformat() == "2026-11-20T17:00:00.123000+00:00"


def test_a_probe_of_the_intent_to_receive_is_answered_by_its_signature_alone() -> None:
    probe = body_of()
    assert receive(probe, signed(probe), KEY) == ()
    for wrong in (signed(probe, "another key"), signed(probe + b" "), "", None, "not base64 \u00fc"):
        assert not verify(probe, wrong, KEY)
        with pytest.raises(AuthError, match="does not match"):
            receive(probe, wrong, KEY)


def test_what_is_of_another_company_or_no_notification_is_refused() -> None:
    body = body_of(event("INVOICE"))
    with pytest.raises(ConfigurationError, match="is about company"):
        receive(body, signed(body), KEY, tenant="another")
    for wrong in (
        b"",
        b"[]",
        b"{}",
        b'{"events":{}}',
        b'{"events":[1]}',
        body_of({"eventCategory": "INVOICE"}),
    ):
        with pytest.raises(ContractError):
            receive(wrong, signed(wrong), KEY)


def test_many_events_are_one_reading_of_each_list_they_are_about() -> None:
    def asked(*categories: str) -> tuple[str, ...]:
        body = body_of(*(event(one, number=number) for number, one in enumerate(categories)))
        return streams_of(receive(body, signed(body), KEY))

    known = {one.name for one in STREAMS}
    settling = ("payments", "prepayments", "overpayments", "credit_notes", "invoices")
    assert asked(*["INVOICE"] * 200) == settling
    assert asked("CONTACT", "CONTACT") == ("contacts",)
    assert asked("CREDITNOTE", "CONTACT") == ("credit_notes", "invoices", "contacts")
    assert asked("SUBSCRIPTION") == ()
    assert set(asked("SOMETHING NEW")) == {*settling, "contacts"} <= known


@pytest.fixture
def face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    with opened("xero", tmp_path, monkeypatch) as made:
        yield made


def test_what_an_event_asks_for_brings_the_change(face: Face) -> None:
    face.sync()
    service = face.emulator.service
    with LittleServer() as hook:
        service.notify(hook.url)
        before = len(hook.heard)
        face.change(an_invoice_is_paid)
        service.notify(hook.url)
        heard = hook.heard[before:]
    events = [
        one
        for told in heard
        for one in receive(told.body, told.headers["x-xero-signature"], service.notifier.key)
    ]
    assert len(events) > 1
    face.emulator.stats.reset()
    assert ar.sync(face.connection, face.store, streams=streams_of(events)).complete
    assert face.differences() == []
    assert face.emulator.stats.total <= 7
