"""Every day of every preset, decided by hand; and no number of a preset can move by one day without one of these tables moving."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence import PRESETS, preset_text
from ar_core.cadence.evaluation import ActionKind
from ar_core.cadence.simulate import forecast
from tests.cadence import books as b

FIRST, LAST = -10, 105
EVERY_DAY = ar.WeekendCalendar(weekend=frozenset())
EARLY = 5
"""An hour before every preset's sending hours end."""
SATURDAY = date(2026, 11, 21)

Ranges = list[tuple[int, str]]


def tables(
    policy: ar.Policy,
    tier: str,
    *touches: dict[str, Any],
    today: date = b.TODAY,
    calendar: ar.Calendar = EVERY_DAY,
) -> dict[str, Ranges]:
    """Stage, step, risk and rung by days past due: a customer of its own for each day. Each table lists where a value begins."""
    days = range(FIRST, LAST + 1)
    owners = [f"c{dpd}" for dpd in days]
    records: list[Any] = [b.invoice(f"i{dpd}", dpd, f"c{dpd}", today) for dpd in days]
    for dpd in days:
        for number, changes in enumerate(touches):
            covers = (f"i{dpd}",) if "step" in changes else ()
            records.append(b.touch(f"t{number}:{dpd}", owner=f"c{dpd}", covers=covers, **changes))
    evaluation = ar.evaluate(
        b.book(*records),
        policy,
        b.as_of(today, hour=EARLY),
        tiers=b.tier(tier, *owners),
        calendar=calendar,
        strict=True,
    )
    steps = [d.step if d.kind is ar.DispositionKind.ACTION else None for d in _by_day(evaluation, owners)]
    segments = {s.customer_id: s for s in evaluation.segments}
    ranked = [segments[b.customer_id(owner)] for owner in owners]
    return {
        "stage": _ranges([d.stage for d in _by_day(evaluation, owners)]),
        "step": _ranges(steps),
        "risk": _ranges([f"{s.risk_tier}{'?' if ar.Code.SEED_GAP in s.codes else ''}" for s in ranked]),
        "rung": _ranges([s.rung.value for s in ranked]),
    }


def _by_day(evaluation: ar.Evaluation, owners: list[str]) -> list[ar.Disposition]:
    return [evaluation.by_invoice[b.invoice_id(owner.replace("c", "i", 1))] for owner in owners]


def _ranges(values: list[str | None]) -> Ranges:
    found: Ranges = []
    for day, value in enumerate(values, FIRST):
        if not found or found[-1][1] != (value or "-"):
            found.append((day, value or "-"))
    return found


def life(policy: ar.Policy) -> list[tuple[int, str]]:
    """Days past due on which one invoice is acted on, when nobody answers and every day is a working day."""
    due = b.TODAY
    simulation = forecast(
        b.book(b.invoice()),
        policy,
        due + timedelta(days=FIRST),
        due + timedelta(days=LAST),
        zone=b.ZONE,
        hour=5,
        tiers=b.tier(),
        calendar=EVERY_DAY,
    )
    return [
        ((one.on - due).days, str(one.step))
        for one in simulation.carried
        if one.kind is not ActionKind.INTERNAL
    ]


