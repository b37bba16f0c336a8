"""Workers that can be killed: a small process that imports everything once and then forks a child for each run it is told of.

One JSON line in is one task: a list of runs that happen at the same time. One JSON line out is what became of them.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

import ar_connectors as ar
from ar_connectors.auth.oauth import TokenEndpoint
from ar_connectors.http import Transport
from ar_connectors.store import Store
from tests.faces import FACES


class Fate:
    """Ends the process at its nth checkpoint; 0: never. Thread-safe."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at = dies_at
        self.passed = 0
        self._lock = threading.Lock()

    def check(self, *_: Any, **__: Any) -> None:
        with self._lock:
            self.passed += 1
            if self.passed == self.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, cls: type, *names: str) -> None:
        """A checkpoint before and after each of these methods."""
        for name in names:
            real = getattr(cls, name)

            def call(*arguments: Any, _real: Any = real, **options: Any) -> Any:
                self.check()
                result = _real(*arguments, **options)
                self.check()
                return result

            setattr(cls, name, call)


class Skipping:
    """The emulator's clock; waiting costs no time but moves it ahead of that one.

    `instant`: what that clock said, `at`: when, by the machine's monotonic clock. Both go on by that one, so that they stay together
    also while the machine's date is put right.
    """

    def __init__(self, instant: str, at: float) -> None:
        self._start = datetime.fromisoformat(instant) - timedelta(seconds=at)
        self._waited = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return time.monotonic() + self._waited

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._waited += max(seconds, 0.0)


class Waiting(Skipping):
    """The same, but waiting takes time: for several workers who share a budget."""

    def sleep(self, seconds: float) -> None:
        time.sleep(max(seconds, 0.0))


CHECKPOINTS: dict[type, tuple[str, ...]] = {
    Transport: ("send",),
    TokenEndpoint: ("refresh",),
    Store: (
        "acquire_lease",
        "renew_lease",
        "release_lease",
        "commit_page",
        "reset_stream",
        "save_tokens",
        "claim_writes",
        "mark_sending",
        "finish_write",
    ),
}


def run(task: dict[str, Any]) -> None:
    """Do what a user's script would do (`what`: sync, deliver or refresh); ends the process.

    `dies_at`: the checkpoint at which it is killed, `clock`: the emulator's, as `Skipping` takes it, `real_time`: whether waiting
    takes time, `tokens`: whether it brings tokens of its own or takes those in the store, `full` and `workers`: of a sync.
    """
    fate = Fate(task["dies_at"])
    for cls, names in CHECKPOINTS.items():
        fate.around(cls, *names)
    # Within a transaction as well: before each statement, and before and after the commit takes place.
    event.listen(Engine, "before_cursor_execute", fate.check)
    event.listen(Engine, "commit", fate.check)
    clock = (Waiting if task["real_time"] else Skipping)(*task["clock"])
    store = ar.open_store(task["url"], clock=clock, key=task["key"])
    plug = task["erp"]
    connection = FACES[plug["erp"]].connect(plug, store, clock, tokens=task["tokens"])
    tell({**WORK[task["what"]](connection, store, task), "passed": fate.passed}, task)


def synced(connection: ar.Connection, store: Store, task: dict[str, Any]) -> dict[str, Any]:
    """One run."""
    report = ar.sync(connection, store, full=task["full"], workers=task["workers"])
    return {"complete": report.complete, "busy": list(report.busy), "calls": report.cost.calls}


def delivered(connection: ar.Connection, store: Store, task: dict[str, Any]) -> dict[str, Any]:
    """What is due."""
    del task
    return {"states": [str(one.state) for one in ar.deliver(connection, store)]}


def refreshed(connection: ar.Connection, store: Store, task: dict[str, Any]) -> dict[str, Any]:
    """The ERP's own balances are asked for, which takes a good token; which one it was is told."""
    del task
    figures = connection.connector.reported_balances()
    found = store.load_tokens(connection.id)
    return {"figures": len(figures), "access_token": found[0]["access_token"] if found else None}


WORK = {"sync": synced, "deliver": delivered, "refresh": refreshed}


def tell(result: dict[str, Any], task: dict[str, Any]) -> None:
    """Leave the result where the test looks for it."""
    Path(task["answer"]).write_text(json.dumps(result), encoding="utf-8")


def fork(task: dict[str, Any]) -> int:
    """Start a run in a child; returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        run(task)
        os._exit(0)
    except BaseException:  # noqa: BLE001  a forked child must never return into its parent's loop
        traceback.print_exc()
        os._exit(3)


def main() -> None:
    """Serve tasks until the input ends."""
    # So that a small company has many pages, and many queries by id.
    for platform in FACES.values():
        for name in platform.page_sizes:
            module, _, constant = name.rpartition(".")
            assert hasattr(importlib.import_module(module), constant), name
            setattr(importlib.import_module(module), constant, int(sys.argv[1]))
    for line in sys.stdin:
        children = [fork(task) for task in json.loads(line)]
        codes = [os.waitpid(child, 0)[1] for child in children]
        sys.stdout.write(json.dumps(codes) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
