"""Where do all contestants get their answers? One loopback server, started from the shared benchmark data.

The server and the other libraries' programs are not part of this repository: they stand in `$AR_SHARED_DIR/bench`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.environment import BENCH, peers_python, require_bench

__all__ = ["ask", "serving"]


def ask(base: str, path: str) -> Any:
    """GET a control path of the server and read its JSON."""
    with urllib.request.urlopen(base + path, timeout=60) as answer:
        return json.loads(answer.read())


@contextmanager
def serving(
    *,
    providers: str = "qbo",
    invoices: int = 50_000,
    customers: int = 5_000,
    payments: int = 40_000,
    port: int = 8907,
) -> Iterator[str]:
    """Serve generated data on 127.0.0.1; yields the base URL. Exits with advice when the shared data is not there."""
    require_bench()
    argv: list[str | Path] = [
        peers_python(),
        BENCH / "server.py",
        "--port",
        str(port),
        "--providers",
        providers,
    ]
    argv += ["--invoices", str(invoices), "--customers", str(customers), "--payments", str(payments)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            if process.poll() is not None:
                sys.exit(f"the benchmark server ended with {process.returncode}")
            try:
                ask(base, "/_stats")
                break
            except OSError:
                time.sleep(0.25)
        yield base
    finally:
        process.terminate()
        process.wait()
