"""How are numbers and dates written in this file? Decided once for a whole column, from all of its cells, and never cell by cell.

`1.234` is a thousand and more in Berlin and a little over one in Boston; `05/11/2026` is in May or in November. One cell cannot
tell, a column usually can: a single `31/10/2026` settles it. Where every cell fits both readings and they differ, the file is
refused until somebody says which it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final, Generic, TypeVar

__all__ = [
    "DateOrder",
    "DecimalMark",
    "Disagreement",
    "Undecided",
    "Vote",
    "Witness",
    "parse_date",
    "parse_number",
]


class DecimalMark(StrEnum):
    """What stands before the cents."""

    POINT = "point"
    """1,234.56"""
    COMMA = "comma"
    """1.234,56"""


class DateOrder(StrEnum):
    """What comes first in a date of three numbers that does not begin with its year."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


_GROUPING: Final = re.compile("(?<=\\d)[\\s\u00a0\u202f\u2009'\u2019](?=\\d{3}(?!\\d))")
"""A space or an apostrophe between groups of three digits."""
_PLAIN: Final = re.compile(r"[0-9][0-9.,]*")
"""What nearly all amounts are: digits and marks, nothing to take off."""
_MINUS: Final = str.maketrans("\u2212\u2013\u2014", "---")
_MONEY_WORDS: Final = re.compile(
    r"^(?:[A-Z]{3}|[^\d\s.,()+\-]{1,3})?\s*(.*?)\s*(?:[A-Z]{3}|[^\d\s.,()+\-]{1,3})?$"
)
_SHAPES: Final = {
    DecimalMark.POINT: re.compile(r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}|\d+)?(?:\.\d*)?"),
    DecimalMark.COMMA: re.compile(r"(?:\d{1,3}(?:\.\d{2,3})*\.\d{3}|\d+)?(?:,\d*)?"),
}


@lru_cache(maxsize=4096)
def parse_number(text: str, mark: DecimalMark) -> Decimal | None:
    """An amount as people write it, or None if it is none under this decimal mark.

    Understood: grouping, brackets and a minus on either side for negatives, `CR` (negative) and `DR`, a currency sign or code
    before or after. Digits are kept as they stand.
    """
    digits, is_negative = _bare(text)
    if not digits or _SHAPES[mark].fullmatch(digits) is None:
        return None
    group = "," if mark is DecimalMark.POINT else "."
    value = Decimal(digits.replace(group, "").replace(",", "."))
    return value.copy_negate() if is_negative else value  # unary minus would round


@lru_cache(maxsize=64)  # a cell is read under one mark, then under the other
def _bare(text: str) -> tuple[str, bool]:
    """The digits and marks of an amount, and whether it is below zero; "" where it is none under any mark."""
    if _PLAIN.fullmatch(text):
        return text, False
    body = text.strip().translate(_MINUS)
    negatives = 0
    if body[-2:].upper() in {"CR", "DR"}:
        negatives, body = int(body[-2:].upper() == "CR"), body[:-2].strip()
    for _ in range(2):  # brackets and signs stand inside or outside of the currency
        body, more = _signs(body)
        negatives += more
        found = _MONEY_WORDS.match(body)
        body = found[1] if found is not None else body
    digits = _GROUPING.sub("", body)
    if negatives > 1 or not digits.isascii() or not any(one.isdigit() for one in digits):
        return "", False
    return digits, negatives > 0


def _signs(body: str) -> tuple[str, int]:
    """A number without its brackets, minus or plus, and how many of them meant less."""
    negatives = 0
    if body.startswith("(") and body.endswith(")"):
        negatives, body = 1, body[1:-1].strip()
    if body[:1] in {"-", "+"}:
        negatives, body = negatives + (body[0] == "-"), body[1:].strip()
    if body[-1:] in {"-", "+"}:
        negatives, body = negatives + (body[-1] == "-"), body[:-1].strip()
    return body, negatives


_MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janv janvier ene enero januari gen gennaio janeiro",
            "feb february februar fevr févr février fevrier febrero februari febbraio fevereiro",
            "mar march mär mrz märz mars marzo mrt maart março",
            "apr april avr avril abr abril aprile",
            "may mai mayo mei mag maggio maio",
            "jun june juni juin junio giu giugno junho",
            "jul july juli juil juillet julio lug luglio julho",
            "aug august août aout ago agosto augustus",
            "sep sept september septembre septiembre set settembre setembro",
            "oct october okt oktober octobre octubre ott ottobre outubro",
            "nov november novembre noviembre novembro",
            "dec december dez dezember déc décembre decembre dic diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_TIME: Final = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?)?"
