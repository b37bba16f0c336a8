"""What has already been done? Touches of an account, read into positions, caps and open questions (E20, E26-E29)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from ar_core.cadence.facts import Subject
from ar_core.model.activity import Coverage, Direction, Intent, Touch, TouchOutcome
from ar_core.model.base import fields_of
from ar_core.model.parties import Channel

__all__ = ["NO_HISTORY", "UNREACHED", "WEEK", "Attempt", "History"]

WEEK: Final = timedelta(days=7)
UNREACHED: Final = frozenset({TouchOutcome.FAILED, TouchOutcome.BOUNCED})
_AMBIGUOUS: Final = TouchOutcome.AMBIGUOUS
_BOUNCED: Final = TouchOutcome.BOUNCED
_INBOUND: Final = Direction.INBOUND
_OUTBOUND: Final = Direction.OUTBOUND
_INTERNAL: Final = Channel.INTERNAL
_SILENT: Final = Intent.NONE


def _in_order(touch: Touch) -> tuple[Any, str]:
    """By instant, then id."""
    fields = fields_of(touch)
    return fields["at"], fields["id"]


def _names_a_step(covers: Sequence[Coverage]) -> bool:
    """A touch names an invoice and the step it counts for."""
    return any(cover.step is not None and not cover.presence_only for cover in covers)


class Attempt(NamedTuple):
    """The attempt at an action that counts: the first one that did not fail."""

    key: str
    number: int
    """How many came before it."""
    touch: Touch | None
    """What is on record under its key; None: it is still to be made."""
    failed: Touch | None
    """The attempt before, which failed or bounced."""


class History:
    """The touches of one account up to the as-of instant.

    Nearly all accounts ask only which steps went out (`marks`); days and counts are read from the touches when they matter.
    """

    __slots__ = (
        "_interrupted",
        "ambiguous",
        "bare_keys",
        "contacts",
        "dated",
        "failed",
        "inbound",
        "keys",
        "last_contact",
        "marks",
        "next_at",
        "telling",
        "touches",
    )

    def __init__(
        self,
        touches: Sequence[Touch],
        instant: datetime,
        local_day: Callable[[datetime], date],
        count_failed: bool = False,
    ) -> None:
        if len(touches) > 1:
            touches = sorted(touches, key=_in_order)
        self.touches: list[Touch] = []
        self.keys: dict[str, Touch] = {}
        self.bare_keys = False
        """A touch on record names its action's key but no invoice and step."""
        self.marks: dict[Subject, tuple[str, ...]] = {}
        """The steps that went out, in the order in which they first did."""
        self.failed: dict[tuple[Subject, str], date] = {}
        """The day of the last attempt, where it failed and none came through since."""
        self.contacts: list[tuple[date, Touch]] = []
        """Those that count in the caps."""
        self.ambiguous: list[Touch] = []
        self.inbound: list[tuple[date, Touch]] = []
        self.telling: list[Touch] = []
        """Those that say something about an address or a person: what bounced, and every reply with a meaning."""
        self.dated: list[tuple[date, Touch]] = []
        """The touches with the organization's local date of each."""
        self.next_at: datetime | None = None
        """When the first touch after the as-of instant takes place."""
        self._interrupted = False
        """Some attempts did not, or perhaps did not, come through."""
        for touch in touches:
            fields = fields_of(touch)
            at: datetime = fields["at"]
            if at > instant:
                self.next_at = at
                break
            key, direction, covers = fields["key"], fields["direction"], fields["covers"]
            outcome, intent = fields["outcome"], fields["intent"]
            on = local_day(at)
            self.touches.append(touch)
            self.dated.append((on, touch))
            if key is not None:
                self.keys[key] = touch
            if outcome is _BOUNCED or intent is not _SILENT:
                self.telling.append(touch)
            if direction is _INBOUND or (intent is not _SILENT and intent is not Intent.OUT_OF_OFFICE):
                self.inbound.append((on, touch))
            if direction is _INBOUND:
                if key is not None and not _names_a_step(covers):
                    self.bare_keys = True
                continue
            if outcome is _AMBIGUOUS:
                self.ambiguous.append(touch)
            if (
                direction is _OUTBOUND
                and fields["channel"] is not _INTERNAL
                and (count_failed or outcome not in UNREACHED)
            ):
                self.contacts.append((on, touch))
            named = bool(covers) and self._mark(covers, fields["step"], outcome, on)
            if key is not None and not named:
                self.bare_keys = True
        self.last_contact: date | None = self.contacts[-1][0] if self.contacts else None

    def _mark(self, covers: Sequence[Coverage], own: str | None, outcome: TouchOutcome, on: date) -> bool:
        """What a touch means for the invoices it covers. `own`: the touch's step. True where it names an invoice's step itself."""
        marks, failed = self.marks, self.failed
        came_through = outcome not in UNREACHED and outcome is not _AMBIGUOUS
        names_a_step = False
        first: tuple[str, ...] = ()
        """What is marked of an invoice that had no step before: most invoices of a touch share it."""
        for cover in covers:
            fields = fields_of(cover)
            if fields["presence_only"]:
                continue
            named = fields["step"]
            if named is not None:
                names_a_step = True
            step = named or own
            if step is None:
                continue
            invoice_id, version = fields["invoice_id"], fields["due_version"]
            subject: Subject = (invoice_id, version) if version else invoice_id
            if not came_through:
                self._interrupted = True
                if outcome is TouchOutcome.FAILED:  # what bounced goes on with the next channel at once
                    failed[subject, step] = on
                continue
            if failed:
                failed.pop((subject, step), None)
            held = marks.get(subject)
            if held is None:
                if not first or first[0] != step:
                    first = (step,)
                marks[subject] = first
            elif step not in held:
                marks[subject] = (*held, step)
        return names_a_step

    def _attempts(self, subject: Subject) -> Iterator[tuple[date, Touch, str]]:
        """Everything that was tried for an invoice: day, touch, step."""
        for on, touch in self.dated:
            if touch.direction is Direction.INBOUND:
                continue
            for coverage in touch.covers:
                step = coverage.step or touch.step
                if coverage.presence_only or step is None:
                    continue
                version = coverage.due_version
                if subject == ((coverage.invoice_id, version) if version else coverage.invoice_id):
                    yield on, touch, step

    def attempts(self, subject: Subject, step: str) -> int:
        """How often a step was tried for an invoice at its present due date, failed attempts included."""
        if not self._interrupted and step not in self.marks.get(subject, ()):
            return 0
        return sum(1 for _, _, name in self._attempts(subject) if name == step)

    def attempt(self, key_of: Callable[[int], str], number: int = 0) -> Attempt:
        """Where an action stands by its keys, from attempt `number` on: a key on record never comes again, so the attempt after one
        that failed has a key of its own (E28, E29). `key_of`: attempt to key.
        """
        failed: Touch | None = None
        while True:
            key = key_of(number)
            touch = self.keys.get(key)
            if touch is None or touch.outcome not in UNREACHED:
                return Attempt(key, number, touch, failed)
            failed, number = touch, number + 1

    def steps_done(self, subject: Subject) -> dict[str, date]:
        """The organization's date on which each step of an invoice went out last at its present due date."""
        if subject not in self.marks:
            return {}
        return {
            step: on
            for on, touch, step in self._attempts(subject)
            if touch.outcome not in UNREACHED and touch.outcome is not TouchOutcome.AMBIGUOUS
        }

    def in_week(self, day: date, channel: Channel | None = None) -> list[date]:
        """Days of contacts in the 7 local days that end on `day`, oldest first (E27)."""
        since = day - WEEK
        return [
            on for on, touch in self.contacts if on > since and (channel is None or touch.channel is channel)
        ]


NO_HISTORY: Final = History((), datetime.min.replace(tzinfo=UTC), datetime.date)
"""The history of an account nobody ever contacted."""
