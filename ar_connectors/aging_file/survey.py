"""What is in this file? It is read whole, and understood or refused, before the first record is stored.

First every cell has its say on how numbers and dates are written. Then the rows are read as items, the file's own totals are held
against them, and the items are spooled. A row that cannot be read is set aside with the reason; a file that contradicts
itself is an error with the place and the difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ar_connectors.aging_file.cells import Cell, Refused, Row, Table, cell_text, file_error, is_blank
from ar_connectors.aging_file.csv_table import open_csv
from ar_connectors.aging_file.formats import (
    DateOrder,
    DecimalMark,
    Disagreement,
    Undecided,
    Vote,
    parse_date,
    parse_number,
)
from ar_connectors.aging_file.items import Styles, Unmappable, amount_of, read_item
from ar_connectors.aging_file.layouts import Role
from ar_connectors.aging_file.mapping import base_identity, kind_of
from ar_connectors.aging_file.raw import pack_cells, pack_row, without
from ar_connectors.aging_file.settings import ListSettings, load_column_map
from ar_connectors.aging_file.spool import Spool
from ar_connectors.aging_file.structure import Header, Heading, ItemRow, OddRow, TotalRow, find_header, walk
from ar_connectors.aging_file.totals import Totals
from ar_connectors.aging_file.xlsx_table import open_xlsx
from ar_connectors.connector import Rejected
from ar_connectors.errors import ContractError

__all__ = ["Survey", "decided", "digest", "open_table", "survey"]

_DATES: Final = (Role.ISSUE_DATE, Role.DUE_DATE)
_MOST_REJECTED_PERCENT: Final = 20
_ALWAYS_REJECTED: Final = 20
"""So many rows may be unreadable in any file; more, and more than a fifth, means that the file as a whole is misread."""
_SHOWN: Final = 20
"""So many rows set aside, and totals not checked, are told one by one."""
_AS_OF: Final = re.compile(
    r"(?:\bas[ -](?:of|at)(?: date)?|\bag(?:e)?ing date|\breport date|\bopen (?:at|on)(?: key date)?|\bkey date|\bstichtag|\bper|\bzum)\b"
    r"[\s:]*(.*)$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Survey:
    """A list that was understood."""

    table: str
    facts: Mapping[str, str]
    header: Header
    styles: Styles
    as_of: date | None
    totals_checked: int = 0
    set_aside: int = 0
    """Rows that could not be read; all of them are in the spool."""
    rejected: list[Rejected] = field(default_factory=list)
    """The first of them."""
    notes: list[str] = field(default_factory=list)
    balances: dict[str | None, Decimal] = field(default_factory=dict)
    """Open balance by currency, as the rows add up."""
    items: int = 0
    unchecked: int = 0
    """Totals of the file that could not be checked; the first are in the notes."""

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values: what was found out about the file."""
        columns = {role.value: self.header.heading(role) for role in self.header.columns}
        return {
            "file": self.table,
            **self.facts,
            "layout": self.header.title,
            "columns": columns,
            "decimal": self.styles.mark.value,
            "dates": {role.value: order.value for role, order in self.styles.dates.items()},
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "items": self.items,
            "set_aside": self.set_aside,
            "totals_checked": self.totals_checked,
            "balances": {currency or "unknown": str(amount) for currency, amount in self.balances.items()},
            "notes": list(self.notes),
        }


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises ConfigurationError when it cannot be read."""
    found = sha256()
    try:
        with path.open("rb") as handle:
            while chunk := handle.read(1 << 20):
                found.update(chunk)
    except OSError as error:
        raise file_error(f"the file cannot be read: {error.strerror}", table=str(path)) from error
    return found.hexdigest()


def open_table(settings: ListSettings) -> Table:
    """The table in a file, by its ending. Raises ConfigurationError for what is none."""
    path = settings.file
    if not path.is_file():
        raise file_error("there is no such file", table=str(path))
    ending = path.suffix.lower()
    if ending in {".xls", ".xlsb", ".xlsm", ".ods"}:
        raise file_error(
            f"{ending} files are not read",
            table=path.name,
            advice="save the list as .xlsx (without macros) or as CSV",
        )
    if ending == ".xlsx":
        return open_xlsx(path, sheet=settings.sheet)
    return open_csv(path, encoding=settings.encoding, delimiter=settings.delimiter)


def survey(settings: ListSettings, spool: Spool) -> Survey:
    """Read a whole list into a spool.

    Raises ConfigurationError for a file that cannot be read, or that can be read in two ways until a setting says which;
    ContractError for a file that contradicts itself: totals that its rows do not add up to, another day than it was said to show.
    """
    table = open_table(settings)
    header = find_header(table, load_column_map(settings.columns) if settings.columns else None)
    styles = _styles(table, header, settings)
    found = Survey(table.name, table.facts, header, styles, styles.as_of, notes=list(table.doubts))
    _read(table, found, spool)
    spool.seal()
    if not found.items and not found.set_aside:
        raise file_error(
            "there are headings, but no items below them",
            table=table.name,
            row=header.row,
            advice="export the list again, as a detailed one",
        )
    _refuse_what_is_misread(found)
    if found.as_of is None:
        found.notes.append(
            "the file does not say which day it shows; give it (--as-of) to keep lists in order"
        )
    if None in found.balances:
        found.notes.append("the file states no currency; give it (--currency)")
    return found


def _styles(table: Table, header: Header, settings: ListSettings) -> Styles:
    """How the file writes things, from all of its cells and what was said about it."""
    marks: Vote[DecimalMark, Decimal] = Vote((DecimalMark.POINT, DecimalMark.COMMA), parse_number)
    orders = {
        role: Vote[DateOrder, date]((DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST), parse_date)
        for role in _DATES
        if role in header.columns
    }
    for part in walk(table, header):
        match part:
            case ItemRow():
                for role, cell in part.values.items():
                    if not isinstance(cell, str) or isinstance(cell, Refused):
                        continue
                    if role in orders:
                        orders[role].hear(cell, part.row)
                    elif role in {Role.BALANCE, Role.TOTAL}:
                        marks.hear(cell, part.row)
            case TotalRow(cell=str() as cell) if not isinstance(cell, Refused):
                marks.hear(cell, part.row)
    mark = settings.decimal or decided(table, marks, "amounts", "--decimal point or --decimal comma")
    dates = dict.fromkeys(orders, settings.dates) if settings.dates else _date_orders(table, header, orders)
    as_of = _day_shown(table, header, settings, next(iter(dates.values()), None))
    return Styles(mark, dates, settings.currency, as_of, dict(header.types))


def _date_orders(
    table: Table, header: Header, votes: Mapping[Role, Vote[DateOrder, date]]
) -> dict[Role, DateOrder]:
    """Each date column's own say first; a column that cannot tell is written like its sister."""
    own: dict[Role, DateOrder] = {}
    for role, vote in votes.items():
        if vote.only:
            own[role] = decided(table, vote, header.heading(role), "--dates day-first or --dates month-first")
    sister = next(iter(set(own.values())), None) if len(set(own.values())) == 1 else None
    return {
        role: own.get(role)
        or decided(table, vote, header.heading(role), "--dates day-first or --dates month-first", sister)
        for role, vote in votes.items()
    }


