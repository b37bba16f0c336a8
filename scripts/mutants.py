"""Change ar_core a little, many times, and count what no test notices: `make mutants` (docs/mutants.md).

mutmut makes the mutants, names them and shows them (`mutmut show`, in build/mutants). The tests are run from here, because
mutmut starts pytest anew for each mutant, which costs about a second: here one pytest collects, and each mutant is a fork of
it that runs only tests in which the changed statement is executed, first those that noticed its neighbors.

What was judged is kept in build/mutants until the function, or for what survived the tests, changes: a run can be stopped and
taken up again at any time.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import gc
import hashlib
import importlib
import os
import pickle
import resource
import shutil
import signal
import sys
import textwrap
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from coverage import Coverage

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutants"
SOURCE = Path("src/ar_core")
"""Inside WORK; the changed copies are in mutants/ beside it, as mutmut has them."""
COPIED = (
    *("tests/conftest.py", "tests/model_contract.py", "tests/cadence", "tests/metrics"),
    *(
        "tests/docs/pages.py",
        "tests/docs/test_pages.py",
        "docs/reference.md",
        "docs/rules.md",
        "docs/tutorial.md",
    ),
)
"""Not tests/columns: a child of a process that has used Polars hangs at its first use."""
BUDGET = 1.0
"""Seconds of tests that a mutant is given, by the time they take while they are measured (somewhat more than on their own)."""
ABOUT = {
    "aging": "aging aging_items",
    "channels": "reaching pauses_and_contacts",
    "conditions": "policies",
    "counterfactual": "why_not explain",
    "covers": "limits_and_signals",
    "diff": "policies",
    "explain": "explain",
    "figures": "features",
    "history": "edge_cases",
    "holds": "pauses_in_detail pauses_and_contacts",
    "limits": "limits_and_signals",
    "lint": "policies lint",
    "loading": "policies",
    "messages": "messages seed_rules tasks_and_ladder",
    "policy": "policies",
    "policy_parts": "policies",
    "predicates": "policies",
    "promises": "promises promises_and_money promises_and_credit",
    "signals": "limits_and_signals",
    "simulate": "simulate",
    "simulate_events": "simulate",
    "tasks": "tasks_and_ladder rules_by_name",
    "writebacks": "limits_and_signals",
}
"""Tests that are about a module (`test_....py`): they are asked whatever the budget."""
TABLES = "test_reference_tables.py"
"""What a module makes on import is judged by these tests."""
SURVIVED, KILLED, NO_TESTS, TIMEOUT = 0, 1, 33, 36
"""mutmut's exit codes."""


class Mutant(NamedTuple):
    """One change of one function."""

    name: str
    path: Path
    function: str
    lines: frozenset[int]
    """The changed statement, by its lines in the copy of the unchanged function."""
    body: range
    """That copy."""


Hits = dict[tuple[str, str], frozenset[int]]
"""Lines of functions (file, name), counted from the first."""


class Measured(NamedTuple):
    """What the tests of one file execute, as it was measured."""

    key: str
    hashes: dict[tuple[str, str], str]
    """Of the functions as they were then."""
    hits: dict[str, Hits]
    seconds: dict[str, float]


class Executed(NamedTuple):
    """What the tests execute."""

    hits: dict[str, dict[str, frozenset[int]]]
    """Test -> file -> lines."""
    seconds: dict[str, float]
    on_import: dict[str, frozenset[int]]


# ---- the folder in which mutants live


