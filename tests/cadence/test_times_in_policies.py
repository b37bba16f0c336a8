"""Sending hours are times of the contact's wall clock: what is no such time is refused, with what to write (R35, E2)."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.policy import Clock
from tests.cadence import books as b

ASKED = (
    'write a time of the contact\'s wall clock as "HH:MM" or "HH:MM:SS", without an offset '
    "(in YAML with the quotes: it reads 10:00 as the number 600); got "
)


def problems(clock: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    with pytest.raises(ar.PolicyError) as caught:
        b.changed("balanced", clock=clock)
    return caught.value.problems


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("10:00", time(10)),
        ("10:30:15", time(10, 30, 15)),
        (time(10), time(10)),
        (tomllib.loads("t = 10:30:00")["t"], time(10, 30)),
    ],
)
def test_a_time_is_a_time_or_its_text(given: Any, meant: time) -> None:
    assert b.changed("balanced", clock={"not_before": given}).clock.not_before == meant
    assert b.changed("balanced", clock={"not_after": given, "not_before": "01:00"}).clock.not_after == meant


@pytest.mark.parametrize("name", ["not_before", "not_after"])
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (600, "600"),
        (Decimal(36000), "Decimal('36000')"),
        (True, "True"),
        ("09:00+05:00", "'09:00+05:00'"),
        ("09:00Z", "'09:00Z'"),
        ("9:00", "'9:00'"),
        ("09:00:00.5", "'09:00:00.5'"),
        ("", "''"),
        (None, "None"),
        (time(9, tzinfo=UTC), "'09:00:00+00:00'"),
        (time(9, microsecond=1), "'09:00:00.000001'"),
        (
            datetime(2026, 11, 25, 9, tzinfo=UTC),
            "datetime.datetime(2026, 11, 25, 9, 0, tzinfo=datetime.timezone.utc)",
        ),
    ],
)
def test_anything_else_is_refused(name: str, given: Any, shown: str) -> None:
    assert problems({name: given}) == ((f"clock.{name}", ASKED + shown),)


def test_an_hour_that_no_clock_shows_is_refused() -> None:
    ((place, message),) = problems({"not_after": "25:00"})
    assert place == "clock.not_after"
    assert message == "Input should be in a valid time format, hour value is outside expected range of 0-23"


def test_yaml_makes_a_number_of_a_time_without_quotes_and_that_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("id: mine\nextends: balanced\nclock:\n  not_before: 10:00\n", encoding="utf-8")
    with pytest.raises(ar.PolicyError) as caught:
        ar.load_policy(path)
    assert str(caught.value) == f"the policy {path} cannot be used:\n  line 4: clock.not_before: {ASKED}600"
    path.write_text('id: mine\nextends: balanced\nclock:\n  not_before: "10:00"\n', encoding="utf-8")
    assert ar.load_policy(path).clock.not_before == time(10)


def test_the_hours_of_the_day_are_the_same_after_they_were_written_out() -> None:
    clock = Clock(not_before=time(8, 15), not_after=time(20, 0, 30))
    assert Clock.model_validate(clock.model_dump(mode="json")) == clock
