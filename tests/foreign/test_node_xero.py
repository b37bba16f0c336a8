"""xero-node, the vendor's client for another language, works unchanged against the emulator of Xero."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.server import XeroHandle, start_xero
from ar_connectors.testkit.xero.ids import guid

HERE = Path(__file__).resolve().parent

pytestmark = pytest.mark.foreign


@pytest.fixture(scope="module")
def emulator() -> Iterator[XeroHandle]:
    with start_xero(invoices=230, seed=5, now=DEFAULT_NOW) as handle:
        yield handle


@pytest.fixture(scope="module")
def before(emulator: XeroHandle) -> Any:
    return emulator.truth()


@pytest.fixture(scope="module")
def changed(emulator: XeroHandle, before: Any) -> str:
    """The invoice that changes a moment before the client comes."""
    assert before.invoices  # the facts are taken down before anything changes
    emulator.clock.advance(timedelta(minutes=10))
    return emulator.stories.edit_memo().id


@pytest.fixture(scope="module")
def seen(emulator: XeroHandle, changed: str, program: Callable[..., str]) -> dict[str, Any]:
    """What xero-node got, amounts as Decimal."""
    node = program("node", "nodejs")
    if not (HERE / "node_modules" / "xero-node").is_dir():
        pytest.skip("xero-node is not installed: make foreign")
    ledger = emulator.ledger
    untouched = next(
        one for one in ledger.invoices.values() if one.open and not one.applied and not one.deposit
    )
    voided = next(one for one in ledger.invoices.values() if one.voided)
    access, refresh = emulator.service.authority.grant()
    line = {
        **emulator.as_json(),
        "access_token": access,
        "refresh_token": refresh,
        "since": (emulator.clock.now() - timedelta(minutes=5)).isoformat(),
        "untouched": guid("invoice", untouched.id),
        "voided": guid("invoice", voided.id),
    }
    outcome = subprocess.run(
        [node, "drive_xero.js", json.dumps(line)],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert changed in ledger.invoices
    found: dict[str, Any] = json.loads(outcome.stdout, parse_float=Decimal)
    return found


def test_it_pages_through_every_invoice_with_its_lines(seen: dict[str, Any], before: Any) -> None:
    open_ones = {
        identity: Decimal(due) for identity, due, status, _, _ in seen["invoices"] if status == "AUTHORISED"
    }
    assert open_ones == {guid("invoice", one.id): one.open for one in before.open_invoices.values()}
    days = {
        identity: due[:10] for identity, _, _, due, _ in seen["invoices"] if due and identity in open_ones
    }
    assert days == {guid("invoice", one.id): one.due for one in before.open_invoices.values() if one.due}
    assert all(lines for *_, lines in seen["invoices"])


def test_it_filters_and_asks_for_what_changed(seen: dict[str, Any], before: Any, changed: str) -> None:
    assert set(seen["filtered"]) == {guid("invoice", one) for one in before.open_invoices}
    assert seen["changed"] == [guid("invoice", changed)]
    assert seen["contacts"] == ["O'Neil & Sons"]


def test_it_reads_payments_and_the_company(seen: dict[str, Any], emulator: XeroHandle) -> None:
    parts = sum(
        not one.deleted and one.target[0] == "invoice"
        for payment in emulator.ledger.payments.values()
        for one in emulator.service.view.split(payment).receipts
    )
    assert (seen["payments"], seen["company"]) == (parts, emulator.ledger.settings.name)


def test_it_writes_a_note_once_and_an_expected_date(seen: dict[str, Any], emulator: XeroHandle) -> None:
    assert seen["history"] == ["Promised for Friday"]
    assert list(emulator.truth().notes.values()).count("Promised for Friday") == 1
    assert seen["expected"][:10] == "2026-12-04"
    assert "2026-12-04" in {one.expected for one in emulator.truth().open_invoices.values()}


def test_it_understands_a_refusal(seen: dict[str, Any]) -> None:
    assert seen["refused"]["status"] == 400
    assert "Invoice not of valid status for modification" in json.dumps(seen["refused"]["body"])
    assert seen["missing"]["status"] == 404


def test_it_refreshes_and_goes_on(seen: dict[str, Any], emulator: XeroHandle) -> None:
    assert seen["refreshed"] == [True, True]
    assert emulator.service.groups.named("On stop") is not None
    assert seen["group"] == "On stop"
