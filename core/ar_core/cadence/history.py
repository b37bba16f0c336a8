"""What has already been done? Touches of an account, read into positions, caps and open questions (E20, E26-E29)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ar_core.model.activity import Direction, Intent, Touch, TouchOutcome
from ar_core.model.documents import Invoice
from ar_core.model.parties import Channel

__all__ = ["NO_HISTORY", "Contacted", "History", "StepsDone"]

WEEK = timedelta(days=7)
UNREACHED = frozenset({TouchOutcome.FAILED, TouchOutcome.BOUNCED})


class StepsDone(NamedTuple):
    """One step that went out for an invoice."""

    last: date
    """Organization's local date."""
    times: int


class Contacted(NamedTuple):
    """One contact that counts in the caps."""

    on: date
    channel: Channel
    step: str | None


_Subject = tuple[str, int]
"""Invoice id and version of its due date (E10)."""


class History:
    """The touches of one account up to the as-of instant."""

    __slots__ = (
        "ambiguous",
        "attempts",
        "bare_keys",
        "contacts",
        "dated",
        "done",
        "failed",
        "inbound",
        "keys",
        "last_contact",
        "touches",
    )

    def __init__(
        self, touches: Iterable[Touch], instant: datetime, zone: ZoneInfo, count_failed: bool = False
    ) -> None:
        self.touches = sorted((t for t in touches if t.at <= instant), key=lambda t: (t.at, t.id))
        self.keys: dict[str, Touch] = {}
        self.bare_keys = False
        """A touch on record names its action's key but no invoice and step."""
        self.done: dict[_Subject, dict[str, StepsDone]] = {}
        self.attempts: dict[tuple[str, int, str], int] = {}
        """Attempts by (invoice, due version, step), failed ones included."""
        self.failed: dict[tuple[str, int, str], date] = {}
        self.contacts: list[Contacted] = []
        self.ambiguous: list[Touch] = []
        self.inbound: list[tuple[date, Touch]] = []
        self.dated = [(touch.at.astimezone(zone).date(), touch) for touch in self.touches]
        """The touches with the organization's local date of each."""
        for on, touch in self.dated:
            self._read(touch, on, count_failed)
        self.last_contact: Contacted | None = self.contacts[-1] if self.contacts else None

    def _read(self, touch: Touch, on: date, count_failed: bool) -> None:
        if touch.key is not None:
            self.keys[touch.key] = touch
            if not any(c.step is not None and not c.presence_only for c in touch.covers):
                self.bare_keys = True
        if touch.direction is Direction.INBOUND or touch.intent not in {Intent.NONE, Intent.OUT_OF_OFFICE}:
            self.inbound.append((on, touch))
        if touch.direction is Direction.INBOUND:
            return
        unreached = touch.outcome in UNREACHED
        if touch.outcome is TouchOutcome.AMBIGUOUS:
            self.ambiguous.append(touch)
        reaches_out = touch.direction is Direction.OUTBOUND and touch.channel is not Channel.INTERNAL
        if reaches_out and (count_failed or not unreached):
            self.contacts.append(Contacted(on, touch.channel, touch.step))
        for coverage in touch.covers:
            step = coverage.step or touch.step
            if coverage.presence_only or step is None:
                continue
            subject = (coverage.invoice_id, coverage.due_version)
            slot = (*subject, step)
            self.attempts[slot] = self.attempts.get(slot, 0) + 1
            if unreached:
                if touch.outcome is TouchOutcome.FAILED:  # what bounced goes on with the next channel at once
                    self.failed[slot] = on
            elif touch.outcome is not TouchOutcome.AMBIGUOUS:
                self.failed.pop(slot, None)
                steps = self.done.setdefault(subject, {})
                held = steps.get(step)
                steps[step] = StepsDone(on, held.times + 1 if held else 1)

    def steps_of(self, invoice: Invoice) -> dict[str, StepsDone] | None:
        """Steps that went out for an invoice at its present due date; None when there are none."""
        return self.done.get((invoice.id, invoice.due_version))

    def in_week(self, day: date, channel: Channel | None = None) -> list[date]:
        """Days of contacts in the 7 local days that end on `day`, oldest first (E27)."""
        since = day - WEEK
        return [c.on for c in self.contacts if c.on > since and (channel is None or c.channel is channel)]


NO_HISTORY = History((), datetime.min.replace(tzinfo=UTC), ZoneInfo("UTC"))
"""The history of an account nobody ever contacted."""
