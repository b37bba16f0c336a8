"""What does the library make of a body? `decode ERP KIND FILE` shows it, without any store or network."""

from __future__ import annotations

from typing import BinaryIO

import click

from ar_connectors import api
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import Shell, json_option, pass_shell, to_json, verb
from ar_connectors.connector import Page

__all__ = ["decode"]


@click.command()
@click.argument("erp")
@click.argument("kind")
@click.argument("file", type=click.File("rb"))
@click.option("--tenant", default="unknown", show_default=True, help="Company the body belongs to.")
@json_option
@pass_shell
@verb
def decode(shell: Shell, erp: str, kind: str, file: BinaryIO, tenant: str) -> Exit | None:
    """Decode one API body from FILE (- for standard input) and show each of its rows."""
    result = api.decode(erp, kind, file.read(), tenant=tenant)
    if not isinstance(result, Page):
        shell.emit({"events": result}, lambda: shell.out.print_json(data=to_json(result)))
        return None
    data = {
        "rows": result.rows,
        "records": result.records,
        "tombstones": result.tombstones,
        "rejected": [
            {
                "kind": one.kind,
                "remote_id": one.remote_id,
                "code": one.code,
                "reason": one.reason,
                "row": one.row,
            }
            for one in result.rejected
        ],
        "out_of_scope": result.out_of_scope,
    }

    def show() -> None:
        shell.out.print(
            f"{result.rows} rows: {len(result.records)} records, {len(result.tombstones)} tombstones, "
            f"{len(result.rejected)} rejected, {len(result.out_of_scope)} out of scope"
        )
        shell.out.print_json(data=to_json(data))

    shell.emit(data, show)
    return Exit.FINDINGS if result.rejected else None
