"""Which message goes out, whom it covers, who signs it, and what becomes of the rest of the account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.policy import Actor, Tone
from ar_core.calendar import wall_time
from tests.cadence import books as b

TOMORROW = b.TODAY + timedelta(days=1)
ONE_EACH = {"by": "invoice"}
HEAD = b.changed(
    "balanced",
    steps=[
        {
            "id": "demand",
            "audience": "department_head",
            "attach": [],
            "clauses": ["agency"],
            "tone": "friendly",
        }
    ],
)
"""The demand goes to the head of the department, attaches nothing, and would name an agency if there were one."""


def most(count: int, **changes: Any) -> ar.Policy:
    return b.changed("balanced", limits={"max_customer_actions_per_run": count}, **changes)


def covered(action: ar.Action) -> list[tuple[str, str | None]]:
    return [(c.invoice_id.rsplit(":", 1)[1], c.step) for c in action.covers]


class TestAsManyAsARunAllows:
    INVOICES = tuple(b.invoice(f"i{n}", 8 + n) for n in range(1, 6))

    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_the_rest_waits_for_tomorrow_and_is_part_of_nothing(self, count: int) -> None:
        found = b.run(*self.INVOICES, policy=most(count, grouping=ONE_EACH))
        assert [covered(a) for a in b.touches_of(found)] == [[(f"i{5 - n}", "demand")] for n in range(count)]
        rest = [b.of(found, f"i{n}") for n in range(1, 6 - count)]
        assert {(d.kind, d.code, d.until, d.step, d.action_key) for d in rest} == {
            (ar.DispositionKind.WAIT, ar.Code.RUN_CAP, TOMORROW, "demand", None)
        }

    def test_one_that_cannot_be_sent_takes_no_room(self) -> None:
        """The oldest invoice asks for a letter, for which there is no address; the next one's e-mail goes out."""
        letters = b.changed(
            "balanced",
            grouping=ONE_EACH,
            steps=[{"id": "call", "channels": ["letter"]}],
            overrides=[],
        )
        nowhere = b.contact(postal=None)
        found = b.run(b.invoice("i1", 30), b.invoice("i2", 9), nowhere, policy=letters)
        assert covered(b.only_touch(found)) == [("i2", "demand")]
        assert b.of(found, "i1").code is ar.Code.NO_ADDRESS


class TestWhoSharesAMessage:
    def test_sellers_share_one_where_the_policy_says_so(self) -> None:
        invoices = [b.invoice(f"i{n}", 9 + n, subsidiary_id=f"s{n % 2}") for n in range(1, 5)]
        apart = b.run(*invoices, policy=most(9))
        assert [covered(a) for a in b.touches_of(apart)] == [
            [("i4", "demand"), ("i2", "demand")],
            [("i3", "demand"), ("i1", "demand")],
        ]
        together = b.run(*invoices, policy=most(9, grouping={"split_by_subsidiary": False}))
        assert covered(b.only_touch(together)) == [(f"i{n}", "demand") for n in (4, 3, 2, 1)]

    def test_the_larger_of_two_equally_old_leads_for_each_seller(self) -> None:
        pairs = [
            b.invoice(f"i{n}", 9, subsidiary_id=f"s{n % 2}", balance_due=Decimal(10 * n), total=Decimal(90))
            for n in range(1, 5)
        ]
        found = b.run(*pairs, policy=most(9))
        assert [covered(a) for a in b.touches_of(found)] == [
            [("i4", "demand"), ("i2", "demand")],
            [("i3", "demand"), ("i1", "demand")],
        ]

    def test_after_the_lead_come_the_others_by_age(self) -> None:
        found = b.run(b.invoice("i1", 15), b.invoice("i2", 9), b.invoice("i3", 12))
        assert covered(b.only_touch(found)) == [("i1", "demand"), ("i3", "demand"), ("i2", "demand")]

    @pytest.mark.parametrize(
        ("include", "listed"),
        [("all_open", ["i1", "i2", "i3"]), ("overdue_only", ["i1", "i2"]), ("due_steps_only", ["i1"])],
    )
    def test_without_a_step_of_its_own_it_is_listed_where_the_policy_says_so(
        self, include: str, listed: list[str]
    ) -> None:
        """Of two later invoices one went through its step already, the other is not due yet."""
        done = b.touch("t1", ago=6, step="demand", covers=("i2",))
        policy = b.changed("balanced", grouping={"include": include})
        found = b.run(b.invoice("i1", 30), b.invoice("i2", 15), b.invoice("i3", -20), done, policy=policy)
        touch = b.only_touch(found)
        assert covered(touch) == [(name, "call" if name == "i1" else None) for name in listed]
        for name in ("i2", "i3"):
            said = b.of(found, name)
            assert said.action_key == (touch.key if name in listed else None)
            assert (ar.Code.PRESENCE_ONLY in said.codes) is (name in listed)

    def test_in_its_grace_it_is_listed_without_its_step(self) -> None:
        grace = b.changed("balanced", clock={"grace_days": 12})
        found = b.run(b.invoice("i1", 30), b.invoice("i2", 9), policy=grace)
        assert covered(b.only_touch(found)) == [("i1", "call"), ("i2", None)]
        assert b.of(found, "i2").code is ar.Code.GRACE_DAYS

    LEGAL = b.changed("balanced", capabilities={"will_pursue_legal": True})

    def test_one_that_is_further_than_the_lead_is_listed_and_waits_for_tomorrow(self) -> None:
        """The demand never went out for the oldest invoice, and opens again; the other one would be called about."""
        found = b.run(b.invoice("i1", 50), b.invoice("i2", 30), policy=self.LEGAL)
        assert covered(b.only_touch(found)) == [("i1", "demand"), ("i2", None)]
        said = b.of(found, "i2")
        assert (said.kind, said.code, said.until) == (ar.DispositionKind.WAIT, ar.Code.RUN_CAP, TOMORROW)
        assert (said.step, said.codes) == ("call", (ar.Code.PRESENCE_ONLY,))

    def test_a_step_that_opens_again_rides_along_after_its_window(self) -> None:
        sent = b.touch("t1", ago=20, step="demand", covers=("i1",))
        found = b.run(b.invoice("i1", 59), b.invoice("i2", 50), sent, policy=self.LEGAL)
        assert covered(b.only_touch(found)) == [("i1", "letter"), ("i2", "demand")]


