"""What would a policy have done, and what will it do? Replay over recorded history, and forecast with responders.

Each day is evaluated once, at the hour of the daily run. A message goes out in the sending hours of its reader, if they begin
before the next run: some of them on the next day. What begins later is decided anew by that run. A contact is on record from
its hour on, so a simulation keeps every cap and gap as real days do. It reads no clock: days, zone and hour are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from ar_core.asof import AsOf, known_zone
from ar_core.cadence.codes import Code
from ar_core.cadence.evaluate import evaluate
from ar_core.cadence.evaluation import Action, ActionKind, Evaluation
from ar_core.cadence.given import check_policy, check_tiers
from ar_core.cadence.incremental import reevaluate
from ar_core.cadence.policy import Actor, Policy
from ar_core.cadence.simulate_events import Event, NoResponse, Paid, Responder, apply
from ar_core.calendar import Calendar, wall_time
from ar_core.model.activity import Direction
from ar_core.model.base import Frozen
from ar_core.model.parties import Channel
from ar_core.model.snapshot import Snapshot
from ar_core.segments import Tiers, assign_tiers

__all__ = ["CAPS", "Carried", "DayLoad", "Simulation", "Week", "forecast", "replay"]

CAPS = frozenset(
    {
        Code.MIN_GAP,
        Code.STEP_GAP,
        Code.WEEK_CAP,
        Code.CHANNEL_CAP,
        Code.RUN_CAP,
        Code.ADDRESS_CAP,
        Code.POST_PAYMENT_QUIET,
    }
)
"""Reasons to wait that are limits of the policy: a customer that waits for one of them is a cap hit."""

History = Callable[[datetime], Snapshot] | Sequence[Snapshot]
"""What was known at an instant: a function of it, or snapshots with `known_at`, the newest one not later than it counts."""

_DAY = timedelta(days=1)


class Carried(Frozen):
    """One action that a simulated day carried out."""

    on: date
    """The organization's date on which it took place."""
    key: str
    kind: ActionKind
    customer_id: str
    step: str | None
    stage: str | None
    channel: Channel
    human: bool
    """A person has to do it."""
    invoice_ids: tuple[str, ...]


class DayLoad(Frozen):
    """One simulated day: what took place on it, and what its run made of the open invoices."""

    on: date
    contacts: dict[str, int]
    """Contacts by channel, those that the run of the day before left for its first hours among them."""
    internal: int
    """Notices and tasks for our own people."""
    decisions: int
    human: int
    """Contacts and decisions that only a person can make."""
    cap_hits: dict[str, int]
    """Customers that waited, by the limit they waited for."""
    dispositions: dict[str, int]
    """Open invoices by what became of them."""


class Week(NamedTuple):
    """A customer in a week."""

    customer_id: str
    monday: date
    contacts: int


class Simulation(Frozen):
    """What a policy does over some days."""

    policy: str
    mode: Literal["replay", "forecast"]
    first: date
    last: date
    assumption: str
    """What the figures rest on."""
    days: tuple[DayLoad, ...]
    carried: tuple[Carried, ...]
    """Every action that was carried out, by day; those left by the run of the day before come first, then by account."""

    def weeks(self) -> tuple[Week, ...]:
        """Contacts per customer and week, by customer and week; weeks without a contact are left out."""
        found = Counter(
            (one.customer_id, one.on - timedelta(days=one.on.weekday()))
            for one in self.carried
            if one.kind is ActionKind.TOUCH
        )
        return tuple(Week(customer, monday, count) for (customer, monday), count in sorted(found.items()))

    def busiest(self) -> DayLoad | None:
        """The day with the most contacts, the first of several; None for a simulation of no days."""
        return max(self.days, key=lambda day: sum(day.contacts.values()), default=None)

    def of(self, customer_id: str) -> tuple[Carried, ...]:
        """What one account hears, in order."""
        return tuple(one for one in self.carried if one.customer_id == customer_id)


