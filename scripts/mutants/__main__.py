"""Change ar_core a little, many times, and count what no test notices: `make mutants` (docs/mutants.md).

mutmut makes the mutants, names them and shows them (`mutmut show`, in build/mutants). The tests are run from here, because
mutmut starts pytest anew for each mutant, which costs about a second: here one pytest collects, and each mutant is a fork of
it that runs only tests in which the changed statement is executed, first those that noticed its neighbors.

What was judged is kept in build/mutants until the function, or for what survived the tests, changes: a run can be stopped and
taken up again at any time.
"""

from __future__ import annotations

import argparse
import fcntl
import fnmatch
import gc
import importlib
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from judging import NO_TESTS, SURVIVED, Judge, processor_time
from making import ROOT, SOURCE, WORK, mutants_of, mutated, prepare
from measuring import cover, executed, tracer_of
from reasons import Change, change_of, page, read, unexplained

BUDGET = 1.0
"""Seconds of tests that a mutant is given, by the time they take while they are measured (somewhat more than on their own)."""


class Run:
    """A pytest plugin: collects, and judges in the place of running."""

    def __init__(self, files: Sequence[Path], chosen: argparse.Namespace) -> None:
        self._files, self._patterns, self._again = files, chosen.patterns or ["*"], chosen.again
        self._budget: float = chosen.budget
        self._first: list[str] = chosen.first
        self._tracer = tracer_of(files)

    def pytest_collection(self) -> None:
        """Note what is executed by importing alone."""
        self._tracer.start()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge what has to be judged."""
        for path in self._files:  # or every fork would do it
            importlib.import_module(".".join(path.with_suffix("").parts[1:]).removesuffix(".__init__"))
        self._tracer.stop()
        on_import = executed(self._tracer).get("", {})
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001 - made once, before the forks
        import ar_core

        if WORK / "mutants" not in Path(ar_core.__file__).parents:
            raise SystemExit(f"the tests import {ar_core.__file__}, not the mutants")
        gc.collect()
        gc.disable()  # a collection in a fork would copy every page
        judge = Judge(session.items, cover(session.items, self._files, on_import), self._budget, self._first)
        for path in sorted(self._files, key=self._turn):
            self._file(path, judge)
        return True

    def _turn(self, path: Path) -> int:
        """Files come in the order of the patterns."""
        module = ".".join(path.with_suffix("").parts[1:]) + "."
        return next((n for n, p in enumerate(self._patterns) if fnmatch.fnmatch(module, p)), 0)

    def _wanted(self, name: str, result: int | None) -> bool:
        if not any(fnmatch.fnmatch(name, pattern) for pattern in self._patterns):
            return False
        return result is None or (self._again and result in {SURVIVED, NO_TESTS})

    def _file(self, path: Path, judge: Judge) -> None:
        from mutmut.mutation.data import SourceFileMutationData

        data = SourceFileMutationData(path=path)
        data.load()
        wanted = [name for name, result in data.exit_code_by_key.items() if self._wanted(name, result)]
        began, saved = processor_time(), time.monotonic()
        try:
            for mutant in mutants_of(path, wanted):
                since = processor_time()
                data.exit_code_by_key[mutant.name] = judge.judge(mutant)
                data.durations_by_key[mutant.name] = processor_time() - since
                if time.monotonic() - saved > 5:
                    data.save()
                    saved = time.monotonic()
        finally:
            data.save()
        if wanted:
            print(f"{line_of(path)}  {processor_time() - began:.0f} s for {len(wanted)}", flush=True)


def results(path: Path) -> dict[str, int | None]:
    """What became of each mutant of a file."""
    from mutmut.mutation.data import SourceFileMutationData

    data = SourceFileMutationData(path=path)
    data.load()
    return data.exit_code_by_key


def line_of(path: Path) -> str:
    """One line about a file."""
    codes = list(results(path).values())
    judged = [code for code in codes if code is not None]
    noticed = sum(code not in {SURVIVED, NO_TESTS} for code in judged)
    share = f"{100 * noticed / len(judged):5.1f} %" if judged else "      -"
    return (
        f"{path.relative_to(SOURCE)!s:32} {len(codes):5} mutants {len(judged):5} judged {noticed:5} killed {share}"
        f" {judged.count(SURVIVED):4} survived {judged.count(NO_TESTS):4} not executed"
    )


def show(patterns: Sequence[str]) -> None:
    """The mutants that survived, as diffs without their context."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    for path in mutated():
        for name, code in results(path).items():
            if code in {SURVIVED, NO_TESTS} and any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
                print(f"\n# {name}{' (not executed)' if code == NO_TESTS else ''}")
                lines = get_diff_for_mutant(name, path=path).splitlines()
                print("\n".join(li for li in lines if li[:1] in "+-@" and li[:3] not in {"+++", "---"}))


