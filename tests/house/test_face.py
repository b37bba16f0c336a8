"""Is a public name still itself, whatever was imported before? See docs/adr/0013-syncing-folder.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import importlib, pkgutil, types
import ar_connectors as ar
for found in pkgutil.walk_packages(ar.__path__, "ar_connectors."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
modules = [name for name in ar.__all__ if isinstance(getattr(ar, name), types.ModuleType)]
missing = [name for name in ar.__all__ if not hasattr(ar, name)]
print(modules, missing, callable(ar.sync))
"""


def test_no_module_takes_the_place_of_a_public_name(repo_root: Path) -> None:
    output = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, cwd=repo_root
    ).stdout
    assert output.strip() == "[] [] True"
