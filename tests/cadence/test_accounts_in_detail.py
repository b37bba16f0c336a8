"""How one account is decided, case by case: who acts and why, what is left out, what went out under other names (E22, E28 to E30)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b
from tests.cadence.test_reading_policies import minimal, stage

DAY = timedelta(days=1)
FAILED = ar.TouchOutcome.FAILED
SEQUENTIAL: dict[str, Any] = {"catch_up": {"mode": "sequential"}}
UNTOLD = b.invoice("i9", 2)
"""An invoice beside the one that a test is about."""


def attempt(ago: int = 1) -> ar.Touch:
    """Something that did not come through, about another invoice: each is then looked at alone."""
    return b.touch("t9", ago=ago, step="first", covers=("i9",), outcome=FAILED)


def answer(*records: Any, about: str = "i1", **options: Any) -> tuple[Any, ...]:
    """Kind, code, stage, step and end of what is said to an invoice."""
    found = b.of(b.run(*records, **options), about)
    return found.kind.value, found.code, found.stage, found.step, found.until


def due(*records: Any, about: str = "i1", **options: Any) -> str | None:
    """The step that is due for an invoice; None where it waits."""
    _, code, _, step, _ = answer(*records, about=about, **options)
    return step if code is Code.STEP_DUE else None


def told(*records: Any, **options: Any) -> str:
    """All that is told of the invoice i1."""
    return ar.explain(b.run(*records, **options), invoice=b.invoice_id())


# ---- who acts


@pytest.mark.parametrize(
    ("why", "records", "options"),
    [
        ("value tier strategic", [], {"value": "strategic"}),
        ("value unknown", [], {"value": "unknown"}),
        ("flag human_only", [b.profile(flags=("human_only",))], {}),
        ("override", [], {"policy": {"overrides": [{"when": True, "actor": "human", "origin": "x"}]}}),
        (
            "promises not kept",
            [b.promise(f"k{n}", on=-20 - 9 * n, given=24 + 9 * n) for n in range(3)],
            {"policy": {"overrides": []}},
        ),
        (
            "customer refused",
            [b.touch("t1", ago=2, direction=ar.Direction.INBOUND, intent=ar.Intent.REFUSED, covers=("i1",))],
            {"policy": {"overrides": []}},
        ),
    ],
)
def test_r20_e42_why_only_people_write_is_told(why: str, records: list[Any], options: dict[str, Any]) -> None:
    policy = b.changed("balanced", **options.pop("policy", {}))
    assert f"HUMAN_ONLY (because {why})" in told(b.invoice("i1", 60), *records, policy=policy, **options)


def test_e42_customers_of_unknown_value_are_what_the_policy_takes_them_for() -> None:
    policy = b.changed("balanced", tiers={"value": {"unknown": "tail"}})
    evaluation = b.run(b.invoice("i1", 9), value="unknown", policy=policy)
    assert [s.value_tier for s in evaluation.segments] == ["tail"]
    assert b.only_touch(evaluation).actor == "auto"


def test_c9_the_rule_of_the_risk_tier_is_told_and_its_gap_is_marked() -> None:
    assert "tiers.risk.occasional: match" in told(b.invoice("i1", 9))
    draft = b.invoice("i1", 9, document_status=ar.DocumentStatus.DRAFT)
    gap = {"id": "late", "when": "max_dpd >= 1", "gap": "max_dpd == 9", "origin": "x"}
    rules = [
        {"id": "none", "when": "max_dpd is None", "origin": "x"},
        gap,
        {"id": "rest", "otherwise": True, "origin": "x"},
    ]
    policy = ar.load_policy(minimal(tiers={"risk": rules}))
    marked = (Code.SEED_GAP,)
    for record, tier, codes in (
        (draft, "none", ()),
        (b.invoice("i1", 0), "rest", ()),
        (b.invoice("i1", 8), "late", ()),
        (b.invoice("i1", 9), "late", marked),
    ):
        (segment,) = b.run(record, policy=policy).segments
        assert (segment.risk_tier, segment.codes) == (tier, codes)


# ---- what is not chased


def test_e8_an_invoice_issued_today_without_a_due_date_has_none_and_is_not_of_the_future() -> None:
    undated: dict[str, Any] = {"due_date": None}
    assert answer(b.invoice("i1", issue_date=b.TODAY, **undated))[1] is Code.NO_DUE_DATE
    tomorrow = b.TODAY + DAY
    found = answer(b.invoice("i1", issue_date=tomorrow, **undated))
    assert (found[0], found[1], found[4]) == ("excluded", Code.NOT_YET_ISSUED, tomorrow)


# ---- the past


def test_e29_a_failed_contact_fills_the_cap_only_where_the_policy_counts_it() -> None:
    records = (b.invoice("i1", 9), UNTOLD, attempt())
    assert answer(*records)[1] is Code.STEP_DUE
    counted = b.changed("balanced", limits={"count_failed": True})
    assert answer(*records, policy=counted)[1] is Code.MIN_GAP


def test_e34_promises_are_judged_as_the_policy_says() -> None:
    promised = (b.invoice("i1", 9), b.promise(on=-2, given=5))
    assert answer(*promised)[1] is Code.PTP_IN_GRACE
    strict = b.changed("balanced", pauses={"promise_grace_business_days": 0})
    assert answer(*promised, policy=strict)[1] is not Code.PTP_IN_GRACE


# ---- one by one or by a table


WHENS = ("country == 'US'", "stage == 'first_demand'", "open_invoices >= 1")


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("alone", [False, True])
def test_a_step_asks_about_its_account_and_its_stage_either_way(when: str, alone: bool) -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", "when": when}])
    records = (b.invoice("i1", 9), *((UNTOLD, attempt()) if alone else ()))
    assert due(*records, policy=policy) == "demand"
    never = b.changed("balanced", steps=[{"id": "demand", "when": f"not ({when})"}])
    assert due(*records, policy=never) is None


@pytest.mark.parametrize("alone", [False, True])
def test_two_invoices_of_one_age_go_by_what_went_out_for_each(alone: bool) -> None:
    sent = b.touch(ago=9, step="demand", covers=("i2",))
    records = (b.invoice("i1", 20), b.invoice("i2", 20), sent, *((UNTOLD, attempt()) if alone else ()))
    assert answer(*records)[1:4] == (Code.STEP_DUE, "first_demand", "demand")
    assert answer(*records, about="i2")[1:3] == (Code.NEXT_STEP, "first_demand")
    assert "demand" in ar.explain(b.run(*records), invoice=b.invoice_id("i2"))


@pytest.mark.parametrize("alone", [False, True])
def test_before_the_first_stage_an_invoice_has_none(alone: bool) -> None:
    policy = ar.load_policy(minimal(stages=[stage("late", 30, None)]))
    waiting = b.invoice("i1", -20)
    records = (waiting, *((b.invoice("i9", -20), attempt()) if alone else ()))
    assert answer(*records, policy=policy)[2] is None


def test_e5_days_of_grace_are_waited_for_in_their_stage() -> None:
    policy = b.changed("balanced", clock={"grace_days": 3})
    assert answer(b.invoice("i1", 2), policy=policy) == (
        "wait",
        Code.GRACE_DAYS,
        "reminder",
        None,
        b.TODAY + 2 * DAY,
    )


# ---- another lead


def test_e22_only_restart_begins_again_with_the_first_step() -> None:
    paid = b.invoice("i1", 30, balance_due=Decimal(0))
    records = (paid, b.invoice("i2", 9), UNTOLD, b.touch(ago=6, step="call", covers=("i1",)), attempt())
    for rule, step in (("contextual", "demand"), ("inherit", None), ("restart", "first")):
        policy = b.changed("balanced", grouping={"on_lead_change": rule}, limits={"min_gap_days": 0})
        assert due(*records, policy=policy, about="i2") == step, rule
    fresh = b.changed("balanced", grouping={"on_lead_change": "restart"})
    assert due(b.invoice("i2", 9), policy=fresh, about="i2") == "demand", "nothing was sent to anybody"


# ---- a key without its invoice


def test_e28_after_a_key_on_record_the_invoice_waits_for_its_next_step() -> None:
    invoice = b.invoice("i1", 9)
    key = b.only_touch(b.run(invoice)).key
    bare = b.touch(ago=1, key=key, step=None)
    other = b.invoice("i2", 30)
    evaluation = b.run(invoice, bare)
    assert (b.of(evaluation).code, b.of(evaluation).until) == (Code.NEXT_STEP, b.TODAY + 13 * DAY)
    merged = b.run(invoice, other, bare.model_copy(update={"at": b.as_of(b.TODAY - 8 * DAY).instant}))
    assert b.only_touch(merged).step == "call"
    assert [c.step for c in b.only_touch(merged).covers if c.invoice_id == invoice.id] == [None]


def test_e25_e28_in_sequence_the_next_step_keeps_its_distance_to_a_key_on_record() -> None:
    policy = b.changed("balanced", **SEQUENTIAL)
    invoice = b.invoice("i1", 9)
    action = b.only_touch(b.run(invoice, policy=policy))
    bare = b.touch(ago=4, key=action.key, step=None)
    # Demanded five days after the first reminder, which was four days ago.
    assert answer(invoice, bare, policy=policy)[1:] == (
        Code.NEXT_STEP,
        "first_demand",
        "demand",
        b.TODAY + DAY,
    )


def test_e28_why_not_knows_what_a_key_on_record_stands_for() -> None:
    invoice = b.invoice("i1", 9)
    bare = b.touch(ago=4, key=b.only_touch(b.run(invoice)).key, step=None)
    (fact,) = ar.why_not(b.run(invoice, bare), invoice.id, "demand").would_fire_if
    assert (fact.fact, fact.actual) == ("touch of demand", "on record")


# ---- steps we do not know


def under(name: str, ago: int = 5) -> ar.Touch:
    return b.touch(ago=ago, step=name, covers=("i1",))


@pytest.mark.parametrize("rule", ["manual", "keep_position"])
@pytest.mark.parametrize("name", ["first", "send_copy", "notice:cfo"])
def test_e30_known_steps_copies_and_notices_move_nobody(rule: str, name: str) -> None:
    policy = b.changed("balanced", pauses={"migrate": rule})
    assert answer(b.invoice("i1", 14), under(name), policy=policy)[1:4] == (
        Code.STEP_DUE,
        "first_demand",
        "demand",
    )


def test_e30_who_has_to_be_placed_is_paused_in_its_stage() -> None:
    policy = b.changed("balanced", pauses={"migrate": "manual"})
    assert answer(b.invoice("i1", 14), under("strange"), policy=policy) == (
        "paused",
        Code.MANUAL_MIGRATION,
        "first_demand",
        None,
        None,
    )
    placed = b.run(b.invoice("i1", 14), under("strange"), policy=policy)
    assert [c.status for c in placed.writebacks if isinstance(c, ar.SetCollectionsStatus)] == ["first_demand"]
    nowhere = ar.load_policy(minimal(stages=[stage("late", 30, None)], pauses={"migrate": "manual"}))
    assert answer(b.invoice("i1", 14), under("strange"), policy=nowhere)[1:3] == (Code.MANUAL_MIGRATION, None)


def test_e30_with_re_evaluate_a_step_we_do_not_know_counts_for_nothing() -> None:
    found = answer(b.invoice("i1", 14), UNTOLD, under("strange"), attempt())
    assert found[1:4] == (Code.STEP_DUE, "first_demand", "demand")


@pytest.mark.parametrize("rule", ["re_evaluate", "keep_position", "manual"])
def test_e30_where_nothing_is_strange_nothing_is_covered_before_its_time(rule: str) -> None:
    policy = b.changed("balanced", pauses={"migrate": rule})
    assert due(b.invoice("i1", -3), UNTOLD, attempt(9), policy=policy) == "heads_up"


@pytest.mark.parametrize(
    ("dpd_then", "dpd", "step"),
    [(8, 14, None), (7, 14, "demand"), (-20, 4, "first"), (-3, -2, None), (-4, -2, "heads_up")],
)
def test_e30_with_keep_position_the_place_is_that_of_the_day_of_the_touch(
    dpd_then: int, dpd: int, step: str | None
) -> None:
    policy = b.changed("balanced", pauses={"migrate": "keep_position"}, limits={"min_gap_days": 0})
    assert due(b.invoice("i1", dpd), under("strange", dpd - dpd_then), policy=policy) == step


def test_of_invoices_of_one_age_the_one_whose_id_is_last_says_how_an_account_stands() -> None:
    """An account's own invoices come before those of the customers below it, whatever their ids."""
    policy = b.changed("balanced", grouping={"collect_at": "parent"})
    family = (b.customer("c1"), b.customer("c2", parent_id=b.customer_id("c1"), bill_with_parent=True))
    for disputed, status in (("z", "first_demand, DISPUTED"), ("a", "first_demand")):
        found = b.run(
            *family,
            b.invoice("z", 14, "c1"),
            b.invoice("a", 14, "c2"),
            b.dispute(about=disputed, customer_id=None),
            policy=policy,
        )
        assert [c.status for c in found.writebacks if isinstance(c, ar.SetCollectionsStatus)] == [status]


def test_an_account_is_worth_what_it_owes_in_the_base_currency_whatever_else_has_a_rate() -> None:
    rate = ar.ExchangeRate(currency="EUR", base_currency=b.BASE, rate=Decimal("1.5"), as_of=b.TODAY)
    euros, unknown = b.invoice("i2", 14, currency="EUR"), b.invoice("i3", 14, currency=None)
    for records, balance in (((), 100), ((euros,), 250), ((unknown,), None), ((euros, unknown), None)):
        found = b.run(b.book(b.invoice("i1", 14), *records, rate))
        assert {item.balance_base for item in found.worklist} == {balance}
