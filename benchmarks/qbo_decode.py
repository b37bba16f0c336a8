"""How long does it take to make records of a page? `python -m benchmarks.qbo_decode [--rounds N]`.

Pages of 1000 rows (invoices with lines, payments, customers) are made by the shared data generator in
`$AR_SHARED_DIR/bench`; `json.loads` and our decode + map read the same bytes in turn, in one process, each page dropped when
the next one is done. Processor time, the best and the median of all rounds; the ratio is what counts. Nothing is asked for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from ar_connectors.quickbooks.context import Context
from ar_connectors.quickbooks.decode import decode_page
from benchmarks.pages import pages_of

WEIGHTS = {"Invoice": 50, "Payment": 40, "Customer": 5}
"""Pages of each in the company of the benchmark."""


def microseconds_a_row(pages: list[bytes], read: Callable[[bytes], Any]) -> float:
    """Processor time for one round over the pages, per row."""
    kept = None
    start = time.process_time()
    for page in pages:
        kept = read(page)
    spent = time.process_time() - start
    del kept
    return spent / (len(pages) * 1000) * 1e6


def main() -> None:
    """Measure and print one line an entity, then the whole company."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    context = Context("9341")
    totals = {"json": 0.0, "ours": 0.0}
    for entity, pages in pages_of("qbo").items():
        times: dict[str, list[float]] = {"json": [], "ours": []}
        for _ in range(rounds):
            times["json"].append(microseconds_a_row(pages, json.loads))
            times["ours"].append(microseconds_a_row(pages, lambda page: decode_page(page, entity, context)))  # noqa: B023
        best = {name: min(found) for name, found in times.items()}
        middle = {name: statistics.median(found) for name, found in times.items()}
        for name, found in middle.items():
            totals[name] += found * WEIGHTS[entity]
        print(
            f"{entity:9} json.loads {best['json']:5.1f} / {middle['json']:5.1f} us a row, "
            f"ours {best['ours']:5.1f} / {middle['ours']:5.1f}, ratio {middle['ours'] / middle['json']:.2f}"
        )
    print(
        f"company   ratio {totals['ours'] / totals['json']:.2f} (goal 0.60 with the transfer, stretch 0.40)"
    )


if __name__ == "__main__":
    main()
