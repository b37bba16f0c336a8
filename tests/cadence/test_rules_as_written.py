"""Rules as they are written in a policy: how deep, which words, which places, and what is said of those that cannot be used."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.features import FEATURES
from ar_core.cadence.predicates import PredicateError, parse_predicate
from ar_core.cadence.ruletables import RuleTables
from tests.cadence import books as b
from tests.cadence.test_reading_policies import minimal, problems, stage, step


def refused(source: Any) -> str:
    with pytest.raises(PredicateError) as caught:
        parse_predicate(source)
    return str(caught.value)


def holds(text: str, **values: Any) -> bool | None:
    return parse_predicate(text).holds(SimpleNamespace(**values))


class TestLanguage:
    def test_rules_nest_twelve_levels_deep_and_no_deeper_as_tables(self) -> None:
        rule: Any = "a > 1"
        for _ in range(12):
            rule = {"any": [rule, "b"]}
        assert parse_predicate(rule).features == {"a", "b"}
        assert refused({"all": [rule]}) == "a rule nests at most 12 levels"

    def test_rules_nest_twelve_levels_deep_and_no_deeper_as_text(self) -> None:
        text = "a"
        for depth in range(12):
            text = f"(b {'and' if depth % 2 else 'or'} {text})"
        assert parse_predicate(text).features == {"a", "b"}
        assert refused(f"b and {text}").endswith(": a rule nests at most 12 levels")

    def test_what_is_no_expression_is_shown_with_the_reason(self) -> None:
        assert refused("max_dpd >") == "'max_dpd >' is not an expression: invalid syntax"

    def test_the_column_is_told_of_what_is_not_allowed(self) -> None:
        only = "`is` is only for `feature is None` and `feature is not None`"
        assert refused("a and b is 3") == f"'a and b is 3', column 7: {only}"
        sides = "one side of a comparison is a feature, the other a value"
        assert refused("a and 1 < 2") == f"'a and 1 < 2', column 7: {sides}"
        assert refused("a == 1e9999999999999999999") == (
            "'a == 1e9999999999999999999', column 6: 1e9999999999999999999 is not a number"
        )
        value = "write a number, text in quotes, or a tuple of them"
        assert refused("a == b.c") == f"'a == b.c', column 6: {value}"
        assert refused("a > -True") == f"'a > -True', column 6: {value}"

    def test_a_chain_of_comparisons_is_all_of_them(self) -> None:
        assert [holds("1 < a < 3", a=value) for value in (1, 2, 3)] == [False, True, False]
        assert parse_predicate("1 < a < 3").text == "a > 1 and a < 3"

    def test_what_always_holds_may_stand_beside_a_comparison(self) -> None:
        assert holds("a > 1 and True", a=2) is True
        assert holds("settled_12m > 1 or False", settled_12m=2) is True

    def test_numbers_may_be_written_in_groups(self) -> None:
        assert holds("a == 10_000.50", a=10000.5) is True

    def test_rules_are_equal_when_they_say_the_same(self) -> None:
        one, same, other = (parse_predicate(text) for text in ("a  > 1", "1 < a", "a > 2"))
        assert one == same
        assert hash(one) == hash(same)
        assert one != other
        assert hash(one) != hash(other)
        assert one != "a > 1"

    def test_the_opposite_of_a_rule_is_the_opposite(self) -> None:
        rule = parse_predicate("not (a > 1 or b)")
        assert rule.text == "not (a > 1 or b)"
        answers = [rule.holds(SimpleNamespace(a=1, b=value)) for value in (False, True, None)]
        assert answers == [True, False, None]

    def test_features_that_are_found_by_walking_are_asked_last(self) -> None:
        asked: list[str] = []

        class Account:
            def __getattr__(self, name: str) -> Any:
                asked.append(name)
                return None if name == "order_hold" else 0

        walked = ("settled_12m > 5", "not settled_12m > 5")
        for first in walked:
            for other in ("max_dpd > 5", "not max_dpd < 5", "order_hold"):
                asked.clear()
                parse_predicate(f"{first} and {other}").holds(Account())
                assert asked[0] in {"max_dpd", "order_hold"}


class TestPlaces:
    def test_every_rule_of_a_policy_is_told_with_its_place_and_of_what_it_is_asked(self) -> None:
        policy = ar.load_policy(
            minimal(
                tiers={
                    "risk": [
                        {"id": "bad", "when": "max_dpd > 60", "gap": "max_dpd > 90", "origin": "x"},
                        {"id": "some", "any": ["max_dpd > 30", "order_hold"], "origin": "x"},
                        {"id": "rest", "otherwise": True, "origin": "x"},
                    ]
                },
                overrides=[
                    {"when": "country == 'DE'", "scale": [1, 2], "origin": "x"},
                    {"when": "country == 'FR'", "steps": {"one": {"at": 2}}, "origin": "x"},
                    {"when": "dpd > 5", "add_channels": ["sms"], "origin": "x"},
                ],
                steps=[step(when="stage == 'all'")],
                escalate=[{"rung": "order_hold", "when": "max_dpd > 70", "origin": "x"}],
                notices=[{"id": "note", "when": "dpd > 7", "to": ["cfo"], "origin": "x"}],
            )
        )
        assert [(path, rule.text, scope) for path, rule, scope in policy.predicates()] == [
            ("tiers.risk.bad", "max_dpd > 60", "risk"),
            ("tiers.risk.bad.gap", "max_dpd > 90", "risk"),
            ("tiers.risk.some", "max_dpd > 30 or order_hold", "risk"),
            ("overrides[0].when", "country == 'DE'", "customer"),
            ("overrides[1].when", "country == 'FR'", "customer"),
            ("overrides[2].when", "dpd > 5", "invoice"),
            ("steps.one.when", "stage == 'all'", "invoice"),
            ("escalate[0].when", "max_dpd > 70", "customer"),
            ("notices.note.when", "dpd > 7", "invoice"),
        ]

    def test_a_risk_rule_cannot_ask_for_what_it_decides(self) -> None:
        rest = {"id": "rest", "otherwise": True, "origin": "x"}
        said = "a risk rule cannot ask for risk, which it decides"
        rules = [{"id": "bad", "when": "risk == 'rest'", "origin": "x"}, rest]
        assert problems(minimal(tiers={"risk": rules})) == (("", f"tiers.risk.bad: {said}"),)
        rules = [{"id": "bad", "when": "max_dpd > 1", "gap": "risk == 'rest'", "origin": "x"}, rest]
        assert problems(minimal(tiers={"risk": rules})) == (("", f"tiers.risk.bad.gap: {said}"),)

    def test_two_risk_rules_of_one_name_are_refused(self) -> None:
        rules = [
            {"id": "bad", "when": "max_dpd > 1", "origin": "x"},
            {"id": "bad", "otherwise": True, "origin": "x"},
        ]
        assert problems(minimal(tiers={"risk": rules})) == (("", "tiers.risk: two of them are called 'bad'"),)

    def test_the_rest_comes_last_wherever_it_stands(self) -> None:
        rules = [
            {"id": "bad", "when": "max_dpd > 1", "origin": "x"},
            {"id": "some", "otherwise": True, "origin": "x"},
            {"id": "rest", "otherwise": True, "origin": "x"},
        ]
        said = "tiers.risk.some: nothing after `otherwise` can be reached; put it last"
        assert problems(minimal(tiers={"risk": rules})) == (("", said),)

    def test_a_window_runs_forward(self) -> None:
        said = "a window runs from the earlier to the later day; got [7, 3]"
        assert ("steps[0] (one).window", said) in problems(minimal(steps=[step(window=[7, 3])]))


class TestValues:
    def asked(self, text: str, **changes: Any) -> tuple[tuple[str, str], ...]:
        notice = {"id": "note", "when": text, "to": ["cfo"], "origin": "x"}
        return problems(minimal(notices=[notice], **changes))

    def test_what_cannot_be_compared_is_told_with_its_place_and_what_can(self) -> None:
        where = "notices.note.when: "
        stages = [stage("early", None, 7), stage("late", 8, None)]
        assert self.asked("stage == 'lat'", stages=stages) == (
            ("", f"{where}`stage == 'lat'`: stage is compared with one of early, late"),
        )
        tiers = {
            "risk": [
                {"id": "bad", "when": "max_dpd > 1", "origin": "x"},
                {"id": "rest", "otherwise": True, "origin": "x"},
            ]
        }
        assert self.asked("risk in ('bad', 'good')", tiers=tiers) == (
            ("", f"{where}`risk in ('bad', 'good')`: risk is compared with one of bad, rest"),
        )
        assert self.asked("max_dpd == 'x'") == (
            ("", f"{where}`max_dpd == 'x'`: max_dpd is compared with a value of type days"),
        )
        assert self.asked("country in 'DE'") == (
            ("", f"{where}`country in 'DE'`: write a list of values in parentheses"),
        )

    def test_what_has_no_order_is_not_compared_by_it(self) -> None:
        for sign in ("<", "<=", ">", ">="):
            said = f"notices.note.when: `country {sign} 'DE'`: country has no order; use == or in"
            assert self.asked(f"country {sign} 'DE'") == (("", said),)

    def test_whether_a_feature_is_known_can_be_asked_of_each(self) -> None:
        for text in ("order_hold is not None", "max_dpd is None", "stage is not None"):
            notice = {"id": "note", "when": text, "to": ["cfo"], "origin": "x"}
            assert ar.load_policy(minimal(notices=[notice])).notices[0].when.text == text

    def test_every_feature_says_its_unit_or_an_empty_text(self) -> None:
        without = {name for name, feature in FEATURES.items() if feature.unit == ""}
        kinds = {FEATURES[name].type.value for name in without}
        assert all(isinstance(feature.unit, str) for feature in FEATURES.values())
        assert kinds <= {"flag", "text", "choice", "stage"}


class TestRisk:
    def tables(self, *rules: dict[str, Any]) -> RuleTables:
        rest = {"id": "rest", "otherwise": True}
        found = [{"origin": "x", **rule} for rule in (*rules, *([rest] if rules else []))]
        return RuleTables(ar.load_policy(minimal(tiers={"risk": found})))

    def test_c9_age_alone_is_asked_once_for_each_age(self) -> None:
        tables = self.tables({"id": "bad", "when": "max_dpd > 60"})
        found = [tables.risk(SimpleNamespace(max_dpd=age))[0] for age in (61, 60, 61)]
        assert [rule and rule.id for rule in found] == ["bad", "rest", "bad"]
        assert len(tables) == 2
        assert all(tables._risk_by_age.values())

    def test_c9_where_more_than_age_decides_the_account_is_asked(self) -> None:
        tables = self.tables({"id": "bad", "when": "max_dpd > 60 and order_hold"})
        found = [tables.risk(SimpleNamespace(max_dpd=61, order_hold=held))[0] for held in (True, False)]
        assert [rule and rule.id for rule in found] == ["bad", "rest"]

    def test_c9_a_gap_of_the_seeds_is_told_with_the_rule_that_closes_it(self) -> None:
        tables = self.tables({"id": "bad", "when": "max_dpd > 60", "gap": "max_dpd > 90"})
        found = [tables.risk(SimpleNamespace(max_dpd=age)) for age in (91, 90, 60)]
        assert [(rule and rule.id, gap) for rule, gap in found] == [
            ("bad", True),
            ("bad", False),
            ("rest", False),
        ]

    def test_without_risk_rules_there_is_no_tier_and_no_gap(self) -> None:
        assert self.tables().risk(SimpleNamespace(max_dpd=91)) == (None, False)


class TestNotices:
    def told(self, when: str, *records: Any) -> list[tuple[str, str | None]]:
        notice = {"id": "note", "when": when, "to": ["cfo"], "origin": "x"}
        found = b.run(*records, policy=ar.load_policy(minimal(notices=[notice], steps=[step(at=300)])))
        return [(a.customer_id, a.task) for a in found.actions if a.kind is ar.ActionKind.INTERNAL]

    def test_r21_one_by_age_and_few_values_of_the_customer_is_told_for_whom_it_holds(self) -> None:
        german, french = b.customer("c1", country="DE"), b.customer("c2", country="FR")
        records = (german, french, b.invoice("i1", 9, "c1"), b.invoice("i2", 9, "c2"))
        assert self.told("dpd > 5 and country == 'DE'", *records) == [(b.customer_id("c1"), "notice:note")]

    def test_r21_one_by_the_invoice_itself_is_asked_of_each(self) -> None:
        records = (b.invoice("i1", 9, "c1", has_pdf=False), b.invoice("i2", 9, "c2"))
        assert self.told("dpd > 5 and not has_pdf", *records) == [(b.customer_id("c1"), "notice:note")]
        records = (b.invoice("i1", 9, "c1", currency="EUR"), b.invoice("i2", 9, "c2"))
        assert self.told("dpd > 5 and invoice_currency == 'EUR'", *records) == [
            (b.customer_id("c1"), "notice:note")
        ]

    def test_r21_one_by_a_number_of_the_account_is_asked_of_each(self) -> None:
        records = (b.invoice("i1", 9, "c1"), b.invoice("i2", 40, "c1"), b.invoice("i3", 9, "c2"))
        found = self.told("dpd < 20 and max_dpd > 30", *records)
        assert found == [(b.customer_id("c1"), "notice:note")]

    def test_r21_two_notices_are_told_apart(self) -> None:
        notices = [
            {"id": "young", "when": "dpd < 20 and country == 'US'", "to": ["cfo"], "origin": "x"},
            {"id": "old", "when": "dpd >= 20 and country == 'US'", "to": ["cfo"], "origin": "x"},
        ]
        policy = ar.load_policy(minimal(notices=notices, steps=[step(at=300)]))
        for dpd, task in ((9, "notice:young"), (40, "notice:old")):
            found = b.run(b.invoice(dpd=dpd), policy=policy)
            assert b.tasks_of(found) == [task]