class TestWhoWrites:
    RULES = (
        {"when": "dpd >= 90", "sender_role": "nobody", "origin": "test"},
        {"when": "dpd >= 9", "sender_role": "finance_lead", "actor": "human", "origin": "test"},
        {"when": "total >= 1", "add_channels": ["letter"], "origin": "test"},
    )

    def found(self, *rules: dict[str, Any], dpd: int = 9, **changes: Any) -> ar.Action:
        policy = b.changed("balanced", overrides=list(rules), **changes)
        return b.only_touch(b.run(b.invoice("i1", dpd), policy=policy))

    def test_the_role_of_an_override_signs_and_a_person_sends(self) -> None:
        said = self.found(*self.RULES)
        assert (said.sender_role, said.sender, said.actor) == ("finance_lead", "Bo Diaz", Actor.HUMAN)
        assert ar.Code.HUMAN_ONLY in said.reasons
        assert (said.channel, said.fallbacks) == (ar.Channel.LETTER, (ar.Channel.EMAIL,))

    def test_one_that_does_not_hold_changes_nothing(self) -> None:
        said = self.found(*self.RULES, dpd=8)
        assert (said.sender_role, said.sender, said.actor) == (None, None, Actor.AUTO)
        assert ar.Code.HUMAN_ONLY not in said.reasons
        assert ar.Code.NO_NAMED_HUMAN not in said.reasons

    def test_a_later_one_takes_the_role_of_an_earlier_one_only_when_it_names_one(self) -> None:
        later = {"when": "dpd >= 9", "notify": ["sales"], "origin": "test"}
        said = self.found(self.RULES[1], later)
        assert (said.sender_role, said.actor) == ("finance_lead", Actor.HUMAN)

    def test_who_is_not_known_by_name_is_told(self) -> None:
        said = self.found({"when": "dpd >= 9", "sender_role": "clerk", "origin": "test"})
        assert (said.sender_role, said.sender) == ("clerk", None)
        assert ar.Code.NO_NAMED_HUMAN in said.reasons

    def test_a_rule_that_the_account_alone_fulfils_counts_for_every_invoice(self) -> None:
        said = self.found({"when": "country == 'US' or dpd >= 90", "sender_role": "clerk", "origin": "test"})
        assert said.sender_role == "clerk"

    def test_the_account_manager_is_who_the_profile_names(self) -> None:
        said = self.found(dpd=30)
        assert (said.step, said.sender_role, said.sender) == ("call", "account_manager", "Ann Lee")
        assert ar.Code.NO_NAMED_HUMAN not in said.reasons


