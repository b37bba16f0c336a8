"""What does every verb promise? Clear failures, documented exit codes, JSON without rounding."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import ar_core as core
from ar_connectors.cli.exits import Exit, exit_for
from ar_connectors.cli.main import VERBS, cli
from ar_connectors.cli.shell import to_json
from ar_connectors.errors import ARError, LeaseLost, QuotaExhausted, ReauthorizationRequired
from ar_connectors.store import Store, open_store
from tests.store.books import CONNECTION, customer, invoice, page, rid


def run(*arguments: str, store: Path | None = None, **options: Any) -> Result:
    """One invocation; `store` names the file."""
    prefix = ["--store", f"sqlite:///{store}"] if store is not None else []
    return CliRunner().invoke(cli, [*prefix, *arguments], **options)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A store with one company, a customer and an invoice that is ten days late."""
    file = tmp_path / "ar.db"
    store = open_store(f"sqlite:///{file}")
    store.add_connection(CONNECTION, "quickbooks", "9341", {"time_zone": "America/New_York"})
    late = datetime.now(UTC).date() - timedelta(days=10)
    _commit(
        store, customer(name="O'Neil & Sons"), invoice(due_date=late, issue_date=late - timedelta(days=30))
    )
    store.close()
    return file


def _commit(store: Store, *records: Any) -> None:
    lease = store.acquire_lease("test", "test", timedelta(minutes=1))
    assert lease is not None
    store.commit_page(CONNECTION, page(*records), lease)


def test_every_verb_has_help() -> None:
    for name in VERBS:
        result = run(name, "--help")
        assert result.exit_code == 0, result.output
        assert result.output.startswith("Usage:")


