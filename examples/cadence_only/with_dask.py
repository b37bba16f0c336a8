"""The same evaluation inside a distributed engine, on this machine: python -m examples.cadence_only.with_dask [CUSTOMERS].

Needs Dask (`pip install dask`). Its processes stand for the workers of a cluster: the parts are pickled, sent, evaluated there, and
only plain rows come back. With `dask.distributed.Client(address)` the same lines run on a real one; Spark's `flatMap` takes the same
function (see `in_parallel.py`).
"""

from __future__ import annotations

import sys
from functools import partial

import dask.bag

import ar_core as ar
from ar_core.partition import partitions
from examples.cadence_only.in_parallel import book_of, evaluate_part
from examples.cadence_only.plan import AS_OF


def main(customers: int) -> None:
    """Evaluate as a Dask bag and in one, and compare; count what is due by code, as the engine would."""
    book, policy = book_of(customers), ar.load_policy("balanced")
    tiers = ar.assign_tiers(book, today=AS_OF.today)  # over all customers, before the book is cut
    work = partial(evaluate_part, policy=policy, tiers=tiers)
    rows = dask.bag.from_sequence(partitions(book, policy, 4), npartitions=4).map(work).flatten()
    found, counts = dask.compute(rows, rows.pluck("code").frequencies(), scheduler="processes", num_workers=2)
    same = sorted(found, key=lambda row: str(row["invoice"])) == work(book)
    print(f"{len(found)} invoices in 4 partitions of a Dask bag; the same as in one run: {same}")
    print(", ".join(f"{code} {count}" for code, count in sorted(counts)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
