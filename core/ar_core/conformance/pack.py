"""The cases of the pack, our own answers to them, and what an answer says otherwise than is expected.

The expectations were decided by hand from the rules (docs/rules.md), never copied from a run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from importlib import resources
from typing import Any, NamedTuple

from ar_core.asof import AsOf
from ar_core.cadence import Evaluation, Policy
from ar_core.cadence.evaluate import evaluate
from ar_core.calendar import HolidayCalendar
from ar_core.model.snapshot import Snapshot
from ar_core.segments import TierAssignment, Tiers

__all__ = ["Case", "answer", "cases", "differences", "policies", "run"]


class Case(NamedTuple):
    """One case, as its file says it."""

    id: str
    rules: tuple[str, ...]
    """Ids of docs/rules.md."""
    why: str
    """What must happen, and for what reason."""
    policy: str
    """A name in `policies()`."""
    as_of: Mapping[str, str]
    """`instant` (UTC) and `zone`."""
    calendar: Mapping[str, Any]
    """`weekend` (Monday is 0) and `holidays` by country."""
    tiers: Mapping[str, str]
    """Value tier by customer id; a customer that is not in it is of unknown value."""
    snapshot: Mapping[str, Any]
    expected: Mapping[str, Any]
    """`dispositions`, `actions`, and where the case is about them `segments` and `promises`."""


def cases() -> Iterator[Case]:
    """Every case, by id."""
    folder = resources.files("ar_core.conformance").joinpath("cases")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            data = json.loads(file.read_text(encoding="utf-8"))
            yield Case(**{**data, "rules": tuple(data["rules"])})


def policies() -> dict[str, Any]:
    """The policies that the cases name, with everything they inherit written out."""
    text = resources.files("ar_core.conformance").joinpath("policies.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def run(case: Case) -> Evaluation:
    """Evaluate a case with the evaluator of this package."""
    policy = Policy.model_validate(policies()[case.policy])
    return evaluate(
        Snapshot.model_validate_json(json.dumps(case.snapshot)),
        policy,
        AsOf(instant=datetime.fromisoformat(case.as_of["instant"]), zone=case.as_of["zone"]),
        tiers=Tiers({c: TierAssignment(tier, Decimal(1000)) for c, tier in case.tiers.items()}),
        calendar=_calendar(case.calendar),
        strict=True,
    )


def _calendar(given: Mapping[str, Any]) -> HolidayCalendar:
    holidays = {
        country: frozenset(date.fromisoformat(day) for day in days)
        for country, days in given["holidays"].items()
    }
    return HolidayCalendar({**holidays}, weekend=frozenset(given["weekend"]))


def answer(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation in the form of `Case.expected`, with every field a case may state."""
    plain = evaluation.model_dump(mode="json")
    for action in plain["actions"]:
        action["covers"] = [covered["invoice_id"] for covered in action["covers"]]
        action["to_chase"] = {total["currency"]: total["to_chase"] for total in action["totals"]}
    return {name: plain[name] for name in ("dispositions", "actions", "segments", "promises")}


_KEYS: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, ...]]] = {
    "dispositions": lambda row: (row["invoice_id"],),
    "segments": lambda row: (row["customer_id"],),
    "promises": lambda row: (row["promise_id"],),
    "actions": lambda row: (row["customer_id"], row["kind"], row.get("step") or row.get("task") or ""),
}
_UNORDERED = frozenset({"covers", "notify", "reasons", "codes", "clauses", "superseded"})
_PARTIAL = frozenset({"reasons", "codes"})


def differences(case: Case, given: Mapping[str, Any]) -> list[str]:
    """What an answer (see `answer`) says otherwise than a case expects; empty when it conforms.

    Dispositions and actions must be exactly those that are expected; of each, the stated fields are compared. `covers` and the
    like are sets; of `reasons` and `codes` those that are stated must be among the given.
    """
    found: list[str] = []
    for name, rows in case.expected.items():
        key = _KEYS[name]
        wanted = _by_key(rows, key)
        actual = _by_key(given.get(name, ()), key)
        if name in {"dispositions", "actions"}:
            found += [
                f"{case.id}: {name}: {place} was not expected" for place in actual.keys() - wanted.keys()
            ]
        for place, row in wanted.items():
            other = actual.get(place)
            if other is None:
                found.append(f"{case.id}: {name}: {place} is missing")
                continue
            found += [
                f"{case.id}: {name}: {place}: {field} is {other.get(field)!r}, expected {value!r}"
                for field, value in row.items()
                if not _agrees(field, value, other.get(field))
            ]
    return sorted(found)


def _by_key(
    rows: Iterable[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], tuple[str, ...]]
) -> dict[tuple[str, ...], Mapping[str, Any]]:
    """Rows by key; a key that comes twice is told apart by its place."""
    found: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for row in rows:
        place = key(row)
        while place in found:
            place = (*place, "again")
        found[place] = row
    return found


def _agrees(field: str, wanted: Any, actual: Any) -> bool:
    if field in _PARTIAL:
        return set(wanted) <= set(actual or ())
    if field in _UNORDERED:
        return sorted(wanted) == sorted(actual or ())
    if field == "to_chase":
        given = {currency: Decimal(amount) for currency, amount in (actual or {}).items()}
        return {currency: Decimal(amount) for currency, amount in wanted.items()} == given
    return bool(wanted == actual)
