"""The folder in which mutants live: what is copied into it, and the mutants that mutmut makes of it."""

from __future__ import annotations

import ast
import os
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutants"
SOURCE = Path("src/ar_core")
"""Inside WORK; the changed copies are in mutants/ beside it, as mutmut has them."""
COPIED = (
    *("tests/conftest.py", "tests/model_contract.py", "tests/cadence", "tests/conformance", "tests/metrics"),
    *(
        "tests/docs/pages.py",
        "tests/docs/test_pages.py",
        "tests/house/sources.py",
        "docs/reference.md",
        "docs/rules.md",
        "docs/tutorial.md",
        "examples/cadence_only/policy.toml",
    ),
)
"""Not tests/columns: a child of a process that has used Polars hangs at its first use."""


class Mutant(NamedTuple):
    """One change of one function."""

    name: str
    path: Path
    function: str
    lines: frozenset[int]
    """The changed statement, by its lines in the copy of the unchanged function."""
    body: range
    """That copy."""
    was: str
    """The lines that are changed."""
    becomes: str
    """What they become."""


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

    for path in sorted(p for p in SOURCE.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        changed = Path("mutants") / path
        changed.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py" and config().should_mutate(path):
            result = create_mutants_for_file(path, changed)
            if result.error is not None:
                raise result.error
        else:
            _write(changed, path.read_bytes())
    return mutated()


def mutated() -> list[Path]:
    """The files that have mutants, those of the cadence last."""
    os.chdir(WORK)
    found = [path.relative_to("mutants") for path in Path("mutants").rglob("*.py.meta")]
    return sorted(
        (path.with_suffix("") for path in found), key=lambda path: (path.parent.name == "cadence", path.name)
    )


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
        changed = text[span.start - 1 : span.end]
        renamed = [li.replace(own, f"{function}__mutmut_orig", 1) if own in li else li for li in changed]
        first, end, end_then = difference(original, renamed)
        statement = frozenset(start + n for n in _statement(tree, first, max(first, end - 1)))
        yield Mutant(
            name,
            path,
            function,
            statement,
            range(start, start + len(original)),
            "\n".join(original[first:end]),
            "\n".join(renamed[first:end_then]),
        )


def difference(original: Sequence[str], renamed: Sequence[str]) -> tuple[int, int, int]:
    """First line (or word) that differs, counted from 0, and where the difference ends in each of the two."""
    first = 0
    while first < min(len(original), len(renamed)) and original[first] == renamed[first]:
        first += 1
    back = 0
    while back < min(len(original), len(renamed)) - first and original[-1 - back] == renamed[-1 - back]:
        back += 1
    return first, len(original) - back, len(renamed) - back


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
