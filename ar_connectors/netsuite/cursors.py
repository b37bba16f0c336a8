"""Where does a stream stand when one of several pages, fetched side by side, is committed? The cursor is made as late as that."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["LateState"]


class LateState(Mapping[str, Any]):
    """The state of a cursor, worked out when it is read: pages are committed in order, so by then all before its own were fetched,
    whichever of them was answered first."""

    __slots__ = ()

    @abstractmethod
    def value(self) -> Mapping[str, Any]:
        """The state, JSON values."""

    def __getitem__(self, key: str) -> Any:
        return self.value()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.value())

    def __len__(self) -> int:
        return len(self.value())
