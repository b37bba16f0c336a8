"""What a policy means for one customer: steps with their ways, stages, and the days on which something may change."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.plan import NEVER, CompiledPolicy, Plan, PlanStep, compiled_policy, scaled_day
from ar_core.cadence.policy import Actor, Purpose, Tone
from tests.cadence import books as b
from tests.cadence.test_reading_policies import stage, step

ALL, EMAIL, SMS, CALL, LETTER = (
    {"when": True, "origin": "test"},
    ar.Channel.EMAIL,
    ar.Channel.SMS,
    ar.Channel.VOICE,
    ar.Channel.LETTER,
)
STAGES = [stage("early", 1, 7), stage("late", 8, None)]


def compiled(*steps: dict[str, Any], **changes: Any) -> CompiledPolicy:
    fields = {"id": "mine", "stages": STAGES, "steps": list(steps or [step()]), **changes}
    return CompiledPolicy(ar.load_policy(fields))


def plan(*steps: dict[str, Any], **changes: Any) -> Plan:
    """For a customer of whom no override asks anything."""
    return compiled(*steps, **changes).plan(SimpleNamespace())


def overridden(*steps: dict[str, Any], **changes: Any) -> Plan:
    """With one override that holds for everybody."""
    return plan(*steps, overrides=[{**ALL, **changes}])


def only(found: Plan) -> PlanStep:
    (one,) = found.by_id.values()
    return one


class TestWays:
    def test_another_way_says_what_it_says_and_for_the_rest_the_step_speaks(self) -> None:
        own: dict[str, Any] = {
            "actor": "human",
            "audience": "billing",
            "sender_role": "account_manager",
            "tone": "firm",
        }
        other = {"actor": "auto", "audience": "executive", "sender_role": "finance_lead", "tone": "formal"}
        ways = only(
            plan(step(needs=["pay_link"], alternatives=[{"channels": ["sms"], **other}, {}], **own))
        ).ways
        assert [(w.channels, w.actor, w.audience, w.sender_role, w.tone, w.needs) for w in ways] == [
            ((EMAIL,), Actor.HUMAN, ar.ContactRole.BILLING, "account_manager", Tone.FIRM, ("pay_link",)),
            ((SMS,), Actor.AUTO, ar.ContactRole.EXECUTIVE, "finance_lead", Tone.FORMAL, ()),
            ((EMAIL,), Actor.HUMAN, ar.ContactRole.BILLING, "account_manager", Tone.FIRM, ()),
        ]

    def test_a_step_without_channels_has_other_ways_only(self) -> None:
        (way,) = only(plan(step(channels=[], alternatives=[{"channels": ["letter"]}]))).ways
        assert way.channels == (LETTER,)

    @pytest.mark.parametrize("can", [True, False])
    @pytest.mark.parametrize("other", [True, False])
    def test_c15_without_the_capability_the_else_branch_is_taken_or_nothing_goes_out(
        self, can: bool, other: bool
    ) -> None:
        branch: dict[str, Any] = {"else": {"channels": ["letter"]}} if other else {}
        found = only(plan(step(capability="uses_agency", **branch), capabilities={"uses_agency": can}))
        assert found.blocked_by == (None if can or other else "uses_agency")
        assert found.fallback is (other and not can)
        assert [way.channels for way in found.ways] == [(LETTER,) if other and not can else (EMAIL,)]

    def test_without_a_capability_to_ask_for_nothing_blocks(self) -> None:
        branch: dict[str, Any] = {"else": {"channels": ["letter"]}}
        found = only(plan(step(**branch)))
        assert (found.blocked_by, found.fallback, found.ways[0].channels) == (None, False, (EMAIL,))

    def test_c15_clauses_are_withheld_whose_capability_is_not_declared(self) -> None:
        clauses = ["order_hold", "legal", "agency"]
        found = only(plan(step(clauses=clauses), capabilities={"will_pursue_legal": True}))
        assert list(found.withheld) == ["order_hold", "agency"]


class TestLadder:
    def test_steps_stand_by_their_day_and_those_that_come_again_beside_the_one_before_them(self) -> None:
        again = {"repeat_every": 7}
        found = plan(
            step("last", 30),
            step("weekly", 10, **again),
            step("first", 3),
            step("daily", 1, **again),
            step("off", 2, enabled=False),
        )
        assert [(s.id, s.index, s.repeat_every) for s in found.steps] == [
            ("first", 0, None),
            ("last", 1, None),
        ]
        assert [(s.id, s.index, s.repeat_every) for s in found.repeats] == [
            ("weekly", 0, 7),
            ("daily", -1, 7),
        ]
        assert found.ats == (3, 30)

    def test_e30_a_step_is_known_by_its_former_names_even_when_it_is_switched_off(self) -> None:
        found = plan(step("call", aliases=["phone", "ring"]), step("off", 2, enabled=False, aliases=["gone"]))
        assert found.known_steps == {
            "call": "call",
            "phone": "call",
            "ring": "call",
            "off": "off",
            "gone": "off",
        }
        assert list(found.by_id) == ["call"]

    def test_invoices_of_one_age_are_alike_where_no_step_has_a_rule_or_comes_again(self) -> None:
        assert plan(step(), step("two", 5)).is_uniform is True
        assert plan(step(), step("two", 5, when="max_dpd > 1")).is_uniform is False
        assert plan(step(), step("two", 5, repeat_every=3)).is_uniform is False

    def test_e45_a_plan_knows_whether_a_step_asks_for_quiet(self) -> None:
        assert plan(step(), step("two", 5, min_gap_after=4)).gaps is True
        assert plan(step(), step("two", 5)).gaps is False


class TestStages:
    @pytest.mark.parametrize("dpd", [-400, -1, 0, 1, 7, 8, 5000])
    @pytest.mark.parametrize("first", [None, 1, -5])
    def test_an_invoice_is_in_the_stage_of_its_age_and_in_none_before_the_first(
        self, first: int | None, dpd: int
    ) -> None:
        stages = [stage("early", first, 7), stage("late", 8, None)]
        expected = "late" if dpd >= 8 else "early" if first is None or dpd >= first else None
        assert plan(stages=stages).stage(dpd) == expected

    @pytest.mark.parametrize("first", [None, 1])
    def test_a_stage_starts_on_its_first_day_and_one_without_lower_end_on_none(
        self, first: int | None
    ) -> None:
        stages = [stage("early", first, 7), stage("mid", 8, 20), stage("late", 21, None)]
        found = plan(stages=stages)
        assert [found.stage_start(name) for name in ("early", "mid", "late")] == [first, 8, 21]

    def test_stages_compare_by_their_place(self) -> None:
        early, late = plan(stages=[stage("zz", None, 7), stage("aa", 8, None)]).stages
        assert early < "aa"
        assert late > "zz"
        assert (early.place, late.place) == (0, 1)


class TestDaysOfChange:
    def test_are_the_edges_of_steps_stages_grace_and_rules(self) -> None:
        found = plan(
            step(at=12, window=[10, 15]),
            step("on", 40, when="max_dpd >= 60 and dpd not in (70, 80)"),
            stages=[stage("early", -20, 24), stage("late", 25, None)],
            clock={"grace_days": 3},
            escalate=[
                {"rung": "order_hold", "when": "value == core", "forced_by_dpd": 90, "origin": "test"},
                {"rung": "referral", "when": "promises_not_kept > 33", "origin": "test"},
            ],
        )
        assert found.boundaries == [-20, 0, 1, 4, 10, 12, 16, 25, 40, 60, 61, 70, 71, 80, 81, 90]

    def test_whoever_asks_whether_an_age_is_known_at_all_names_no_day(self) -> None:
        assert compiled(step(when="max_dpd is not None and max_dpd > 5")).days == [5, 6]

    def test_the_next_one_is_counted_from_the_age_of_an_invoice(self) -> None:
        found = plan(step(at=12, window=[10, 15]))
        assert [found.days_to_boundary(dpd) for dpd in (-3, 9, 10, 12, 15)] == [3, 1, 2, 4, 1]
        assert found.days_to_boundary(16) == NEVER


class TestOverrides:
    def test_what_is_forced_for_every_touch_is_what_the_last_override_says_and_people_stay(self) -> None:
        manager = {**ALL, "actor": "human", "sender_role": "account_manager", "notify": ["sales", "cfo"]}
        lead = {**ALL, "actor": "auto", "sender_role": "finance_lead", "notify": ["cfo", "ceo"]}
        for last, role in ((lead, "finance_lead"), (manager, "account_manager")):
            first = manager if last is lead else lead
            found = plan(overrides=[first, last, ALL])
            assert (found.actor, found.sender_role) == (Actor.HUMAN, role)
        assert plan(overrides=[{**ALL, "actor": "ai"}, lead, ALL]).actor is Actor.AUTO
        assert plan(overrides=[manager, lead]).notify == ("sales", "cfo", "ceo")
        assert (plan().actor, plan().sender_role, plan().notify) == (None, None, ())

    def test_changes_of_every_step_give_way_to_those_of_one(self) -> None:
        found = overridden(
            step("one", 1),
            step("two", 2),
            steps={"*": {"channels": ["sms"], "notify": ["cfo"]}, "two": {"channels": ["letter"], "at": 9}},
        )
        one, two = found.by_id["one"], found.by_id["two"]
        assert (one.ways[0].channels, one.at, one.notify) == ((SMS,), 1, ("cfo",))
        assert (two.ways[0].channels, two.at, two.notify) == ((LETTER,), 9, ("cfo",))

    @pytest.mark.parametrize(
        ("channels", "only_these", "left"),
        [
            (["email", "sms", "voice"], ["voice", "email"], (EMAIL, CALL)),
            (["email", "sms"], ["letter"], (EMAIL, SMS)),
            (["email"], [], (EMAIL,)),
        ],
    )
    def test_steps_keep_the_channels_that_an_override_leaves_or_all_where_none_is_left(
        self, channels: list[str], only_these: list[str], left: tuple[ar.Channel, ...]
    ) -> None:
        found = overridden(step(channels=channels), only_channels=only_these)
        assert only(found).ways[0].channels == left

    @pytest.mark.parametrize(
        ("channels", "more", "then"),
        [
            (["email", "sms", "voice"], ["letter"], (EMAIL, SMS, LETTER, CALL)),
            (["email"], ["letter", "sms"], (LETTER, SMS, EMAIL)),
            (["email", "voice"], ["voice", "email"], (EMAIL, CALL)),
        ],
    )
    def test_more_channels_are_put_before_the_last_one(
        self, channels: list[str], more: list[str], then: tuple[ar.Channel, ...]
    ) -> None:
        assert only(overridden(step(channels=channels), add_channels=more)).ways[0].channels == then

    def test_a_step_without_channels_gets_none(self) -> None:
        found = overridden(step(channels=[], alternatives=[{"channels": ["letter"]}]), add_channels=["sms"])
        assert [way.channels for way in only(found).ways] == [(LETTER,)]

    def test_the_plan_is_chosen_by_the_customer_and_a_rule_about_one_invoice_waits_for_the_message(
        self,
    ) -> None:
        by_country = {"when": "country == DE", "only_channels": ["letter"], "origin": "test"}
        by_invoice = {"when": "dpd > 10", "add_channels": ["sms"], "origin": "test"}
        found = compiled(step(channels=["email", "letter"]), overrides=[by_invoice, by_country])
        assert [place for place, _ in found.plan_overrides] == [1]
        assert [override.when.text for override, _ in found.message_overrides] == ["dpd > 10"]
        german, other = (found.plan(SimpleNamespace(country=c)) for c in ("DE", "US"))
        assert (only(german).ways[0].channels, only(other).ways[0].channels) == ((LETTER,), (EMAIL, LETTER))

    def test_customers_for_whom_the_same_overrides_hold_share_a_plan(self) -> None:
        by_age = {"when": "max_dpd > 10", "actor": "human", "origin": "test"}
        found = compiled(overrides=[by_age])
        old, older, young = (found.plan(SimpleNamespace(max_dpd=n)) for n in (11, 12, 10))
        assert old is older
        assert (old.actor, young.actor) == (Actor.HUMAN, None)


class TestScale:
    @pytest.mark.parametrize(("day", "half"), [(-3, -3), (0, 0), (1, 0), (2, 1), (5, 2)])
    def test_c13_days_after_the_due_date_are_scaled_and_rounded_down(self, day: int, half: int) -> None:
        assert scaled_day(day, 1, 2) == half

    @pytest.mark.parametrize(
        ("at", "window", "scaled"),
        [
            (6, [4, 9], (3, 2, 4)),
            (6, [4, 8], (3, 2, 3)),
            (6, [4, None], (3, 2, None)),
            (5, [5, 5], (2, 2, 2)),
            (1, [1, 1], (0, 0, 0)),
            (-3, [-5, -1], (-3, -5, -1)),
            (-3, [-5, 0], (-3, -5, 0)),
            (-3, [-5, 3], (-3, -5, 1)),
        ],
    )
    def test_c13_windows_are_scaled_so_that_they_still_meet_and_hold_the_day(
        self, at: int, window: list[int | None], scaled: tuple[int, int, int | None]
    ) -> None:
        found = only(overridden(step(at=at, window=window), scale=[1, 2]))
        assert (found.at, found.step.window) == (scaled[0], scaled[1:])

    def test_c13_a_step_without_a_window_stays_without(self) -> None:
        found = only(overridden(step(at=7), scale=[1, 2]))
        assert (found.at, found.step.window) == (3, None)

    def test_c13_stages_are_scaled_too(self) -> None:
        stages = [stage("before", None, 0), stage("early", 1, 9), stage("late", 10, None)]
        found = plan(stages=stages, overrides=[{**ALL, "scale": [1, 2]}])
        assert [found.stage(dpd) for dpd in (-1, 0, 4, 5)] == ["before", "early", "early", "late"]


class TestCompiling:
    def test_a_policy_that_is_run_again_is_found_ready(self) -> None:
        policy = b.policy_of("balanced").model_copy()
        first = compiled_policy(policy)
        assert compiled_policy(policy) is first
        assert compiled_policy(policy.model_copy()) is not first
        assert first.content_hash == policy.content_hash

    def test_the_policy_used_last_stays_when_others_are_compiled(self) -> None:
        policies = [b.policy_of("balanced").model_copy() for _ in range(9)]
        found = [compiled_policy(policy) for policy in policies[:8]]
        assert compiled_policy(policies[0]) is found[0]
        compiled_policy(policies[8])
        assert compiled_policy(policies[0]) is found[0]
        assert compiled_policy(policies[1]) is not found[1]

    def test_the_base_is_the_plan_without_overrides(self) -> None:
        found = compiled(overrides=[{**ALL, "actor": "human"}])
        assert found.base.overrides == ()
        assert len(found.plan(None).overrides) == 1

    def test_c6_c7_what_belongs_to_a_day_is_not_caught_up(self) -> None:
        found = plan(
            step("soon", -3, window=[-5, -1], purpose="pre_due"),
            step("today", 0, window=[0, 0], purpose="due_confirmation"),
            step("late", 5),
        )
        assert [s.day_bound for s in found.steps] == [True, True, False]
        assert [s.step.purpose for s in found.steps] == [
            Purpose.PRE_DUE,
            Purpose.DUE_CONFIRMATION,
            Purpose.REMINDER,
        ]
