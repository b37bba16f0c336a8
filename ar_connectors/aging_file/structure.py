"""What is each row of a list? The headings, then customers on their own line, items, totals, and the prose around them.

A walk over a table gives a sequence of parts and understands no number yet: how numbers are written is decided from all of them.
A row with an amount and a date, a number or a type is an item. A row with an amount and neither is a total, if it says so or
repeats the heading above. A row with one text and no amount is a heading. What is none of these is handed on as odd, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ar_connectors.aging_file.cells import (
    Cell,
    Refused,
    Row,
    Table,
    cell_text,
    column_name,
    file_error,
    is_blank,
)
from ar_connectors.aging_file.currencies import CURRENCIES
from ar_connectors.aging_file.layouts import Group, ItemType, Role, match, normal
from ar_connectors.aging_file.settings import ColumnMap

__all__ = ["Header", "Heading", "ItemRow", "OddRow", "Part", "TotalRow", "find_header", "walk"]

_SEARCHED: Final = 100
"""Rows in which the headings must be found."""
_TOTAL: Final = re.compile(
    r"^(?:grand |report |overall )?(?:sub)?totals?\b[\s:\-]*(?:for\b|of\b)?[\s:\-]*(.*)$", re.IGNORECASE
)
_SUM: Final = re.compile(
    r"^(?:summe|gesamt\w*|zwischensumme|somme|importe total|totaal)\b[\s:\-]*(.*)$", re.IGNORECASE
)
_STARS: Final = re.compile(r"^\*+")
_SHARE: Final = re.compile(r"^(?:%|percent\w*)(?:\s+of\b.*)?$", re.IGNORECASE)
_CURRENCY: Final = re.compile(r"^(currency\s*:?\s*)?([A-Z]{3})(?:\s*[-\u2013:(].*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Header:
    """Where the headings stand and what they mean."""

    row: int
    cells: tuple[Cell, ...]
    columns: Mapping[Role, int]
    """Role -> column, from 0."""
    group: Group
    types: Mapping[str, ItemType]
    layout: str
    """The name of the layout, or `column map`."""
    title: str
    preamble: tuple[Row, ...] = ()
    """What stands above."""

    def heading(self, role: Role) -> str:
        """The column of a role for people: its letter and its heading."""
        place = self.columns[role]
        return f"{column_name(place)} ({cell_text(self.cells[place])})"


@dataclass(frozen=True, slots=True)
class Heading:
    """A row that names what follows."""

    row: int
    label: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One open item; its values by role, blank ones left out."""

    row: int
    values: Mapping[Role, Cell]
    customer: str | None
    """The heading it stands under, where headings name customers."""
    currency: str | None
    """The currency heading it stands under."""


