"""Whatever happens in the company, our copy says the same, whether it was read at once or as a change."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import ar_connectors as ar
from ar_core.model.findings import check_snapshot
from ar_core.segments import latest_rates
from tests.behavior.faces import FACES, Face, opened
from tests.behavior.stories import DAY, Story, an_invoice_in_another_currency, the_past
from tests.faces import each


@pytest.mark.parametrize(("face", "story"), each(lambda one: one.stories), indirect=["face"])
def test_a_story_is_read_as_a_change(face: Face, story: Story) -> None:
    read_as_a_change(face, story)


@pytest.mark.parametrize(
    ("discreet_face", "story"),
    each(lambda one: [story for story in one.stories if one.discreet and story not in one.touching]),
    indirect=["discreet_face"],
)
def test_a_story_is_read_as_a_change_also_where_only_what_was_changed_itself_has_a_new_version(
    discreet_face: Face, story: Story
) -> None:
    read_as_a_change(discreet_face, story)


@pytest.fixture
def discreet_face(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Face]:
    """Nobody documents that a payment gives what it settles a new version, or a void the payments it frees."""
    with opened(request.param, tmp_path, monkeypatch, touch_links=False) as made:
        yield made


def read_as_a_change(face: Face, story: Story) -> None:
    face.change(the_past)
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
    assert check_snapshot(face.snapshot()) == []


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


@pytest.mark.parametrize(
    "face",
    [
        name
        for name, one in sorted(FACES.items())
        if "rates" not in one.shown.untold and an_invoice_in_another_currency in one.stories
    ],
    indirect=True,
)
def test_the_rates_on_documents_are_the_rates_of_the_snapshot(face: Face) -> None:
    face.change(an_invoice_in_another_currency)
    face.sync()
    snapshot = face.snapshot()
    base = snapshot.organization.base_currency if snapshot.organization else None
    assert base == "USD"
    (newest,) = [one for one in snapshot.rates if one.as_of == DAY and one.currency == "EUR"]
    assert newest.rate in {Decimal("1.0845"), Decimal("1.09")}, "neither the invoice's rate nor the payment's"
    assert latest_rates(snapshot, base)["EUR"] == newest.rate