def decided(table: Table, vote: Vote[Any, Any], column: str, hint: str, elsewhere: Any = None) -> Any:
    """The style a column is written in. Raises ConfigurationError with the cells that contradict each other, or cannot tell; `hint`
    is what a person can say then."""
    try:
        return vote.decided(elsewhere)
    except Undecided as error:
        raise file_error(
            "every cell can be read in two ways, and they differ",
            table=table.name,
            row=error.witness.row,
            column=column,
            value=error.witness.text,
            expected="a cell that can tell",
            advice=f"say which it is: {hint}",
        ) from error
    except Disagreement as error:
        raise file_error(
            f"this cell and that of row {error.other.row} ({error.other.text!r}) are not written in the same way",
            table=table.name,
            row=error.one.row,
            column=column,
            value=error.one.text,
            expected="one way in the whole column",
            advice=f"correct the file, or say which way counts ({hint}): rows written otherwise are then set aside",
        ) from error


def _day_shown(table: Table, header: Header, settings: ListSettings, order: DateOrder | None) -> date | None:
    said = next((day for row in header.preamble for day in _days_in(row, order)), None)
    if settings.as_of is not None and said is not None and said != settings.as_of:
        raise file_error(
            f"the list shows {said.isoformat()}, and was said to show {settings.as_of.isoformat()}",
            table=table.name,
            advice="is it the right file? leave --as-of out to take the day from the file",
            kind=ContractError,
        )
    return settings.as_of or said


