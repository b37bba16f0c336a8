"""How fast are we beside the others, on the same answers, in one run? `make bench ARGS="--provider xero"`, or `python -m benchmarks.run`.

Every contestant is a whole process that pulls 95,000 records of one ERP (50,000 invoices with lines, 5,000 customers, 40,000
payments) from one loopback server. They run in turn, five rounds, so that noise is shared; medians are compared as ratios to
`requests` + `json.loads` of the same pages. Who takes part, and the goals: cases.py; what came out: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import BASELINE, OUR_PULL, PROVIDERS, SLOW_BASELINE
from benchmarks.environment import BENCH, NODE_MODULES, ROOT, missing, peers_python
from benchmarks.peer_ours import ADAPTERS
from benchmarks.processes import Measured, measure
from benchmarks.server import ask, serving

HERE = ROOT / "benchmarks"
OURS = str(HERE / "peer_ours.py")


@dataclass(frozen=True)
class Case:
    """One contestant: its name, its program, and the goal for its ratio to the baseline."""

    name: str
    argv: list[str]
    goal: str = ""
    latency_ms: int = 0
    baseline: str = BASELINE


def cases(provider: str) -> list[Case]:
    """All contestants that can run here; who cannot is named on the standard error."""
    contest, peers = PROVIDERS[provider], peers_python()
    marked = [peers, str(HERE / "marked.py")]
    raw = [
        *marked,
        str(BENCH / "peer_raw.py"),
        "--provider",
        provider,
        "--variant",
        "requests-json",
        "--stream",
    ]
    ours = [sys.executable, OURS, "--provider", provider, "--workers"]
    found = [Case(BASELINE, raw), Case(SLOW_BASELINE, raw, latency_ms=150, baseline=SLOW_BASELINE)]
    if provider in ADAPTERS:
        sync = [*ours, str(contest.in_flight), "--mode", "sync"]
        found += [
            Case(OUR_PULL, [*ours, "1", "--mode", "pull"], contest.pull_goal),
            Case("ours: sync into SQLite, raw kept", sync, contest.sync_goal),
            Case("ours: first load, 150 ms a call", sync, contest.slow_goal, 150, SLOW_BASELINE),
        ]
    else:
        print(f"our own adapter for {provider} has no benchmark yet", file=sys.stderr)
    for peer in contest.peers:
        problem = missing(peer.needs)
        if problem:
            print(f"{peer.name} is not measured: {problem}", file=sys.stderr)
            continue
        program = str(BENCH / peer.program)
        if program.endswith(".js"):
            argv = ["node", "--require", str(HERE / "marked.cjs"), program, "{base}"]
        else:
            argv = [*marked, program, "--stream"]
        found.append(Case(peer.name, argv, peer.goal))
    return found


def run_case(case: Case, base: str, scratch: Path) -> Measured:
    """Run one contestant once against a server that was set to the case's latency. Raises RuntimeError when it summed up
    something else than the server holds."""
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
    """Run all rounds and print one table; the raw figures go into `build/bench-PROVIDER.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", choices=sorted(PROVIDERS), default="qbo")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=8907)
    parser.add_argument(
        "--only", default="", help="run only contestants whose name contains this, and the baselines"
    )
    arguments = parser.parse_args()
    chosen = [
        one for one in cases(arguments.provider) if arguments.only in one.name or one.name == one.baseline
    ]
    results: dict[str, list[Measured]] = {one.name: [] for one in chosen}
    with (
        serving(providers=arguments.provider, port=arguments.port) as base,
        tempfile.TemporaryDirectory() as scratch,
    ):
        for number in range(arguments.rounds):
            for case in chosen:
                measured = run_case(case, base, Path(scratch))
                results[case.name].append(measured)
                figures = f"{measured.fetch:.2f} s, cpu {measured.work:.2f} s, {measured.peak_mb:.0f} MB"
                print(f"round {number + 1}: {case.name}: {figures}", file=sys.stderr)
    report(chosen, results)
    out = ROOT / "build" / f"bench-{arguments.provider}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(
        json.dumps({name: [vars(one) for one in runs] for name, runs in results.items()}, indent=1)
    )


def report(chosen: list[Case], results: dict[str, list[Measured]]) -> None:
    """Medians and ratios, as a Markdown table. A ratio is of the seconds on the wall; behind it stands that of the processor
    time, which a busy machine disturbs less."""
    print(
        "| contestant | seconds | x baseline (cpu) | x our pull (cpu) | peak MB | goal |\n|---|---|---|---|---|---|"
    )

    def median(name: str, figure: Callable[[Measured], float]) -> float:
        return statistics.median(figure(one) for one in results[name])

    def against(name: str, other: str) -> str:
        if other not in results:
            return "-"
        wall = median(name, lambda one: one.fetch) / median(other, lambda one: one.fetch)
        work = median(name, lambda one: one.work) / median(other, lambda one: one.work)
        return f"{wall:.2f} ({work:.2f})"

    for case in chosen:
        seconds, peak = median(case.name, lambda one: one.fetch), median(case.name, lambda one: one.peak_mb)
        ratios = f"{against(case.name, case.baseline)} | {against(case.name, OUR_PULL)}"
        print(f"| {case.name} | {seconds:.2f} | {ratios} | {peak:.0f} | {case.goal} |")


if __name__ == "__main__":
    main()
