"""Where is an answer decoded? Here, or in a process beside this one, so that two cores work on one company.

Python lets one thread of a process compute at a time, and a first load is computing: two thirds of it are decoding, mapping and
encoding, which need nothing but the bytes of the answer. So these are sent to another process, and its rows come back ready to be
written. Calls, tokens, budgets, cursors and the database stay here. See docs/adr/0021.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from ar_connectors.connector import Answer, Page
from ar_connectors.errors import ConfigurationError
from ar_connectors.store.contract import StagedPage
from ar_connectors.store.staging import READY, Staged, receive, send

__all__ = ["LARGE", "MANY", "Elsewhere"]

MANY: Final = 8
"""Pages asked for at once from which it pays to start another process, which costs about as much as five pages."""
LARGE: Final = 50_000
"""Bytes from which a body is worth its way to another process and back."""
_QUEUE: Final = 3
"""Bodies that a process has at once: one it works on, one behind it, one on its way. With fewer it waits, with more this process does."""
_POSSIBLE: Final = os.name == "posix"
_PATIENCE: Final = 10.0
"""Seconds a process has to end once its line is closed; it ends with the page it works on."""

_PROGRAM: Final = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "  # Ctrl-C is for us; then the line ends
    "from ar_connectors.store.staging import main; main()"
)
"""Not `-m`: what a module run so defines has another name here."""

_log = logging.getLogger("ar_connectors.syncing")

Stage = Callable[[Page], StagedPage]


class Elsewhere:
    """The processes that help a sync. A context manager; thread-safe.

    None is started before `begin`; until one is ready, and when all have died, every answer is decoded here.

    Args:
        processes: how many may be started; 0: none ever is. Raises ConfigurationError for a negative number, and for any on a
            system whose processes cannot be handed a socket (Windows).
    """

    def __init__(self, processes: int) -> None:
        if processes < 0:
            raise ConfigurationError(
                f"there cannot be {processes} processes", advice="give processes=0 or more"
            )
        if processes and not _POSSIBLE:
            raise ConfigurationError(
                "further processes are only started on Linux, macOS and other POSIX systems",
                advice="leave processes=0",
            )
        self._number = processes
        self._started: list[_Helper] = []
        self._here = 0
        self._told = False
        self._turn = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for helper in self._started:
            helper.close()

    def begin(self) -> None:
        """Start the processes, where that has not been done; they get ready while this one goes on."""
        with self._turn:
            while len(self._started) < self._number:
                try:
                    self._started.append(_Helper(self._turn))
                except OSError as error:
                    _log.warning(
                        "no process that decodes can be started (%s); answers are decoded here", error
                    )
                    self._number = len(self._started)

    def stage(self, answer: Answer, stage: Stage) -> StagedPage:
        """The finished page of an answer, ready to be committed. `stage`: how a page is staged here. Raises what decoding
        raises."""
        helper = self._chosen() if self._started and len(answer.body) >= LARGE else None
        if helper is None:
            return stage(answer.page())
        if isinstance(helper, _Helper):
            found = helper.staged(answer)
            if found is not None:
                return _finished(answer, *found, stage)
            page = answer.page()
            self._tell_of(helper)
            return stage(page)
        try:
            return stage(answer.page())
        finally:
            with self._turn:
                self._here -= 1
                self._turn.notify()

    def _tell_of(self, helper: _Helper) -> None:
        """Say once that what can be decoded here could not be there: nothing is lost, but every such answer is worked on twice."""
        with self._turn:
            if helper.works and not self._told:
                self._told = True
                _log.warning("a process that decodes could not read an answer that can be read here")

    def _chosen(self) -> _Helper | bool | None:
        """A helper with room, whose room is taken; else True, for one answer at a time, which is decoded here beside them; None where
        no helper works."""
        with self._turn:
            while True:
                ready = [one for one in self._started if one.works]
                if not ready:
                    return None
                least = min(ready, key=lambda one: one.busy)
                if least.busy < _QUEUE:
                    least.busy += 1
                    return least
                if not self._here:
                    # More than one would only take turns with the thread that commits, and keep it from its pages.
                    self._here += 1
                    return True
                self._turn.wait()


def _finished(answer: Answer, staged: StagedPage, told: Any, stage: Stage) -> StagedPage:
    page = answer.finish(staged.page, told)
    if page.records is staged.page.records:
        return replace(staged, page=page)
    return stage(replace(page, raw=answer.body if staged.blob is not None else None))


class _Helper:
    """One process: answers go in and come out in one order."""

    def __init__(self, turn: threading.Condition) -> None:
        self.works = False
        self.busy = 0
        """Answers that it has; its owner's turn guards it."""
        self._turn = turn
        self._closing = False
        self._sending = threading.Lock()
        self._waiting: deque[Future[bytes | None]] = deque()
        self._ended = False
        """Nothing will come any more; `_sending` guards it."""
        self._line, far = socket.socketpair()
        with far:
            try:
                self._process = _started(far)
            except OSError:
                self._line.close()
                raise
        _widen(self._line)
        self._receiver = threading.Thread(target=self._receive, name="elsewhere", daemon=True)
        self._receiver.start()

    def staged(self, answer: Answer) -> tuple[StagedPage, Any] | None:
        """The page as the process staged it, and what its decoding told; None where that must be done here: it cannot be sent,
        the process has died, or decoding failed there."""
        try:
            head = pickle.dumps(answer.decode, 5)
        except (pickle.PicklingError, AttributeError, TypeError):
            self._let_go()
            return None
        future: Future[bytes | None] = Future()
        # A line that broke is seen by the receiver, which tells every future.
        with self._sending, suppress(OSError):
            if self._ended:
                future.set_result(None)
            else:
                self._waiting.append(future)
                send(self._line, head, answer.body)
        found = future.result()
        self._let_go()
        if not found:
            return None
        staged: Staged = pickle.loads(found)  # noqa: S301  from the process that we started
        return staged.together()

    def _let_go(self) -> None:
        with self._turn:
            self.busy -= 1
            self._turn.notify()

    def _receive(self) -> None:
        """Hand out what comes, in the order in which it was asked for, until the line ends."""
        with suppress(OSError):  # a line that broke has ended, too
            while (message := receive(self._line)) is not None:
                if message[0] == READY:
                    with self._turn:
                        self.works = True
                else:
                    self._waiting.popleft().set_result(message[0])
        with self._turn:
            if not self._closing:
                _log.warning("a process that decodes has ended; answers are decoded here from now on")
            self.works = False
            self._turn.notify_all()
        with self._sending:
            self._ended = True
            while self._waiting:
                self._waiting.popleft().set_result(None)

    def close(self) -> None:
        """End the process; it has nothing to do any more."""
        with self._turn:
            ready, self.works, self._closing = self.works, False, True
        if not ready:
            self._process.kill()  # it has died, or is still loading what nobody needs any more
        with suppress(OSError):  # it has ended by itself
            self._line.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._receiver.join()
        self._line.close()


def _started(far: socket.socket) -> subprocess.Popen[bytes]:
    _widen(far)
    return subprocess.Popen(  # noqa: S603  this interpreter, and a program of ours
        [sys.executable, "-c", _PROGRAM, str(far.fileno())],
        pass_fds=[far.fileno()],
        # It finds what this process finds: an adapter may lie anywhere on the path.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _widen(end: socket.socket) -> None:
    """Room for a body, so that the thread that sends it need not wait for the one that takes it; the system may give less."""
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        end.setsockopt(socket.SOL_SOCKET, option, 1 << 22)
