"""Builds the evaluator as extension modules where `AR_COMPILE=1` asks for it; every other build is one wheel of pure Python.

The sources are the same: mypyc compiles the modules listed in `COMPILED` as they stand, and the wheel holds both, the interpreter
prefers the compiled ones. A release has both wheels (`make dist`), and pip takes the compiled one where it fits. Why and what it
brings: docs/adr/0020-compiled-evaluator.md.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["COMPILED", "CompiledEvaluator", "compile_into"]

# What an evaluation runs through, and no more. Not in the list, because mypyc cannot compile it or has nothing to win: modules that
# define pydantic models, enums of text, subclasses of str or protocols; what runs once per policy (lint, loading) or never in a run.
COMPILED: Final = (
    "cadence/account.py",
    "cadence/book.py",
    "cadence/channels.py",
    "cadence/choosing.py",
    "cadence/collector.py",
    "cadence/conditions.py",
    "cadence/copies.py",
    "cadence/covers.py",
    "cadence/decisions.py",
    "cadence/due.py",
    "cadence/evaluate.py",
    "cadence/facts.py",
    "cadence/figures.py",
    "cadence/history.py",
    "cadence/holds.py",
    "cadence/incremental.py",
    "cadence/index.py",
    "cadence/items.py",
    "cadence/limits.py",
    "cadence/messages.py",
    "cadence/outcomes.py",
    "cadence/places.py",
    "cadence/plan.py",
    "cadence/predicates.py",
    "cadence/reachable.py",
    "cadence/results.py",
    "cadence/ruletables.py",
    "cadence/run.py",
    "cadence/signals.py",
    "cadence/state.py",
    "cadence/steps.py",
    "cadence/tasks.py",
    "cadence/ways.py",
    "cadence/writebacks.py",
    "model/money.py",
    "partition.py",
    "promises.py",
    "rates.py",
    "scoring.py",
    "segments.py",
)

_SOURCES: Final = Path("core", "ar_core")
_NEEDED: Final = ["mypy[mypyc]>=2.0", "pydantic>=2.10", "setuptools>=77"]


class CompiledEvaluator(BuildHookInterface[Any]):
    """Adds the extension modules to a wheel that is asked for with `AR_COMPILE=1`."""

    def dependencies(self) -> list[str]:
        """What an isolated build needs beside hatchling: the compiler, and pydantic for the types of the records."""
        return list(_NEEDED) if _asked_for() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and put the results into the wheel. Editable installs stay pure: their modules are the sources."""
        if not _asked_for() or version == "editable":
            return
        self._folder = TemporaryDirectory(prefix="ar-compiled-")
        build_data["force_include"].update(
            {
                str(path): place
                for place, path in compile_into(Path(self._folder.name), Path(self.root)).items()
            }
        )
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  hatchling's call
        """Throw away what lies in the wheel by now."""
        if _asked_for() and version != "editable":
            self._folder.cleanup()


def _asked_for() -> bool:
    return os.environ.get("AR_COMPILE") == "1"


def compile_into(folder: Path, root: Path) -> dict[str, Path]:
    """Compile the listed modules of the project in `root`: the files that were made in `folder`, by their place in a wheel.

    `AR_COMPILE_LEVEL` is the C compiler's level of optimization, 2 when it is not set. Ends the build with one sentence when mypyc or
    a C compiler is missing or refuses.
    """
    try:
        import setuptools  # noqa: F401  mypyc looks for it when it is imported
        from mypyc.build import mypycify
        from setuptools import Distribution
        from setuptools.errors import BaseError
    except ImportError as error:
        sys.exit(f"AR_COMPILE=1 needs {', '.join(_NEEDED)} and a C compiler: {error}")
    compiler = (os.environ.get("CC") or "cc").split()[0]
    if sys.platform != "win32" and shutil.which(compiler) is None:
        sys.exit(
            f"AR_COMPILE=1 needs a C compiler: there is no program named {compiler} (CC names another one)"
        )
    made, here = folder / "made", Path.cwd()
    os.chdir(root)  # mypyc takes a module's name from its path
    try:
        modules = mypycify(
            [
                "--config-file=pyproject.toml",
                f"--cache-dir={folder / 'cache'}",
                *(str(_SOURCES / name) for name in COMPILED),
            ],
            opt_level=os.environ.get("AR_COMPILE_LEVEL", "2"),
            debug_level="0",
            target_dir=str(folder / "c"),
            group_name="ar_core",
        )
        command: Any = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(made), str(folder / "objects")
        command.parallel = os.cpu_count()
        command.ensure_finalized()
        command.run()
    except BaseError as error:
        sys.exit(f"AR_COMPILE=1: the C compiler failed: {error}")
    finally:
        os.chdir(here)
    return {path.relative_to(made).as_posix(): path for path in made.rglob("*") if path.is_file()}