class TestChannelsOfAnOverride:
    STEP: Mapping[str, Any] = {
        "id": "call",
        "channels": ["voice", "letter", "email"],
        "alternatives": [{"channels": ["letter"]}],
    }

    def found(self, rule: dict[str, Any], **contact: Any) -> ar.Action:
        policy = b.changed("balanced", overrides=[{"origin": "test", **rule}], steps=[self.STEP])
        return b.only_touch(b.run(b.invoice("i1", 30), b.contact(**contact), policy=policy))

    def test_only_some_are_left_in_the_order_of_the_step(self) -> None:
        said = self.found({"when": "dpd >= 1", "only_channels": ["email", "letter"]})
        assert (said.channel, said.fallbacks) == (ar.Channel.LETTER, (ar.Channel.EMAIL,))

    def test_where_none_would_be_left_the_step_keeps_its_own(self) -> None:
        said = self.found({"when": "dpd >= 1", "only_channels": ["whatsapp"]})
        assert (said.channel, said.fallbacks) == (ar.Channel.VOICE, (ar.Channel.LETTER, ar.Channel.EMAIL))

    def test_one_more_comes_before_the_last(self) -> None:
        said = self.found({"when": "dpd >= 1", "add_channels": ["whatsapp"]}, phone=None, mobile=None)
        assert (said.channel, said.fallbacks) == (ar.Channel.LETTER, (ar.Channel.WHATSAPP, ar.Channel.EMAIL))

    def test_where_the_step_is_carried_out_otherwise_it_changes_that(self) -> None:
        """No letter without a lawyer: who calls instead may write a message, too."""
        rule = {"when": "dpd >= 1", "add_channels": ["whatsapp"], "origin": "test"}
        sent = b.touch("t1", ago=20, step="demand", covers=("i1",))
        found = b.run(b.invoice("i1", 50), sent, policy=b.changed("balanced", overrides=[rule]))
        said = b.only_touch(found)
        assert (said.channel, said.fallbacks) == (ar.Channel.VOICE, (ar.Channel.WHATSAPP, ar.Channel.EMAIL))

    def test_the_other_ways_of_the_step_stay(self) -> None:
        said = self.found({"when": "dpd >= 1", "only_channels": ["voice"]}, phone=None, mobile=None)
        assert said.channel is ar.Channel.LETTER

    def test_and_who_carries_it_out(self) -> None:
        rule = {"when": "dpd >= 1", "only_channels": ["email"]}
        said = self.found(rule)
        assert (said.actor, said.tone, said.sender_role) == (Actor.EITHER, Tone.FIRM, "account_manager")


class TestToneAndHours:
    def test_without_a_tone_of_its_own_a_step_has_that_of_the_stage(self) -> None:
        policy = b.changed("balanced", steps=[{"id": "demand", "tone": None}])
        assert b.only_touch(b.run(b.invoice("i1", 9), policy=policy)).tone is Tone.DIRECT

    def test_before_the_first_stage_it_is_friendly(self) -> None:
        stages = [{"id": "late", "from": 30, "tone": "firm", "origin": "test"}]
        step = {"id": "only", "at": 3, "channels": ["email"], "origin": "test"}
        policy = ar.load_policy({"schema": "cadence-policy/1", "id": "p", "stages": stages, "steps": [step]})
        said = b.only_touch(b.run(b.invoice("i1", 9), policy=policy))
        assert (said.stage, said.tone) == (None, Tone.FRIENDLY)

    def test_a_step_of_another_policy_on_record_changes_no_tone(self) -> None:
        heard = b.touch("t1", ago=9, step="of_long_ago", covers=("i1",))
        assert b.only_touch(b.run(b.invoice("i1", 9), heard)).tone is Tone.DIRECT

    def test_it_goes_out_in_the_hours_of_who_is_written_to(self) -> None:
        far = b.contact(time_zone="Asia/Tokyo")
        said = b.only_touch(b.run(b.invoice("i1", 9), far))
        clock = b.policy_of("balanced").clock
        assert said.not_before == wall_time(TOMORROW, clock.not_before, "Asia/Tokyo")
        assert said.not_after == wall_time(TOMORROW, clock.not_after, "Asia/Tokyo")


