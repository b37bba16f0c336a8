"""Pages that were decoded in another process are the pages that would have been decoded here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.store import open_store
from ar_connectors.syncing import elsewhere
from tests.behavior.faces import KEY, Face
from tests.behavior.stories import an_old_invoice_is_paid_in_part
from tests.sync.helpers import ready_at_once


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the bodies that a helper decoded. Every page is sent to it, and it is ready before the first one."""
    ready_at_once(monkeypatch, many=1, large=1)
    monkeypatch.setattr(elsewhere, "_QUEUE", 1000)
    bodies: list[int] = []
    real = elsewhere._Helper.staged

    def staged(helper: Any, answer: Any) -> Any:
        found = real(helper, answer)
        if found is not None:
            bodies.append(len(answer.body))
        return found

    monkeypatch.setattr(elsewhere._Helper, "staged", staged)
    return bodies


def test_a_first_load_gives_the_same_records(face: Face, helped: list[int], tmp_path: Path) -> None:
    face.small_pages()
    assert face.sync(processes=1).complete
    assert len(helped) > 10, "what is much is decoded elsewhere"
    assert not face.differences()
    with open_store(f"sqlite:///{tmp_path}/here.db", clock=face.clock, key=KEY) as other:
        connection = face.connect(other)
        assert ar.sync(connection, other).complete
        connection.close()
        assert face.snapshot() == other.snapshot(face.id)
        kept = Counter((one.stream, one.kind, len(one.body)) for one in other.raw_bodies(face.id))
    assert kept == Counter((one.stream, one.kind, len(one.body)) for one in face.store.raw_bodies(face.id))


def test_what_changes_later_is_found_by_the_next_run(face: Face, helped: list[int]) -> None:
    face.small_pages()
    assert face.sync(processes=1).complete
    face.change(an_old_invoice_is_paid_in_part)
    before = len(helped)
    report = face.sync(processes=1)
    assert report.complete
    assert not face.differences()
    assert len(helped) - before <= before, "a run that reads little sends little"
