"""The columnar functions say what the evaluator and the aging report say, on every generated book and every shipped policy."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ar_core as ar
from ar_core.aging import NETSUITE, QUICKBOOKS, QUICKBOOKS_REPORT_DATE, XERO, AgingSpec, aging
from ar_core.cadence import PRESETS
from ar_core.cadence.features import FEATURES
from ar_core.cadence.predicates import parse_predicate
from ar_core.columns import Column, age, expression, place, report_of, segment, select, tables_of
from ar_core.partition import part_of
from tests.cadence import books as b
from tests.cadence.test_properties import records

EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OWNERS = ["c1", "c2", "c3"]
DAYS = st.integers(-3, 130).map(lambda n: b.TODAY + timedelta(days=n))
AMOUNTS = st.sampled_from([Decimal("0.01"), Decimal("33.333"), Decimal(50), Decimal("-7.5")])
POLICIES = st.sampled_from(PRESETS)


@st.composite
def books(draw: st.DrawFn) -> ar.Snapshot:
    """Everything of the evaluator's own generator, and settled invoices, credits, adjustments, rates and parents."""
    found = draw(records())
    above = {r.id: r.parent_id for r in found if isinstance(r, ar.Customer)}
    found = [r for r in found if not isinstance(r, ar.Customer)]
    if not any(above.values()) and draw(st.booleans()):
        above[b.customer_id("c2")] = b.customer_id("c1")
    found += [
        b.customer(
            owner,
            country=draw(st.sampled_from(["US", "MX", None])),
            credit_limit=draw(st.sampled_from([None, Decimal(50), Decimal(150)])),
            currency=draw(st.sampled_from(["USD", "EUR", None])),
            order_hold=draw(st.sampled_from([True, False, None])),
            parent_id=parent,
            bill_with_parent=True,
        )
        for owner, parent in ((i.rsplit(":", 1)[1], parent) for i, parent in above.items())
    ]
    for n in range(draw(st.integers(0, 4))):
        name, owner = f"s{n}", draw(st.sampled_from(OWNERS))
        due = draw(st.integers(-5, 400))
        paid = draw(st.integers(-3, 400))
        found.append(b.invoice(name, due, owner, total=Decimal(100 + n), balance_due=Decimal(0)))
        found.append(b.payment(f"q{n}", ago=paid, owner=owner))
        found.append(b.allocation(f"q{n}", name, ago=paid, amount=draw(st.sampled_from(["60", "99.999"]))))
    for n in range(draw(st.integers(0, 2))):
        amount = draw(AMOUNTS)
        found.append(
            ar.Adjustment(
                id=f"quickbooks:1:adjustment:{n}",
                customer_id=b.customer_id(draw(st.sampled_from(OWNERS))),
                currency=draw(st.sampled_from(["USD", "EUR", None])),
                adjustment_date=b.TODAY - timedelta(days=draw(st.integers(-5, 100))),
                amount=amount,
                open_amount=amount,
                document_status=ar.DocumentStatus.POSTED,
            )
        )
        found.append(
            ar.CreditNote(
                id=f"quickbooks:1:credit_note:{n}",
                customer_id=b.customer_id(draw(st.sampled_from(OWNERS))),
                currency=draw(st.sampled_from(["USD", "EUR"])),
                issue_date=draw(st.sampled_from([None, b.TODAY - timedelta(days=40)])),
                total=Decimal(70),
                unapplied_amount=draw(st.sampled_from([Decimal(0), Decimal("70.5")])),
                document_status=ar.DocumentStatus.POSTED,
            )
        )
    if draw(st.booleans()):
        found.append(
            ar.ExchangeRate(currency="EUR", base_currency="USD", rate=Decimal("1.0837"), as_of=b.TODAY)
        )
    return b.book(*found)


SPECS = [
    QUICKBOOKS,
    QUICKBOOKS_REPORT_DATE,
    XERO,
    NETSUITE,
    AgingSpec(date="invoice", day0="first_bucket", credits="separate"),
    AgingSpec(unit="months", edges=(0, 1, 2), day0="first_bucket", credits="oldest_first"),
    AgingSpec(edges=(-5, 0, 10), credits="oldest_first", payments_through=b.TODAY - timedelta(days=5)),
]


@EXAMPLES
@given(books(), st.sampled_from(SPECS), DAYS)
def test_aging_in_columns_is_the_aging_report(snapshot: ar.Snapshot, spec: AgingSpec, today: date) -> None:
    tables = tables_of(snapshot, b.policy_of("balanced"), b.as_of())
    found = report_of(age(tables, today, spec), tables, today, spec)
    expected = aging(snapshot, today, spec)
    assert [r.model_dump() for r in found.rows] == [r.model_dump() for r in expected.rows]
    assert [r.model_dump() for r in found.totals] == [r.model_dump() for r in expected.totals]


def check_cadence(snapshot: ar.Snapshot, policy: ar.Policy, as_of: ar.AsOf) -> None:
    value = policy.tiers.value
    tiers = ar.assign_tiers(snapshot, strategic=value.strategic, core=value.core, today=as_of.today)
    evaluation = ar.evaluate(snapshot, policy, as_of, tiers=tiers, strict=True)
    tables = tables_of(snapshot, policy, as_of, tiers=tiers)
    stages = {row["id"]: row["stage"] for row in place(tables, policy, as_of).iter_rows(named=True)}
    expected = {d.invoice_id: d.stage for d in evaluation.dispositions if d.stage is not None}
    assert {i: s for i, s in stages.items() if s is not None} == expected
    found = {row["account_id"]: row for row in segment(tables, policy, as_of).iter_rows(named=True)}
    for wanted in evaluation.segments:
        row = found[wanted.customer_id]
        assert (row["value"], row["risk"]) == (wanted.value_tier, wanted.risk_tier)
        assert row["seed_gap"] is (ar.Code.SEED_GAP in wanted.codes)
    selected = set(select(tables, policy, as_of))
    assert {action.customer_id for action in evaluation.actions} <= selected
    part = ar.evaluate(part_of(snapshot, policy, selected), policy, as_of, tiers=tiers, strict=True)
    assert part.actions == evaluation.actions
    assert part.worklist == evaluation.worklist


