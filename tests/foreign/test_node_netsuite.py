"""netsuite-rest, written by others in another language, finds the emulator indistinguishable where it looks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.testkit.server import NetSuiteHandle, start_netsuite

HERE = Path(__file__).resolve().parent

pytestmark = pytest.mark.foreign


@pytest.fixture(scope="module")
def emulator() -> Iterator[NetSuiteHandle]:
    with start_netsuite(
        invoices=1100, seed=5
    ) as handle:  # on a clock that runs: the client signs with the machine's
        yield handle


@pytest.fixture(scope="module")
def before(emulator: NetSuiteHandle) -> Any:
    return emulator.truth()


@pytest.fixture(scope="module")
def seen(emulator: NetSuiteHandle, before: Any, program: Callable[..., str]) -> dict[str, Any]:
    """What netsuite-rest got."""
    assert before.invoices  # the facts are taken down before it changes anything
    node = program("node", "nodejs")
    if not (HERE / "node_modules" / "netsuite-rest").is_dir():
        pytest.skip("netsuite-rest is not installed: make foreign")
    outcome = subprocess.run(
        [node, "drive_netsuite.js", json.dumps(emulator.as_json())],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    found: dict[str, Any] = json.loads(outcome.stdout)
    return found


def test_it_signs_and_pages_through_suiteql(seen: dict[str, Any], before: Any) -> None:
    open_ones = {identity: Decimal(amount) for identity, amount in seen["open"]}
    assert open_ones == {identity: one.open for identity, one in before.open_invoices.items()}
    assert len(seen["open"]) == len(open_ones)
    assert int(seen["count"]) == before.invoices
    assert seen["streamed"] == 30


def test_it_reads_records_and_what_there_is(seen: dict[str, Any], before: Any) -> None:
    identity, remaining, lines = seen["invoice"]
    assert Decimal(str(remaining)) == before.open_invoices[identity].open
    assert lines >= 1
    assert {"invoice", "customer"} <= set(seen["types"])
    assert seen["time"].endswith("Z")


def test_it_writes_and_takes_no_body_for_an_answer(seen: dict[str, Any], emulator: NetSuiteHandle) -> None:
    assert seen["patched"] is None
    assert seen["called"] is None
    assert emulator.ledger.invoices[seen["invoice"][0]].expected == date(2026, 12, 24)
    assert "Promised for Christmas" in emulator.truth().notes.values()


def test_it_understands_how_it_is_refused(seen: dict[str, Any]) -> None:
    assert (seen["missing"]["status"], seen["missing"]["code"]) == (400, "USER_ERROR")
    assert (
        "Unknown identifier 'not_existing_field'. Available identifiers are: {customer=customer}"
        in seen["column"]["detail"]
    )
    assert (seen["stranger"]["status"], seen["stranger"]["code"]) == (401, "INVALID_LOGIN")