FIVE_STAGES = [
    (-10, "pre_due"),
    (0, "reminder"),
    (8, "first_demand"),
    (22, "escalation"),
    (46, "pre_legal"),
    (76, "write_off_review"),
]
SPRINT = [(-10, "pre_due"), (0, "sprint"), (60, "manual")]
STAGES: dict[str, Ranges] = {
    "balanced": FIVE_STAGES,
    "funnel_5": FIVE_STAGES,
    "sprint_3_5_7_10": SPRINT,
    "sprint_3_5_10": SPRINT,
    "risk_4": [(-10, "pre_due"), (0, "recent"), (16, "late"), (30, "at_risk"), (60, "high_risk")],
    "xero_parity": [(-10, "pre_due"), (0, "overdue")],
    "sequential_notices": [(-10, "pre_due"), (0, "overdue")],
}
BEFORE_DUE = [(-10, "-"), (-3, "heads_up"), (0, "due_today"), (1, "-")]
STEPS: dict[tuple[str, str], Ranges] = {
    # The letter requires the demand, which was never sent: until 75 the demand opens again (E24).
    ("balanced", "core"): [
        *BEFORE_DUE,
        (3, "first"),
        (8, "demand"),
        (22, "call"),
        (46, "demand"),
        (76, "decide"),
    ],
    ("balanced", "tail"): [
        *BEFORE_DUE,
        (3, "first"),
        (8, "demand"),
        (14, "call"),
        (46, "demand"),
        (76, "decide"),
    ],
    ("funnel_5", "core"): [
        (-10, "-"),
        (1, "reminder_1"),
        (5, "reminder_2"),
        (8, "demand_1"),
        (15, "demand_2"),
        (22, "call"),
        (30, "second_call"),
        (46, "demand_1"),
        (76, "decide"),
    ],
    ("funnel_5", "tail"): [
        (-10, "-"),
        (1, "reminder_1"),
        (5, "reminder_2"),
        (8, "demand_1"),
        (14, "call"),
        (30, "second_call"),
        (46, "demand_1"),
        (76, "decide"),
    ],
    ("sprint_3_5_7_10", "core"): [
        (-10, "-"),
        (3, "first_email"),
        (5, "sms_link"),
        (7, "second_email"),
        (10, "call_or_head"),
    ],
    ("sprint_3_5_10", "core"): [(-10, "-"), (3, "first"), (5, "second"), (10, "escalated")],
    ("risk_4", "core"): [*BEFORE_DUE, (7, "reminder"), (10, "check_in"), (30, "risk_call")],
    ("xero_parity", "core"): [
        (-10, "-"),
        (7, "reminder_7"),
        (8, "-"),
        (14, "reminder_14"),
        (15, "-"),
        (21, "reminder_21"),
        (22, "-"),
    ],
    ("sequential_notices", "core"): [(-10, "-"), (3, "notice_1")],
}
BEFORE_SATURDAY = [(-10, "-"), (-3, "heads_up"), (-2, "-")]
ON_SATURDAY: dict[tuple[str, str], Ranges] = {
    ("balanced", "core"): [
        *BEFORE_SATURDAY,
        (3, "first"),
        (6, "-"),
        (8, "demand"),
        (20, "-"),
        (22, "call"),
        (44, "-"),
        (46, "demand"),
        (74, "-"),
        (76, "decide"),
    ],
    ("balanced", "tail"): [
        *BEFORE_SATURDAY,
        (3, "first"),
        (6, "-"),
        (8, "demand"),
        (14, "call"),
        (44, "-"),
        (46, "demand"),
        (74, "-"),
        (76, "decide"),
    ],
    ("funnel_5", "core"): [
        (-10, "-"),
        (1, "reminder_1"),
        (5, "reminder_2"),
        (6, "-"),
        (8, "demand_1"),
        (15, "demand_2"),
        (20, "-"),
        (22, "call"),
        (30, "second_call"),
        (44, "-"),
        (46, "demand_1"),
        (74, "-"),
        (76, "decide"),
    ],
    ("funnel_5", "tail"): [
        (-10, "-"),
        (1, "reminder_1"),
        (5, "reminder_2"),
        (6, "-"),
        (8, "demand_1"),
        (14, "call"),
        (30, "second_call"),
        (44, "-"),
        (46, "demand_1"),
        (74, "-"),
        (76, "decide"),
    ],
    ("risk_4", "core"): [*BEFORE_SATURDAY, (7, "reminder"), (10, "check_in"), (30, "risk_call")],
}
NOTES = [(-10, "-"), (-5, "heads_up"), (0, "due_today")]
RIDES: dict[tuple[str, str], Ranges] = {
    ("balanced", "core"): [*NOTES, (1, "first"), (8, "demand"), (22, "call")],
    ("balanced", "tail"): [*NOTES, (1, "first"), (8, "demand"), (14, "call")],
    ("funnel_5", "core"): [
        (-10, "-"),
        (1, "reminder_1"),
        (5, "reminder_2"),
        (8, "demand_1"),
        (15, "demand_2"),
        (22, "call"),
        (30, "second_call"),
    ],
    ("funnel_5", "tail"): [
        (-10, "-"),
        (1, "reminder_1"),
        (5, "reminder_2"),
        (8, "demand_1"),
        (14, "call"),
        (30, "second_call"),
    ],
    # A customer with an invoice that late is at risk: no reminders any more, calls for everything overdue.
    ("risk_4", "core"): [*NOTES, (1, "risk_call")],
}
BY_AGE = [(-10, "occasional"), (16, "occasional?"), (30, "at_risk"), (60, "high_risk")]
RISK = {"balanced": BY_AGE, "risk_4": BY_AGE}
LIFE: dict[str, list[tuple[int, str]]] = {
    # Two contacts in seven days are the most: after the notes of -3 and 0 the first reminder waits for day 4.
    "balanced": [
        (-3, "heads_up"),
        (0, "due_today"),
        (4, "first"),
        (8, "demand"),
        (22, "call"),
        (46, "letter"),
        (76, "decide"),
    ],
    "funnel_5": [
        (1, "reminder_1"),
        (5, "reminder_2"),
        (8, "demand_1"),
        (15, "demand_2"),
        (22, "call"),
        (30, "second_call"),
        (46, "letter"),
        (76, "decide"),
    ],
    "sprint_3_5_7_10": [(3, "first_email"), (5, "sms_link"), (7, "second_email"), (10, "call_or_head")],
    "sprint_3_5_10": [(3, "first"), (5, "second"), (10, "escalated")],
    "risk_4": [
        (-3, "heads_up"),
        (0, "due_today"),
        (7, "reminder"),
        (10, "check_in"),
        *((day, "risk_call") for day in range(30, LAST + 1, 7)),
    ],
    "xero_parity": [(7, "reminder_7"), (14, "reminder_14"), (21, "reminder_21")],
    "sequential_notices": [(3, "notice_1"), (10, "notice_2"), (20, "notice_3"), (30, "notice_4")],
}
SENT: dict[str, Any] = {"ago": 20}
"""A contact twenty days ago, unanswered: overdue since at least then."""
ANSWER: dict[str, Any] = {"ago": 10, "direction": ar.Direction.INBOUND}
ESCALATED = [(-10, "automated"), (60, "finance_lead")]
RUNGS: dict[str, tuple[Ranges, Ranges]] = {
    "balanced": (ESCALATED, [(-10, "automated"), (90, "finance_lead")]),
    "sprint_3_5_7_10": (ESCALATED, [(-10, "automated"), (90, "finance_lead")]),
    "sprint_3_5_10": (ESCALATED, [(-10, "automated"), (90, "finance_lead")]),
    "risk_4": ([(-10, "automated"), (60, "order_hold"), (90, "referral")], ESCALATED),
    "funnel_5": ([(-10, "automated")], [(-10, "automated")]),
    "xero_parity": ([(-10, "automated")], [(-10, "automated")]),
    "sequential_notices": ([(-10, "automated")], [(-10, "automated")]),
}
"""Unanswered, and answered (R44, C8)."""