def survivors(patterns: Sequence[str]) -> list[Change]:
    """What survived, by what it changes."""
    found = []
    for path in mutated():
        names = [
            name
            for name, code in results(path).items()
            if code in {SURVIVED, NO_TESTS} and any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
        ]
        found += [change_of(mutant.name, mutant.was, mutant.becomes) for mutant in mutants_of(path, names)]
    return found


def reasons(patterns: Sequence[str]) -> int:
    """Name the survivors without a reason, and reasons that none needs; 1 when there is a survivor without one."""
    left, found, idle = unexplained(survivors(patterns), read())
    for change in left:
        print(f"{change.where}\n  - {change.was}\n  + {change.becomes}")
    for reason in idle if patterns == ["*"] else ():
        print(f"no longer needed: {reason.where}: {reason.was} -> {reason.becomes}")
    print(f"{sum(map(len, found.values()))} survivors with a reason, {len(left)} without")
    return 1 if left else 0


def write_page() -> None:
    """Put the figures and the survivors of this moment into docs/mutants.md."""
    figures = [
        "| module | mutants | killed | survived | not executed | killed |",
        "|---|---|---|---|---|---|",
        *(_row(path) for path in mutated()),
        _row(*mutated(), name="all"),
    ]
    _, found, _ = unexplained(survivors(["*"]), read())
    file = ROOT / "docs" / "mutants.md"
    text = file.read_text(encoding="utf-8")
    for mark, part in (("figures", "\n".join(figures)), ("survivors", page(found))):
        before, _, rest = text.partition(f"<!-- {mark} -->\n")
        _, _, after = rest.partition(f"<!-- end of {mark} -->\n")
        text = f"{before}<!-- {mark} -->\n\n{part}\n\n<!-- end of {mark} -->\n{after}"
    file.write_text(text, encoding="utf-8")


def _row(*paths: Path, name: str | None = None) -> str:
    codes = [code for path in paths for code in results(path).values() if code is not None]
    survived, idle = codes.count(SURVIVED), codes.count(NO_TESTS)
    killed = len(codes) - survived - idle
    label = name or f"`{paths[0].relative_to(SOURCE)}`"
    return f"| {label} | {len(codes)} | {killed} | {survived} | {idle} | {100 * killed / max(len(codes), 1):.1f} % |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge mutants, or tell what is known of them."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("patterns", nargs="*", help="of mutants' names, such as 'ar_core.promises.*'")
    parser.add_argument("--again", action="store_true", help="judge also what survived before")
    parser.add_argument("--show", action="store_true", help="judge nothing; show the mutants that survived")
    parser.add_argument(
        "--reasons", action="store_true", help="judge nothing; name the survivors without a reason"
    )
    parser.add_argument(
        "--page", action="store_true", help="judge nothing; write figures and survivors into docs/mutants.md"
    )
    parser.add_argument(
        "--budget", type=float, default=BUDGET, help="seconds of tests for each mutant (%(default)s)"
    )
    parser.add_argument(
        "--first",
        action="append",
        default=[],
        metavar="TESTS",
        help="asked before all others, whatever the budget, such as '*test_holds.py*'; may be given several times",
    )
    chosen = parser.parse_args(arguments)
    WORK.mkdir(parents=True, exist_ok=True)
    if chosen.show:
        show(chosen.patterns or ["*"])
        return 0
    if chosen.reasons:
        return reasons(chosen.patterns or ["*"])
    if chosen.page:
        write_page()
        return 0
    with (WORK / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(
                f"another run is at work in {WORK}; two would overwrite each other's results"
            ) from None
        return run(chosen)


def run(chosen: argparse.Namespace) -> int:
    """The run that was asked for, in a folder that is ours alone."""
    files = prepare()
    os.environ.update(AR_HYPOTHESIS_PROFILE="mutants", AR_EXAMPLES="12", MUTANT_UNDER_TEST="")
    sys.path[:0] = [str(WORK / "mutants" / "src"), str(WORK)]
    shutil.rmtree("tmp", ignore_errors=True)
    options = [
        "-q",
        "-q",
        "--tb=no",
        "--assert=plain",
        "--capture=no",
        "--basetemp=tmp",
        "-p",
        "no:cacheprovider",
    ]
    options += ["-p", "no:xdist", "-p", "no:randomly", "tests"]
    code = int(pytest.main(options, plugins=[Run(files, chosen)]))
    print()
    for path in files:
        print(line_of(path))
    return code


if __name__ == "__main__":
    sys.exit(main())
