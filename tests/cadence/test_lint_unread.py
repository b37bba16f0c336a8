"""Settings that are never looked at where they stand: an evaluation is the same without them, and lint tells them."""

from __future__ import annotations

from typing import Any

import pytest

import ar_core as ar
from tests.cadence import books as b
from tests.cadence.test_lint_void import of
from tests.cadence.test_reading_policies import minimal, step

OURS = ("a step of kind {} is not sent to the customer", "set kind = 'touch'")
OPTIONS = ("a touch offers nothing to decide", "set kind = 'decision'")
ELSE = ("it is taken where the step's capability is not declared, and the step names none", "set capability")
RUNG = ("automated is the lowest rung, on which everybody begins", "name a higher one")
PLAIN: dict[str, Any] = {"channels": []}
DECISION: dict[str, Any] = {"kind": "decision", "options": ["plan", "refer"], **PLAIN}
VOID: tuple[dict[str, Any], ...] = (
    {"channels": ["sms", "internal"]},
    {"alternatives": [{"channels": ["letter"], "actor": "human"}]},
    {"actor": "human"},
    {"audience": "executive"},
    {"sender_role": "account_manager"},
    {"attach": ["invoice"]},
    {"needs": ["pdf", "pay_link"]},
)


def told(path: str, words: tuple[str, str], kind: str = "") -> tuple[str, str, str, str]:
    why, instead = words
    said = f"{why.format(kind)}, so this changes nothing; {instead}, or leave it out"
    return ("VOID_SETTING", "warning", path, said)


def decided(*rows: dict[str, Any], **changes: Any) -> list[Any]:
    """All that an evaluation says of some invoices, some of them after the step went out, but for the policy's hash."""
    policy = ar.load_policy(minimal(steps=list(rows), **changes))
    found: list[Any] = []
    for dpd in (1, 9, 40, 95):
        for touched in ((), (b.touch(step="two", ago=30, covers=("i1",)),)):
            evaluation = b.run(b.invoice(dpd=dpd), b.contact(), *touched, policy=policy)
            found += [
                evaluation.actions,
                evaluation.dispositions,
                evaluation.worklist,
                evaluation.segments,
                evaluation.writebacks,
                evaluation.next_change_at,
            ]
    return found


@pytest.mark.parametrize("kind", [DECISION, {"kind": "internal", **PLAIN}])
@pytest.mark.parametrize("change", VOID)
def test_what_is_not_sent_has_no_settings_of_messages(kind: dict[str, Any], change: dict[str, Any]) -> None:
    others = step("one", channels=["email", "voice"]), step("three", 60, channels=["email", "voice"])
    without, bearing = step("two", 9, **kind), step("two", 9, **{**kind, **change})
    assert decided(*others, without) == decided(*others, bearing)
    ((name, _),) = change.items()
    own = kind["kind"] == "internal" and name == "channels"
    assert of(*others, without) == []
    assert of(*others, bearing) == ([] if own else [told(f"steps.two.{name}", OURS, kind["kind"])])


def test_r64_the_tone_of_a_decision_is_that_of_messages_after_it() -> None:
    rows = step("one", 1, **DECISION), step("two", 9, tone="friendly", channels=["email", "voice"])
    formal = {**rows[0], "tone": "formal"}
    went_out = b.touch(step="one", ago=8, covers=("i1",))
    tones = []
    for first in (rows[0], formal):
        policy = ar.load_policy(minimal(steps=[first, rows[1]]))
        (action,) = b.touches_of(b.run(b.invoice(dpd=9), b.contact(), went_out, policy=policy))
        tones.append(action.tone)
    assert tones == ["friendly", "formal"]
    assert of(formal, rows[1]) == []


def test_a_touch_has_no_options() -> None:
    row = step(channels=["email", "voice"])
    assert decided(row) == decided({**row, "options": ["plan"]})
    assert of({**row, "options": ["plan"]}) == [told("steps.one.options", OPTIONS)]
    task = step("two", 2, kind="internal", **PLAIN)
    assert decided(row, task) != decided(row, {**task, "options": ["plan"]})
    assert of(row, {**task, "options": ["plan"]}) == []


def test_c15_what_is_done_without_a_capability_needs_one_to_lack() -> None:
    row, other = step(channels=["email", "voice"]), {"else": {"channels": ["letter"]}}
    assert decided(row) == decided({**row, **other})
    assert of({**row, **other}) == [told("steps.one.else", ELSE)]
    assert of({**row, **other, "capability": "uses_agency"}) == []
    task = step("two", 2, kind="internal", capability="uses_agency", **PLAIN)
    assert decided(row, task) != decided(row, {**task, **other})
    assert of(row, {**task, **other}) == []


def test_r69_no_rule_raises_anybody_to_the_lowest_rung() -> None:
    row = step(channels=["email", "voice"])
    lowest = {"rung": "automated", "when": True, "notify": ["us"], "origin": "x"}
    personal = {**lowest, "rung": "personal", "when": "max_dpd > 30"}
    assert decided(row) == decided(row, escalate=[lowest])
    assert decided(row, escalate=[personal]) == decided(row, escalate=[personal, lowest])
    assert of(row, escalate=[personal, lowest]) == [told("escalate[1].rung", RUNG)]


@pytest.mark.parametrize("name", ["currency", "invoice_currency"])
def test_no_currency_is_written_in_small_letters(name: str) -> None:
    def said(rule: str) -> Any:
        return of(step(channels=["email", "voice"]), step("two", 9, when=rule))

    def finding(wrong: str) -> list[Any]:
        words = f"{name} is never {wrong}; write three capital letters, such as 'USD'"
        return [("UNREACHABLE_RULE", "warning", "steps.two.when", words)]

    assert said(f"{name} == 'usd'") == finding("'usd'")
    assert said(f"{name} not in ('USD', 'US', 'EURO')") == finding("'US' or 'EURO'")
    assert said(f"{name} == USD or {name} is None") == []
    assert said("country == 'usa' or language == 'en'") == []