@dataclass(frozen=True, slots=True)
class TotalRow:
    """A sum that the file itself states. `label`: what it is the sum of, "" if of everything or unsaid; `level`: number of stars."""

    row: int
    label: str
    cell: Cell
    level: int = 0


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row with an amount that fits nowhere."""

    row: int
    cells: tuple[Cell, ...]


Part = Heading | ItemRow | TotalRow | OddRow


def find_header(table: Table, mapped: ColumnMap | None) -> Header:
    """The headings of a list. Raises ConfigurationError when none are recognized, or a mapped heading is not there."""
    before: list[Row] = []
    for row in table.rows():
        if mapped is not None:
            header = _mapped_header(row, mapped, table)
        else:
            found = match(row.cells)
            header = found and Header(
                row.number,
                row.cells,
                found[1],
                _grouping(found[0].group, found[1]),
                found[0].types,
                found[0].name,
                found[0].title,
            )
        if header is not None:
            return Header(
                header.row,
                header.cells,
                header.columns,
                header.group,
                header.types,
                header.layout,
                header.title,
                tuple(before),
            )
        before.append(row)
        if len(before) >= _SEARCHED:
            break
    raise _no_header(table, before, mapped)


def _grouping(group: Group, columns: Mapping[Role, int]) -> Group:
    """Headings need not name the customer where a column does."""
    return Group.AGE if group is Group.CUSTOMER and Role.CUSTOMER in columns else group


def _mapped_header(row: Row, mapped: ColumnMap, table: Table) -> Header | None:
    headings = [normal(cell_text(cell)) for cell in row.cells]
    wanted = {role: normal(heading) for role, heading in mapped.columns.items()}
    columns = {role: headings.index(name) for role, name in wanted.items() if name in headings}
    if len(columns) * 2 <= len(wanted):
        return None
    missing = [mapped.columns[role] for role in wanted if role not in columns]
    if missing:
        raise file_error(
            "the column map names a heading that is not there",
            table=table.name,
            row=row.number,
            value=missing[0],
            expected="one of " + ", ".join(repr(cell_text(cell)) for cell in row.cells if not is_blank(cell)),
        )
    types = {normal(word): kind for kind, words in mapped.types.items() for word in words}
    if Role.BALANCE not in columns:
        raise file_error(
            "the column map has no column for the open balance",
            table=table.name,
            advice="add `balance` to its columns",
        )
    if not {Role.CUSTOMER, Role.CUSTOMER_NUMBER} & set(columns) and mapped.group is not Group.CUSTOMER:
        raise file_error(
            "the column map says nothing of the customer",
            table=table.name,
            advice='add `customer` or `customer_number` to its columns, or `group = "customer"` if customers stand on their own line',
        )
    return Header(row.number, row.cells, columns, mapped.group, types, "column map", "column map")


def _no_header(table: Table, before: Sequence[Row], mapped: ColumnMap | None) -> Exception:
    wide = max(before, key=lambda row: sum(not is_blank(cell) for cell in row.cells), default=None)
    seen = ", ".join(repr(cell_text(cell)) for cell in wide.cells if not is_blank(cell))[:300] if wide else ""
    return file_error(
        "the headings of the column map are not there"
        if mapped
        else "no known layout: no row has the headings of one",
        table=table.name,
        row=wide.number if wide else None,
        value=seen or None,
        advice="`ar-connectors aging-file guess FILE` shows what it takes the columns for and proposes a column map"
        + (f"; other sheets: {table.facts['other sheets']}" if "other sheets" in table.facts else ""),
    )


@dataclass(slots=True)
class _Walk:
    """Where in the list we are."""

    header: Header
    customers: dict[str, str] = field(default_factory=dict)
    """Customer headings that no total has closed, outermost first: normal form -> as it stands."""
    currency: str | None = None
    last: str = ""
    """The customer of the item before, in normal form."""

    def part(self, row: Row) -> Part | None:
        values = {
            role: row.cells[place]
            for role, place in self.header.columns.items()
            if place < len(row.cells) and not is_blank(row.cells[place])
        }
        label = self._label(row)
        amount = values.get(Role.BALANCE)
        if amount is None or cell_text(amount) in {"-", "\u2013", "\u2014"}:
            texts = [cell for cell in row.cells if not is_blank(cell)]
            if len(texts) == 1 and isinstance(texts[0], str):
                return self._heading(row.number, cell_text(texts[0]))
            if self._is_item(values):
                return OddRow(row.number, row.cells)
            return None  # prose, an empty bucket, a line of bars
        if self._is_item(values):
            return self._item(row.number, values)
        if _SHARE.match(label):
            return None
        total = self._total(row.number, label, amount)
        return total if total is not None else OddRow(row.number, row.cells)

    def _label(self, row: Row) -> str:
        """The first text of a row that is no amount."""
        skip = {self.header.columns.get(Role.BALANCE), self.header.columns.get(Role.TOTAL)}
        texts = (
            cell_text(cell)
            for place, cell in enumerate(row.cells)
            if place not in skip
            and isinstance(cell, str)
            and not isinstance(cell, Refused)
            and not is_blank(cell)
        )
        return next(texts, "")

    def _is_item(self, values: Mapping[Role, Cell]) -> bool:
        """Whether a row says which document it is about. A list without any such column has an item per row."""
        telling = {Role.NUMBER, Role.ISSUE_DATE, Role.DUE_DATE, Role.TYPE} & set(self.header.columns)
        if not telling:
            first = cell_text(values.get(Role.CUSTOMER) or values.get(Role.CUSTOMER_NUMBER))
            return bool(first) and not _is_sum(first)
        # A total is sometimes written into the first of these columns: one text that says so is none of them.
        said = [values[role] for role in telling if role in values]
        return any(not isinstance(cell, str) or not _is_sum(cell_text(cell)) for cell in said) and not (
            len(said) == 1 and isinstance(said[0], str) and normal(said[0]) in self.customers
        )

    def _item(self, number: int, values: Mapping[Role, Cell]) -> ItemRow:
        by_heading = self.header.group is Group.CUSTOMER
        customer = next(reversed(self.customers.values())) if by_heading and self.customers else None
        self.last = normal(
            cell_text(values.get(Role.CUSTOMER) or values.get(Role.CUSTOMER_NUMBER) or customer)
        )
        return ItemRow(number, values, customer, self.currency)

    def _heading(self, number: int, label: str) -> Heading:
        if currency := self._currency(label):
            self.currency = currency
        elif self.header.group is Group.CUSTOMER:
            name = normal(label)
            if name in self.customers:  # the same again, on a new page
                self._close(name)
            self.customers[name] = label
        return Heading(number, label)

    def _currency(self, label: str) -> str | None:
        """The currency that a heading names. Where a column says it, no heading needs to: `EUR` may be a customer then."""
        found = _CURRENCY.match(label)
        if found is None or Role.CURRENCY in self.header.columns:
            return None
        return found[2].upper() if found[1] or found[2] in CURRENCIES else None

    def _close(self, name: str) -> None:
        """Leave a customer, and all headings within."""
        while self.customers and self.customers.popitem()[0] != name:
            pass

    def _total(self, number: int, label: str, amount: Cell) -> TotalRow | None:
        stars = _STARS.match(label)
        if stars:
            return TotalRow(number, "", amount, level=len(stars[0]))
        words = _words_of_total(label)
        if words is None:
            if label and normal(label) != self.last and normal(label) not in self.customers:
                return None
            words = label
        if normal(words) in self.customers:
            self._close(normal(words))
        elif not words:
            self.customers.clear()
        return TotalRow(number, words, amount)


def _words_of_total(label: str) -> str | None:
    """What a label says it is the total of ("" for everything); None when it speaks of no total."""
    found = _TOTAL.match(label) or _SUM.match(label)
    return found[1].strip() if found else None


def _is_sum(label: str) -> bool:
    """Whether a label is that of a total or of shares of one."""
    return _words_of_total(label) is not None or _SHARE.match(label) is not None


def walk(table: Table, header: Header) -> Iterator[Part]:
    """The parts of a list below its headings, in order. Rows that hold nothing, and headings repeated on a new page, are passed
    over; raises what reading the table raises."""
    here = _Walk(header)
    repeated = [normal(cell_text(cell)) for cell in header.cells]
    for row in table.rows():
        if row.number <= header.row:
            continue
        if _repeats(row, repeated):
            continue
        part = here.part(row)
        if part is not None:
            yield part


def _repeats(row: Row, headings: Sequence[str]) -> bool:
    """Whether a row is the headings once more; most rows differ in their first cells."""
    return len(row.cells) == len(headings) and all(
        normal(cell_text(cell)) == heading for cell, heading in zip(row.cells, headings, strict=True)
    )