def _write(target: Path, content: bytes) -> None:
    """Only when it differs: mutmut tells a changed file by its date."""
    if not target.exists() or target.read_bytes() != content:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _sync(source: Path, target: Path) -> None:
    wanted = {p.relative_to(source) for p in source.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    for name in wanted:
        _write(target / name, (source / name).read_bytes())
    for held in [p for p in target.rglob("*") if p.is_file()]:
        if held.relative_to(target) not in wanted:
            held.unlink()


def prepare() -> list[Path]:
    """Bring WORK up to date and make the mutants of what has changed; the files that have mutants."""
    _write(WORK / "pyproject.toml", (ROOT / ".ci" / "mutants.toml").read_bytes())
    _sync(ROOT / "core" / "ar_core", WORK / SOURCE)
    for name in COPIED:
        if (ROOT / name).is_dir():
            _sync(ROOT / name, WORK / name)
        else:
            _write(WORK / name, (ROOT / name).read_bytes())
    os.chdir(WORK)
    from mutmut.__main__ import create_mutants_for_file  # reads its settings where it is imported
    from mutmut.configuration import config

    found = []
    for path in sorted(p for p in SOURCE.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        changed = Path("mutants") / path
        changed.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py" and config().should_mutate(path):
            result = create_mutants_for_file(path, changed)
            if result.error is not None:
                raise result.error
            found.append(path)
        else:
            _write(changed, path.read_bytes())
    return found


def mutants_of(path: Path, names: Iterable[str]) -> Iterator[Mutant]:
    """The mutants of a file, each with the lines of the statement it changes."""
    from mutmut.mutation.data import MutantLineSpans

    index = MutantLineSpans.load(path)
    text = (Path("mutants") / path).read_text(encoding="utf-8").splitlines()
    trees: dict[str, tuple[int, list[str], ast.AST]] = {}
    for name in names:
        own = name.rpartition(".")[2]
        function = own.partition("__mutmut_")[0]
        if index is None:
            raise LookupError(f"{path} has no index of its mutants: delete {WORK}")
        if function not in trees:
            span = index.span_by_function_name[f"{function}__mutmut_orig"]
            lines = text[span.start - 1 : span.end]
            trees[function] = (span.start, lines, ast.parse(textwrap.dedent("\n".join(lines))))
        start, original, tree = trees[function]
        span = index.span_by_function_name[own]
        first, last = _difference(original, text[span.start - 1 : span.end], function, own)
        statement = frozenset(start + n for n in _statement(tree, first, last))
        yield Mutant(name, path, function, statement, range(start, start + len(original)))


def _difference(original: Sequence[str], mutant: Sequence[str], function: str, own: str) -> tuple[int, int]:
    """First and last line of the original that differ, counted from 0."""
    renamed = [line.replace(own, f"{function}__mutmut_orig", 1) if own in line else line for line in mutant]
    first = 0
    while first < min(len(original), len(renamed)) and original[first] == renamed[first]:
        first += 1
    back = 0
    while back < min(len(original), len(renamed)) - first and original[-1 - back] == renamed[-1 - back]:
        back += 1
    return first, max(first, len(original) - back - 1)


def _statement(tree: ast.AST, first: int, last: int) -> range:
    """The lines, from 0, of the innermost statement around a difference; of one with a body, its head."""
    best: ast.stmt | None = None
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno - 1 <= first and last <= (node.end_lineno or 0) - 1:
            best = node if best is None or node.lineno >= best.lineno else best
    if best is None or isinstance(best, ast.FunctionDef):
        return range(10_000) if best is None else range(best.lineno - 1, best.end_lineno or 0)
    body = getattr(best, "body", None) or getattr(best, "cases", None)
    end = best.end_lineno or 0
    if isinstance(body, list) and body:
        end = max(last + 1, min(getattr(part, "lineno", end + 1) for part in body) - 1)
    return range(best.lineno - 1, max(end, best.lineno))


# ---- which test executes what


def _tracer(files: Iterable[Path]) -> Coverage:
    return Coverage(
        data_file=None, config_file=False, include=[str((Path("mutants") / path).resolve()) for path in files]
    )


def _executed(measured: Coverage) -> dict[str, dict[str, frozenset[int]]]:
    """Context -> file -> lines."""
    data, root = measured.get_data(), Path("mutants").resolve()
    found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for name in data.measured_files():
        path = str(Path(name).relative_to(root))
        for line, contexts in data.contexts_by_lineno(name).items():
            for context in contexts:
                found[context][path].add(line)
    return {c: {path: frozenset(lines) for path, lines in by.items()} for c, by in found.items()}


def _passes(item: pytest.Item) -> bool:
    """Run a test without making a report of it, which would cost more than most tests."""
    hook, request = item.ihook, getattr(item, "_initrequest", None)
    if request is not None:
        request()
    try:
        hook.pytest_runtest_setup(item=item)
        hook.pytest_runtest_call(item=item)
    except pytest.skip.Exception:
        pass
    except Exception:  # noqa: BLE001 - whatever a test raises, it has noticed something
        return False
    hook.pytest_runtest_teardown(item=item, nextitem=None)
    return True


def _in_child(work: Callable[[], bytes], seconds: float | None = None) -> tuple[int, bytes]:
    """Fork, work, and hand back what the child wrote and its wait status."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            if seconds is not None:
                resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
                signal.alarm(int(seconds * 20) + 60)  # what waits uses no processor
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(quiet, stream)
            answer = work()
            with os.fdopen(writing, "wb") as out:
                out.write(answer)
        except BaseException:  # noqa: BLE001 - a mutant may raise anything, and that is noticed
            os._exit(KILLED)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer_file:
        answer = answer_file.read()
    return os.waitpid(child, 0)[1], answer


def _digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(str(path).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


class Functions:
    """The unchanged functions in mutated files: what is known of a test's lines is kept by function, so that it outlives edits."""

    def __init__(self, files: Iterable[Path]) -> None:
        from mutmut.mutation.data import MutantLineSpans, SourceFileMutationData

        self.spans: dict[tuple[str, str], range] = {}
        self.hashes: dict[tuple[str, str], str] = {}
        for path in files:
            index, data = MutantLineSpans.load(path), SourceFileMutationData(path=path)
            data.load()
            for name, span in index.span_by_function_name.items() if index is not None else ():
                function, _, copy = name.partition("__mutmut_")
                if copy == "orig":
                    self.spans[str(path), function] = range(span.start, span.end + 1)
                    self.hashes[str(path), function] = data.hash_by_function_name.get(function, "")

    def offsets(self, hits: dict[str, frozenset[int]]) -> Hits:
        """By function, the lines of files counted from its first."""
        found = {}
        for (path, function), span in self.spans.items():
            lines = frozenset(line - span.start for line in hits.get(path, ()) if line in span)
            if lines:
                found[path, function] = lines
        return found

    def lines(self, hits: Hits, hashes: Mapping[tuple[str, str], str]) -> dict[str, frozenset[int]]:
        """Lines of files again; of a function that changed since, all of them."""
        found: dict[str, set[int]] = defaultdict(set)
        for function, offsets in hits.items():
            span = self.spans.get(function)
            if span is None:
                continue
            same = hashes.get(function) == self.hashes[function]
            found[function[0]].update((span.start + n for n in offsets) if same else span)
        return {path: frozenset(lines) for path, lines in found.items()}


def cover(
    items: Sequence[pytest.Item], files: Sequence[Path], on_import: dict[str, frozenset[int]]
) -> Executed:
    """What each test executes; measured anew only for test files that changed since."""
    cache, functions = Path("coverage.pickle"), Functions(files)
    known: dict[str, Measured] = {}
    if cache.exists():
        known = {name: Measured(*row) for name, row in pickle.loads(cache.read_bytes()).items()}
    by_file: dict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        by_file[item.path].append(item)
    fresh: dict[str, Measured] = {}
    for path, group in by_file.items():
        helpers = [p for p in path.parent.glob("*.py") if not fnmatch.fnmatch(p.name, "test_*")]
        key = _digest({path, *helpers, Path("tests/conftest.py").resolve()})
        if path.name not in known or known[path.name].key != key:
            print(f"measuring {path.name}", flush=True)
            known[path.name] = _measure(group, files, functions, key)
            cache.write_bytes(pickle.dumps({name: tuple(row) for name, row in known.items()}))
        fresh[path.name] = known[path.name]
    return Executed(
        {
            name: functions.lines(hits, measured.hashes)
            for measured in fresh.values()
            for name, hits in measured.hits.items()
        },
        {name: spent for measured in fresh.values() for name, spent in measured.seconds.items()},
        on_import,
    )


def _measure(group: Sequence[pytest.Item], files: Sequence[Path], functions: Functions, key: str) -> Measured:
    def measure() -> bytes:
        seconds, failed = {}, []
        tracer = _tracer(files)
        tracer.start()
        for item in group:
            tracer.switch_context(item.nodeid)
            began = time.process_time()
            if not _passes(item):
                failed.append(item.nodeid)
            seconds[item.nodeid] = time.process_time() - began
        tracer.stop()
        hits = {name: functions.offsets(lines) for name, lines in _executed(tracer).items() if name}
        return pickle.dumps((hits, seconds, failed))

    status, answer = _in_child(measure)
    if status:
        raise SystemExit(f"measuring {group[0].path} ended with {status}")
    hits, seconds, failed = pickle.loads(answer)
    if failed:
        raise SystemExit(f"tests fail without any mutant: {', '.join(failed)}")
    return Measured(key, functions.hashes, hits, seconds)


# ---- judging


def _activate(mutant: Mutant, on_import: frozenset[int]) -> None:
    """Let calls go to the mutant; what its module computed when it was imported is computed again."""
    from mutmut.mutation import trampoline

    trampoline.get_mutant_under_test = lambda: mutant.name
    if not mutant.lines & on_import:
        return
    module = importlib.import_module(mutant.name.rpartition(".")[0])
    plain = mutant.function.removeprefix("x_")
    for statement in ast.parse((Path(mutant.path)).read_text(encoding="utf-8")).body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        called = {
            n.func.id
            for n in ast.walk(statement.value)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if plain not in called or not isinstance(target, ast.Name):
            continue
        old = getattr(module, target.id)
        new = eval(compile(ast.Expression(statement.value), str(mutant.path), "eval"), vars(module))
        for other in [m for n, m in sys.modules.items() if n.startswith(("ar_core", "tests"))]:
            for attribute in [a for a, value in vars(other).items() if value is old]:
                setattr(other, attribute, new)


def _processor_time() -> float:
    """Seconds of all forks and of this process."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime + time.process_time()


class Judge:
    """Runs the tests that can notice a mutant until one does."""

    def __init__(self, items: Sequence[pytest.Item], coverage: Executed, budget: float) -> None:
        self._budget = budget
        self._items = {item.nodeid: item for item in items}
        self._coverage = coverage
        self._by_line: dict[tuple[str, int], set[str]] = defaultdict(set)
        for name, found in coverage.hits.items():
            for path, lines in found.items():
                for line in lines:
                    self._by_line[path, line].add(name)
        self._noticed: dict[str, Counter[str]] = defaultdict(Counter)
        self._weights: dict[tuple[str, int], dict[str, float]] = {}

    def tests_for(self, mutant: Mutant) -> list[str]:
        """Those that noticed its neighbors first, then those about its module, then the rest as far as the budget goes."""
        path = str(mutant.path)
        names = {name for line in mutant.lines for name in self._by_line.get((path, line), ())}
        if not names and mutant.lines & self._coverage.on_import.get(path, frozenset()):
            return [name for name in self._items if f"/{TABLES}::" in name]
        before, spent = self._noticed[f"{path}:{mutant.function}"], self._coverage.seconds
        about, files = self._about(path, mutant.body), ABOUT.get(mutant.path.stem, "").split()
        own = {name for name in names if name.partition("::")[0].rpartition("/test_")[2][:-3] in files}
        chosen, total = [], 0.0
        for name in sorted(
            names,
            key=lambda n: (-before[n], n not in own, -about.get(n, 0) / (spent[n] + 0.02), n),
        ):
            if (name in own and spent[name] < self._budget) or total + spent[name] <= self._budget:
                chosen.append(name)
                total += 0 if name in own else spent[name]
        return chosen

    def _about(self, path: str, body: range) -> Mapping[str, float]:
        """How much each test is about a function: lines that few tests execute count more."""
        found = self._weights.get((path, body.start))
        if found is None:
            found = self._weights[path, body.start] = defaultdict(float)
            for line in body:
                for name in (tests := self._by_line.get((path, line), ())):
                    found[name] += 1 / len(tests)
        return found

    def judge(self, mutant: Mutant) -> int:
        """The exit code that mutmut has for what became of it."""
        names = self.tests_for(mutant)
        if not names:
            return NO_TESTS
        on_import = self._coverage.on_import.get(str(mutant.path), frozenset())

        def run() -> bytes:
            _activate(mutant, on_import)
            for name in names:
                if not _passes(self._items[name]):
                    return name.encode()
            return b""

        status, answer = _in_child(run, 10 + 4 * sum(self._coverage.seconds[name] for name in names))
        if os.WIFSIGNALED(status):
            waited = os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM}
            return TIMEOUT if waited else KILLED
        if answer:
            self._noticed[f"{mutant.path}:{mutant.function}"][answer.decode()] += 1
        return KILLED if os.WEXITSTATUS(status) or answer else SURVIVED


class Run:
    """A pytest plugin: collects, and judges in the place of running."""

    def __init__(self, files: Sequence[Path], chosen: argparse.Namespace) -> None:
        self._files, self._patterns, self._again = files, chosen.patterns or ["*"], chosen.again
        self._budget: float = chosen.budget
        self._tracer = _tracer(files)

    def pytest_collection(self) -> None:
        """Note what is executed by importing alone."""
        self._tracer.start()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge what has to be judged."""
        for path in self._files:  # or every fork would do it
            importlib.import_module(".".join(path.with_suffix("").parts[1:]).removesuffix(".__init__"))
        self._tracer.stop()
        on_import = _executed(self._tracer).get("", {})
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001 - made once, before the forks
        import ar_core

        if WORK / "mutants" not in Path(ar_core.__file__).parents:
            raise SystemExit(f"the tests import {ar_core.__file__}, not the mutants")
        gc.collect()
        gc.disable()  # a collection in a fork would copy every page
        judge = Judge(session.items, cover(session.items, self._files, on_import), self._budget)
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
        began, saved = _processor_time(), time.monotonic()
        try:
            for mutant in mutants_of(path, wanted):
                since = _processor_time()
                data.exit_code_by_key[mutant.name] = judge.judge(mutant)
                data.durations_by_key[mutant.name] = _processor_time() - since
                if time.monotonic() - saved > 5:
                    data.save()
                    saved = time.monotonic()
        finally:
            data.save()
        if wanted:
            print(f"{line_of(path)}  {_processor_time() - began:.0f} s for {len(wanted)}", flush=True)


# ---- telling


def results(files: Iterable[Path]) -> dict[Path, dict[str, int | None]]:
    """By file, what became of each mutant."""
    from mutmut.mutation.data import SourceFileMutationData

    found = {}
    for path in files:
        data = SourceFileMutationData(path=path)
        data.load()
        found[path] = data.exit_code_by_key
    return found


def line_of(path: Path) -> str:
    """One line about a file."""
    codes = list(results([path])[path].values())
    judged = [code for code in codes if code is not None]
    noticed = sum(code not in {SURVIVED, NO_TESTS} for code in judged)
    share = f"{100 * noticed / len(judged):5.1f} %" if judged else "      -"
    return (
        f"{path.relative_to(SOURCE)!s:32} {len(codes):5} mutants {len(judged):5} judged {noticed:5} killed {share}"
        f" {judged.count(SURVIVED):4} survived {judged.count(NO_TESTS):4} not executed"
    )


def show(path: Path, name: str) -> str:
    """A mutant as a diff without its context."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    lines = get_diff_for_mutant(name, path=path).splitlines()
    return "\n".join(line for line in lines if line[:1] in "+-@" and line[:3] not in {"+++", "---"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge mutants, or tell what is known of them."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("patterns", nargs="*", help="of mutants' names, such as 'ar_core.promises.*'")
    parser.add_argument("--again", action="store_true", help="judge also what survived before")
    parser.add_argument("--show", action="store_true", help="judge nothing; show the mutants that survived")
    parser.add_argument(
        "--budget", type=float, default=BUDGET, help="seconds of tests for each mutant (%(default)s)"
    )
    chosen = parser.parse_args(arguments)
    patterns = chosen.patterns or ["*"]
    WORK.mkdir(parents=True, exist_ok=True)
    files = prepare()
    files.sort(key=lambda path: (path.parent.name == "cadence", path.name))
    if chosen.show:
        for path, codes in results(files).items():
            for name, code in codes.items():
                if code in {SURVIVED, NO_TESTS} and any(fnmatch.fnmatch(name, p) for p in patterns):
                    print(f"\n# {name}{' (not executed)' if code == NO_TESTS else ''}\n{show(path, name)}")
        return 0
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
