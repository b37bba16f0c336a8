"""Starting and killing workers from a test, against an emulator in the test's own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import SIGKILL
from typing import Any

from cryptography.fernet import Fernet

from ar_connectors.store import open_store
from ar_connectors.testkit.running import Running
from tests.behavior.truth import differences
from tests.conftest import ROOT
from tests.faces import FACES

KEY = Fernet.generate_key().decode()
PAGE_SIZE = 7


@dataclass
class Outcome:
    """What became of one run."""

    killed: bool
    report: dict[str, Any] | None


class Nursery:
    """A process that forks workers; see `worker.py`."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._serial = 0

    def run(self, emulator: Running[Any], url: str, tasks: Sequence[dict[str, Any]]) -> list[Outcome]:
        """Run workers side by side and wait for all; `worker.run` says what a task may hold. Raises AssertionError when one
        failed otherwise than by its death."""
        full = []
        for task in tasks:
            self._serial += 1
            answer = str(self._folder / f"answer-{self._serial}.json")
            defaults = {
                "what": "sync",
                "clock": (emulator.clock.now().isoformat(), time.monotonic()),
                "dies_at": 0,
                "full": False,
                "workers": 3,
                "real_time": False,
                "tokens": True,
            }
            full.append(
                {**defaults, "url": url, "key": KEY, "erp": emulator.as_json(), "answer": answer, **task}
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(full) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the nursery died"
        outcomes = []
        for task, code in zip(full, json.loads(line), strict=True):
            killed = os.WIFSIGNALED(code) and os.WTERMSIG(code) == SIGKILL
            assert killed or code == 0, f"a worker ended with {code}; its traceback is on stderr"
            report = None if killed else json.loads(Path(task["answer"]).read_text(encoding="utf-8"))
            outcomes.append(Outcome(killed, report))
        return outcomes


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """A nursery whose files are kept in `folder`."""
    path = os.pathsep.join(str(one) for one in (ROOT, ROOT / "core"))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.worker", str(PAGE_SIZE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
    )
    try:
        yield Nursery(process, folder)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()


def wrong_in(url: str, emulator: Running[Any]) -> list[str]:
    """What the store says otherwise than the books."""
    platform = FACES[emulator.erp]
    store = open_store(url)
    try:
        snapshot = store.snapshot(f"{emulator.erp}:{emulator.tenant}")
        with emulator.service.lock:
            return differences(
                snapshot, emulator.ledger, partial(platform.identify, emulator), platform.shown
            )
    finally:
        store.close()