def replay(
    history: History,
    policy: Policy,
    first: date,
    last: date,
    *,
    zone: str,
    hour: int = 9,
    touches: Literal["simulated", "recorded"] = "simulated",
    tiers: Tiers | None = None,
    calendar: Calendar | None = None,
) -> Simulation:
    """What a policy would have done, with only the facts that were known on each day.

    `history`: `store.snapshot` with its `known_at`, or snapshots of several days. `hour`: local hour of the daily run.
    `touches`: with "simulated", contacts that another policy planned are taken out and this policy's own put in their place;
    what customers said and contacts outside any plan stay. With "recorded" the contacts that really took place stay and the
    simulated ones count as well. `tiers`: None: each day's own. Raises ValueError when the last day is before the first,
    nothing was known on a day, a snapshot of several has no `known_at`, or the zone is unknown; what `evaluate` raises as well.
    """
    check_policy(policy)
    known_zone(zone)
    known = history if callable(history) else _newest_of(history)
    simulated: list[Event] = []
    left: list[Carried] = []
    carried: list[Carried] = []
    days: list[DayLoad] = []
    for day in _days(first, last):
        moment = wall_time(day, time(hour), zone)
        facts = known(moment)
        if touches == "simulated":
            facts = _without_planned(facts)
        snapshot = apply(facts, simulated)
        evaluation = evaluate(
            snapshot, policy, AsOf(instant=moment, zone=zone), tiers=tiers, calendar=calendar
        )
        planned = _planned(evaluation, wall_time(day + _DAY, time(hour), zone))
        simulated += [action.record(at) for action, at in planned]
        done, left = _taking_place(day, left, planned)
        carried += done
        days.append(_load(evaluation, day, done))
    return Simulation(
        policy=policy.ref,
        mode="replay",
        first=first,
        last=last,
        assumption="recorded facts as they were known on each day; customers would have acted as they did",
        days=tuple(days),
        carried=tuple(carried),
    )


def forecast(
    snapshot: Snapshot,
    policy: Policy,
    first: date,
    last: date,
    *,
    zone: str,
    hour: int = 9,
    responder: Responder | None = None,
    tiers: Tiers | None = None,
    calendar: Calendar | None = None,
) -> Simulation:
    """What a policy will do, starting from a snapshot; `responder` stands for the customers (nobody answers when None).

    No new invoice is issued. Value tiers stay as they are on the first day. Raises ValueError when the last day is before
    the first or the zone is unknown; what `evaluate` raises as well.
    """
    check_policy(policy)
    known_zone(zone)
    check_tiers(tiers)
    answers = responder or NoResponse()
    value = policy.tiers.value
    if tiers is None:
        tiers = assign_tiers(snapshot, strategic=value.strategic, core=value.core, today=first)
    to_come: dict[date, list[Event]] = {}
    evaluation: Evaluation | None = None
    changed: set[str] = set()
    left: list[Carried] = []
    carried: list[Carried] = []
    days: list[DayLoad] = []
    for day in _days(first, last):
        moment = wall_time(day, time(hour), zone)
        as_of = AsOf(instant=moment, zone=zone)
        arrived = to_come.pop(day, [])
        snapshot = apply(snapshot, arrived)
        changed |= _concerned(arrived, snapshot)
        if evaluation is None:
            evaluation = evaluate(snapshot, policy, as_of, tiers=tiers, calendar=calendar)
        else:
            evaluation = reevaluate(evaluation, snapshot, changed, as_of, tiers=tiers)
        planned = _planned(evaluation, wall_time(day + _DAY, time(hour), zone))
        events: list[Event] = [action.record(at) for action, at in planned]
        for action, at in planned:
            if action.kind is ActionKind.TOUCH:
                events += answers.respond(action, at, snapshot)
        now = [e for e in events if not isinstance(e, Paid) or e.on <= day]
        for event in events:
            if isinstance(event, Paid) and event.on > day:
                to_come.setdefault(event.on, []).append(event)
        snapshot = apply(snapshot, now)
        changed = _concerned(now, snapshot)
        done, left = _taking_place(day, left, planned)
        carried += done
        days.append(_load(evaluation, day, done))
    return Simulation(
        policy=policy.ref,
        mode="forecast",
        first=first,
        last=last,
        assumption=f"{answers.assumption}; no new invoices",
        days=tuple(days),
        carried=tuple(carried),
    )


