"""One story, every face: what happened in the company becomes equal records, whichever platform it was read from, but for what a
platform cannot express or expresses in its own way. Those are listed, with the reason, and a line too many is an error as well."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest

from tests.behavior.faces import FACES, opened
from tests.behavior.one_form import Form, form_of, unequal, visible
from tests.behavior.stories import STORIES

PAIRS = list(combinations(sorted(name for name, one in FACES.items() if one.shares_books), 2))
COMMON = tuple(
    story for story in STORIES if all(story in FACES[name].stories for pair in PAIRS for name in pair)
)
"""Stories that can happen on all of them."""


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Form]:
    """What was read from a platform after all stories that they have in common, each read once."""
    read: dict[str, Form] = {}

    def of(name: str) -> Form:
        if name not in read:
            with (
                pytest.MonkeyPatch.context() as monkeypatch,
                opened(name, tmp_path_factory.mktemp(name), monkeypatch) as face,
            ):
                for story in COMMON:
                    face.change(story)
                face.sync()
                read[name] = form_of(face)
        return read[name]

    return of


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_the_records_of_one_story_are_equal(form: Callable[[str], Form], pair: tuple[str, str]) -> None:
    hidden = {one for name in pair for one in FACES[name].unlike}
    first, second = (visible(form(name), hidden) for name in pair)
    assert unequal(first, second) == {}
    for topic in ("customer", "contact", "invoice", "line", "credit note", "payment", "settled by payment"):
        assert first[topic], f"nothing was compared: no {topic}"


@pytest.mark.parametrize("name", sorted({name for pair in PAIRS for name in pair}))
def test_what_a_platform_is_said_to_tell_otherwise_it_does(form: Callable[[str], Form], name: str) -> None:
    """Or the list would hide more than it must."""
    others = [other for pair in PAIRS if name in pair for other in pair if other != name]
    different = {key for other in others for key in unequal(form(name), form(other))}
    assert set(FACES[name].unlike) <= different
