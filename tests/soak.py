"""Long runs that can be stopped and gone on with: `make soak` loads this as a plugin (`pytest -p tests.soak -m soak`).

Every test that has passed is remembered in build/soak.json with its figures (`record_property`) and the commit it ran on, and is
left out by the next run; delete the file to begin anew. AR_SOAK_SEEDS says how many seeds each soak has (200; 1,000 where pages
move).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE = Path(os.environ.get("AR_SOAK_FILE", ROOT / "build" / "soak.json"))


def seeds(usual: int = 200) -> range:
    """The seeds of a soak: as many as usual, or as AR_SOAK_SEEDS says."""
    return range(1000, 1000 + int(os.environ.get("AR_SOAK_SEEDS", usual)))


SEEDS = seeds()


def remembered(file: Path = FILE) -> dict[str, dict[str, Any]]:
    """What has passed: test id -> its figures."""
    if not file.exists():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def summary(passed: dict[str, dict[str, Any]]) -> list[str]:
    """One line for each soak: how many seeds, and the sums of its figures."""
    sums: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for name, figures in passed.items():
        test = name.partition("[")[0]
        sums[test]["seeds"] += 1
        for figure, value in figures.items():
            if isinstance(value, int | float):
                sums[test][figure] += value
    return [
        f"{test}: " + ", ".join(f"{value:.0f} {figure}" for figure, value in figures.items())
        for test, figures in sorted(sums.items())
    ]


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has passed before."""
    done = remembered()
    if gone := [item for item in items if item.nodeid in done]:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item.nodeid not in done]


def pytest_configure(config: pytest.Config) -> None:
    """Remember in the process that hears of every test, also when others run them."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Memory(_commit()))


class _Memory:
    def __init__(self, commit: str) -> None:
        self._commit = commit

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has passed: write it down at once."""
        if report.when != "call" or not report.passed:
            return
        passed = remembered()
        passed[report.nodeid] = {
            **dict(report.user_properties),
            "seconds": round(report.duration, 1),
            "commit": self._commit,
        }
        FILE.parent.mkdir(parents=True, exist_ok=True)
        draft = FILE.with_suffix(".draft")
        draft.write_text(json.dumps(passed, indent=1) + "\n", encoding="utf-8")
        draft.replace(FILE)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Nothing left to run is success."""
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and remembered():
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The figures of all runs together."""
        terminalreporter.section("soak, all runs together")
        for line in summary(remembered()):
            terminalreporter.write_line(line)