def leaves(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb that does something, with its path."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from leaves(inner, (*path, name))
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield path, command


def test_every_verb_takes_json() -> None:
    without = {path for path, one in leaves(cli) if not any("--json" in param.opts for param in one.params)}
    assert without == {("testkit", "serve")}, "that one prints a line of JSON anyway"


def test_a_plan_says_who_and_why(book: Path) -> None:
    result = run("plan", store=book)
    assert result.exit_code == 0, result.output
    assert "O'Neil & Sons" in result.output
    data = json.loads(run("plan", "--json", store=book).output)
    (disposition,) = data["evaluation"]["dispositions"]
    assert disposition["invoice_id"] == invoice().id
    assert disposition["code"]


def test_a_recorded_plan_repeats_nothing(book: Path) -> None:
    first = json.loads(run("plan", "--record", "--json", store=book).output)
    again = json.loads(run("plan", "--json", store=book).output)
    keys = {one["key"] for one in first["evaluation"]["actions"]}
    assert keys
    assert keys.isdisjoint(one["key"] for one in again["evaluation"]["actions"])


def test_a_promise_is_recorded_and_can_be_withdrawn(book: Path) -> None:
    day = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
    promised = ("promise", "--customer", "o'neil", "--invoice", "N1", "--json")
    result = run(*promised, "--date", day, "--amount", "40.10", "--key", "call-1", store=book)
    assert result.exit_code == 0, result.output
    (receipt,) = json.loads(result.output)["receipts"]
    assert (receipt["state"], receipt["key"]) == ("planned", "call-1")
    store = open_store(f"sqlite:///{book}")
    (found,) = store.snapshot(CONNECTION).promises
    assert (str(found.promised_amount), found.currency) == ("40.10", "USD")
    assert run(*promised, "--withdraw", store=book).exit_code == 0
    (found,) = store.snapshot(CONNECTION).promises
    assert found.withdrawn_on is not None
    store.close()


def test_what_is_on_its_way_is_listed_with_the_customer_and_the_invoices(book: Path) -> None:
    """Also where a command names only a promise or a dispute; a formula in a name does not compute in the export."""
    store = open_store(f"sqlite:///{book}")
    _commit(store, customer("8", name="=1+1"), invoice("2", customer_id=rid("customer", "8")))
    store.close()
    assert (
        run(
            "promise", "--customer", "o'neil", "--invoice", "N1", "--date", "2099-01-01", store=book
        ).exit_code
        == 0
    )
    assert run("promise", "--customer", "o'neil", "--invoice", "N1", "--withdraw", store=book).exit_code == 0
    assert run("dispute", "--customer", "8", "--invoice", "N2", "--reason", "late", store=book).exit_code == 0
    assert (
        run("dispute", "--customer", "8", "--invoice", "N2", "--resolve", "paid", store=book).exit_code == 0
    )
    recorded = run("note", "called", "--invoice", "N2", store=book)
    assert "=1+1" in recorded.output
    assert "N2" in recorded.output
    listed = run("writes", "list", store=book, env={"COLUMNS": "140"}).output
    rows = [line for line in listed.splitlines() if "planned" in line]
    assert [("O'Neil & Sons" in row, "N1" in row) for row in rows] == [(True, True)] * 2 + [
        (False, False)
    ] * 3
    assert [("=1+1" in row, "N2" in row) for row in rows] == [(False, False)] * 2 + [(True, True)] * 3
    kept = csv.DictReader(run("writes", "export", store=book).stdout.lstrip("\ufeff").splitlines())
    assert [(row["customer"], row["documents"]) for row in kept] == [
        *[("O'Neil & Sons", "N1")] * 2,
        *[("'=1+1", "N2")] * 3,
    ]


def test_the_same_key_with_another_day_is_refused(book: Path) -> None:
    promised = ("promise", "--customer", "7", "--invoice", "N1", "--key", "call-1", "--date")
    assert run(*promised, "2099-01-01", store=book).exit_code == 0
    result = run(*promised, "2099-01-02", "--json", store=book)
    assert result.exit_code == Exit.REJECTED
    assert json.loads(result.output)["error"] == "ConflictError"


def test_touch_dispute_note_status_and_hold_are_recorded(book: Path) -> None:
    for arguments in (
        ("touch", "--customer", "7", "--channel", "voice", "--invoice", "N1", "--outcome", "no_answer"),
        ("dispute", "--customer", "7", "--invoice", "N1", "--reason", "price", "--amount", "10.00"),
        ("dispute", "--customer", "7", "--invoice", "N1", "--resolve", "credited"),
        ("note", "called twice", "--invoice", "N1"),
        ("note", "called twice", "--customer", "7"),
        ("set-status", "escalated", "--customer", "7", "--next", "call", "--on", "2099-01-01"),
        ("order-hold", "--customer", "7", "--reason", "90 days late"),
        ("order-hold", "--customer", "7", "--release"),
    ):
        result = run(*arguments, store=book)
        assert result.exit_code == 0, (arguments, result.output)
    listed = json.loads(run("writes", "list", "--json", store=book).output)["receipts"]
    assert [one["command_type"] for one in listed] == [
        "record_touch",
        "open_dispute",
        "resolve_dispute",
        "add_note",
        "add_note",
        "set_collections_status",
        "set_order_hold",
        "release_order_hold",
    ]


def test_aging_and_status_show_what_the_store_holds(book: Path) -> None:
    aging = json.loads(run("aging", "--json", store=book).output)
    assert aging["aging"]["USD"]["1-30"] == "100.00"
    status = json.loads(run("status", "--json", store=book).output)
    assert status["records"] == {"customer": 1, "invoice": 1}


def test_profiles_are_read_from_csv(book: Path, tmp_path: Path) -> None:
    file = tmp_path / "profiles.csv"
    file.write_text(
        "customer,lifetime_value,currency,flags,team:account_manager\nO'Neil & Sons,1000000.50,USD,human_only,Ada\n"
    )
    assert run("profile", "import", str(file), store=book).exit_code == 0
    store = open_store(f"sqlite:///{book}")
    (found,) = store.snapshot(CONNECTION).profiles
    store.close()
    assert (str(found.lifetime_value), found.flags, found.team[0].person) == (
        "1000000.50",
        ("human_only",),
        "Ada",
    )


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("Nobody,1,USD,", "customer"),
        ("O'Neil & Sons,a lot,USD,", "lifetime_value"),
        ("O'Neil & Sons,1,dollars,", "currency"),
    ],
)
def test_a_bad_profile_row_names_file_row_and_column(
    book: Path, tmp_path: Path, row: str, column: str
) -> None:
    file = tmp_path / "profiles.csv"
    file.write_text(f"customer,lifetime_value,currency,flags\n{row}\n")
    result = run("profile", "import", str(file), "--json", store=book)
    assert result.exit_code == Exit.CONFIGURATION
    message = json.loads(result.output)["message"]
    assert "row 2" in message
    assert f"column {column}" in message


