"""An order hold in Xero: membership in a contact group that everybody sees. Nothing in Xero enforces it, so it is advice."""

from __future__ import annotations

import json

from ar_connectors.connector import Fact, Placement
from ar_connectors.xero.writeback_calls import Group
from ar_connectors.xero.writeback_scope import WriteScope
from ar_core.commands import ReleaseOrderHold, SetOrderHold

__all__ = ["hold", "release"]


def hold(scope: WriteScope, command: SetOrderHold) -> list[Placement] | None:
    """Put the contact into the group; a group that is missing is made. Whether it was in it before us is kept."""
    contact, name = scope.customer_id(command.customer_id), scope.options.order_hold_group
    group = scope.calls.group(name)
    member = group is not None and contact in group.contacts
    if scope.only_look:
        return (
            [_placed(group, command.customer_id, _before(scope, command.customer_id))]
            if member and group
            else None
        )
    before = _before(scope, command.customer_id)
    if before is None:
        before = json.dumps({"member": member and not scope.tried_before})
    if group is None:
        group = scope.calls.create_group(name, scope.key("create"))
    if not member:
        scope.calls.join(group, contact, scope.key("join"))
    return [_placed(group, command.customer_id, before)]


def release(scope: WriteScope, command: ReleaseOrderHold) -> list[Placement] | None:
    """Take the contact out again, unless it was in the group before us."""
    contact, name = scope.customer_id(command.customer_id), scope.options.order_hold_group
    group = scope.calls.group(name)
    before = _before(scope, command.customer_id)
    stays = before is not None and json.loads(before).get("member") is True
    if group is not None and contact in group.contacts and not stays:
        if scope.only_look:
            return None
        scope.calls.leave(group, contact, scope.key("leave"))
    return [_placed(group or Group("none", name), command.customer_id, None)]


def _before(scope: WriteScope, customer: str) -> str | None:
    """What our first hold, since the last release, found; None when there was none."""
    held = scope.view.placements(customer, "set_order_hold")
    released = scope.view.placements(customer, "release_order_hold")
    return held[-1].previous if held and len(released) < len(held) else None


def _placed(group: Group, customer: str, previous: str | None) -> Placement:
    target = f"contact group {group.name}"
    return Placement(
        Fact.ORDER_HOLD, target, "ContactGroup", group.id, None, previous=previous, subject_ids=(customer,)
    )
