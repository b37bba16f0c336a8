"""How do results look to a person? Rich tables, one function per kind of result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from ar_connectors.connector import Capabilities, Fact, Support
from ar_connectors.http.meter import Usage
from ar_connectors.store.contract import Receipt, WriteState
from ar_connectors.syncing.reconcile import Reconciliation
from ar_connectors.syncing.report import SyncReport
from ar_connectors.syncing.sweep import SweepReport
from ar_connectors.writeback.worksheet import About

__all__ = [
    "amount",
    "capabilities_matrix",
    "capabilities_tables",
    "counted",
    "matrix_rows",
    "receipts_table",
    "reconciliation_summary",
    "reconciliation_table",
    "sweep_table",
    "sync_table",
]

_STATE_STYLE = {
    WriteState.CONFIRMED: "green",
    WriteState.LOCAL: "green",
    WriteState.PLANNED: "yellow",
    WriteState.SENT: "yellow",
    WriteState.UNKNOWN: "bold magenta",
    WriteState.REJECTED: "bold red",
}
_SUPPORT_STYLE = {
    Support.NATIVE: "green",
    Support.NOTE: "cyan",
    Support.ADVISORY: "yellow",
    Support.NONE: "dim",
}

_CELL_STYLE = {str(support): style for support, style in _SUPPORT_STYLE.items()}


def amount(value: Decimal | None, currency: str | None = None) -> str:
    """An amount with thousands separators, all its digits, and its currency. Unknown is a dash, never zero."""
    if value is None:
        return "-"
    return f"{value:,f} {currency}" if currency else f"{value:,f}"


def sync_table(report: SyncReport) -> Table:
    """What a sync did, one row a stream."""
    table = Table(
        title=f"sync {report.connection_id}",
        title_justify="left",
        caption=_cost(report.cost) if report.cost.calls else None,
        caption_justify="left",
    )
    # A row may hold several records: a payment and what it settles, a customer and the people to write to.
    for name in ("stream", "mode"):
        table.add_column(name)
    for name in ("rows", "new records", "changed", "same", "gone", "set aside"):
        table.add_column(name, justify="right")
    for one in report.streams:
        if one.complete and not one.pages:
            continue  # up to date without a question
        cells = (one.rows, one.inserted, one.updated, one.unchanged, one.tombstoned, one.quarantined)
        style = "red" if one.failure else "yellow" if one.busy else None
        note = "busy elsewhere" if one.busy else one.mode.replace("_", " ")
        table.add_row(one.stream, note, *(f"{cell:,}" for cell in cells), style=style)
    return table


def sweep_table(report: SweepReport) -> Table | str:
    """What the ERP lists and what we hold, one row a kind; one line when another process sweeps."""
    if report.busy:
        return "another process sweeps"
    table = Table(title=f"sweep {report.connection_id}", title_justify="left", caption_justify="left")
    table.add_column("kind")
    for name in ("listed", "ours", "missing there", "gone", "found anew"):
        table.add_column(name, justify="right")
    for one in report.kinds:
        if not one.supported:
            table.add_row(one.kind, "not listed by this ERP", *["-"] * 4, style="dim")
            continue
        cells = (one.listed, one.live, one.missing, one.gone, one.found)
        table.add_row(one.kind, *(f"{cell:,}" for cell in cells), style="red" if one.refused else None)
    refused = [one for one in report.kinds if one.refused]
    told = [
        f"{one.kind}: {one.missing:,} missing, {one.allowed:,} may vanish at once; nothing was buried, see --force"
        for one in refused
    ]
    table.caption = "\n".join([*told, _cost(report.cost)])
    return table


def _cost(cost: Usage) -> str:
    return (
        f"{counted(cost.calls, 'call')} ({cost.metered_units:,} metered), {counted(cost.bytes_received, 'byte')}, "
        f"{counted(cost.retries, 'retry', 'retries')}, {cost.waited_seconds:.1f} s waited"
    )


def counted(number: int, what: str, several: str | None = None) -> str:
    """A number of things: `1 call`, `1,200 calls`."""
    return f"{number:,} {what if number == 1 else several or f'{what}s'}"


def receipts_table(receipts: Sequence[Receipt], about: Sequence[About] | None = None) -> Table | str:
    """Commands and where they landed, with what each is `about` where that is known; one line when there are none."""
    if not receipts:
        return "no commands"
    table = Table(title="write-back", title_justify="left")
    for name in (
        "command",
        *(("customer", "invoices") if about is not None else ()),
        "state",
        "where",
        "key",
    ):
        table.add_column(name, overflow="fold")
    for number, receipt in enumerate(receipts):
        told = (
            f"{one.target}{f' (degraded: {one.reason})' if one.degraded else ''}"
            for one in receipt.placements
        )
        places = "; ".join(dict.fromkeys(told))
        if receipt.error:
            places = f"{places}; {receipt.error.get('message', '')}".lstrip("; ")
        whom = (about[number].customer, " ".join(about[number].documents)) if about is not None else ()
        table.add_row(
            receipt.command_type,
            *(Text(one or "-") for one in whom),
            Text(receipt.state.value, style=_STATE_STYLE[receipt.state]),
            Text(places or "-"),
            receipt.key[:16],
        )
    return table


def reconciliation_summary(result: Reconciliation) -> str:
    """What a comparison of balances came to, in one line."""
    unexplained = ", ".join(amount(value, currency) for currency, value in sorted(result.unexplained.items()))
    differ = f"{len(result.differences)} {'differs' if len(result.differences) == 1 else 'differ'}"
    return (
        f"{counted(result.compared, 'balance')} compared, {differ}, unexplained in all: {unexplained or '0'}"
    )


def reconciliation_table(result: Reconciliation) -> Table | str:
    """Our open balances that differ from the ERP's own, with what explains each difference; one line when none does."""
    if not result.differences:
        return reconciliation_summary(result)
    table = Table(title=f"reconcile {result.connection_id}", title_justify="left")
    table.add_column("customer", overflow="fold")
    table.add_column("currency")
    for name in ("ours", "ERP", "difference", "unexplained"):
        table.add_column(name, justify="right")
    table.add_column("explained by", overflow="fold")
    for line in result.differences:
        table.add_row(
            line.customer_name or line.customer_id or "all",
            line.currency or "?",
            amount(line.ours),
            amount(line.reported),
            amount(line.difference),
            Text(amount(line.unexplained), style="bold red" if line.unexplained else "green"),
            "; ".join(line.explanations) or "-",
        )
    table.caption = reconciliation_summary(result)
    table.caption_justify = "left"
    return table


