"""Real processes on one real store: one refresh for all of them, whatever happens to the one that does it.

Here the platform is a tiny one that punishes every mistake; the same against the emulators is in tests/crash.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from ar_connectors.auth import TokenSet, Vault, new_key
from ar_connectors.clock import SystemClock
from ar_connectors.store import Store, open_store
from tests.auth.little_platform import LittlePlatform
from tests.auth.refresh_worker import hurry
from tests.soak import SEEDS

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
        with ExitStack() as all_of_them:
            for worker in workers:
                all_of_them.enter_context(worker)
            for worker in workers:
                assert worker.stdout is not None
                assert worker.stdout.readline() == "ready\n", worker.stderr.read() if worker.stderr else ""
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write("go\n")
                worker.stdin.flush()
            said = [worker.communicate(timeout=90) for worker in workers]
        return [(out or err).strip() for out, err in said]


class _Closing:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


@pytest.fixture
def office(platform: LittlePlatform, tmp_path: Path, repo_root: Path) -> Office:
    return Office(f"sqlite:///{tmp_path / 'ar.db'}", platform, repo_root)


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


POINTS = ("never", "before-request", "before-save", "after-save")


def _kill_and_look(office: Office, seed: int) -> None:
    """Four workers want tokens at once; some die at a chosen point, some are shot at a random moment. Afterwards the
    connection lives, and no refresh token was used that was no longer good."""
    chance = random.Random(seed)
    # A fork server has everything imported, so a worker starts in milliseconds and the shots hit its work.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.auth.refresh_worker"])
    arguments = (office.url, office.key, office.platform.server.url)
    for round_ in range(2):
        workers = [
            context.Process(
                target=hurry, args=(*arguments, f"worker-{seed}-{round_}-{number}", chance.choice(POINTS))
            )
            for number in range(4)
        ]
        for worker in workers:
            worker.start()
        time.sleep(chance.random() * 0.3)
        for worker in chance.sample(workers, 2):
            if worker.is_alive() and worker.pid is not None:
                os.kill(worker.pid, signal.SIGKILL)
        for worker in workers:
            worker.join(60)
            assert worker.exitcode in {0, -signal.SIGKILL}
        # So the next round has something to do.
        with office.store() as store:
            found = store.load_tokens(ID)
            assert found is not None
            store.save_tokens(ID, {**found[0], "access_expires_at": "2026-01-01T00:00:00+00:00"}, found[1])
    last = context.Process(target=hurry, args=(*arguments, f"last-{seed}", "never"))
    last.start()
    last.join(60)
    assert last.exitcode == 0
    assert office.saved().access_token in office.platform.access
    assert office.saved().refresh_token in office.platform.refresh
    assert office.platform.refusals == 0


@pytest.mark.parametrize("seed", range(4))
def test_workers_shot_at_any_moment_never_cost_the_connection(
    seed: int, platform: LittlePlatform, tmp_path: Path, repo_root: Path
) -> None:
    _kill_and_look(Office(f"sqlite:///{tmp_path / 'ar.db'}", platform, repo_root), seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_workers_shot_at_any_moment_never_cost_the_connection_in_the_long_run(
    seed: int, platform: LittlePlatform, tmp_path: Path, repo_root: Path
) -> None:
    _kill_and_look(Office(f"sqlite:///{tmp_path / 'ar.db'}", platform, repo_root), seed)


def test_tokens_do_not_lie_readable_on_the_disk(
    platform: LittlePlatform, tmp_path: Path, repo_root: Path
) -> None:
    office = Office(f"sqlite:///{tmp_path / 'ar.db'}", platform, repo_root)
    assert office.saved().refresh_token == "refresh-token-0"
    for file in tmp_path.iterdir():
        assert b"token-0" not in file.read_bytes()
