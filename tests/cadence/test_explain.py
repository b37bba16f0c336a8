"""Why, and why not: every reason is documented, every obstacle is named, and removing what is named makes the step fire."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import CODES, Code
from ar_core.cadence.explain import traces
from tests.cadence import books as b

DAY = timedelta(days=1)


def facts(*records: Any, step: str, **options: Any) -> dict[str, str]:
    found = ar.why_not(b.run(*records, **options), b.invoice_id(), step)
    return {need.fact: need.needed for need in found.would_fire_if}


def test_every_code_is_documented_with_a_rule() -> None:
    assert set(CODES) == set(Code)
    for code, info in CODES.items():
        assert info.meaning.endswith("."), code
        assert info.rules, code


def test_an_explanation_names_the_facts_the_rules_and_where_they_come_from() -> None:
    text = ar.explain(b.run(b.invoice(dpd=40)), invoice=b.invoice_id())
    for part in (
        "action: STEP_DUE",
        "stage escalation",
        "step call",
        "at_risk",
        "max_dpd >= 30 (is 40)",
        "R6",
    ):
        assert part in text, part


def test_the_sample_of_the_rules_a_promise_in_its_grace() -> None:
    evaluation = b.run(b.invoice(dpd=24), b.promise(on=-1))
    trace = json.loads(ar.explain(evaluation, invoice=b.invoice_id(), fmt="json"))["trace"]
    (pause,) = [record for record in trace if record["rule"] == "pauses.invoice"]
    assert (pause["result"], pause["code"]) == ("paused", "PTP_IN_GRACE")
    assert pause["inputs"] == {"record": "local:pr1", "until": "2026-11-27"}


def test_explanations_come_as_text_markdown_and_json_for_customers_and_invoices() -> None:
    evaluation = b.run(b.invoice("i1", 22), b.invoice("i2", 3))
    assert ar.explain(evaluation, customer=b.customer_id(), fmt="md").startswith("## ")
    data = json.loads(ar.explain(evaluation, customer=b.customer_id(), fmt="json"))
    assert len(data["dispositions"]) == 2
    assert "lead" in data["trace"][-1]["inputs"]


def test_an_explanation_needs_one_id_that_exists() -> None:
    evaluation = b.run(b.invoice(dpd=3))
    with pytest.raises(ValueError, match="either"):
        ar.explain(evaluation)
    with pytest.raises(LookupError):
        ar.explain(evaluation, invoice="nothing")
    with pytest.raises(LookupError):
        ar.explain(evaluation, customer="nobody")


def test_asking_for_traces_changes_no_result() -> None:
    evaluation = b.run(b.invoice("i1", 22), b.invoice("i2", 76, "c2"), b.dispute())
    before = evaluation.model_dump_json()
    assert set(traces(evaluation)) == {b.customer_id("c1"), b.customer_id("c2")}
    assert evaluation.model_dump_json() == before


@pytest.mark.parametrize(
    ("dpd", "step", "needed"),
    [
        (9, "call", {"dpd": ">= 22"}),
        (50, "call", {"dpd": "<= 45"}),
        (25, "demand", {"dpd": "<= 21"}),
        (5, "nudge_sms", {"steps.nudge_sms.enabled": "is true", "no_address": "no longer holds"}),
        (10, "first", {"dpd": "<= 7"}),
    ],
)
def test_why_not_names_the_day(dpd: int, step: str, needed: dict[str, str]) -> None:
    assert facts(b.invoice(dpd=dpd), step=step) == needed


def test_why_not_names_the_capability_that_is_missing() -> None:
    policy = b.policy_of("balanced").resolved()
    next(s for s in policy["steps"] if s["id"] == "letter")["else"] = None
    sent = b.touch(ago=10, step="demand", covers=("i1",))
    found = facts(b.invoice(dpd=50), sent, step="letter", policy=ar.load_policy(policy))
    assert found == {"capabilities.will_pursue_legal": "is true"}


def test_why_not_names_the_required_step() -> None:
    assert facts(b.invoice(dpd=50), step="letter") == {"touch of demand": "is on record"}


@pytest.mark.parametrize(
    ("record", "fact"),
    [(b.promise(), "promise"), (b.dispute(), "dispute"), (b.touch(ago=1), "min_gap")],
)
def test_why_not_names_what_pauses_and_without_it_the_step_fires(record: Any, fact: str) -> None:
    assert list(facts(b.invoice(dpd=9), record, step="demand")) == [fact]
    without = ar.why_not(b.run(b.invoice(dpd=9)), b.invoice_id(), "demand")
    assert without.fires


def test_why_not_lists_everything_that_stands_in_the_way_at_once() -> None:
    assert facts(b.invoice(dpd=9), b.promise(), step="call") == {
        "promise": "verdict is broken or withdrawn",
        "dpd": ">= 22",
    }


def test_why_not_finds_the_smallest_change_of_a_rule() -> None:
    policy = b.changed(
        "balanced",
        steps=[{"id": "demand", "when": "(max_dpd > 100 and balance_base > 5000) or order_hold == True"}],
    )
    assert facts(b.customer(order_hold=False), b.invoice(dpd=9), step="demand", policy=policy) == {
        "order_hold": "== True"
    }


@pytest.mark.parametrize(("ago", "gap"), [(1, 2), (2, 1)])
def test_the_earliest_day_of_an_obstacle_is_the_day_on_which_the_step_fires(ago: int, gap: int) -> None:
    records = [b.invoice(dpd=9), b.touch(ago=ago)]
    (need,) = ar.why_not(b.run(*records), b.invoice_id(), "demand").would_fire_if
    assert need.earliest == b.TODAY + gap * DAY
    assert need.earliest is not None
    before = b.run(*records, at=b.as_of(need.earliest - DAY))
    after = b.run(*records, at=b.as_of(need.earliest))
    assert not b.touches_of(before)
    assert b.only_touch(after).step == "demand"


def test_why_not_of_an_excluded_invoice_says_what_excludes_it() -> None:
    assert facts(b.invoice(dpd=9, due_date=None), step="demand") == {"no_due_date": "no longer holds"}


def test_why_not_refuses_a_step_or_an_invoice_that_does_not_exist() -> None:
    evaluation = b.run(b.invoice(dpd=9))
    with pytest.raises(LookupError, match="has no step"):
        ar.why_not(evaluation, b.invoice_id(), "nothing")
    with pytest.raises(LookupError, match="no open invoice"):
        ar.why_not(evaluation, "nothing", "demand")


def test_an_evaluation_from_a_file_says_that_it_cannot_be_explained() -> None:
    evaluation = b.run(b.invoice(dpd=9, balance_due=Decimal(5)))
    data = evaluation.model_dump(mode="json", exclude={"writebacks", "fingerprint"})
    with pytest.raises(ValueError, match="evaluate the snapshot again"):
        ar.explain(ar.Evaluation.model_validate(data), invoice=b.invoice_id())
