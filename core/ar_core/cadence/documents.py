"""How is the text of a policy read? TOML, JSON and YAML become plain data of a bounded size in which nothing is said twice.

A policy may come from a tenant, so the bounds are checked before anything walks the data: what an alias of YAML repeats counts each
time, and a part that holds itself is found by its depth.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from ar_core.cadence.places import Lines, json_lines, json_repeated, toml_lines
from ar_core.cadence.places import Path as Place

__all__ = [
    "DEEPEST",
    "LARGEST_EXPONENT",
    "MOST_SETTINGS",
    "TOO_DEEP",
    "Document",
    "DocumentError",
    "Problem",
    "bounded",
    "kind_of",
    "plain",
    "read_document",
    "said_twice",
]

DEEPEST: Final = 40
"""How deep lists and tables may lie in one another. The deepest that means something is a rule of twelve levels, each a table and a
list, in an override of a policy that is given inline eight inheritances down: 36."""
MOST_SETTINGS: Final = 20_000
"""How many settings and entries of lists a policy may have. The largest shipped one has 262; this is room for a thousand steps, and
read in a second."""
LARGEST_EXPONENT: Final = 40
"""How large or small a number may be, as a power of ten: that of amounts. Without a bound `version = 1e99999999` is a number of a hundred
million digits."""
_BEYOND: Final = 10 ** (LARGEST_EXPONENT + 1)
TOO_DEEP: Final = f"lists and tables lie more than {DEEPEST} deep in one another, or one of them holds itself"
_TOO_MANY: Final = (
    f"more than {MOST_SETTINGS} settings and entries of lists; what an alias repeats counts each time"
)


class Problem(NamedTuple):
    """What is wrong with a document."""

    place: Place
    """Where in the data; empty: it is about the whole."""
    said: str
    line: int | None = None
    """The line of the text, where whoever found it knows it."""


class DocumentError(ValueError):
    """A text or some data is no policy, whatever its settings mean."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(f"line {p.line}: {p.said}" if p.line else p.said for p in self.problems)


class Document(NamedTuple):
    """A policy as its file has it."""

    data: dict[str, Any]
    text: str
    suffix: str

    def lines(self) -> Lines:
        """The line of each setting."""
        match self.suffix:
            case ".toml":
                return toml_lines(self.text)
            case ".json":
                return json_lines(self.text)
            case _:
                from ar_core.yaml import yaml_lines

                return yaml_lines(self.text)


def read_document(path: Path) -> Document:
    """Read a .toml, .json, .yaml or .yml file, in UTF-8, with or without the mark that editors on Windows put first (BOM).

    Raises `DocumentError`, and OSError for a file that cannot be read.
    """
    suffix = path.suffix.lower()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            Problem((), f"a policy is text in UTF-8; byte {error.start + 1} is not: save it as UTF-8")
        ) from error
    parse = _parser(suffix)
    try:
        data = parse(text)
    except DocumentError:
        raise
    except ValueError as error:  # TOMLDecodeError and JSONDecodeError say the line
        raise DocumentError(Problem((), str(error))) from error
    except RecursionError as error:
        raise DocumentError(Problem((), TOO_DEEP)) from error
    if not isinstance(data, dict):
        raise DocumentError(Problem((), f"a policy is a table of settings; got {kind_of(data)}"))
    return Document(data, text, suffix)


def _parser(suffix: str) -> Callable[[str], Any]:
    match suffix:
        case ".toml":
            return tomllib.loads
        case ".json":
            return _json
        case ".yaml" | ".yml":
            from ar_core.yaml import parse_yaml

            return parse_yaml
    unread = f"{suffix or 'a file without a suffix'} is not read; use .toml, .json or .yaml"
    raise DocumentError(Problem((), unread))


def _json(text: str) -> Any:
    """JSON with its numbers digit by digit. A name that a table says twice is refused: the parser would keep the last."""
    twice: list[list[tuple[str, Any]]] = []

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice.append(pairs)
        return found

    data = json.loads(text, parse_float=_decimal, object_pairs_hook=table)
    try:
        bounded(twice)  # what was kept is looked at with the data; what was lost is walked here only
    except DocumentError as error:
        raise DocumentError(*(Problem((), problem.said) for problem in error.problems)) from error
    repeated = json_repeated(text) if twice else None
    if repeated is not None:
        raise DocumentError(said_twice(*repeated))
    return data


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except ArithmeticError as error:
        raise ValueError(f"{digits} is not a number that can be read") from error


def said_twice(place: Place, first: int, line: int) -> Problem:
    """A name that its table has already. `first`, `line`: where it stands first, and where again."""
    return Problem(place, f"said a second time, after line {first}; keep one of the two", line)


def kind_of(value: object) -> str:
    """What a value is, in the words of a policy's author."""
    match _exact(value):
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | Decimal():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a table"
    return f"a {type(value).__name__}"


def _children(value: Any, _place: Place) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


def _nowhere(_value: Any) -> int | None:
    """The line of what stands in no text, or in one whose lines are not known yet."""
    return None


def bounded(
    root: Any,
    parts: Callable[[Any, Place], Iterable[tuple[str | int, Any]]] = _children,
    line_of: Callable[[Any], int | None] = _nowhere,
) -> None:
    """Walk some data in its order. `parts`: what lies in a value, by name or number; `line_of`: the line of a value.

    Raises `DocumentError` when it is deeper than `DEEPEST` or has more than `MOST_SETTINGS` parts.
    """

    def refused(place: Place, said: str) -> DocumentError:
        outermost = dict(parts(root, ()))[place[0]] if place else root
        return DocumentError(Problem(place[:1], said, line_of(outermost)))

    waiting: list[tuple[Place, Any]] = [((), root)]
    seen = 0
    while waiting:
        place, value = waiting.pop()
        if len(place) > DEEPEST:
            raise refused(place, TOO_DEEP)
        inside = [((*place, key), part) for key, part in parts(value, place)]
        seen += len(inside)
        if seen > MOST_SETTINGS:
            raise refused(place, _TOO_MANY)
        waiting += reversed(inside)


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Data of a bounded size as dicts, lists and exact numbers: floats of TOML and YAML become the decimal that was written.

    Raises `DocumentError` for a name that is no text, and for a number out of range.
    """
    return _table(data, ())


def _table(data: Mapping[Any, Any], place: Place) -> dict[str, Any]:
    for name in data:
        if not isinstance(name, str):
            raise DocumentError(Problem(place, f"the name of a setting is a text; {name!r} is none"))
    return {name: _plain(value, (*place, name)) for name, value in data.items()}


def _plain(value: Any, place: Place) -> Any:
    if isinstance(value, Mapping):
        return _table(value, place)
    if isinstance(value, list | tuple):
        return [_plain(item, (*place, number)) for number, item in enumerate(value)]
    exact = _exact(value)
    if isinstance(exact, int | Decimal) and not _in_range(exact):
        out = f"the number is out of range: its exponent is beyond {LARGEST_EXPONENT}"
        raise DocumentError(Problem(place, out))
    return exact


def _exact(value: Any) -> Any:
    return Decimal(repr(value)) if type(value).__name__ == "float" else value


def _in_range(number: int | Decimal) -> bool:
    """Infinity and what is not a number are refused by the settings themselves, in their words."""
    if isinstance(number, Decimal):
        return not number.is_finite() or abs(number.adjusted()) <= LARGEST_EXPONENT
    return -_BEYOND < number < _BEYOND
