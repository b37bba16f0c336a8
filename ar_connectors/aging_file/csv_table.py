"""How is a CSV file of unknown origin read? Its encoding and delimiter are found out, said aloud, and can be given instead."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from ar_connectors.aging_file.cells import Row, cell_text, file_error, trimmed
from ar_connectors.aging_file.encodings import encoding_of
from ar_connectors.aging_file.layouts import role_of

__all__ = ["CsvTable", "open_csv"]

LONGEST_LINE: Final = 1_000_000
"""Characters. No aging list has such a line: a file without line breaks, or a cell that somebody stuffed."""
MOST_LINES_IN_A_RECORD: Final = 200
"""A quote that is never closed would swallow the rest of the file."""
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file with a known encoding and delimiter; read line by line."""

    path: Path
    encoding: str
    delimiter: str
    skip_first: bool = False
    """The first line is a note to spreadsheet programs (`sep=;`)."""
    guessed: bool = False
    """The encoding was told from its letters."""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def facts(self) -> Mapping[str, str]:
        """Encoding and delimiter."""
        return {"encoding": self.encoding, "delimiter": _DELIMITERS.get(self.delimiter, self.delimiter)}

    @property
    def doubts(self) -> Sequence[str]:
        """A guessed encoding."""
        said = f"the encoding was told from the letters: if names look wrong in {self.encoding}, give another (--encoding)"
        return (said,) if self.guessed else ()

    def rows(self) -> Iterator[Row]:
        """All rows that hold something. Raises ConfigurationError for a line or a cell beyond all reason, and for bytes that are
        no text."""
        with self.path.open(encoding=self.encoding, newline="") as handle:
            lines = _Lines(handle, self.name)
            reader = csv.reader(lines, delimiter=self.delimiter)
            last = 0
            try:
                for cells in reader:
                    lines.in_record = 0
                    first, last = last + 1, reader.line_num
                    if first == 1 and self.skip_first:
                        continue
                    if kept := trimmed(cells):
                        yield Row(first, kept)
            except csv.Error as error:
                raise file_error(
                    f"this is no readable CSV: {error}",
                    table=self.name,
                    row=reader.line_num,
                    advice="look at this line of the file: a cell is far too long, or a quote is never closed",
                ) from error
            except UnicodeDecodeError as error:
                raise file_error(
                    f"the file is not {self.encoding}: {error.reason}",
                    table=self.name,
                    row=reader.line_num + 1,
                    advice="give the file's encoding (--encoding)",
                ) from error


class _Lines(Iterator[str]):
    """The lines of a file, none of them longer than is sane, and not too many for one record."""

    def __init__(self, handle: TextIO, name: str) -> None:
        self._handle = handle
        self._name = name
        self._number = 0
        self.in_record = 0

    def __next__(self) -> str:
        line = self._handle.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self._number += 1
        self.in_record += 1
        if len(line) > LONGEST_LINE:
            raise file_error(
                f"a line of more than {LONGEST_LINE:,} characters", table=self._name, row=self._number
            )
        if self.in_record > MOST_LINES_IN_A_RECORD:
            raise file_error(
                f"a quoted cell goes on for more than {MOST_LINES_IN_A_RECORD} lines",
                table=self._name,
                row=self._number - self.in_record + 1,
                advice="a quote that opens in this row is never closed",
            )
        return line


def open_csv(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> CsvTable:
    """Find out how a CSV file is written. What is given is not questioned.

    Raises ConfigurationError for an empty file, an encoding that does not exist or cannot be found out.
    """
    encoding, guessed = (_known(encoding, path), False) if encoding else _encoding_of(path)
    with path.open(encoding=encoding, errors="replace", newline="") as handle:
        sample = list(islice(iter(lambda: handle.readline(LONGEST_LINE + 1), ""), 300))
    if not any(line.strip() for line in sample):
        raise file_error("the file is empty", table=path.name, advice="export the list again")
    hint = sample[0].strip()
    says = hint[4:] if hint.lower().startswith("sep=") and len(hint) == 5 else None
    found = delimiter or says or _delimiter_of(sample)
    return CsvTable(path, encoding, found, skip_first=says is not None, guessed=guessed)


def _known(encoding: str, path: Path) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise file_error(
            f"there is no encoding {encoding!r}", table=path.name, advice="for example utf-8, cp1252, utf-16"
        ) from error


def _encoding_of(path: Path) -> tuple[str, bool]:
    """The encoding, and whether it is a guess."""
    with path.open("rb") as handle:
        if handle.read(4) in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0"}:
            raise file_error(
                "this is a spreadsheet with the name of a CSV file",
                table=path.name,
                advice="give it its own ending (.xlsx), or save it as CSV",
            )
    encoding, guessed = encoding_of(path)
    if encoding is None:
        raise file_error(
            "the encoding of the file cannot be found out",
            table=path.name,
            advice="give it (--encoding cp1252 for most exports of Western Europe and America)",
        )
    return encoding, guessed


def _delimiter_of(sample: list[str]) -> str:
    """The delimiter under which a row has most headings that are known; failing that, most lines the same number of cells, and
    more than one. A comma if nothing tells."""
    best, score = ",", (0, 0, 0)
    for delimiter in _DELIMITERS:
        try:
            rows = [trimmed(cells) for cells in csv.reader(sample, delimiter=delimiter)]
        except csv.Error:
            continue
        known = max((sum(role_of(cell_text(cell)) is not None for cell in row) for row in rows), default=0)
        widths = Counter(len(row) for row in rows if len(row) > 1)
        width, lines = max(widths.items(), key=lambda one: one[1], default=(0, 0))
        found = (known if known > 1 else 0, lines, width)
        if found > score:
            best, score = delimiter, found
    return best
