"""Real processes on one real store: one refresh for all of them, whatever happens to the one that does it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ar_connectors.auth import TokenSet, Vault, new_key
from ar_connectors.clock import SystemClock
from ar_connectors.store import Store, open_store
from tests.auth.little_platform import LittlePlatform

ID = "quickbooks:42"


@pytest.fixture
def platform() -> Iterator[LittlePlatform]:
    with LittlePlatform() as running:
        yield running


class Office:
    """A store, a platform, and workers of them."""

    def __init__(self, url: str, platform: LittlePlatform, root: Path) -> None:
        self.url, self.key, self.platform, self._root = url, new_key(), platform, root
        now = SystemClock().now()
        expired = TokenSet(
            "access-token-0", "refresh-token-0", now - timedelta(hours=2), now - timedelta(hours=1)
        )
        with self.store() as store:
            store.save_tokens(ID, expired.to_document(), 0)

    def store(self) -> _Closing:
        return _Closing(open_store(self.url, key=Vault(self.key)))

    def saved(self) -> TokenSet:
        with self.store() as store:
            found = store.load_tokens(ID)
        assert found is not None
        return TokenSet.from_document(found[0])

    def start(self, owner: str, point: str = "never") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.auth.refresh_worker", self.url, self.key]
        return subprocess.Popen(
            [*command, self.platform.server.url, owner, point],
            cwd=self._root,
            env={**os.environ, "PYTHONPATH": f"{self._root}{os.pathsep}{self._root / 'core'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, workers: list[subprocess.Popen[str]]) -> list[str]:
        """Let all of them go at once; what each printed last."""
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n", worker.stderr.read() if worker.stderr else ""
        said = []
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            out, err = worker.communicate(timeout=90)
            said.append((out or err).strip())
        return said


class _Closing:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def office(
    request: pytest.FixtureRequest, platform: LittlePlatform, tmp_path: Path, repo_root: Path
) -> Office:
    url = (
        f"sqlite:///{tmp_path / 'ar.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    return Office(url, platform, repo_root)


def test_eight_processes_refresh_one_expired_token_with_one_call(office: Office) -> None:
    said = office.run([office.start(f"worker-{number}") for number in range(8)])
    assert said == ["access-token-1"] * 8
    assert len(office.platform.asked) == 1
    assert office.saved().refresh_token == "refresh-token-1"


@pytest.mark.parametrize(
    ("point", "rotations"), [("before-request", 1), ("before-save", 2), ("after-save", 1)]
)
def test_a_process_that_is_killed_while_it_refreshes_costs_no_connection(
    point: str, rotations: int, office: Office
) -> None:
    doomed = office.start("doomed", point)
    assert office.run([doomed]) == [""]
    assert doomed.returncode == -signal.SIGKILL
    said = office.run([office.start(f"worker-{number}") for number in range(3)])
    assert said == [f"access-token-{rotations}"] * 3
    assert office.platform.rotations == rotations
    assert office.saved().refresh_token == f"refresh-token-{rotations}"


def test_tokens_do_not_lie_readable_on_the_disk(
    platform: LittlePlatform, tmp_path: Path, repo_root: Path
) -> None:
    office = Office(f"sqlite:///{tmp_path / 'ar.db'}", platform, repo_root)
    assert office.saved().refresh_token == "refresh-token-0"
    for file in tmp_path.iterdir():
        assert b"token-0" not in file.read_bytes()
