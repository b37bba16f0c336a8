"""Does a test notice a mutant? Those that are likely to are asked first, as far as the budget goes."""

from __future__ import annotations

import ast
import fnmatch
import importlib
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from forks import KILLED, in_child, passes
from making import Mutant
from measuring import Executed, forget

TABLES = "test_reference_tables.py"
"""What a module makes on import is judged by these tests."""
SURVIVED, NO_TESTS, TIMEOUT = 0, 33, 36
"""Further exit codes of mutmut."""


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


def processor_time() -> float:
    """Seconds of all forks and of this process."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime + time.process_time()


class Judge:
    """Runs the tests that can notice a mutant until one does."""

    def __init__(
        self, items: Sequence[pytest.Item], coverage: Executed, budget: float, first: Sequence[str] = ()
    ) -> None:
        """`first`: patterns of tests that are asked before all others, whatever the budget."""
        self._budget = budget
        self._first = {i.nodeid for i in items if any(fnmatch.fnmatch(i.nodeid, p) for p in first)}
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
        """Those that execute its statement, as far as the budget goes: the likeliest and the most various first.

        First what noticed its neighbors; then one test of each test function, because the others differ in their numbers only: those
        that are about the mutant's function first.
        """
        path = str(mutant.path)
        names = {name for line in mutant.lines for name in self._by_line.get((path, line), ())}
        if not names and mutant.lines & self._coverage.on_import.get(path, frozenset()):
            return [name for name in self._items if f"/{TABLES}::" in name]
        before, spent, about = (
            self._noticed[f"{path}:{mutant.function}"],
            self._coverage.seconds,
            self._about(path, mutant.body),
        )
        ranked = sorted(names, key=lambda name: (-about.get(name, 0) / (spent[name] + 0.02), name))
        turns: Counter[str] = Counter()
        turn = {}
        for name in ranked:
            function = name.partition("[")[0]
            turn[name], turns[function] = turns[function], turns[function] + 1
        chosen, total = [name for name in ranked if name in self._first], 0.0
        for name in sorted(names - self._first, key=lambda name: (-before[name], turn[name])):
            if total + spent[name] <= self._budget:
                chosen.append(name)
                total += spent[name]
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
            forget()
            for name in names:
                if not passes(self._items[name]):
                    return name.encode()
            return b""

        status, answer = in_child(run, 10 + 4 * sum(self._coverage.seconds[name] for name in names))
        if os.WIFSIGNALED(status):
            waited = os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM}
            return TIMEOUT if waited else KILLED
        if answer:
            self._noticed[f"{mutant.path}:{mutant.function}"][answer.decode()] += 1
        return KILLED if os.WEXITSTATUS(status) or answer else SURVIVED
