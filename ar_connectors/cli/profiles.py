"""What do we know about a customer that no ERP holds? `profile import` reads it from a file, with the reader of aging lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import click
from pydantic import ValidationError

from ar_connectors.aging_file.cells import Cell, cell_text, file_error
from ar_connectors.aging_file.formats import DecimalMark, Vote, parse_number
from ar_connectors.aging_file.items import amount_of
from ar_connectors.aging_file.settings import ListSettings
from ar_connectors.aging_file.survey import decided, open_table
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.lookup import find_customer
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb
from ar_connectors.errors import ConfigurationError
from ar_core import CustomerProfile, Snapshot, TeamMember

__all__ = ["import_profiles", "profile", "read_profiles"]

COLUMNS = ("customer", "lifetime_value", "currency", "account_manager", "flags")
TEAM_PREFIX = "team:"


@click.group()
def profile() -> None:
    """Customer profiles: lifetime value, account manager, team, flags."""


@profile.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-c", "--connection", help="Connection id; not needed when the store has one.")
@click.option(
    "--decimal", type=click.Choice([one.value for one in DecimalMark]), help="What stands before the cents."
)
@json_option
@pass_shell
@verb
def import_profiles(shell: Shell, file: Path, connection: str | None, decimal: str | None) -> Exit | None:
    """Read profiles from a FILE (CSV or XLSX) with the columns customer, lifetime_value, currency, account_manager, flags
    (separated by spaces) and any `team:ROLE`. All rows are checked before the first is stored."""
    connection = shell.connection_id(connection)
    mark = DecimalMark(decimal) if decimal else None
    profiles = read_profiles(file, shell.store.snapshot(connection), decimal=mark)
    shell.store.set_profiles(connection, profiles)
    shell.emit({"profiles": profiles}, lambda: shell.out.print(f"{len(profiles)} profiles stored"))
    return None


def read_profiles(
    file: Path, snapshot: Snapshot, *, decimal: DecimalMark | None = None
) -> list[CustomerProfile]:
    """Profiles from a CSV file or a workbook, in any encoding, delimiter and number format that an aging list may have.

    Raises ConfigurationError that names file, sheet, row, column, value and what was expected.
    """
    table = open_table(ListSettings(file=file))
    rows = iter(table.rows())
    header = next(rows, None)
    columns = [cell_text(cell) for cell in header.cells] if header is not None else []
    unknown = [name for name in columns if name not in COLUMNS and not name.startswith(TEAM_PREFIX)]
    if "customer" not in columns or unknown:
        raise file_error(
            f"unknown column {unknown[0]!r}" if unknown else "there is no column 'customer'",
            table=table.name,
            row=header.number if header else None,
            advice=f"the columns are {', '.join(COLUMNS)} and {TEAM_PREFIX}ROLE",
        )
    kept = [(row.number, dict(zip(columns, row.cells, strict=False))) for row in rows]
    amounts: Vote[DecimalMark, Decimal] = Vote((DecimalMark.POINT, DecimalMark.COMMA), parse_number)
    for number, cells in kept:
        if isinstance(value := cells.get("lifetime_value"), str):
            amounts.hear(value, number)
    mark = decimal or decided(table, amounts, "lifetime_value", "--decimal point or --decimal comma")
    return [_profile(_Place(table.name, number), cells, snapshot, mark) for number, cells in kept]


@dataclass(frozen=True)
class _Place:
    """A row of a file, for its errors."""

    table: str
    row: int

    def error(
        self, problem: str, column: str, value: object, expected: str = "", advice: str = ""
    ) -> Exception:
        return file_error(
            problem,
            table=self.table,
            row=self.row,
            column=column,
            value=value,
            expected=expected,
            advice=advice,
        )


def _profile(
    place: _Place, cells: Mapping[str, Cell], snapshot: Snapshot, mark: DecimalMark
) -> CustomerProfile:
    values = {name: cell_text(cell) for name, cell in cells.items()}
    try:
        customer = find_customer(snapshot, values.get("customer", ""))
    except ConfigurationError as error:
        raise place.error(
            error.message, "customer", values.get("customer"), advice=error.advice or ""
        ) from error
    lifetime_value = None
    if values.get("lifetime_value"):
        lifetime_value = amount_of(cells["lifetime_value"], mark)
        if lifetime_value is None:
            raise place.error(
                "no amount", "lifetime_value", values["lifetime_value"], f"an amount with a decimal {mark}"
            )
    team = tuple(
        TeamMember(role=name.removeprefix(TEAM_PREFIX), person=value)
        for name, value in values.items()
        if name.startswith(TEAM_PREFIX) and value
    )
    try:
        return CustomerProfile.model_validate(
            {
                "customer_id": customer.id,
                "lifetime_value": lifetime_value,
                "lifetime_value_currency": values.get("currency") or None,
                "account_manager": values.get("account_manager") or None,
                "team": team,
                "flags": tuple(values.get("flags", "").split()),
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "lifetime_value"
        column = {"lifetime_value_currency": "currency"}.get(name, name)
        raise place.error(first["msg"], column, values.get(column)) from error
