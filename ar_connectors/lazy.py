"""How does a package name what it offers without loading it? Each name is loaded from its module when it is first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["face"]


def face(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` (PEP 562) of a package. `homes`: name -> module of the package that has it.

    Whoever imports one module of a package imports the package first; so this keeps a process that only decodes from loading
    what talks to servers and databases.
    """

    def load(name: str) -> Any:
        """Load a public name from its module. Raises AttributeError for a name that the package does not have."""
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        """All names, ascending."""
        return sorted({*vars(sys.modules[package]), *homes})

    return load, names
