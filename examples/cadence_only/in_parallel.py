"""`evaluate` mapped over partitions: python -m examples.cadence_only.in_parallel [CUSTOMERS].

The function `evaluate_part` takes a part of the book and gives plain rows, so any engine can map it over its partitions:

    dask.bag.from_sequence(parts, npartitions=8).map(evaluate_part).flatten()      # Dask
    spark.sparkContext.parallelize(parts, 8).flatMap(evaluate_part).toDF()         # Spark

Here a process pool does it on this machine, and the result is compared with one run over the whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from functools import partial

import ar_core as ar
from ar_core.partition import partitions
from examples.cadence_only.plan import AS_OF, read_book

Row = dict[str, str | None]


def evaluate_part(part: ar.Snapshot, policy: ar.Policy, tiers: ar.Tiers) -> list[Row]:
    """One row per open invoice of a part; everything it needs comes as an argument."""
    evaluation = ar.evaluate(part, policy, AS_OF, tiers=tiers)
    return [
        {"invoice": d.invoice_id, "outcome": d.kind.value, "code": d.code.value, "step": d.step}
        for d in evaluation.dispositions
    ]


def book_of(customers: int) -> ar.Snapshot:
    """A made-up book: three invoices for each customer, of all ages."""

    def rows() -> Iterator[dict[str, str]]:
        for number in range(customers * 3):
            due = date(2026, 11, 25) - timedelta(days=number * 7 % 120 - 10)
            yield {
                "customer": f"Customer {number % customers}",
                "email": f"c{number % customers}@example.com",
                "phone": "",
                "lifetime_value": str(1000 + number % customers),
                "number": str(number),
                "issued": (due - timedelta(days=30)).isoformat(),
                "due": due.isoformat(),
                "total": "100.00",
                "open": "100.00",
            }

    return read_book(list(rows()))


def main(customers: int) -> None:
    """Evaluate in four parts and in one, and compare."""
    book, policy = book_of(customers), ar.load_policy("balanced")
    tiers = ar.assign_tiers(book, today=AS_OF.today)  # over all customers, before the book is cut
    work = partial(evaluate_part, policy=policy, tiers=tiers)
    with ProcessPoolExecutor(2) as pool:
        found = [row for rows in pool.map(work, partitions(book, policy, 4)) for row in rows]
    whole = work(book)
    same = sorted(found, key=lambda row: str(row["invoice"])) == whole
    print(f"{len(found)} invoices in 4 parts; the same as in one run: {same}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
