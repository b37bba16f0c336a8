"""Small rules that no other test held in place: what a message holds, what counts as tried, what a reply hides."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from ar_core.cadence.content import content_of
from ar_core.cadence.explain import explanation
from ar_core.cadence.history import History
from ar_core.cadence.policy import Purpose, Tone
from tests.cadence import books as b

DAY = timedelta(days=1)
IN = ar.Direction.INBOUND


def test_r15_r31_a_call_names_the_invoice_as_every_message_does_and_brings_its_brief() -> None:
    found = content_of(Purpose.REMINDER, ("invoice", "statement"), ar.Channel.VOICE, Tone.FIRM, b.invoice())
    assert found == (
        "invoice_number",
        "amount_due",
        "due_date",
        "brief_open_items",
        "brief_last_touches",
        "brief_promises",
        "brief_disputes",
        "ask_payment_date_open_question",
        "record_outcome",
    )


@pytest.mark.parametrize(
    ("attach", "has_pdf", "held"),
    [
        ((), True, []),
        (("invoice",), True, ["attach_invoice_pdf", "mention_attachment"]),
        (("invoice",), None, ["attach_invoice_pdf", "mention_attachment"]),
        (("invoice",), False, []),
        (("statement",), False, ["attach_statement", "mention_attachment"]),
        (("invoice", "statement"), True, ["attach_invoice_pdf", "mention_attachment", "attach_statement"]),
    ],
)
def test_r16_r28_what_is_attached_is_mentioned(
    attach: tuple[str, ...], has_pdf: bool | None, held: list[str]
) -> None:
    bill = b.invoice(has_pdf=has_pdf)
    found = content_of(Purpose.REMINDER, attach, ar.Channel.LETTER, Tone.FORMAL, bill)
    assert found == ("invoice_number", "amount_due", "due_date", "payment_link", *held)


def test_e17_a_section_without_a_currency_comes_first() -> None:
    owed = [b.invoice("i1", 9), b.invoice("i2", 9, currency=None), b.invoice("i3", 9, currency="EUR")]
    policy = b.changed("balanced", grouping={"include": "overdue_only"})
    assert [t.currency for t in b.only_touch(b.run(*owed, policy=policy)).totals] == [None, "EUR", "USD"]


def test_e23_a_contact_that_is_still_to_come_hides_none_of_those_before_it() -> None:
    before = b.touch("t1", ago=1, step="first", covers=("i1",))
    to_come = b.touch("t2", ago=-2, step="demand", covers=("i1",))
    evaluation = b.run(b.invoice(dpd=9), before, to_come)
    assert (b.of(evaluation).code, b.of(evaluation).until) == (Code.MIN_GAP, b.TODAY + 2 * DAY)
    assert evaluation.next_change_at is not None
    far = b.touch("t3", ago=-40, step="demand", covers=("i1",))
    settled = b.run(b.invoice(dpd=200), far, policy="xero_parity")
    assert settled.next_change_at == far.at


def test_e28_what_was_only_listed_was_no_attempt() -> None:
    listed = ar.Coverage(invoice_id=b.invoice_id(), step="demand", presence_only=True)
    named = ar.Coverage(invoice_id=b.invoice_id(), step="demand")
    idle = ar.Coverage(invoice_id=b.invoice_id())
    touches = [
        b.touch("t1", ago=9, outcome=ar.TouchOutcome.FAILED).model_copy(update={"covers": (listed,)}),
        b.touch("t2", ago=8, outcome=ar.TouchOutcome.FAILED).model_copy(update={"covers": (idle,)}),
        b.touch("t3", ago=7, outcome=ar.TouchOutcome.FAILED).model_copy(update={"covers": (named,)}),
        b.touch("t4", ago=6, direction=IN).model_copy(update={"covers": (named,)}),
    ]
    history = History(touches, b.NOON, lambda at: at.date())
    assert history.attempts(b.invoice_id(), "demand") == 1


@pytest.mark.parametrize("first", [ar.Intent.OPTED_OUT, ar.Intent.PROMISED, ar.Intent.REFUSED])
def test_r43_what_needs_nobody_hides_no_later_question(first: ar.Intent) -> None:
    """An intent without a rule, one that is settled, and one whose task is too old: a question after them is a task all the same."""
    said = b.touch("said", ago=40, direction=IN, intent=first)
    question = b.touch("question", ago=1, direction=IN, intent=ar.Intent.QUESTION)
    records: list[Any] = [b.invoice(dpd=9), said, question, b.promise(on=-40, given=39, covers=())]
    evaluation = b.run(*records)
    assert "answer_question" in b.tasks_of(evaluation)
    assert b.of(evaluation).code is Code.REPLY_PENDING


def test_r43_a_question_about_an_invoice_that_is_paid_hides_no_later_one() -> None:
    paid = b.touch("about_paid", ago=2, direction=IN, intent=ar.Intent.QUESTION, covers=("gone",))
    question = b.touch("question", ago=1, direction=IN, intent=ar.Intent.QUESTION, covers=("i1",))
    evaluation = b.run(b.invoice(dpd=9), paid, question)
    assert b.tasks_of(evaluation) == ["answer_question"]
    assert Decimal(100) == b.invoice().balance_due


def traced(*records: Any, **options: Any) -> list[tuple[str, str, Any, dict[str, Any]]]:
    """The decisions about the account as a whole."""
    found = explanation(b.run(*records, **options), customer=b.customer_id())
    return [(r.rule, r.result, r.code, dict(r.inputs)) for r in found.trace if r.invoice_id is None]


def test_e40_the_trace_says_what_stops_the_account_and_until_when() -> None:
    pause = ar.Pause(
        id="local:pause", customer_id=b.customer_id(), starts_on=b.TODAY, ends_on=b.TODAY + 4 * DAY
    )
    rows = traced(b.invoice(dpd=9), pause, policy="xero_parity")
    assert rows == [
        ("tiers.value", "core", None, {"lifetime_value": Decimal(1000)}),
        ("pauses.account", "paused", Code.PAUSED, {"until": b.TODAY + 5 * DAY}),
    ]
    stopped = traced(b.invoice(dpd=9), b.profile(flags=("legal_stop",)), policy="xero_parity")
    assert stopped[-1] == ("pauses.account", "paused", Code.LEGAL_STOP, {})


def test_r20_the_trace_says_why_only_people_may_write() -> None:
    rows = traced(b.invoice(dpd=-20), policy="xero_parity", value="strategic")
    assert rows[-1] == ("actor", "human", Code.HUMAN_ONLY, {"because": "value tier strategic"})
    flagged = traced(b.invoice(dpd=-20), b.profile(flags=("human_only",)), policy="xero_parity")
    assert flagged[-1] == ("actor", "human", Code.HUMAN_ONLY, {"because": "flag human_only"})
    without = b.changed("xero_parity", tiers={"value": {"enabled": False}})
    assert traced(b.invoice(dpd=-20), policy=without) == [("tiers.value", "none", None, {})]


def test_the_trace_says_which_override_changed_the_plan_and_why() -> None:
    override = {"when": "max_dpd < 3", "steps": {"reminder_7": {"at": 5}}, "origin": "ours"}
    rows = traced(b.invoice(dpd=-20), policy=b.changed("xero_parity", overrides=[override]))
    rule, result, code, inputs = rows[1]
    assert (rule, result, code, inputs["when"], inputs["origin"]) == (
        "overrides",
        "applies",
        None,
        "max_dpd < 3",
        "ours",
    )
    assert [str(c) for c in inputs["because"]] == ["max_dpd < 3"]


def of_invoice(*records: Any, **options: Any) -> list[tuple[str, str, Any, dict[str, Any]]]:
    """The decisions about the invoice."""
    found = explanation(b.run(*records, **options), invoice=b.invoice_id())
    return [(r.rule, r.result, r.code, dict(r.inputs)) for r in found.trace if r.invoice_id is not None]


def test_the_trace_says_what_an_invoice_waits_for_and_until_when() -> None:
    assert of_invoice(b.invoice(dpd=3), policy="xero_parity") == [
        (
            "steps",
            "wait",
            Code.NEXT_STEP,
            {"days_past_due": 3, "stage": "overdue", "step": "reminder_7", "until": b.TODAY + 4 * DAY},
        )
    ]
    assert of_invoice(b.invoice(dpd=7), policy="xero_parity") == [
        (
            "steps",
            "due",
            Code.STEP_DUE,
            {"days_past_due": 7, "stage": "overdue", "step": "reminder_7", "origin": "XERO-1"},
        )
    ]
    assert of_invoice(b.invoice(dpd=40), policy="xero_parity") == [
        ("steps", "wait", Code.WINDOW_MISSED, {"days_past_due": 40, "stage": "overdue"})
    ]


def test_the_trace_of_a_message_says_who_was_passed_over_and_when_it_may_go() -> None:
    nobody = b.contact(phone=None, mobile=None)
    (message,) = [row for row in traced(b.invoice(dpd=22), nobody, at=b.as_of(hour=8)) if row[0] == "message"]
    assert message[1:3] == ("send", Code.STEP_DUE)
    assert message[3] == {
        "step": "call",
        "lead": b.invoice_id(),
        "channel": "email",
        "contact": nobody.id,
        "passed_over": (Code.NO_ADDRESS, Code.CHANNEL_FALLBACK),
        "covers": (b.invoice_id(),),
        "not_before": b.as_of(hour=9).instant,
    }


def test_who_has_nothing_open_cannot_be_explained() -> None:
    evaluation = b.run(b.invoice(dpd=9), b.customer("c2"))
    with pytest.raises(LookupError) as caught:
        ar.explain(evaluation, customer=b.customer_id("c2"))
    assert caught.value.args == (f"{b.customer_id('c2')!r} has no open invoice in this evaluation",)


def test_what_an_incremental_run_kept_is_explained_as_of_the_new_moment() -> None:
    book = b.book(b.invoice("i1", 8), b.invoice("i2", 8, "c2"))
    policy, tomorrow = b.policy_of("balanced"), b.as_of(b.TODAY + DAY)
    first = ar.evaluate(book, policy, b.as_of(), tiers=b.tier(), calendar=ar.WEEKENDS)
    again = ar.reevaluate(first, book, {b.customer_id("c2")}, tomorrow)
    whole = ar.evaluate(book, policy, tomorrow, tiers=b.tier(), calendar=ar.WEEKENDS)
    for name in ("c1", "c2"):
        told = ar.explain(again, customer=b.customer_id(name))
        assert told == ar.explain(whole, customer=b.customer_id(name))
        assert "days_past_due 9" in told
    assert "days_past_due 8" in ar.explain(first, customer=b.customer_id())
