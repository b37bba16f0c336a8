"""The emulator's bodies beside those of the real service: the same words, keys and kinds of values. The latter are not ours to copy;
they are read from where AR_SHARED_DIR says, if it says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from ar_connectors.testkit.netsuite.start import Handle
from tests.testkit.netsuite.support import Client

Recorded = Callable[[str], Any]


@pytest.fixture
def recorded(shared_dir: Path) -> Recorded:
    """A body by the name of its file."""

    def body(name: str) -> Any:
        return json.loads((shared_dir / "payloads" / f"{name}.json").read_text(encoding="utf-8"))

    return body


def _kind(value: Any) -> Any:
    """What kind of value it is; of objects, which keys they have."""
    if isinstance(value, dict):
        return sorted(value)
    return {int: "number", float: "number", Decimal: "number"}.get(type(value), type(value).__name__)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("error-okkoer-1", "invoice/999999"),
        ("error-okkoer-2", "customer/999999"),
        ("error-okkoer-3", "file"),
    ],
)
def test_recorded_refusals_word_by_word(recorded: Recorded, reader: Client, name: str, path: str) -> None:
    assert reader.send("GET", f"record/v1/{path}").json() == recorded(f"netsuite/{name}")


def test_documented_refusals(recorded: Recorded, books: Handle, reader: Client) -> None:
    answer = requests.get(f"{reader.root}/record/v1/invoice", timeout=10).json()
    assert answer["o:errorDetails"] == recorded("netsuite/error-oracle-1")["o:errorDetails"]
    for fault, name in (("rate_limited", "error-oracle-5"), ("server_error", "error-oracle-6")):
        books.faults.add(fault, on="query term")
        shown, known = reader.suiteql("SELECT id FROM term").json(), recorded(f"netsuite/{name}")
        assert {**shown, "type": "", "o:errorDetails": []} == {**known, "type": "", "o:errorDetails": []}
        assert [one["o:errorCode"] for one in shown["o:errorDetails"]] == [
            one["o:errorCode"] for one in known["o:errorDetails"]
        ]
    malformed = reader.session.patch(f"{reader.root}/record/v1/invoice/1", data="{", timeout=10).json()
    assert malformed["o:errorDetails"] == recorded("netsuite/error-oracle-4")["o:errorDetails"]


def test_pages_have_the_recorded_keys_and_links(recorded: Recorded, reader: Client) -> None:
    known = recorded("netsuite/collection-okkoer-2")
    shown = reader.record("customer", limit=5, offset=10)
    assert list(shown) == list(known)
    assert [sorted(link) for link in shown["links"]] == [sorted(link) for link in known["links"]]
    assert [link["rel"] for link in shown["links"]] == [link["rel"] for link in known["links"]]
    assert [_kind(item) for item in shown["items"]] == [_kind(item) for item in known["items"]]
    known = recorded("netsuite/suiteql-okkoer-1")
    shown = reader.suiteql("SELECT companyname, id FROM customer WHERE id < 6 ORDER BY id").json()
    assert list(shown) == list(known)
    assert [sorted(link) for link in shown["links"]] == [sorted(link) for link in known["links"]]
    assert all(item["links"] == [] for item in shown["items"])


@pytest.mark.parametrize(
    ("name", "shelf", "path"),
    [("invoice-oracle-1", "invoices", "invoice"), ("creditmemo-oracle-1", "credits", "creditMemo")],
)
def test_documents_have_the_fields_of_oracles_examples(
    recorded: Recorded, books: Handle, reader: Client, name: str, shelf: str, path: str
) -> None:
    known = recorded(f"netsuite/{name}")
    identity = next(one.id for one in getattr(books.ledger, shelf).values() if one.open)
    shown = reader.record(f"{path}/{identity}")
    common = set(shown) & set(known) - {"links"}
    assert len(common) >= 15
    for field in common:
        ours, theirs = shown[field], known[field]
        if isinstance(theirs, dict):
            missing = (
                set(theirs) - set(ours) - {"links"}
            )  # examples of different years have links there or have not
            assert not missing, (field, missing)
        else:
            assert _kind(ours) == _kind(theirs), field


def test_fields_of_a_customer_are_those_of_a_sandbox(recorded: Recorded, reader: Client) -> None:
    metadata = recorded("specs/netsuite/customer-metadata-properties")
    known = {name.lower(): one for name, one in metadata["properties"].items()}
    ours = reader.record("metadata-catalog/customer")["properties"]
    standard = {name: one for name, one in ours.items() if not name.startswith("custentity")}
    assert {name for name in standard if name.lower() not in known} == set()
    for name, one in standard.items():
        if "type" in one and one["type"] != "object":
            assert one["type"] == known[name.lower()].get("type"), name
