"""What happened with a customer? The verbs a collector uses: touch, outcome, promise, dispute, note, status, order hold.

Each records a command: durable, idempotent by its key, delivered by `writes deliver` (or at once with `--deliver`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import click

from ar_connectors import api
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.lookup import (
    customer_option,
    find_customer,
    find_invoice,
    find_invoice_of,
    find_open_promise,
)
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb
from ar_connectors.cli.types import AMOUNT, DAY
from ar_connectors.cli.writes import show_receipts
from ar_connectors.errors import ConfigurationError
from ar_core import (
    AddNote,
    Channel,
    Command,
    Coverage,
    Direction,
    Intent,
    OpenDispute,
    RecordOutcome,
    RecordPromise,
    RecordTouch,
    ReleaseOrderHold,
    ResolveDispute,
    SetCollectionsStatus,
    SetOrderHold,
    TouchOutcome,
    WithdrawPromise,
)

__all__ = ["dispute", "note", "order_hold", "outcome", "promise", "set_status", "touch"]


def _common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options that every recording verb has."""
    for decorator in (
        click.option("-c", "--connection", help="Connection id; not needed when the store has one."),
        click.option("--key", default="", help="Your own idempotency key (a ticket number, an action key)."),
        click.option("--by", "actor", help="Who did it."),
        click.option("--deliver", "deliver_now", is_flag=True, help="Send it to the ERP at once."),
        json_option,
        pass_shell,
        verb,
    ):
        function = decorator(function)
    return function


def _record(shell: Shell, connection: str, commands: Sequence[Command], deliver_now: bool) -> Exit | None:
    """Store the commands, deliver them if asked, and show the receipts."""
    receipts = list(api.record(shell.store, commands, connection_id=connection))
    if deliver_now:
        api.deliver(shell.connect(connection), shell.store)
        keys = {(receipt.command_type, receipt.key) for receipt in receipts}
        receipts = [one for one in shell.store.receipts(connection) if (one.command_type, one.key) in keys]
    show_receipts(shell, connection, receipts, commands)
    states = {receipt.state.value for receipt in receipts}
    if "rejected" in states:
        return Exit.REJECTED
    return Exit.UNKNOWN_OUTCOME if "unknown" in states else None


@click.command()
@customer_option
@click.option("--channel", type=click.Choice([one.value for one in Channel]), required=True)
@click.option(
    "--invoice", "invoices", multiple=True, help="Number or id of an invoice it was about; repeatable."
)
@click.option("--step", help="Step of the policy this touch counts for.")
@click.option("--inbound", is_flag=True, help="The customer contacted us.")
@click.option("--outcome", "result", type=click.Choice([one.value for one in TouchOutcome]), default="sent")
@click.option(
    "--intent",
    type=click.Choice([one.value for one in Intent]),
    default="none",
    help="What the customer said.",
)
@click.option("--until", type=DAY, help="With --intent out_of_office: last day of absence.")
@click.option("--text", "text", help="What was said.")
@_common
def touch(  # noqa: PLR0917  click passes options by name
    shell: Shell,
    connection: str | None,
    customer: str,
    channel: str,
    invoices: tuple[str, ...],
    step: str | None,
    inbound: bool,
    result: str,
    intent: str,
    until: date | None,
    text: str | None,
    key: str,
    actor: str | None,
    deliver_now: bool,
) -> Exit | None:
    """Record a contact with a customer. Kept with us: it moves the cadence, and appears in no ERP."""
    connection = shell.connection_id(connection)
    snapshot = shell.store.snapshot(connection)
    party = find_customer(snapshot, customer)
    found = [find_invoice_of(snapshot, one, party) for one in invoices]
    command = RecordTouch(
        key=key,
        customer_id=party.id,
        channel=Channel(channel),
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        at=shell.clock.now(),
        step=step,
        covers=tuple(Coverage(invoice_id=one.id, step=step, due_version=one.due_version) for one in found),
        outcome=TouchOutcome(result),
        intent=Intent(intent),
        until=until,
        actor=actor,
        note=text,
    )
    return _record(shell, connection, [command], deliver_now)


