"""Our block in Customer.Notes: what others wrote is never touched, and what is too long is ours to shorten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors.quickbooks.managed_block import (
    CLOSE,
    MAX_CUSTOMER_NOTES,
    OPEN,
    Block,
    BlockFullError,
    Line,
    one_line,
    parse_block,
)

HUMAN = st.text(
    alphabet=st.one_of(st.sampled_from("\n\r\t -#[]AR:ustamngedé\u2028\x0b\x0c"), st.characters()),
    max_size=400,
).filter(lambda text: OPEN not in text)
"""What people write, except a fence of ours."""

KINDS = st.sampled_from(["status", "status-129", "hold", "note", "ptp"])
LINES = st.builds(
    Line,
    st.text(min_size=1, max_size=80).map(one_line),
    KINDS,
    st.text("0123456789abcdef", min_size=12, max_size=12),
)


def line(text: str, kind: str = "status", ref: str = "0123456789ab") -> Line:
    return Line(text, kind, ref)


@given(HUMAN, st.lists(LINES, min_size=1, max_size=4), LINES)
def test_what_people_wrote_is_kept_byte_for_byte(human: str, lines: list[Line], later: Line) -> None:
    block = parse_block(human)
    for one in lines:
        block = block.put(one)
    text = block.text()
    assert text.startswith(human)
    again = parse_block(text)
    assert again.outside == human
    assert again.lines == block.lines
    assert parse_block(again.put(later).text()).outside == human


@given(HUMAN, HUMAN, st.lists(LINES, min_size=1, max_size=3), LINES)
def test_an_edit_changes_nothing_before_or_after_the_fences(
    before: str, after: str, lines: list[Line], later: Line
) -> None:
    start = parse_block(before)
    for one in lines:
        start = start.put(one)
    text = f"{start.text()}\n{after}"
    edited = parse_block(text).put(later).text()
    assert edited[: text.index(OPEN)] == text[: text.index(OPEN)]
    assert edited.endswith(f"{CLOSE}\n{after}")


@given(HUMAN, LINES)
def test_taking_the_last_line_away_leaves_what_was_there_before_us(human: str, only: Line) -> None:
    with_block = parse_block(human).put(only).text()
    assert parse_block(with_block).drop(only.kind or "").text() == human


@given(HUMAN)
def test_notes_without_a_block_stay_as_they_are(human: str) -> None:
    assert parse_block(human).text() == human
    assert parse_block(human).lines == ()


def test_a_line_of_the_same_kind_is_replaced_in_its_place() -> None:
    block = parse_block("").put(line("first", "status", "a" * 12)).put(line("stop", "hold", "b" * 12))
    block = block.put(line("second", "status", "c" * 12))
    assert [(one.text, one.ref) for one in block.lines] == [("second", "c" * 12), ("stop", "b" * 12)]


def test_notes_and_promises_stand_beside_each_other() -> None:
    block = parse_block("").put(line("one", "note", "a" * 12)).put(line("two", "note", "b" * 12))
    assert len(block.put(line("one again", "note", "a" * 12)).lines) == 2


def test_lines_that_people_wrote_inside_the_fence_are_kept() -> None:
    text = f"Ring twice.\n\n{OPEN}\nStatus: late #status.{'a' * 12}\nCFO said wait\n{CLOSE}\nbye"
    edited = parse_block(text).put(line("paid up", "status", "b" * 12)).text()
    assert edited == f"Ring twice.\n\n{OPEN}\npaid up #status.{'b' * 12}\nCFO said wait\n{CLOSE}\nbye"


def test_a_deleted_end_fence_costs_nobody_their_text() -> None:
    text = f"Top\n\n{OPEN}\nStatus: late #status.{'a' * 12}\nCall Jo on Monday\nand bring the file"
    block = parse_block(text)
    assert [one.kind for one in block.lines] == ["status"]
    edited = block.put(line("paid", "status", "b" * 12)).text()
    assert edited.startswith("Top\n\n")
    assert edited.endswith(f"{CLOSE}\nCall Jo on Monday\nand bring the file")


def test_a_fence_in_the_text_of_a_user_does_not_end_the_block() -> None:
    tricky = line(one_line(f"a\n{CLOSE}\nb"))
    block = parse_block(parse_block("Top").put(tricky).text())
    assert block.lines == (tricky,)
    assert block.outside == "Top"


def test_windows_line_breaks_inside_the_block_are_understood() -> None:
    text = f"Top\r\n\r\n{OPEN}\r\nStatus: late #status.{'a' * 12}\r\n{CLOSE}\r\nBottom\r\n"
    block = parse_block(text)
    assert [one.ref for one in block.lines] == ["a" * 12]
    assert block.put(line("paid")).text().startswith("Top\r\n\r\n")
    assert block.put(line("paid")).text().endswith(f"{CLOSE}\r\nBottom\r\n")


@given(st.integers(0, MAX_CUSTOMER_NOTES), st.lists(LINES, max_size=12), st.integers(1, 3000))
def test_only_our_lines_give_way_to_the_limit(human: int, lines: list[Line], length: int) -> None:
    people = "h" * human
    block = parse_block(people)
    for one in lines:
        block = block.put(one)
    needed = line("x" * length)
    block = block.put(needed)
    try:
        fitted = block.fitted(needed)
    except BlockFullError:
        assert human > MAX_CUSTOMER_NOTES - 150  # a short line of ours and the fences need about this much
        return
    assert len(fitted.text().encode("utf-16-le")) // 2 <= MAX_CUSTOMER_NOTES
    assert fitted.outside == people
    assert fitted.find("status") is not None


def test_plain_notes_give_way_first_and_the_oldest_of_them() -> None:
    block = Block().put(line("stop", "hold", "b" * 12))
    for number in range(40):
        block = block.put(line(f"note number {number} " + "y" * 40, "note", f"{number:012x}"))
    newest = line("status now", "status", "c" * 12)
    fitted = block.put(newest).fitted(newest)
    kept = [one.ref for one in fitted.lines if one.kind == "note"]
    assert fitted.find("hold") is not None
    assert fitted.find("status") is not None
    assert kept == [f"{number:012x}" for number in range(40 - len(kept), 40)]


def test_emoji_count_twice_as_in_the_forms_of_quickbooks() -> None:
    needed = line("😀" * 1500)
    fitted = Block().put(needed).fitted(needed)
    assert len(fitted.text().encode("utf-16-le")) // 2 <= MAX_CUSTOMER_NOTES


def test_a_full_field_is_said_and_not_cut() -> None:
    needed = line("Status: late")
    with pytest.raises(BlockFullError, match="no room"):
        parse_block("h" * 1999).put(needed).fitted(needed)
