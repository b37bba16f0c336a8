"""Where a policy comes from, what it inherits, and the exact words in which a wrong one is refused, with the place in it."""

from __future__ import annotations

import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence import PRESETS, policy_json_schema, preset_text
from ar_core.cadence.policy import IntentRule
from ar_core.model.activity import Intent
from tests.cadence import books as b


def step(name: str = "one", at: int = 1, **changes: Any) -> dict[str, Any]:
    return {"id": name, "at": at, "channels": ["email"], "origin": "test", **changes}


def stage(name: str, start: int | None, end: int | None) -> dict[str, Any]:
    ends = {"from": start, "to": end}
    return {"id": name, "origin": "test", **{key: day for key, day in ends.items() if day is not None}}


def minimal(**changes: Any) -> dict[str, Any]:
    return {"id": "mine", "stages": [stage("all", None, None)], "steps": [step()], **changes}


def problems(source: Any, **options: Any) -> tuple[tuple[str, str], ...]:
    with pytest.raises(ar.PolicyError) as caught:
        ar.load_policy(source, **options)
    return caught.value.problems


class TestTheError:
    def test_lists_each_problem_with_its_place(self) -> None:
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy(
                minimal(colour=1, steps=[step(), step("two", channels=["pigeon"], urgency="soon")])
            )
        error = caught.value
        assert error.source == "mine"
        assert [path for path, _ in error.problems] == [
            "steps[1] (two).channels[0]",
            "steps[1] (two).urgency",
            "colour",
        ]
        lines = str(error).splitlines()
        assert lines[0] == "the policy mine cannot be used:"
        assert lines[2] == "  steps[1] (two).urgency: Input should be 'normal' or 'high'"
        assert lines[3].startswith("  colour: there is no such setting; known are capabilities, catch_up, ")

    def test_what_concerns_the_whole_has_no_place(self) -> None:
        error = ar.PolicyError("x", (("", "one"), ("a.b", "two")))
        assert str(error) == "the policy x cannot be used:\n  one\n  a.b: two"

    def test_it_can_be_sent_to_another_process(self) -> None:
        error = ar.PolicyError("x", (("a", "one"),))
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), again.source, again.problems, str(again)) == (
            type(error),
            "x",
            (("a", "one"),),
            str(error),
        )

    def test_data_without_an_id_is_called_what_it_is(self) -> None:
        with pytest.raises(ar.PolicyError, match="the policy given as data cannot be used"):
            ar.load_policy({})

    def test_places_inside_rows_that_are_none(self) -> None:
        assert problems(minimal(steps=5)) == (("steps", "Input should be a list"),)
        assert problems(minimal(steps=["call"]))[0][0] == "steps[0]"
        assert (
            problems(minimal(tiers={"risk": [{"when": "max_dpd > 1", "origin": "x"}]}))[0][0]
            == "tiers.risk[0].id"
        )


