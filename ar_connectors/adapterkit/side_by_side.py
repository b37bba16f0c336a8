"""How are several small questions asked without waiting for each in turn? Side by side, a few at a time.

For what does not depend on one another (the facts of a company before its documents are read). The budget of the tenant counts
every call as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

__all__ = ["side_by_side"]


@contextmanager
def side_by_side(at_once: int) -> Iterator[ThreadPoolExecutor]:
    """Inside `with`, what is submitted runs on so many threads. Take the results inside, too: when one of them raises, what has
    not begun is not begun any more, and what has is waited for."""
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="ask")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
