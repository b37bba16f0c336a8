"""What does a sync cost? Counted by the emulator, not by us."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ar_connectors.events import Event, StreamFinished, StreamSized
from ar_connectors.testkit.ledger import Ledger
from tests.behavior.faces import FACES, Face, opened
from tests.behavior.stories import an_invoice_is_deleted, an_old_invoice_is_paid_in_part


@pytest.fixture(params=sorted(FACES))
def large(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A company of 2,300 invoices."""
    with opened(request.param, tmp_path, monkeypatch, invoices=2300) as made:
        yield made


def api_calls(face: Face) -> list[str]:
    """Operations that were asked for since the counters were reset, token calls left out."""
    return [one.operation for one in face.emulator.stats.log if not one.operation.startswith("token")]


def test_a_first_load_keeps_to_its_calls(large: Face) -> None:
    events: list[Event] = []
    report = large.sync(progress=events.append)
    told = {one.stream: one.rows for one in events if isinstance(one, StreamSized)}
    came = {one.stream: one.rows for one in events if isinstance(one, StreamFinished)}
    assert told.items() <= came.items(), "a progress bar would not end where the stream does"
    assert told or not large.platform.counts_first
    calls = api_calls(large)
    assert len(calls) <= large.platform.calls.first_load(large.ledger), calls
    assert report.cost.calls == len(calls)
    assert report.cost.metered_units == large.emulator.stats.metered
    assert large.differences() == []
    assert large.emulator.stats.max_in_flight <= large.platform.max_in_flight


def test_an_idle_run_costs_next_to_nothing(face: Face) -> None:
    face.sync()
    face.sync()
    face.clock.sleep(600)
    face.emulator.stats.reset()
    report = face.sync()
    assert len(api_calls(face)) == report.cost.calls == face.platform.calls.idle
    assert report.inserted == report.updated == report.tombstoned == 0


def a_few_changes(ledger: Ledger) -> None:
    an_old_invoice_is_paid_in_part(ledger)
    an_invoice_is_deleted(ledger)


def test_a_run_with_changes_adds_one_call_for_each_touched_kind(face: Face) -> None:
    face.sync()
    face.sync()
    face.change(a_few_changes)
    face.emulator.stats.reset()
    face.sync()
    calls = api_calls(face)
    by_id = face.platform.calls.by_id
    assert len([one for one in calls if not by_id(one)]) <= face.platform.calls.feeds, calls
    queries = [one for one in calls if by_id(one)]
    assert len(queries) == len(set(queries)), "a kind was asked for twice"
    assert face.differences() == []


def test_what_was_told_before_is_not_asked_for_again(face: Face) -> None:
    for story in face.platform.stories:
        face.change(story)
    face.sync()
    face.sync()
    face.emulator.stats.reset()
    face.sync()
    assert len(api_calls(face)) == face.platform.calls.idle


def test_events_in_the_overlap_cost_nothing_twice(face: Face) -> None:
    face.sync()
    with face.emulator.service.lock:
        a_few_changes(face.ledger)
    face.sync()
    face.clock.sleep(30)  # still within the overlap of the feed
    face.emulator.stats.reset()
    report = face.sync()
    assert len(api_calls(face)) == face.platform.calls.idle
    assert report.updated == 0
    assert face.differences() == []
