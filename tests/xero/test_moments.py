"""Are the quick ways to an instant and to a day those of `moments`? Milliseconds, leading zeros and odd offsets included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors.xero import wire
from ar_connectors.xero.context import Context, Mapper
from ar_connectors.xero.moments import to_day

MAPPER = Mapper(Context("T"))


@given(
    st.integers(0, 10**13 - 1), st.sampled_from(["", "+0000", "+1300", "-0800"]), st.sampled_from([1, 1000])
)
def test_an_instant_is_the_millisecond_it_says(counted: int, offset: str, unit: int) -> None:
    counted -= counted % unit
    source = MAPPER.provenance("Invoice", "1", wire.Invoice(updated=f"/Date({counted}{offset})/"))
    assert source.updated_at == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=counted)
    assert source.updated_at.tzinfo is UTC
    assert source.version == str(counted)


@given(st.integers(-(10**13), 10**13), st.sampled_from(["", "+0000", "+1300"]))
def test_a_day_that_is_remembered_is_the_day_it_says(counted: int, offset: str) -> None:
    text = f"/Date({counted}{offset})/"
    assert MAPPER.day(None, text, "Date") == to_day(None, text, "Date")
    assert MAPPER.day(None, text, "Date") == MAPPER.day("", text, "Date")


@pytest.mark.parametrize(
    ("twin", "text"),
    [
        ("2026-04-21T00:00:00", "/Date(0+0000)/"),
        ("2026-04-21", None),
        ("/Date(1767225600000+0000)/", None),
        (None, "2026-04-21T23:00:00"),
        (None, None),
        ("", ""),
    ],
)
def test_a_day_comes_from_the_twin_first(twin: str | None, text: str | None) -> None:
    assert MAPPER.day(twin, text, "Date") == to_day(twin, text, "Date")