class TestWhatIsTold:
    def test_a_pdf_that_is_missing_is_told_where_one_is_attached(self) -> None:
        assert b.only_touch(b.run(b.invoice("i1", 9, has_pdf=False))).reasons[-1] is ar.Code.PDF_MISSING

    def test_one_that_is_there_is_not(self) -> None:
        assert ar.Code.PDF_MISSING not in b.only_touch(b.run(b.invoice("i1", 9))).reasons

    def test_nor_one_of_which_nothing_is_known(self) -> None:
        assert ar.Code.PDF_MISSING not in b.only_touch(b.run(b.invoice("i1", 9, has_pdf=None))).reasons

    def test_nor_where_none_is_attached(self) -> None:
        head = b.contact(name="head", role=ar.ContactRole.DEPARTMENT_HEAD)
        found = b.run(b.invoice("i1", 9, has_pdf=False), head, policy=HEAD)
        assert ar.Code.PDF_MISSING not in b.only_touch(found).reasons

    def test_the_seller_whom_it_is_for_and_what_it_has_to_say(self) -> None:
        head = b.contact(name="head", role=ar.ContactRole.DEPARTMENT_HEAD)
        said = b.only_touch(b.run(b.invoice("i1", 9, subsidiary_id="s1"), head, policy=HEAD))
        assert (said.subsidiary_id, said.audience) == ("s1", ar.ContactRole.DEPARTMENT_HEAD)
        assert said.content_requirements[:4] == (
            "invoice_number",
            "amount_due",
            "due_date",
            "good_faith_opening",
        )
        assert ar.Code.CLAUSE_WITHHELD in said.reasons
        assert said.clauses == ()

    def test_a_step_that_opens_again_says_so_and_an_ordinary_one_does_not(self) -> None:
        policy = b.changed("balanced", capabilities={"will_pursue_legal": True})
        again = b.only_touch(b.run(b.invoice("i1", 50), policy=policy))
        assert again.step == "demand"
        assert ar.Code.REQUIRED_STEP_REOPENED in again.reasons
        plain = b.only_touch(b.run(b.invoice("i1", 9), policy=policy))
        assert plain.reasons == (ar.Code.STEP_DUE, ar.Code.SUPERSEDED)
        assert plain.superseded == ("first",)
        assert b.only_touch(b.run(b.invoice("i1", 3), policy=policy)).reasons == (ar.Code.STEP_DUE,)

    def test_a_step_that_failed_is_counted_by_its_invoice_and_its_name(self) -> None:
        failed = [
            b.touch(f"t{n}", ago=9 - n, step=step, covers=("i1",), outcome=ar.TouchOutcome.FAILED)
            for n, step in enumerate(("demand", "demand", "first"))
        ]
        said = b.only_touch(b.run(b.invoice("i1", 11), b.invoice("i2", 9), *failed))
        assert (said.lead_invoice_id, said.occurrence) == (b.invoice_id("i1"), 2)


class TestDecisionsAndSteps:
    def test_an_internal_step_is_no_decision(self) -> None:
        step = {"id": "demand", "kind": "internal", "channels": []}
        found = b.run(b.invoice("i1", 9), b.invoice("i2", 10), policy=b.changed("balanced", steps=[step]))
        action = found.actions[0]
        assert (action.kind, action.code, action.step) == (ar.ActionKind.INTERNAL, ar.Code.STEP_DUE, "demand")
        for name in ("i1", "i2"):
            said = b.of(found, name)
            assert (said.kind, said.action_key) == (ar.DispositionKind.ACTION, action.key)

    def test_a_decision_tells_the_roles_of_step_and_plan_once(self) -> None:
        step = {"id": "decide", "notify": ["sales", "account_manager"]}
        found = b.run(b.invoice("i1", 80), value="strategic", policy=b.changed("balanced", steps=[step]))
        action = next(a for a in found.actions if a.step == "decide")
        assert (action.kind, action.code) == (ar.ActionKind.DECISION, ar.Code.DECISION_REQUIRED)
        assert action.notify == ("sales", "account_manager")
        assert b.of(found).action_key == action.key

    def test_money_on_account_holds_a_step_that_waited_for_an_answer_first(self) -> None:
        asked = b.touch(
            "t2", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.COPY_REQUESTED, covers=("i1",)
        )
        limit = b.changed("balanced", limits={"min_invoice": {"USD": 500}})
        found = b.run(b.invoice("i1", 9), b.invoice("i2", 9), asked, policy=limit)
        assert b.only_touch(found).step == "send_copy"
        assert b.of(found, "i2").code is ar.Code.BELOW_THRESHOLD

    def test_what_was_answered_keeps_its_answer(self) -> None:
        asked = b.touch(
            "t2", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.COPY_REQUESTED, covers=("i1",)
        )
        found = b.run(b.invoice("i1", 9), b.invoice("i2", 9), asked, policy=most(9))
        copy = next(a for a in b.touches_of(found) if a.step == "send_copy")
        assert covered(copy) == [("i1", "send_copy")]
        assert b.of(found, "i1").action_key == copy.key
