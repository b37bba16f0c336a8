"""A store on each database, with a clock that only moves when told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from ar_connectors.store import Store, open_store

KEY = Fernet.generate_key()


class Ticks:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 2, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)

    def advance(self, **parts: float) -> None:
        self.instant += timedelta(**parts)


@pytest.fixture
def clock() -> Ticks:
    return Ticks()


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ar.db"
    if request.param == "memory":
        return "sqlite://"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def store(url: str, clock: Ticks) -> Iterator[Store]:
    opened = open_store(url, clock=clock, key=KEY)
    yield opened
    opened.close()
