"""Where do all contestants get their answers? One loopback server, started from the shared benchmark data.

The server and the other libraries' programs are not part of this repository: they stand in `$AR_SHARED_DIR/bench`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["BENCH", "ask", "serving"]

ROOT = Path(__file__).resolve().parent.parent
BENCH = (ROOT / os.environ.get("AR_SHARED_DIR", "../shared")).resolve() / "bench"


def ask(base: str, path: str) -> Any:
    """GET a control path of the server and read its JSON."""
    with urllib.request.urlopen(base + path, timeout=60) as answer:
        return json.loads(answer.read())


def _server_python() -> Path:
    """The server wants orjson and uvloop, which this project does not: they get an environment of their own."""
    home = ROOT / "build" / "bench-server"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "orjson", "uvloop"], check=True)
    return python


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
    if not (BENCH / "server.py").exists():
        sys.exit(f"{BENCH} is not there: set AR_SHARED_DIR to the folder that holds bench/server.py")
    argv: list[str | Path] = [
        _server_python(),
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
