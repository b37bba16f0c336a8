"""What if an emulator were wrong? Lies by name, told by its serializer while the books stay right.

Each ERP has its own table of the same five names; a test suite must notice every one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.ledger.records import Record

__all__ = ["Lie", "Lies", "Row"]

Row = dict[str, Any]
"""A record as it goes out."""
Lie = Callable[[Ledger, Record, Row], None]
"""Changes a row in place, if the record is one it is about."""


class Lies:
    """Which lies are told at the moment; none at first.

    Args:
        table: all that can be told, by name.
    """

    def __init__(self, table: Mapping[str, Lie]) -> None:
        self._table = table
        self.active: tuple[str, ...] = ()
        self.revision = 0
        """Counts the changes of `active`, for caches."""

    @property
    def names(self) -> list[str]:
        """All that can be told."""
        return sorted(self._table)

    def tell(self, *names: str) -> None:
        """Tell these lies and no others. Raises KeyError for a name that is none."""
        for name in names:
            if name not in self._table:
                raise KeyError(f"there is no lie {name!r}; there are {', '.join(self.names)}")
        self.active = names
        self.revision += 1

    def told(self, ledger: Ledger, record: Record, row: Row) -> Row:
        """The row as it goes out; changed in place."""
        for name in self.active:
            self._table[name](ledger, record, row)
        return row
