"""What does the product do? `demo`: the whole loop against an emulated company on this machine, without any account."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.rule import Rule

import ar_core
from ar_connectors import api
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.auth.vault import new_key
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.planning import aging_table, worklist_table
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb
from ar_connectors.cli.syncing import SyncProgress
from ar_connectors.cli.tables import amount, receipts_table, reconciliation_table, sync_table
from ar_connectors.errors import ConfigurationError, ContractError
from ar_connectors.http import Endpoints
from ar_connectors.store import Store
from ar_connectors.writeback.worksheet import about
from ar_core.cadence import Action, ActionKind

if TYPE_CHECKING:
    from ar_connectors.testkit.server import Handle

__all__ = ["demo"]

ZONE = "America/New_York"
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
"""A Monday morning in New York. The company and its clock are made up, so every run shows the same."""


@click.command()
@click.option("--invoices", type=int, default=2000, show_default=True, help="Size of the company.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same company.")
@json_option
@pass_shell
@verb
def demo(shell: Shell, invoices: int, seed: int) -> Exit | None:
    """Sync, plan, promise, deliver, read back, sync again, reconcile: against an emulator of QuickBooks on this machine."""
    try:
        from ar_connectors.testkit.server import start_quickbooks
    except ImportError as error:
        raise ConfigurationError(
            f"the demo needs the `testkit` extra ({error.name} is missing)",
            advice="pip install 'ar-connectors[testkit]'",
        ) from error
    with (
        tempfile.TemporaryDirectory() as folder,
        start_quickbooks(invoices=invoices, seed=seed, now=NOW) as emulator,
    ):
        show = _Story(shell, emulator, Path(folder))
        facts = show.tell()
    shell.emit(facts, lambda: None)
    return None if facts["repeated_actions"] == 0 and not facts["unexplained"] else Exit.FINDINGS


class _Story:
    """The steps of the demo, each shown as it happens."""

    def __init__(self, shell: Shell, emulator: Handle, folder: Path) -> None:
        self._shell = shell
        self._emulator = emulator
        self._folder = folder
        self._key = new_key()
        self._store, self._conn = self._connect("ar.db")

    def tell(self) -> dict[str, Any]:
        """Run all steps; returns what was measured. Raises ContractError when the story does not come out as it must."""
        self._say(1, f"An emulated QuickBooks company runs at {self._emulator.base_url}")
        first = self._sync("2", "First sync")
        self._say(3, "What is open, and who is due which touch")
        evaluation, snapshot = self._plan()
        self._print(aging_table(snapshot, self._as_of()), worklist_table(evaluation, snapshot, 8))
        action = self._call(evaluation, snapshot)
        self._read_back(action)
        self._erp_moves()
        second = self._sync(
            "7", "Incremental sync: one call asks what changed, a few more read what was touched"
        )
        repeated = self._second_plan(evaluation)
        reconciliation = api.reconcile(self._conn, self._store)
        self._say(9, "Our balances beside QuickBooks' own")
        self._print(reconciliation_table(reconciliation))
        self._conn.close()
        self._store.close()
        return {
            "first_sync": first,
            "second_sync": second,
            "repeated_actions": repeated,
            "unexplained": reconciliation.unexplained,
        }

    def _call(self, evaluation: ar_core.Evaluation, snapshot: ar_core.Snapshot) -> Action:
        """The first contact of the worklist is made, and ends in a promise; everything else of the plan is put on record."""
        action = next(
            found
            for item in evaluation.worklist
            if (found := evaluation.by_key[item.action_key]).kind is ActionKind.TOUCH and found.covers
        )
        lead = next(one for one in snapshot.invoices if one.id == action.lead_invoice_id)
        names = {one.id: one.name for one in snapshot.customers}
        today, now = self._as_of().today, self._emulator.clock.now()
        promise = ar_core.RecordPromise(
            customer_id=action.customer_id,
            invoice_ids=(lead.id,),
            promised_amount=lead.balance_due,
            currency=lead.currency,
            promised_date=today + timedelta(days=7),
            given_on=today,
            given_by="the accounts payable clerk",
            channel=ar_core.Channel.VOICE,
            note="will be in the payment run of next week",
        )
        touches = [one.record(now) for one in evaluation.actions]
        outcome = ar_core.RecordOutcome(
            touch_id=action.key,
            customer_id=action.customer_id,
            outcome=ar_core.TouchOutcome.ANSWERED,
            intent=ar_core.Intent.PROMISED,
            at=now,
        )
        self._say(
            4,
            f"A call to {names[action.customer_id]}: they promise {amount(lead.balance_due, lead.currency)}",
        )
        api.record(self._store, [*touches, outcome, promise])
        delivered = api.deliver(self._conn, self._store)
        told = about([promise], self._store.view(self._conn.id))
        self._print(receipts_table([one for one in delivered if one.key == promise.key], told))
        if not any(one.state.value == "confirmed" for one in delivered):
            raise ContractError("the promise was not delivered")
        return action

    def _read_back(self, action: Action) -> None:
        """A second, empty store reads the promise from QuickBooks: it is there, not only with us."""
        self._say(5, "Another machine, an empty store: what does it read from QuickBooks?")
        other, conn = self._connect("other.db")
        api.sync(conn, other)
        mine = _open_promises(self._store.snapshot(self._conn.id))
        theirs = _open_promises(other.snapshot(conn.id))
        conn.close()
        other.close()
        if not theirs or mine != theirs:
            raise ContractError(f"the promises differ: {sorted(mine)} here, {sorted(theirs)} there")
        for customer, day, promised in sorted(theirs):
            self._print(f"  promise of customer {customer}: {promised} by {day}")
        _ = action

    def _erp_moves(self) -> None:
        """A payment comes in and an invoice is voided, in the ERP and by its own users."""
        from ar_connectors.testkit.ledger.records import Application

        ledger, clock = self._emulator.ledger, self._emulator.clock
        clock.advance(timedelta(hours=21))
        free = [one for one in ledger.invoices.values() if one.open == one.total and one.open > 0]
        paid, voided = free[0], free[1]
        amount_paid = paid.open
        ledger.receive_payment(
            paid.customer,
            amount_paid,
            (Application("invoice", paid.id, amount_paid),),
            received=clock.now().date(),
            rate=paid.rate,
        )
        ledger.void_document(voided)
        clock.advance(timedelta(minutes=5))
        self._say(
            6,
            f"Overnight, in QuickBooks, invoice {paid.number} is paid ({amount(amount_paid, paid.currency)}) and invoice "
            f"{voided.number} is voided",
        )

    def _second_plan(self, first: ar_core.Evaluation) -> int:
        """The next morning's plan repeats nothing of the first."""
        evaluation, snapshot = self._plan()
        repeated = {one.key for one in evaluation.actions} & {one.key for one in first.actions}
        self._say(
            8, f"The next morning's plan: {len(evaluation.actions)} actions, {len(repeated)} of them repeated"
        )
        self._print(worklist_table(evaluation, snapshot, 5))
        return len(repeated)

    def _connect(self, name: str) -> tuple[Store, api.Connection]:
        emulator = self._emulator
        store = api.open_store(f"sqlite:///{self._folder / name}", clock=emulator.clock, key=self._key)
        conn = api.connect(
            "quickbooks",
            tenant=emulator.tenant,
            store=store,
            credentials=ClientCredentials(emulator.client_id, emulator.client_secret),
            tokens=TokenSet(emulator.access_token, emulator.refresh_token),
            endpoints=Endpoints(emulator.base_url, emulator.token_url, emulator.authorize_url),
            settings={"time_zone": ZONE},
            clock=emulator.clock,
        )
        return store, conn

    def _sync(self, number: str, title: str) -> Any:
        bars = SyncProgress.of(self._shell)
        with bars.progress:
            report = api.sync(self._conn, self._store, progress=bars)
        self._say(int(number), title)
        self._print(sync_table(report))
        return report

    def _plan(self) -> tuple[ar_core.Evaluation, ar_core.Snapshot]:
        snapshot = self._store.snapshot(self._conn.id)
        return ar_core.evaluate(
            snapshot, ar_core.load_policy("balanced"), self._as_of(), strict=True
        ), snapshot

    def _as_of(self) -> ar_core.AsOf:
        return ar_core.AsOf(instant=self._emulator.clock.now(), zone=ZONE)

    def _say(self, number: int, text: str) -> None:
        self._print(Rule(f"[bold]{number}. {text}[/]", align="left"))

    def _print(self, *things: Any) -> None:
        if not self._shell.as_json:
            for thing in things:
                self._shell.out.print(thing)


def _open_promises(snapshot: ar_core.Snapshot) -> set[tuple[str, str, str]]:
    names = {one.id: one.name for one in snapshot.customers}
    return {
        (
            names.get(one.customer_id or "", "?"),
            one.promised_date.isoformat(),
            amount(one.promised_amount or Decimal(0), one.currency),
        )
        for one in snapshot.promises
        if one.withdrawn_on is None and one.superseded_by is None
    }
