"""Does a test notice a mutant? Those that are likely to are asked first, as far as the budget goes."""

from __future__ import annotations

import ast
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
from measuring import Executed

ABOUT = {
    "aging": "aging aging_items",
    "channels": "reaching pauses_and_contacts",
    "conditions": "policies",
    "counterfactual": "why_not explain",
    "content": "seed_rules rules_by_name whole_actions",
    "covers": "limits_and_signals limits_at_their_edges tasks_and_ladder whole_actions",
    "diff": "policies",
    "explain": "explain explain_text",
    "history": "history edge_cases",
    "holds": "pauses_in_detail one_after_another pauses_and_contacts",
    "limits": "limits_and_signals limits_at_their_edges",
    "lint": "lint policies",
    "loading": "policies",
    "messages": "whole_actions seed_rules tasks_and_ladder one_after_another edge_cases",
    "policy": "policies",
    "policy_parts": "policies",
    "predicates": "policies",
    "outcomes": "edge_cases",
    "promises": "promises promises_and_money promises_and_credit promises_late promised_amounts",
    "signals": "limits_and_signals",
    "simulate": "simulate",
    "simulate_events": "simulate",
    "tasks": "tasks_and_ladder one_after_another whole_actions",
    "writebacks": "limits_and_signals",
}
"""Tests that are about a module (`test_....py`): they are asked whatever the budget."""
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