def on_saturday(policy: ar.Policy, tier: str = "core") -> Ranges:
    """Steps on a Saturday: a message goes out on Monday, two days on, and only where its window lasts that long (E5)."""
    return tables(policy, tier, today=SATURDAY, calendar=ar.WEEKENDS)["step"]


def rides(policy: ar.Policy, tier: str = "core", *, done: bool = False) -> Ranges:
    """The step that an invoice is covered for in a message about one that is 45 days late: its window counts, not its day (E20).

    `done`: what is due for it today went out before, so only a step rides along whose window has begun before its day.
    """
    days = range(FIRST, 46)
    owners = [f"c{dpd}" for dpd in days]
    records: list[Any] = [b.invoice(f"old{dpd}", 45, f"c{dpd}") for dpd in days]
    records += [b.invoice(f"i{dpd}", dpd, f"c{dpd}") for dpd in days]
    if done:
        starts = dict(tables(policy, tier)["step"])
        step = "-"
        for dpd in days:
            step = starts.get(dpd, step)
            if step != "-":
                records.append(b.touch(f"t{dpd}", ago=20, step=step, covers=(f"i{dpd}",), owner=f"c{dpd}"))
    evaluation = ar.evaluate(
        b.book(*records),
        policy,
        b.as_of(hour=EARLY),
        tiers=b.tier(tier, *owners),
        calendar=EVERY_DAY,
        strict=True,
    )
    covered = {
        c.invoice_id: c.step for a in evaluation.actions if a.kind is ActionKind.TOUCH for c in a.covers
    }
    return _ranges([covered.get(b.invoice_id(f"i{dpd}")) for dpd in days])


