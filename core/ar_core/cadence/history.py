"""What has already been done? Touches of an account, read into positions, caps and open questions (E20, E26-E29)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ar_core.model.activity import Direction, Intent, Touch, TouchOutcome
from ar_core.model.documents import Invoice
from ar_core.model.parties import Channel

__all__ = ["NO_HISTORY", "UNREACHED", "WEEK", "History", "StepsDone", "Subject", "subject_of"]

WEEK = timedelta(days=7)
UNREACHED = frozenset({TouchOutcome.FAILED, TouchOutcome.BOUNCED})
_NO_WORD = frozenset({Intent.NONE, Intent.OUT_OF_OFFICE})
_in_order = attrgetter("at", "id")


class StepsDone(NamedTuple):
    """One step that went out for an invoice."""

    last: date
    """Organization's local date."""
    times: int


Subject = str | tuple[str, int]
"""An invoice at one version of its due date (E10): its id, or id and version once the date was changed."""


def subject_of(invoice: Invoice) -> Subject:
    """What a touch must have covered to count for this invoice as it is now due."""
    version = invoice.due_version
    return (invoice.id, version) if version else invoice.id


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
        "touches",
    )

    def __init__(
        self, touches: Iterable[Touch], instant: datetime, zone: ZoneInfo, count_failed: bool = False
    ) -> None:
        self.touches = [touch for touch in touches if touch.at <= instant]
        if len(self.touches) > 1:
            self.touches.sort(key=_in_order)
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
        self.dated = [(touch.at.astimezone(zone).date(), touch) for touch in self.touches]
        """The touches with the organization's local date of each."""
        self._interrupted = False
        """Some attempts did not, or perhaps did not, come through."""
        for on, touch in self.dated:
            self._read(touch, on, count_failed)
        self.last_contact: date | None = self.contacts[-1][0] if self.contacts else None

    def _read(self, touch: Touch, on: date, count_failed: bool) -> None:
        direction, outcome = touch.direction, touch.outcome
        if touch.key is not None:
            self.keys[touch.key] = touch
            if not any(c.step is not None and not c.presence_only for c in touch.covers):
                self.bare_keys = True
        if direction is Direction.INBOUND or touch.intent not in _NO_WORD:
            self.inbound.append((on, touch))
        if direction is Direction.INBOUND:
            return
        if outcome is TouchOutcome.AMBIGUOUS:
            self.ambiguous.append(touch)
        reaches_out = direction is Direction.OUTBOUND and touch.channel is not Channel.INTERNAL
        if reaches_out and (count_failed or outcome not in UNREACHED):
            self.contacts.append((on, touch))
        if touch.covers:
            self._mark(touch, on)

    def _mark(self, touch: Touch, on: date) -> None:
        """What the touch means for the invoices it covers."""
        own, outcome, marks = touch.step, touch.outcome, self.marks
        came_through = outcome not in UNREACHED and outcome is not TouchOutcome.AMBIGUOUS
        for coverage in touch.covers:
            step = coverage.step or own
            if step is None or coverage.presence_only:
                continue
            version = coverage.due_version
            subject: Subject = (coverage.invoice_id, version) if version else coverage.invoice_id
            if not came_through:
                self._interrupted = True
                if outcome is TouchOutcome.FAILED:  # what bounced goes on with the next channel at once
                    self.failed[subject, step] = on
                continue
            if self.failed:
                self.failed.pop((subject, step), None)
            held = marks.get(subject)
            if held is None:
                marks[subject] = (step,)
            elif step not in held:
                marks[subject] = (*held, step)

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

    def attempts(self, invoice: Invoice, step: str) -> int:
        """How often a step was tried for an invoice at its present due date, failed attempts included."""
        subject = subject_of(invoice)
        if not self._interrupted and step not in self.marks.get(subject, ()):
            return 0
        return sum(1 for _, _, name in self._attempts(subject) if name == step)

    def steps_done(self, invoice: Invoice) -> dict[str, StepsDone]:
        """When the steps of an invoice went out last at its present due date, and how often."""
        subject = subject_of(invoice)
        found: dict[str, StepsDone] = {}
        if subject not in self.marks:
            return found
        for on, touch, step in self._attempts(subject):
            if touch.outcome not in UNREACHED and touch.outcome is not TouchOutcome.AMBIGUOUS:
                held = found.get(step)
                found[step] = StepsDone(on, held.times + 1 if held else 1)
        return found

    def marks_of(self, invoice: Invoice) -> tuple[str, ...]:
        """The steps that went out for an invoice at its present due date."""
        return self.marks.get(subject_of(invoice), ()) if self.marks else ()

    def in_week(self, day: date, channel: Channel | None = None) -> list[date]:
        """Days of contacts in the 7 local days that end on `day`, oldest first (E27)."""
        since = day - WEEK
        return [
            on for on, touch in self.contacts if on > since and (channel is None or touch.channel is channel)
        ]


NO_HISTORY = History((), datetime.min.replace(tzinfo=UTC), ZoneInfo("UTC"))
"""The history of an account nobody ever contacted."""