class TestPresets:
    def test_balanced_is_the_default(self) -> None:
        assert ar.load_policy().ref == "balanced@1"
        assert ar.load_policy() is ar.load_policy("balanced")

    def test_an_unknown_name_says_what_there_is(self) -> None:
        there = f"no preset of that name; there are {', '.join(PRESETS)}"
        for load in (ar.load_policy, preset_text):
            with pytest.raises(ar.PolicyError) as caught:
                load("bold")
            assert caught.value.source == "'bold'"
            assert caught.value.problems == (("", there),)
        assert problems({"id": "mine", "extends": "bold@2"}) == (("extends", there),)
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy({"id": "mine", "extends": {"extends": "bold"}})
        assert (caught.value.source, caught.value.problems) == ("mine", (("extends.extends", there),))

    def test_an_unknown_version_says_which_there_is(self) -> None:
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy("balanced@7")
        assert caught.value.source == "'balanced@7'"
        assert caught.value.problems == (("", "balanced is shipped in version 1, not 7"),)

    def test_names_with_a_dot_or_a_slash_are_files(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("balanced.toml", "sub/balanced", "nothing.toml"):
            with pytest.raises(OSError, match="No such file"):
                ar.load_policy(name)
        (tmp_path / "own").write_text("id = 'mine'", encoding="utf-8")
        assert problems("own") == (("", "a file without a suffix is not read; use .toml, .json or .yaml"),)
        (tmp_path / "balanced").write_text("id = 'mine'", encoding="utf-8")
        assert ar.load_policy("balanced").ref == "balanced@1"


class TestFiles:
    def test_kinds_that_are_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "policy.ini"
        path.write_text("", encoding="utf-8")
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy(path)
        assert caught.value.source == str(path)
        assert caught.value.problems == (("", ".ini is not read; use .toml, .json or .yaml"),)

    @pytest.mark.parametrize(
        ("name", "text"), [("a.json", "[1]"), ("a.yaml", "- 1\n"), ("a.yml", "- 1\n"), ("a.JSON", "[1]")]
    )
    def test_a_policy_is_a_table(self, tmp_path: Path, name: str, text: str) -> None:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy(str(path))
        assert caught.value.source == str(path)
        assert caught.value.problems == (("", "a policy is a table of settings; got a list"),)

    def test_what_cannot_be_parsed_is_told_in_the_parsers_words(self, tmp_path: Path) -> None:
        path = tmp_path / "a.toml"
        path.write_text("id = ", encoding="utf-8")
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy(path)
        assert caught.value.source == str(path)
        ((place, message),) = caught.value.problems
        assert place == ""
        assert message.startswith("Invalid value")

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.toml", 'id = "mine"\ndescription = "für Köln"\n[limits]\nmin_customer = {USD = 0.1}\n'),
            (
                "a.json",
                '{"id": "mine", "description": "für Köln", "limits": {"min_customer": {"USD": 0.10}}}',
            ),
            ("a.yml", "id: mine\ndescription: für Köln\nlimits: {min_customer: {USD: 0.1}}\n"),
        ],
    )
    def test_text_is_utf8_and_numbers_are_exact(self, tmp_path: Path, name: str, text: str) -> None:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        policy = ar.load_policy(path, preset="balanced")
        assert policy.description == "für Köln"
        assert policy.limits.min_customer == {"USD": Decimal("0.1")}

    def test_a_problem_in_a_file_names_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.toml"
        path.write_text('id = "mine"\nextends = "balanced"\ncolour = 1\n', encoding="utf-8")
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy(path)
        assert caught.value.source == str(path)

    def test_floats_in_data_are_read_as_they_are_written(self) -> None:
        found = b.changed("balanced", tiers={"value": {"strategic": 0.1, "core": 0.7}})
        assert found.tiers.value.strategic == Decimal("0.1")
        assert found.tiers.value.core == Decimal("0.7")


