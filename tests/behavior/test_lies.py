"""Would we notice if a platform, or our reading of it, were wrong? Five wrong emulators, each of which must be caught."""

from __future__ import annotations

import pytest

from ar_connectors.testkit.quickbooks.lies import LIES
from tests.behavior.faces import Face
from tests.behavior.stories import STORIES

CAUGHT_BY = {
    "date_shifted": {"invoice"},
    "sign_flipped": {"invoice", "open balance", "settlement"},
    "allocation_dropped": {"allocation"},
    "void_as_paid": {"invoice", "settlement"},
    "currency_swapped": {"invoice", "open balance"},
}
"""Topics of the comparison in which the lie shows, at least."""


def test_every_lie_has_its_line_here() -> None:
    assert set(CAUGHT_BY) == set(LIES)


@pytest.mark.parametrize("lie", sorted(LIES))
def test_a_wrong_emulator_is_caught(face: Face, lie: str) -> None:
    for story in STORIES:
        face.change(story)
    with face.emulator.service.lock:
        face.emulator.lies.tell(lie)
    face.sync()
    wrong = face.differences()
    topics = {topic for topic in CAUGHT_BY[lie] if any(one.startswith(f"{topic} ") for one in wrong)}
    assert topics == CAUGHT_BY[lie], wrong[:5]
    with face.emulator.service.lock:
        face.emulator.lies.tell()
    face.sync(full=True)
    assert face.differences() == [], "the truth did not replace the lie"
