"""The suite's own promises: a skip is loud where everything is required, and nothing leaves this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.house.sources import ROOT

SKIPS = """
import pytest

def test_that_runs():
    assert True

def test_that_skips():
    pytest.skip("no such server")

@pytest.mark.xfail(reason="known")
def test_that_is_known_to_fail():
    assert False
"""
SKIPS_AS_A_WHOLE = 'import pytest\npytest.skip("no such library", allow_module_level=True)\n'


SIDE_BY_SIDE = ("--numprocesses", "2", "--dist", "worksteal")


def run(code: str, folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    file = folder / "test_inner.py"
    file.write_text(code, encoding="utf-8")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(folder),
            "-q",
            *options,
            str(file),
        ],
        cwd=ROOT,
        env={**os.environ, "AR_REQUIRE_ALL": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skip_is_only_a_skip_by_default(tmp_path: Path) -> None:
    outcome = run(SKIPS, tmp_path)
    assert outcome.returncode == 0, outcome.stdout
    assert "1 passed, 1 skipped, 1 xfailed" in outcome.stdout


@pytest.mark.parametrize("options", [(), SIDE_BY_SIDE], ids=["one by one", "side by side"])
def test_a_skip_is_a_failure_where_everything_is_required(tmp_path: Path, options: tuple[str, ...]) -> None:
    outcome = run(SKIPS, tmp_path, *options, AR_REQUIRE_ALL="1")
    assert outcome.returncode == 1, outcome.stdout
    assert "1 failed, 1 passed, 1 xfailed" in outcome.stdout
    assert "no such server" in outcome.stdout


def test_a_module_that_skips_itself_is_only_skipped_by_default(tmp_path: Path) -> None:
    assert run(SKIPS_AS_A_WHOLE, tmp_path).returncode == 5  # pytest's "no tests ran"


@pytest.mark.parametrize("options", [(), SIDE_BY_SIDE], ids=["one by one", "side by side"])
def test_a_module_that_skips_itself_is_a_failure_where_everything_is_required(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    outcome = run(SKIPS_AS_A_WHOLE, tmp_path, *options, AR_REQUIRE_ALL="1")
    assert outcome.returncode != 0
    assert "no such library" in outcome.stdout


SOAKS = """
import pytest

@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_that_soaks(seed, record_property):
    record_property("killed", 2 * seed)
    assert seed == 1 or not __import__("os").environ["FAILS"]
"""


def test_a_soak_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    file = tmp_path / "soak.json"
    options = ("-p", "tests.soak", "-W", "ignore::pytest.PytestUnknownMarkWarning")
    outcome = run(SOAKS, tmp_path, *options, *SIDE_BY_SIDE, AR_SOAK_FILE=str(file), FAILS="yes")
    assert "1 failed, 1 passed" in outcome.stdout
    outcome = run(SOAKS, tmp_path, *options, AR_SOAK_FILE=str(file), FAILS="")
    assert "1 passed, 1 deselected" in outcome.stdout
    assert "test_that_soaks: 2 seeds, 6 killed" in outcome.stdout
    outcome = run(SOAKS, tmp_path, *options, AR_SOAK_FILE=str(file), FAILS="")
    assert "2 deselected" in outcome.stdout
    assert outcome.returncode == 0


def test_a_test_cannot_reach_beyond_this_machine() -> None:
    with pytest.raises(AssertionError, match=r"192\.0\.2\.1"), socket.socket() as client:
        client.connect(("192.0.2.1", 80))
    with pytest.raises(AssertionError, match=r"example\.com"):
        socket.create_connection(("example.com", 443))


def test_loopback_stays_open() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()


@pytest.mark.postgres
def test_each_test_gets_a_postgresql_schema_of_its_own(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE here (id integer)"))
        schema = connection.execute(
            text("SELECT schemaname FROM pg_tables WHERE tablename = 'here'")
        ).scalar_one()
        assert schema == connection.execute(text("SELECT current_schema()")).scalar_one()
    engine.dispose()
    assert schema.startswith("ar_test_")