class TestInheritance:
    def test_who_a_policy_is_is_not_inherited(self) -> None:
        found = ar.load_policy({"id": "mine", "extends": "balanced"})
        assert (found.id, found.version, found.family, found.description) == ("mine", 1, None, "")
        assert found.key_family == "mine"
        parent = minimal(id="theirs", version=4, family="old", description="of theirs")
        found = ar.load_policy({"id": "mine", "extends": parent})
        assert (found.id, found.version, found.family, found.description) == ("mine", 1, None, "")
        assert problems({"extends": parent}) == (("id", "Field required"),)

    def test_a_family_is_what_keys_are_made_of(self) -> None:
        assert ar.load_policy(minimal(family="old")).key_family == "old"

    def test_tables_are_merged_key_by_key_and_lists_replaced(self) -> None:
        parent = minimal(limits={"min_gap_days": 9, "max_touches_per_7d": 4}, clock={"grace_days": 2})
        own = {
            "id": "mine",
            "extends": parent,
            "limits": {"min_gap_days": 5},
            "clock": {"contact_zone": ["org"]},
        }
        found = ar.load_policy(own)
        assert (found.limits.min_gap_days, found.limits.max_touches_per_7d) == (5, 4)
        assert (found.clock.grace_days, found.clock.contact_zone) == (2, ("org",))

    def test_steps_are_merged_by_id_and_can_be_removed(self) -> None:
        parent = minimal(steps=[step("one", 1), step("two", 5)])
        own = {"id": "mine", "extends": parent, "steps": [{"id": "two", "at": 6}, step("three", 9)]}
        found = ar.load_policy({**own, "remove_steps": ["one"]})
        assert [(s.id, s.at) for s in found.steps] == [("two", 6), ("three", 9)]
        assert [
            s.id
            for s in ar.load_policy(minimal(steps=[step("one"), step("two")], remove_steps=["one"])).steps
        ] == ["two"]

    def test_eight_policies_deep_and_no_deeper(self) -> None:
        def chain(length: int) -> dict[str, Any]:
            data = minimal(id="root")
            for number in range(length):
                data = {"id": f"p{number}", "extends": data}
            return data

        assert ar.load_policy(chain(8)).id == "p7"
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy(chain(9))
        assert caught.value.source == "p8"
        assert caught.value.problems == (("extends", "policies extend each other more than 8 deep"),)
        shallow: dict[str, Any] = {"id": "x", "extends": "balanced"}
        for _ in range(7):
            shallow = {"id": "x", "extends": shallow}
        assert ar.load_policy(shallow).id == "x"
        assert problems({"id": "x", "extends": shallow})[0][0] == "extends"

    def test_only_a_preset_or_a_table_can_be_extended(self) -> None:
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy({"id": "mine", "extends": 5})
        assert caught.value.source == "mine"
        assert caught.value.problems == (("extends", "name a preset, for example 'balanced@1'"),)

    def test_what_it_extends_itself_wins_over_the_default(self) -> None:
        found = ar.load_policy({"id": "mine", "extends": "risk_4"}, preset="funnel_5")
        assert [s.id for s in found.steps] == [s.id for s in b.policy_of("risk_4").steps]
        own = ar.load_policy(minimal())
        assert [s.id for s in own.steps] == ["one"]


OTHERWISE = {"id": "rest", "otherwise": True, "origin": "x"}


