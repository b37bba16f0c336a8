"""Which test executes which statement? Measured once for each test file, and kept by function, so that it outlives edits."""

from __future__ import annotations

import fnmatch
import hashlib
import pickle
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from coverage import Coverage
from forks import in_child, passes

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


def tracer_of(files: Iterable[Path]) -> Coverage:
    """Notes which lines of the mutated files are executed."""
    return Coverage(
        data_file=None, config_file=False, include=[str((Path("mutants") / path).resolve()) for path in files]
    )


def executed(measured: Coverage) -> dict[str, dict[str, frozenset[int]]]:
    """Context -> file -> lines."""
    data, root = measured.get_data(), Path("mutants").resolve()
    found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for name in data.measured_files():
        path = str(Path(name).relative_to(root))
        for line, contexts in data.contexts_by_lineno(name).items():
            for context in contexts:
                found[context][path].add(line)
    return {c: {path: frozenset(lines) for path, lines in by.items()} for c, by in found.items()}


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
        key = "1:" + _digest({path, *helpers, Path("tests/conftest.py").resolve()})
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
    caches = [
        value
        for name, module in list(sys.modules.items())
        if name.startswith(("ar_core", "tests"))
        for value in vars(module).values()
        if hasattr(value, "cache_clear")
    ]

    def measure() -> bytes:
        seconds, failed = {}, []
        tracer = tracer_of(files)
        tracer.start()
        for item in group:
            for cache in caches:  # a fork begins without what other tests have found
                cache.cache_clear()
            tracer.switch_context(item.nodeid)
            began = time.process_time()
            if not passes(item):
                failed.append(item.nodeid)
            seconds[item.nodeid] = time.process_time() - began
        tracer.stop()
        hits = {name: functions.offsets(lines) for name, lines in executed(tracer).items() if name}
        return pickle.dumps((hits, seconds, failed))

    status, answer = in_child(measure)
    if status:
        raise SystemExit(f"measuring {group[0].path} ended with {status}")
    hits, seconds, failed = pickle.loads(answer)
    if failed:
        raise SystemExit(f"tests fail without any mutant: {', '.join(failed)}")
    return Measured(key, functions.hashes, hits, seconds)
