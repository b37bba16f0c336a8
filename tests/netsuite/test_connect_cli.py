"""`connect netsuite`: a key pair and advice without ids, a connection with them, an emulator by its line."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from ar_connectors.cli.exits import Exit
from ar_connectors.cli.main import cli
from ar_connectors.netsuite.reading_checks import NEEDED, Need
from ar_connectors.netsuite.writeback_rights import NEEDED as WRITTEN
from ar_connectors.testkit.netsuite.start import start_netsuite


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AR_CONNECTORS_KEY", Fernet.generate_key().decode())


def test_without_ids_a_key_pair_is_made_and_the_steps_are_told(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    done = CliRunner().invoke(
        cli, ["connect", "netsuite", "--account", "1234567_SB1", "--key", str(file), "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "BEGIN CERTIFICATE" in Path(told["certificate"]).read_text()
    assert any("Certificate ID" in step for step in told["steps"])
    assert "PRIVATE" not in done.output


def test_with_the_ids_of_netsuite_the_account_is_connected_with_the_same_key(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/ar.db"
    file = tmp_path / "key.pem"
    base = ["--store", store, "connect", "netsuite", "--account", "1234567_SB1", "--key", str(file), "--json"]
    assert CliRunner().invoke(cli, base).exit_code == 0
    made = file.read_text()
    ids = ["--client-id", "abc", "--certificate-id", "def", "--zone", "America/New_York", "--no-check"]
    done = CliRunner().invoke(cli, [*base, *ids])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["connection"] == "netsuite:1234567_SB1"
    assert file.read_text() == made


def test_an_emulator_is_connected_by_its_line_synced_and_reconciled(tmp_path: Path) -> None:
    store = ["--store", f"sqlite:///{tmp_path}/ar.db"]
    with start_netsuite(invoices=20, seed=4) as erp:
        line = tmp_path / "line.json"
        line.write_text(json.dumps(erp.as_json()))
        done = CliRunner().invoke(cli, [*store, "connect", "netsuite", "--emulator", str(line)])
        assert done.exit_code == 0, done.output
        synced = CliRunner().invoke(cli, [*store, "sync", "--json"])
        assert synced.exit_code == 0, synced.output
        reconciled = CliRunner().invoke(cli, [*store, "reconcile", "--json"])
        assert reconciled.exit_code == 0, reconciled.output


def test_another_erps_line_is_refused(tmp_path: Path) -> None:
    line = tmp_path / "line.json"
    line.write_text('{"erp": "quickbooks"}')
    done = CliRunner().invoke(cli, ["connect", "netsuite", "--emulator", str(line)])
    assert done.exit_code == Exit.CONFIGURATION
    assert "testkit serve netsuite" in done.output


def test_custom_fields_are_checked_when_connecting_and_again_by_check(tmp_path: Path) -> None:
    store = ["--store", f"sqlite:///{tmp_path}/ar.db"]
    settings, line = tmp_path / "settings.json", tmp_path / "line.json"
    with start_netsuite(invoices=5, seed=4) as erp:
        line.write_text(json.dumps(erp.as_json()))
        connect = [*store, "connect", "netsuite", "--emulator", str(line), "--settings", str(settings)]
        settings.write_text('{"fields": {"promise_amount": "custbody_typo"}}')
        refused = CliRunner().invoke(cli, connect)
        assert refused.exit_code == Exit.CONFIGURATION, refused.output
        assert "custbody_typo" in refused.output
        checked = CliRunner().invoke(cli, [*store, "check", "--json"])
        assert checked.exit_code == Exit.FINDINGS
        assert "custbody_typo" in json.loads(checked.output)["problems"][0]
        settings.write_text(
            '{"activities": "task", "fields": {"promise_amount": "custbody_ar_promise_amount"}}'
        )
        assert CliRunner().invoke(cli, connect).exit_code == 0
        checked = CliRunner().invoke(cli, [*store, "check", "--json"])
        assert (checked.exit_code, json.loads(checked.output)["problems"]) == (0, [])
        for wrong in ("promise_amount", "[1]", '{"field": {}}', '{"activities": "message"}'):
            settings.write_text(wrong)
            assert CliRunner().invoke(cli, connect).exit_code == Exit.CONFIGURATION


@pytest.mark.parametrize("need", NEEDED, ids=lambda need: need.table)
def test_a_right_that_the_role_lacks_is_named_with_what_is_missing_without_it(
    tmp_path: Path, need: Need
) -> None:
    store = ["--store", f"sqlite:///{tmp_path}/ar.db"]
    line = tmp_path / "line.json"
    with start_netsuite(invoices=5, seed=4) as erp:
        erp.account.hidden.add(need.table)
        line.write_text(json.dumps(erp.as_json()))
        done = CliRunner().invoke(cli, [*store, "connect", "netsuite", "--emulator", str(line)])
        assert done.exit_code == Exit.FINDINGS, done.output
        assert need.permission in done.output
        checked = CliRunner().invoke(cli, [*store, "check", "--json"])
        assert checked.exit_code == Exit.FINDINGS, checked.output
        told = json.loads(checked.output)["problems"]
        assert [one for one in told if one.startswith(need.without)]
        others = {other.permission for other in NEEDED} - {need.permission}
        assert not [one for one in told for other in others if f": {other} is missing" in one]


@pytest.mark.parametrize(("kind", "permission"), sorted(WRITTEN.items()))
def test_a_right_to_write_that_the_role_lacks_is_named(tmp_path: Path, kind: str, permission: str) -> None:
    store = ["--store", f"sqlite:///{tmp_path}/ar.db"]
    line, settings = tmp_path / "line.json", tmp_path / "settings.json"
    settings.write_text(json.dumps({"activities": "task" if kind == "task" else "phoneCall"}))
    with start_netsuite(invoices=5, seed=4) as erp:
        erp.account.hidden.add(kind.lower()) if kind in {"phoneCall", "task"} else erp.account.read_only.add(
            kind
        )
        line.write_text(json.dumps(erp.as_json()))
        connect = [*store, "connect", "netsuite", "--emulator", str(line), "--settings", str(settings)]
        done = CliRunner().invoke(cli, connect)
        assert done.exit_code == Exit.FINDINGS, done.output
        assert permission in done.output