@click.command()
@click.argument("touch_id")
@customer_option
@click.option("--outcome", "result", type=click.Choice([one.value for one in TouchOutcome]), required=True)
@click.option(
    "--intent",
    type=click.Choice([one.value for one in Intent]),
    default="none",
    help="What the customer said.",
)
@click.option("--until", type=DAY, help="With --intent out_of_office: last day of absence.")
@click.option("--text", help="What was said.")
@_common
def outcome(  # noqa: PLR0917  click passes options by name
    shell: Shell,
    connection: str | None,
    touch_id: str,
    customer: str,
    result: str,
    intent: str,
    until: date | None,
    text: str | None,
    key: str,
    actor: str | None,
    deliver_now: bool,
) -> Exit | None:
    """Record what became of an earlier touch, named by its id or by the action key that planned it."""
    connection = shell.connection_id(connection)
    command = RecordOutcome(
        key=key,
        touch_id=touch_id,
        customer_id=find_customer(shell.store.snapshot(connection), customer).id,
        outcome=TouchOutcome(result),
        intent=Intent(intent),
        at=shell.clock.now(),
        until=until,
        actor=actor,
        note=text,
    )
    return _record(shell, connection, [command], deliver_now)


@click.command()
@customer_option
@click.option(
    "--invoice",
    "invoices",
    multiple=True,
    required=True,
    help="Number or id of a covered invoice; repeatable.",
)
@click.option("--date", "promised_date", type=DAY, help="The promised day.")
@click.option("--amount", type=AMOUNT, help="Promised amount; left out: the whole open balance.")
@click.option("--currency", help="Of the amount; left out: the invoices' currency.")
@click.option("--channel", type=click.Choice([one.value for one in Channel]))
@click.option("--text", help="What was said.")
@click.option("--withdraw", is_flag=True, help="Withdraw the open promise on this invoice instead.")
@_common
def promise(  # noqa: PLR0917  click passes options by name
    shell: Shell,
    connection: str | None,
    customer: str,
    invoices: tuple[str, ...],
    promised_date: date | None,
    amount: Decimal | None,
    currency: str | None,
    channel: str | None,
    text: str | None,
    withdraw: bool,
    key: str,
    actor: str | None,
    deliver_now: bool,
) -> Exit | None:
    """Record a promise to pay, or withdraw one. A new promise on the same invoice supersedes the old one."""
    connection = shell.connection_id(connection)
    snapshot = shell.store.snapshot(connection)
    party = find_customer(snapshot, customer)
    found = [find_invoice_of(snapshot, one, party) for one in invoices]
    today = shell.as_of(connection).today
    command: Command
    if withdraw:
        command = WithdrawPromise(
            key=key,
            promise_id=find_open_promise(snapshot, found[0].id).id,
            customer_id=party.id,
            withdrawn_on=today,
            reason=text,
        )
    elif promised_date is None:
        raise click.UsageError("--date is needed: the promised day (YYYY-MM-DD)")
    else:
        closed = [one.number or one.id for one in found if one.balance_due <= 0]
        if closed:
            raise ConfigurationError(
                f"nothing is open on invoice {', '.join(closed)}, so nothing can be promised",
                advice="run `ar-connectors sync` if that is news, or name an open invoice",
            )
        currencies = {one.currency for one in found}
        if amount is not None and currency is None and len(currencies) > 1:
            raise click.UsageError("the invoices are in several currencies: name one with --currency")
        command = RecordPromise(
            key=key,
            customer_id=party.id,
            invoice_ids=tuple(one.id for one in found),
            promised_amount=amount,
            currency=currency or (currencies.pop() if amount is not None else None),
            promised_date=promised_date,
            given_on=today,
            given_by=actor,
            channel=Channel(channel) if channel else None,
            note=text,
        )
    return _record(shell, connection, [command], deliver_now)