_YEAR_FIRST: Final = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_COMPACT: Final = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_YEAR_LAST: Final = re.compile(rf"(\d{{1,2}})([-/. ])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
_NAMED: Final = re.compile(
    r"(?:[^\W\d]+, *)?(\d{1,2})(?:st|nd|rd|th)?[ \-./]*(?:de )?([^\W\d]+)[ \-./,]*(?:de )?(\d{4}|\d{2})"
)
_NAME_FIRST: Final = re.compile(
    r"(?:[^\W\d]+, *)?([^\W\d]{3,})[ \-.]*(\d{1,2})(?:st|nd|rd|th)?[ ,\-]+(\d{4}|\d{2})"
)


@lru_cache(maxsize=4096)
def parse_date(text: str, order: DateOrder) -> date | None:
    """A date as people write it, or None if it is none in this order. A time of day behind it is passed over.

    Dates that begin with the year or name their month read the same in either order; those with points are day first
    everywhere. Years of two digits are 1980 to 2079.
    """
    body = " ".join(text.split())
    if found := _YEAR_FIRST.fullmatch(body):
        return _date(int(found[1]), int(found[3]), int(found[4]))
    if found := _COMPACT.fullmatch(body):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.fullmatch(body):
        first, second = int(found[1]), int(found[3])
        if order is DateOrder.MONTH_FIRST and found[2] != ".":
            first, second = second, first
        return _date(_year(found[4]), second, first)
    if found := _NAMED.fullmatch(body):
        return _date(_year(found[3]), _MONTHS.get(found[2].casefold(), 0), int(found[1]))
    if found := _NAME_FIRST.fullmatch(body):
        return _date(_year(found[3]), _MONTHS.get(found[1].casefold(), 0), int(found[2]))
    return None


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (1900 if year >= 80 else 2000)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


S = TypeVar("S", DecimalMark, DateOrder)
V = TypeVar("V", Decimal, date)


@dataclass(frozen=True, slots=True)
class Witness:
    """One cell that had a say."""

    row: int
    text: str


class Undecided(ValueError):
    """Every cell fits both readings, and they mean different things."""

    def __init__(self, witness: Witness) -> None:
        super().__init__(f"row {witness.row} ({witness.text!r}) and all others can be read in two ways")
        self.witness = witness


class Disagreement(ValueError):
    """Two cells of one column cannot be written in the same way."""

    def __init__(self, one: Witness, other: Witness) -> None:
        super().__init__(
            f"row {one.row} ({one.text!r}) and row {other.row} ({other.text!r}) contradict each other"
        )
        self.one = one
        self.other = other


@dataclass(slots=True)
class Vote(Generic[S, V]):
    """The say of all cells of a column on which of two styles it is written in. A cell that is neither has none."""

    styles: tuple[S, S]
    parse: Callable[[str, S], V | None]
    only: dict[S, Witness] = field(default_factory=dict)
    """The first cell that can be read in this style alone."""
    either: Witness | None = None
    """The first cell that reads differently in the two."""

    def hear(self, text: str, row: int) -> None:
        """Take one cell into account."""
        first, second = (self.parse(text, style) for style in self.styles)
        if first == second:
            return
        witness = Witness(row, text)
        if first is None:
            self.only.setdefault(self.styles[1], witness)
        elif second is None:
            self.only.setdefault(self.styles[0], witness)
        elif self.either is None:
            self.either = witness

    def decided(self, elsewhere: S | None = None) -> S:
        """The style of the column. `elsewhere`: what its sister columns in the same file are written in, for want of an own say.

        Raises Disagreement when two cells contradict each other, Undecided when no cell can tell.
        """
        if len(self.only) == 2:
            raise Disagreement(self.only[self.styles[0]], self.only[self.styles[1]])
        if self.only:
            return next(iter(self.only))
        if elsewhere is not None:
            return elsewhere
        if self.either is not None:
            raise Undecided(self.either)
        return self.styles[0]  # no cell reads differently: either will do
