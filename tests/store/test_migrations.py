"""Does an old store become a new one, once, whoever opens it?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from ar_connectors.errors import ConfigurationError
from ar_connectors.store import open_store
from ar_connectors.store.engine import open_database
from ar_connectors.store.migrations import runner
from ar_connectors.store.tables import metadata
from tests.store.books import CONNECTION, invoice, page
from tests.store.conftest import Ticks
from tests.store.test_contention import all_at_once, shared_url
from tests.store.test_pages import held

__all__ = ["shared_url"]  # a fixture


def _second(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE second_step (number INTEGER)"))
    connection.execute(text("INSERT INTO second_step VALUES (1)"))


def _broken(connection: Connection) -> None:
    _second(connection)
    raise RuntimeError("half way")


def test_a_step_runs_once_and_leaves_the_data(
    shared_url: str, clock: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = open_store(shared_url, clock=clock)
    old.commit_page(CONNECTION, page(invoice()), held(old))
    old.close()
    monkeypatch.setattr(runner, "STEPS", (*runner.STEPS, (2, _second)))

    def opened(_: int) -> int:
        store = open_store(shared_url, clock=clock)
        count = len(store.snapshot(CONNECTION).invoices)
        store.close()
        return count

    assert all_at_once(4, opened) == [1] * 4
    database = open_database(shared_url)
    with database.reading() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM second_step")).scalar() == 1
        numbers = connection.execute(text("SELECT number FROM schema_version ORDER BY number")).all()
    database.close()
    assert [row[0] for row in numbers] == [1, 2]


def test_a_step_that_fails_leaves_the_store_as_it_was(
    shared_url: str, clock: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(shared_url, clock=clock).close()
    steps = runner.STEPS
    monkeypatch.setattr(runner, "STEPS", (*steps, (2, _broken)))
    with pytest.raises(RuntimeError, match="half way"):
        open_store(shared_url, clock=clock)
    monkeypatch.setattr(runner, "STEPS", steps)
    open_store(shared_url, clock=clock).close()
    database = open_database(shared_url)
    with database.reading() as connection:
        assert not inspect(connection).has_table("second_step")
    database.close()


def test_the_older_release_refuses_what_the_newer_one_made(
    shared_url: str, clock: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = runner.STEPS
    monkeypatch.setattr(runner, "STEPS", (*steps, (2, _second)))
    open_store(shared_url, clock=clock).close()
    monkeypatch.setattr(runner, "STEPS", steps)
    with pytest.raises(ConfigurationError, match="schema 2, this release knows 1"):
        open_store(shared_url, clock=clock)


def test_a_store_of_a_version_that_was_never_released_is_refused(shared_url: str, clock: Ticks) -> None:
    """Its records would be misread; it is left as it is."""
    open_store(shared_url, clock=clock).close()
    for change in ("UPDATE store_facts SET value = value + 1", "DELETE FROM store_facts"):
        database = open_database(shared_url)
        with database.writing() as connection:
            assert connection.execute(text(change)).rowcount == 1
        database.close()
        with pytest.raises(ConfigurationError, match="earlier version in development"):
            open_store(shared_url, clock=clock)


def test_opening_a_store_does_not_wait_for_a_writer(shared_url: str, clock: Ticks) -> None:
    open_store(shared_url, clock=clock).close()
    database = open_database(shared_url)
    with database.writing() as connection:
        connection.execute(text("DELETE FROM leases"))
        open_store(shared_url, clock=clock).close()
    database.close()


def _plain(options: Any) -> dict[str, str]:
    return {name: str(value) for name, value in sorted((options or {}).items())}


def described(url: str) -> dict[str, Any]:
    """Tables with their columns, keys and indexes, as the database sees them."""
    engine = create_engine(url)
    found: dict[str, Any] = {}
    seen = inspect(engine)
    for table in sorted(seen.get_table_names()):
        columns = {one["name"]: (str(one["type"]), one["nullable"]) for one in seen.get_columns(table)}
        indexes = {
            str(one["name"]): (one["column_names"], one["unique"], _plain(one.get("dialect_options")))
            for one in seen.get_indexes(table)
        }
        keys = seen.get_pk_constraint(table)["constrained_columns"]
        found[table] = columns, keys, indexes, seen.get_unique_constraints(table)
    engine.dispose()
    return found


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_the_steps_make_what_the_code_declares(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A changed table needs a step. Until the first release: `python -m ar_connectors.store.migrations.ddl`."""
    if dialect == "sqlite":
        migrated, declared = (f"sqlite:///{tmp_path}/{name}.db" for name in ("migrated", "declared"))
        engine = create_engine(declared)
        metadata.create_all(engine)
        engine.dispose()
        expected = described(declared)
    else:
        migrated = request.getfixturevalue("postgres_url")
        engine = create_engine(migrated)
        metadata.create_all(engine)
        expected = described(migrated)
        metadata.drop_all(engine)
        engine.dispose()
        assert described(migrated) == {}
    open_store(migrated).close()
    assert described(migrated) == expected
    assert expected["records"]
