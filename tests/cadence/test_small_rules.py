"""Small rules that no other test held in place: what a message holds, what counts as tried, what a reply hides."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from ar_core.cadence.content import content_of
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
