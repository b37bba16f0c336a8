"""The verbs about policies, over a store with a past."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

import ar_core as core
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.main import cli
from ar_connectors.store import open_store
from ar_core.cadence import PRESETS, policy_json_schema
from tests.store.books import CONNECTION, customer, invoice, page, rid

DAY = timedelta(days=1)


def run(*arguments: str, store: Path | None = None) -> Result:
    prefix = ["--store", f"sqlite:///{store}"] if store is not None else []
    return CliRunner().invoke(cli, [*prefix, *arguments])


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """One invoice that was due a week ago and became known today."""
    file = tmp_path / "ar.db"
    with open_store(f"sqlite:///{file}") as store:
        store.add_connection(CONNECTION, "quickbooks", "9341", {"time_zone": "UTC"})
        due = datetime.now(UTC).date() - 7 * DAY
        lease = store.acquire_lease("test", "test", timedelta(minutes=1))
        assert lease is not None
        store.commit_page(
            CONNECTION,
            page(
                customer(name="O'Neil & Sons"),
                core.Contact(
                    id=rid("contact", "7"),
                    customer_id=rid("customer", "7"),
                    role=core.ContactRole.BILLING,
                    email="pay@oneil.example",
                ),
                invoice(due_date=due, issue_date=due - 30 * DAY),
            ),
            lease,
        )
    return file


def simulated(*arguments: str, store: Path) -> Any:
    result = run("policy", "simulate", *arguments, "--json", store=store)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_a_forecast_says_the_load_of_each_day_and_what_it_assumes(book: Path) -> None:
    found = simulated("balanced", "--forecast", "21", store=book)
    assert found["simulation"]["mode"] == "forecast"
    assert len(found["simulation"]["days"]) == 21
    assert "nobody pays" in found["simulation"]["assumption"]
    assert sum(week["contacts"] for week in found["weeks"]) == sum(
        sum(day["contacts"].values()) for day in found["simulation"]["days"]
    )
    assert sum(week["contacts"] for week in found["weeks"]) >= 1
    shown = run("policy", "simulate", "balanced", "--forecast", "21", store=book)
    assert "O'Neil & Sons" in shown.output
    assert "forecast of balanced@1" in shown.output


def test_whoever_pays_is_not_contacted_again(book: Path) -> None:
    alone = simulated("--forecast", "60", store=book)
    paying = simulated("--forecast", "60", "--pays", "1", "--after", "1", store=book)
    contacts = [sum(week["contacts"] for week in found["weeks"]) for found in (alone, paying)]
    assert contacts[1] == 1 < contacts[0]


def test_a_replay_knows_nothing_before_the_first_sync(book: Path) -> None:
    found = simulated("balanced", store=book)
    days = found["simulation"]["days"]
    assert found["simulation"]["mode"] == "replay"
    assert len(days) == 28
    assert all(day["dispositions"] == {} for day in days[:-1]), "the invoice became known today"
    yesterday = (date.fromisoformat(days[-1]["on"]) - DAY).isoformat()
    assert len(simulated("--from", yesterday, "--to", yesterday, store=book)["simulation"]["days"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--forecast", "3", "--to", "2026-01-01"),
        ("--pays", "0.5"),
        ("--forecast", "3", "--pays", "1.5"),
        ("--forecast", "0"),
    ],
)
def test_options_that_do_not_go_together_are_usage_errors(book: Path, arguments: tuple[str, ...]) -> None:
    assert run("policy", "simulate", *arguments, store=book).exit_code == Exit.USAGE


def test_lint_of_a_sound_policy_and_of_a_threat_without_its_capability(tmp_path: Path) -> None:
    assert run("policy", "lint", "balanced").exit_code == 0
    file = tmp_path / "mine.toml"
    file.write_text('id = "mine"\nextends = "xero_parity"\n', encoding="utf-8")
    found = json.loads(run("policy", "lint", str(file), "--json").output)
    assert "SINGLE_CHANNEL_POLICY" in {one["code"] for one in found["findings"]}


@pytest.mark.parametrize("flags", [(), ("--json",)])
@pytest.mark.parametrize("preset", PRESETS)
def test_what_show_prints_can_be_loaded_again_and_is_the_same_policy(
    tmp_path: Path, preset: str, flags: tuple[str, ...]
) -> None:
    shown = run("policy", "show", preset, *flags)
    assert shown.exit_code == 0, shown.output
    file = tmp_path / "shown.json"
    file.write_text(shown.output, encoding="utf-8")
    assert core.load_policy(file).content_hash == core.load_policy(preset).content_hash
    found = json.loads(shown.output)
    jsonschema.validate(found, policy_json_schema())
    assert found["schema"] == "cadence-policy/1"
    assert found["stages"][0] == {
        "id": "pre_due",
        "from": None,
        "to": -1,
        "tone": "friendly",
        "origin": "C7",
    }


def test_show_keeps_a_limit_that_a_file_takes_away(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(
        '{"id": "mine", "extends": "balanced", "limits": {"max_touches_per_7d": null}}', encoding="utf-8"
    )
    shown = json.loads(run("policy", "show", str(file)).output)
    assert shown["limits"]["max_touches_per_7d"] is None
    assert "extends" not in shown
    assert core.load_policy(shown).content_hash == core.load_policy(file).content_hash


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_the_schema_for_editors_is_printed_as_it_is(flags: tuple[str, ...]) -> None:
    shown = run("policy", "schema", *flags)
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.output) == policy_json_schema()
    assert shown.output.startswith('{\n  "$schema": "http://json-schema.org/draft-07/schema#",\n')


def test_diff_names_settings_and_customers(book: Path) -> None:
    result = run("policy", "diff", "balanced", "sprint_3_5_7_10", store=book)
    assert result.exit_code == 0, result.output
    assert "settings and" in result.output
    found = json.loads(run("policy", "diff", "balanced", "balanced", "--json", store=book).output)
    assert found["settings"] == []
    assert found["changes"] == []


def test_an_unknown_policy_is_a_configuration_error() -> None:
    assert run("policy", "lint", "no-such-policy").exit_code == Exit.CONFIGURATION
