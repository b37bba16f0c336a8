"""How is one row read whatever it is worth? Typed and quick where it can be, else value by value with a reason (design rule D3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import DecimalException
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from pydantic import ValidationError

from ar_connectors.adapterkit.cutting import UNREADABLE, loads_exact
from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.pages import Mapped
from ar_connectors.connector import Record

__all__ = ["RowReader", "all_validated", "converted", "document_of", "exactly", "validated"]

Shape = TypeVar("Shape", bound=msgspec.Struct)


class _ChecksNumbers(Protocol):
    def check_numbers(self) -> bool: ...


AnyMapper = TypeVar("AnyMapper", bound=_ChecksNumbers)


@dataclass(frozen=True, slots=True)
class RowReader(Generic[Shape, AnyMapper]):
    """Reads single rows of one shape: those that spoiled the quick way through their page.

    Args:
        shape: the struct a row is read into.
        map_row: makes records of it; raises RowError.
        new_mapper: a mapper for one row.
    """

    shape: type[Shape]
    map_row: Callable[[AnyMapper, Shape], Mapped]
    new_mapper: Callable[[], AnyMapper]

    def read(self, raw: bytes) -> tuple[Shape, Mapped]:
        """The row and what it became. Raises RowError with the place and the reason when it cannot become anything."""
        if b"\\u0000" not in raw:
            try:
                row = msgspec.json.decode(raw, type=self.shape)
            except UNREADABLE:
                pass
            else:
                mapper = self.new_mapper()
                mapped = self._map(mapper, row)
                if mapper.check_numbers():
                    return row, mapped
        row = converted(document_of(raw), self.shape)
        mapped = self._map(self.new_mapper(), row)
        return row, all_validated(mapped)

    def _map(self, mapper: AnyMapper, row: Shape) -> Mapped:
        with exactly():
            return self.map_row(mapper, row)


@contextmanager
def exactly() -> Iterator[None]:
    """Map rows whose numbers nobody has checked: sums that cannot be exact are raised as RowError."""
    try:
        yield
    except DecimalException as error:
        raise RowError(
            "bad_number", "its amounts cannot be added exactly: one is too large, too small or no number"
        ) from error


def document_of(raw: bytes) -> dict[str, Any]:
    """A row as a document, every number exact. Raises RowError for what is no JSON object."""
    try:
        document = loads_exact(raw.decode("utf-8", errors="surrogateescape"))
    except (ValueError, RecursionError) as error:
        code = "bad_number" if "number" in str(error) or "digit" in str(error) else "bad_json"
        raise RowError(code, str(error)) from error
    if not isinstance(document, dict):
        raise RowError("not_an_object", f"a row is a JSON object, this is {type(document).__name__}")
    return document


def converted(document: dict[str, Any], shape: type[Shape]) -> Shape:
    """A document as a typed row, numbers written as text included. Raises RowError with the place and the reason."""
    try:
        return msgspec.convert(document, shape, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise RowError(_code(str(error)), str(error)) from error


def validated(record: Record) -> Record:
    """A record whose every value was checked. Raises RowError for numbers and texts that no store keeps."""
    try:
        text = record.model_dump_json()
        checked = type(record).model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RowError(
            "bad_number" if "amount" in first["msg"] else "bad_value", f"{place}: {first['msg']}"
        ) from error
    except ValueError as error:
        raise RowError("bad_text", f"it holds text that is not Unicode: {error}") from error
    if "\\u0000" in text:
        raise RowError("bad_text", "it holds a NUL character, which no database keeps")
    return checked


def all_validated(mapped: Mapped) -> Mapped:
    """The same with `validated` records. Raises RowError."""
    return msgspec.structs.replace(mapped, records=[validated(record) for record in mapped.records])


def _code(message: str) -> str:
    lower = message.casefold()
    if "surrogate" in lower:
        return "bad_text"
    if "decimal" in lower:
        return "bad_number"
    if "date" in lower:
        return "bad_date"
    return "bad_value"
