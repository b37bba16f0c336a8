"""What can a body of NetSuite be? Its kinds, and what the rows of each are; data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ar_connectors.netsuite.statuses import RECORD_TYPES

__all__ = ["KINDS", "TOLD_BY_ROW", "BodyKind"]


@dataclass(frozen=True, slots=True)
class BodyKind:
    """What the rows of a body are."""

    table: str | None = None
    """A table of ours (`wire.ROWS`); None: each row has to tell."""
    type: str | None = None
    """The transaction type of rows that do not say theirs."""
    reason: str | None = None
    """Why its rows are no records."""

    @property
    def name(self) -> str:
        """What a row of it is called where it is set aside."""
        if self.table is None:
            return "suiteql"
        return RECORD_TYPES.get(self.type or "", self.type or self.table)


TOLD_BY_ROW: Final = BodyKind()

KINDS: Final[Mapping[str, BodyKind]] = {
    **{record.casefold(): BodyKind("transaction", kind) for kind, record in RECORD_TYPES.items()},
    "journalentry": BodyKind("journal", "Journal"),
    "customer": BodyKind("customer"),
    "contact": BodyKind("contact"),
    "transaction": BodyKind("transaction"),
    "journal": BodyKind("journal", "Journal"),
    "link": BodyKind("link"),
    "deleted": BodyKind("deleted"),
    "record": TOLD_BY_ROW,
    "suiteql": TOLD_BY_ROW,
    "collection": BodyKind(reason="a list of references holds no record: read each, or query them"),
    "asyncjob": BodyKind(reason="a job or task is no record: ask for its result when it has completed"),
    "metadata": BodyKind(reason="a description of a record type is no record"),
}
"""Kind of body (in lower case) -> what its rows are. Besides them: `error`."""
