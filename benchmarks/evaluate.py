"""How fast is the cadence evaluator beside a naive loop and beside rule engines? `python -m benchmarks.evaluate`.

One generated book of mixed situations (`eval_book`), everything in one process and in turn, process time, medians of the
rounds. Ratios are to the naive loop (`eval_naive`) over the same invoices. Goals: docs/benchmarks.md. With `--compiled` the evaluator is
the compiled one, in an environment of its own; the loop stays what it is.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import ar_core as ar
from ar_core.cadence import account
from ar_core.cadence.explain import traces
from benchmarks.environment import ROOT, compiled_python
from benchmarks.eval_book import AS_OF, TODAY, book
from benchmarks.eval_naive import Row, naive, rows_of
from benchmarks.eval_peers import Due, ours, rule_engine, zen_engine

_PEERS: tuple[tuple[str, str, Callable[[Any, Any], Due]], ...] = (
    ("rule-engine", "rule_engine", rule_engine),
    ("zen-engine", "zen", zen_engine),
)


def timed(work: Callable[[], object]) -> float:
    """Seconds of process time; what was made is thrown away outside of the measurement."""
    gc.collect()
    started = time.process_time()
    made = work()
    spent = time.process_time() - started
    del made
    return spent


def compare(invoices: int, rounds: int) -> None:
    """The evaluator against the naive loop, on one book."""
    started = time.process_time()
    snapshot = book(invoices)
    loading = time.process_time() - started
    policy, rows = ar.load_policy("balanced"), rows_of(snapshot, TODAY)
    found: dict[str, list[float]] = {}

    def note(name: str, work: Callable[[], object]) -> None:
        found.setdefault(name, []).append(timed(work))

    def read() -> object:
        evaluation = ar.evaluate(snapshot, policy, AS_OF)
        return evaluation, [d.code for d in evaluation.dispositions]

    def trace() -> object:
        evaluation = ar.evaluate(snapshot, policy, AS_OF)
        return evaluation, traces(evaluation)

    previous = ar.evaluate(snapshot, policy, AS_OF)
    changed = [customer.id for customer in snapshot.customers[::100]]
    later = moved_on(snapshot, frozenset(changed))
    for _ in range(rounds):
        note("naive loop", lambda: naive(rows, TODAY))
        note("evaluate", lambda: ar.evaluate(snapshot, policy, AS_OF))
        note("evaluate, every disposition read", read)
        note("evaluate, every trace materialized", trace)
        note("re-evaluate, 1 % of customers changed", lambda: ar.reevaluate(previous, later, changed, AS_OF))
    if ar.reevaluate(previous, later, changed, AS_OF).actions != ar.evaluate(later, policy, AS_OF).actions:
        raise RuntimeError("re-evaluation decides otherwise than a full run")
    medians = {name: statistics.median(spent) for name, spent in found.items()}
    base, full = medians["naive loop"], medians["evaluate"]
    goals = {
        "evaluate": "<= 4",
        "evaluate, every disposition read": "<= 4",
        "evaluate, every trace materialized": "<= 10",
    }
    print(
        f"{len(rows):,} open invoices, {len(snapshot.customers):,} customers, {rounds} rounds, process time"
    )
    print(f"  making the book (loading stands apart): {loading:.2f} s")
    for name, seconds in medians.items():
        share = f"{seconds / full:7.2%} of a full run, goal <= 3 %" if name.startswith("re-") else ""
        goal = f"  goal {goals[name]}" if name in goals else ""
        print(
            f"  {name:40} {seconds * 1000:9.1f} ms  {seconds / base:7.2f} x naive{goal}{share and '  ' + share}"
        )


def moved_on(snapshot: ar.Snapshot, changed: frozenset[str]) -> ar.Snapshot:
    """A later snapshot: every invoice of the changed customers is another record, and each of them paid something on account."""
    invoices = tuple(
        i.model_copy(update={"balance_due": i.balance_due / 2}) if i.customer_id in changed else i
        for i in snapshot.invoices
    )
    paid = tuple(
        ar.Payment.trusted(
            id=f"{customer_id}:paid",
            customer_id=customer_id,
            currency="USD",
            payment_date=TODAY,
            total=Decimal(10),
            unapplied_amount=Decimal(10),
            document_status=ar.DocumentStatus.POSTED,
        )
        for customer_id in sorted(changed)
    )
    return snapshot.model_copy(update={"invoices": invoices, "payments": (*snapshot.payments, *paid)})


def toy(invoices: int, rounds: int) -> None:
    """The toy rule alone, beside the rule engines that are installed."""
    rows = _toy_rows(invoices)
    contestants: dict[str, Due] = {"ours": ours(rows, AS_OF)}
    for name, module, make in _PEERS:
        if importlib.util.find_spec(module) is None:
            print(f"  {name} is not measured: it is not installed (pip install {name})")
        else:
            contestants[name] = make(rows, TODAY)
    expected = {(row[0], row[1]) for row in naive(rows, TODAY)}
    rates = {}
    for name, work in contestants.items():
        if work() != expected:
            raise RuntimeError(f"{name} finds other steps due than the naive loop")
        rates[name] = len(rows) / statistics.median([timed(work) for _ in range(rounds)])
    print(f"the toy rule alone, {len(rows):,} invoices")
    for name, rate in rates.items():
        ratio = "" if name == "ours" else f"  ours is {rates['ours'] / rate:.1f} x faster, goal >= 5"
        print(f"  {name:40} {rate:9,.0f} invoices/s{ratio}")


def _toy_rows(invoices: int) -> list[Row]:
    chance = random.Random(5)
    last: dict[str, Any] = {}
    rows = []
    for row in rows_of(book(invoices), TODAY):
        row.last = last.setdefault(row.customer, row.last)
        row.stage = chance.randrange(0, 6) if row.last.year > 2000 else 0
        rows.append(row)
    return rows


def memory(sizes: tuple[int, ...]) -> None:
    """Peak memory by size, each in a process of its own."""
    print("peak memory of book and evaluation, dispositions read")
    for size in sizes:
        argv = [sys.executable, "-m", "benchmarks.evaluate", "--peak", str(size)]
        print(
            f"  {size:9,} open invoices: {subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()}"
        )


def peak(invoices: int) -> None:
    """Print what one process needs: the book alone, then with an evaluation read."""
    snapshot = book(invoices)
    alone = _peak_kilobytes()
    evaluation = ar.evaluate(snapshot, ar.load_policy("balanced"), AS_OF)
    count = len(evaluation.dispositions)
    both = _peak_kilobytes()
    print(
        f"book {alone // 1024} MB, with the evaluation {both // 1024} MB ({(both - alone) / count:.2f} KB an invoice)"
    )


def _peak_kilobytes() -> int:
    """Largest resident size of this very process (a child's `ru_maxrss` starts at its parent's)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Run everything and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--toy-invoices", type=int, default=10_000)
    parser.add_argument("--peak", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument(
        "--compiled", action="store_true", help="measure the compiled evaluator (make compiled)"
    )
    options = parser.parse_args()
    if options.peak:
        peak(options.peak)
        return
    if options.compiled:
        rest = [one for one in sys.argv[1:] if one != "--compiled"]
        subprocess.run([compiled_python(), "-m", "benchmarks.evaluate", *rest], check=True, cwd=ROOT)
        return
    print("the evaluator is", "pure Python" if str(account.__file__).endswith(".py") else "compiled")
    compare(options.invoices, options.rounds)
    toy(options.toy_invoices, options.rounds)
    memory((options.invoices // 10, options.invoices // 2, options.invoices))


if __name__ == "__main__":
    main()
