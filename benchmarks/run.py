"""How fast are we beside the others, on the same answers, in one run? `make bench`, or `python -m benchmarks.run`.

Every contestant is a whole process that pulls 95,000 QuickBooks records (50,000 invoices with lines, 5,000 customers,
40,000 payments) from one loopback server. They run in turn, five rounds, so that noise is shared; medians are compared
as ratios to `requests` + `json.loads` of the same pages. Goals: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environment import BENCH, NODE_MODULES, ROOT, peers_python
from benchmarks.processes import Measured, measure
from benchmarks.server import ask, serving

OURS = str(Path(__file__).with_name("peer_ours.py"))


@dataclass(frozen=True)
class Case:
    """One contestant: its name, its program, and the goal for its ratio to the baseline."""

    name: str
    argv: list[str]
    goal: str = ""
    latency_ms: int = 0
    baseline: str = "raw requests + json.loads"


def cases() -> list[Case]:
    """All contestants that can run here."""
    python, peers = sys.executable, peers_python()
    raw = [peers, str(BENCH / "peer_raw.py"), "--provider", "qbo", "--variant", "requests-json", "--stream"]
    slow = "raw requests + json.loads, 150 ms a call"
    found = [
        Case("raw requests + json.loads", raw),
        Case("ours: pull + map, with lines", [python, OURS, "--mode", "pull"], "<= 0.60 (stretch 0.40)"),
        Case("ours: sync into SQLite, raw kept", [python, OURS, "--mode", "sync"], "<= 1.00"),
        Case(
            "python-quickbooks",
            [peers, str(BENCH / "peer_qbo.py"), "--stream"],
            ">= 4.5 x our pull (stretch 7)",
        ),
    ]
    if (NODE_MODULES / "node-quickbooks").exists():
        found.append(
            Case(
                "node-quickbooks",
                ["node", str(BENCH / "node" / "peer_node_qbo.js"), "{base}"],
                ">= 1.4 x our pull (2)",
            )
        )
    else:
        print(
            f"node-quickbooks is not measured: {NODE_MODULES} is not installed (make foreign)",
            file=sys.stderr,
        )
    return [
        *found,
        Case(slow, raw, latency_ms=150, baseline=slow),
        Case("ours: first load, 150 ms a call", [python, OURS, "--mode", "sync"], "<= 0.40", 150, slow),
    ]


def run_case(case: Case, base: str, scratch: Path) -> Measured:
    """Run one contestant once against a server that was set to the case's latency."""
    ask(base, f"/_config?latency_ms={case.latency_ms}")
    ask(base, "/_reset")
    argv = [part.replace("{base}", base) for part in case.argv]
    if "{base}" not in case.argv:
        argv += ["--base", base]
    env = {
        "NODE_PATH": str(NODE_MODULES),
        "AR_BENCH_SCRATCH": str(scratch),
        "PYTHONPATH": os.pathsep.join((str(BENCH), str(ROOT))),
    }
    measured = measure(argv, env=env)
    expected = ask(base, "/_expect")["total_cents"]
    if measured.line.get("total_cents") != expected:
        raise RuntimeError(
            f"{case.name}: summed {measured.line.get('total_cents')} cents, the server holds {expected}"
        )
    return measured


def main() -> None:
    """Run all rounds and print one table; the raw figures go into `build/bench.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only", default="", help="run only contestants whose name contains this, and the baselines"
    )
    arguments = parser.parse_args()
    chosen = [one for one in cases() if arguments.only in one.name or one.name == one.baseline]
    results: dict[str, list[Measured]] = {one.name: [] for one in chosen}
    with serving() as base, tempfile.TemporaryDirectory() as scratch:
        for number in range(arguments.rounds):
            for case in chosen:
                measured = run_case(case, base, Path(scratch))
                results[case.name].append(measured)
                print(
                    f"round {number + 1}: {case.name}: {measured.fetch:.2f} s, cpu {measured.cpu:.2f} s, {measured.peak_mb:.0f} MB",
                    file=sys.stderr,
                )
    report(chosen, results)
    out = ROOT / "build" / "bench.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(
        json.dumps({name: [vars(one) for one in runs] for name, runs in results.items()}, indent=1)
    )


def report(chosen: list[Case], results: dict[str, list[Measured]]) -> None:
    """Medians and ratios, as a Markdown table."""
    print("| contestant | seconds | x baseline | x our pull | peak MB | goal |\n|---|---|---|---|---|---|")
    median = {name: statistics.median(one.fetch for one in runs) for name, runs in results.items()}
    pull = median.get("ours: pull + map, with lines")
    for case in chosen:
        runs = results[case.name]
        against_pull = f"{median[case.name] / pull:.2f}" if pull else "-"
        peak = statistics.median(one.peak_mb for one in runs)
        ratio = median[case.name] / median[case.baseline]
        print(
            f"| {case.name} | {median[case.name]:.2f} | {ratio:.2f} | {against_pull} | {peak:.0f} | {case.goal} |"
        )


if __name__ == "__main__":
    main()
