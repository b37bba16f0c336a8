"""Is the quick way to a day, an instant and an id the same as the careful one, whatever text stands there?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.xero import wire
from ar_connectors.xero.context import Context, Mapper
from ar_connectors.xero.moments import to_day, to_instant
from ar_core.model import RecordKind, record_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANTS = st.datetimes(timezones=st.just(UTC))
_MOMENTS = st.one_of(
    st.builds(
        "/Date({}{})/".format,
        st.integers(-(10**13), 10**14),
        st.sampled_from(["", "+0000", "+1300", "-0800"]),
    ),
    st.builds("\\/Date({})\\/".format, st.integers(0, 10**13 - 1)),
)
_TWINS = st.one_of(
    _INSTANTS.map(lambda one: one.replace(microsecond=0, tzinfo=None).isoformat()),
    _INSTANTS.map(datetime.isoformat),
    _INSTANTS.map(lambda one: one.date().isoformat()),
)
_ODD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "/Date(1700000000000",
            "/Date(1700000000000+0000)/x",
            "x/Date(1700000000000)/",
            "2026-02-30T00:00:00",
        ]
    ),
    st.just("/Date(\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661)/"),
)
TEXTS = st.one_of(st.none(), st.just(""), _MOMENTS, _TWINS, _ODD)


def outcome(make: object, *arguments: object) -> object:
    """What it gives, or what it says of the row."""
    try:
        return make(*arguments)  # type: ignore[operator]
    except RowError as error:
        return error.code, error.reason


@given(TEXTS, TEXTS)
@example("2026-01-31T00:00:00", None)
@example(None, "/Date(1767225600000+0000)/")
@example(None, "/Date(999999999999+0000)/")
def test_a_day_is_the_one_that_is_read_carefully(twin: str | None, text: str | None) -> None:
    assert outcome(Mapper(Context("T")).day, twin, text, "Date") == outcome(to_day, twin, text, "Date")


@given(TEXTS, TEXTS)
@example("/Date(1767225600123+0000)/", None)
def test_a_version_is_the_millisecond_and_the_instant_the_one_that_is_read_carefully(
    text: str | None, twin: str | None
) -> None:
    row = wire.Invoice(updated=text, updated_string=twin)
    expected = outcome(to_instant, text, twin, "UpdatedDateUTC")
    made = outcome(Mapper(Context("T")).provenance, "Invoice", "i1", row)
    if isinstance(expected, tuple):
        assert made == expected
        return
    assert made.updated_at == expected  # type: ignore[attr-defined]
    if isinstance(expected, datetime) and text and expected.year >= 1970:
        assert made.version == str((expected - _EPOCH) // timedelta(milliseconds=1))  # type: ignore[attr-defined]


@given(st.text(min_size=1, max_size=40))
@example("7d1f1a64-3c4b-4f57-e2cc-e7c6b84e79ff")
@example("\u00b2")
@example("\u0661")
@example("a:b|c%")
@example("12\n")
def test_an_id_is_escaped_where_it_must_be(remote_id: str) -> None:
    mapper = Mapper(Context("T"))
    for kind in (RecordKind.INVOICE, RecordKind.DISPUTE):
        assert mapper.id(kind, remote_id) == record_id("xero", "T", kind, remote_id)
    assert mapper.customer_id(remote_id) == record_id("xero", "T", RecordKind.CUSTOMER, remote_id)


@pytest.mark.parametrize("missing", [None, ""])
def test_a_row_without_an_id_is_told_and_a_reference_to_nobody_is_none(missing: str | None) -> None:
    mapper = Mapper(Context("T"))
    assert mapper.customer_id(missing) is None
    with pytest.raises(RowError, match="no Id"):
        mapper.id(RecordKind.INVOICE, missing)