def _days(first: date, last: date) -> Iterable[date]:
    if last < first:
        raise ValueError(f"a simulation runs from an earlier to a later day; got {first} to {last}")
    return (first + n * _DAY for n in range((last - first).days + 1))


def _newest_of(snapshots: Sequence[Snapshot]) -> Callable[[datetime], Snapshot]:
    dated = sorted(((s.known_at, s) for s in snapshots if s.known_at is not None), key=lambda pair: pair[0])
    if len(dated) != len(snapshots):
        raise ValueError("each snapshot of a history needs its known_at")

    def at(moment: datetime) -> Snapshot:
        before = [snapshot for known_at, snapshot in dated if known_at <= moment]
        if not before:
            raise ValueError(
                f"nothing was known at {moment.isoformat()}: start later, or give an older snapshot"
            )
        return before[-1]

    return at


def _without_planned(snapshot: Snapshot) -> Snapshot:
    """Without the contacts that came out of a plan: under another policy they would not have taken place."""
    kept = tuple(t for t in snapshot.touches if t.key is None or t.direction is Direction.INBOUND)
    return snapshot if len(kept) == len(snapshot.touches) else snapshot.model_copy(update={"touches": kept})


def _planned(evaluation: Evaluation, next_run: datetime) -> list[tuple[Action, datetime]]:
    """The actions of a run and when they take place, in the organization's zone; a later run decides what begins after it."""
    now, zone = evaluation.as_of, ZoneInfo(evaluation.zone)
    starts = ((action, max(now, action.not_before or now)) for action in evaluation.actions)
    return [(action, at.astimezone(zone)) for action, at in starts if at < next_run]


def _taking_place(
    day: date, left: Sequence[Carried], planned: Iterable[tuple[Action, datetime]]
) -> tuple[list[Carried], list[Carried]]:
    """What takes place on a day, and what its run leaves for the hours of the next one."""
    carried = [_carried(action, at.date()) for action, at in planned]
    return [*left, *(one for one in carried if one.on == day)], [one for one in carried if one.on > day]


def _carried(action: Action, day: date) -> Carried:
    return Carried.trusted(
        on=day,
        key=action.key,
        kind=action.kind,
        customer_id=action.customer_id,
        step=action.step or action.task,
        stage=action.stage,
        channel=action.channel,
        human=_is_human(action),
        invoice_ids=tuple(c.invoice_id for c in action.covers),
    )


def _is_human(action: Action) -> bool:
    return action.kind is ActionKind.DECISION or (
        action.kind is ActionKind.TOUCH and action.actor is Actor.HUMAN
    )


def _load(evaluation: Evaluation, day: date, done: Sequence[Carried]) -> DayLoad:
    kinds = Counter(one.kind for one in done)
    waiting = {(d.customer_id, d.code) for d in evaluation.dispositions if d.code in CAPS}
    return DayLoad.trusted(
        on=day,
        contacts=_counted(one.channel.value for one in done if one.kind is ActionKind.TOUCH),
        internal=kinds[ActionKind.INTERNAL],
        decisions=kinds[ActionKind.DECISION],
        human=sum(one.human for one in done),
        cap_hits=_counted(code.value for _, code in waiting),
        dispositions=_counted(d.kind.value for d in evaluation.dispositions),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _concerned(events: Iterable[Event], snapshot: Snapshot) -> set[str]:
    """The customers that events are about."""
    found: set[str] = set()
    paid: set[str] = set()
    for event in events:
        if isinstance(event, Paid):
            paid.add(event.invoice_id)
        else:
            found.add(event.customer_id)
    if paid:
        found.update(i.customer_id for i in snapshot.invoices if i.id in paid and i.customer_id is not None)
    return found
