"""Whatever happens in the company, our copy says the same, whether it was read at once or as a change."""

from __future__ import annotations

import pytest

import ar_connectors as ar
from tests.behavior.faces import Face
from tests.behavior.stories import Story
from tests.faces import each


@pytest.mark.parametrize(("face", "story"), each(lambda one: one.stories), indirect=["face"])
def test_a_story_is_read_as_a_change(face: Face, story: Story) -> None:
    face.sync()
    assert face.differences() == []
    face.change(story)
    report = face.sync()
    assert report.complete
    assert report.quarantined == 0
    assert face.differences() == []


def test_all_stories_are_read_at_once(face: Face) -> None:
    for story in face.platform.stories:
        face.change(story)
    report = face.sync()
    assert report.quarantined == 0
    assert face.differences() == []


def test_all_stories_one_after_the_other_with_a_sync_after_each_and_balances_that_agree(face: Face) -> None:
    for story in face.platform.stories:
        face.change(story)
        face.sync()
    assert face.differences() == []
    result = ar.reconcile(face.connection, face.store)
    assert result.agrees, result.to_json()
    assert result.differences == ()
    assert result.compared > 3


def test_a_full_run_and_a_sweep_change_nothing(face: Face) -> None:
    for story in face.platform.stories:
        face.change(story)
    face.sync()
    before = face.snapshot()
    full = face.sync(full=True)
    assert full.updated == full.inserted == full.tombstoned == 0
    assert full.swept is not None
    assert full.swept.tombstoned == 0
    assert face.snapshot() == before
    assert face.differences() == []
