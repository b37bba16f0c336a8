"""Who makes a contact and who is told of it, where an override says so: about the account, or about one invoice (R6, R20, E42)."""

from __future__ import annotations

from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.policy import Actor
from tests.cadence import books as b

ACCOUNT, INVOICE = "country == 'US'", "dpd >= 9"
EITHER_WAY = pytest.mark.parametrize("when", [ACCOUNT, INVOICE])
MACHINES = pytest.mark.parametrize("actor", ["ai", "auto", "either"])


def rule(when: str, **changes: Any) -> dict[str, Any]:
    return {"when": when, "origin": "test", **changes}


def policy(*rules: dict[str, Any], **changes: Any) -> ar.Policy:
    """The default policy with these overrides only."""
    return b.changed("balanced", overrides=list(rules), **changes)


def actor(*records: Any, overrides: tuple[dict[str, Any], ...], value: str = "core", **changes: Any) -> Actor:
    invoices = () if any(isinstance(r, ar.Invoice) for r in records) else (b.invoice("i1", 9),)
    found = b.run(*invoices, *records, policy=policy(*overrides, **changes), value=value)
    return b.only_touch(found).actor


def told(*rules: dict[str, Any], dpd: int = 12, **changes: Any) -> list[tuple[str, ...]]:
    """The roles of each notice beside the message."""
    found = b.run(b.invoice("i1", dpd), b.invoice("i2", 9), policy=policy(*rules, **changes))
    assert b.only_touch(found).lead_invoice_id == b.invoice_id("i1")
    return [a.notify for a in found.actions if (a.task or "").endswith(":notify")]


class TestWhoActs:
    @EITHER_WAY
    @MACHINES
    @pytest.mark.parametrize("own", ["ai", "auto", "either", "human"])
    def test_an_override_forces_the_actor_of_a_step(self, when: str, actor: str, own: str) -> None:
        steps = [{"id": "demand", "actor": own}]
        found = b.run(b.invoice("i1", 9), policy=policy(rule(when, actor=actor), steps=steps))
        said = b.only_touch(found)
        assert said.actor == actor
        assert ar.Code.HUMAN_ONLY not in said.reasons

    @EITHER_WAY
    def test_one_that_does_not_hold_forces_nobody(self, when: str) -> None:
        other = {ACCOUNT: "country == 'DE'", INVOICE: "dpd >= 10"}[when]
        assert actor(overrides=(rule(other, actor="ai"),)) is Actor.AUTO

    @EITHER_WAY
    def test_the_other_ways_of_a_step_are_forced_too(self, when: str) -> None:
        other = {"channels": ["email"], "actor": "human"}
        steps = [
            {"id": "demand", "channels": ["voice"], "alternatives": [other]},
            {"id": "letter", "requires": []},
        ]
        forced = (rule(when, actor="ai"),)
        assert actor(b.contact(phone=None, mobile=None), overrides=forced, steps=steps) is Actor.AI
        assert actor(b.invoice("i1", 50), overrides=forced, steps=steps) is Actor.AI, (
            "the `else` of the letter"
        )
        assert actor(b.invoice("i1", 50), overrides=(), steps=steps) is Actor.HUMAN

    @EITHER_WAY
    @MACHINES
    @pytest.mark.parametrize("value", ["strategic", "unknown"])
    def test_r20_whom_only_people_contact_stays_with_people(self, when: str, actor: str, value: str) -> None:
        found = b.run(b.invoice("i1", 9), policy=policy(rule(when, actor=actor)), value=value)
        said = b.only_touch(found)
        assert said.actor is Actor.HUMAN
        assert ar.Code.HUMAN_ONLY in said.reasons

    @EITHER_WAY
    def test_r20_a_flag_of_the_host_does(self, when: str) -> None:
        flagged = b.profile(flags=("human_only",))
        assert actor(flagged, overrides=(rule(when, actor="ai"),)) is Actor.HUMAN

    @EITHER_WAY
    def test_r69_the_rung_of_a_person_does(self, when: str) -> None:
        ladder = [{"rung": "personal", "when": "max_dpd >= 1", "origin": "test"}]
        assert actor(overrides=(rule(when, actor="ai"),), escalate=ladder) is Actor.HUMAN

    @pytest.mark.parametrize("one", [ACCOUNT, INVOICE])
    @pytest.mark.parametrize("other", [ACCOUNT, INVOICE])
    def test_e42_where_one_override_says_people_no_other_takes_it_back(self, one: str, other: str) -> None:
        people, machine = rule(one, actor="human"), rule(other, actor="ai")
        assert actor(overrides=(people, machine)) is Actor.HUMAN
        assert actor(overrides=(machine, people)) is Actor.HUMAN

    @EITHER_WAY
    def test_of_two_machines_the_last_one_counts(self, when: str) -> None:
        first, last, silent = rule(when, actor="ai"), rule(when, actor="either"), rule(when, notify=["cfo"])
        assert actor(overrides=(first, last, silent)) is Actor.EITHER

    def test_one_about_an_invoice_comes_after_those_about_the_account(self) -> None:
        assert actor(overrides=(rule(INVOICE, actor="either"), rule(ACCOUNT, actor="ai"))) is Actor.EITHER

    def test_what_the_same_override_or_a_later_one_says_of_a_step_counts_for_it(self) -> None:
        own = {"demand": {"actor": "human"}}
        assert actor(overrides=(rule(ACCOUNT, actor="ai", steps=own),)) is Actor.HUMAN
        assert actor(overrides=(rule(ACCOUNT, actor="ai"), rule("max_dpd >= 1", steps=own))) is Actor.HUMAN

    def test_r63_a_copy_is_a_contact_too(self) -> None:
        asked = b.touch(
            "t2", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.COPY_REQUESTED, covers=("i1",)
        )
        forced = (rule(ACCOUNT, actor="ai"),)
        assert actor(asked, overrides=forced) is Actor.AI
        assert actor(asked, overrides=forced, value="strategic") is Actor.HUMAN
        ladder = [{"rung": "personal", "when": "max_dpd >= 1", "origin": "test"}]
        assert actor(asked, overrides=forced, escalate=ladder) is Actor.AUTO


class TestWhoIsTold:
    @pytest.mark.parametrize("when", ["dpd > 10", "balance > 50", "stage == 'first_demand'", ACCOUNT])
    def test_r6_an_override_tells_its_roles(self, when: str) -> None:
        assert told(rule(when, notify=["cfo"])) == [("cfo",)]

    @pytest.mark.parametrize("when", ["dpd > 12", "balance > 100", "dpd < 10", "country == 'DE' and dpd > 1"])
    def test_one_that_does_not_hold_for_the_lead_tells_nobody(self, when: str) -> None:
        assert told(rule(when, notify=["cfo"])) == []

    def test_each_role_is_told_once(self) -> None:
        rules = (
            rule("dpd > 10", notify=["cfo", "sales"]),
            rule("balance > 50", notify=["sales", "ceo"]),
            rule(ACCOUNT, notify=["cfo", "board"]),
        )
        steps = [{"id": "demand", "notify": ["ceo"]}]
        assert told(*rules, steps=steps) == [("ceo", "cfo", "board", "sales")]
