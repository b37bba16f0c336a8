"""How far does each table go at this moment? Its largest key, its number of rows, its latest change: one question for all transactions.

Asked once for a run, before anything else of it is read. That is early for most streams, and early is safe: a change that comes later is
later than the mark, so the next run, which begins at the mark, finds it (quirks.md#ns-14).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ar_connectors.adapterkit.side_by_side import side_by_side
from ar_connectors.errors import ARError
from ar_connectors.netsuite.client import NetSuiteClient, rows_in
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.deletions import DELETED
from ar_connectors.netsuite.probing import AT_ONCE
from ar_connectors.netsuite.statuses import JOURNAL_TYPE
from ar_connectors.netsuite.suiteql import any_of, moment
from ar_connectors.netsuite.tables import SETTLING_TYPES, TABLES, Schema

__all__ = ["Mark", "Marks"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a table ended when it was asked."""

    high: int | None = None
    """The largest key, of all transactions together; None: there were no rows."""
    rows: int = 0
    """About how many rows: only how many pages are asked for at once depends on it."""
    changed: str | None = None
    """The latest change, of all transactions together, as the session tells times."""


class Marks:
    """The marks of one run. Each is handed out once: a run that asks for another stream's mark only does not go on with old ones for
    ever. Thread-safe."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._known: dict[str, Mark | ARError] = {}

    def forget(self) -> None:
        """A run begins."""
        with self._lock:
            self._known.clear()

    def take(self, stream: str, company: Company) -> Mark:
        """The mark of a stream; the first that is asked for brings those of all others. Raises what went wrong with its question."""
        with self._lock:
            if stream not in self._known:
                self._ask(stream, company)
            found = self._known.pop(stream)
        if isinstance(found, ARError):
            raise found
        return found

    def _ask(self, stream: str, company: Company) -> None:
        questions = [one for one in _QUESTIONS if one.feature is None or one.feature in company.features]
        # Later in a run, when a stream's mark was used up, only its own question is asked.
        wanted = questions if not self._known else [one for one in questions if stream in one.streams]
        with side_by_side(AT_ONCE) as asked:
            for answer in [asked.submit(self._answer, one) for one in wanted]:
                self._known.update(answer.result())

    def _answer(self, question: _Question) -> dict[str, Mark | ARError]:
        try:
            rows = rows_in(self._client.query(question.statement, f"marks of {question.about}"))
        except ARError as error:
            return dict.fromkeys(question.streams, error)
        return dict(question.read(rows))


@dataclass(frozen=True, slots=True)
class _Question:
    about: str
    statement: str
    streams: tuple[str, ...]
    read: Callable[[Sequence[Mapping[str, str]]], Mapping[str, Mark]] = field(compare=False)
    feature: str | None = None


def _mark(rows: Sequence[Mapping[str, str]], own: Sequence[Mapping[str, str]]) -> Mark:
    """The mark of a stream whose rows are counted in `own`; where they end is what all `rows` of the answer say together: a type that
    NetSuite tells under a name nobody knows must not hide a key or a time."""
    highs = [int(row["high"]) for row in rows if "high" in row]
    latest = max((row["changed"] for row in rows if "changed" in row), default=None)
    return Mark(max(highs, default=None), sum(int(row.get("total", "0")) for row in own), latest)


_STREAMS: Final = {
    **{table.stream: table.types for table in TABLES.values() if table.types},
    "application": SETTLING_TYPES,
}


def _of_transactions(rows: Sequence[Mapping[str, str]]) -> dict[str, Mark]:
    return {
        stream: _mark(rows, [row for row in rows if row.get("type") in types])
        for stream, types in _STREAMS.items()
    }


def _of_table(stream: str, source: str, key: str, changed: str, feature: str | None = None) -> _Question:
    statement = f"SELECT MAX({key}) AS high, COUNT({key}) AS total, {moment(f'MAX({changed})')} AS changed FROM {source}"  # noqa: S608 - constants
    return _Question(stream, statement, (stream,), lambda rows: {stream: _mark(rows, rows)}, feature)


def _of_parties(stream: str, feature: str | None = None) -> _Question:
    table = TABLES[stream]
    select = table.select(Schema())
    return _of_table(stream, select.source, select.keys[0].expression, table.changed, feature)


_ALL_TYPES: Final = dict.fromkeys((JOURNAL_TYPE, *(name for types in _STREAMS.values() for name in types)))
_QUESTIONS: Final = (
    _Question(
        "transactions",
        f"SELECT t.type AS type, MAX(t.id) AS high, COUNT(t.id) AS total, {moment('MAX(t.lastmodifieddate)')} AS changed "  # noqa: S608 - constants
        f"FROM transaction t WHERE t.type IN {any_of(tuple(_ALL_TYPES))} GROUP BY t.type",
        tuple(_STREAMS),
        _of_transactions,
    ),
    _of_parties("customer"),
    _of_parties("contact", "contact"),
    _of_table(DELETED, "deletedrecord d", "d.recordid", "d.deleteddate", "deletedrecord"),
)
"""A question for each table."""
