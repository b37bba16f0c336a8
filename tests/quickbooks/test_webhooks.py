"""Are notifications proven to be Intuit's, and read in both shapes?"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors import errors
from ar_connectors.quickbooks.webhooks import parse_events, receive, verify
from ar_core.model import RecordKind

TOKEN = "verifier-token"
CLASSIC = {
    "eventNotifications": [
        {
            "realmId": "9341",
            "dataChangeEvent": {
                "entities": [
                    {
                        "id": "129",
                        "operation": "Void",
                        "name": "Invoice",
                        "lastUpdated": "2026-11-23T04:00:00-0800",
                    },
                    {
                        "id": "7",
                        "operation": "Merge",
                        "name": "Customer",
                        "lastUpdated": "2026-11-23T12:00:00Z",
                        "deletedId": "8",
                    },
                ]
            },
        }
    ]
}
CLOUD = [
    {
        "specversion": "1.0",
        "id": "88cd52aa",
        "source": "intuit.x=",
        "type": "qbo.payment.Deleted.v1",
        "time": "2026-11-23T12:00:00.123456789Z",
        "intuitentityid": "33",
        "intuitaccountid": "9341",
        "data": {},
    }
]


def signed(body: bytes, token: str = TOKEN) -> str:
    return base64.b64encode(hmac.new(token.encode(), body, hashlib.sha256).digest()).decode()


def test_both_shapes_say_the_same_kind_of_thing() -> None:
    void, merge = receive((body := json.dumps(CLASSIC).encode()), signed(body), TOKEN, tenant="9341")
    assert (void.entity, void.kind, void.remote_id, void.verb) == (
        "Invoice",
        RecordKind.INVOICE,
        "129",
        "voided",
    )
    assert void.occurred_at == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert (merge.verb, merge.deleted_id) == ("merged", "8")
    [deleted] = receive((body := json.dumps(CLOUD).encode()), signed(body), TOKEN, tenant="9341")
    assert (deleted.entity, deleted.kind, deleted.verb, deleted.event_id) == (
        "Payment",
        RecordKind.PAYMENT,
        "deleted",
        "88cd52aa",
    )
    assert deleted.occurred_at == datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_verb_we_do_not_know_is_kept() -> None:
    [event] = parse_events(json.dumps([{**CLOUD[0], "type": "qbo.invoice.exploded.v2"}]).encode())
    assert (event.verb, event.raw_verb) == ("unknown", "exploded")


@given(st.binary(max_size=200), st.text(min_size=1, max_size=20))
def test_only_the_right_signature_over_the_raw_bytes_passes(body: bytes, token: str) -> None:
    good = signed(body, token)
    assert verify(body, good, token)
    assert not verify(body + b" ", good, token)
    assert not verify(body, good, token + "x")
    assert not verify(body, good[:-2], token)
    assert not verify(body, "", token)
    assert not verify(body, None, token)
    assert not verify(body, "ü" + good, token)


def test_no_verifier_token_proves_nothing() -> None:
    assert not verify(b"{}", signed(b"{}", ""), "")


def test_a_wrong_signature_and_a_wrong_company_are_refused() -> None:
    body = json.dumps(CLASSIC).encode()
    with pytest.raises(errors.AuthError, match="signature"):
        receive(body, signed(body, "other"), TOKEN)
    with pytest.raises(errors.ConfigurationError, match="9341"):
        receive(body, signed(body), TOKEN, tenant="1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"{}",
        b"[1]",
        b'{"eventNotifications":[1]}',
        b'{"eventNotifications":[{"dataChangeEvent":{"entities":[{"id":"1","name":"Invoice","operation":"Create"}]}}]}',
        b'{"eventNotifications":[{"realmId":"1","dataChangeEvent":{"entities":{}}}]}'.replace(b"{}", b"5"),
        json.dumps([{**CLOUD[0], "type": "other.thing"}]).encode(),
        json.dumps([{**CLOUD[0], "intuitentityid": ""}]).encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_no_notification_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(errors.ContractError):
        parse_events(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5) | st.integers(),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["eventNotifications", "realmId", "dataChangeEvent", "entities", "id", "name"]
                ),
                x,
                max_size=3,
            )
        ),
    )
)
def test_any_json_is_read_or_refused(document: Any) -> None:
    with contextlib.suppress(errors.ContractError):
        assert isinstance(parse_events(json.dumps(document).encode()), tuple)


def test_several_keys_prove_while_one_takes_the_place_of_another() -> None:
    body = json.dumps(CLASSIC).encode()
    keys = ["new", "old"]
    for key in keys:
        assert verify(body, signed(body, key), keys)
        assert receive(body, signed(body, key), keys)
    assert not verify(body, signed(body, "third"), keys)
    assert not verify(body, signed(body, "new"), [])
    # An empty one would let everybody in: anyone can sign with it.
    assert not verify(body, signed(body, ""), ["new", ""])
    assert not verify(body, signed(body, ""), "")
