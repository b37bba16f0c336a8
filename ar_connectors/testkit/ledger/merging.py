"""What happens when two customers turn out to be one? All that one has becomes the other's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ar_connectors.testkit.ledger.records import Customer
from ar_connectors.testkit.ledger.settling import Settling
from ar_connectors.testkit.ledger.shelves import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Merging"]


class Merging(Settling):
    """The books, and how two customers in them become one."""

    def merge_customers(self, losing: str, into: str) -> Customer:
        """Move everything of one customer to another; the losing one is hidden and says where it went. Raises LedgerError
        `invalid` for customers of different currencies, and for one that has a parent or sub-customers."""
        one, other = self.customer(losing), self.customer(into)
        if one is other or one.currency != other.currency or one.subsidiary != other.subsidiary:
            raise LedgerError("invalid", f"customers {losing} and {into} cannot be one")
        if one.parent is not None or self.children[one.id] or not other.active or not one.active:
            raise LedgerError(
                "invalid", f"customer {losing} has a place in a hierarchy, or one of the two is hidden"
            )
        tables: Iterable[dict[str, Any]] = (
            self.invoices, self.credits, self.payments, self.journals, self.deposits
        )  # fmt: skip
        for table in tables:
            for record in table.values():
                if record.customer == one.id:
                    record.customer = other.id
                    self._touch(record)
        moved = one.balance
        self._balance(one, -moved)
        self._balance(other, moved)
        one.active, one.merged_into = False, other.id
        self._touch(one)
        return one
