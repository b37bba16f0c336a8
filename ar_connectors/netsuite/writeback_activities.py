"""Facts as activities: a phone call or task for each, with our tag in its message, found and changed by its external id.

An external id names the place and the fact, so the same fact is one activity however often it is written (quirks.md#ns-24). People may
have edited an activity: what is there is never written again, only its tag is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from ar_connectors.adapterkit.note_rules import fitting, tag_in
from ar_connectors.adapterkit.notes import Tag, format_note, retag
from ar_connectors.connector import Fact, Placement
from ar_connectors.errors import DuplicateError, TransientError
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.writeback_calls import Activity
from ar_connectors.netsuite.writeback_scope import Place, WriteScope

__all__ = ["Edited", "Said", "at_activity", "edited", "said"]


@dataclass(frozen=True, slots=True)
class Said:
    """What an activity says: a tag for us, a title and a text for people, the day it is of."""

    tag: Tag
    title: str
    text: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """How a fact stands now: its tag, what is put in front of the text, and the word in front of the title."""

    tag: Tag
    lead: str
    word: str


def said(
    scope: WriteScope,
    place: Place,
    what: Said,
    facts: tuple[Fact, ...],
    subjects: tuple[str, ...],
    *,
    external_id: str | None = None,
    known: Mapping[str, Activity] | None = None,
) -> list[Placement] | None:
    """See to it that the activity is there. `known`: the activities there are, where they were looked up. None when it is missing
    and nothing may be sent.

    `external_id`: of an activity that holds one fact after the other (a status); left out: the fact's own.
    """
    identity = external_id or place.external_id(what.tag.id)
    there: Activity | None = None
    if known is not None:
        there = known.get(identity)
    elif scope.only_look or scope.tried_before or external_id is not None:
        there = scope.calls.activity(identity)
    reason = None
    if there is None or not _is_of(there, what.tag):
        if scope.only_look:
            return None
        tag, reason = fitting(what.tag, place.id)
        there = _written(scope, place, Said(tag, what.title, what.text, what.day), identity)
        if tag_in(there.message) != tag:
            reason = "NetSuite did not keep the message as it was sent"
    return at_activity(scope, place, there, facts, subjects, reason)


def edited(scope: WriteScope, there: Activity, change: Callable[[Tag], Edited | None]) -> bool | None:
    """Bring the tag of an activity of ours up to date. False when it was so already, None when nothing may be sent; also False for
    an activity whose tag people took away: it is theirs now."""
    tag = tag_in(there.message)
    wanted = change(tag) if tag is not None else None
    if wanted is None:
        return False
    message = retag(there.message, wanted.tag, wanted.lead)
    if message is None:
        return False
    if scope.only_look:
        return None
    title = there.title if there.title.startswith(wanted.word) else f"{wanted.word}: {there.title}"
    scope.calls.change_activity(there.external_id, title, message)
    now = scope.calls.read_back(lambda: scope.calls.activity(there.external_id))
    if now is None or tag_in(now.message) != wanted.tag:
        raise _lost(scope, there.external_id)
    return True


def at_activity(
    scope: WriteScope,
    place: Place,
    there: Activity,
    facts: tuple[Fact, ...],
    subjects: tuple[str, ...],
    reason: str | None = None,
) -> list[Placement]:
    """The placements of facts in an activity; with a reason they are degraded."""
    record = scope.calls.kind.record
    target = f"{record} {there.external_id} on {place.record} {place.id}"
    about = (scope.id_at(place), *subjects)
    return [
        Placement(fact, target, record, there.id, None, reason is not None, reason, None, about)
        for fact in facts
    ]


def _written(scope: WriteScope, place: Place, what: Said, identity: str) -> Activity:
    values: dict[str, object] = {"message": format_note(what.tag, what.text)}
    if place.customer is not None:
        values["company"] = {"id": place.customer}
    if place.record == "invoice":
        values["transaction"] = {"id": place.id}
    if what.day is not None:
        values |= {name: what.day.isoformat() for name in scope.calls.kind.days}
    with suppress(DuplicateError):  # another worker was as fast: what is there now is looked at
        scope.calls.put_activity(identity, what.title, values)
    there = scope.calls.read_back(lambda: scope.calls.activity(identity))
    if there is None:
        raise _lost(scope, identity)
    return there


def _is_of(there: Activity, tag: Tag) -> bool:
    """True for an activity about this fact; one whose tag people took away was about it."""
    found = tag_in(there.message)
    return found is None or found.id == tag.id


def _lost(scope: WriteScope, identity: str) -> TransientError:
    """The same is written again some time later: by its external id it is there once all the same."""
    return TransientError(
        f"{scope.calls.kind.record} {identity} was written, and reads back otherwise",
        platform=PLATFORM,
        tenant=scope.tenant.id,
        operation=scope.write.command.type,
    )
