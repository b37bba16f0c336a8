"""node-quickbooks, written by others in another language, finds the emulator indistinguishable where it looks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.testkit.server import Handle, start_quickbooks

HERE = Path(__file__).resolve().parent

pytestmark = pytest.mark.foreign


@pytest.fixture(scope="module")
def emulator() -> Any:
    with start_quickbooks(invoices=1100, seed=5) as handle:
        yield handle


@pytest.fixture(scope="module")
def before(emulator: Handle) -> Any:
    return emulator.truth()


@pytest.fixture(scope="module")
def seen(emulator: Handle, before: Any, program: Callable[..., str]) -> dict[str, Any]:
    """What node-quickbooks got, amounts as Decimal."""
    assert before.invoices  # the facts are taken down before it changes anything
    node = program("node", "nodejs")
    if not (HERE / "node_modules").is_dir():
        pytest.skip("node-quickbooks is not installed: make foreign")
    since = (emulator.clock.now() - timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    line = json.dumps({**emulator.as_json(), "since": since})
    outcome = subprocess.run(
        [node, "drive.js", line], cwd=HERE, capture_output=True, text=True, timeout=120, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    found: dict[str, Any] = json.loads(outcome.stdout, parse_float=Decimal)
    return found


def test_it_pages_through_every_invoice(seen: dict[str, Any], before: Any) -> None:
    assert seen["count"] == before.invoices == len({identity for identity, _, _ in seen["invoices"]})
    balances = {identity: Decimal(balance) for identity, _, balance in seen["invoices"] if balance}
    assert balances == {identity: one.open for identity, one in before.open_invoices.items()}
    assert set(seen["open"]) == set(before.open_invoices)


def test_it_finds_a_name_with_an_apostrophe(seen: dict[str, Any]) -> None:
    assert [one["DisplayName"] for one in seen["customers"]] == ["O'Neil & Sons"]


def test_it_attaches_a_note(seen: dict[str, Any], emulator: Handle) -> None:
    identity, text = seen["note"]
    assert emulator.truth().notes[identity] == text == "Promised for Friday"


def test_it_uploads_a_file_for_an_invoice(seen: dict[str, Any], emulator: Handle) -> None:
    assert seen["file"] == ["statement.txt", True]
    (note,) = [one for one in emulator.ledger.notes.values() if one.file]
    assert note.extra["Size"] == len("as of today")


def test_a_sparse_update_changes_what_it_names(seen: dict[str, Any]) -> None:
    old, new, note, same_total, same_due = seen["changed"]
    assert int(new) == int(old) + 1
    assert (note, same_total, same_due) == ("Called", True, True)


def test_a_stale_token_and_a_missing_record_are_refused(seen: dict[str, Any]) -> None:
    assert seen["stale"] == {"status": 400, "code": "5010"}
    assert seen["missing"] == {"status": 400, "code": "610"}


def test_a_batch_answers_each_item(seen: dict[str, Any], emulator: Handle) -> None:
    active = sum(one.active for one in emulator.ledger.customers.values())
    assert seen["batch"] == [["a", active], ["b", "5010"]]


def test_the_change_feed_has_what_it_did(seen: dict[str, Any]) -> None:
    assert seen["changes"] == ["Invoice", "Attachable"]


def test_it_voids_an_invoice(seen: dict[str, Any], emulator: Handle) -> None:
    assert seen["voided"]["TotalAmt"] == 0
    assert seen["voided"]["PrivateNote"].startswith("Voided")
    assert seen["voided"]["Id"] in emulator.truth().voided


def test_it_refreshes_and_goes_on_with_the_new_token(seen: dict[str, Any], emulator: Handle) -> None:
    assert seen["refreshed"] == [True, True]
    assert emulator.stats.refreshes == 1
    assert (seen["company"], seen["report"]) == (emulator.ledger.settings.name, "AgedReceivables")
