"""Who hands over the wrong thing is told at once what it was and what to give instead; no account fails for it one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.diff import compare_policies, diff
from ar_core.cadence.simulate import forecast, replay
from tests.cadence import books as b

BOOK = b.book(b.invoice("i1", 9))
GIVEN: Any = "balanced"
"""A name where a policy is wanted."""


def tiers(tier: str) -> ar.Tiers:
    return ar.Tiers({b.customer_id(): ar.TierAssignment(tier, Decimal(1000))})


class TestTiers:
    """R20, E42: who may act hangs on it."""

    def test_every_tier_there_is_is_taken(self) -> None:
        for tier in ("strategic", "core", "tail", "unknown"):
            assert ar.evaluate(BOOK, b.policy_of("balanced"), b.as_of(), tiers=tiers(tier)).segments

    @pytest.mark.parametrize("tier", ["Strategic", "", "key"])
    def test_a_tier_that_there_is_not_is_refused(self, tier: str) -> None:
        policy, first = b.policy_of("balanced"), b.run(BOOK)
        mixed = ar.Tiers({**b.tier("core").by_customer, **tiers(tier).by_customer})
        runs: tuple[Callable[[], object], ...] = (
            lambda: ar.evaluate(BOOK, policy, b.as_of(), tiers=mixed),
            lambda: ar.reevaluate(first, BOOK, (), b.as_of(), tiers=mixed),
            lambda: forecast(BOOK, policy, b.TODAY, b.TODAY, zone=b.ZONE, tiers=mixed),
        )
        for run in runs:
            with pytest.raises(
                ValueError, match=rf"^customer {b.customer_id()} is in the tier {tier!r}; a tier is"
            ) as told:
                run()
            assert str(told.value).endswith("one of strategic, core, tail, unknown")

    @pytest.mark.pure
    def test_what_is_no_tiers_is_refused(self) -> None:
        """Compiled, the interpreter says it before this can, in other words."""
        given: Any = {b.customer_id(): "strategic"}
        with pytest.raises(TypeError, match=r"ar_core\.Tiers\(.*; got dict"):
            ar.evaluate(BOOK, b.policy_of("balanced"), b.as_of(), tiers=given)
        with pytest.raises(TypeError, match=r"ar_core\.Tiers"):
            ar.reevaluate(b.run(BOOK), BOOK, (), b.as_of(), tiers=given)


@pytest.mark.parametrize("given", [{}, {None: [b.TODAY]}, "US"])
def test_what_is_no_calendar_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match=rf"^a calendar has .*HolidayCalendar.*; got {type(given).__name__}"):
        ar.evaluate(BOOK, b.policy_of("balanced"), b.as_of(), calendar=given)


@pytest.mark.parametrize(
    "ask",
    [
        lambda policy: ar.evaluate(BOOK, policy, b.as_of()),
        ar.lint,
        lambda policy: diff(policy, b.policy_of("balanced"), BOOK, b.as_of()),
        lambda policy: diff(b.policy_of("balanced"), policy, BOOK, b.as_of()),
        lambda policy: compare_policies(policy, b.policy_of("balanced")),
        lambda policy: compare_policies(b.policy_of("balanced"), policy),
        lambda policy: forecast(BOOK, policy, b.TODAY, b.TODAY, zone=b.ZONE),
        lambda policy: replay(lambda _: BOOK, policy, b.TODAY, b.TODAY, zone=b.ZONE),
    ],
)
def test_a_presets_name_is_no_policy(ask: Callable[[Any], object]) -> None:
    with pytest.raises(
        TypeError, match=r"^a policy is what load_policy\('balanced'\) gives; got str 'balanced'$"
    ):
        ask(GIVEN)
    with pytest.raises(TypeError, match=r"^a policy is what load_policy\(\.\.\.\) gives; got dict$"):
        ask({"id": "mine", "extends": "balanced", "version": 1})


def test_an_unknown_zone_is_told_as_of_a_moment() -> None:
    policy, last = b.policy_of("balanced"), b.TODAY + timedelta(days=1)
    asks: tuple[Callable[[], object], ...] = (
        lambda: ar.AsOf(instant=b.as_of().instant, zone="New_York"),
        lambda: forecast(BOOK, policy, b.TODAY, last, zone="New_York"),
        lambda: replay(lambda _: BOOK, policy, b.TODAY, last, zone="New_York"),
    )
    for ask in asks:
        with pytest.raises(
            ValueError, match="'New_York' is not a time zone of the IANA database; try for example"
        ):
            ask()


def test_a_policy_is_read_from_no_directory_and_from_no_empty_text(tmp_path: Path) -> None:
    for source, said in (("", "is empty"), (tmp_path, "is a directory"), (str(tmp_path), "is a directory")):
        with pytest.raises(ar.PolicyError, match=f"a path of a file or a mapping; this {said}"):
            ar.load_policy(source)