class TestWholePoliciesThatContradictThemselves:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"steps": [step(), step()]}, "steps: two of them are called 'one'"),
            ({"steps": [step(), step("two", aliases=["one"])]}, "steps: two of them are called 'one'"),
            (
                {"stages": [stage("a", None, 5), stage("a", 6, None)]},
                "stages: two of them are called 'a'",
            ),
            ({"steps": [step(requires=["zero"])]}, "steps.one.requires names 'zero', which is no step"),
            (
                {"steps": [step(requires=["two"]), step("two", requires=["one"])]},
                "steps require each other in a circle: one -> two -> one",
            ),
            (
                {"stages": [stage("a", None, 5), stage("b", None, None)]},
                "stages.b: only the first stage may leave out `from`",
            ),
            (
                {"stages": [stage("a", None, None), stage("b", 6, None)]},
                "stages.a: only the last stage may leave out `to`",
            ),
            (
                {"stages": [stage("a", None, 5), stage("b", 7, None)]},
                "stages a and b leave a gap or overlap: a ends on 5, b starts on 7",
            ),
            (
                {"overrides": [{"when": True, "steps": {"*": {}, "nine": {"at": 1}}, "origin": "x"}]},
                "overrides[0].steps names 'nine', which is no step",
            ),
            (
                {"pauses": {"promise_approval_from": "late"}},
                "pauses.promise_approval_from names 'late', which is no stage",
            ),
            (
                {"tiers": {"risk": [{**OTHERWISE, "id": "a"}, {**OTHERWISE, "id": "a"}]}},
                "tiers.risk: two of them are called 'a'",
            ),
            (
                {"tiers": {"risk": [{"id": "a", "when": "max_dpd > 1", "origin": "x"}]}},
                "tiers.risk must be total: the last rule says `otherwise = true` (C9)",
            ),
            (
                {"tiers": {"risk": [OTHERWISE, {**OTHERWISE, "id": "b"}]}},
                "tiers.risk.rest: nothing after `otherwise` can be reached; put it last",
            ),
        ],
    )
    def test_are_refused_in_these_words(self, changes: dict[str, Any], message: str) -> None:
        assert problems(minimal(**changes)) == (("", message),)

    def test_a_first_stage_may_begin_somewhere(self) -> None:
        assert ar.load_policy(minimal(stages=[stage("a", 5, None)])).stages[0].from_day == 5
        first, second = ar.load_policy(minimal(stages=[stage("a", None, 5), stage("b", 6, 9)])).stages
        assert (first.to_day, second.from_day) == (5, 6)

    def test_a_stage_of_the_policy_can_need_approval(self) -> None:
        policy = ar.load_policy(minimal(pauses={"promise_approval_from": "all"}))
        assert policy.pauses.promise_approval_from == "all"

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"tiers": {"risk": [{"id": "a", "when": "dpd > 1", "origin": "x"}, OTHERWISE]}}, "tiers.risk.a"),
            (
                {"tiers": {"risk": [{"id": "a", "when": True, "gap": "dpd > 1", "origin": "x"}, OTHERWISE]}},
                "tiers.risk.a.gap",
            ),
            ({"escalate": [{"rung": "personal", "when": "dpd > 1", "origin": "x"}]}, "escalate[0].when"),
            (
                {"overrides": [{"when": "dpd > 1", "scale": [1, 2], "origin": "x"}]},
                "overrides[0].when",
            ),
        ],
    )
    def test_rules_about_customers_may_not_ask_for_one_invoice(
        self, changes: dict[str, Any], path: str
    ) -> None:
        ((_, message),) = problems(minimal(**changes))
        assert message == f"{path}: dpd belongs to one invoice and cannot be used here"

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"steps": [step(when="color == 1")]}, "steps.one.when"),
            (
                {"notices": [{"id": "n", "when": "color == 1", "to": ["ann"], "origin": "x"}]},
                "notices.n.when",
            ),
            (
                {"overrides": [{"when": "color == 1", "add_channels": ["sms"], "origin": "x"}]},
                "overrides[0].when",
            ),
        ],
    )
    def test_a_rule_with_an_unknown_feature_is_named(self, changes: dict[str, Any], path: str) -> None:
        ((_, message),) = problems(minimal(**changes))
        assert message.startswith(
            f"{path}: 'color' is no feature; known are balance, balance_base, balance_trend"
        )

    @pytest.mark.parametrize(
        "rule",
        [
            {"steps": [step(when="dpd > 1 and stage == all")]},
            {"notices": [{"id": "n", "when": "dpd > 1", "to": ["ann"], "origin": "x"}]},
            {"overrides": [{"when": "dpd > 1", "add_channels": ["sms"], "origin": "x"}]},
        ],
    )
    def test_rules_about_one_invoice_may(self, rule: dict[str, Any]) -> None:
        ar.load_policy(minimal(**rule))


