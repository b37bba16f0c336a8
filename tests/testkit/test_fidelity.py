"""The page about fidelity says what the emulator's marks say, and no route goes without one."""

from __future__ import annotations

import ast
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from ar_connectors.testkit.evidence import Evidence
from ar_connectors.testkit.fidelity import page
from ar_connectors.testkit.quickbooks.fidelity import FIDELITY
from ar_connectors.testkit.quickbooks.rows import ENTITIES
from ar_connectors.testkit.quickbooks.writes import WRITERS
from ar_connectors.testkit.server import Handle
from tests.testkit.support import Client


def test_the_page_is_up_to_date(repo_root: Path) -> None:
    written = (repo_root / "docs" / "fidelity.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m ar_connectors.testkit.fidelity > docs/fidelity.md"


@pytest.mark.parametrize(
    "operation",
    [
        *(f"{verb} {entity}" for verb in ("query", "count", "read") for entity in ENTITIES),
        *(f"{verb} {entity}" for verb in ("create", "update", "delete", "void") for entity in WRITERS),
        *(
            "upload",
            "download",
            "file",
            "cdc",
            "batch",
            "companyinfo",
            "preferences",
            "exchangerate",
            "report AgedReceivables",
        ),
        *("token refresh", "token code", "token revoke", "consent", "openid"),
    ],
)
def test_every_operation_has_a_mark(operation: str) -> None:
    assert any(fnmatchcase(operation, route.operation) for route in FIDELITY.routes)


def test_a_reply_carries_its_mark(client: Client) -> None:
    assert client.send("GET", "preferences").headers["X-Emulator-Evidence"] == "recorded"
    assert (
        client.send("GET", "exchangerate", sourcecurrencycode="EUR").headers["X-Emulator-Evidence"] == "spec"
    )
    assert client.send("GET", "nothing").headers["X-Emulator-Evidence"] in {one.value for one in Evidence}


def test_a_client_meets_only_routes_that_are_marked(client: Client, emulator: Handle) -> None:
    """What the emulator calls an operation is what the marks call it."""
    client.query("SELECT * FROM Invoice MAXRESULTS 1")
    client.query("SELECT COUNT(*) FROM Invoice")
    client.get("companyinfo/1")
    client.get("customer/1")
    client.get("reports/AgedReceivables")
    client.get("cdc", entities="Invoice", changedSince=emulator.clock.now().isoformat())
    note = client.post("attachable", {"Note": "x"})["Attachable"]
    client.post("attachable", {"Id": note["Id"], "SyncToken": "0"}, operation="delete")
    for operation in emulator.stats.calls:
        assert any(fnmatchcase(operation, route.operation) for route in FIDELITY.routes), operation


@pytest.mark.parametrize("erp", ["quickbooks", "xero", "netsuite"])
def test_what_all_emulators_share_knows_no_erp(repo_root: Path, erp: str) -> None:
    """A further ERP is one more folder: only what starts an emulator and what describes all of them know each."""
    testkit = repo_root / "ar_connectors" / "testkit"
    shared = [*testkit.glob("*.py"), *(testkit / "ledger").glob("*.py")]
    assert len(shared) > 15
    knowing = {
        path.name
        for path in shared
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and f".testkit.{erp}" in (node.module or "")
    }
    assert knowing <= {"server.py", "fidelity.py"}
