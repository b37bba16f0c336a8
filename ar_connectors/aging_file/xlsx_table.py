"""How is a workbook read? As a stream of rows, with nothing evaluated, nothing trusted, and its size known beforehand.

A workbook is an archive: its directory says how large each part is before a byte is unpacked, and reading stops there. So a
small file that unpacks to gigabytes is refused at the door. Macros and formulas are not run: a workbook with macros is
refused, a formula is handed on as what it is.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ar_connectors.aging_file.cells import Cell, Refused, Row, column_name, file_error, trimmed
from ar_connectors.errors import ConfigurationError

__all__ = ["XlsxTable", "open_xlsx"]

LARGEST_UNPACKED: Final = 1 << 30
"""Bytes of all parts together. 300,000 rows of an aging list unpack to about 150 MB."""
LARGEST_STRINGS: Final = 256 << 20
"""Bytes of the table of texts, the one part that is held in memory."""
MOST_PARTS: Final = 5000
MOST_COLUMNS: Final = 256


@dataclass(frozen=True, slots=True)
class XlsxTable:
    """One sheet of a workbook."""

    path: Path
    sheet: str
    others: tuple[str, ...] = field(default=())
    """Names of the other visible sheets."""

    @property
    def name(self) -> str:
        """File and sheet."""
        return f"{self.path.name}, sheet {self.sheet!r}"

    @property
    def facts(self) -> Mapping[str, str]:
        """The sheet, and which others there are."""
        return {"sheet": self.sheet, **({"other sheets": ", ".join(self.others)} if self.others else {})}

    @property
    def doubts(self) -> Sequence[str]:
        """None: a workbook says what it is."""
        return ()

    def rows(self) -> Iterator[Row]:
        """All rows that hold something; numbers are exact to the 15 digits that a spreadsheet keeps.

        Raises ConfigurationError for more than 256 columns and for a workbook that cannot be read.
        """
        book = _workbook(self.path)
        try:
            sheet = book[self.sheet]
            sheet.reset_dimensions()  # a sheet may claim any size; its rows are taken as long as they are
            for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
                kept = trimmed([_cell(value) for value in values]) if values else ()
                if len(kept) > MOST_COLUMNS:
                    raise file_error(
                        f"more than {MOST_COLUMNS} columns",
                        table=self.name,
                        row=number,
                        column=column_name(len(kept) - 1),
                        advice="delete what does not belong to the list",
                    )
                if kept:
                    yield Row(number, kept)
        except (ValueError, KeyError, SyntaxError, zipfile.BadZipFile, EOFError) as error:
            raise _unreadable(self.path, error) from error
        finally:
            book.close()


def open_xlsx(path: Path, *, sheet: str | None = None) -> XlsxTable:
    """Open one sheet: the one named, or the first that is visible.

    Raises ConfigurationError for what is no workbook, is encrypted, has macros, unpacks to more than is sane, or lacks the
    sheet; and when the extra `files` is not installed.
    """
    _check_archive(path)
    book = _workbook(path)
    try:
        names = [one.title for one in book.worksheets if one.sheet_state == "visible"]
    finally:
        book.close()
    if not names or (sheet is not None and sheet not in names):
        raise file_error(
            f"there is no visible sheet {sheet!r}" if sheet is not None else "there is no visible sheet",
            table=path.name,
            advice="the sheets are " + (", ".join(names) or "hidden: make the right one visible"),
        )
    chosen = sheet if sheet is not None else names[0]
    return XlsxTable(path, chosen, tuple(one for one in names if one != chosen))


def _check_archive(path: Path) -> None:
    with path.open("rb") as handle:
        start = handle.read(8)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise file_error(
            "an old or encrypted workbook",
            table=path.name,
            expected="an .xlsx workbook without a password",
            advice="open it, and save it as .xlsx without a password, or as CSV",
        )
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise file_error(
            "the workbook has macros", table=path.name, advice="save it as .xlsx (without macros), or as CSV"
        )
    unpacked = sum(part.file_size for part in parts)
    strings = sum(part.file_size for part in parts if part.filename.lower().endswith("sharedstrings.xml"))
    if unpacked > LARGEST_UNPACKED or strings > LARGEST_STRINGS or len(parts) > MOST_PARTS:
        raise file_error(
            f"the workbook unpacks to {unpacked:,} bytes in {len(parts):,} parts",
            table=path.name,
            expected=f"at most {LARGEST_UNPACKED:,} bytes",
            advice="save the list alone as CSV: that has no such limit",
        )


def _workbook(path: Path) -> Any:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise ConfigurationError(
            "reading workbooks needs openpyxl",
            operation="read the aging list",
            advice="pip install 'ar-connectors[files]', or save the list as CSV",
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # it warns of styles and extensions that it leaves out; only values are read
            return load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except (ValueError, KeyError, SyntaxError, OSError, zipfile.BadZipFile, TypeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> Exception:
    return file_error(
        f"this is no readable .xlsx workbook: {error}",
        table=path.name,
        advice="save it again as .xlsx, or as CSV",
    )


def _cell(value: Any) -> Cell:
    """A value of openpyxl as a cell."""
    if value is None or isinstance(value, str):
        if value is not None and value.startswith("="):
            return Refused(value, "a formula, and formulas are never evaluated")
        if value is not None and value.startswith("#") and value.rstrip("!?").isupper():
            return Refused(value, "an error of the spreadsheet")
        return value
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        # A spreadsheet keeps 15 digits; the binary float behind them shows more, which nobody has typed.
        shown = f"{value:.15g}"
        if abs(value) >= 1e15 or not Decimal(shown).is_finite():
            return Refused(
                shown, "a number of more than 15 digits, which a spreadsheet does not keep exactly"
            )
        return Decimal(shown)
    return Refused(str(value), f"a {type(value).__name__}")