class TestParts:
    @pytest.mark.parametrize(
        ("risk", "message"),
        [
            ({}, "give exactly one of when, any, all, otherwise; got none"),
            (
                {"when": "max_dpd > 1", "otherwise": True},
                "give exactly one of when, any, all, otherwise; got ['when', 'otherwise']",
            ),
        ],
    )
    def test_a_risk_rule_is_given_in_one_way(self, risk: dict[str, Any], message: str) -> None:
        rules = [{"id": "a", "origin": "x", **risk}, OTHERWISE]
        assert problems(minimal(tiers={"risk": rules})) == (("tiers.risk[0] (a)", message),)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"channels": []}, "a touch needs at least one channel"),
            ({"kind": "decision"}, "a decision needs options"),
            ({"at": 9, "window": [1, 5]}, "the day `at` = 9 lies outside the window [1, 5]"),
            ({"at": 0, "window": [1, None]}, "the day `at` = 0 lies outside the window [1, None]"),
            (
                {"at": -1, "window": [-3, 0], "purpose": "pre_due"},
                "a pre_due step needs a window that ends by the due date (C6, C7)",
            ),
            (
                {"at": 0, "window": [0, 1], "purpose": "due_confirmation"},
                "a due_confirmation step needs a window that ends by the due date (C6, C7)",
            ),
            (
                {"at": 0, "purpose": "due_confirmation"},
                "a due_confirmation step needs a window that ends by the due date (C6, C7)",
            ),
        ],
    )
    def test_a_step_fits_its_kind(self, changes: dict[str, Any], message: str) -> None:
        assert problems(minimal(steps=[step(**changes)]))[0] == ("steps[0] (one)", message)

    @pytest.mark.parametrize(
        "changes",
        [
            {"channels": [], "alternatives": [{"channels": ["sms"]}]},
            {"kind": "internal", "channels": []},
            {"kind": "decision", "options": ["sell"], "channels": []},
            {"at": 1, "window": [1, 1]},
            {"at": 5, "window": [1, 5]},
            {"at": 5, "window": [1, None]},
            {"at": -1, "window": [-3, -1], "purpose": "pre_due"},
            {"at": 0, "window": [0, 0], "purpose": "due_confirmation"},
        ],
    )
    def test_at_the_edge_it_still_does(self, changes: dict[str, Any]) -> None:
        ar.load_policy(minimal(steps=[step(**changes)]))

    def test_sending_hours_end_after_they_start(self) -> None:
        same = {"not_before": "09:00:00", "not_after": "09:00:00"}
        assert problems(minimal(clock=same)) == (
            ("clock", "sending hours end after they start; got 09:00:00 to 09:00:00"),
        )
        ar.load_policy(minimal(clock={"not_before": "09:00:00", "not_after": "09:01:00"}))

    def test_what_a_reply_means_unless_the_policy_says_otherwise(self) -> None:
        """R43, R62, R63, E38: days of quiet, and the task that is raised."""
        assert ar.load_policy(minimal(pauses={})).pauses.intents == {
            Intent.COPY_REQUESTED: IntentRule(respond="send_copy"),
            Intent.MISSING_PO: IntentRule(pause_business_days=5, task="fix_purchase_order"),
            Intent.SAYS_PAID: IntentRule(pause_business_days=5, task="verify_payment"),
            Intent.WRONG_CONTACT: IntentRule(task="fix_contact"),
            Intent.QUESTION: IntentRule(pause_business_days=2, task="answer_question"),
            Intent.REFUSED: IntentRule(task="speak_to_customer", human=True),
            Intent.PROMISED: IntentRule(pause_business_days=2, task="record_promise"),
            Intent.DISPUTED: IntentRule(pause_business_days=5, task="record_dispute"),
            Intent.UNKNOWN: IntentRule(pause_business_days=2, task="read_reply"),
        }

    def test_how_promises_are_judged_is_what_the_policy_says(self) -> None:
        pauses = {
            "promise_grace_business_days": 7,
            "promise_tolerance_pct": "3",
            "promise_tolerance_abs": "11",
            "promise_unapplied": "ignore",
        }
        terms = ar.load_policy(minimal(pauses=pauses)).pauses.promise_terms
        assert (terms.grace_business_days, terms.tolerance_pct, terms.tolerance_abs, terms.unapplied) == (
            7,
            Decimal(3),
            Decimal(11),
            "ignore",
        )