@click.command()
@customer_option
@click.option("--invoice", required=True, help="Number or id of the disputed invoice.")
@click.option("--reason", help="Why the customer contests it.")
@click.option("--amount", type=AMOUNT, help="Disputed amount; left out: the whole invoice.")
@click.option("--resolve", "resolution", help="Resolve the open dispute on this invoice; says how.")
@click.option("--text", help="More words.")
@_common
def dispute(  # noqa: PLR0917  click passes options by name
    shell: Shell,
    connection: str | None,
    customer: str,
    invoice: str,
    reason: str | None,
    amount: Decimal | None,
    resolution: str | None,
    text: str | None,
    key: str,
    actor: str | None,
    deliver_now: bool,
) -> Exit | None:
    """Record that an invoice is disputed, or that a dispute is resolved."""
    connection = shell.connection_id(connection)
    snapshot = shell.store.snapshot(connection)
    party = find_customer(snapshot, customer)
    document = find_invoice_of(snapshot, invoice, party)
    today = shell.as_of(connection).today
    command: Command
    if resolution is not None:
        known = [
            one for one in snapshot.disputes if one.invoice_id == document.id and one.resolved_on is None
        ]
        if not known:
            raise click.UsageError(f"invoice {document.number or document.id} has no open dispute")
        command = ResolveDispute(
            key=key,
            dispute_id=known[-1].id,
            customer_id=party.id,
            resolved_on=today,
            resolution=resolution,
            note=text,
        )
    elif reason is None:
        raise click.UsageError("--reason is needed to open a dispute")
    else:
        command = OpenDispute(
            key=key,
            customer_id=party.id,
            invoice_id=document.id,
            disputed_amount=amount,
            currency=document.currency if amount is not None else None,
            reason=reason,
            opened_on=today,
            opened_by=actor,
            note=text,
        )
    return _record(shell, connection, [command], deliver_now)


@click.command()
@click.argument("text")
@click.option("--customer", help="Name, number or id of a customer.")
@click.option("--invoice", help="Number or id of an invoice.")
@_common
def note(  # noqa: PLR0917  click passes options by name
    shell: Shell,
    connection: str | None,
    text: str,
    customer: str | None,
    invoice: str | None,
    key: str,
    actor: str | None,
    deliver_now: bool,
) -> Exit | None:
    """Leave a note for the ERP's own users, on an invoice or a customer."""
    connection = shell.connection_id(connection)
    subject = _subject(shell, connection, customer, invoice)
    command = AddNote(
        key=key, subject_id=subject, text=text, given_on=shell.as_of(connection).today, author=actor
    )
    return _record(shell, connection, [command], deliver_now)


@click.command()
@click.argument("status")
@click.option("--customer", help="Name, number or id of a customer.")
@click.option("--invoice", help="Number or id of an invoice.")
@click.option("--next", "next_action", help="What comes next.")
@click.option("--on", "next_on", type=DAY, help="When it comes.")
@click.option("--text", help="More words.")
@_common
def set_status(  # noqa: PLR0917  click passes options by name
    shell: Shell,
    connection: str | None,
    status: str,
    customer: str | None,
    invoice: str | None,
    next_action: str | None,
    next_on: date | None,
    text: str | None,
    key: str,
    actor: str | None,
    deliver_now: bool,
) -> Exit | None:
    """Show in the ERP where collections stand with a customer or an invoice. The latest status wins."""
    _ = actor
    connection = shell.connection_id(connection)
    command = SetCollectionsStatus(
        key=key,
        subject_id=_subject(shell, connection, customer, invoice),
        status=status,
        set_on=shell.as_of(connection).today,
        next_action=next_action,
        next_action_on=next_on,
        note=text,
    )
    return _record(shell, connection, [command], deliver_now)


@click.command()
@customer_option
@click.option("--reason", help="Why.")
@click.option("--release", is_flag=True, help="Lift the hold.")
@_common
def order_hold(  # noqa: PLR0917  click passes options by name
    shell: Shell,
    connection: str | None,
    customer: str,
    reason: str | None,
    release: bool,
    key: str,
    actor: str | None,
    deliver_now: bool,
) -> Exit | None:
    """Ask the ERP to stop new orders of a customer, or lift that. Advisory where the ERP has no such stop."""
    _ = actor
    connection = shell.connection_id(connection)
    party = find_customer(shell.store.snapshot(connection), customer)
    today = shell.as_of(connection).today
    command: Command
    if release:
        command = ReleaseOrderHold(key=key, customer_id=party.id, reason=reason, released_on=today)
    elif reason is None:
        raise click.UsageError("--reason is needed: it is shown to the ERP's users")
    else:
        command = SetOrderHold(key=key, customer_id=party.id, reason=reason, set_on=today)
    return _record(shell, connection, [command], deliver_now)


def _subject(shell: Shell, connection: str, customer: str | None, invoice: str | None) -> str:
    """The id of the one subject a verb was given."""
    if (customer is None) == (invoice is None):
        raise click.UsageError("name either --customer or --invoice")
    snapshot = shell.store.snapshot(connection)
    if invoice is not None:
        return find_invoice(snapshot, invoice).id
    return find_customer(snapshot, str(customer)).id
