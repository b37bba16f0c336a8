"""Which contacts are in which group? Contact groups, which the books know nothing of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from ar_connectors.testkit.xero.errors import Invalid
from ar_connectors.testkit.xero.ids import guid

__all__ = ["Group", "Groups"]

_MOST: Final = 100


@dataclass(slots=True)
class Group:
    """One group."""

    id: str
    name: str
    status: str = "ACTIVE"
    members: list[str] = field(default_factory=list)
    """ContactIDs."""


class Groups:
    """All groups of the company. Its user holds the lock."""

    def __init__(self) -> None:
        self.all: dict[str, Group] = {}
        self.revision = 0

    @property
    def active(self) -> list[Group]:
        """Those that were not deleted."""
        return [one for one in self.all.values() if one.status == "ACTIVE"]

    def named(self, name: str) -> Group | None:
        """The active group of a name."""
        return next((one for one in self.active if one.name.casefold() == name.casefold()), None)

    def of(self, contact: str) -> list[Group]:
        """The active groups a contact is in."""
        return [one for one in self.active if contact in one.members]

    def create(self, name: Any) -> Group:
        """A new group. Raises Invalid."""
        self._check_name(name)
        if len(self.active) >= _MOST:
            raise Invalid(f"You\u2019ve reached the limit of {_MOST} contact groups.")
        group = Group(guid("group", len(self.all) + 1), name.strip())
        self.all[group.id] = group
        self.revision += 1
        return group

    def change(self, group: Group, *, name: Any = None, status: Any = None) -> Group:
        """Another name, or DELETED. Raises Invalid."""
        if status is not None and status not in {"ACTIVE", "DELETED"}:
            raise Invalid(f"The contact group status '{status}' is not valid.")
        if name is not None and name != group.name:
            self._check_name(name)
            group.name = name.strip()
        group.status = status or group.status
        self.revision += 1
        return group

    def add(self, group: Group, contact: str) -> None:
        """Put a contact in; once is enough."""
        if contact not in group.members:
            group.members.append(contact)
            self.revision += 1

    def remove(self, group: Group, contact: str) -> None:
        """Take one out."""
        if contact in group.members:
            group.members.remove(contact)
            self.revision += 1

    def empty(self, group: Group) -> None:
        """Take all out: what `DELETE .../Contacts` without a contact does."""
        group.members.clear()
        self.revision += 1

    def _check_name(self, name: Any) -> None:
        if not isinstance(name, str) or not name.strip():
            raise Invalid("The contact group name cannot be empty.")
        if self.named(name.strip()) is not None:
            raise Invalid("There is already an active contact group with this name.")