class TestThePlainForm:
    def test_a_resolved_policy_is_json_by_the_names_of_the_file(self) -> None:
        data = b.policy_of("balanced").resolved()
        assert data["schema"] == "cadence-policy/1"
        assert {"from", "to"} <= set(data["stages"][0])
        assert data["tiers"]["value"]["strategic"] == "0.20"
        assert ar.load_policy(data) == b.policy_of("balanced")

    def test_the_schema_speaks_of_the_same_names(self) -> None:
        schema = policy_json_schema()
        assert "schema" in schema["properties"]
        assert {"from", "to"} <= set(schema["$defs"]["Stage"]["properties"])

    def test_the_hash_does_not_depend_on_the_order_of_settings(self) -> None:
        data = minimal(limits={"min_gap_days": 1}, clock={"grace_days": 2})
        one, other = ar.load_policy(data), ar.load_policy(dict(reversed(data.items())))
        assert one.content_hash == other.content_hash
        assert len(one.content_hash) == 64


@pytest.mark.parametrize("given", [None, 5, [1]])
def test_what_is_no_policy_at_all_is_refused_in_words(given: Any) -> None:
    with pytest.raises(ar.PolicyError, match="a policy is the name of a preset, a path or a mapping, not"):
        ar.load_policy(given)


class TestNamedHours:
    @pytest.mark.parametrize(("name", "first", "last"), [("us_conservative", 8, 21), ("eu_weekdays", 9, 18)])
    def test_e44_e35_hours_by_name_lie_between_the_preset_and_what_the_policy_says(
        self, name: str, first: int, last: int
    ) -> None:
        found = ar.load_policy({"id": "mine", "extends": "balanced", "hours": name})
        assert (found.clock.not_before.hour, found.clock.not_after.hour) == (first, last)
        own = ar.load_policy(
            {"id": "mine", "extends": "balanced", "hours": name, "clock": {"not_after": "17:30:00"}}
        )
        assert (own.clock.not_before.hour, own.clock.not_after.hour) == (first, 17)
        assert ar.load_policy(minimal(hours=name)).clock.not_after.hour == last

    def test_e44_calls_are_capped_at_seven_in_seven_days_and_a_tighter_cap_stays(self) -> None:
        def cap(**changes: Any) -> dict[str, int]:
            source = {"id": "mine", "hours": "us_conservative", **changes}
            return {channel.value: n for channel, n in ar.load_policy(source).limits.per_channel.items()}

        assert cap(extends="balanced") == {"sms": 1, "voice": 2}
        assert cap(extends="funnel_5") == {"voice": 7}
        loose = minimal(limits={"per_channel": {"voice": 20}})
        assert cap(extends=loose) == {"voice": 7}
        assert cap(extends="balanced", limits={"per_channel": {"voice": 9}}) == {"sms": 1, "voice": 9}
        assert ar.load_policy(minimal(hours="eu_weekdays")).limits.per_channel == {}

    @pytest.mark.parametrize("name", ["us", 3, ["us_conservative"]])
    def test_hours_that_there_are_not_are_refused_with_those_that_there_are(self, name: Any) -> None:
        said = f"no hours are called {name!r}; there are us_conservative, eu_weekdays"
        assert problems(minimal(hours=name)) == (("hours", said),)


class TestWhereItComesFrom:
    def test_a_preset_is_read_once_by_name_and_version(self) -> None:
        assert ar.load_policy("balanced@1") is ar.load_policy("balanced@1")
        assert ar.load_policy("balanced@1") == ar.load_policy("balanced") == ar.load_policy()
        assert problems("balanced@2") == (("", "balanced is shipped in version 1, not 2"),)

    def test_a_preset_on_another_one_is_called_by_its_name(self) -> None:
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy("xero_parity@1", preset="balanced")
        assert caught.value.source == "xero_parity"
        ((path, said),) = caught.value.problems
        assert path == ""
        assert said == "stages.write_off_review: only the last stage may leave out `to`"

    @pytest.mark.parametrize(("source", "kind"), [(3, "int"), (None, "NoneType"), (["balanced"], "list")])
    def test_what_is_no_source_is_called_what_it_is(self, source: Any, kind: str) -> None:
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy(source)
        said = f"a policy is the name of a preset, a path or a mapping, not {kind}"
        assert (caught.value.source, caught.value.problems) == (repr(source), (("", said),))


