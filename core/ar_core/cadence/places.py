"""Where in the text of a policy does a setting stand? Lines by path, for TOML and JSON (YAML: `ar_core.yaml.yaml_lines`).

The parsers of the standard library keep no places. The text was already read by them when it is asked for a line, so only its
structure is looked at here, and every value is still read by them.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["Lines", "Path", "json_lines", "line_of", "steps_of", "toml_lines"]

Path = tuple[str | int, ...]
"""Keys and places in lists, from the top of a file."""
Lines = Mapping[Path, int]
"""The line on which each setting begins, counted from 1."""

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_TOKEN: Final = re.compile(r"([^\.\[\]]+)|\[(\d+)\]")


def line_of(lines: Lines, path: Path) -> int | None:
    """The line of a setting, or of the innermost one around it that is in the text; None: it is not in this text."""
    for end in range(len(path), 0, -1):
        found = lines.get(path[:end])
        if found is not None:
            return found
    return None


def steps_of(text: str) -> Path:
    """A written path as its parts: `overrides[0].when` is ("overrides", 0, "when")."""
    return tuple(int(place) if place else name for name, place in _TOKEN.findall(text))


def json_lines(text: str) -> Lines:
    """The lines of a JSON text that can be read."""
    found: dict[Path, int] = {}
    decoder = json.JSONDecoder()

    def blank(at: int) -> int:
        match = _BLANK.match(text, at)
        return match.end() if match else at

    def value(at: int, path: Path) -> int:
        at = blank(at)
        found[path] = text.count("\n", 0, at) + 1
        closing = {"{": "}", "[": "]"}.get(text[at])
        if closing is None:
            _, end = decoder.raw_decode(text, at)
            return end
        at, place = blank(at + 1), 0
        while text[at] != closing:
            key: str | int = place
            began = at
            if closing == "}":
                key, at = decoder.raw_decode(text, at)
                at = blank(at) + 1
            at = blank(value(at, (*path, key)))
            found[*path, key] = text.count("\n", 0, began) + 1
            at = blank(at + 1) if text[at] == "," else at
            place += 1
        return at + 1

    value(0, ())
    return found


def toml_lines(text: str) -> Lines:
    """The lines of a TOML text that can be read. What stands inside one value begins with it."""
    found: dict[Path, int] = {}
    table: Path = ()
    lists: dict[Path, int] = {}
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        began, statement = at, lines[at]
        at += 1
        if not statement.strip() or statement.lstrip().startswith("#"):
            continue
        read = _read(statement)
        while read is None:
            statement += "\n" + lines[at]
            at += 1
            read = _read(statement)
        if statement.lstrip().startswith("["):
            table = _table(read, lists)
            found[table] = began + 1
            for end in range(1, len(table)):  # a table around it need not have a header of its own
                found.setdefault(table[:end], began + 1)
        else:
            _note(found, table, read, began + 1)
    return found


def _read(statement: str) -> dict[str, Any] | None:
    """A statement as the parser reads it; None while its end is missing."""
    try:
        return tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return None


def _table(header: Any, lists: dict[Path, int]) -> Path:
    """The path of a table by its header, which reads as that table, empty. `lists`: the last place in each list of tables."""
    path: Path = ()
    while header:
        ((key, header),) = header.items()
        path = (*path, key)
        if isinstance(header, list):
            lists[path] = lists.get(path, -1) + 1
            header = header[0]
        if path in lists:
            path = (*path, lists[path])
    return path


def _note(found: dict[Path, int], path: Path, value: Any, line: int) -> None:
    """The places of everything inside a value."""
    found.setdefault(path, line)
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in rows:
        _note(found, (*path, key), inner, line)
