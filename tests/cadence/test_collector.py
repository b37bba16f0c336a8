"""The garbage collector rests during a run, comes back as it was, and what a host froze stays frozen and is counted once."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from ar_core.cadence import collector
from ar_core.cadence.collector import collector_at_rest


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(collector, "_host_freezes", False)
    was_on = gc.isenabled()
    gc.enable()
    yield
    gc.unfreeze()
    (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("on", [True, False])
def test_it_is_off_inside_and_afterwards_as_it_was(on: bool) -> None:
    (gc.enable if on else gc.disable)()
    with collector_at_rest():
        assert not gc.isenabled()
    assert gc.isenabled() is on


def test_it_comes_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), collector_at_rest():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_what_was_made_inside_is_not_walked_as_young_afterwards() -> None:
    with collector_at_rest():
        kept = [[n] for n in range(100)]
        assert gc.get_count()[0] >= 100
    assert gc.get_count()[0] < 100
    assert gc.get_freeze_count() == 0
    assert len(kept) == 100


def test_what_a_host_froze_stays_frozen_and_is_counted_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.freeze()
    asked: list[int] = []
    count = gc.get_freeze_count

    def counted() -> int:
        asked.append(1)
        return count()

    monkeypatch.setattr(gc, "get_freeze_count", counted)
    for _ in range(3):
        with collector_at_rest():
            pass
    assert count() > 0
    assert len(asked) == 1, "counting walks every frozen object"
