"""How is a released schema made? From SQL that was written down when it was released, and is never changed."""

from __future__ import annotations

from importlib.resources import files
from zlib import crc32

from sqlalchemy import Connection

__all__ = ["create", "layout"]


def create(connection: Connection, number: int) -> None:
    """Run the statements of `schema_NNNN_<database>.sql`. Raises FileNotFoundError for a schema or database there is none of."""
    lines = [line for line in _schema(connection, number).splitlines() if not line.startswith("--")]
    for statement in "\n".join(lines).split(";\n"):
        if statement.strip(" \n;"):
            connection.exec_driver_sql(statement.strip(" \n;"))


def layout(connection: Connection, number: int) -> int:
    """A number that changes with the tables of a schema, or with the order of fields in which records are bytes."""
    return crc32((_schema(connection, number) + _text(f"fields_{number:04}.json")).encode())


def _schema(connection: Connection, number: int) -> str:
    return _text(f"schema_{number:04}_{connection.dialect.name}.sql")


def _text(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
