"""One story, another face: what happens in the company is read from Xero as the books say, adapter and emulator written apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.behavior.faces import Face, opened
from tests.behavior.stories import Story
from tests.behavior.test_stories import read_as_a_change
from tests.faces.xero import XERO


@pytest.fixture
def xero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A company of sixty invoices at Xero and our empty copy of it."""
    with opened(XERO, tmp_path, monkeypatch) as made:
        yield made


@pytest.mark.parametrize("story", XERO.stories, ids=lambda story: story.__name__)
def test_a_story_is_read_from_xero_as_a_change(xero: Face, story: Story) -> None:
    read_as_a_change(xero, story)


def test_all_stories_are_read_from_xero_at_once(xero: Face) -> None:
    for story in XERO.stories:
        xero.change(story)
    assert xero.sync().quarantined == 0
    assert xero.differences() == []


@pytest.mark.parametrize("lie", sorted(XERO.lies))
def test_a_lie_of_xero_is_noticed(xero: Face, lie: str) -> None:
    for story in XERO.stories:
        xero.change(story)
    xero.emulator.lies.tell(lie)
    xero.sync()
    topics = {one.partition(" xero:")[0].partition(" (")[0] for one in xero.differences()}
    assert XERO.lies[lie] <= topics
