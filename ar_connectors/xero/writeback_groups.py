"""What do contact groups say in Xero? An order hold, where collections stand, and in whose histories notes of ours are.

A group is a label that everybody sees and nothing enforces. A status group is left when the status changes; the group of those
who have notes is only ever joined: by it an empty store finds notes that no expected payment date leads to, because the list of
contacts names the groups of each (quirks.md#xero-49).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.connector import Fact, Placement
from ar_connectors.errors import PermissionDenied, RejectedError
from ar_connectors.xero.mapping_parties import IN_GROUP
from ar_connectors.xero.writeback_calls import Group
from ar_connectors.xero.writeback_scope import WriteScope
from ar_core.commands import ReleaseOrderHold, SetCollectionsStatus, SetOrderHold
from ar_core.model import Customer, RecordKind, parse_record_id

__all__ = ["Noted", "hold", "release", "status"]

_LONGEST: Final = 100
"""Characters of a group's name that people can still tell apart in a list."""


def hold(scope: WriteScope, command: SetOrderHold) -> list[Placement] | None:
    """Put the contact into the group; a group that is missing is made. Whether it was in it before us is kept."""
    contact, name = scope.customer_id(command.customer_id), scope.options.order_hold_group
    there = _called(scope.calls.groups_of(contact), name)
    before = _before(scope, command.customer_id)
    if scope.only_look:
        return None if there is None else [_held(there, command.customer_id, before)]
    if before is None:
        before = json.dumps({"member": there is not None and not scope.tried_before})
    return [_held(there or _joined(scope, contact, name), command.customer_id, before)]


def release(scope: WriteScope, command: ReleaseOrderHold) -> list[Placement] | None:
    """Take the contact out again, unless it was in the group before us."""
    contact, name = scope.customer_id(command.customer_id), scope.options.order_hold_group
    there = _called(scope.calls.groups_of(contact), name)
    before = _before(scope, command.customer_id)
    stays = before is not None and json.loads(before).get("member") is True
    if there is not None and not stays:
        if scope.only_look:
            return None
        scope.calls.leave(there, contact, scope.key("leave"))
    return [_held(there or Group("none", name), command.customer_id, None)]


def status(scope: WriteScope, command: SetCollectionsStatus) -> list[Placement] | None:
    """Put the contact into the group of its status and out of those of others, where the connection wants such groups; no
    placement where it does not, or for the status of an invoice. None when something is missing and nothing may be sent."""
    prefix, subject = scope.options.status_groups, parse_record_id(command.subject_id)
    if prefix is None or subject is None or subject.kind != RecordKind.CUSTOMER:
        return []
    contact, name = scope.customer_id(command.subject_id), f"{prefix}{command.status}"
    name = texts.shortened(name, _LONGEST) or name
    groups = scope.calls.groups_of(contact)
    there = _called(groups, name)
    others = [
        one for one in groups if one.name.casefold().startswith(prefix.casefold()) and not one.is_called(name)
    ]
    if scope.only_look and (there is None or others):
        return None
    there = there or _joined(scope, contact, name)
    for number, one in enumerate(others):
        scope.calls.leave(one, contact, scope.key(f"status{number}"))
    return [
        Placement(
            Fact.COLLECTIONS_STATUS,
            f"contact group {there.name}",
            "ContactGroup",
            there.id,
            previous=command.status,
            subject_ids=(command.subject_id,),
        )
    ]


@dataclass(slots=True)
class Noted:
    """The contacts in whose histories notes of ours stand, as this process knows them. Thread-safe."""

    _group: Group | None = None
    _members: set[str] = field(default_factory=set)
    _refused: str | None = None
    _lock: Lock = field(default_factory=Lock)

    def see_to(self, scope: WriteScope, contact: str) -> str | None:
        """Put a contact into the group, once. Returns why it cannot be, when the connection has no right to groups or there are
        100 of them already: then its notes stand all the same, and another store will not find them."""
        name = scope.options.notes_group
        if name is None:
            return None
        with self._lock:
            if self._refused is not None or contact in self._members or _synced(scope, contact, name):
                return self._refused
            try:
                if self._group is None:
                    self._group = scope.calls.group(name, scope.key("notes"))
                scope.calls.join(self._group, contact, scope.key("notes"))
            except (PermissionDenied, RejectedError) as error:
                reason = f"another store will not find it: {error.message}"
                if self._group is None or isinstance(error, PermissionDenied):
                    self._refused = reason  # the next contact would meet the same
                return reason
            self._members.add(contact)
            return None


def _synced(scope: WriteScope, contact: str, name: str) -> bool:
    """Whether the contact was in the group when it was read."""
    known = scope.view.record(scope.id_of(RecordKind.CUSTOMER, contact))
    fields = known.custom_fields if isinstance(known, Customer) else ()
    return any(one.name == IN_GROUP and Group("", str(one.value)).is_called(name) for one in fields)


def _called(groups: Iterable[Group], name: str) -> Group | None:
    return next((one for one in groups if one.is_called(name)), None)


def _joined(scope: WriteScope, contact: str, name: str) -> Group:
    group = scope.calls.group(name, scope.key("create"))
    scope.calls.join(group, contact, scope.key("join"))
    return group


def _before(scope: WriteScope, customer: str) -> str | None:
    """What our first hold, since the last release, found; None when no hold of ours stands. A later hold repeats it and a release
    has nothing to say, so the last of them knows."""
    placed = [one for one in scope.view.placements(customer) if one.fact is Fact.ORDER_HOLD]
    return placed[-1].previous if placed else None


def _held(group: Group, customer: str, previous: str | None) -> Placement:
    target = f"contact group {group.name}"
    return Placement(
        Fact.ORDER_HOLD, target, "ContactGroup", group.id, None, previous=previous, subject_ids=(customer,)
    )
