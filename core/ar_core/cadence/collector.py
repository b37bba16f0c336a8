"""Hold Python's cyclic garbage collector off while many small records are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_at_rest"]

_host_freezes = False
"""Objects were frozen by somebody else. Asked until it is so: counting walks every frozen object, 70 ms for a million."""


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No collection inside: a run makes hundreds of thousands of records and no garbage in cycles, and every full collection
    would walk the whole book again (more than half of the time of a large run, measured).

    What was made inside is put with the old objects, unseen: otherwise the first allocation afterwards makes the collector
    walk all of it as young (a sixth of a run, measured). It is found by the next full collection, like everything else. A host
    that froze objects itself (before a fork, say) keeps them frozen; there, the walk takes place.
    """
    global _host_freezes  # noqa: PLW0603 - of the process, as the collector is
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            _host_freezes = _host_freezes or gc.get_freeze_count() > 0
            if not _host_freezes:
                gc.freeze()
                gc.unfreeze()
            gc.enable()
