"""What would a policy have done, and what will it do? The verb `policy simulate`."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

import click
from rich.table import Table

from ar_connectors.cli.exits import Exit
from ar_connectors.cli.lookup import read_policy
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb
from ar_connectors.cli.types import AMOUNT, DAY
from ar_core import Snapshot
from ar_core.cadence.simulate import Simulation, forecast, replay
from ar_core.cadence.simulate_events import Chance, NoResponse, Responder
from ar_core.cadence.simulate_events import Table as Chances

__all__ = ["load_table", "responder_of", "simulate"]

_REPLAYED = timedelta(days=27)


@click.command()
@click.argument("name", default="balanced")
@click.option("-c", "--connection", help="Connection id; not needed when the store has one.")
@click.option("--from", "first", type=DAY, help="First day of a replay; by default 27 days before the last.")
@click.option("--to", "last", type=DAY, help="Last day of a replay; today by default.")
@click.option(
    "--forecast", "ahead", type=click.IntRange(1, 366), help="Look so many days ahead instead of back."
)
@click.option(
    "--pays",
    type=AMOUNT,
    help="With --forecast: the share of contacts that are paid after, for example 0.25; nobody pays by default.",
)
@click.option(
    "--after", "delay", type=click.IntRange(0, 90), default=3, show_default=True, help="Days until they pay."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Which contacts those are.")
@json_option
@pass_shell
@verb
def simulate(  # noqa: PLR0917  click passes options by name
    shell: Shell,
    name: str,
    connection: str | None,
    first: date | None,
    last: date | None,
    ahead: int | None,
    pays: Decimal | None,
    delay: int,
    seed: int,
) -> Exit | None:
    """Replay a policy over recorded days with what was known on each, or forecast the days to come."""
    if ahead is not None and (first is not None or last is not None):
        raise click.UsageError("--from and --to belong to a replay: leave out --forecast, or them")
    if pays is not None and (ahead is None or not 0 <= pays <= 1):
        raise click.UsageError("--pays is a share from 0 to 1 and belongs to --forecast")
    connection = shell.connection_id(connection)
    policy, now = read_policy(name), shell.as_of(connection)
    if ahead is not None:
        found = forecast(
            shell.store.snapshot(connection),
            policy,
            now.today,
            now.today + timedelta(days=ahead - 1),
            zone=now.zone,
            responder=responder_of(pays, delay, seed),
        )
    else:
        last = last or now.today
        owner = connection

        def known(moment: datetime) -> Snapshot:
            return shell.store.snapshot(owner, known_at=moment)

        found = replay(known, policy, first or last - _REPLAYED, last, zone=now.zone)
    names = {one.id: one.name for one in shell.store.snapshot(connection).customers}
    data = {"simulation": found, "weeks": [week._asdict() for week in found.weeks()]}
    shell.emit(data, lambda: _show(shell, found, names))
    return None


def responder_of(pays: Decimal | None, delay: int, seed: int) -> Responder:
    """Customers who pay after a share of the contacts; nobody where no share is given."""
    if pays is None:
        return NoResponse()
    return Chances({(None, None): Chance(paid=pays, days=delay)}, seed=seed)


def _show(shell: Shell, found: Simulation, names: dict[str, str]) -> None:
    shell.out.print(load_table(found))
    table = Table(title="most contacts in a week", title_justify="left")
    for column in ("customer", "week of", "contacts"):
        table.add_column(column, overflow="fold")
    for week in sorted(found.weeks(), key=lambda w: (-w.contacts, w.monday, w.customer_id))[:10]:
        table.add_row(names.get(week.customer_id, week.customer_id), str(week.monday), str(week.contacts))
    shell.out.print(table)
    shell.out.print(f"{found.mode} of {found.policy}: {found.assumption}", markup=False)


def load_table(found: Simulation) -> Table:
    """Contacts by channel and day, what people have to do, and who waited for a limit."""
    totals: Counter[str] = Counter()
    for day in found.days:
        totals.update(day.contacts)
    table = Table(title=f"{found.mode} {found.first} to {found.last}", title_justify="left")
    table.add_column("day")
    columns = [*totals, "decisions", "notices and tasks", "by people", "waiting for a limit"]
    for name in columns:
        table.add_column(name, justify="right")
    for day in found.days:
        figures = [*(day.contacts.get(c, 0) for c in totals), day.decisions, day.internal, day.human]
        hits = sum(day.cap_hits.values())
        if any(figures) or hits:
            table.add_row(f"{day.on:%a} {day.on}", *(str(n or "-") for n in (*figures, hits)))
    return table
