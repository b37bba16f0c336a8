"""Which rows are in a body, byte for byte? Objects and lists cut up one level at a time, whatever is spoiled inside them.

msgspec cuts; where it cannot (a NaN, a lone surrogate or a control character spoils the whole body for it) the standard
library walks the same levels, so that only the spoiled row is lost (design rule D3).

Cutting a page row by row costs a pass over every byte of it, before each row is read in another. A page of rows is therefore
cut into pieces of some rows each, where a cut is guessed; reading the pieces proves the guesses (`cut_list`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from functools import lru_cache
from typing import Any, Final, Protocol, TypeVar

import msgspec

from ar_connectors.errors import ContractError

__all__ = [
    "PIECE",
    "UNREADABLE",
    "CutList",
    "Cutter",
    "cut_list",
    "cut_up",
    "elements",
    "identify",
    "loads_exact",
    "loads_plain",
]

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that it cannot read."""

_SPLIT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CUT: Final = msgspec.json.Decoder(list[msgspec.Raw])
_WHITE: Final = " \t\r\n"
_FIRST: Final = rb'\s*:\s*\[(\s*\{\s*"[^"\\]*")'

PIECE: Final = 32_768
"""Bytes of rows that are read at once: few enough that what they become is mapped and dropped within the processor's cache."""

_Opened = TypeVar("_Opened")


class Cutter(Protocol):
    """Takes one level of JSON apart, without looking into what is inside. Raises ValueError or what is in `UNREADABLE`."""

    def members(self, raw: bytes) -> list[tuple[str, bytes]]:
        """The members of an object, in their order."""
        ...

    def elements(self, raw: bytes) -> list[bytes]:
        """The elements of a list."""
        ...


def cut_up(
    body: bytes, opener: Callable[[Cutter, bytes], _Opened], contract: Callable[[str], ContractError]
) -> _Opened:
    """What `opener` makes of a body: first with msgspec's cuts, then, where those fail, with careful ones. A byte order mark is
    passed over. Raises the error that `contract` makes of a sentence when the body is no JSON object or list."""
    if body.startswith(b"\xef\xbb\xbf"):
        body = body[3:]
    if body.lstrip()[:1] not in {b"{", b"["}:
        raise contract("the body is not a JSON object or list")
    try:
        return opener(_Quick(), body)
    except UNREADABLE:
        pass
    try:
        return opener(_Careful(), body)
    except (ValueError, RecursionError) as error:
        raise contract(f"the body is not JSON: {error}") from error


def loads_exact(text: str) -> Any:
    """JSON with every number as Decimal or int, digits kept. Raises ValueError for NaN, infinities and numbers out of any range."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not a number")

    def number(digits: str) -> Decimal:
        try:
            return Decimal(digits)
        except DecimalException as error:
            raise ValueError(f"{digits[:60]} is not a number that can be kept") from error

    return json.loads(text, parse_float=number, parse_constant=refuse, strict=False)


def loads_plain(raw: bytes) -> Any:
    """JSON for reading texts out of it, forgiving: undecodable bytes are replaced, control characters are let pass.
    Raises ValueError, RecursionError."""
    return json.loads(raw.decode("utf-8", errors="replace"), strict=False)


def identify(raw: bytes, *names: str) -> str | None:
    """The id of a row that could not be read, where one of these members holds it as text."""
    try:
        document = loads_plain(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    return next((found for name in names if isinstance(found := document.get(name), str)), None)


@dataclass(frozen=True, slots=True)
class CutList:
    """A body whose one list of rows was taken out; see `cut_list`."""

    frame: bytes
    """The body with an empty list in its place."""
    pieces: Iterator[bytes]
    """Lists of JSON that hold the rows, in their order."""


def cut_list(body: bytes, name: str) -> CutList | None:
    """Take the list that is called `name` out of a body, in pieces of about `PIECE` bytes; None where it is not found or empty.

    Nothing is parsed here: a piece ends where `},{` is followed by the name that the first row begins with, and the list at the
    body's last bracket. Either may be wrong, and it shows: **where the frame and every piece are JSON, and the pieces hold objects,
    the rows are those of the list**. For a piece that begins between two rows and is a list of JSON ends between two rows, so the
    next one begins there too. A reader that meets a piece, or a frame, which is none takes another way through the whole body.
    """
    start = body.find(b'"%b"' % name.encode())
    found = _opening(name).match(body, start) if start >= 0 else None
    end = body.rfind(b"]")
    if found is None or end < found.end() or b"\\" in body[:start]:
        return None
    opening = found.start(1)
    return CutList(body[:opening] + body[end:], _pieces(body, opening, end, b"}," + found[1]))


@lru_cache(maxsize=32)
def _opening(name: str) -> re.Pattern[bytes]:
    """A list of objects under its name, up to the name of the first member; there are as many as collections of rows."""
    return re.compile(rb'"%b"' % name.encode() + _FIRST)


def _pieces(body: bytes, start: int, end: int, between: bytes) -> Iterator[bytes]:
    whole = memoryview(body)
    while (cut := body.find(between, start + PIECE, end)) >= 0:
        yield b"".join((b"[", whole[start : cut + 1], b"]"))
        start = cut + 2
    yield b"".join((b"[", whole[start:end], b"]"))


def elements(piece: bytes) -> list[bytes]:
    """The elements of a list. Raises what is in `UNREADABLE` when it is none."""
    return [bytes(value) for value in _CUT.decode(piece)]


class _Quick:
    """Cuts objects and lists with msgspec, without looking into what is inside."""

    def members(self, raw: bytes) -> list[tuple[str, bytes]]:
        return [(name, bytes(value)) for name, value in _SPLIT.decode(raw).items()]

    def elements(self, raw: bytes) -> list[bytes]:
        return elements(raw)


class _Careful:
    """The same with the standard library, which gets over what msgspec stumbles on. Raises ValueError when it is no JSON."""

    _decoder = json.JSONDecoder(strict=False, parse_float=str, parse_int=str)

    def members(self, raw: bytes) -> list[tuple[str, bytes]]:
        text = raw.decode("utf-8", errors="surrogateescape")
        found = []
        position = _skip(text, _skip(text, 0) + 1)
        while text[position : position + 1] != "}":
            name, position = self._decoder.raw_decode(text, position)
            position = _expect(text, position, ":")
            end = self._decoder.raw_decode(text, position)[1]
            found.append((str(name), _bytes(text[position:end])))
            position = _next(text, end, "}")
        _end(text, position + 1)
        return found

    def elements(self, raw: bytes) -> list[bytes]:
        text = raw.decode("utf-8", errors="surrogateescape")
        found = []
        position = _skip(text, _skip(text, 0) + 1)
        while text[position : position + 1] != "]":
            end = self._decoder.raw_decode(text, position)[1]
            found.append(_bytes(text[position:end]))
            position = _next(text, end, "]")
        _end(text, position + 1)
        return found


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _WHITE:
        position += 1
    return position


def _expect(text: str, position: int, character: str) -> int:
    position = _skip(text, position)
    if text[position : position + 1] != character:
        raise ValueError(f"{character!r} is expected at character {position}")
    return _skip(text, position + 1)


def _next(text: str, position: int, closing: str) -> int:
    """Past a comma, or at the closing bracket."""
    position = _skip(text, position)
    if text[position : position + 1] == closing:
        return position
    return _expect(text, position, ",")


def _end(text: str, position: int) -> None:
    if _skip(text, position) != len(text):
        raise ValueError(f"there is more after the end, at character {position}")
