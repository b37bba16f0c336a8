"""Do our tagged notes say the same to the next reader as they did to the writer?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors.adapterkit.notes import (
    MAX_NOTE,
    DisputeTag,
    NoteError,
    NoteTag,
    PromiseTag,
    StatusTag,
    format_note,
    marker,
    parse_note,
)
from ar_connectors.adapterkit.text import clean_text
from ar_connectors.quickbooks.company import stores_latin1_only

ID = UUID("6f0c1d7e-0000-4000-8000-000000000001")

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
ids = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=12)
days = st.dates()
instants = st.datetimes(timezones=st.just(UTC), min_value=datetime(1900, 1, 1))  # noqa: DTZ001  the zone is given apart
amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**20, places=2)
maybe = st.none()

promises = st.builds(
    PromiseTag, id=st.uuids(), promised=days, amount=maybe | amounts, currency=maybe | st.sampled_from(["USD", "EUR"]),
    given=maybe | days, by=maybe | texts, channel=maybe | st.sampled_from(["voice", "email"]),
    invoices=st.lists(ids, max_size=3).map(tuple), customer=maybe | ids, recorded=maybe | instants,
    withdrawn=maybe | days, superseded_by=maybe | st.uuids(),
)  # fmt: skip
disputes = st.builds(
    DisputeTag, id=st.uuids(), invoice=ids, amount=maybe | amounts, currency=maybe | st.just("USD"), reason=maybe | texts,
    opened=maybe | days, by=maybe | texts, customer=maybe | ids, recorded=maybe | instants, resolved=maybe | days,
    resolution=maybe | texts,
)  # fmt: skip
statuses = st.builds(
    StatusTag, id=st.uuids(), status=texts, set_on=maybe | days, next_action=maybe | texts, next_on=maybe | days,
    hold=maybe | st.booleans(), invoice=maybe | ids, customer=maybe | ids,
)  # fmt: skip
notes = st.builds(
    NoteTag, id=st.uuids(), given=maybe | days, by=maybe | texts, invoice=maybe | ids, customer=maybe | ids
)


@given(promises | disputes | statuses | notes, texts | st.just(""))
def test_a_note_reads_back_as_it_was_written(tag: PromiseTag, text: str) -> None:
    assert parse_note(format_note(tag, text, limit=10_000)) == (tag, text)


@given(promises | disputes | statuses | notes, texts)
def test_a_tag_is_plain_ascii_on_one_line(tag: PromiseTag, text: str) -> None:
    written = format_note(tag, limit=10_000)
    assert written.isascii()
    assert "\n" not in written
    assert written.count("]") == 1
    for latin1 in (True, False):
        shown = parse_note(clean_text(format_note(tag, text, limit=10_000), latin1_only=latin1))
        assert shown is not None
        assert shown[0] == tag


@given(st.text())
def test_any_text_without_our_mark_is_a_foreign_note(text: str) -> None:
    if "ar" not in text.lower():
        assert parse_note(text) is None


def test_the_documented_form() -> None:
    tag = PromiseTag(
        ID,
        date(2026, 12, 1),
        Decimal("500.00"),
        "USD",
        date(2026, 11, 23),
        "Ann Lee",
        invoices=("129", "130"),
    )
    written = format_note(tag, "Promised by phone.")
    assert written == (
        f"[AR:ptp id={ID} date=2026-12-01 amt=500.00 cur=USD given=2026-11-23 by=Ann%20Lee inv=129,130] Promised by phone."
    )
    assert written.startswith(marker("ptp", ID))


def test_what_people_do_to_a_note_does_no_harm() -> None:
    edited = f"see below\n[ar:PTP\n  ID={ID}   date=2026-12-01 colour=blue amt=500.00\n cur=USD ]\nCalled again. [AR:ptp id=x]"
    tag, text = parse_note(edited) or pytest.fail("not found")
    assert tag == PromiseTag(ID, date(2026, 12, 1), Decimal("500.00"), "USD")
    assert text == "\nCalled again. [AR:ptp id=x]"


def test_text_that_looks_like_a_tag_changes_nothing() -> None:
    tag = NoteTag(ID)
    text = "[AR:ptp id=1 date=2020-01-01]"
    assert parse_note(format_note(tag, text)) == (tag, text)


@pytest.mark.parametrize(
    "damaged",
    [
        "[AR:ptp id=6f0c date=2026-12-01]",
        f"[AR:ptp id={ID}]",
        f"[AR:ptp id={ID} date=tomorrow]",
        f"[AR:ptp id={ID} date=2026-12-01 amt=NaN]",
        f"[AR:ptp id={ID} date=2026-12-01 at=2026-12-01T10:00:00]",
        f"[AR:dispute id={ID}]",
        f"[AR:status id={ID}]",
        f"[AR:magic id={ID}]",
        f"[AR:ptp id={ID} date=2026-12-01",
    ],
)
def test_a_damaged_tag_is_seen(damaged: str) -> None:
    with pytest.raises(NoteError):
        parse_note(damaged)


def test_long_text_is_cut_and_a_tag_never_is() -> None:
    tag = NoteTag(ID, by="x" * 100)
    written = format_note(tag, "y" * 5000)
    assert len(written) == MAX_NOTE
    assert written.endswith("y...")
    assert parse_note(written) is not None
    with pytest.raises(ValueError, match="shorten"):
        format_note(NoteTag(ID, by="x" * 3000))


def test_a_us_company_gets_what_it_can_store() -> None:
    assert clean_text("Zażółć — €5 “ok” 😀 Müller", latin1_only=True) == 'Zazólc - EUR5 "ok" ? Müller'
    assert clean_text("日本 😀", latin1_only=False) == "日本 😀"
    assert clean_text("a\x00b\x07c\ud800\r\nd", latin1_only=False) == "a?b?c?\nd"


@given(st.text())
def test_clean_text_can_always_be_stored_and_is_stable(text: str) -> None:
    clean = clean_text(text, latin1_only=True)
    clean.encode("iso-8859-1")
    assert clean_text(clean, latin1_only=True) == clean
    clean_text(text, latin1_only=False).encode()


@pytest.mark.parametrize(
    ("country", "expected"),
    [("US", True), ("usa", True), (None, True), ("CA", False), ("United Kingdom", False)],
)
def test_which_companies_are_limited(country: str | None, expected: bool) -> None:
    assert stores_latin1_only(country) is expected