def declared(policy: ar.Policy) -> ar.Policy:
    """The policy of a seller who really does everything it may threaten."""
    everything = policy.capabilities.model_copy(
        update={"will_pursue_legal": True, "can_hold_orders": True, "uses_agency": True}
    )
    return policy.model_copy(update={"capabilities": everything})


PARTS: dict[str, Callable[[ar.Policy], Any]] = {
    "core": lambda policy: tables(policy, "core")["step"],
    "stage": lambda policy: tables(policy, "core")["stage"],
    "risk": lambda policy: tables(policy, "core")["risk"],
    "tail": lambda policy: tables(policy, "tail")["step"],
    "saturday": on_saturday,
    "saturday, tail": lambda policy: on_saturday(policy, "tail"),
    "rides": rides,
    "rides, tail": lambda policy: rides(policy, "tail"),
    "rides, done": lambda policy: rides(policy, done=True),
    "rides, done, tail": lambda policy: rides(policy, "tail", done=True),
    "unanswered": lambda policy: tables(declared(policy), "core", SENT)["rung"],
    "answered": lambda policy: tables(declared(policy), "core", SENT, ANSWER)["rung"],
    "life": life,
}
"""Everything the tables of this page say of a policy; what is cheap and telling first."""


@pytest.mark.parametrize("preset", PRESETS)
def test_stage_by_days_past_due(preset: str) -> None:
    assert tables(b.policy_of(preset), "core")["stage"] == STAGES[preset]


@pytest.mark.parametrize(("preset", "tier"), STEPS)
def test_step_of_a_first_run_by_days_past_due(preset: str, tier: str) -> None:
    assert tables(b.policy_of(preset), tier)["step"] == STEPS[preset, tier]


@pytest.mark.parametrize(("preset", "tier"), ON_SATURDAY)
def test_step_on_a_saturday_ends_two_days_before_its_window(preset: str, tier: str) -> None:
    assert on_saturday(b.policy_of(preset), tier) == ON_SATURDAY[preset, tier]


@pytest.mark.parametrize(("preset", "tier"), RIDES)
def test_step_that_an_invoice_is_covered_for_when_it_rides_along(preset: str, tier: str) -> None:
    assert rides(b.policy_of(preset), tier) == RIDES[preset, tier]


@pytest.mark.parametrize("tier", ["core", "tail"])
@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("balanced", [(-10, "-"), (-5, "heads_up"), (-3, "-"), (1, "first"), (3, "-")]),
        ("funnel_5", [(-10, "-")]),
    ],
)
def test_a_step_rides_along_before_its_day_and_not_before_its_window(
    preset: str, tier: str, expected: Ranges
) -> None:
    assert rides(b.policy_of(preset), tier, done=True) == expected


@pytest.mark.parametrize("preset", RISK)
def test_risk_by_days_past_due(preset: str) -> None:
    assert tables(b.policy_of(preset), "core")["risk"] == RISK[preset]


@pytest.mark.parametrize("preset", PRESETS)
def test_rung_by_days_past_due_unanswered_and_answered(preset: str) -> None:
    policy = declared(b.policy_of(preset))
    unanswered, answered = RUNGS[preset]
    assert tables(policy, "core", SENT)["rung"] == unanswered
    assert tables(policy, "core", SENT, ANSWER)["rung"] == answered


@pytest.mark.parametrize("preset", PRESETS)
def test_the_life_of_an_invoice_that_nobody_pays(preset: str) -> None:
    assert life(b.policy_of(preset)) == LIFE[preset]


