"""Where do the others live? One environment, `build/bench-venv`, made here of the extra `peers`; and what is not there is said aloud.
The compiled evaluator has one, too: `python -m benchmarks.environment` makes it.

The server, the generator and the peers' programs stand in `$AR_SHARED_DIR/bench` and want packages that this project does not.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Final

__all__ = ["BENCH", "NODE_MODULES", "ROOT", "compiled_python", "missing", "peers_python", "require_bench"]

ROOT: Final = Path(__file__).resolve().parent.parent
BENCH: Final = (ROOT / os.environ.get("AR_SHARED_DIR", "../shared")).resolve() / "bench"
NODE_MODULES: Final = ROOT / "tests" / "foreign" / "node_modules"

_HOME: Final = ROOT / "build" / "bench-venv"
_COMPILED: Final = ROOT / "build" / "compiled-venv"


def require_bench() -> None:
    """Exit with advice when the shared programs are not there."""
    if not (BENCH / "server.py").exists():
        sys.exit(f"{BENCH} is not there: set AR_SHARED_DIR to the folder that holds bench/server.py")


def peers_python() -> str:
    """The interpreter that runs server and peers. The environment is made once, and again when its packages change."""
    python = _HOME / "bin" / "python"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages: list[str] = project["optional-dependencies"]["peers"]
    wanted = hashlib.sha256("\n".join(packages).encode()).hexdigest()
    stamp = _HOME / "packages"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing the peers into {_HOME} (once, a minute)", file=sys.stderr)
        venv.create(_HOME, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        subprocess.run([*pip, *packages], check=True)
        stamp.write_text(wanted)
    return str(python)


def compiled_python() -> str:
    """The interpreter of an environment with the compiled evaluator and the rule engines; made again when a source changes."""
    python = _COMPILED / "bin" / "python"
    sources = [ROOT / "pyproject.toml", ROOT / "hatch_build.py", *sorted((ROOT / "core").rglob("*.py"))]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = _COMPILED / "sources"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"compiling the evaluator into {_COMPILED} (two minutes)", file=sys.stderr)
        venv.create(_COMPILED, with_pip=True, clear=True)
        wheels = _COMPILED / "wheels"
        build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", f"--outdir={wheels}", str(ROOT)]
        subprocess.run(build, check=True, env={**os.environ, "AR_COMPILE": "1"}, stdout=subprocess.DEVNULL)
        (wheel,) = wheels.glob("*.whl")
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        packages = [f"--constraint={ROOT / 'constraints.txt'}", f"ar-connectors[bench] @ {wheel.as_uri()}"]
        subprocess.run([*pip, *packages], check=True)
        stamp.write_text(wanted)
    return str(python)


def missing(needs: str) -> str:
    """Why a peer cannot run here: "" when it can. `needs`: `python:MODULE` or `node:PACKAGE`."""
    world, _, name = needs.partition(":")
    if world == "node":
        found = (NODE_MODULES / name).exists()
        return "" if found else f"{name} is not installed in {NODE_MODULES} (make foreign)"
    probe = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    found = subprocess.run([peers_python(), "-c", probe], check=False).returncode == 0
    return "" if found else f"{name} is not installed in {_HOME}: delete the folder and run again"


if __name__ == "__main__":
    print(compiled_python())
