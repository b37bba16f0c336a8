"""What could the columns of an unknown list mean? A proposal for a column map, and the first rows as it would read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from ar_connectors.aging_file.cells import Cell, Row, Table, cell_text, file_error, is_blank
from ar_connectors.aging_file.layouts import Group, Role, match, role_of
from ar_connectors.aging_file.structure import Header, ItemRow, find_header, walk

__all__ = ["Guess", "guess"]

_SEARCHED = 100
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Guess:
    """What a list was taken for."""

    layout: str | None
    """The title of the known layout; None: it is none, and `roles` is a proposal."""
    row: int
    """Of the headings."""
    headings: tuple[str, ...]
    roles: dict[Role, str]
    """Role -> heading."""
    rows: tuple[dict[Role, str], ...]
    """The first items, by role, as they stand in the file."""

    @property
    def unused(self) -> list[str]:
        """Headings that are taken for nothing."""
        return [one for one in self.headings if one and one not in self.roles.values()]

    @property
    def lacking(self) -> list[Role]:
        """Roles without which nothing can be imported."""
        customer = Role.CUSTOMER in self.roles or Role.CUSTOMER_NUMBER in self.roles
        return [
            role
            for role in (Role.CUSTOMER, Role.BALANCE)
            if role not in self.roles and not (role is Role.CUSTOMER and customer)
        ]

    def as_toml(self) -> str:
        """The proposal as a column map; text of a TOML file."""
        lines = [
            "# Role = the heading as it stands in the file. Correct what is wrong, delete what is not wanted.",
            "[columns]",
        ]
        lines += [
            f"{role.value} = {json.dumps(heading, ensure_ascii=False)}"
            for role, heading in self.roles.items()
        ]
        lines += [f"# {role.value} = ?    (needed)" for role in self.lacking]
        lines += [f"# not used: {heading}" for heading in self.unused]
        lines += [
            "",
            "[types]  # words of the type column; without them the sign tells invoices from credits",
            '# invoice = ["INV"]',
            '# credit_note = ["CM"]',
            '# payment = ["PMT"]',
        ]
        return "\n".join(lines) + "\n"


def guess(table: Table) -> Guess:
    """Look at the first rows. Raises ConfigurationError when no row looks like headings."""
    rows = list(islice(table.rows(), _SEARCHED))
    if any(match(row.cells) for row in rows):
        header = find_header(table, None)
        roles = {role: cell_text(header.cells[place]) for role, place in header.columns.items()}
        return Guess(header.title, header.row, _texts(header.cells), roles, _items(table, header))
    best = max(rows, key=lambda row: len(_roles(row)), default=None)
    if best is None or len(_roles(best)) < 2:
        raise file_error(
            "no row looks like headings",
            table=table.name,
            advice="a list needs a row with the names of its columns, such as Customer, Invoice, Due date, Balance",
        )
    columns = _roles(best)
    header = Header(best.number, best.cells, columns, _group(columns), {}, "column map", "column map")
    roles = {role: cell_text(best.cells[place]) for role, place in columns.items()}
    shown = _items(table, header) if Role.BALANCE in columns else ()
    return Guess(None, best.number, _texts(best.cells), roles, shown)


def _group(columns: dict[Role, int]) -> Group:
    return Group.NONE if {Role.CUSTOMER, Role.CUSTOMER_NUMBER} & columns.keys() else Group.CUSTOMER


def _texts(cells: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(cell_text(cell) for cell in cells)


def _roles(row: Row) -> dict[Role, int]:
    found: dict[Role, int] = {}
    for place, cell in enumerate(row.cells):
        role = role_of(cell_text(cell)) if isinstance(cell, str) and not is_blank(cell) else None
        if role is not None:
            found.setdefault(role, place)
    return found


def _items(table: Table, header: Header) -> tuple[dict[Role, str], ...]:
    items = (part for part in walk(table, header) if isinstance(part, ItemRow))
    shown = []
    for item in islice(items, _SHOWN):
        values = {role: cell_text(cell) for role, cell in item.values.items()}
        if item.customer:
            values.setdefault(Role.CUSTOMER, item.customer)
        shown.append(values)
    return tuple(shown)
