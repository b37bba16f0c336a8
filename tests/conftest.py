"""What the whole test suite shares: no network, no silent skips, a throw-away PostgreSQL schema, the shared data.

Tests run side by side in several processes, so nothing here or in a test may name a port, a schema or a folder of its own.

`AR_REQUIRE_ALL=1` turns every skip into a failure, so that a machine which claims to run everything does.
"""

from __future__ import annotations

import fcntl
import functools
import gc
import ipaddress
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

ROOT = Path(__file__).resolve().parent.parent
REQUIRE_ALL = os.environ.get("AR_REQUIRE_ALL", "") not in {"", "0"}

# Examples are drawn slowly on a busy machine, which says nothing about the code.
settings.register_profile("side by side", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "mutants", settings.get_profile("side by side"), phases=[Phase.explicit, Phase.generate], database=None
)  # whether a mutant is noticed matters, not by which smallest example: shrinking takes minutes
settings.load_profile(os.environ.get("AR_HYPOTHESIS_PROFILE", "side by side"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`--numprocesses auto`: half as many again as there are processors, because many tests wait."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return processors + (processors + 1) // 2


@pytest.fixture
def old_caches() -> Iterator[list[Any]]:
    """Caches of functions that were there before a test that counts objects or collects garbage again and again. All that was there is
    left out of what the collector looks at meanwhile: in a process that holds thousands of tests, each look takes a second."""
    gc.collect()
    caches = [one for one in gc.get_objects() if isinstance(one, functools._lru_cache_wrapper)]
    gc.freeze()
    yield caches
    gc.unfreeze()


class NetworkBlockedError(AssertionError):
    """A test reached for something beyond this machine."""


def _is_here(host: object) -> bool:
    """Whether a socket address stays on this machine (None and "" mean any local interface)."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"} or name == socket.gethostname():
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


def _refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not _is_here(address[0]):
            raise NetworkBlockedError(f"a test tried to connect to {address[0]}; point it at 127.0.0.1")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        is_address = isinstance(host, str) and host.replace(".", "").isdigit()
        if not is_address and not _is_here(host):
            raise NetworkBlockedError(f"a test tried to look up {host!r}; point it at 127.0.0.1")


sys.addaudithook(_refuse_the_network)


def _no_silent_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"AR_REQUIRE_ALL is set, so a skip is a failure: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _no_silent_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _no_silent_skip(report)
    return report


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout these tests belong to."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with recorded bodies and the peers' benchmark scripts: AR_SHARED_DIR, by default ../shared."""
    folder = (ROOT / os.environ.get("AR_SHARED_DIR", "../shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no shared data: {folder} is not a folder (set AR_SHARED_DIR)")
    return folder


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """`made_once(name, make)` is a folder that `make` has filled: by the first test process that asks, for all of them."""
    base = tmp_path_factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = common / name, common / f"{name}.done"
        with (common / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An SQLAlchemy URL whose search_path is a schema of this test alone, dropped afterwards."""
    base = os.environ.get("AR_TEST_POSTGRES_URL")
    if not base:
        pytest.skip("no PostgreSQL: set AR_TEST_POSTGRES_URL to postgresql+psycopg://user@host:port/database")
    schema = f"ar_test_{secrets.token_hex(6)}"
    engine = create_engine(base, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        url = make_url(base).update_query_dict({"options": f"-csearch_path={schema}"})
        yield url.render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def program() -> Callable[..., str]:
    """Looks a program up under any of its names and skips aloud if there is none: `program("chromium", "google-chrome")`."""

    def find(*names: str) -> str:
        for name in names:
            if path := shutil.which(name):
                return path
        pytest.skip(f"none of these programs is installed: {', '.join(names)}")

    return find
