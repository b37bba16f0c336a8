"""The toy rule in Python's rule engines and in our evaluator: highest step reached, by segment, unless contested or promised."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import ar_core as ar
from benchmarks.eval_naive import LADDERS, MIN_GAP_DAYS, Row, segments_of, with_engine

__all__ = ["Due", "ours", "rule_engine", "zen_engine"]

Due = Callable[[], set[tuple[str, int]]]
"""One evaluation: (invoice, step) of everything due."""

_RULES = [
    (segment, number, at)
    for segment, ladder in enumerate(LADDERS)
    for number, at in reversed(list(enumerate(ladder, 1)))
]
"""Highest step first: the first rule that holds wins."""
_TIERS = ("tail", "core", "strategic", "unknown")
"""Our four names for the segments small, mid, large, key."""


def rule_engine(rows: Sequence[Row], today: date) -> Due:
    """`rule-engine`: one compiled rule per step. Raises ImportError when it is not installed."""
    import rule_engine as library

    rules = [
        (
            number,
            library.Rule(
                f"seg == {segment} and dpd >= {at} and gap >= {MIN_GAP_DAYS} and not disputed and not promised"
            ),
        )
        for segment, number, at in _RULES
    ]

    def pick(facts: dict[str, Any]) -> int:
        return next((number for number, rule in rules if rule.matches(facts)), 0)

    return lambda: {(row[0], row[1]) for row in with_engine(rows, today, pick)}


def zen_engine(rows: Sequence[Row], today: date) -> Due:
    """`zen-engine`: one decision table, first hit. Raises ImportError when it is not installed."""
    import zen

    names = ("seg", "dpd", "gap", "disputed", "promised")
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": name, "name": name, "field": name} for name in names],
        "outputs": [{"id": "step", "name": "step", "field": "step"}],
        "rules": [
            {
                "_id": f"{segment}-{number}",
                "seg": str(segment),
                "dpd": f">= {at}",
                "gap": f">= {MIN_GAP_DAYS}",
                "disputed": "false",
                "promised": "false",
                "step": str(number),
            }
            for segment, number, at in _RULES
        ],
    }
    node = {"position": {"x": 0, "y": 0}}
    graph = {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", **node},
            {"id": "t", "type": "decisionTableNode", "name": "t", "content": table, **node},
            {"id": "out", "type": "outputNode", "name": "out", **node},
        ],
        "edges": [
            {"id": "1", "sourceId": "in", "targetId": "t", "type": "edge"},
            {"id": "2", "sourceId": "t", "targetId": "out", "type": "edge"},
        ],
    }
    decision = zen.ZenEngine().create_decision(json.dumps(graph))

    def pick(facts: dict[str, Any]) -> int:
        found = decision.evaluate(facts)["result"]
        return int(found["step"]) if found and found.get("step") else 0

    return lambda: {(row[0], row[1]) for row in with_engine(rows, today, pick)}


def ours(rows: Sequence[Row], as_of: ar.AsOf) -> Due:
    """Our evaluator with the toy rule as a policy: a ladder per value tier, every invoice on its own, no caps but the gap."""
    policy = ar.load_policy(_policy())
    segments = segments_of(rows)
    tiers = ar.Tiers({c: ar.TierAssignment(_TIERS[s], Decimal(1)) for c, s in segments.items()})
    snapshot = _snapshot(rows, as_of.today)

    def run() -> set[tuple[str, int]]:
        found = ar.evaluate(snapshot, policy, as_of, tiers=tiers, calendar=ar.WEEKENDS)
        return {
            (d.invoice_id, int(d.step[1:]))
            for d in found.dispositions
            if d.kind is ar.DispositionKind.ACTION and d.step is not None
        }

    return run


def _policy() -> dict[str, Any]:
    most = max(len(ladder) for ladder in LADDERS)
    base = [{"id": f"s{n}", "at": n, "channels": ["email"], "origin": "toy"} for n in range(1, most + 1)]
    overrides = []
    for tier, ladder in zip(_TIERS, LADDERS, strict=True):
        patches: dict[str, Any] = {f"s{n}": {"at": at} for n, at in enumerate(ladder, 1)}
        patches.update({f"s{n}": {"enabled": False} for n in range(len(ladder) + 1, most + 1)})
        overrides.append({"when": f"value == {tier}", "steps": patches, "origin": "toy"})
    return {
        "schema": "cadence-policy/1",
        "id": "toy",
        "version": 1,
        "stages": [{"id": "all", "origin": "toy"}],
        "steps": base,
        "overrides": overrides,
        "tiers": {"value": {"unknown": "human_only"}},
        "limits": {
            "min_gap_days": MIN_GAP_DAYS,
            "max_touches_per_7d": 1000,
            "max_customer_actions_per_run": 1_000_000,
        },
        "grouping": {"by": "invoice", "include": "due_steps_only"},
        "pauses": {"consent_required": []},
        "writeback": {"collections_status": False},
    }


def _snapshot(rows: Sequence[Row], today: date) -> ar.Snapshot:
    owners = sorted({row.customer for row in rows})
    covers: dict[str, list[ar.Coverage]] = {owner: [] for owner in owners}
    last: dict[str, date] = {}
    for row in rows:
        last[row.customer] = row.last
        if row.stage:
            covers[row.customer].append(ar.Coverage.trusted(invoice_id=row.id, step=f"s{row.stage}"))
    return ar.Snapshot(
        organization=ar.Organization(id="toy:1:organization:1", base_currency="USD", time_zone="UTC"),
        customers=tuple(ar.Customer.trusted(id=o, name=o, currency="USD") for o in owners),
        contacts=tuple(
            ar.Contact.trusted(
                id=f"{o}-contact", customer_id=o, role=ar.ContactRole.BILLING, email="a@example.com"
            )
            for o in owners
        ),
        invoices=tuple(
            ar.Invoice.trusted(
                id=row.id,
                customer_id=row.customer,
                currency="USD",
                due_date=row.due,
                total=row.balance,
                balance_due=row.balance,
                document_status=ar.DocumentStatus.POSTED,
            )
            for row in rows
        ),
        touches=tuple(
            ar.Touch.trusted(
                id=f"{o}-touch",
                customer_id=o,
                channel=ar.Channel.EMAIL,
                at=datetime(on.year, on.month, on.day, 12, tzinfo=UTC),
                covers=tuple(covers[o]),
            )
            for o in owners
            if (on := last[o]).year > 2000
        ),
        disputes=tuple(
            ar.Dispute.trusted(
                id=f"{row.id}-dispute", invoice_id=row.id, customer_id=row.customer, origin=ar.Origin.OURS
            )
            for row in rows
            if row.disputed
        ),
        promises=tuple(
            ar.Promise.trusted(
                id=f"{row.id}-promise",
                invoice_ids=(row.id,),
                customer_id=row.customer,
                promised_date=today + timedelta(days=5),
                given_on=today,
                origin=ar.Origin.OURS,
            )
            for row in rows
            if row.promised and not row.disputed
        ),
    )
