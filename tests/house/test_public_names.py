"""The public face: what is offered is listed and really there. The order of the list is ruff's RUF022."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import ROOT, Source, report, shipped

FACES = ["ar_core", "ar_core.model", "ar_connectors"]


def lists_its_names(source: Source) -> bool:
    """Whether the module assigns `__all__`, literally or computed."""
    return any(
        isinstance(target, ast.Name) and target.id == "__all__"
        for node in source.tree.body
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )


def offered(source: Source) -> set[str]:
    """What the source defines (any module) or takes in from our own packages (a package's face) under a public name."""
    names: set[str] = set()
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif (
            isinstance(node, ast.ImportFrom)
            and source.path.endswith("__init__.py")
            and (node.module or "").startswith("ar_")
        ):
            names.update(alias.asname or alias.name for alias in node.names if alias.name != "*")
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("name", FACES)
def test_each_public_package_lists_its_names(name: str) -> None:
    assert isinstance(getattr(importlib.import_module(name), "__all__", None), list | tuple), (
        f"{name} has no __all__"
    )


@pytest.mark.parametrize(
    "source", [source for source in shipped() if lists_its_names(source)], ids=lambda source: source.path
)
def test_a_list_of_public_names_is_complete(source: Source) -> None:
    module = importlib.import_module(source.module)
    names = list(module.__all__)
    assert len(names) == len(set(names)), f"{source.path}: __all__ repeats a name"
    absent = [name for name in names if not hasattr(module, name)]
    assert not absent, report(f"{source.path}: {name} is listed and does not exist" for name in absent)
    unlisted = sorted(offered(source) - set(names))
    assert not unlisted, report(f"{source.path}: {name} is public and not in __all__" for name in unlisted)


def complaints(program: str, folder: Path) -> list[str]:
    """What a user's `mypy --strict` says about a program that uses the installed packages."""
    file = folder / "program.py"
    file.write_text(program, encoding="utf-8")
    outcome = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            f"--cache-dir={ROOT / '.mypy_cache' / 'as-a-user'}",  # kept: reading all the sources takes half a minute
            "--no-error-summary",
            str(file),
        ],
        cwd=folder,
        env={**os.environ, "MYPYPATH": f"{ROOT / 'core'}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode in {0, 1}, outcome.stderr
    return [line for line in outcome.stdout.splitlines() if "program.py:" in line]


def test_a_type_checker_sees_the_same_names_as_the_interpreter(tmp_path: Path) -> None:
    """A computed `__all__` is invisible to type checkers, and users under mypy --strict could import nothing."""
    offers = {name: list(importlib.import_module(name).__all__) for name in FACES}
    lines = [
        f"from {module} import {name} as {name}_{number}"
        for number, module in enumerate(FACES)
        for name in offers[module]
    ]
    hidden = complaints("\n".join(lines), tmp_path)
    assert not hidden, report(hidden)
    assert complaints("from ar_core import no_such_name", tmp_path)


def test_the_pytest_plugin_imports_nothing_heavy_until_a_fixture_is_used() -> None:
    """Every pytest run of every user who installed us pays for what the entry point imports."""
    heavy = [
        "ar_core",
        "cryptography",
        "msgspec",
        "pydantic",
        "requests",
        "sqlalchemy",
        "sqlglot",
        "werkzeug",
    ]
    program = (
        f"import sys, ar_connectors.testkit.pytest_plugin\nprint([m for m in {heavy!r} if m in sys.modules])"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert outcome.stdout.strip() == "[]"
