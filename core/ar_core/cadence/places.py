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

__all__ = ["Lines", "Path", "json_lines", "json_repeated", "line_of", "own_place", "steps_of", "toml_lines"]

Path = tuple[str | int, ...]
"""Keys and places in lists, from the top of a file."""
Lines = Mapping[Path, int]
"""The line on which each setting begins, counted from 1."""

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_SIGN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")|"(?:\\.|[^"\\\n])*"'
    r"|'''.*?'''(?!')|'[^'\n]*'"
    r"|#[^\n]*|[\[\]{}\n]",
    re.DOTALL,
)
"""What decides where a statement of TOML ends: texts and comments as wholes, brackets, ends of lines."""
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
    return dict(_json_places(text))


def json_repeated(text: str) -> tuple[Path, int, int] | None:
    """The first name that a table of a JSON text says again: its path, the line on which it stands first, and that on which again."""
    first: dict[Path, int] = {}
    for path, line in _json_places(text):
        if path in first:
            return path, first[path], line
        first[path] = line
    return None


def _json_places(text: str) -> list[tuple[Path, int]]:
    """Every setting of a JSON text with its line, in the order of the text."""
    found: list[tuple[Path, int]] = []
    decoder = json.JSONDecoder()
    counted, line = 0, 1

    def blank(at: int) -> int:
        match = _BLANK.match(text, at)
        return match.end() if match else at

    def note(path: Path, at: int) -> None:
        nonlocal counted, line
        line += text.count("\n", counted, at)
        counted = at
        found.append((path, line))

    def value(at: int, path: Path) -> int:
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
                at = blank(blank(at) + 1)
            note((*path, key), began)
            at = blank(value(at, (*path, key)))
            at = blank(at + 1) if text[at] == "," else at
            place += 1
        return at + 1

    start = blank(0)
    note((), start)
    value(start, ())
    return found


def toml_lines(text: str) -> Lines:
    """The lines of a TOML text that can be read. What stands inside one value begins with it."""
    found: dict[Path, int] = {}
    table: Path = ()
    lists: dict[Path, int] = {}
    for began, statement in _statements(text.replace("\r\n", "\n")):
        if not statement.strip() or statement.lstrip().startswith("#"):
            continue
        read = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _table(read, lists)
            found[table] = began
            for end in range(1, len(table)):  # a table around it need not have a header of its own
                found.setdefault(table[:end], began)
        else:
            _note(found, table, read, began)
    return found


def _statements(text: str) -> list[tuple[int, str]]:
    """The statements of a TOML text with the line on which each begins: one a line, but for brackets and texts that go on.

    A statement is not found by reading it until it can be read: a list of ten thousand lines would be read as often.
    """
    found: list[tuple[int, str]] = []
    began, depth, line = 0, 0, 1
    for token in _SIGN.finditer(text):
        sign = token.group()
        if sign == "\n" and depth == 0:
            statement = text[began : token.start()]
            found.append((line, statement))
            line += statement.count("\n") + 1
            began = token.end()
        elif sign in ("[", "{"):
            depth += 1
        elif sign in ("]", "}"):
            depth -= 1
    found.append((line, text[began:]))
    return found


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


def own_place(location: Path, merged: Any, own: Any) -> Path:
    """A place in the merged policy as the file has it: entries of `steps` are found by their id, and it ends where the file does."""
    found: Path = ()
    for part in location:
        if isinstance(own, list):
            wanted = part
            if isinstance(merged, list) and isinstance(part, int):
                merged = merged[part] if part < len(merged) else None
                name = merged.get("id") if isinstance(merged, Mapping) else None
                wanted = part if name is None else str(name)
            by_id = [n for n, row in enumerate(own) if isinstance(row, Mapping) and row.get("id") == wanted]
            place: str | int | None = by_id[0] if by_id else wanted
            if not isinstance(place, int) or place >= len(own):
                return found
            own = own[place]
        elif isinstance(own, Mapping) and part in own:
            place, own = part, own[part]
            merged = merged.get(part) if isinstance(merged, Mapping) else None
        else:
            return (*found, part)
        found = (*found, place)
    return found
