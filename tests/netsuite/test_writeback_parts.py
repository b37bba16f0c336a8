"""The parts of writing by themselves: texts on the wire, values of custom fields, documents that have no date."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors.adapterkit.text import clean_text
from ar_connectors.connector import Fact, PendingWrite
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.writeback import COMMANDS, NetSuiteWriter
from ar_connectors.netsuite.writeback_calls import on_wire
from ar_connectors.netsuite.writeback_fields import FIELDS, field_map, same_value
from ar_connectors.netsuite.writeback_rights import RIGHTS
from ar_connectors.testkit.netsuite.records.types import Field
from ar_connectors.testkit.netsuite.records.values import read_body
from tests.netsuite.test_writeback_crashes import CONNECTION, TENANT, books

MESSAGE = Field("message", "string", "Message", writable=True)
TEXTS = st.text(st.sampled_from("ab\\nr\r\n\t/ ü€😀\x00\ud800"), max_size=30)


@given(TEXTS)
def test_a_text_arrives_as_it_was_but_for_what_no_field_keeps(text: str) -> None:
    """What NetSuite makes of what we send: line ends stay, and a backslash before n or r is a slash."""
    written = read_body({"message": on_wire(text)}, {"message": MESSAGE}, {}, {})
    assert written.values["message"] == re.sub(r"\\(?=[nr])", "/", clean_text(text, latin1_only=False))


@pytest.mark.parametrize(
    ("shown", "sent", "same"),
    [
        (Decimal("10.5"), Decimal("10.50"), True),
        (10, Decimal("10.00"), True),
        (Decimal("10.51"), Decimal("10.50"), False),
        (None, Decimal("0.00"), False),
        ("10.50", Decimal("10.50"), False),
        ({"id": "4", "refName": "Other"}, {"id": "4"}, True),
        ({"id": "3"}, {"id": "4"}, False),
        (None, {"id": "4"}, False),
        (None, None, True),
        ("", None, True),
        ("x", None, False),
        (None, False, True),
        (False, False, True),
        (True, False, False),
        (True, True, True),
        ("2026-12-01", "2026-12-01", True),
        (None, "2026-12-01", False),
    ],
)
def test_what_a_record_shows_is_compared_with_what_was_sent(shown: Any, sent: Any, same: bool) -> None:
    assert same_value(shown, sent) is same


def test_a_word_without_an_entry_is_left_out_and_a_star_takes_any() -> None:
    mapped = field_map(
        {
            "promise_status": {"field": "custbody_status", "values": {"Open": 1}},
            "dispute_reason": {"field": "custbody_reason", "values": {"price": "1", "*": "9"}},
        }
    )
    assert mapped.changes({"promise_status": "open"}) == {"custbody_status": {"id": "1"}}
    assert mapped.changes({"promise_status": "kept"}) == {}
    assert mapped.changes({"promise_status": None}) == {"custbody_status": None}
    assert mapped.changes({"dispute_reason": "anything"}) == {"custbody_reason": {"id": "9"}}
    assert mapped.changes({"promise_note": "not mapped"}) == {}
    assert set(FIELDS) >= {"promise_status", "dispute_reason"}


@pytest.mark.parametrize("kind", ["statementCharge", "financeCharge"])
def test_a_charge_has_no_promised_date_and_its_promise_stands_in_the_activity(kind: str) -> None:
    made = books()
    for identity, record in list(made.store.records_by_id.items()):
        if ":invoice:" in identity:
            source = record.source.model_copy(update={"kind": kind})
            made.store.records_by_id[identity] = record.model_copy(update={"source": source})
    command = made.week[0]
    (receipt,) = made.store.record_commands([command])
    writer = NetSuiteWriter(NetSuiteClient(made.line, TENANT, "http://127.0.0.1"))
    write = PendingWrite(command, "key", 1, None, receipt.record_id)
    placements = writer.place(write, made.store.view(CONNECTION))
    degraded = [one for one in placements if one.degraded]
    assert {one.fact for one in degraded} == {Fact.PROMISE_DATE}
    assert {one.reason for one in degraded} == {f"a {kind} has no promised date in NetSuite"}
    assert {one.remote_kind for one in placements} == {"phoneCall"}
    made.service.close()


def test_every_command_that_is_written_names_the_rights_it_needs() -> None:
    written = {name for name, support in COMMANDS.items() if support != "none"}
    assert set(RIGHTS) == written