# ---- no number moves unnoticed

ELSEWHERE = {
    "steps.nudge_sms.": "off by default: test_c2",
    "steps.next_day.": "off by default: test_r39",
    "max_dpd <= 0": "needs a payment history: test_r51_who_pays_on_time_with_a_low_balance_is_reliable",
    "steps.risk_call.window.0": "by age alone the risk that opens it begins on day 30; by broken promises: test_r53, test_r54",
    "steps.risk_call.at": "as above",
}
"""Numbers of days that these tables cannot see, and what sees them."""
SAME = {
    ("tiers.risk.3.gap: max_dpd <= 29", 1): "day 30 is at_risk before the gap is asked",
    ("escalate.1.when: max_dpd >= 60", -1): "day 59 is no high risk, which the rule asks for first",
    ("steps.letter.window.0", -1): "nothing that a message could ride along with comes after the letter",
    (
        "steps.due_today.window.0",
        -1,
    ): "day -1 is the heads-up's, and a confirmation rides along with no later step",
    ("steps.reminder_1.window.1", -1): "reminder_2 takes over on day 5",
    ("steps.demand_1.window.1", -1): "demand_2 takes over on day 15",
    ("steps.call.window.1", -1): "second_call takes over on day 30",
    ("overrides.1.steps.call.window.1", -1): "second_call takes over on day 30",
    ("overrides.1.steps.call.window.0", 1): "a step comes on its day, whatever its window says",
    ("overrides.2.steps.call.window.0", 1): "a step comes on its day, whatever its window says",
}
"""Numbers whose move in that direction changes nothing at all."""
_DAYS = re.compile(r"max_dpd [<>]=? (-?\d+)")

Path = tuple[Any, ...]


def numbers(value: Any, path: Path = ()) -> Iterator[tuple[str, Path, re.Match[str] | None]]:
    """Every number of days in a preset: its readable place, its path, and its match where it stands in the text of a rule."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        here = (*path, key)
        if isinstance(inner, dict | list):
            yield from numbers(inner, here)
        elif isinstance(inner, str):
            yield from ((f"{_place(here)}: {match[0]}", here, match) for match in _DAYS.finditer(inner))
        elif {"at", "window", "repeat_every", "forced_by_dpd", "from"}.intersection(here):
            yield _place(here), here, None


def _place(path: Path) -> str:
    return ".".join(str(key) for key in path)


def moved(data: dict[str, Any], path: Path, match: re.Match[str] | None, shift: int) -> ar.Policy | None:
    """The preset with that number moved; None where it is no policy then. A boundary moves for both of its stages."""
    changed = deepcopy(data)
    holder: Any = changed
    for key in path[:-1]:
        holder = holder[key]
    if match is None:
        holder[path[-1]] += shift
    else:
        text = holder[path[-1]]
        holder[path[-1]] = text[: match.start(1)] + str(int(match[1]) + shift) + text[match.end(1) :]
    if path[0] == "stages":
        changed["stages"][path[1] - 1]["to"] += shift
    try:
        return ar.load_policy(changed)
    except ar.PolicyError:
        return None


def named(data: dict[str, Any], place: str) -> str:
    """Steps by their id instead of their number."""
    return re.sub(r"^steps\.(\d+)", lambda found: f"steps.{data['steps'][int(found[1])]['id']}", place)


@pytest.mark.parametrize("shift", [1, -1])
@pytest.mark.parametrize("preset", PRESETS)
def test_no_number_of_a_preset_moves_by_a_day_unnoticed(preset: str, shift: int) -> None:
    data = tomllib.loads(preset_text(preset))
    expected = {name: part(b.policy_of(preset)) for name, part in PARTS.items()}
    seen = 0
    unnoticed = []
    for place, path, match in numbers(data):
        name = named(data, place)
        if any(known in name for known in ELSEWHERE) or (name, shift) in SAME:
            continue
        seen += 1
        policy = moved(data, path, match, shift)
        if policy is not None and all(part(policy) == expected[one] for one, part in PARTS.items()):
            unnoticed.append(name)
    assert seen >= 4
    assert unnoticed == []