@EXAMPLES
@given(books(), POLICIES, DAYS)
def test_stage_segment_and_selection_are_those_of_the_evaluator(
    snapshot: ar.Snapshot, preset: str, today: date
) -> None:
    check_cadence(snapshot, b.policy_of(preset), b.as_of(today))


EVERYTHING = {
    name: feature for name, feature in FEATURES.items() if feature.scope == "customer" and name != "risk"
}
TESTS = st.one_of(
    st.builds(
        lambda name, op, n: f"{name} {op} {n}",
        st.sampled_from(
            sorted(n for n, f in EVERYTHING.items() if f.type in {"days", "count", "money", "ratio"})
        ),
        st.sampled_from(["<", "<=", "==", "!=", ">", ">="]),
        st.sampled_from(["-1", "0", "1", "2", "0.5", "33.333", "59.9", "100", "108.37"]),
    ),
    st.sampled_from(sorted(n for n, f in EVERYTHING.items() if f.type == "flag")),
    st.sampled_from(
        ["country in ('MX', 'BR')", "country not in ('MX',)", "currency == 'EUR'", "language is None"]
    ),
    st.builds(
        lambda name, op: f"{name} {op} None",
        st.sampled_from(sorted(EVERYTHING)),
        st.sampled_from(["is", "is not"]),
    ),
    st.sampled_from(["value == core", "value in (strategic, tail)", "not value == unknown"]),
)
RULES = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds(lambda a, c: f"({a}) and ({c})", inner, inner),
        st.builds(lambda a, c: f"({a}) or ({c})", inner, inner),
        st.builds(lambda a: f"not ({a})", inner),
    ),
    max_leaves=4,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(books(), st.lists(RULES, min_size=1, max_size=3), DAYS, st.booleans())
def test_any_rule_over_any_feature_of_a_customer_holds_for_the_same_accounts(
    snapshot: ar.Snapshot, rules: list[str], today: date, scaled: bool
) -> None:
    risk: list[dict[str, Any]] = [
        {"id": f"r{n}", "when": rule, "gap": "max_dpd >= 1", "origin": "test"} for n, rule in enumerate(rules)
    ]
    changes: dict[str, Any] = {
        "tiers": {"risk": [*risk, {"id": "rest", "otherwise": True, "origin": "test"}]},
        "overrides": [{"when": rules[0], "scale": [14, 22], "origin": "test"}] if scaled else [],
        "escalate": [],
    }
    check_cadence(snapshot, b.changed("funnel_5", **changes), b.as_of(today))


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_every_published_feature_is_known_in_columns(name: str) -> None:
    snapshot = b.book(b.invoice())
    policy = b.changed(
        "balanced",
        notices=[{"id": "any", "when": f"{name} is not None", "to": ["team"], "origin": "test"}],
    )
    select(tables_of(snapshot, policy, b.as_of()), policy, b.as_of())


@pytest.mark.parametrize(
    ("rule", "row", "expected"),
    [
        ("a >= 0.9", (9, 10), True),
        ("a >= 0.9", (899_999_999, 1_000_000_000), False),
        ("a < 0.5", (0, 0), None),
        ("a is None", (0, 0), True),
        ("a is not None", (1, 3), True),
        ("not a == 0.25", (1, 4), False),
    ],
)
def test_a_share_is_compared_without_rounding(rule: str, row: tuple[int, int], expected: bool | None) -> None:
    import polars as pl

    frame = pl.DataFrame({"part": [row[0]], "whole": [row[1]]})
    columns = {"a": Column(pl.col("part"), over=pl.col("whole"))}
    assert frame.select(expression(parse_predicate(rule), columns)).item() is expected


@pytest.mark.parametrize(("until", "silent"), [(1, False), (0, False), (-1, True)])
def test_e37_who_is_away_is_not_silent_in_columns_either(until: int, silent: bool) -> None:
    sent = b.touch("sent", ago=10, step="letter", covers=("i1",))
    note = b.touch(
        "note",
        ago=9,
        direction=ar.Direction.INBOUND,
        intent=ar.Intent.OUT_OF_OFFICE,
        until=b.TODAY + timedelta(days=until),
    )
    risk = [
        {"id": "silent", "when": "unanswered_all", "origin": "test"},
        {"id": "rest", "otherwise": True, "origin": "test"},
    ]
    policy = b.changed("balanced", tiers={"risk": risk}, overrides=[])
    snapshot = b.book(b.invoice(dpd=60), sent, note)
    check_cadence(snapshot, policy, b.as_of())
    rows = segment(tables_of(snapshot, policy, b.as_of()), policy, b.as_of())
    assert (rows["risk"].to_list() == ["silent"]) is silent


def test_r3_an_account_with_a_dead_address_is_selected_before_anything_is_due() -> None:
    dead = b.profile(bounced=(ar.BouncedChannel(channel=ar.Channel.EMAIL),))
    snapshot, policy = b.book(b.invoice(dpd=-20), dead), b.policy_of("balanced")
    check_cadence(snapshot, policy, b.as_of())
    assert select(tables_of(snapshot, policy, b.as_of()), policy, b.as_of()).to_list() == [b.customer_id()]
