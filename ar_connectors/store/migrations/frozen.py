"""How is a released schema made? From SQL that was written down when it was released, and is never changed."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Connection

__all__ = ["create"]


def create(connection: Connection, number: int) -> None:
    """Run the statements of `schema_NNNN_<database>.sql`. Raises FileNotFoundError for a schema or database there is none of."""
    name = f"schema_{number:04}_{connection.dialect.name}.sql"
    text = (files(__package__) / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    for statement in "\n".join(lines).split(";\n"):
        if statement.strip(" \n;"):
            connection.exec_driver_sql(statement.strip(" \n;"))
