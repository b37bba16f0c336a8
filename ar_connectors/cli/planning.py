"""Who is due which touch, and why? The verbs plan, explain, evaluate, aging."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import click
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from ar_connectors import api
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.lookup import find_customer, find_invoice, read_policy
from ar_connectors.cli.report import gather, render
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb, zone
from ar_connectors.cli.tables import amount, counted
from ar_connectors.cli.types import INSTANT
from ar_connectors.errors import ConfigurationError
from ar_core import AsOf, Evaluation, Snapshot
from ar_core import evaluate as run_evaluation
from ar_core.aging import NETSUITE, QUICKBOOKS, QUICKBOOKS_REPORT_DATE, XERO, AgingReport
from ar_core.aging import aging as age
from ar_core.cadence import CODES, Action, ActionKind, DispositionKind
from ar_core.cadence.explain import title

__all__ = ["aging", "aging_table", "evaluate", "explain", "plan", "worklist_table"]

_connection = click.option("-c", "--connection", help="Connection id; not needed when the store has one.")
_policy = click.option(
    "--policy", "policy_name", default="balanced", show_default=True, help="Preset name or policy file."
)
_as_of = click.option("--as-of", "instant", type=INSTANT, help="Evaluate as of this instant instead of now.")

CONVENTIONS = {
    "report-date": QUICKBOOKS_REPORT_DATE,
    "quickbooks": QUICKBOOKS,
    "xero": XERO,
    "netsuite": NETSUITE,
}
"""Ways of counting age, by the name the command line has for them."""


@click.command()
@_connection
@_policy
@_as_of
@click.option("--limit", type=int, default=20, show_default=True, help="Lines of the worklist to show.")
@click.option(
    "--record",
    "do_record",
    is_flag=True,
    help="Put every action on record as done, and the write-backs into the outbox.",
)
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the plan as one page: aging, worklist, one customer's cadence, the load to come.",
)
@click.option(
    "--customer", help="With --html: whose cadence to show, by name, number or id; else the most urgent."
)
@click.option(
    "--days",
    type=click.IntRange(1, 120),
    default=30,
    show_default=True,
    help="With --html: days of the forecast.",
)
@json_option
@pass_shell
@verb
def plan(  # noqa: PLR0917  click passes options by name
    shell: Shell,
    connection: str | None,
    policy_name: str,
    instant: datetime | None,
    limit: int,
    do_record: bool,
    page: Path | None,
    customer: str | None,
    days: int,
) -> Exit | None:
    """Evaluate the cadence: the ranked worklist, with the reason of each action."""
    if customer is not None and page is None:
        raise click.UsageError(
            "--customer says whose cadence the page of --html shows; about one customer alone: ar-connectors explain --customer"
        )
    connection = shell.connection_id(connection)
    snapshot = shell.store.snapshot(connection)
    as_of = shell.as_of(connection, instant)
    policy = read_policy(policy_name)
    evaluation = run_evaluation(snapshot, policy, as_of)
    if page is not None:
        chosen = find_customer(snapshot, customer) if customer is not None else None
        facts = gather(snapshot, policy, as_of, evaluation, customer=chosen, days=days)
        _write(page, render(facts, limit=max(limit, 50)))
    receipts: list[Any] = []
    if do_record:
        touches = [action.record(as_of.instant) for action in evaluation.actions]
        receipts = list(api.record(shell.store, [*touches, *evaluation.writebacks], connection_id=connection))
    data = {"evaluation": evaluation, "recorded": len(receipts), "html": None if page is None else str(page)}

    def show() -> None:
        shell.out.print(worklist_table(evaluation, snapshot, limit))
        shell.out.print(_summary(evaluation))
        for problem in evaluation.errors:
            shell.err.print(
                f"not evaluated: {problem.customer_id}: {problem.kind}: {problem.message}",
                style="red",
                markup=False,
            )
        if do_record:
            shell.out.print(f"{len(receipts)} commands recorded")
        if page is not None:
            shell.out.print(f"page written to {page}", markup=False)

    shell.emit(data, show)
    return Exit.FINDINGS if evaluation.errors else None


@click.command()
@_connection
@_policy
@_as_of
@click.option("--customer", help="Name, number or id of a customer.")
@click.option("--invoice", help="Number or id of an invoice.")
@json_option
@pass_shell
@verb
def explain(
    shell: Shell,
    connection: str | None,
    policy_name: str,
    instant: datetime | None,
    customer: str | None,
    invoice: str | None,
) -> Exit | None:
    """Say why a customer or an invoice is, or is not, due a touch."""
    if (customer is None) == (invoice is None):
        raise click.UsageError("name either --customer or --invoice")
    connection = shell.connection_id(connection)
    snapshot = shell.store.snapshot(connection)
    evaluation = run_evaluation(snapshot, read_policy(policy_name), shell.as_of(connection, instant))
    if invoice is not None:
        wanted = {find_invoice(snapshot, invoice).id}
    else:
        party = find_customer(snapshot, str(customer)).id
        wanted = {one.id for one in snapshot.invoices if one.customer_id == party}
    dispositions = [one for one in evaluation.dispositions if one.invoice_id in wanted]
    actions = [one for one in evaluation.actions if wanted & {cover.invoice_id for cover in one.covers}]
    owners = {one.customer_id for one in dispositions}
    promises = [one for one in evaluation.promises if one.customer_id in owners]
    data = {"dispositions": dispositions, "actions": actions, "promises": promises}

    def show() -> None:
        table = Table(title="why", title_justify="left")
        for name in ("invoice", "outcome", "reason", "stage", "step", "until"):
            table.add_column(name, overflow="fold")
        numbers = {one.id: one.number or one.id for one in snapshot.invoices}
        for one in dispositions:
            reasons = ", ".join(str(code) for code in (one.code, *one.codes))
            table.add_row(
                numbers[one.invoice_id],
                one.kind.value,
                f"{reasons}: {CODES[one.code].meaning}",
                one.stage or "-",
                one.step or "-",
                str(one.until or "-"),
            )
        if dispositions:
            shell.out.print(table)
        for verdict in promises:
            shell.out.print(
                f"promise of {verdict.promised_date}: {verdict.state.value}, "
                f"{amount(verdict.paid)} of {amount(verdict.required, verdict.currency)} paid, deadline {verdict.deadline}"
            )
        if not dispositions:
            closed = [one for one in snapshot.invoices if one.id in wanted]
            told = (
                f"invoice {closed[0].number or closed[0].id} of {closed[0].issue_date}"
                if invoice
                else "this customer"
            )
            shell.out.print(f"nothing is open on {told}, so nobody is chased for it", markup=False)

    shell.emit(data, show)
    return None


@click.command()
@click.argument("file", type=click.File("rb"))
@_policy
@click.option("--as-of", "instant", type=INSTANT, required=True, help="The moment the question is asked for.")
@click.option("--zone", callback=zone, required=True, help="The company's time zone (IANA).")
@click.option("--limit", type=int, default=20, show_default=True, help="Lines of the worklist to show.")
@json_option
@pass_shell
@verb
def evaluate(
    shell: Shell, file: BinaryIO, policy_name: str, instant: datetime, zone: str, limit: int
) -> Exit | None:
    """Evaluate a snapshot FILE (JSON, see the schema of ar_core.Snapshot; - for standard input), without any store."""
    try:
        snapshot = Snapshot.model_validate_json(file.read())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigurationError(
            f"{file.name}: {place}: {first['msg']}", advice="see ar_core.json_schema()"
        ) from error
    evaluation = run_evaluation(snapshot, read_policy(policy_name), AsOf(instant=instant, zone=zone))
    shell.emit(
        {"evaluation": evaluation}, lambda: shell.out.print(worklist_table(evaluation, snapshot, limit))
    )
    return Exit.FINDINGS if evaluation.errors else None


@click.command()
@_connection
@_as_of
@click.option(
    "--convention",
    type=click.Choice(list(CONVENTIONS)),
    default="report-date",
    show_default=True,
    help="How age is counted: payments to the report's day, or as an ERP's report does it.",
)
@json_option
@pass_shell
@verb
def aging(shell: Shell, connection: str | None, instant: datetime | None, convention: str) -> Exit | None:
    """Show what is open, by currency and age, unapplied credit included."""
    connection = shell.connection_id(connection)
    snapshot, as_of = shell.store.snapshot(connection), shell.as_of(connection, instant)
    report = age(snapshot, as_of, CONVENTIONS[convention])
    data = {
        row.currency or "?": {
            **dict(zip(report.labels, row.buckets, strict=True)),
            "credits": row.credits,
            "total": row.total,
        }
        for row in report.totals
    }
    facts = {
        "as_of": as_of.today,
        "convention": convention,
        "aging": data,
        "undated": report.undated,
        "uncounted": report.uncounted,
    }
    shell.emit(facts, lambda: shell.out.print(_aging_table(report)))
    return None


def _write(file: Path, text: str) -> None:
    """Raises click.FileError, as a file that click opens itself does."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from error