class TestWhatElseIsRefused:
    def test_steps_to_remove_that_are_not_there_are_all_named(self) -> None:
        with pytest.raises(ar.PolicyError) as caught:
            ar.load_policy({"id": "mine", "extends": "balanced", "remove_steps": ["x", "first", "y"]})
        assert caught.value.source == "mine"
        assert caught.value.problems == (("remove_steps", "no step is called x, y"),)
        without = {"id": "mine", "stages": [stage("all", None, None)], "remove_steps": ["x"]}
        assert problems(without) == (("remove_steps", "no step is called x"),)

    def test_a_name_that_is_no_channel_is_refused_at_its_place(self) -> None:
        said = "Input should be 'email', 'sms', 'voice', 'whatsapp' or 'letter'"
        assert problems(minimal(limits={"per_channel": {"emial": 1}})) == (
            ("limits.per_channel.emial", said),
        )
        patch = {"when": True, "origin": "x", "only_channels": [5], "steps": {"*": {"channels": ["fax"]}}}
        rows = [step(channels=["pigeon"], alternatives=[{"channels": [["sms"]]}])]
        wrong = minimal(steps=rows, overrides=[patch], pauses={"consent_required": ["email", ""]})
        assert problems(wrong) == tuple(
            (path, said)
            for path in (
                "steps[0] (one).channels[0]",
                "steps[0] (one).alternatives[0].channels[0]",
                "overrides[0].only_channels[0]",
                "overrides[0].steps.*.channels[0]",
                "pauses.consent_required[1]",
            )
        )

    @pytest.mark.parametrize(
        ("changes", "path", "said"),
        [
            ({"stages": 5}, "stages", "Input should be a list"),
            ({"stages": []}, "stages", "Input should be a list of 1 or more"),
            ({"overrides": ["call"]}, "overrides[0]", "Input should be a table"),
            ({"limits": {"per_channel": 5}}, "limits.per_channel", "Input should be a table"),
            ({"limits": {"[key]": 5}}, "limits", None),
        ],
    )
    def test_kinds_are_told_in_words_of_a_policy(
        self, changes: dict[str, Any], path: str, said: str | None
    ) -> None:
        ((found, words),) = problems(minimal(**changes))
        assert found == path
        assert words == said or (said is None and words.startswith("there is no such setting; known are "))

    def test_a_list_of_wrong_rows_is_not_called_too_short_and_an_empty_one_in_a_row_is(self) -> None:
        """What is left of a list without its wrong rows is no length that its author wrote."""
        nobody = {"id": "n", "when": "dpd > 1", "to": [], "origin": "x"}
        assert problems(minimal(stages=[5], steps=[5], notices=[nobody])) == (
            ("stages[0]", "Input should be a table"),
            ("steps[0]", "Input should be a table"),
            ("notices[0] (n).to", "Input should be a list of 1 or more"),
        )
        assert problems(minimal(stages=[5], steps=[])) == (
            ("stages[0]", "Input should be a table"),
            ("steps", "Input should be a list of 1 or more"),
        )

    def test_amounts_are_read_digit_by_digit(self, tmp_path: Path) -> None:
        toml = ar.load_policy(minimal(limits={"min_invoice": {"USD": 10.1}}))
        assert toml.limits.min_invoice == {"USD": Decimal("10.1")}
        file = tmp_path / "p.json"
        share = "0.20000000000000000000000001"
        file.write_text(
            '{"id": "mine", "extends": "balanced", "tiers": {"value": {"strategic": ' + share + "}}}",
            encoding="utf-8",
        )
        assert ar.load_policy(file).tiers.value.strategic == Decimal(share)
