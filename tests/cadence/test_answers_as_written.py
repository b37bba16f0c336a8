"""Small answers, each word of them: explanations, changes of a policy, what a message must hold, and records of actions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import ar_core as ar
from ar_core.cadence.content import content_of
from ar_core.cadence.diff import compare_policies, diff_evaluations
from ar_core.cadence.explain import account_state, title
from ar_core.cadence.policy import Purpose, Tone
from ar_core.cadence.trace import trace_of
from tests.cadence import books as b
from tests.cadence.test_reading_policies import minimal, step


class TestExplanation:
    def test_an_invoice_without_stage_and_step_ends_with_the_meaning_of_its_code(self) -> None:
        evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", due_date=None))
        line = ar.explain(evaluation, invoice=b.invoice_id("i2")).splitlines()[1]
        assert line.endswith(".)")
        assert "[" not in line

    def test_a_decision_of_people_is_explained_by_what_can_be_decided(self) -> None:
        evaluation = b.run(b.invoice(dpd=80))
        (action,) = [a for a in evaluation.actions if a.kind is ar.ActionKind.DECISION]
        text = ar.explain(evaluation, customer=b.customer_id())
        assert f"action {action.key[:8]}: {title(action)}, by " in text
        assert title(action).startswith("decide: ")

    def test_a_contact_is_explained_by_the_name_of_its_step(self) -> None:
        evaluation = b.run(b.invoice(dpd=40), policy="risk_4")
        action = b.only_touch(evaluation)
        text = ar.explain(evaluation, customer=b.customer_id())
        assert f"action {action.key[:8]}: risk_call by voice, by Ann Lee" in text

    def test_a_rule_that_decides_by_several_features_tells_each(self) -> None:
        override = {
            "when": "country == 'US' and currency == 'USD'",
            "notify": ["cfo"],
            "origin": "our own",
        }
        policy = b.changed("balanced", overrides=[override], tiers={"risk": []})
        text = ar.explain(b.run(b.invoice(dpd=9), policy=policy), invoice=b.invoice_id())
        assert (
            "\n  overrides: applies (when country == 'US' and currency == 'USD'; "
            "because country == US (is US); currency == USD (is USD); origin our own)\n"
        ) in text

    def test_a_rule_without_features_names_no_cause_and_still_its_origin(self) -> None:
        override = {"when": True, "notify": ["cfo"], "origin": "our own"}
        policy = b.changed("balanced", overrides=[override], tiers={"risk": []})
        text = ar.explain(b.run(b.invoice(dpd=9), policy=policy), invoice=b.invoice_id())
        assert "\n  overrides: applies (when True; origin our own)\n" in text

    def test_what_was_found_is_not_found_again_and_what_came_from_elsewhere_is(self) -> None:
        evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9, "c2"))
        first = b.customer_id("c1")
        held = account_state(evaluation, first)
        result = evaluation.decisions.results[first]
        assert account_state(evaluation, first) is result.state or result.state is None
        result.state = None
        again = account_state(evaluation, first)
        assert again is not held
        assert trace_of(again) == trace_of(held)
        assert again.facts.customer is not None
        assert again.facts.customer.id == first


class TestChanges:
    def test_several_messages_of_a_customer_are_told_in_one_line(self) -> None:
        policy = b.changed("balanced", grouping={"by": "invoice"}, limits={"max_customer_actions_per_run": 2})
        book = b.book(b.invoice("i1", 9), b.invoice("i2", 22))
        grouped = b.run(book)
        apart = b.run(book, policy=policy)
        (change,) = diff_evaluations(grouped, apart).changes
        assert change.after == "call voice either; demand email auto"

    def test_who_stands_in_no_segment_is_counted_as_none(self) -> None:
        first, second = b.run(b.invoice(dpd=1)), b.run(b.invoice(dpd=9))
        unknown = ar.Evaluation.model_validate({**second.model_dump(mode="json"), "segments": []})
        found = diff_evaluations(first, unknown)
        assert [change.segment for change in found.changes] == ["none"]
        assert list(found.by_segment) == ["none"]

    def test_lists_without_names_are_compared_place_by_place(self) -> None:
        before, after = (
            b.changed(
                "balanced",
                steps=[{"id": "first", "alternatives": [{"channels": ["sms"]}, {"channels": [channel]}]}],
            )
            for channel in ("letter", "voice")
        )
        (found,) = compare_policies(before, after)
        assert (found.path, found.before, found.after) == (
            "steps.first.alternatives.1.channels",
            ["letter"],
            ["voice"],
        )


class TestContent:
    def test_r16_r28_without_a_link_somebody_to_ask_and_nothing_attached_that_was_not_asked_for(self) -> None:
        plain = b.invoice(payment_link=None, has_pdf=True)
        found = content_of(Purpose.REMINDER, (), ar.Channel.EMAIL, Tone.FIRM, plain)
        assert found == (
            "invoice_number",
            "amount_due",
            "due_date",
            "subject_has_identifier",
            "billing_contact",
        )
        no_pdf = b.invoice(has_pdf=False)
        attached = content_of(Purpose.REMINDER, ("invoice",), ar.Channel.LETTER, Tone.FIRM, no_pdf)
        assert attached == ("invoice_number", "amount_due", "due_date", "payment_link")


class TestRecords:
    def test_e28_a_message_goes_on_record_for_each_invoice_with_its_step_and_the_state_of_its_due_date(
        self,
    ) -> None:
        evaluation = b.run(b.invoice("i1", 22, due_version=3), b.invoice("i2", 9))
        action = b.only_touch(evaluation)
        at = evaluation.as_of + timedelta(hours=1)
        record = action.record(at)
        assert [(c.invoice_id, c.step, c.due_version) for c in record.covers] == [
            (b.invoice_id("i1"), "call", 3),
            (b.invoice_id("i2"), "demand", 0),
        ]
        assert (record.direction, record.at, record.step) == (ar.Direction.OUTBOUND, at, "call")

    def test_e28_what_is_done_inside_goes_on_record_as_inside(self) -> None:
        evaluation = b.run(b.invoice(dpd=80))
        kinds = {action.kind: action.record(evaluation.as_of).direction for action in evaluation.actions}
        assert kinds[ar.ActionKind.DECISION] is ar.Direction.INTERNAL
        assert ar.Direction.OUTBOUND not in kinds.values()


class TestLoading:
    def test_a_preset_on_another_one_is_called_by_its_name_without_a_version_too(self) -> None:
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy("xero_parity", preset="balanced")
        assert caught.value.source == "xero_parity"

    def test_a_preset_with_its_version_is_not_the_file_of_that_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "balanced@1").write_text("id = 'mine'", encoding="utf-8")
        assert ar.load_policy("balanced@1").ref == "balanced@1"

    def test_hours_that_there_are_not_are_told_with_the_policy(self) -> None:
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy({**minimal(steps=[step()]), "hours": "us"})
        assert caught.value.source == "mine"
