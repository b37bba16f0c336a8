"""How are the fetches of a batch run at once and still committed in order? A bounded window of pages, shared by all streams of a run.

A page is alive from the moment its fetch begins until its commit has ended. There are never more than `workers + 1`: so many
fetches, and one page that is being committed meanwhile.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from ar_connectors.connector import Answer, Fetch, Page
from ar_connectors.store.contract import StagedPage
from ar_connectors.syncing.elsewhere import MANY, Elsewhere

__all__ = ["Window"]


class Window:
    """The threads that fetch, and the permits that bound how many pages are alive. A context manager; thread-safe.

    Large answers of a long batch are decoded `elsewhere`, where there is such a place.

    No two streams can wait for each other: a stream waits for a permit only while it holds none; further ones, to read
    ahead, it takes only where one is free.
    """

    def __init__(self, workers: int, elsewhere: Elsewhere | None = None) -> None:
        if workers < 1:
            raise ValueError(f"a window needs at least one worker, not {workers}")
        self.workers = workers
        self._elsewhere = elsewhere if elsewhere is not None else Elsewhere(0)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="fetch")
        self._permits = threading.Semaphore(workers + 1)
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def stop(self) -> None:
        """Begin no further fetch; those under way end, and their pages are not handed out any more."""
        self._stopped.set()

    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def pages(
        self, fetches: Sequence[Fetch], stage: Callable[[Page], StagedPage]
    ) -> Generator[StagedPage, None, None]:
        """The pages of a batch, in its order; `stage` makes each of them ready to be committed, where it was fetched.

        The page handed out last must be let go of before the next one is asked for. What a fetch raises is raised when its
        turn comes, so that all pages before it have been handed out. Ends early when the window is stopped.
        """
        if len(fetches) >= MANY:
            self._elsewhere.begin()
        waiting = deque(fetches)
        under_way: deque[Future[StagedPage]] = deque()
        try:
            while (waiting or under_way) and not self.is_stopped():
                self._read_ahead(waiting, under_way, stage)
                if not under_way:
                    continue
                try:
                    yield under_way.popleft().result()
                finally:
                    self._permits.release()
        finally:
            self._abandon(under_way)

    def _read_ahead(
        self, waiting: deque[Fetch], under_way: deque[Future[StagedPage]], stage: Callable[[Page], StagedPage]
    ) -> None:
        while waiting and len(under_way) <= self.workers:
            if not self._permits.acquire(blocking=not under_way):
                return
            if self.is_stopped():
                self._permits.release()
                return
            fetch = waiting.popleft()
            under_way.append(self._pool.submit(self._staged, fetch, stage))

    def _staged(self, fetch: Fetch, stage: Callable[[Page], StagedPage]) -> StagedPage:
        found = fetch.ask()
        return self._elsewhere.stage(found, stage) if isinstance(found, Answer) else stage(found)

    def _abandon(self, under_way: deque[Future[StagedPage]]) -> None:
        for future in under_way:
            future.cancel()
        for future in under_way:
            if not future.cancelled():
                future.exception()  # waits for its end; a failure behind the first one is not news
            self._permits.release()
