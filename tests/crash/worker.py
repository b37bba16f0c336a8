"""Workers that can be killed: a small process that imports everything once and then forks a child for each run it is told of.

One JSON line in is one task: a list of runs that happen at the same time. One JSON line out is what became of them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

import ar_connectors as ar
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.http import Endpoints, Transport
from ar_connectors.quickbooks import client, pull, reports, settle, tables
from ar_connectors.store import Store


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
    """The machine's clock, `ahead` seconds in the future; waiting costs no time but moves it further."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.ahead += max(seconds, 0.0)


class Ahead(Skipping):
    """The same, but waiting takes time: for several workers who share a budget."""

    def sleep(self, seconds: float) -> None:
        time.sleep(max(seconds, 0.0))


def run(task: dict[str, Any]) -> None:
    """Sync once, as a user's script would; ends the process."""
    fate = Fate(task["dies_at"])
    fate.around(Transport, "send")
    fate.around(
        Store, "acquire_lease", "renew_lease", "release_lease", "commit_page", "reset_stream", "save_tokens"
    )
    # Within a transaction as well: before each statement, and before and after the commit takes place.
    event.listen(Engine, "before_cursor_execute", fate.check)
    event.listen(Engine, "commit", fate.check)
    clock = (Ahead if task["real_time"] else Skipping)(task["ahead"])
    store = ar.open_store(task["url"], clock=clock, key=task["key"])
    erp = task["erp"]
    connection = ar.connect(
        "quickbooks",
        tenant=erp["tenant"],
        store=store,
        credentials=ClientCredentials(erp["client_id"], erp["client_secret"]),
        tokens=TokenSet(erp["access_token"], erp["refresh_token"]),
        endpoints=Endpoints(api=erp["base_url"], token=erp["token_url"], authorize=erp["authorize_url"]),
        clock=clock,
    )
    report = ar.sync(connection, store, full=task["full"], workers=task["workers"])
    tell(
        {
            "complete": report.complete,
            "busy": list(report.busy),
            "calls": report.cost.calls,
            "passed": fate.passed,
        },
        task,
    )


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
    for module in (client, pull, reports, settle, tables):
        for name in {"PAGE_SIZE", "MAX_IDS"} & vars(module).keys():
            vars(module)[name] = int(sys.argv[1])
    for line in sys.stdin:
        children = [fork(task) for task in json.loads(line)]
        codes = [os.waitpid(child, 0)[1] for child in children]
        sys.stdout.write(json.dumps(codes) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
