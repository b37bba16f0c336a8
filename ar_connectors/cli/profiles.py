"""What do we know about a customer that no ERP holds? `profile import` reads it from a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import ValidationError

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
@json_option
@pass_shell
@verb
def import_profiles(shell: Shell, file: Path, connection: str | None) -> Exit | None:
    """Read profiles from a CSV FILE with the columns customer, lifetime_value, currency, account_manager, flags
    (separated by spaces) and any `team:ROLE`. All rows are checked before the first is stored."""
    connection = shell.connection_id(connection)
    profiles = list(read_profiles(file, shell.store.snapshot(connection)))
    for one in profiles:
        shell.store.set_profile(connection, one)
    shell.emit({"profiles": profiles}, lambda: shell.out.print(f"{len(profiles)} profiles stored"))
    return None


def read_profiles(file: Path, snapshot: Snapshot) -> Iterator[CustomerProfile]:
    """Profiles from a CSV file. Raises ConfigurationError that names file, row, column, value and what was expected."""
    with file.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.DictReader(handle)
        columns = reader.fieldnames or []
        unknown = [name for name in columns if name not in COLUMNS and not name.startswith(TEAM_PREFIX)]
        if "customer" not in columns or unknown:
            raise ConfigurationError(
                f"{file}: "
                + (f"unknown column {unknown[0]!r}" if unknown else "there is no column 'customer'"),
                advice=f"the columns are {', '.join(COLUMNS)} and {TEAM_PREFIX}ROLE",
            )
        for number, row in enumerate(reader, start=2):
            yield _profile(f"{file}, row {number}", row, snapshot)


def _profile(where: str, row: dict[str | None, str | None], snapshot: Snapshot) -> CustomerProfile:
    values = {name: (value or "").strip() for name, value in row.items() if name is not None}
    try:
        customer = find_customer(snapshot, values["customer"])
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}, column customer: {error.message}", advice=error.advice) from error
    team = tuple(
        TeamMember(role=name.removeprefix(TEAM_PREFIX), person=value)
        for name, value in values.items()
        if name.startswith(TEAM_PREFIX) and value
    )
    try:
        return CustomerProfile.model_validate(
            {
                "customer_id": customer.id,
                "lifetime_value": values.get("lifetime_value") or None,
                "lifetime_value_currency": values.get("currency") or None,
                "account_manager": values.get("account_manager") or None,
                "team": team,
                "flags": tuple(values.get("flags", "").split()),
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        column = {"lifetime_value_currency": "currency"}.get(str(first["loc"][0]), str(first["loc"][0]))
        raise ConfigurationError(
            f"{where}, column {column}: {first['msg']} (got {values.get(column)!r})"
        ) from error
