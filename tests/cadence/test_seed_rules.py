"""The seed rules R1 to R72, each as a test that fails when its number moves by one day."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence import PRESETS
from ar_core.cadence.codes import Code
from ar_core.cadence.plan import CompiledPolicy
from ar_core.scoring import blend_of
from tests.cadence import books as b

FUNNEL_STAGES = [
    (-1, "pre_due"),
    (0, "reminder"),
    (7, "reminder"),
    (8, "first_demand"),
    (21, "first_demand"),
    (22, "escalation"),
    (45, "escalation"),
    (46, "pre_legal"),
    (75, "pre_legal"),
    (76, "write_off_review"),
]


@pytest.mark.parametrize("preset", ["funnel_5", "balanced"])
@pytest.mark.parametrize(("dpd", "stage"), FUNNEL_STAGES)
def test_r4_to_r8_and_g25_stages_begin_and_end_on_their_days(preset: str, dpd: int, stage: str) -> None:
    assert b.of(b.run(b.invoice(dpd=dpd), policy=preset)).stage == stage


@pytest.mark.parametrize(
    ("dpd", "tone"), [(1, "friendly"), (8, "direct"), (22, "firm")], ids=["R4", "R5", "R6"]
)
def test_r4_r5_r6_the_tone_of_a_stage_is_the_tone_of_its_touch(dpd: int, tone: str) -> None:
    assert b.only_touch(b.run(b.invoice(dpd=dpd), policy="funnel_5")).tone == tone


def test_r5_r15_every_covered_invoice_is_named_with_number_amount_and_due_date() -> None:
    action = b.only_touch(b.run(b.invoice("i1", 9), b.invoice("i2", 3), policy="funnel_5"))
    assert {"invoice_number", "amount_due", "due_date"} <= set(action.content_requirements)
    assert [(c.number, c.balance_due, c.due_date) for c in action.covers] == [
        ("I1", Decimal("100.00"), b.TODAY - timedelta(days=9)),
        ("I2", Decimal("100.00"), b.TODAY - timedelta(days=3)),
    ]


def test_r6_day_22_brings_a_call_and_a_notice_to_the_account_manager() -> None:
    evaluation = b.run(b.invoice(dpd=22), policy="funnel_5")
    assert b.only_touch(evaluation).channel is ar.Channel.VOICE
    notices = [a for a in evaluation.actions if a.kind is ar.ActionKind.INTERNAL]
    assert [(n.notify, n.code) for n in notices] == [(("account_manager",), Code.NOTIFY)]


def with_capability(preset: str, **capabilities: bool) -> ar.Policy:
    return b.changed(preset, capabilities=capabilities)


def after_demand(name: str, dpd: int) -> tuple[ar.Invoice, ar.Touch]:
    return b.invoice(dpd=dpd), b.touch(ago=10, step=name, covers=("i1",))


def test_r7_the_legal_letter_goes_out_only_where_legal_action_is_real() -> None:
    records = after_demand("demand_1", 46)
    withheld = b.only_touch(b.run(*records, policy="funnel_5"))
    assert withheld.channel is ar.Channel.VOICE
    assert Code.ELSE_BRANCH in withheld.reasons
    assert withheld.clauses == ()
    sent = b.only_touch(b.run(*records, policy=with_capability("funnel_5", will_pursue_legal=True)))
    assert sent.channel is ar.Channel.LETTER
    assert sent.clauses == ("legal",)


def test_r7_without_an_else_the_step_is_withheld_and_says_so() -> None:
    policy = b.policy_of("funnel_5").resolved()
    letter = next(step for step in policy["steps"] if step["id"] == "letter")
    letter["else"] = None
    outcome = b.of(b.run(*after_demand("demand_1", 46), policy=ar.load_policy(policy)))
    assert outcome.code is Code.CAPABILITY_NOT_DECLARED


def test_r8_write_off_review_asks_for_a_decision_and_sends_nothing() -> None:
    evaluation = b.run(b.invoice(dpd=76), policy="funnel_5")
    assert [a.kind for a in evaluation.actions] == [ar.ActionKind.DECISION]
    assert b.touches_of(b.run(b.invoice(dpd=75), policy="funnel_5"))


@pytest.mark.parametrize("dpd", range(22))
def test_r9_r13_the_funnel_uses_nothing_but_email_up_to_day_21(dpd: int) -> None:
    for action in b.touches_of(b.run(b.invoice(dpd=dpd), policy="funnel_5")):
        assert action.channel is ar.Channel.EMAIL


@pytest.mark.parametrize(("dpd", "channel"), [(21, "email"), (22, "voice")])
@pytest.mark.parametrize("preset", ["funnel_5", "balanced"])
def test_r10_r22_core_is_called_from_day_22_and_not_on_21(preset: str, dpd: int, channel: str) -> None:
    assert b.only_touch(b.run(b.invoice(dpd=dpd), policy=preset)).channel == channel


@pytest.mark.parametrize(("dpd", "channel"), [(13, "email"), (14, "voice")])
@pytest.mark.parametrize("preset", ["funnel_5", "balanced"])
def test_r23_tail_is_called_from_day_14_and_not_on_13(preset: str, dpd: int, channel: str) -> None:
    assert b.only_touch(b.run(b.invoice(dpd=dpd), policy=preset, value="tail")).channel == channel


def test_r11_a_call_may_be_made_by_a_person_or_a_machine() -> None:
    assert b.only_touch(b.run(b.invoice(dpd=22), policy="funnel_5")).actor == "either"


@pytest.mark.parametrize(
    ("country", "dpd", "eligible"),
    [("MX", 22, True), ("BR", 22, True), ("ES", 22, True), ("DE", 22, False), ("MX", 21, False)],
)
@pytest.mark.parametrize("preset", ["funnel_5", "balanced"])
def test_r12_whatsapp_is_open_in_three_countries_from_day_22(
    preset: str, country: str, dpd: int, eligible: bool
) -> None:
    profile = b.profile(consents=(ar.Consent(channel=ar.Channel.WHATSAPP, granted=True),))
    evaluation = b.run(
        b.customer(country=country),
        b.contact(phone=None, mobile="+52 1", email="a@b.c"),
        profile,
        b.invoice(dpd=dpd),
        policy=preset,
    )
    action = b.only_touch(evaluation)
    assert (ar.Channel.WHATSAPP in {action.channel, *action.fallbacks}) is eligible


def test_r16_the_next_step_is_made_easy() -> None:
    action = b.only_touch(b.run(b.invoice(dpd=3)))
    assert "payment_link" in action.content_requirements
    without = b.only_touch(b.run(b.invoice(dpd=3, payment_link=None)))
    assert "billing_contact" in without.content_requirements


def test_r17_an_escalated_step_names_a_person_or_says_that_there_is_none() -> None:
    assert b.only_touch(b.run(b.invoice(dpd=22))).sender == "Ann Lee"
    nobody = b.only_touch(b.run(b.invoice(dpd=22), b.profile(account_manager=None)))
    assert nobody.sender is None
    assert Code.NO_NAMED_HUMAN in nobody.reasons


def test_r18_r29_a_threat_without_its_capability_is_withheld() -> None:
    step = {"id": "first", "clauses": ["order_hold", "agency"]}
    plain = b.only_touch(b.run(b.invoice(dpd=3), policy=b.changed("balanced", steps=[step])))
    assert plain.clauses == ()
    assert Code.CLAUSE_WITHHELD in plain.reasons
    declared = b.changed("balanced", steps=[step], capabilities={"uses_agency": True})
    assert b.only_touch(b.run(b.invoice(dpd=3), policy=declared)).clauses == ("agency",)


@pytest.mark.parametrize(
    ("count", "expected"), [(10, (2, 6, 2)), (5, (1, 3, 1)), (1, (1, 0, 0)), (3, (1, 2, 0)), (11, (3, 6, 2))]
)
def test_r19_c18_value_tiers_are_shares_of_the_ranked_customers(
    count: int, expected: tuple[int, int, int]
) -> None:
    names = [f"c{n:02d}" for n in range(count)]
    snapshot = b.book(
        *(b.customer(n) for n in names),
        *(b.profile(n, lifetime_value=Decimal(1000 + i)) for i, n in enumerate(names)),
    )
    tiers = [a.tier for a in ar.assign_tiers(snapshot).by_customer.values()]
    assert tuple(tiers.count(t) for t in ("strategic", "core", "tail")) == expected


@pytest.mark.parametrize("preset", ["balanced", "funnel_5"])
def test_r19_the_presets_cut_at_20_and_80_percent(preset: str) -> None:
    names = [f"c{n:03d}" for n in range(200)]
    profiles = [b.profile(n, lifetime_value=Decimal(1000 + i)) for i, n in enumerate(names)]
    book = b.book(*profiles, *(b.invoice(n, 3, n) for n in names))
    tiers = [s.value_tier for s in ar.evaluate(book, b.policy_of(preset), b.as_of()).segments]
    assert tuple(tiers.count(t) for t in ("strategic", "core", "tail")) == (40, 120, 40)


def test_c18_equal_values_share_the_better_tier() -> None:
    names = [f"c{n:02d}" for n in range(10)]
    values = [100, 90, 90, 90, 50, 50, 50, 50, 50, 50]
    snapshot = b.book(
        *(b.customer(n) for n in names),
        *(b.profile(n, lifetime_value=Decimal(v)) for n, v in zip(names, values, strict=True)),
    )
    found = ar.assign_tiers(snapshot)
    assert [found.of(b.customer_id(n)).tier for n in names] == ["strategic"] * 4 + ["core"] * 6


def test_r19_a_missing_lifetime_value_is_derived_from_what_was_paid_and_says_so() -> None:
    snapshot = b.book(
        b.customer("c1"),
        b.customer("c2"),
        b.profile("c1", lifetime_value=None),
        b.payment("p1", amount="700"),
        b.payment("p2", amount="200", kind=ar.PaymentKind.REFUND),
    )
    assert ar.assign_tiers(snapshot).of(b.customer_id("c1")) == (
        "strategic",
        Decimal(500),
        (Code.LTV_DERIVED,),
    )


def test_r19_an_unknown_value_means_only_people_unless_the_policy_says_otherwise() -> None:
    nothing = ar.Tiers({})
    held = b.run(b.invoice(dpd=3), tiers=nothing)
    assert b.only_touch(held).actor == "human"
    assert held.segments[0].codes == (Code.VALUE_UNKNOWN,)
    relaxed = b.changed("balanced", tiers={"value": {"unknown": "core"}})
    assert b.only_touch(b.run(b.invoice(dpd=3), policy=relaxed, tiers=nothing)).actor == "auto"


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("dpd", [-3, 0, 1, 3, 5, 7, 8, 10, 14, 20, 21, 22, 30, 46, 60, 76, 95])
def test_r20_e42_strategic_customers_are_contacted_by_people_only(preset: str, dpd: int) -> None:
    for action in b.run(b.invoice(dpd=dpd), policy=preset, value="strategic").actions:
        assert action.actor == "human"


@pytest.mark.parametrize("preset", ["funnel_5", "balanced"])
@pytest.mark.parametrize(("dpd", "notified"), [(-1, False), (0, True)])
def test_r21_the_account_manager_of_a_strategic_customer_hears_of_stage_1(
    preset: str, dpd: int, notified: bool
) -> None:
    evaluation = b.run(b.invoice(dpd=dpd), policy=preset, value="strategic")
    notices = [a for a in evaluation.actions if a.task == "notice:strategic_stage_1"]
    assert bool(notices) is notified
    assert not [a for a in b.run(b.invoice(dpd=0), policy=preset).actions if a.code is Code.NOTIFY]


def test_r21_c12_a_notice_to_our_own_people_counts_in_no_cap() -> None:
    told = b.touch(ago=1, channel=ar.Channel.INTERNAL, direction=ar.Direction.INTERNAL, contact_id=None)
    assert b.of(b.run(b.invoice(dpd=3), told)).kind is ar.DispositionKind.ACTION


def test_r24_r40_every_open_invoice_is_on_the_worklist_or_says_why_not() -> None:
    evaluation = b.run(*(b.invoice(f"i{n}", n - 5, owner=f"c{n % 3 + 1}") for n in range(100)))
    assert len(evaluation.dispositions) == 100
    assert [item.rank for item in evaluation.worklist] == list(range(1, len(evaluation.actions) + 1))


def test_r25_problems_of_the_customer_are_signals() -> None:
    evaluation = b.run(
        b.invoice("i1", 30),
        b.dispute(reason="wrong price"),
        b.promise(on=-20, given=25),
        b.touch(outcome=ar.TouchOutcome.BOUNCED),
    )
    assert {s.code for s in evaluation.signals} == {
        Code.NEW_DISPUTE,
        Code.PROMISE_SLIPPED,
        Code.CONTACT_STALE,
    }


def test_r3_a_bounced_address_is_not_used_and_becomes_a_task() -> None:
    evaluation = b.run(b.invoice(dpd=3), b.touch(ago=5, outcome=ar.TouchOutcome.BOUNCED))
    assert b.of(evaluation).code is Code.NO_ADDRESS
    assert Code.CONTACT_STALE in b.of(evaluation).codes
    assert b.tasks_of(evaluation) == ["get_contact"]


def test_r27_r28_an_email_carries_identifiers_and_mentions_the_attached_invoice() -> None:
    wanted = {"subject_has_identifier", "attach_invoice_pdf", "mention_attachment"}
    assert wanted <= set(b.only_touch(b.run(b.invoice(dpd=3))).content_requirements)


def test_r28_a_missing_pdf_degrades_or_blocks_as_the_policy_says() -> None:
    degraded = b.only_touch(b.run(b.invoice(dpd=3, has_pdf=False)))
    assert Code.PDF_MISSING in degraded.reasons
    assert "attach_invoice_pdf" not in degraded.content_requirements
    strict = b.changed("balanced", steps=[{"id": "first", "needs": ["pdf"]}])
    assert b.of(b.run(b.invoice(dpd=3, has_pdf=False), policy=strict)).code is Code.PDF_MISSING


@pytest.mark.parametrize("preset", PRESETS)
def test_r29_tone_never_gets_milder_along_the_steps(preset: str) -> None:
    order = ["friendly", "direct", "firm", "formal"]
    ladder = [s for s in b.policy_of(preset).steps if s.repeat_every is None and s.purpose != "check_in"]
    tones = [s.tone for s in sorted(ladder, key=lambda s: s.at) if s.tone]
    assert [order.index(t) for t in tones] == sorted(order.index(t) for t in tones)


def test_r29_a_message_is_never_milder_than_what_its_invoices_already_heard() -> None:
    records = [b.invoice("i1", 30), b.invoice("i2", 4), b.touch(ago=8, step="call", covers=("i1",))]
    assert b.only_touch(b.run(*records)).tone == "firm"


def test_r30_a_rule_can_ask_how_many_emails_went_unanswered() -> None:
    policy = b.changed(
        "sprint_3_5_10",
        steps=[{"id": "escalated", "when": "unanswered_email >= 2"}],
        limits={"min_gap_days": 0},
    )
    touches = [b.touch(f"t{n}", ago=8 - n, step=s, covers=("i1",)) for n, s in enumerate(("first", "second"))]
    invoice = b.invoice(dpd=12)
    assert b.only_touch(b.run(invoice, *touches, policy=policy)).step == "escalated"
    answered = [touches[0], touches[1].model_copy(update={"outcome": ar.TouchOutcome.ANSWERED})]
    assert not b.touches_of(b.run(invoice, *answered, policy=policy))


def test_r31_r32_a_call_comes_with_a_brief_and_asks_for_a_date() -> None:
    content = b.only_touch(b.run(b.invoice(dpd=22))).content_requirements
    assert {"brief_open_items", "brief_last_touches", "brief_promises", "brief_disputes"} <= set(content)
    assert "ask_payment_date_open_question" in content
    assert "record_outcome" in content


def test_r33_c16_a_call_without_a_promise_is_allowed_and_reported() -> None:
    call = b.touch(ago=2, channel=ar.Channel.VOICE, outcome=ar.TouchOutcome.ANSWERED)
    assert [s.code for s in b.run(b.invoice(dpd=3), call).signals] == [Code.CALL_WITHOUT_PTP]
    assert not b.run(b.invoice(dpd=3), call, b.promise(given=2)).signals


def test_r34_a_text_message_without_a_payment_link_is_not_sent() -> None:
    opted_in = b.profile(consents=(ar.Consent(channel=ar.Channel.SMS, granted=True),))
    sms = b.only_touch(b.run(b.invoice(dpd=5), opted_in, policy="sprint_3_5_7_10"))
    assert sms.channel is ar.Channel.SMS
    assert {"payment_link", "amount_due"} <= set(sms.content_requirements)
    instead = b.only_touch(b.run(b.invoice(dpd=5, payment_link=None), opted_in, policy="sprint_3_5_7_10"))
    assert instead.channel is ar.Channel.EMAIL
    assert Code.SMS_NEEDS_LINK in instead.reasons


def test_r35_messages_go_out_in_the_working_hours_of_the_recipient() -> None:
    action = b.only_touch(b.run(b.invoice(dpd=3), b.contact(time_zone="America/Los_Angeles")))
    assert action.not_before is not None
    assert action.not_after is not None
    assert (action.not_before.hour, action.not_after.day, action.not_after.hour) == (17, 26, 1)


SPRINT = [
    (2, None),
    (3, "first_email"),
    (4, "first_email"),
    (5, "sms_link"),
    (6, "sms_link"),
    (7, "second_email"),
    (9, "second_email"),
    (10, "call_or_head"),
]


@pytest.mark.parametrize(("dpd", "step"), SPRINT)
def test_r38_the_ten_day_sprint_moves_on_days_3_5_7_and_10(dpd: int, step: str | None) -> None:
    found = b.touches_of(b.run(b.invoice(dpd=dpd), policy="sprint_3_5_7_10"))
    assert [a.step for a in found] == ([step] if step else [])


def test_r38_the_fourth_step_is_a_call_or_a_letter_to_the_department_head() -> None:
    head = b.contact(name="head", role=ar.ContactRole.DEPARTMENT_HEAD, phone=None, mobile=None)
    mail_only = b.contact(phone=None, mobile=None)
    action = b.only_touch(b.run(b.invoice(dpd=10), mail_only, head, policy="sprint_3_5_7_10"))
    assert (action.channel, action.contact_id) == (ar.Channel.EMAIL, head.id)
    assert b.only_touch(b.run(b.invoice(dpd=10), policy="sprint_3_5_7_10")).channel is ar.Channel.VOICE


@pytest.mark.parametrize(
    ("dpd", "step"), [(2, None), (3, "first"), (4, "first"), (5, "second"), (9, "second"), (10, "escalated")]
)
def test_r39_c1_the_short_sprint_moves_on_days_3_5_and_10(dpd: int, step: str | None) -> None:
    found = b.touches_of(b.run(b.invoice(dpd=dpd), policy="sprint_3_5_10"))
    assert [a.step for a in found] == ([step] if step else [])


def test_r39_the_next_day_note_is_optional() -> None:
    assert not b.touches_of(b.run(b.invoice(dpd=1), policy="sprint_3_5_10"))
    on = b.changed("sprint_3_5_10", steps=[{"id": "next_day", "enabled": True}])
    assert b.only_touch(b.run(b.invoice(dpd=1), policy=on)).step == "next_day"


@pytest.mark.parametrize("intent", [i for i in ar.Intent if i is not ar.Intent.NONE])
def test_r43_what_the_customer_said_changes_the_decision(intent: ar.Intent) -> None:
    said = b.touch(
        ago=1,
        direction=ar.Direction.INBOUND,
        intent=intent,
        covers=("i1",),
    )
    silent = b.run(b.invoice(dpd=3)).model_dump(exclude={"fingerprint"})
    assert b.run(b.invoice(dpd=3), said).model_dump(exclude={"fingerprint"}) != silent


UNANSWERED = b.touch("t9", ago=40, step="first", covers=("i1",))


def rung(evaluation: Any) -> str:
    return str(evaluation.segments[0].rung)


@pytest.mark.parametrize("preset", ["balanced", "sprint_3_5_7_10", "sprint_3_5_10"])
def test_r44_c8_day_60_without_any_answer_escalates_and_day_59_does_not(preset: str) -> None:
    assert rung(b.run(b.invoice(dpd=60), UNANSWERED, policy=preset)) == "finance_lead"
    assert rung(b.run(b.invoice(dpd=59), UNANSWERED, policy=preset)) == "automated"


def test_r44_day_60_answered_and_no_broken_promise_does_not_escalate() -> None:
    answer = b.touch("t2", ago=20, direction=ar.Direction.INBOUND)
    assert rung(b.run(b.invoice(dpd=60), UNANSWERED, answer)) == "automated"
    broken = b.promise(on=-20, given=25)
    assert rung(b.run(b.invoice(dpd=60), UNANSWERED, answer, broken)) == "finance_lead"


def test_c8_day_90_forces_the_escalation() -> None:
    answer = b.touch("t2", ago=20, direction=ar.Direction.INBOUND)
    assert rung(b.run(b.invoice(dpd=89), UNANSWERED, answer)) == "automated"
    assert rung(b.run(b.invoice(dpd=90), UNANSWERED, answer)) == "finance_lead"


def test_c8_an_invoice_can_be_in_pre_legal_and_on_the_rung_of_the_finance_lead() -> None:
    evaluation = b.run(b.invoice(dpd=60), b.touch(ago=40, step="demand", covers=("i1",)))
    action = b.only_touch(evaluation)
    assert (action.stage, action.rung, action.actor, action.sender) == (
        "pre_legal",
        "finance_lead",
        "human",
        "Bo Diaz",
    )


def segment(dpd: int, *records: Any, policy: str = "risk_4") -> str | None:
    return b.run(b.invoice(dpd=dpd), *records, policy=policy).segments[0].risk_tier


@pytest.mark.parametrize("policy", ["risk_4", "balanced"])
@pytest.mark.parametrize(
    ("dpd", "expected"),
    [
        (1, "occasional"),
        (15, "occasional"),
        (16, "occasional"),
        (29, "occasional"),
        (30, "at_risk"),
        (59, "at_risk"),
        (60, "high_risk"),
    ],
)
def test_r50_to_r54_risk_by_days_past_due(policy: str, dpd: int, expected: str) -> None:
    assert segment(dpd, policy=policy) == expected


def paid_invoices(count: int, late: int = 0, name: str = "old") -> list[Any]:
    """Invoices of which each was paid on its due date, or so many days after it."""
    records: list[Any] = []
    for n in range(count):
        ago = 40 + n
        records.append(b.invoice(f"{name}{n}", dpd=ago + late, balance_due=Decimal(0)))
        records.append(b.payment(f"{name}:pay{n}", ago=ago))
        records.append(b.allocation(f"{name}:pay{n}", f"{name}{n}", ago=ago))
    return records


@pytest.mark.parametrize("policy", ["risk_4", "balanced"])
@pytest.mark.parametrize(
    ("dpd", "on_time", "late", "expected"),
    [
        (0, 10, 0, "reliable"),
        (1, 10, 0, "occasional"),
        (0, 9, 1, "reliable"),
        (0, 8, 1, "occasional"),
        (0, 0, 10, "occasional"),
        (0, 0, 0, "occasional"),  # nothing is known about a customer who never paid
    ],
)
def test_r51_who_pays_nine_of_ten_on_time_is_reliable(
    policy: str, dpd: int, on_time: int, late: int, expected: str
) -> None:
    paid = [*paid_invoices(on_time), *paid_invoices(late, 1, "slow")]
    assert segment(dpd, *paid, policy=policy) == expected


@pytest.mark.parametrize("policy", ["risk_4", "balanced"])
@pytest.mark.parametrize(("balance", "expected"), [("10000.00", "reliable"), ("10000.01", "occasional")])
def test_r51_the_balance_of_a_reliable_payer_is_at_most_10_000(
    policy: str, balance: str, expected: str
) -> None:
    large = b.invoice("i1", 0, balance_due=Decimal(balance), total=Decimal(balance))
    assert b.run(large, *paid_invoices(10), policy=policy).segments[0].risk_tier == expected


def test_r52_an_occasional_slipper_gets_one_personal_check_in() -> None:
    reminded = b.touch(ago=3, step="reminder", covers=("i1",))
    action = b.only_touch(b.run(b.invoice(dpd=10), reminded, policy="risk_4"))
    assert (action.step, action.actor) == ("check_in", "human")
    assert b.of(b.run(b.invoice(dpd=9), reminded, policy="risk_4")).kind is ar.DispositionKind.WAIT


def test_r53_at_risk_is_called_on_entry_and_then_every_7_days() -> None:
    first = b.only_touch(b.run(b.invoice(dpd=30), policy="risk_4"))
    assert (first.step, first.actor) == ("risk_call", "human")
    called = b.touch(ago=6, step="risk_call", covers=("i1",), channel=ar.Channel.VOICE)
    waiting = b.of(b.run(b.invoice(dpd=36), called, policy="risk_4"))
    assert (waiting.kind, waiting.until) == (ar.DispositionKind.WAIT, b.TODAY + timedelta(days=1))
    week = b.touch(ago=7, step="risk_call", covers=("i1",), channel=ar.Channel.VOICE)
    again = b.only_touch(b.run(b.invoice(dpd=37), week, policy="risk_4"))
    assert (again.step, again.occurrence) == ("risk_call", 1)


@pytest.mark.parametrize("policy", ["risk_4", "balanced"])
@pytest.mark.parametrize(
    ("paid", "expected"), [("0.01", "at_risk"), ("99.99", "at_risk"), ("100", "occasional")]
)
def test_r53_rising_balance_and_a_dispute_make_a_customer_at_risk(
    policy: str, paid: str, expected: str
) -> None:
    settled = b.dispute(ago=20, resolved_on=b.TODAY - timedelta(days=10))
    money = [b.payment(ago=20, amount=paid), b.allocation(ago=20, amount=paid)]
    assert segment(5, *money, settled, policy=policy) == expected
    assert segment(5, *money, policy=policy) == "occasional"


@pytest.mark.parametrize("policy", ["risk_4", "balanced"])
@pytest.mark.parametrize(("broken", "expected"), [(0, "occasional"), (1, "at_risk"), (2, "high_risk")])
def test_r53_r54_risk_by_broken_promises(policy: str, broken: int, expected: str) -> None:
    promises = [b.promise(f"p{n}", on=-40 + 10 * n, given=45 - 10 * n, covers=("i1",)) for n in range(broken)]
    assert segment(3, *promises, policy=policy) == expected


def test_r54_r56_two_broken_promises_are_high_risk_and_need_a_person_at_any_age() -> None:
    broken = [
        b.promise("a", on=-40, given=45, covers=("i1",)),
        b.promise("b", on=-20, given=25, covers=("i1",)),
    ]
    evaluation = b.run(b.invoice(dpd=3), *broken)
    assert evaluation.segments[0].risk_tier == "high_risk"
    assert b.only_touch(evaluation).actor == "human"
    assert b.only_touch(b.run(b.invoice(dpd=3), broken[0])).actor == "auto"


@pytest.mark.parametrize(("dpd", "step"), [(-4, None), (-3, "heads_up"), (-1, "heads_up"), (0, "due_today")])
@pytest.mark.parametrize("preset", ["balanced", "risk_4"])
def test_r57_r58_a_note_before_the_due_date_and_a_confirmation_on_it(
    preset: str, dpd: int, step: str | None
) -> None:
    found = b.touches_of(b.run(b.invoice(dpd=dpd), policy=preset))
    assert [a.step for a in found] == ([step] if step else [])
    for action in found:
        assert "no_overdue_wording" in action.content_requirements


@pytest.mark.parametrize("dpd", [-3, 0, 3, 8, 22])
@pytest.mark.parametrize(
    ("state", "records"),
    [
        ("paid", {"balance_due": Decimal(0)}),
        ("disputed", {"dispute": True}),
        ("promised", {"promise": True}),
    ],
)
def test_r60_the_status_of_the_invoice_decides_before_the_calendar(
    dpd: int, state: str, records: dict[str, Any]
) -> None:
    extra = [b.dispute()] if "dispute" in records else [b.promise()] if "promise" in records else []
    fields = {k: v for k, v in records.items() if k == "balance_due"}
    assert not b.touches_of(b.run(b.invoice(dpd=dpd, **fields), *extra)), state


def test_r62_a_missing_purchase_order_pauses_and_becomes_a_task() -> None:
    said = b.touch(ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.MISSING_PO, covers=("i1",))
    evaluation = b.run(b.invoice(dpd=9), said)
    assert b.of(evaluation).code is Code.REPLY_PENDING
    assert "fix_purchase_order" in b.tasks_of(evaluation)
    fixed = b.run(
        b.invoice(dpd=9, customer_reference="PO-7"),
        said,
        policy=b.changed("balanced", limits={"min_gap_days": 0}),
    )
    assert b.of(fixed).kind is ar.DispositionKind.ACTION


def test_r63_a_request_for_a_copy_gets_a_copy_and_not_another_reminder() -> None:
    asked = b.touch(ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.COPY_REQUESTED, covers=("i1",))
    action = b.only_touch(b.run(b.invoice(dpd=9), asked))
    assert (action.step, action.purpose) == ("send_copy", "send_copy")
    assert "attach_invoice_pdf" in action.content_requirements
    sent = b.touch("t2", ago=0, step="send_copy", covers=("i1",), at=b.as_of(hour=10).instant)
    assert not b.touches_of(b.run(b.invoice(dpd=9), asked, sent))


def test_r66_forty_five_days_six_figures_and_two_broken_promises_outrank_a_reliable_payer_at_three_days() -> (
    None
):
    assert blend_of(45, Decimal(150_000), Decimal("0.3")) > blend_of(3, Decimal(20_000), Decimal("0.95"))
    bad = [
        b.invoice("i1", 45, "c1", balance_due=Decimal(150_000), total=Decimal(150_000)),
        b.promise("a", on=-30, given=35),
        b.promise("b", on=-20, given=25),
    ]
    good = [b.invoice("i2", 3, "c2", balance_due=Decimal(20_000), total=Decimal(20_000))]
    ranked = b.run(*good, *bad).worklist
    assert ranked[0].customer_id == b.customer_id("c1")


@pytest.mark.parametrize("scorer", ["additive", "amount_first", "blend", "expected_value"])
def test_r66_every_shipped_scorer_gives_that_order(scorer: str) -> None:
    policy = b.changed("balanced", scoring={"scorer": scorer})
    evaluation = b.run(
        b.invoice("i1", 45, "c1", balance_due=Decimal(150_000), total=Decimal(150_000)),
        b.promise("a", on=-30, given=35),
        b.promise("b", on=-20, given=25),
        b.invoice("i2", 3, "c2", balance_due=Decimal(20_000), total=Decimal(20_000)),
        policy=policy,
    )
    assert evaluation.worklist[0].customer_id == b.customer_id("c1")


def test_r67_ties_are_broken_by_a_total_order() -> None:
    evaluation = b.run(*(b.invoice(f"i{n}", 9, f"c{n}") for n in range(1, 9)))
    assert [item.customer_id for item in evaluation.worklist] == sorted(
        b.customer_id(f"c{n}") for n in range(1, 9)
    )


def test_r69_r70_the_ladder_ends_in_a_proposal_only_where_it_is_declared() -> None:
    records = [b.invoice(dpd=60), UNANSWERED]
    assert rung(b.run(*records, policy="risk_4")) == "finance_lead"
    declared = b.changed("risk_4", capabilities={"can_hold_orders": True})
    evaluation = b.run(*records, policy=declared)
    assert rung(evaluation) == "order_hold"
    proposal = next(a for a in evaluation.actions if a.code is Code.ESCALATED)
    assert (proposal.kind, proposal.options, proposal.origin) == (
        ar.ActionKind.DECISION,
        ("order_hold", "keep_chasing"),
        "R69",
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_r55_r70_every_rule_of_every_preset_says_where_it_comes_from(preset: str) -> None:
    policy = b.policy_of(preset)
    rules: list[Any] = [
        *policy.stages,
        *policy.steps,
        *policy.tiers.risk,
        *policy.overrides,
        *policy.escalate,
        *policy.notices,
    ]
    assert all(rule.origin for rule in rules)


def test_c9_the_gap_of_16_to_29_days_is_closed_and_named() -> None:
    for dpd, gap in ((15, False), (16, True), (29, True)):
        codes = b.run(b.invoice(dpd=dpd), policy="risk_4").segments[0].codes
        assert (Code.SEED_GAP in codes) is gap, dpd


def test_c2_the_text_message_of_the_default_policy_is_off() -> None:
    opted_in = b.profile(consents=(ar.Consent(channel=ar.Channel.SMS, granted=True),))
    assert b.only_touch(b.run(b.invoice(dpd=5), opted_in)).channel is ar.Channel.EMAIL


def test_c4_stage_and_tone_are_separate() -> None:
    action = b.only_touch(b.run(b.invoice(dpd=7), policy="sprint_3_5_7_10"))
    assert (action.stage, action.tone) == ("sprint", "firm")


def test_c6_day_0_is_in_the_reminder_stage_and_not_overdue() -> None:
    evaluation = b.run(b.invoice(dpd=0))
    assert b.of(evaluation).stage == "reminder"
    assert evaluation.writebacks == ()


def test_c13_scaled_stages_put_the_escalation_of_the_tail_on_day_14() -> None:
    policy = b.changed("funnel_5", overrides=[{"when": "value == tail", "scale": [14, 22], "origin": "C13"}])
    plan = CompiledPolicy(policy).plan(type("Facts", (), {"value": "tail", "country": None, "stage": None})())
    starts: dict[str, int] = {}
    for dpd in range(100):
        starts.setdefault(str(plan.stage(dpd)), dpd)
    assert starts == {
        "reminder": 0,
        "first_demand": 5,
        "escalation": 14,
        "pre_legal": 29,
        "write_off_review": 48,
    }


def test_c14_escalation_changes_the_sender_not_the_tone() -> None:
    action = b.only_touch(b.run(b.invoice(dpd=60), b.touch(ago=40, step="demand", covers=("i1",))))
    assert action.tone == "formal"
    assert action.sender_role == "finance_lead"


def test_c17_the_end_is_one_decision_with_all_options() -> None:
    decision = next(a for a in b.run(b.invoice(dpd=76)).actions if a.kind is ar.ActionKind.DECISION)
    assert decision.options == ("plan", "refer", "write_off", "keep_chasing")


@pytest.mark.parametrize("preset", PRESETS)
def test_c20_stages_alone_never_make_a_touch(preset: str) -> None:
    steps = b.policy_of(preset).steps
    for dpd in range(-6, 120):
        for action in b.touches_of(b.run(b.invoice(dpd=dpd), policy=preset)):
            assert action.step in {s.id for s in steps}
