"""Every test of this folder runs on every platform we speak."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.behavior.faces import FACES, Face, opened


@pytest.fixture(params=sorted(FACES))
def face(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A company of sixty invoices and our empty copy of it."""
    with opened(request.param, tmp_path, monkeypatch) as made:
        yield made