def worklist_table(evaluation: Evaluation, snapshot: Snapshot, limit: int) -> Table:
    """The first lines of the worklist, and why each is there."""
    names = {one.id: one.name for one in snapshot.customers}
    table = Table(title=f"worklist {evaluation.today} ({evaluation.policy})", title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("customer", overflow="fold")
    for name in ("what", "by", "invoices", "stage"):
        table.add_column(name, overflow="fold")
    table.add_column("to chase", justify="right")
    table.add_column("late", justify="right")
    table.add_column("why", overflow="fold")
    for item in evaluation.worklist[:limit]:
        action = evaluation.by_key[item.action_key]
        what = action.channel.value if action.kind is ActionKind.TOUCH else title(action)
        chase = "\n".join(amount(one.to_chase, one.currency) for one in action.totals) or "-"
        table.add_row(
            str(item.rank),
            names.get(item.customer_id, item.customer_id),
            what,
            action.sender or action.actor.value,
            _numbers(action),
            _words(action.stage or "-"),
            chase,
            f"{item.max_dpd} d" if item.max_dpd is not None else "-",
            ", ".join(dict.fromkeys(_words(code) for code in (action.code, *action.reasons))),
        )
    more = len(evaluation.worklist) - limit
    if more > 0:
        table.caption = f"and {more:,} more"
        table.caption_justify = "left"
    return table


def _numbers(action: Action) -> str:
    """The invoices an action is about: the first two by number, and how many more."""
    numbers = [one.number or one.invoice_id.rpartition(":")[2] for one in action.covers]
    more = f" +{len(numbers) - 2}" if len(numbers) > 2 else ""
    return ", ".join(numbers[:2]) + more or "-"


def _words(code: str) -> str:
    """A code in small letters, which breaks between words: `step due`."""
    return str(code).replace("_", " ").lower()


def aging_table(snapshot: Snapshot, as_of: AsOf) -> Table:
    """Open balances by currency and days past due, unapplied credit in its own bucket."""
    return _aging_table(age(snapshot, as_of))


def _aging_table(report: AgingReport) -> Table:
    basis = {"due": "due date", "invoice": "invoice date", "gl": "posting date"}[report.spec.date]
    table = Table(title=f"aging {report.as_of} (by {basis}, in {report.spec.unit})", title_justify="left")
    table.add_column("currency")
    for name in (*report.labels, "total"):
        table.add_column(name, justify="right")
    for row in report.totals:
        table.add_row(row.currency or "?", *(amount(cell) for cell in row.buckets), amount(row.total))
    return table


def _summary(evaluation: Evaluation) -> Text:
    kinds = Counter(one.kind for one in evaluation.dispositions)
    parts = [f"{kinds.get(kind, 0):,} {kind.value}" for kind in DispositionKind]
    following = "not without new facts"
    if evaluation.next_change_at is not None:
        local = evaluation.next_change_at.astimezone(ZoneInfo(evaluation.zone))
        following = f"{local:%Y-%m-%d %H:%M} {evaluation.zone}"
    return Text(
        f"{counted(len(evaluation.dispositions), 'open invoice')}: {', '.join(parts)}; next change: {following}"
    )