def capabilities_matrix(everyone: Sequence[Capabilities]) -> Table:
    """What every adapter reads and writes, side by side: how well each fact and command is placed, and what is read."""
    table = Table(title="capabilities", title_justify="left", caption_justify="left")
    table.caption = "native: in a field that the ERP understands; note: as text that its users read; advisory: shown, and not acted on"
    table.add_column("what", overflow="fold")
    for one in everyone:
        table.add_column(one.platform)
    for row, cells in matrix_rows(everyone).items():
        table.add_row(row, *(Text(cell, style=_CELL_STYLE.get(cell, "")) for cell in cells.values()))
    return table


def matrix_rows(everyone: Sequence[Capabilities]) -> dict[str, dict[str, str]]:
    """The cells of the matrix: row -> platform -> `native`, `note`, `advisory`, `yes` or `-`."""

    def told(support: Support | None) -> str:
        return "-" if support in {None, Support.NONE} else str(support)

    rows: dict[str, dict[str, str]] = {}
    for fact in Fact:
        cells = {one.platform: told(one.facts[fact].support) for one in everyone}
        rows[f"write {fact.value.replace('_', ' ')}"] = cells
    commands = dict.fromkeys(name for one in everyone for name in one.commands)
    for name in commands:
        rows[f"deliver {name}"] = {one.platform: told(one.commands.get(name)) for one in everyone}
    for topic in dict.fromkeys(name for one in everyone for name in one.reads):
        rows[f"read {topic}"] = {one.platform: "yes" if topic in one.reads else "-" for one in everyone}
    return rows


def capabilities_tables(everyone: Iterable[Capabilities]) -> list[Table]:
    """What each adapter reads and where each fact lands."""
    tables = []
    for one in everyone:
        table = Table(title=one.platform, title_justify="left")
        for name in ("what", "how well", "first choice", "fallback"):
            table.add_column(name, overflow="fold")
        for fact, capability in one.facts.items():
            table.add_row(
                f"write {fact.value.replace('_', ' ')}",
                Text(capability.support.value, style=_SUPPORT_STYLE[capability.support]),
                capability.first,
                capability.fallback or "-",
            )
        for what, how in one.reads.items():
            table.add_row(f"read {what}", "", how, "-", style="dim")
        for what, how in one.limits.items():
            table.add_row(f"limit {what}", "", how, "-", style="dim")
        tables.append(table)
    return tables
