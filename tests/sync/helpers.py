"""Helping processes in tests, and what they are asked to decode."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from ar_connectors.connector import Page
from ar_connectors.syncing import elsewhere

__all__ = ["pages_of", "quits_elsewhere", "ready_at_once", "refuses", "works_only_in"]


def ready_at_once(monkeypatch: pytest.MonkeyPatch, *, many: int, large: int) -> None:
    """From now on a process helps with batches of `many` pages and bodies of `large` bytes, and is waited for."""
    monkeypatch.setattr("ar_connectors.syncing.window.MANY", many)
    monkeypatch.setattr(elsewhere, "LARGE", large)
    real = elsewhere.Elsewhere.begin

    def begin(self: Any) -> None:
        real(self)
        until = time.monotonic() + 60
        while not all(one.works for one in self._started):
            assert time.monotonic() < until, "the process never got ready"
            assert all(one._process.poll() is None for one in self._started), "it died before"
            time.sleep(0.01)

    monkeypatch.setattr(elsewhere.Elsewhere, "begin", begin)


# ---- decoders: functions of a module, because they are called in another process


def pages_of(body: bytes, *, stream: str) -> tuple[Page, int]:
    """An empty page of as many rows as the body has bytes; tells in which process that was."""
    return Page(stream=stream, rows=len(body), raw=body), os.getpid()


def refuses(body: bytes) -> tuple[Page, int]:
    """Always fails."""
    raise ValueError(f"cannot read {body!r}")


def works_only_in(body: bytes, *, process: int) -> tuple[Page, int]:
    """Ends any other process than this one, without a word."""
    if os.getpid() != process:
        os._exit(3)
    return Page(rows=len(body), raw=body), os.getpid()


def quits_elsewhere(body: bytes, *, process: int) -> tuple[Page, int]:
    """Lets any other process than this one come to its own end."""
    if os.getpid() != process:
        raise SystemExit(3)
    return works_only_in(body, process=process)
