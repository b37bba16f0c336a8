"""The repository's own source files, parsed: what the house rules are checked against."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core"
CONNECTORS = ROOT / "ar_connectors"
SKIPPED_FOLDERS = frozenset({"build", "dist", "mutants", "node_modules", "site"})


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the repository's root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted import name, e.g. `ar_core.model.money`."""
        parts = Path(self.path).with_suffix("").parts
        parts = parts[1:] if parts[0] == "core" else parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def at(self, node: ast.AST) -> str:
        """Where a finding stands, as `path:line`."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@cache
def parsed(path: Path) -> Source:
    """The file at an absolute path."""
    content = path.read_text(encoding="utf-8")
    return Source(path.relative_to(ROOT).as_posix(), content, ast.parse(content, str(path)))


def files(*folders: Path, pattern: str = "*") -> Iterator[Path]:
    """Files under the folders that belong to the repository, sorted; hidden and built folders are left out."""
    for folder in folders:
        for path in sorted(folder.rglob(pattern)):
            parts = path.relative_to(ROOT).parts
            if path.name == ".git":  # of a second checkout: a file that says where the first one is
                continue
            if path.is_file() and not any(
                part in SKIPPED_FOLDERS or part == "__pycache__" or (part.startswith(".") and part != ".ci")
                for part in parts[:-1]
            ):
                yield path


def sources(*folders: Path) -> list[Source]:
    """Every Python file under the folders, parsed."""
    return [parsed(path) for path in files(*folders, pattern="*.py")]


def shipped() -> list[Source]:
    """Every Python file of the two packages users install."""
    return sources(CORE, CONNECTORS)


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def imported(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Each import of a module as (statement, full dotted name); names taken from a module are appended to it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            yield from (
                (node, f"{prefix}.{alias.name}" if prefix.strip(".") else f"{prefix}{alias.name}")
                for alias in node.names
            )


def report(findings: Iterable[str]) -> str:
    """Findings as one failure message, a line each."""
    return "\n  ".join(["the house rules are broken:", *findings])
