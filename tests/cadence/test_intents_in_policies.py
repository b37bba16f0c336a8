"""What a policy says of one thing that customers say leaves the rest as it is by default (R43, R62, R63, E38)."""

from __future__ import annotations

from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence import PRESETS
from ar_core.cadence.policy import IntentRule, Pauses
from ar_core.model.activity import Intent
from tests.cadence import books as b

DEFAULTS = b.policy_of("balanced").pauses.intents
IN = ar.Direction.INBOUND


def intents(**given: Any) -> dict[Intent, IntentRule]:
    return b.changed("balanced", pauses={"intents": given}).pauses.intents


def said(intent: Intent) -> ar.Touch:
    return b.touch("said", ago=1, direction=IN, intent=intent, covers=("i1",))


def test_the_other_intents_and_the_other_settings_stay() -> None:
    assert intents(says_paid={"pause_business_days": 9}) == {
        **DEFAULTS,
        Intent.SAYS_PAID: IntentRule(pause_business_days=9, task="verify_payment"),
    }
    assert intents(refused={"human": False})[Intent.REFUSED] == IntentRule(task="speak_to_customer")
    assert intents() == DEFAULTS


def test_r43_a_reply_of_another_kind_still_pauses_under_such_a_policy() -> None:
    policy = b.changed("balanced", pauses={"intents": {"says_paid": {"pause_business_days": 9}}})
    for intent in (Intent.PROMISED, Intent.DISPUTED, Intent.MISSING_PO, Intent.QUESTION, Intent.UNKNOWN):
        outcome = b.of(b.run(b.invoice(dpd=9), said(intent), policy=policy))
        assert outcome.code is ar.Code.REPLY_PENDING, intent
    assert b.tasks_of(b.run(b.invoice(dpd=9), said(Intent.SAYS_PAID), policy=policy)) == ["verify_payment"]


def test_an_intent_without_a_default_has_what_is_given_alone() -> None:
    found = intents(opted_out={"task": "tell_sales"})
    assert found == {**DEFAULTS, Intent.OPTED_OUT: IntentRule(task="tell_sales")}


@pytest.mark.parametrize("nothing", ["", None])
def test_a_task_and_an_answer_are_switched_off_by_an_empty_text_or_null(nothing: str | None) -> None:
    found = intents(says_paid={"task": nothing}, copy_requested={"respond": nothing})
    assert found[Intent.SAYS_PAID] == IntentRule(pause_business_days=5)
    assert found[Intent.COPY_REQUESTED] == IntentRule()
    assert (found[Intent.SAYS_PAID].task, found[Intent.COPY_REQUESTED].respond) == (None, None)


def test_what_was_switched_off_stays_so_when_the_policy_is_read_back() -> None:
    policy = b.changed("balanced", pauses={"intents": {"says_paid": {"pause_business_days": 0, "task": ""}}})
    assert ar.load_policy(policy.resolved()) == policy
    assert ar.Policy.model_validate_json(policy.model_dump_json(by_alias=True)) == policy
    evaluation = b.run(b.invoice(dpd=9), said(Intent.SAYS_PAID), policy=policy)
    assert b.tasks_of(evaluation) == []
    assert b.only_touch(evaluation).step == "demand"


def test_rules_given_as_objects_change_what_they_name_too() -> None:
    found = Pauses(intents={Intent.SAYS_PAID: IntentRule(pause_business_days=9)}).intents
    assert found[Intent.SAYS_PAID] == IntentRule(pause_business_days=9, task="verify_payment")
    assert found[Intent.PROMISED] == DEFAULTS[Intent.PROMISED]
    switched_off = Pauses(intents={Intent.SAYS_PAID: IntentRule(task=None)}).intents
    assert switched_off[Intent.SAYS_PAID] == IntentRule(pause_business_days=5)


def test_the_defaults_are_the_policys_own() -> None:
    one = Pauses()
    one.intents.clear()
    assert Pauses().intents == DEFAULTS


@pytest.mark.parametrize(
    ("given", "place", "message"),
    [
        (["question"], "pauses.intents", "Input should be a table"),
        (
            {"question": None},
            "pauses.intents.question",
            "Input should be a table",
        ),
        (
            {"opted_out": 5},
            "pauses.intents.opted_out",
            "Input should be a table",
        ),
        (
            {"question": {"pause_business_days": 61}},
            "pauses.intents.question.pause_business_days",
            "Input should be less than or equal to 60",
        ),
        (
            {"question": {"task": "x" * 201}},
            "pauses.intents.question.task",
            "String should have at most 200 characters",
        ),
        (
            {"copy_requested": {"respond": "call"}},
            "pauses.intents.copy_requested.respond",
            "Input should be 'send_copy' or ''",
        ),
    ],
)
def test_what_is_no_rule_is_refused_at_its_place(given: Any, place: str, message: str) -> None:
    with pytest.raises(ar.PolicyError) as caught:
        b.changed("balanced", pauses={"intents": given})
    assert caught.value.problems == ((place, message),)


HASHES = {
    "balanced": "eed3fe1e3490238e1bb6db3bf2ba060421487c373d6b1562a7d11c44dbd87bed",
    "funnel_5": "31f7d517e230da634f7826ce54ce94e6ac2398de2056033324abf79a95392cfd",
    "risk_4": "44ec23d1243dae72f198bc7ff26dd40d63a82a0240392274d66e61758818a9fa",
    "sequential_notices": "63bc3849284f7fd6db20594ad06f1c617adfa2ce4b19978ff447c2ec50c850ff",
    "sprint_3_5_10": "8c8524d309d0ca93f11d96b9aa5e1a514d8a01059ac9b64ea1e6dc9ef5d9eb24",
    "sprint_3_5_7_10": "f77bb3d76e436e76ed2accd775adb624ce4cf78979b7213d66e75a5c83beaaac",
    "xero_parity": "3fb776b75f73bbc872f50f93b079bd5b593f82e4c570cf5b7adf2bbd3b0f6d44",
}
"""Version 1 of each: with a change of what a preset says, its version rises."""


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_of_the_same_version_has_the_same_content(preset: str) -> None:
    assert b.policy_of(preset).content_hash == HASHES[preset]
