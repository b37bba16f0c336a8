"""What no linter checks for us: the rules of this house, read off the syntax trees of the shipped code."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.house.sources import (
    CONNECTORS,
    CORE,
    ROOT,
    Source,
    dotted,
    files,
    imported,
    report,
    shipped,
    sources,
)

LONGEST_FILE = 800
OPT_IN_CORE_IMPORTS = {
    **{path.relative_to(ROOT).as_posix(): {"polars"} for path in (CORE / "ar_core/columns").glob("*.py")},
    "core/ar_core/yaml.py": {"yaml"},
}
IMPURE_MODULES = {
    "http",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "time",
}
IMPURE_CALLS = {
    "date.today",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "os.environ",
    "os.getenv",
    "os.urandom",
    "time.monotonic",
    "time.time",
    "uuid.uuid1",
    "uuid.uuid4",
}
MONEY_FILES = [
    source
    for source in shipped()
    if source.path.startswith("core/") or source.path.rsplit("/", 1)[-1] in {"mapping.py", "wire.py"}
]


def named(source: Source) -> str:
    return source.path


def impurities(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Each place where code reads a clock, the environment or chance, with what it reads."""
    for statement, name in imported(tree):
        if (
            name.split(".")[0] in IMPURE_MODULES
            or name.startswith("urllib.request")
            or name in {"os.environ", "os.getenv", "uuid.uuid1", "uuid.uuid4"}
        ):
            yield statement, f"import of {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = ".".join(dotted(node).split(".")[-2:])
            if name in IMPURE_CALLS:
                yield node, name


def public_definitions(
    body: list[ast.stmt],
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions, classes and methods of a module; overloads repeat their implementation and are left out."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = {dotted(decorator).split(".")[-1] for decorator in node.decorator_list}
            if node.name.startswith("_") or decorators & {"overload", "override", "setter"}:
                continue
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body)


@pytest.mark.parametrize("source", MONEY_FILES, ids=named)
def test_money_never_passes_through_a_binary_float(source: Source) -> None:
    calls = [
        source.at(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and dotted(node.func) in {"float", "builtins.float"}
    ]
    assert not calls, report(f"{place} calls float(" for place in calls)


@pytest.mark.parametrize("source", sources(CORE), ids=named)
def test_the_core_reads_no_clock_no_environment_and_no_chance(source: Source) -> None:
    found = [f"{source.at(node)}: {what}" for node, what in impurities(source.tree)]
    assert not found, report(found)


@pytest.mark.parametrize(
    "code",
    [
        "import time",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime as dt\nx = dt.datetime.now()",
        "from datetime import date\nx = date.today",
        "import os\nx = os.environ['A']",
        "from os import environ",
        "from uuid import uuid4",
    ],
)
def test_the_purity_check_sees_each_way_to_cheat(code: str) -> None:
    assert list(impurities(ast.parse(code)))


@pytest.mark.parametrize("source", sources(CORE), ids=named)
def test_the_core_imports_only_the_standard_library_and_pydantic(source: Source) -> None:
    allowed = {*sys.stdlib_module_names, "ar_core", "pydantic", *OPT_IN_CORE_IMPORTS.get(source.path, set())}
    strange = [
        f"{source.at(node)}: {name}"
        for node, name in imported(source.tree)
        if name.split(".")[0] not in {*allowed, ""}
    ]
    assert not strange, report(strange)


@pytest.mark.parametrize("source", shipped(), ids=named)
def test_every_public_name_says_what_it_is_for(source: Source) -> None:
    silent = [source.path] if source.text.strip() and not ast.get_docstring(source.tree) else []
    silent += [
        f"{source.at(node)} {node.name}"
        for node in public_definitions(source.tree.body)
        if not ast.get_docstring(node)
    ]
    assert not silent, report(f"{place} has no docstring" for place in silent)


def test_core_is_a_folder_and_no_package() -> None:
    assert CORE.is_dir()
    assert not (CORE / "__init__.py").exists(), "a package named core would collide with the users' own"


def test_no_file_is_too_long_to_read() -> None:
    folders = [folder for name in ("benchmarks", "examples", "tests") if (folder := ROOT / name).is_dir()]
    lengths = {source.path: source.text.count("\n") for source in sources(CORE, CONNECTORS, *folders)}
    assert not {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE}


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    # Written in pieces, or this file would be the first finding.
    banned = [
        "pypi" + ".org",
        "python" + "hosted.org",
        "registry.npm" + "js",
        "registry.yarn" + "pkg",
        "proxy.go" + "lang",
        "/wo" + "rk/",
        "/ro" + "ot/",
    ]
    found = []
    for path in files(ROOT):
        if path.name == ".git":  # a file where the checkout is one of several
            continue
        try:
            content = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {word}" for word in banned if word in content]
    assert not found, report(found)
