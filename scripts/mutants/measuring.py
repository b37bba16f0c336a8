"""Which test executes which statement? Measured once for each test file, in a process that no other test has warmed."""

from __future__ import annotations

import fnmatch
import hashlib
import pickle
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from coverage import Coverage
from forks import in_child, passes

Lines = dict[str, frozenset[int]]
"""By file."""


class Measured(NamedTuple):
    """What the tests of one file execute."""

    key: str
    hits: dict[str, Lines]
    seconds: dict[str, float]


class Executed(NamedTuple):
    """What the tests execute."""

    hits: dict[str, Lines]
    """By test."""
    seconds: dict[str, float]
    on_import: Lines


def tracer_of(files: Iterable[Path]) -> Coverage:
    """Notes which lines of the mutated files are executed."""
    return Coverage(
        data_file=None, config_file=False, include=[str((Path("mutants") / path).resolve()) for path in files]
    )


def executed(measured: Coverage) -> dict[str, Lines]:
    """By context."""
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


def cover(items: Sequence[pytest.Item], files: Sequence[Path], on_import: Lines) -> Executed:
    """What each test executes; measured anew when its file or any mutated file is another (a minute for all of them)."""
    cache = Path("coverage.pickle")
    known: dict[str, tuple[str, dict[str, Lines], dict[str, float]]] = {}
    if cache.exists():
        known = pickle.loads(cache.read_bytes())
    by_file: dict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        by_file[item.path].append(item)
    sources = [Path("mutants") / path for path in files]
    fresh: dict[str, Measured] = {}
    for path, group in by_file.items():
        helpers = [p for p in path.parent.glob("*.py") if not fnmatch.fnmatch(p.name, "test_*")]
        key = _digest({*sources, path, *helpers, Path("tests/conftest.py")})
        if path.name not in known or known[path.name][0] != key:
            print(f"measuring {path.name}", flush=True)
            known[path.name] = tuple(_measure(group, files, key))
            cache.write_bytes(pickle.dumps(known))
        fresh[path.name] = Measured(*known[path.name])
    return Executed(
        {name: lines for measured in fresh.values() for name, lines in measured.hits.items()},
        {name: spent for measured in fresh.values() for name, spent in measured.seconds.items()},
        on_import,
    )


def forget() -> None:
    """Empty the caches: what was found before would not be looked for again, by a test that is measured or by a mutant."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("ar_core", "tests")):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _measure(group: Sequence[pytest.Item], files: Sequence[Path], key: str) -> Measured:
    def measure() -> bytes:
        seconds, failed = {}, []
        tracer = tracer_of(files)
        tracer.start()
        for item in group:
            forget()
            tracer.switch_context(item.nodeid)
            began = time.process_time()
            if not passes(item):
                failed.append(item.nodeid)
            seconds[item.nodeid] = time.process_time() - began
        tracer.stop()
        return pickle.dumps(
            ({name: lines for name, lines in executed(tracer).items() if name}, seconds, failed)
        )

    status, answer = in_child(measure)
    if status:
        raise SystemExit(f"measuring {group[0].path} ended with {status}")
    hits, seconds, failed = pickle.loads(answer)
    if failed:
        raise SystemExit(f"tests fail without any mutant: {', '.join(failed)}")
    return Measured(key, hits, seconds)
