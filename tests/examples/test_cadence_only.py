"""The examples of the evaluator alone run, and load nothing of ours but `ar_core`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(repo_root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=repo_root, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_second_run_repeats_nothing(repo_root: Path, tmp_path: Path) -> None:
    program = ("-m", "examples.cadence_only.plan", str(tmp_path))
    first = run(repo_root, *program)
    assert "Birch Studio: demand, email" in first
    assert "Dogwood Ltd: get contact, internal" in first
    assert "6 actions put on record" in first
    assert "0 actions put on record" in run(repo_root, *program)


def test_the_parts_are_the_whole(repo_root: Path) -> None:
    out = run(repo_root, "-m", "examples.cadence_only.in_parallel", "40")
    assert out == "120 invoices in 4 parts; the same as in one run: True\n"


def test_a_distributed_engine_evaluates_the_parts_in_its_workers(repo_root: Path) -> None:
    out = run(repo_root, "-m", "examples.cadence_only.with_dask", "40")
    assert out.startswith("120 invoices in 4 partitions of a Dask bag; the same as in one run: True\n")


def test_nothing_else_of_ours_is_loaded(repo_root: Path) -> None:
    code = (
        "import sys, examples.cadence_only.plan, examples.cadence_only.in_parallel\n"
        "print(sorted(n for n in sys.modules if n.split('.')[0] in {'ar_connectors', 'requests', 'sqlalchemy', 'polars'}))"
    )
    assert run(repo_root, "-c", code) == "[]\n"
