"""Work in a fork of this process, and tests in it without their reports."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable

import pytest
from _pytest.tmpdir import tmppath_result_key

KILLED = 1
"""mutmut's exit code for a mutant that was noticed."""


def passes(item: pytest.Item) -> bool:
    """Run a test without making a report of it, which would cost more than most tests."""
    hook, request = item.ihook, getattr(item, "_initrequest", None)
    if request is not None:
        request()
    try:
        hook.pytest_runtest_setup(item=item)
        hook.pytest_runtest_call(item=item)
    except pytest.skip.Exception:
        pass
    except Exception:  # noqa: BLE001 - whatever a test raises, it has noticed something
        return False
    item.stash.setdefault(tmppath_result_key, {})  # what the report would have left for the fixture tmp_path
    hook.pytest_runtest_teardown(item=item, nextitem=None)
    return True


def in_child(work: Callable[[], bytes], seconds: float | None = None) -> tuple[int, bytes]:
    """Fork, work, and hand back what the child wrote and its wait status."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            if seconds is not None:
                resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
                signal.alarm(int(seconds * 20) + 60)  # what waits uses no processor
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(quiet, stream)
            answer = work()
            with os.fdopen(writing, "wb") as out:
                out.write(answer)
        except BaseException:  # noqa: BLE001 - a mutant may raise anything, and that is noticed
            os._exit(KILLED)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer_file:
        answer = answer_file.read()
    return os.waitpid(child, 0)[1], answer
