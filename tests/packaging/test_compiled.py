"""The wheel with the compiled evaluator: it holds extension modules, and what they decide is what the sources decide.

Compiled with little optimization, which takes a third of the time.
"""

from __future__ import annotations

import json
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.test_distribution import MadeOnce, install, interpreter_of, run, wheel

__all__ = ["wheel"]


@pytest.fixture(scope="session")
def compiled_wheel(repo_root: Path, made_once: MadeOnce, program: Callable[..., str]) -> Path:
    program("cc")

    def build(target: Path) -> None:
        command = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", target, repo_root)
        run(*command, cwd=target, AR_COMPILE="1", AR_COMPILE_LEVEL="1")

    (built,) = made_once("compiled", build).glob("*.whl")
    return built


@pytest.fixture(scope="session")
def compiled_python(compiled_wheel: Path, made_once: MadeOnce) -> Path:
    return interpreter_of(made_once("compiled-clean", lambda folder: install(compiled_wheel, folder)))


def test_the_compiled_wheel_says_for_which_platform_it_is(compiled_wheel: Path) -> None:
    assert not compiled_wheel.name.endswith("-none-any.whl")


def test_each_listed_module_is_an_extension_module(
    compiled_python: Path, repo_root: Path, tmp_path: Path
) -> None:
    listed = runpy.run_path(str(repo_root / "hatch_build.py"))["COMPILED"]
    names = ["ar_core." + path.removesuffix(".py").replace("/", ".") for path in listed]
    program = (
        "import importlib, importlib.machinery as m, json, sys\n"
        "files = {name: importlib.import_module(name).__file__ for name in sys.argv[1:]}\n"
        "suffixes = tuple(m.EXTENSION_SUFFIXES)\n"
        "print(json.dumps([n for n, f in files.items() if not f.endswith(suffixes) or not f.startswith(sys.prefix)]))"
    )
    assert "ar_core.cadence.account" in names
    assert json.loads(run(compiled_python, "-c", program, *names, cwd=tmp_path)) == []


def test_the_compiled_evaluator_passes_the_tests_of_the_evaluator(
    compiled_python: Path, repo_root: Path
) -> None:
    """All of them: what is decided, explained and simulated, every figure and every rule; processes, pickles and imports."""
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not pure and not soak")
    chosen = ("tests/cadence", "tests/conformance")
    said = run(compiled_python, "-m", "pytest", *options, *chosen, cwd=repo_root, PYTHONDONTWRITEBYTECODE="1")
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None, said
    assert int(passed[1]) > 2000, said


@pytest.mark.parametrize(
    ("platform", "compiled"), [(None, True), ("win_arm64", False), ("macosx_11_0_ppc", False)]
)
def test_of_what_is_released_pip_takes_the_compiled_wheel_where_it_fits_and_the_pure_one_elsewhere(
    platform: str | None, compiled: bool, wheel: Path, compiled_wheel: Path, tmp_path: Path
) -> None:
    released = (f"--find-links={wheel.parent}", f"--find-links={compiled_wheel.parent}")
    there = () if platform is None else (f"--platform={platform}",)
    options = ("--no-index", "--no-deps", "--only-binary=:all:", *there, f"--dest={tmp_path}")
    run(sys.executable, "-m", "pip", "download", *options, *released, "ar-connectors", cwd=tmp_path)
    (taken,) = tmp_path.iterdir()
    assert taken.name == (compiled_wheel if compiled else wheel).name
