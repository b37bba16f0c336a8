"""What does a schema look like in SQL? The statements that make the tables of `tables.py`, for each database; and the order of fields
in which records are bytes.

`python -m ar_connectors.store.migrations.ddl` writes schema 1 anew from them. That is right only until the first release: from
then on the files of a released schema are never changed, and a change of `tables.py` needs a step of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from ar_connectors.store.codec import stored_fields
from ar_connectors.store.tables import metadata

__all__ = ["DIALECTS", "statements"]

DIALECTS: Final[dict[str, Dialect]] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
}
"""By SQLAlchemy's name."""

_HEAD: Final = "-- Schema {number} of the store on {dialect}. Released schemas are never changed.\n\n"


def statements(dialect: str) -> list[str]:
    """What makes the tables and indexes of `tables.py` as they are now, in an order that works."""
    found = []
    for table in metadata.sorted_tables:
        found.append(_text(str(CreateTable(table).compile(dialect=DIALECTS[dialect]))))
        indexes = sorted(table.indexes, key=lambda one: str(one.name))
        found += [_text(str(CreateIndex(one).compile(dialect=DIALECTS[dialect]))) for one in indexes]
    return found


def _text(statement: str) -> str:
    return "\n".join(line.replace("\t", "    ").rstrip() for line in statement.strip().splitlines())


def _freeze(number: int, folder: Path) -> None:
    for dialect in DIALECTS:
        body = "".join(f"{one};\n\n" for one in statements(dialect))
        head = _HEAD.format(number=number, dialect=dialect)
        (folder / f"schema_{number:04}_{dialect}.sql").write_text(
            head + body.rstrip("\n") + "\n", encoding="utf-8"
        )
    fields = json.dumps(stored_fields(), indent=1) + "\n"
    (folder / f"fields_{number:04}.json").write_text(fields, encoding="utf-8")


if __name__ == "__main__":
    _freeze(1, Path(__file__).parent)
