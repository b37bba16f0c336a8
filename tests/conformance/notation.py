"""How the cases of the conformance pack are written down: records from `tests.cadence.books`, expectations in a short form.

An expected disposition is a line of words: kind, code, stage, step, until. `-` stands for null, `*` leaves a field open, and
`+3` is the third day after the as-of day.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ar_core as ar
from tests.cadence import books as b

FOLDER = Path(ar.__file__).parent / "conformance"
FIELDS = ("kind", "code", "stage", "step", "until")
WEEKENDS: dict[str, Any] = {"weekend": [5, 6], "holidays": {}}
EVERY_DAY: dict[str, Any] = {"weekend": [], "holidays": {}}

CASES: dict[str, dict[str, Any]] = {}
POLICIES: dict[str, Any] = {}


def case(
    name: str,
    rules: str,
    why: str,
    records: Sequence[Any],
    outcomes: Mapping[str, str],
    *actions: Mapping[str, Any],
    policy: str = "balanced",
    at: ar.AsOf | None = None,
    tier: str | Mapping[str, str] = "core",
    calendar: Mapping[str, Any] | None = None,
    **expected: Any,
) -> None:
    """Add one case. `outcomes`: by short invoice name. `tier`: of every customer, or by short customer name."""
    moment = at or b.as_of()
    snapshot = b.book(*records)
    owners = [c.id for c in snapshot.customers]
    tiers = (
        dict.fromkeys(owners, tier)
        if isinstance(tier, str)
        else {b.customer_id(owner): value for owner, value in tier.items()}
    )
    assert name not in CASES, name
    POLICIES.setdefault(policy, policy)
    CASES[name] = {
        "id": name,
        "rules": rules.split(),
        "why": why,
        "policy": policy,
        "as_of": {"instant": moment.instant.isoformat(), "zone": moment.zone},
        "calendar": dict(calendar or WEEKENDS),
        "tiers": dict(sorted(tiers.items())),
        "snapshot": snapshot.model_dump(mode="json", exclude_defaults=True),
        "expected": {
            "dispositions": [disposition(i, line, moment.today) for i, line in sorted(outcomes.items())],
            "actions": list(actions),
            **expected,
        },
    }


def disposition(invoice: str, line: str, today: date) -> dict[str, Any]:
    """A line of words as the fields it states."""
    fields: dict[str, Any] = {"invoice_id": b.invoice_id(invoice)}
    for field, word in zip(FIELDS, line.split(), strict=False):
        if word == "*":
            continue
        if word == "-":
            fields[field] = None
        elif field == "until":
            fields[field] = (today + timedelta(days=int(word))).isoformat()
        else:
            fields[field] = word
    return fields


def touch(
    step: str, channel: str, *covers: str, actor: str = "auto", owner: str = "c1", **more: Any
) -> dict[str, Any]:
    """A contact that is expected; `covers`: short names of all its invoices."""
    return {
        "kind": "touch",
        "customer_id": b.customer_id(owner),
        "step": step,
        "channel": channel,
        "actor": actor,
        "covers": [b.invoice_id(name) for name in covers],
        **more,
    }


def task(name: str, owner: str = "c1", **more: Any) -> dict[str, Any]:
    """A task or notice for our own people that is expected."""
    return {"kind": "internal", "customer_id": b.customer_id(owner), "task": name, **more}


def decision(step: str = "decide", owner: str = "c1", **more: Any) -> dict[str, Any]:
    """A decision that is expected."""
    return {"kind": "decision", "customer_id": b.customer_id(owner), "step": step, **more}


def own_policy(name: str, preset: str | None = "balanced", **changes: Any) -> str:
    """A policy of a case's own: a preset with some settings on top, or a whole one."""
    POLICIES[name] = {"id": name, **({"extends": preset} if preset else {}), **changes}
    return name


def files() -> dict[str, str]:
    """Every file of the pack, by name, as text."""
    resolved = {name: ar.load_policy(source).resolved() for name, source in sorted(POLICIES.items())}
    found = {"policies.json": _text(resolved)}
    found.update({f"cases/{name}.json": _text(data) for name, data in CASES.items()})
    return found


def _text(data: Any) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def write() -> None:
    """Write the pack anew; files that are no longer in it are removed."""
    pack = files()
    (FOLDER / "cases").mkdir(exist_ok=True)
    for old in (FOLDER / "cases").glob("*.json"):
        if f"cases/{old.name}" not in pack:
            old.unlink()
    for name, text in pack.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