def _days_in(row: Row, order: DateOrder | None) -> Iterator[date]:
    cells = [cell for cell in row.cells if not is_blank(cell)]
    for place, cell in enumerate(cells):
        found = _AS_OF.search(cell_text(cell)) if isinstance(cell, str) else None
        if found is None:
            continue
        value: Cell = found[1].strip() or (cells[place + 1] if place + 1 < len(cells) else None)
        if isinstance(value, date):
            yield value
        elif isinstance(value, str):
            days = {parse_date(value, one) for one in ([order] if order else list(DateOrder))}
            if len(days) == 1 and (day := days.pop()) is not None:
                yield day


def _read(table: Table, found: Survey, spool: Spool) -> None:
    sums = Totals()
    for part in walk(table, found.header):
        match part:
            case Heading():
                sums.heading(part.label)
            case ItemRow():
                try:
                    item = read_item(part, found.styles)
                    base = base_identity(item)
                except Unmappable as problem:
                    sums.unread()
                    _set_aside(_rejected(part, problem, found), found, spool)
                    continue
                sums.item(item.currency, item.balance)
                spool.add(item, base)
                found.items += 1
            case TotalRow():
                _check(part, sums, found)
            case OddRow():
                sums.unread()
                reason = "there is an open amount, but neither a number nor a date nor the word total"
                if all(is_blank(cell) for cell in part.cells[found.header.columns[Role.BALANCE] :][:1]):
                    reason = "it names a document, but no open amount"
                where = f"{found.table}, row {part.row}"
                raw = pack_cells(part.cells)
                _set_aside(
                    Rejected("row", None, "odd_row", f"{where}: {reason}", raw, part.row), found, spool
                )
    found.balances = sums.by_currency()
    if found.unchecked > _SHOWN:
        found.notes.append(f"{found.unchecked - _SHOWN:,} further totals were not checked")


def _set_aside(row: Rejected, found: Survey, spool: Spool) -> None:
    spool.reject(row)
    found.set_aside += 1
    if len(found.rejected) < _SHOWN:
        found.rejected.append(row)


def _check(part: TotalRow, sums: Totals, found: Survey) -> None:
    if isinstance(part.cell, Refused):
        _not_checked(part, part.cell.why, found)
        sums.check(part.label, part.level, Decimal(0))
        return
    stated = amount_of(part.cell, found.styles.mark)
    column = found.header.heading(Role.BALANCE)
    if stated is None:
        raise file_error(
            "this total cannot be read",
            table=found.table,
            row=part.row,
            column=column,
            value=part.cell,
            expected=f"an amount with a decimal {found.styles.mark}",
            kind=ContractError,
        )
    check = sums.check(part.label, part.level, stated)
    if check.difference is None:
        _not_checked(part, check.why_not, found)
    elif check.difference:
        raise file_error(
            f"the total{f' of {part.label!r}' if part.label else ''} differs from its rows by {check.difference:f}",
            table=found.table,
            row=part.row,
            column=column,
            value=part.cell,
            expected=f"{check.rows_add_up_to:f}, what the rows add up to",
            advice="the file was cut or edited: export it again, and import it as it comes",
            kind=ContractError,
        )
    else:
        found.totals_checked += 1


def _not_checked(part: TotalRow, why: str, found: Survey) -> None:
    found.unchecked += 1
    if found.unchecked <= _SHOWN:
        found.notes.append(f"the total in row {part.row} was not checked: {why}")


def _rejected(row: ItemRow, problem: Unmappable, found: Survey) -> Rejected:
    role = problem.role
    column = found.header.heading(role) if role is not None and role in found.header.columns else role
    error = file_error(
        "the row cannot be read",
        table=found.table,
        row=row.row,
        column=column,
        value=cell_text(problem.value),
        expected=problem.expected,
    )
    kind, remote_id = "row", None
    with suppress(
        Unmappable
    ):  # what its record would be called, so that a later list which has it right closes the case
        whole = without(row, Role.BALANCE, Decimal(1)) if problem.role is Role.BALANCE else row
        item = read_item(whole, found.styles)
        kind, remote_id = kind_of(item).value, base_identity(item)
    return Rejected(kind, remote_id, problem.code, error.message, pack_row(row, found.styles), row.row)


def _refuse_what_is_misread(found: Survey) -> None:
    bad, rows = found.set_aside, found.items + found.set_aside
    if bad > _ALWAYS_REJECTED and bad * 100 > rows * _MOST_REJECTED_PERCENT:
        raise file_error(
            f"{bad:,} of {rows:,} rows cannot be read; the first: {found.rejected[0].reason}",
            table=found.table,
            advice="is the layout right? `ar-connectors aging-file guess FILE` shows what it takes the columns for",
            kind=ContractError,
        )
