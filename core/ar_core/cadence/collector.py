"""Hold Python's cyclic garbage collector off while many small records are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_at_rest"]


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No collection inside: a run makes hundreds of thousands of records and no garbage in cycles, and every full collection
    would walk the whole book again (more than half of the time of a large run, measured).

    What was made inside is put with the old objects, unseen: otherwise the first allocation afterwards makes the collector
    walk all of it as young (a sixth of a run, measured). It is found by the next full collection, like everything else. A host
    that froze objects itself (before a fork, say) keeps them frozen; there, the walk takes place.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()
