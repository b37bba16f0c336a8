"""What the kills have in common: a nursery of workers, and every platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.nursery import Nursery, nursery
from tests.faces import FACES
from tests.faces.platform import Platform


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Starts workers; one for all tests of a process, because it takes a second to import everything."""
    with nursery(tmp_path_factory.mktemp("nursery")) as made:
        yield made


@pytest.fixture(params=sorted(FACES))
def platform(request: pytest.FixtureRequest) -> Platform:
    return FACES[request.param]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ar.db"
    found: str = request.getfixturevalue("postgres_url")
    return found
