"""Does the memory of a first sync grow with the company? `python -m benchmarks.memory [--provider qbo] [--sizes 50000,500000]`.

A whole first load into SQLite, raw bodies kept, one process each, against the loopback server with so many invoices, a tenth as many
customers and four fifths as many payments. What counts is the peak of the resident memory, as the kernel tells it. The larger company
takes the server some minutes and 4 GB to make.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile

from benchmarks.environment import BENCH, ROOT
from benchmarks.processes import Measured, measure
from benchmarks.server import serving

OURS = ROOT / "benchmarks" / "peer_ours.py"


def run(provider: str, invoices: int) -> Measured:
    """One first load of a company of that size."""
    with (
        serving(
            providers=provider,
            invoices=invoices,
            customers=invoices // 10,
            payments=invoices * 4 // 5,
            port=8909,
        ) as base,
        tempfile.TemporaryDirectory() as scratch,
    ):
        argv = [
            sys.executable,
            str(OURS),
            "--provider",
            provider,
            "--mode",
            "sync",
            "--no-count",
            "--base",
            base,
        ]
        env = {"AR_BENCH_SCRATCH": scratch, "PYTHONPATH": os.pathsep.join((str(BENCH), str(ROOT)))}
        return measure(argv, env=env)


def main() -> None:
    """Measure every size and print one line each, and the ratio of the last to the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", default="qbo")
    parser.add_argument("--sizes", default="50000,500000")
    arguments = parser.parse_args()
    peaks = []
    for invoices in map(int, arguments.sizes.split(",")):
        measured = run(arguments.provider, invoices)
        peaks.append(measured.peak_mb)
        print(f"{invoices:>9,} invoices: peak {measured.peak_mb:.0f} MB, {measured.fetch:.1f} s", flush=True)
    print(f"ratio {peaks[-1] / peaks[0]:.2f} (goal <= 1.2)")


if __name__ == "__main__":
    main()