def test_a_snapshot_file_is_evaluated_without_a_store(tmp_path: Path) -> None:
    file = tmp_path / "book.json"
    book = core.Snapshot(
        customers=(customer(),), invoices=(invoice(due_date=date(2026, 10, 1), issue_date=date(2026, 9, 1)),)
    )
    file.write_text(book.model_dump_json())
    moment = ("--as-of", "2026-11-02T15:00:00Z", "--zone", "America/New_York", "--json")
    result = run("evaluate", str(file), *moment)
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.output)["evaluation"]["dispositions"]) == 1
    file.write_text('{"invoices": [{"id": "x", "total": 1.5}]}')
    refused = run("evaluate", str(file), *moment)
    assert refused.exit_code == Exit.CONFIGURATION
    assert "invoices.0.total" in json.loads(refused.output)["message"]


def test_decode_shows_every_row_and_a_fault_as_its_error(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text(
        '{"QueryResponse":{"Invoice":[{"Id":"1","TotalAmt":12345678901234567.89,"Balance":0.10},{"Id":"2"}]}}'
    )
    result = run("decode", "quickbooks", "invoice", str(body), "--json")
    data = json.loads(result.output)
    assert result.exit_code == Exit.FINDINGS
    assert data["records"][0]["total"] == "12345678901234567.89"
    assert data["rejected"][0]["remote_id"] == "2"
    body.write_text('{"Fault":{"Error":[{"Message":"stale","code":"5010"}],"type":"ValidationFault"}}')
    assert run("decode", "quickbooks", "fault", str(body)).exit_code == Exit.REJECTED
    assert run("decode", "quickbooks", "estimate", str(body)).exit_code == Exit.CONFIGURATION
    assert run("decode", "sap", "invoice", str(body)).exit_code == Exit.CONFIGURATION


@pytest.mark.parametrize(
    "arguments",
    [
        ("promise", "--customer", "7", "--invoice", "N1", "--date", "tomorrow"),
        ("promise", "--customer", "7", "--invoice", "N1"),
        ("promise", "--customer", "7", "--invoice", "N1", "--date", "2099-01-01", "--amount", "1.5.0"),
        ("dispute", "--customer", "7", "--invoice", "N1"),
        ("note", "text"),
        ("explain",),
    ],
)
def test_a_wrong_command_line_says_what_is_missing(book: Path, arguments: tuple[str, ...]) -> None:
    result = run(*arguments, store=book)
    assert result.exit_code == Exit.USAGE
    assert "Error" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", "--policy", "no-such-policy"), "no-such-policy"),
        (("explain", "--invoice", "N404"), "N404"),
        (("plan", "-c", "quickbooks:0"), "quickbooks:0"),
        (("sync",), "app keys"),
    ],
)
def test_a_failure_names_what_was_wrong_and_what_to_do(
    book: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = run(*arguments, "--json", store=book, env={"AR_CONNECTORS_KEY": ""})
    failure = json.loads(result.output)
    assert result.exit_code == failure["exit_code"] == Exit.CONFIGURATION
    assert words in failure["message"]
    assert failure["advice"]


def test_explain_names_the_reason_of_an_invoice(book: Path) -> None:
    result = run("explain", "--invoice", "N1", store=book)
    assert result.exit_code == 0, result.output
    assert "N1" in result.output


def test_connecting_without_a_key_offers_one(tmp_path: Path) -> None:
    result = run("connect", "quickbooks", store=tmp_path / "new.db", env={"AR_CONNECTORS_KEY": ""})
    assert result.exit_code == Exit.CONFIGURATION
    assert "export AR_CONNECTORS_KEY=" in result.stderr.replace("\n", "")


def test_a_page_that_cannot_be_written_is_told(book: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "x.html"
    result = run("plan", "--html", str(missing), store=book)
    assert result.exit_code == Exit.FAILURE
    assert f"Could not open file '{missing}': No such file or directory" in result.stderr
    assert isinstance(result.exception, SystemExit)
    exported = run("writes", "export", str(missing), store=book)
    assert (exported.exit_code, exported.stderr) == (result.exit_code, result.stderr)


def test_a_customer_for_no_page_is_refused(book: Path) -> None:
    result = run("plan", "--customer", "o'neil", store=book)
    assert result.exit_code == Exit.USAGE
    assert "ar-connectors explain --customer" in " ".join(result.stderr.split())


def test_several_customers_of_a_name_are_told_with_their_ids(book: Path) -> None:
    with open_store(f"sqlite:///{book}") as store:
        _commit(store, customer("17", name="Marlow Foods"), customer("18", name="Marlow Foods Ltd"))
    result = run("explain", "--customer", "marlow", store=book)
    assert result.exit_code == Exit.CONFIGURATION
    told = " ".join(result.output.split())
    assert f"Marlow Foods ({rid('customer', '17')}), Marlow Foods Ltd ({rid('customer', '18')})" in told
    assert run("explain", "--customer", rid("customer", "18"), store=book).exit_code == 0


def test_every_error_class_has_its_exit_code() -> None:
    def leaves(cls: type[ARError]) -> list[type[ARError]]:
        return [one for sub in cls.__subclasses__() for one in (sub, *leaves(sub))]

    codes = {cls.__name__: exit_for(cls("x")) for cls in leaves(ARError)}
    assert codes["QuotaExhausted"] == exit_for(QuotaExhausted("x")) == Exit.TRY_LATER
    assert codes["ReauthorizationRequired"] == exit_for(ReauthorizationRequired("x")) == Exit.AUTHENTICATION
    assert exit_for(LeaseLost("x")) == Exit.REJECTED
    assert [name for name, code in codes.items() if code is Exit.FAILURE] == ["ContractError"]


def test_json_output_keeps_digits_and_sorts_sets() -> None:
    assert to_json({"a": Decimal("1.10"), "b": frozenset({"y", "x"}), "c": timedelta(seconds=2)}) == {
        "a": "1.10",
        "b": ["x", "y"],
        "c": 2.0,
    }
    assert to_json(invoice())["id"] == rid("invoice", "1")


def test_a_promise_needs_an_open_invoice_of_that_customer(book: Path) -> None:
    store = open_store(f"sqlite:///{book}")
    parent = customer("17", name="Holding")
    child = customer("18", name="Branch", parent_id=parent.id)
    _commit(
        store,
        parent,
        child,
        invoice("2", number="N2", customer_id=child.id),
        invoice("3", number="N3", customer_id=parent.id, balance_due=Decimal(0)),
    )
    store.close()
    day = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
    stranger = run("promise", "--customer", "o'neil", "--invoice", "N2", "--date", day, store=book)
    assert stranger.exit_code == Exit.CONFIGURATION
    assert "invoice N2 is Branch's, not O'Neil & Sons's" in stranger.output.replace("\n", " ")
    closed = run("promise", "--customer", "Holding", "--invoice", "N3", "--date", day, store=book)
    assert closed.exit_code == Exit.CONFIGURATION
    assert "nothing is open on invoice N3" in closed.output.replace("\n", " ")
    assert (
        run("promise", "--customer", "Holding", "--invoice", "N2", "--date", day, store=book).exit_code == 0
    )
    told = run("explain", "--invoice", "N3", store=book).output.replace("\n", " ")
    assert "nothing is open on invoice N3" in told


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(book: Path) -> None:
    result = run("explain", "--customer", "Oneal and Sons", store=book)
    assert result.exit_code == Exit.CONFIGURATION
    assert "did you mean O'Neil & Sons?" in result.output.replace("\n", " ")


def test_the_page_about_the_command_line_names_every_verb() -> None:
    words = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    context = click.Context(cli)
    absent = []
    for name in VERBS:
        command = cli.get_command(context, name)
        children = list(command.commands) if isinstance(command, click.Group) else [""]
        verbs = [f"{name} {child}".strip() for child in children]
        absent += [verb for verb in verbs if f"`{verb}" not in words]
    assert not absent, absent


def test_help_has_every_verb_once_in_the_order_of_its_use_and_without_cut_sentences() -> None:
    text = CliRunner().invoke(cli, ["--help"]).output
    places = [text.index(f"\n  {name} ") for name in VERBS]
    assert places == sorted(places)
    for name, one in VERBS.items():
        assert f"  {one.help}\n" in text, name


def test_a_verb_that_is_nearly_right_is_suggested() -> None:
    result = CliRunner().invoke(cli, ["snyc"])
    assert result.exit_code == 2
    assert "Did you mean sync?" in result.output
