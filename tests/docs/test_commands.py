"""What the pages tell a reader to type is there: every command and option they name, and the code of the README."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

import ar_connectors as ar
from ar_connectors.cli.main import cli
from ar_connectors.cli.testkit import serve
from ar_connectors.clock import SystemClock
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.server import start_quickbooks
from tests.docs.pages import run
from tests.faces import FACES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")]
)
_COMMAND = re.compile(r"(?:^\$? ?|`)ar-connectors ([^`\n|]+)", re.MULTILINE)
_TARGET = re.compile(r"(?:^|`)make ([a-z]+)\b", re.MULTILINE)


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for found in _COMMAND.finditer(page.read_text(encoding="utf-8")):
            yield page.name, found[1].split(" # ")[0].strip()


def problem(command: str) -> str | None:
    """What is wrong with a command line: a verb or an option that does not exist."""
    words = shlex.split(command.replace("[", " ").replace("]", " "))
    here: Any = cli
    context = click.Context(cli)
    for word in words:
        if word in {">", "|", "&", "&&"}:
            return None
        if word.startswith("--"):
            name = word.partition("=")[0]
            if not any(name in one.opts for one in here.get_params(context)):
                return f"{here.name or 'ar-connectors'} has no {name}"
        elif isinstance(here, click.Group) and not word.startswith("-"):
            inner = here.get_command(context, word)
            if inner is None:
                return f"there is no {word}"
            here, context = inner, click.Context(inner, parent=context)
    return None


@pytest.mark.parametrize(("page", "command"), list(dict.fromkeys(commands())))
def test_every_command_in_the_pages_exists(page: str, command: str) -> None:
    assert problem(command) is None, page


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert problem("snyc --json") == "there is no snyc"
    assert problem("writes deliver --now") == "deliver has no --now"


def test_every_target_of_make_in_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {found for page in PAGES for found in _TARGET.findall(page.read_text(encoding="utf-8"))}
    assert "demo" in named
    assert named <= targets


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 28, 15, tzinfo=UTC),
        datetime(2027, 1, 1, 2, tzinfo=UTC),
        datetime(2028, 2, 29, 23, tzinfo=UTC),
    ],
)
def test_there_is_something_to_explain_of_the_customer_in_the_readme(
    now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The company is that of `testkit serve quickbooks`, which ends at the moment it is started."""
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("AR_CONNECTORS_KEY", key)
    url = f"sqlite:///{tmp_path / 'ar.db'}"
    asked = re.search(
        r"^ar-connectors (explain .*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert asked is not None
    defaults: dict[str, Any] = {
        str(one.name): one.default for one in serve.params if one.name in {"invoices", "seed"}
    }
    with start_quickbooks(clock=ScriptedClock(now), **defaults) as erp:
        store = ar.open_store(url, key=key)
        FACES["quickbooks"].connect(erp.as_json(), store, SystemClock()).close()
        store.close()
        assert CliRunner().invoke(cli, ["--store", url, "sync"]).exit_code == 0
    told = CliRunner().invoke(
        cli, ["--store", url, *shlex.split(asked[1]), "--as-of", now.isoformat(), "--json"]
    )
    assert told.exit_code == 0, told.output
    said = json.loads(told.stdout)
    assert said["dispositions"]
    assert said["actions"]


def test_the_code_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("AR_CONNECTORS_KEY", key)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(
        r"## Quickstart\n\n(```python\n.*?```)", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    with start_quickbooks(invoices=60, seed=5) as erp:
        store = ar.open_store("sqlite:///ar.db", key=key)
        FACES["quickbooks"].connect(erp.as_json(), store, SystemClock()).close()
        store.close()
        page = run(code.replace('"9341453"', f'"{erp.tenant}"') + "\n```text\n```")
    assert "record_promise confirmed Attachable note on Invoice" in page
