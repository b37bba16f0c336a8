"""The command line on lists: guess, import, plan, export; every failure says where and what to do."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ar_connectors.cli.exits import Exit
from ar_connectors.cli.main import cli

LIST = Path(__file__).parents[2] / "examples" / "data" / "aging.csv"


@pytest.fixture
def run(tmp_path: Path) -> object:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["--store", f"sqlite:///{tmp_path}/ar.db", *arguments])

    return invoke


def imported(run: object, file: Path = LIST, *more: str) -> Result:
    return run("aging-file", "import", str(file), "--name", "acme", "--zone", "Europe/Berlin", *more)  # type: ignore[operator,no-any-return]


def test_a_list_is_imported_planned_and_written_out_for_a_bookkeeper(run: object, tmp_path: Path) -> None:
    assert callable(run)
    first = imported(run)
    assert first.exit_code == 0, first.output
    for part in ("Oracle Receivables aging of 2026-11-19", "7 open items", "14,355.75 EUR", "2,810.00 USD"):
        assert part in first.output
    assert "was imported already" in imported(run).output
    plan = json.loads(run("plan", "--json").output)
    assert plan
    promised = run(
        "promise", "--customer", "1001", "--invoice", "INV-2041", "--date", "2026-12-01", "--text", "=1+1"
    )
    assert promised.exit_code == 0, promised.output
    assert run("writes", "deliver").exit_code == 0
    written = run("writes", "export", str(tmp_path / "todo.csv"))
    assert written.exit_code == 0, written.output
    (row,) = csv.DictReader((tmp_path / "todo.csv").read_text(encoding="utf-8-sig").splitlines())
    assert (row["what"], row["customer_number"], row["documents"], row["date"]) == (
        "record_promise",
        "1001",
        "INV-2041",
        "2026-12-01",
    )
    assert row["text"].startswith("'=")
    assert row["state"] == "local"


def test_what_is_wrong_with_a_list_is_said_with_its_place(run: object, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(LIST.read_text().replace("980.25,980.25", "980.25,about nine hundred"))
    result = imported(run, file)
    assert result.exit_code == Exit.FINDINGS
    for part in (
        "set aside: list.csv, row 10, column I (Outstanding Amount)",
        "'about nine hundred'",
        "an amount with a decimal point",
    ):
        assert part in " ".join(result.output.split())


def test_a_list_that_contradicts_itself_is_refused_with_its_amount_and_nothing_else_is_said(
    run: object, tmp_path: Path
) -> None:
    assert callable(run)
    file = tmp_path / "list.csv"
    in_euro = [line for line in LIST.read_text().splitlines() if ",USD," not in line]
    file.write_text("\n".join([*in_euro, 'Grand Total,,,,,,,,"14,355.76"']))
    result = imported(run, file)
    assert result.exit_code == Exit.REJECTED
    said = " ".join(result.output.split())
    assert "list.csv, row" in said
    assert "differs from its rows by 0.01" in said
    assert "what to do: the file was cut or edited" in said
    assert "imported already" not in said
    told = json.loads(imported(run, file, "--json").output)
    assert (told["error"], told["exit_code"]) == ("ContractError", Exit.REJECTED)


def test_the_time_zone_is_asked_once(run: object) -> None:
    assert callable(run)
    result = run("aging-file", "import", str(LIST), "--name", "acme")
    assert result.exit_code == Exit.CONFIGURATION
    assert "--zone" in result.output
    assert imported(run).exit_code == 0
    assert run("aging-file", "import", str(LIST), "--name", "acme").exit_code == 0


def test_an_unknown_list_is_guessed_and_imported_with_the_proposed_map(run: object, tmp_path: Path) -> None:
    assert callable(run)
    file = tmp_path / "offene_posten.csv"
    rows = ["Kundenname;Rechnungsnummer;Rechnungsdatum;Fällig am;Währung;Betrag;Offen;Filiale"]
    rows += [
        "Bäckerei Groß;R1;31.08.2026;30.09.2026;EUR;1.190,00;1.190,00;Nord",
        "Bäckerei Groß;G1;01.09.2026;;EUR;-90,50;-90,50;Nord",
    ]
    file.write_bytes("\r\n".join(rows).encode("cp1252"))
    columns = tmp_path / "map.toml"
    guessed = run("aging-file", "guess", str(file), "--write", str(columns))
    assert guessed.exit_code == 0, guessed.output
    assert "no known layout" in guessed.output
    assert "1.190,00" in guessed.output
    result = imported(run, file, "--columns", str(columns), "--as-of", "2026-10-05")
    assert result.exit_code == 0, result.output
    assert "1,099.50 EUR" in result.output


def test_a_guess_says_what_is_lacking(run: object, tmp_path: Path) -> None:
    assert callable(run)
    file = tmp_path / "list.csv"
    file.write_text("Debtor,Invoice,Sum\nA,1,5\n")
    result = run("aging-file", "guess", str(file), "--json")
    assert result.exit_code == Exit.FINDINGS
    assert json.loads(result.output)["lacking"] == ["balance"]
