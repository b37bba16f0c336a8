"""How long does a whole process take, and how much memory? Run one, ask the kernel, read its one JSON line."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Measured", "measure"]


@dataclass(frozen=True)
class Measured:
    """One run of one process."""

    wall: float
    """Seconds from start to exit, imports included."""
    fetch: float
    """Seconds the program itself counts for pulling and decoding, imports excluded."""
    cpu: float
    """Seconds of processor time of the whole process, as the kernel counts it."""
    work: float
    """Seconds of processor time between the same two moments: `cpu_s` in what the program, or whoever runs it, prints."""
    peak_mb: float
    line: Mapping[str, object]


def measure(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Measured:
    """Run a program that prints JSON lines with `records`, `fetch_s` and `cpu_s` among them. Raises RuntimeError with its error
    output."""
    started = time.perf_counter()
    process = subprocess.Popen(
        list(argv),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    output = process.stdout.read()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} ended with {process.returncode}:\n{errors[-3000:]}")
    line: dict[str, object] = {}
    for one in output.splitlines():
        if one.startswith("{"):
            line.update(json.loads(one))
    return Measured(
        wall=wall,
        fetch=float(str(line["fetch_s"])),
        cpu=usage.ru_utime + usage.ru_stime,
        work=float(str(line["cpu_s"])),
        peak_mb=usage.ru_maxrss / 1024,
        line=line,
    )
