"""The platforms that the shared suites run on: tests/behavior, tests/crash and tests/contract know this table and no ERP.

A new ERP is one module here that makes a `Platform` (its emulator, how to connect to it, and what is expected of it, as data)
and one line in `FACES`. Worker processes import this too, so a module here must not need pytest's fixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.faces.netsuite import NETSUITE
from tests.faces.platform import Platform
from tests.faces.quickbooks import QUICKBOOKS
from tests.faces.xero import XERO

__all__ = ["FACES", "each"]

FACES: dict[str, Platform] = {one.name: one for one in (NETSUITE, QUICKBOOKS, XERO)}


def each(cases: Callable[[Platform], Iterable[Any]]) -> list[Any]:
    """Parameters (platform, case) for what differs from platform to platform.

    `@pytest.mark.parametrize(("face", "fault"), each(lambda one: one.faults.passes), indirect=["face"])`
    """
    return [
        pytest.param(name, case, id=f"{name}-{_named(case)}")
        for name, platform in sorted(FACES.items())
        for case in sorted(cases(platform), key=_named)
    ]


def _named(case: Any) -> str:
    return str(getattr(case, "__name__", case))
