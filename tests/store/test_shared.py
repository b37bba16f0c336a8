"""What do several workers share? Budgets, tokens, migrations; and the codec that all of them read with."""

from __future__ import annotations

import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

import ar_core as core
from ar_connectors.errors import ConfigurationError, ConflictError
from ar_connectors.store import Store, open_store
from ar_connectors.store.codec import decode_record, encode_record
from tests.store.conftest import KEY, Ticks

MINUTE = timedelta(minutes=1)


def test_a_rate_is_kept_and_the_wait_is_exact(store: Store, clock: Ticks) -> None:
    rates = [(2, timedelta(seconds=10))]
    for _ in range(2):
        assert store.reserve_call("realm", rates, 9, MINUTE).slot is not None
        clock.advance(seconds=1)
    refused = store.reserve_call("realm", rates, 9, MINUTE)
    assert (refused.slot, refused.wait, refused.reason) == (None, timedelta(seconds=8), "rate")
    clock.advance(seconds=8)
    assert store.reserve_call("realm", rates, 9, MINUTE).slot is not None
    assert store.reserve_call("another", rates, 9, MINUTE).slot is not None


def test_slots_come_back_when_released_or_when_their_holder_dies(store: Store, clock: Ticks) -> None:
    first = store.reserve_call("realm", [], 1, MINUTE)
    assert store.reserve_call("realm", [], 1, MINUTE).reason == "in_flight"
    store.release_call(first)
    assert store.reserve_call("realm", [], 1, MINUTE).slot is not None
    clock.advance(minutes=2)
    assert store.reserve_call("realm", [], 1, MINUTE).slot is not None


def test_a_block_is_only_ever_prolonged(store: Store, clock: Ticks) -> None:
    until = clock.now() + timedelta(seconds=60)
    store.block_until("realm", until)
    store.block_until("realm", clock.now() + timedelta(seconds=5))
    refused = store.reserve_call("realm", [], 9, MINUTE)
    assert (refused.wait, refused.reason) == (timedelta(seconds=60), "server")
    clock.advance(seconds=60)
    assert store.reserve_call("realm", [], 9, MINUTE).slot is not None


def test_tokens_are_encrypted_and_swapped_only_by_version(store: Store, url: str, clock: Ticks) -> None:
    assert store.load_tokens("c") is None
    assert store.save_tokens("c", {"refresh_token": "s3cret-token"}, 0) == 1
    with pytest.raises(ConflictError):
        store.save_tokens("c", {"refresh_token": "other"}, 0)
    assert store.save_tokens("c", {"refresh_token": "next"}, 1) == 2
    with pytest.raises(ConflictError):
        store.save_tokens("c", {"refresh_token": "late"}, 1)
    assert store.load_tokens("c") == ({"refresh_token": "next"}, 2)
    if url == "sqlite://":
        return
    engine = create_engine(url)
    with engine.connect() as connection:
        (body,) = connection.execute(text("SELECT body FROM tokens")).one()
    engine.dispose()
    assert b"next" not in bytes(body)
    other = open_store(url, clock=clock, key=Fernet.generate_key())
    with pytest.raises(ConfigurationError, match="another key"):
        other.load_tokens("c")
    other.close()
    keyless = open_store(url, clock=clock)
    with pytest.raises(ConfigurationError, match="without a key"):
        keyless.save_tokens("c", {}, 2)
    keyless.close()


def test_a_store_can_be_opened_by_many_at_once(postgres_url: str, tmp_path: Path) -> None:
    for url in (postgres_url, f"sqlite:///{tmp_path}/many.db"):

        def opened(_: int, url: str = url) -> int:
            store = open_store(url, key=KEY)
            store.add_connection("quickbooks:1", "quickbooks", "1", {"time_zone": "UTC"})
            found = len(store.connections())
            store.close()
            return found

        open_store(url).close()
        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(opened, range(6))) == {1}


def test_a_store_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    open_store(f"sqlite:///{file}").close()
    with sqlite3.connect(file) as raw:
        raw.execute("INSERT INTO schema_version VALUES (999, 0)")
    raw.close()
    with pytest.raises(ConfigurationError, match="schema 999"):
        open_store(f"sqlite:///{file}")


@pytest.mark.parametrize("url", ["mysql://x/y", "no url at all", "sqlite:////nowhere/at/all.db"])
def test_what_is_no_store_says_so(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_store(url)


def _spend(url: str, count: int, results: Any) -> None:
    store = open_store(url)
    got = 0
    for _ in range(count):
        reservation = store.reserve_call("realm", [(1000, MINUTE)], 3, MINUTE)
        if reservation.slot is not None:
            got += 1
    results.put(got)
    store.close()


def test_four_processes_never_hold_more_slots_than_there_are(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ar.db"
    open_store(url).close()
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_spend, args=(url, 10, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    got = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert sum(got) == 3


amounts = st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**20), max_value=10**20)
texts = st.text(alphabet=st.characters(exclude_categories=[]), max_size=20)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    amount=amounts,
    memo=st.none() | texts,
    lines=st.lists(st.tuples(amounts, st.none() | texts), max_size=3),
    instant=st.none() | st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001
)
def test_a_record_reads_back_as_it_was_and_as_a_validated_one(
    amount: Decimal, memo: str | None, lines: list[tuple[Decimal, str | None]], instant: datetime | None
) -> None:
    record = core.Invoice(
        id="quickbooks:1:invoice:1",
        source=core.Source(
            platform="quickbooks",
            tenant="1",
            kind="Invoice",
            remote_id="1",
            updated_at=instant.replace(tzinfo=UTC) if instant else None,
        ),
        total=amount,
        balance_due=amount,
        memo=memo,
        document_status=core.DocumentStatus.POSTED,
        lines=tuple(
            core.Line(amount=value, description=words, kind=core.LineKind.ITEM) for value, words in lines
        ),
    )
    again = decode_record("invoice", encode_record(record))
    assert again == record
    assert str(again.total) == str(amount)
    assert hash(again) == hash(record)
    assert type(again.document_status) is core.DocumentStatus
