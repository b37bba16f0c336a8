"""A policy is compiled once and kept: what an earlier run left in its tables must not show in a later one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence import PRESETS, plan
from ar_core.cadence.plan import compiled_policy
from ar_core.cadence.records import Signal
from ar_core.model.base import adopt_all
from tests.cadence import books as b


def snapshot() -> ar.Snapshot:
    return b.book(
        *(b.invoice(f"i{n}", 7 * n - 20, f"c{n % 4 + 1}") for n in range(16)),
        b.promise(covers=("i4",)),
        b.touch(ago=9, step="first", covers=("i3", "i7"), owner="c4"),
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_a_policy_that_ran_on_other_days_says_what_a_new_one_says(preset: str) -> None:
    used = ar.load_policy(preset)
    moments = [b.as_of(b.TODAY + timedelta(days=n), hour=8 + 5 * n) for n in (0, 1, 3, 0)]
    for at in moments:
        again = b.run(snapshot(), policy=used, at=at)
        fresh = b.run(snapshot(), policy=ar.load_policy(preset).model_copy(), at=at)
        assert again.model_dump_json() == fresh.model_dump_json()
    assert compiled_policy(used) is compiled_policy(used)


def test_a_changed_copy_of_a_policy_is_another_policy() -> None:
    policy = ar.load_policy("balanced")
    copy = policy.model_copy(update={"version": 2})
    assert compiled_policy(policy).policy.version == 1
    assert compiled_policy(copy).policy.version == 2


def test_the_last_policies_are_kept_and_no_more() -> None:
    policies = [ar.load_policy("balanced").model_copy() for _ in range(12)]
    first = compiled_policy(policies[0])
    for policy in policies[1:]:
        compiled_policy(policy)
    assert len(plan._compiled) <= 8
    assert compiled_policy(policies[0]) is not first


@pytest.mark.pure
def test_a_policy_whose_tables_have_grown_large_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = ar.load_policy("balanced").model_copy()
    b.run(snapshot(), policy=policy)
    kept = compiled_policy(policy)
    assert kept.size > len(kept.outcomes) > 0
    monkeypatch.setattr(plan, "_MOST_KEPT", kept.size)
    assert compiled_policy(policy) is kept
    monkeypatch.setattr(plan, "_MOST_KEPT", kept.size - 1)
    assert compiled_policy(policy) is not kept


def test_records_adopted_at_once_are_the_records_validated_one_by_one() -> None:
    rows: list[dict[str, Any]] = [
        {
            "customer_id": "c",
            "code": ar.Code.NO_DUE_DATE,
            "on": date(2026, 11, day),
            "record_id": None,
            "detail": None,
        }
        for day in (1, 2)
    ]
    wanted = [Signal(**row) for row in rows]
    found = adopt_all(Signal, [dict(row) for row in rows])
    assert found == wanted
    assert [hash(record) for record in found] == [hash(record) for record in wanted]
    assert [record.model_dump_json() for record in found] == [record.model_dump_json() for record in wanted]
    assert found[0].model_copy(update={"detail": "x"}).detail == "x"
    assert adopt_all(Signal, []) == []
