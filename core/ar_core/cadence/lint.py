"""What is wrong with a policy that is well formed? Gaps, dead steps, silent stages, empty threats, before anyone is contacted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from ar_core.cadence.lint_codes import LintCode, LintFinding, Severity
from ar_core.cadence.lint_together import together
from ar_core.cadence.lint_void import void
from ar_core.cadence.plan import FOREVER, TONES, CompiledPolicy, Plan
from ar_core.cadence.policy import Actor, Override, Policy, Purpose, Step, StepKind
from ar_core.cadence.vocabulary import CLAUSE_NEEDS
from ar_core.calendar import WEEKENDS, Calendar
from ar_core.model.parties import Channel

__all__ = ["LintCode", "LintFinding", "Severity", "lint"]

_RARE = {Channel.SMS, Channel.WHATSAPP, Channel.LETTER}
_FAR = 400
_A_MONDAY = date(2024, 1, 1)


def lint(policy: Policy, *, calendar: Calendar = WEEKENDS) -> list[LintFinding]:
    """Every weakness of a policy, errors first, then by place. An empty list says that none of the checks found one.

    Raises TypeError for what is no policy.
    """
    plan = CompiledPolicy(policy).base
    found = [
        *_stages(policy, plan),
        *_silent(policy, plan),
        *_threats(policy),
        *_dead(policy, plan),
        *_tones(plan),
        *_channels(plan),
        *_windows(policy, calendar),
        *_messages(policy),
        *_people(policy, plan),
        *_rules(policy),
        *together(policy, plan),
        *void(policy, plan),
    ]
    order = list(Severity)
    return sorted(found, key=lambda f: (order.index(f.severity), f.path, f.code))


def _find(code: LintCode, severity: Severity, path: str, message: str) -> LintFinding:
    return LintFinding(code, severity, path, message)


def _stages(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    first, last = policy.stages[0], policy.stages[-1]
    earliest = min([step.first for step in plan.steps], default=0)
    if first.from_day is not None and first.from_day > min(earliest, 0):
        yield _find(
            LintCode.STAGE_NOT_TOTAL,
            Severity.WARNING,
            f"stages.{first.id}.from",
            f"days before {first.from_day} belong to no stage; leave `from` out of the first stage",
        )
    if last.to_day is not None:
        yield _find(
            LintCode.STAGE_NOT_TOTAL,
            Severity.ERROR,
            f"stages.{last.id}.to",
            f"days after {last.to_day} belong to no stage; leave `to` out of the last stage",
        )


def _silent(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    steps = [*plan.steps, *plan.repeats]
    working = [step for step in steps if step.blocked_by is None]
    if not working:
        return
    earliest = min(step.at for step in working)
    for stage in policy.stages:
        low = stage.from_day if stage.from_day is not None else -_FAR
        high = stage.to_day if stage.to_day is not None else _FAR
        planned = [step for step in steps if low <= step.at <= high]
        if high < earliest or not planned or any(step.blocked_by is None for step in planned):
            continue
        yield _find(
            LintCode.SILENT_STAGE,
            Severity.ERROR,
            f"stages.{stage.id}",
            f"nothing goes out in it: {', '.join(step.id for step in planned)} needs "
            f"{planned[0].blocked_by}; declare it or give the step an `else`",
        )


def _threats(policy: Policy) -> Iterator[LintFinding]:
    for step in policy.steps:
        for clause in step.clauses:
            name = CLAUSE_NEEDS[clause]
            covered = step.capability == name
            if not getattr(policy.capabilities, name) and not covered:
                yield _find(
                    LintCode.THREAT_WITHOUT_CAPABILITY,
                    Severity.ERROR,
                    f"steps.{step.id}.clauses",
                    f"`{clause}` is never mentioned while capabilities.{name} is false",
                )


def _dead(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    limits, mode = policy.limits, policy.catch_up.mode
    ladder = [step for step in plan.steps if step.when is None and step.is_touch and not step.day_bound]
    for before, after in pairwise(ladder):
        path = f"steps.{before.id}"
        if before.at == after.at and mode == "latest":
            yield _find(
                LintCode.STEP_NEVER_FIRES,
                Severity.ERROR,
                path,
                f"{after.id} falls on the same day {after.at} and always takes its place",
            )
        elif mode != "sequential" and after.last < FOREVER and after.last - before.at < limits.min_gap_days:
            yield _find(
                LintCode.STEP_NEVER_FIRES,
                Severity.WARNING,
                f"steps.{after.id}",
                f"its window ends on day {after.last}, before the gap of {_days(limits.min_gap_days)} after {before.id} is over",
            )
    cap = limits.max_touches_per_7d
    if cap is None:
        return
    for index, step in enumerate(ladder):
        inside = [other for other in ladder[:index] if step.at - other.at < 7]
        if len(inside) >= cap and step.last - inside[-cap].at < 7:
            yield _find(
                LintCode.STEP_NEVER_FIRES,
                Severity.WARNING,
                f"steps.{step.id}",
                f"it is contact {len(inside) + 1} within 7 days; limits.max_touches_per_7d is {cap} and frees after its window",
            )


def _tones(plan: Plan) -> Iterator[LintFinding]:
    previous: Step | None = None
    for entry in plan.steps:
        step = entry.step
        if step.tone is None or not entry.is_touch or step.purpose is Purpose.CHECK_IN:
            continue
        if previous is not None and previous.tone is not None and TONES[step.tone] < TONES[previous.tone]:
            yield _find(
                LintCode.TONE_GOES_BACK,
                Severity.WARNING,
                f"steps.{step.id}.tone",
                f"{step.tone} comes after {previous.tone} ({previous.id})",
            )
        stage = plan.stage(step.at)
        if stage is not None and plan.tones[stage] != step.tone:
            yield _find(
                LintCode.TONE_STAGE_MISMATCH,
                Severity.INFO,
                f"steps.{step.id}.tone",
                f"{step.tone} in stage {stage}, whose tone is {plan.tones[stage]}; the step's tone counts",
            )
        previous = step


def _channels(plan: Plan) -> Iterator[LintFinding]:
    touching = [step for step in (*plan.steps, *plan.repeats) if step.is_touch]
    used = {channel for step in touching for way in step.ways for channel in way.channels}
    if len(used) == 1:
        yield _find(
            LintCode.SINGLE_CHANNEL_POLICY,
            Severity.WARNING,
            "steps",
            f"nothing but {used.pop()} is used: add a second channel for those it does not reach",
        )
    for step in touching:
        channels = {channel for way in step.ways for channel in way.channels}
        if len(channels) == 1 and channels <= _RARE:
            yield _find(
                LintCode.NO_FALLBACK,
                Severity.WARNING,
                f"steps.{step.id}.channels",
                f"only {channels.pop()}: add a channel for customers it does not reach",
            )


def _windows(policy: Policy, calendar: Calendar) -> Iterator[LintFinding]:
    week = [calendar.is_business_day(_A_MONDAY + timedelta(days=n)) for n in range(14)]
    longest = run = 0
    for works in week:
        run = 0 if works else run + 1
        longest = max(longest, run)
    for step in policy.steps:
        if (
            step.window is None
            or step.window[1] is None
            or step.kind is not StepKind.TOUCH
            or not step.enabled
        ):
            continue
        days = step.window[1] - step.at + 1
        if days <= longest:
            exact_day = step.purpose is Purpose.DUE_CONFIRMATION
            yield _find(
                LintCode.WINDOW_TOO_SHORT,
                Severity.INFO if exact_day else Severity.WARNING,
                f"steps.{step.id}.window",
                f"it is open for {_days(days)} from day {step.at}; a weekend of {_days(longest)} can hide it altogether",
            )


def _messages(policy: Policy) -> Iterator[LintFinding]:
    for step in policy.steps:
        if Channel.SMS not in step.channels or not step.enabled:
            continue
        if "pay_link" not in step.needs:
            yield _find(
                LintCode.SMS_WITHOUT_LINK,
                Severity.WARNING,
                f"steps.{step.id}.needs",
                "a text message holds the amount and a payment link: add needs = ['pay_link']",
            )
        if step.urgency != "high" and step.purpose is not Purpose.PAY_LINK:
            yield _find(
                LintCode.SMS_NOT_URGENT,
                Severity.WARNING,
                f"steps.{step.id}",
                "text messages are for urgent nudges or a quick link: set urgency = 'high' or purpose = 'pay_link'",
            )


def _people(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    for step in (*plan.steps, *plan.repeats):
        if not step.is_touch:
            continue
        if policy.tiers.value.enabled and any(way.actor is Actor.AI for way in step.ways):
            yield _find(
                LintCode.HUMAN_ONLY_AI_STEP,
                Severity.WARNING,
                f"steps.{step.id}.actor",
                "people only contact strategic customers, and an AI voice is a machine: there a person makes this contact; "
                "say `either`, or plan for it",
            )
        formal = step.step.tone is not None and TONES[step.step.tone] >= TONES[list(TONES)[-1]]
        if formal and not any(way.sender_role for way in step.ways) and step.at > 0:
            yield _find(
                LintCode.UNNAMED_SENDER,
                Severity.INFO,
                f"steps.{step.id}.sender_role",
                "a formal message comes from a named person: say which role sends it",
            )


def _rules(policy: Policy) -> Iterator[LintFinding]:
    enabled = {step.id for step in policy.steps if step.enabled}
    for step in policy.steps:
        for needed in step.requires:
            if needed not in enabled:
                yield _find(
                    LintCode.REQUIRED_STEP_DISABLED,
                    Severity.ERROR,
                    f"steps.{step.id}.requires",
                    f"{needed} is switched off and never goes out",
                )
    if not policy.tiers.risk:
        for path, predicate, _ in policy.predicates():
            if "risk" in predicate.features:
                yield _find(
                    LintCode.NO_RISK_RULES,
                    Severity.ERROR,
                    path,
                    "it asks for the risk tier, and tiers.risk is empty",
                )
    for rule in policy.tiers.risk[:-1]:
        test = rule.predicate()
        if test is not None and not test.features and test.holds(None) is True:
            yield _find(
                LintCode.UNREACHABLE_RULE,
                Severity.ERROR,
                f"tiers.risk.{rule.id}",
                "it always holds, so the rules after it are never asked",
            )
    for index, override in enumerate(policy.overrides):
        yield from _override(index, override, enabled)


def _override(index: int, override: Override, enabled: set[str]) -> Iterator[LintFinding]:
    for name, patch in override.steps.items():
        if name != "*" and name not in enabled and patch.enabled is not True:
            yield _find(
                LintCode.UNREACHABLE_RULE,
                Severity.WARNING,
                f"overrides[{index}].steps.{name}",
                f"{name} is switched off, so this changes nothing",
            )


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
