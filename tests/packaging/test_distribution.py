"""What a user gets: the sdist and the wheel, installed in an environment that knows nothing of this checkout.

Nothing is downloaded: the build runs without isolation, and the clean environment borrows only the third-party libraries
of the one the tests run in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

PACKAGES = {"ar_connectors", "ar_core"}


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a program to its end and return what it printed; its whole output is the message where it fails."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "COV_", "VIRTUAL_ENV"))
    }
    outcome = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**inherited, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, f"{command}\n{outcome.stdout}\n{outcome.stderr}"
    return outcome.stdout


MadeOnce = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def wheel(repo_root: Path, made_once: MadeOnce) -> Path:
    """The wheel, built from the sdist, so that the sdist is known to be whole."""

    def build(target: Path) -> None:
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, repo_root, cwd=target)

    (built,) = made_once("dist", build).glob("*.whl")
    return built


@pytest.fixture(scope="session")
def python(wheel: Path, made_once: MadeOnce) -> Path:
    """The interpreter of an environment outside the checkout that holds the wheel and the libraries it needs."""
    return interpreter_of(made_once("clean", lambda folder: install(wheel, folder)))


def interpreter_of(folder: Path) -> Path:
    """The program to start in a virtual environment."""
    (interpreter,) = [
        path for path in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if path.exists()
    ]
    return interpreter


def install(wheel: Path, folder: Path) -> None:
    """A virtual environment with the wheel in it."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    interpreter = interpreter_of(folder)
    packages = Path(
        run(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    )
    # A path added by a .pth file is searched last and its own .pth files are not read: the editable install stays invisible.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        interpreter,
        "install",
        "--no-deps",
        "--ignore-installed",
        wheel,
        cwd=folder,
    )


def test_the_wheel_holds_both_packages_and_nothing_else(wheel: Path) -> None:
    names = [PurePosixPath(name) for name in zipfile.ZipFile(wheel).namelist()]
    assert {name.parts[0] for name in names if not name.parts[0].endswith(".dist-info")} == PACKAGES
    for package in PACKAGES:
        assert PurePosixPath(package, "py.typed") in names
    assert not [name for name in names if "__pycache__" in name.parts or "tests" in name.parts]
    assert [name for name in names if name.match("*.dist-info/licenses/LICENSE")]


def test_the_wheel_holds_every_file_of_the_two_packages(wheel: Path, repo_root: Path) -> None:
    expected = {
        path.relative_to(base).as_posix()
        for base, package in ((repo_root, "ar_connectors"), (repo_root / "core", "ar_core"))
        for path in (base / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and ".mypy_cache" not in path.parts
    }
    assert expected <= set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_an_installed_package_imports_from_the_wheel(package: str, python: Path, tmp_path: Path) -> None:
    program = (
        f"import {package}, pathlib, sys; print(pathlib.Path({package}.__file__).is_relative_to(sys.prefix))"
    )
    assert run(python, "-W", "error", "-c", program, cwd=tmp_path).strip() == "True"


def test_there_is_no_package_named_core(python: Path, tmp_path: Path) -> None:
    program = "import importlib.util; print(importlib.util.find_spec('core'))"
    assert run(python, "-c", program, cwd=tmp_path).strip() == "None"


def test_the_core_imports_without_any_of_the_connectors_libraries(python: Path, tmp_path: Path) -> None:
    program = "import sys, ar_core; print(sorted({m.split('.')[0] for m in sys.modules} & set(sys.argv[1:])))"
    heavy = [
        "ar_connectors",
        "click",
        "cryptography",
        "msgspec",
        "requests",
        "rich",
        "sqlalchemy",
        "tenacity",
        "urllib3",
        "yaml",
        "polars",
    ]
    assert run(python, "-c", program, *heavy, cwd=tmp_path).strip() == "[]"


def test_each_entry_point_loads(python: Path, tmp_path: Path) -> None:
    program = (
        "from importlib.metadata import distribution\n"
        "points = distribution('ar-connectors').entry_points\n"
        "print([point.name for point in points if point.load() or True])"
    )
    assert "ar-connectors" in run(python, "-c", program, cwd=tmp_path)


def test_the_command_runs_where_it_is_installed(python: Path, tmp_path: Path) -> None:
    assert "sync" in run(python.with_name("ar-connectors"), "--help", cwd=tmp_path)


def extras(pyproject: dict[str, Any]) -> dict[str, list[str]]:
    listed: dict[str, list[str]] = pyproject["project"]["optional-dependencies"]
    return listed


def test_the_extra_all_holds_every_extra_of_a_user(repo_root: Path) -> None:
    pyproject = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))
    (everything,) = extras(pyproject)["all"]
    named = set(everything.removeprefix("ar-connectors[").removesuffix("]").split(","))
    assert named == set(extras(pyproject)) - {"all", "bench", "dev", "mutants", "peers"}


def test_each_dependency_has_a_reason_on_record(repo_root: Path) -> None:
    pyproject = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))
    users = [
        requirement
        for extra, listed in extras(pyproject).items()
        if extra not in {"all", "bench", "dev", "mutants", "peers"}
        for requirement in listed
    ]
    page = (repo_root / "docs" / "adr" / "0011-dependencies.md").read_text(encoding="utf-8").lower()
    names = [
        requirement.lower().split(">=")[0].split("[")[0]
        for requirement in [*pyproject["project"]["dependencies"], *users]
    ]
    assert not [name for name in names if f"`{name}`" not in page]


def test_all_extras_are_installed_together_without_a_conflict(tmp_path: Path) -> None:
    report = run(sys.executable, "-m", "pip", "inspect", "--local", cwd=tmp_path)
    installed = {
        item["metadata"]["name"].lower().replace("_", "-") for item in json.loads(report)["installed"]
    }
    assert {"ar-connectors", "python-quickbooks", "xero-python"} <= installed
    run(sys.executable, "-m", "pip", "check", cwd=tmp_path)
