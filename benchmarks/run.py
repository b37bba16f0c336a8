"""How fast are we beside the others, on the same answers, in one run? `make bench`, or `python -m benchmarks.run --provider xero`.

Every contestant is a whole process that pulls 95,000 records of one ERP (50,000 invoices with lines, 5,000 customers, 40,000
payments) from one loopback server. They run in turn, five rounds, so that noise is shared; medians are compared as ratios to
`requests` + `json.loads` of the same pages. What a contestant summed up must be what the server holds, and ours must never have more
calls in flight than the ERP allows, or the run fails. Who takes part, and the goals: cases.py; what came out: docs/benchmarks.md.
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
    in_flight: int | None = None
    """Calls at once that are allowed; None: not looked at."""


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
    at_once = contest.in_flight
    alone = [*ours, str(contest.workers), "--mode", "sync"]
    sync = [*alone, "--processes", "1"]
    found += [
        Case(OUR_PULL, [*ours, "1", "--mode", "pull"], contest.pull_goal, in_flight=at_once),
        Case("ours: sync into SQLite, raw kept", sync, contest.sync_goal, in_flight=at_once),
        Case("ours: the same in one process", alone, in_flight=at_once),
        Case("ours: first load, 150 ms a call", sync, contest.slow_goal, 150, SLOW_BASELINE, at_once),
    ]
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
    something else than the server holds, or had more calls in flight than allowed."""
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
    flying = ask(base, "/_stats")["max_in_flight"]
    if case.in_flight is not None and flying > case.in_flight:
        raise RuntimeError(f"{case.name}: {flying} calls in flight, {case.in_flight} are allowed")
    return measured


def main() -> None:
    """Run the contests, one ERP after the other; a table for each, and its raw figures in `build/bench-PROVIDER.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", choices=sorted(PROVIDERS), help="only this one; else all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=8907)
    parser.add_argument(
        "--only", default="", help="run only contestants whose name contains this, and the baselines"
    )
    arguments = parser.parse_args()
    for provider in [arguments.provider] if arguments.provider else PROVIDERS:
        hold(provider, arguments.rounds, arguments.port, arguments.only)


def hold(provider: str, rounds: int, port: int, only: str) -> None:
    """Hold the contest of one ERP, and print its table. `only`: part of a name, as on the command line."""
    chosen = [one for one in cases(provider) if only in one.name or one.name == one.baseline]
    results: dict[str, list[Measured]] = {one.name: [] for one in chosen}
    with serving(providers=provider, port=port) as base, tempfile.TemporaryDirectory() as scratch:
        for number in range(rounds):
            for case in chosen:
                measured = run_case(case, base, Path(scratch))
                results[case.name].append(measured)
                figures = f"{measured.fetch:.2f} s, cpu {measured.work:.2f} s, {measured.peak_mb:.0f} MB"
                print(f"{provider}, round {number + 1}: {case.name}: {figures}", file=sys.stderr)
    print(f"\n{provider}\n")
    report(chosen, results)
    out = ROOT / "build" / f"bench-{provider}.json"
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
