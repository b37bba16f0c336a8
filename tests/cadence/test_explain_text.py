"""The explanation of a rich account, word by word: what became of each invoice, what is done, and every decision on the way."""

from __future__ import annotations

import json
import pickle
from datetime import timedelta
from functools import cache

import ar_core as ar
from ar_core.cadence.evaluate import assemble
from tests.cadence import books as b

COUNTRY = "country is None or country not in ('MX', 'BR', 'ES')"
ACCOUNT = f"""\
tiers.risk.at_risk: match (because broken_ptp_12m >= 1 (is 1))
tiers.value: core (lifetime_value 1000)
overrides: applies (when {COUNTRY}; because country not in ['MX', 'BR', 'ES'] (is US); origin R12)
"""
MESSAGE = (
    "message: send STEP_DUE (step call; lead quickbooks:1:invoice:i1; channel voice; contact quickbooks:1:contact:c1; "
    "covers quickbooks:1:invoice:i1, quickbooks:1:invoice:i2; not_before 2026-11-25T14:00:00+00:00)\n"
)


@cache
def evaluation() -> ar.Evaluation:
    """One invoice to call about, one that rides along, one disputed; and a promise that was broken."""
    return b.run(
        b.invoice("i1", 22),
        b.invoice("i2", 9),
        b.invoice("i3", 5),
        b.dispute(about="i3"),
        b.touch("t1", ago=9, step="first", covers=("i1",)),
        b.promise(on=-20, given=25),
    )


def indented(text: str, bullet: str) -> str:
    return "\n".join(bullet + line for line in text.splitlines())


def test_a_customer_is_explained_with_every_invoice_action_and_decision() -> None:
    lines = f"""\
quickbooks:1:invoice:i1 action: STEP_DUE (A step of the policy is due for this invoice.) [stage escalation, step call]
quickbooks:1:invoice:i2 action: RIDES_ALONG (The invoice's own step goes out in the message that another invoice leads.) \
[stage first_demand, step demand]
quickbooks:1:invoice:i3 paused: DISPUTED (The invoice is disputed.) [stage reminder]
action b675f14f: call by voice, by Ann Lee, priority 3587
action 2cb6436d: notice: call, by human, priority 3587
{ACCOUNT}\
quickbooks:1:invoice:i1 steps: due STEP_DUE \
(days_past_due 22; stage escalation; step call; done first; superseded demand; origin R6)
quickbooks:1:invoice:i2 steps: due STEP_DUE (days_past_due 9; stage first_demand; step demand; superseded first; origin R5)
quickbooks:1:invoice:i3 pauses.invoice: paused DISPUTED (record local:d1)
{MESSAGE}"""
    head = "quickbooks:1:customer:c1 under balanced@1 at 2026-11-25T17:00:00+00:00"
    assert ar.explain(evaluation(), customer=b.customer_id()) == f"{head}\n{indented(lines, '  ')}"
    assert (
        ar.explain(evaluation(), customer=b.customer_id(), fmt="md") == f"## {head}\n{indented(lines, '- ')}"
    )


def test_an_invoice_is_explained_without_the_others() -> None:
    lines = f"""\
paused: DISPUTED (The invoice is disputed.) [stage reminder]
{ACCOUNT}\
pauses.invoice: paused DISPUTED (record local:d1)
{MESSAGE}"""
    head = "quickbooks:1:invoice:i3 under balanced@1 at 2026-11-25T17:00:00+00:00"
    assert ar.explain(evaluation(), invoice=b.invoice_id("i3")) == f"{head}\n{indented(lines, '  ')}"


def test_a_waiting_invoice_says_until_when_and_what_else_holds() -> None:
    waiting = b.run(b.invoice("i1", 9), b.touch(ago=1))
    text = ar.explain(waiting, invoice=b.invoice_id())
    assert "  wait: MIN_GAP (The customer was contacted too recently.) Until 2026-11-27. " in text
    assert "\n  limits: wait MIN_GAP (until 2026-11-27)" in text
    unreachable = b.run(b.invoice("i1", 9), b.touch(ago=5, outcome=ar.TouchOutcome.BOUNCED))
    text = ar.explain(unreachable, invoice=b.invoice_id())
    stale = "A contact's address bounced, is inactive, or is the wrong one."
    assert f"\n    also CONTACT_STALE: {stale}" in text


def test_the_same_comes_as_data() -> None:
    data = json.loads(ar.explain(evaluation(), invoice=b.invoice_id("i1"), fmt="json"))
    assert list(data) == sorted(data)
    assert (data["invoice_id"], data["customer_id"]) == (b.invoice_id("i1"), b.customer_id())
    assert (data["policy"], data["as_of"]) == ("balanced@1", "2026-11-25T17:00:00Z")
    assert [d["invoice_id"] for d in data["dispositions"]] == [b.invoice_id("i1")]
    assert [a["step"] for a in data["actions"]] == ["call"]
    assert {r["invoice_id"] for r in data["trace"]} == {None, b.invoice_id("i1")}


def test_a_decision_of_which_nothing_is_known_has_no_parentheses() -> None:
    nothing = ar.Tiers({b.customer_id(): ar.TierAssignment("core", None)})
    evaluation = b.run(b.invoice(dpd=9), b.profile(lifetime_value=None), tiers=nothing)
    assert "  tiers.value: core" in ar.explain(evaluation, invoice=b.invoice_id()).splitlines()


def test_what_an_earlier_run_or_another_process_decided_is_explained_as_of_this_one() -> None:
    snapshot = b.book(b.invoice("i1", 9), b.invoice("i2", 40, "c2"), b.touch(ago=1))
    first, at = b.run(snapshot), b.as_of(b.TODAY + timedelta(days=1))
    full = b.run(snapshot, at=at)
    kept = ar.reevaluate(first, snapshot, set(), at)
    _, run, book = full.parts()
    sent = assemble(pickle.loads(pickle.dumps(dict(full.decisions.results))), run, book, full.notes)
    for one, dpd in (("i1", 10), ("i2", 41)):
        told = ar.explain(full, invoice=b.invoice_id(one))
        assert f"days_past_due {dpd};" in told
        assert ar.explain(kept, invoice=b.invoice_id(one)) == told
        assert ar.explain(sent, invoice=b.invoice_id(one)) == told
