"""An order hold in NetSuite: the customer's creditHoldOverride, and an activity that says why and what stood there before.

AUTO follows limits and overdue days, OFF switches both off (quirks.md#ns-22), so a hold is released by putting the value back that it
replaced. That value is written down in the activity before the override is changed: a worker that dies in between, or another store,
finds it there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeGuard

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.adapterkit.note_rules import tag_in
from ar_connectors.adapterkit.notes import StatusTag, Tag
from ar_connectors.connector import Fact, Placement
from ar_connectors.errors import RejectedError
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.writeback_activities import Edited, Said, at_activity, edited, said
from ar_connectors.netsuite.writeback_calls import Activity
from ar_connectors.netsuite.writeback_native import kept
from ar_connectors.netsuite.writeback_scope import Place, WriteScope
from ar_core.commands import ReleaseOrderHold, SetOrderHold

__all__ = ["hold", "release"]

_FIELD: Final = "creditHoldOverride"
_ON: Final = "ON"
_DEFAULT: Final = "AUTO"
_FACTS: Final = (Fact.ORDER_HOLD,)


def hold(scope: WriteScope, command: SetOrderHold) -> list[Placement] | None:
    """Write down what stands there, then stop new orders."""
    place = scope.place_of(command.customer_id)
    activity = scope.calls.activity(place.external_id(scope.identity))
    before = _was(activity)
    if before is None:
        if scope.only_look and activity is None:
            return None
        before = _before(scope, place)
    tag = StatusTag(
        scope.identity,
        "order hold",
        command.set_on,
        hold=True,
        customer=place.id,
        was=before,
    )
    text = f"Order hold since {command.set_on}{texts.because(command.reason)}. Credit hold was {before}."
    what = Said(tag, f"Order hold: {command.reason}", text, command.set_on)
    known: Mapping[str, Activity] = {activity.external_id: activity} if activity is not None else {}
    made = said(scope, place, what, _FACTS, (), known=known)
    if made is None:
        return None
    custom = scope.options.fields.changes({"hold_reason": command.reason})
    found = kept(scope, "customer", place.id, {_FIELD: {"id": _ON}}, custom)
    if found.missing:
        return None
    if found.native is not None:
        _take_back(scope, place)
        raise _refused(scope, f"orders of customer {place.id} are not stopped: {found.native}")
    return [*_placed(command.customer_id, place, _ON, found.custom, before), *made]


def release(scope: WriteScope, command: ReleaseOrderHold) -> list[Placement] | None:
    """Put back what stood there before our first hold. An override that somebody changed meanwhile is left alone."""
    place = scope.place_of(command.customer_id)
    there = scope.calls.activities_on([place.word])
    holds = sorted(
        (one for one in (there or {}).values() if _is_hold(tag_in(one.message))),
        key=lambda one: int(one.id) if one.id.isdecimal() else 0,
    )
    back = _kept_before(scope, command.customer_id) or next(
        (was for one in holds if (was := _was(one)) is not None), None
    )
    custom = scope.options.fields.changes({"hold_reason": None})
    shown = scope.calls.fields("customer", place.id, (_FIELD, *custom))
    value = _value(shown)
    native = {_FIELD: {"id": back or _DEFAULT}} if value == _ON else {}
    found = kept(scope, "customer", place.id, native, custom, looked=shown)
    if found.missing:
        return None
    if found.native is not None:
        raise _refused(scope, f"orders of customer {place.id} stay on hold: {found.native}")
    lead = f"Released {command.released_on}{texts.because(command.reason)}."

    def change(tag: Tag) -> Edited | None:
        return Edited(replace(tag, hold=False), lead, "Released") if _is_hold(tag) else None

    placements: list[Placement] = []
    for one in holds:
        if edited(scope, one, change) is None:
            return None
        placements += at_activity(scope, place, one, _FACTS, ())
    reason = found.custom
    if native and back is None:
        reason = f"what stood there before the hold is not known: {_DEFAULT}, as new customers have it"
    now = (back or _DEFAULT) if native else value
    return [*_placed(command.customer_id, place, now, reason, None), *placements]


def _before(scope: WriteScope, place: Place) -> str:
    """What a release must put back: what our first hold found, since the last release, else what stands there now."""
    customer = scope.id_at(place)
    kept_before = _kept_before(scope, customer)
    if kept_before is not None:
        return kept_before
    value = _value(scope.calls.fields("customer", place.id, (_FIELD,)))
    if value == _ON:
        # Another store's hold may stand: then it knows what it replaced.
        for one in (scope.calls.activities_on([place.word]) or {}).values():
            if _is_hold(tag_in(one.message)) and (was := _was(one)) is not None:
                return was
    return value


def _kept_before(scope: WriteScope, customer: str) -> str | None:
    """What our store knows of it; None when no hold of ours stands."""
    last = None
    for one in scope.view.placements(customer):
        if one.fact is Fact.ORDER_HOLD and one.remote_kind == "customer":
            last = one.previous  # a release has none
    return None if last is None else str(json.loads(last)[_FIELD])


def _take_back(scope: WriteScope, place: Place) -> None:
    """The activity must not say what is not so."""
    activity = scope.calls.activity(place.external_id(scope.identity))
    if activity is not None:
        edited(scope, activity, lambda tag: _unset(tag) if _is_hold(tag) else None)


def _unset(tag: StatusTag) -> Edited:
    return Edited(replace(tag, hold=False), "Not set: NetSuite refused it.", "Not set")


def _is_hold(tag: Tag | None) -> TypeGuard[StatusTag]:
    return isinstance(tag, StatusTag) and tag.hold is True


def _was(activity: Activity | None) -> str | None:
    tag = tag_in(activity.message) if activity is not None else None
    return tag.was if isinstance(tag, StatusTag) else None


def _value(shown: Mapping[str, Any]) -> str:
    """The override as it stands; empty means AUTO."""
    value = shown.get(_FIELD)
    found = value.get("id") if isinstance(value, Mapping) else value
    return str(found) if found else _DEFAULT


def _placed(
    customer: str, place: Place, value: str, reason: str | None, previous: str | None
) -> list[Placement]:
    kept_as = json.dumps({_FIELD: previous}) if previous is not None else None
    target = f"{_FIELD} {value} of customer {place.id}"
    degraded = reason is not None
    return [
        Placement(Fact.ORDER_HOLD, target, "customer", place.id, None, degraded, reason, kept_as, (customer,))
    ]


def _refused(scope: WriteScope, message: str) -> RejectedError:
    return RejectedError(
        message, platform=PLATFORM, tenant=scope.tenant.id, operation=scope.write.command.type
    )
