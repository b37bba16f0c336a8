"""Would we notice if a platform, or our reading of it, were wrong? Five wrong emulators, each of which must be caught."""

from __future__ import annotations

import pytest

from tests.behavior.faces import Face
from tests.faces import each


def test_every_lie_has_its_line(face: Face) -> None:
    assert sorted(face.platform.lies) == face.emulator.lies.names
    assert len(face.platform.lies) >= 5


@pytest.mark.parametrize(("face", "lie"), each(lambda one: one.lies), indirect=["face"])
def test_a_wrong_emulator_is_caught(face: Face, lie: str) -> None:
    for story in face.platform.stories:
        face.change(story)
    with face.emulator.service.lock:
        face.emulator.lies.tell(lie)
    face.sync()
    wrong = face.differences()
    topics = {topic for topic in face.platform.lies[lie] if any(one.startswith(f"{topic} ") for one in wrong)}
    assert topics == face.platform.lies[lie], wrong[:5]
    with face.emulator.service.lock:
        face.emulator.lies.tell()
    face.sync(full=True)
    assert face.differences() == [], "the truth did not replace the lie"
