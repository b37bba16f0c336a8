"""When is SQLite's log copied into the database file? While pages are written: by a thread beside the one that writes.

SQLite copies its log in the commit that made it too long, and waits for the disk twice: a tenth of a first load, in which nobody else
may write. Another thread may copy as well, and hold no writer up.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

__all__ = ["AHEAD", "EVERY", "OFTEN", "Checkpoints"]

EVERY = 16
"""Pages after which the log is copied: some 30 MB of it."""
OFTEN = 1000
"""Of SQLite's pages in the log, after which a commit that waits for the disk copies it, too: 16 MB."""
AHEAD = 8000
"""Of SQLite's pages in the log, after which the commit of a page (a lease, a call's budget) copies it all the same: 128 MB, where the
thread cannot keep up."""

_log = logging.getLogger("ar_connectors.store")


class Checkpoints:
    """Copies the log of one database file, one copy at a time. Thread-safe."""

    def __init__(self, file: Path) -> None:
        # Opened to be written to, never to be made: whoever removed the file meant it.
        self._address = f"{file.absolute().as_uri()}?mode=rw"
        self._turn = threading.Lock()
        self._pages = 0
        self._running: threading.Thread | None = None

    def written(self) -> None:
        """A page was committed. Every so often this begins a copy, unless one is still under way."""
        with self._turn:
            self._pages += 1
            if self._pages < EVERY or (self._running is not None and self._running.is_alive()):
                return
            self._pages = 0
            copy = threading.Thread(target=self._copy, name="checkpoint")
            try:
                copy.start()
            except RuntimeError as error:  # the system gives no thread; the page is committed all the same
                _log.warning("no thread can be started that copies SQLite's log (%s); commits copy it", error)
            else:
                self._running = copy

    def wait(self) -> None:
        """Until no copy is under way."""
        with self._turn:
            if self._running is not None:
                self._running.join()

    def _copy(self) -> None:
        try:
            with closing(sqlite3.connect(self._address, uri=True, isolation_level=None)) as raw:
                raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            # Nothing is lost: the log holds it, and a commit copies it at last, or fails with the same reason.
            _log.warning("SQLite's log could not be copied into the database file: %s", error)
