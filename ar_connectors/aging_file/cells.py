"""What is a table to this connector? Rows of plain cells, wherever they came from, and errors that say where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, Self

from ar_connectors.errors import ARError, ConfigurationError

__all__ = [
    "PLATFORM",
    "Cell",
    "Refused",
    "Row",
    "Table",
    "cell_text",
    "column_name",
    "file_error",
    "is_blank",
    "trimmed",
]

PLATFORM = "aging_file"


class Refused(str):
    """A cell that cannot be taken as it stands: a formula (never evaluated), a spreadsheet's error, a number beyond its digits.

    Only where such a cell is needed does it matter; a total row may well hold formulas.
    """

    __slots__ = ("why",)
    why: str

    def __new__(cls, text: str, why: str) -> Self:
        """`why`: what is wrong with it, to stand behind `not`."""
        made = super().__new__(cls, text)
        made.why = why
        return made


Cell = str | Decimal | date | None
"""Text as it stands, an exact number, a calendar date, or nothing. A `Refused` is text that says why it cannot be used."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table. `number`: the line or row a person sees, from 1."""

    number: int
    cells: tuple[Cell, ...]


class Table(Protocol):
    """A file that can be read from its beginning as often as needed, and is never held whole."""

    @property
    def name(self) -> str:
        """For people: `aging.csv`, or `aging.xlsx, sheet 'Open items'`."""
        ...

    @property
    def facts(self) -> Mapping[str, str]:
        """What was found out about the file: encoding, delimiter, sheet."""
        ...

    @property
    def doubts(self) -> Sequence[str]:
        """What was found out and may be wrong, in words for people."""
        ...

    def rows(self) -> Iterator[Row]:
        """All rows that hold something, in order. Raises what `file_error` makes."""
        ...


def is_blank(cell: Cell) -> bool:
    """Nothing, or text of white space."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def cell_text(cell: Cell) -> str:
    """A cell as trimmed text, inner white space folded; "" for a blank one."""
    if cell is None:
        return ""
    return " ".join(cell.split()) if isinstance(cell, str) else str(cell)


def column_name(index: int) -> str:
    """The letters of a column, from 0: A, B, ..., Z, AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def file_error(
    problem: str,
    *,
    table: str,
    row: int | None = None,
    column: str | None = None,
    value: object = None,
    expected: str = "",
    advice: str = "",
    kind: type[ARError] = ConfigurationError,
) -> ARError:
    """An error that names the file, the place in it, what stands there and what was expected instead."""
    place = table
    if row is not None:
        place += f", row {row}"
    if column is not None:
        place += f", column {column}"
    message = f"{place}: {problem}"
    if value is not None:
        shown = str(value)
        message += f" (found {shown[:80]!r}{'...' if len(shown) > 80 else ''}"
        message += f"; expected {expected})" if expected else ")"
    elif expected:
        message += f" (expected {expected})"
    return kind(message, platform=PLATFORM, operation="read the aging list", advice=advice or None)


def trimmed(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Cells without the blank ones at the end."""
    end = len(cells)
    while end and is_blank(cells[end - 1]):
        end -= 1
    return tuple(cells[:end])
