"""Every example is a program that runs: against the emulator, as a user would start it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet

import ar_connectors as ar
from ar_connectors.testkit.server import Handle, start_quickbooks
from examples import promise_writeback, scheduled_sync, webhook_receiver

KEY = Fernet.generate_key().decode()


@pytest.fixture
def erp() -> Iterator[Handle]:
    """A small company whose clock runs with the machine's."""
    with start_quickbooks(invoices=60, seed=5) as handle:
        yield handle


@pytest.fixture
def url(erp: Handle, tmp_path: Path) -> str:
    """A store that is connected to it."""
    url = f"sqlite:///{tmp_path}/ar.db"
    store = ar.open_store(url, key=KEY)
    ar.connect(
        "quickbooks",
        tenant=erp.tenant,
        store=store,
        credentials=ar.ClientCredentials(erp.client_id, erp.client_secret),
        tokens=ar.TokenSet(erp.access_token, erp.refresh_token),
        endpoints=ar.Endpoints(erp.base_url, erp.token_url),
        settings={"time_zone": "America/New_York"},
    ).close()
    store.close()
    return url


def test_the_quickstart_goes_from_nothing_to_a_delivered_promise(repo_root: Path) -> None:
    program = repo_root / "examples" / "quickstart.py"
    assert len(program.read_text().splitlines()) <= 60
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, cwd=repo_root, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "record_promise: confirmed, Attachable note on Invoice" in done.stdout


def test_the_scheduled_sync_can_be_started_twice_and_says_how_it_ended(url: str, erp: Handle) -> None:
    assert scheduled_sync.run(url, KEY) == 0
    calls = erp.stats.total
    assert scheduled_sync.run(url, KEY) == 0
    assert erp.stats.total - calls == 1  # nothing changed: one question
    erp.faults.add("grant_revoked")
    assert scheduled_sync.run(url, KEY) == 4  # a person must connect again


def test_the_scheduled_sync_explains_itself_when_misused(repo_root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "examples/scheduled_sync.py"],
        capture_output=True,
        text=True,
        cwd=repo_root,
        check=False,
    )
    assert done.returncode == 2
    assert "Exit codes" in done.stderr


def test_a_call_outcome_becomes_a_promise_in_the_erp(url: str, erp: Handle) -> None:
    scheduled_sync.run(url, KEY)
    store = ar.open_store(url, key=KEY)
    snapshot = store.snapshot(store.connections()[0].id)
    invoice = next(one for one in snapshot.invoices if one.balance_due and one.number)
    day = datetime.now(UTC).date() + timedelta(days=5)
    receipt = promise_writeback.promised(
        store, str(invoice.number), day, Decimal("12.34"), "on the next run", datetime.now(UTC)
    )
    store.close()
    assert receipt.state is ar.WriteState.CONFIRMED
    assert not receipt.degraded
    notes = [note.text or "" for note in erp.ledger.notes.values()]
    assert any("12.34" in text and "on the next run" in text for text in notes)


@pytest.fixture
def listening(url: str, request: pytest.FixtureRequest) -> Iterator[tuple[Any, int]]:
    """The receiver for a platform, with the key that ends and the new one: its doorbell and its port."""
    store = ar.open_store(url, key=KEY)
    doorbell = webhook_receiver.Doorbell(request.param, store, pause=0)
    server = webhook_receiver.serve(doorbell, request.param, ["old", "verifier"], 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield doorbell, server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(10)
    store.close()


def signed(body: bytes, key: str = "verifier") -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def post(port: int, body: bytes, headers: dict[str, str]) -> int:
    return requests.post(f"http://127.0.0.1:{port}/", data=body, headers=headers, timeout=10).status_code


@pytest.mark.parametrize("listening", ["quickbooks"], indirect=True)
def test_the_webhook_receiver_syncs_for_a_genuine_ring_and_turns_others_away(
    listening: tuple[Any, int], url: str, erp: Handle
) -> None:
    doorbell, port = listening
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "intuit",
        "type": "qbo.invoice.updated.v1",
        "time": "2026-11-02T09:00:00.000000001Z",
        "intuitentityid": "1",
        "intuitaccountid": erp.tenant,
        "data": {},
    }
    body = json.dumps([event]).encode()
    assert post(port, body, {"intuit-signature": "forged"}) == 401
    assert post(port, body + b" ", {"intuit-signature": signed(body)}) == 401
    assert post(port, body, {}) == 401
    assert doorbell._rang == set()
    assert post(port, body, {"intuit-signature": signed(body, "old")}) == 200, "until it is replaced"
    assert post(port, body, {"intuit-signature": signed(body)}) == 200
    doorbell.work(rounds=1)
    store = ar.open_store(url, key=KEY)
    assert store.snapshot(store.connections()[0].id).invoices
    store.close()


@pytest.mark.parametrize("listening", ["xero"], indirect=True)
def test_the_webhook_receiver_answers_xeros_probes_by_the_signature_alone(listening: tuple[Any, int]) -> None:
    doorbell, port = listening
    probe = json.dumps(
        {"events": [], "firstEventSequence": 0, "lastEventSequence": 0, "entropy": "E"}
    ).encode()
    assert post(port, probe, {"x-xero-signature": signed(probe)}) == 200
    assert post(port, probe, {"x-xero-signature": signed(probe, "other")}) == 401
    strange = b"genuine, and no JSON"
    assert post(port, strange, {"x-xero-signature": signed(strange)}) == 200
    assert doorbell._rang == set()


@pytest.mark.parametrize("listening", ["quickbooks"], indirect=True)
@pytest.mark.parametrize(
    ("length", "status"), [("-1", b"400"), ("many", b"400"), ("", b"400"), ("99999999999", b"413")]
)
def test_the_webhook_receiver_reads_nothing_that_has_no_sensible_length(
    listening: tuple[Any, int], length: str, status: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", listening[1]), timeout=10) as client:
        client.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        assert client.recv(100).split()[1] == status


def test_an_aging_list_becomes_a_worklist_in_fifteen_lines(repo_root: Path) -> None:
    lines = (repo_root / "examples" / "aging_list.py").read_text().splitlines()
    assert sum(bool(line) and not line.startswith(("#", '"""')) for line in lines) <= 15
    done = subprocess.run(
        [sys.executable, "examples/aging_list.py"],
        capture_output=True,
        text=True,
        cwd=repo_root,
        check=True,
        timeout=60,
    )
    lines = done.stdout.splitlines()
    assert len(lines) >= 4
    assert any(line.split()[1:3] == ["1004", "write_off_review"] for line in lines)
