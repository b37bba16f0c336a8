"""Settings that would decide nothing are refused, and so are formats that do not exist; a closed channel is told as one (E27, E43)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence import policy_json_schema
from ar_core.cadence.channels import _why_for_good
from ar_core.cadence.codes import Code
from ar_core.model.activity import Intent
from tests.cadence import books as b
from tests.cadence.test_reading_policies import minimal, problems, step

INTERNAL = "`internal` reaches our own people; name a channel that reaches the customer"
TOUCH = 'a touch goes to the customer, the channel `internal` does not; write kind = "internal" for a task'
ALL = {"when": True, "origin": "x"}


@pytest.mark.parametrize(
    "changes",
    [
        {"channels": ["internal"]},
        {"channels": ["email", "internal"]},
        {"alternatives": [{"channels": ["sms"]}, {"channels": ["internal"]}]},
        {"capability": "uses_agency", "else": {"channels": ["internal"]}},
    ],
)
def test_a_touch_reaches_the_customer(changes: dict[str, Any]) -> None:
    assert problems(minimal(steps=[step(**changes), step("two")])) == (("steps[0] (one)", TOUCH),)


def test_a_step_for_our_own_people_may_name_the_channel() -> None:
    own = step(kind="internal", channels=["internal"])
    assert ar.load_policy(minimal(steps=[own])).steps[0].channels == (ar.Channel.INTERNAL,)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"limits": {"per_channel": {"internal": 1}}}, "limits.per_channel.internal"),
        ({"pauses": {"consent_required": ["sms", "internal"]}}, "pauses.consent_required[1]"),
        ({"overrides": [{**ALL, "add_channels": ["internal"]}]}, "overrides[0].add_channels[0]"),
        ({"overrides": [{**ALL, "only_channels": ["email", "internal"]}]}, "overrides[0].only_channels[1]"),
    ],
)
def test_what_is_said_of_channels_is_said_of_those_to_the_customer(
    changes: dict[str, Any], place: str
) -> None:
    assert problems(minimal(**changes)) == ((place, INTERNAL),)


def test_an_override_may_not_send_a_touch_to_our_own_people() -> None:
    changed = {"overrides": [{**ALL, "steps": {"one": {"channels": ["internal"]}}}]}
    message = f"overrides[0].steps.one: step one cannot be changed so: {TOUCH}"
    assert problems(minimal(**changed)) == (("", message),)


@pytest.mark.parametrize("intent", [i for i in Intent if i is not Intent.COPY_REQUESTED])
def test_r63_a_copy_goes_to_whoever_asks_for_one(intent: Intent) -> None:
    message = f"{intent.value}: a copy is sent to whoever asks for one (copy_requested) and to nobody else; leave `respond` out"
    given = {intent.value: {"respond": "send_copy"}, "copy_requested": {"respond": "send_copy"}}
    assert problems(minimal(pauses={"intents": given})) == (("pauses.intents", message),)


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize(
    ("changes", "place"),
    [
        (lambda flag: {"limits": {"min_gap_days": flag}}, "limits.min_gap_days"),
        (lambda flag: {"limits": {"max_touches_per_7d": flag}}, "limits.max_touches_per_7d"),
        (lambda flag: {"limits": {"per_channel": {"sms": 1, "email": flag}}}, "limits.per_channel"),
        (lambda flag: {"limits": {"min_invoice": {"USD": flag}}}, "limits.min_invoice"),
        (lambda flag: {"tiers": {"value": {"strategic": flag}}}, "tiers.value.strategic"),
        (lambda flag: {"steps": [step(window=[flag, 5]), step("two")]}, "steps[0] (one).window"),
        (lambda flag: {"steps": [step(at=flag), step("two")]}, "steps[0] (one).at"),
        (lambda flag: {"overrides": [{**ALL, "scale": (1, flag)}]}, "overrides[0].scale"),
    ],
)
def test_true_and_false_are_no_numbers(changes: Any, place: str, flag: bool) -> None:
    (found,) = problems(minimal(**changes(flag)))
    assert found[0] == place
    assert found[1].startswith("write a number: true and false are none; got ")
    assert str(flag) in found[1]


def test_what_was_given_for_a_number_is_shown() -> None:
    assert problems(minimal(limits={"min_gap_days": True})) == (
        ("limits.min_gap_days", "write a number: true and false are none; got True"),
    )


def test_where_true_and_false_are_asked_for_they_are_taken() -> None:
    found = ar.load_policy(
        minimal(
            limits={"count_failed": True, "min_gap_days": 1},
            overrides=[{"when": True, "steps": {"one": {"enabled": False}}, "origin": "x"}],
        )
    )
    assert (found.limits.count_failed, found.limits.min_gap_days) == (True, 1)
    assert found.overrides[0].steps["one"].enabled is False
    assert policy_json_schema()["$defs"]["Limits"]["properties"]["min_gap_days"]["maximum"] == 60


# ---- a channel that is closed


def closed(**caps: int) -> ar.Policy:
    return b.changed(
        "balanced",
        steps=[{"id": "demand", "channels": ["voice", "email"]}],
        limits={"per_channel": caps},
    )


def test_e27_a_channel_that_is_closed_is_no_missing_address() -> None:
    evaluation = b.run(b.invoice(dpd=9), policy=closed(voice=0, email=0))
    outcome = b.of(evaluation)
    assert (outcome.code, outcome.until, outcome.codes) == (Code.CHANNEL_CAP, None, (Code.CHANNEL_CAP,))
    assert b.tasks_of(evaluation) == []


def test_e43_an_address_is_asked_for_where_another_channel_lacks_one() -> None:
    evaluation = b.run(b.invoice(dpd=9), b.contact(phone=None, mobile=None), policy=closed(email=0))
    outcome = b.of(evaluation)
    assert (outcome.code, outcome.codes) == (Code.NO_ADDRESS, (Code.NO_ADDRESS, Code.CHANNEL_CAP))
    assert b.tasks_of(evaluation) == ["get_contact"]


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ((), Code.NO_ADDRESS),
        ((Code.CHANNEL_CAP,), Code.CHANNEL_CAP),
        ((Code.CHANNEL_CAP, Code.SMS_NEEDS_LINK, Code.PDF_MISSING), Code.SMS_NEEDS_LINK),
        ((Code.PDF_MISSING, Code.CHANNEL_CAP), Code.PDF_MISSING),
        ((Code.PDF_MISSING, Code.SMS_NEEDS_LINK), Code.PDF_MISSING),
        ((Code.SMS_NEEDS_LINK, Code.NO_ADDRESS), Code.NO_ADDRESS),
        ((Code.CHANNEL_CAP, Code.NO_CONSENT), Code.NO_ADDRESS),
    ],
)
def test_what_is_told_where_no_day_would_help(reasons: tuple[Code, ...], told: Code) -> None:
    assert _why_for_good(reasons) is told


@pytest.mark.parametrize("fmt", ["html", "", "TEXT", None])
def test_an_explanation_has_three_formats(fmt: Any) -> None:
    evaluation = b.run(b.invoice(dpd=9))
    with pytest.raises(ValueError, match="fmt") as caught:
        ar.explain(evaluation, invoice=b.invoice_id(), fmt=fmt)
    assert str(caught.value) == f"fmt is one of text, md, json; got {fmt!r}"


def test_amounts_are_numbers_as_they_were_written() -> None:
    found = ar.load_policy(minimal(limits={"min_invoice": {"USD": 25, "EUR": "25.50"}}))
    assert found.limits.min_invoice == {"USD": Decimal(25), "EUR": Decimal("25.50")}
