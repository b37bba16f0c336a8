"""Which versions did our writes make? As a sync will read them, so that what comes back is known for an echo of ours.

One small query for each kind of record that was written. Nothing depends on it but a count, so where it cannot be asked the version is
unknown, and the write is as good as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from ar_connectors.connector import Placement
from ar_connectors.errors import ARError
from ar_connectors.netsuite.client import MAX_IDS, NetSuiteClient
from ar_connectors.netsuite.suiteql import Key, Select, moment, number

__all__ = ["with_versions"]

_TABLES: Final[Mapping[str, str]] = {
    "invoice": "transaction",
    "customer": "customer",
    "phoneCall": "phonecall",
    "task": "task",
}


def with_versions(client: NetSuiteClient, placements: Sequence[Placement]) -> list[Placement]:
    """The same placements with the time of change that SuiteQL tells of each record now: the version of our records."""
    found: dict[tuple[str, str], str] = {}
    for kind, table in _TABLES.items():
        ids = sorted({one.remote_id for one in placements if one.remote_kind == kind})
        for start in range(0, len(ids), MAX_IDS):
            for row in _rows(client, table, ids[start : start + MAX_IDS]):
                if "changed" in row:
                    found[kind, row["id"]] = row["changed"]
    return [replace(one, version=found.get((one.remote_kind, one.remote_id))) for one in placements]


def _rows(client: NetSuiteClient, table: str, ids: Sequence[str]) -> list[dict[str, str]]:
    listed = ", ".join(number(one) for one in ids)
    columns = {"id": "x.id", "changed": moment("x.lastmodifieddate")}
    select = Select(columns, f"{table} x", (Key("x.id", "id"),), (f"x.id IN ({listed})",))
    try:
        return client.rows(select.sql(), f"versions of {table}")
    except ARError:
        return []
