"""Is a page that was cut into pieces the page that was read row by row? Wherever the cuts fall, and whatever stands in the rows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.adapterkit import cutting
from ar_connectors.adapterkit.cutting import cut_list
from ar_connectors.quickbooks.context import Context
from ar_connectors.quickbooks.decode import decode_page, decode_rows
from ar_connectors.quickbooks.envelope import open_envelope
from tests.quickbooks.test_decode import row

CONTEXT = Context("9341")

notes = st.sampled_from(
    ["", "plain", '},{"Id":', '"},{"Id":"', "}],[{", "]", 'a\\"},{"Id":"7"', "Voided", "é\\"]
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "PrivateNote": notes,
        "Line": st.lists(
            st.sampled_from(
                [{"Id": "1", "Amount": 5}, {"Id": "2", "Amount": 5.5, "Description": '},{"Id":"3"'}, {}]
            ),
            max_size=3,
        ),
        "Id": st.sampled_from([None, "a:b", "77"]),
        "TotalAmt": st.sampled_from([None, "NaN", "12.50", 1e60, True, 0]),
        "status": st.sampled_from(["Deleted", None]),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(changes, min_size=1, max_size=8), st.sampled_from([1, 100, 400, 900]), st.sampled_from([None, 2])
)
def test_a_page_cut_into_pieces_is_the_page_read_row_by_row(
    monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]], piece: int, indent: int | None
) -> None:
    monkeypatch.setattr(cutting, "PIECE", piece)
    listed = [row(number, **change) for number, change in enumerate(rows)]
    body = json.dumps({"QueryResponse": {"Invoice": listed, "maxResults": 8}}, indent=indent).encode()
    quick: list[str | None] = []
    slow: list[str | None] = []
    page = decode_page(body, "Invoice", CONTEXT, ids=quick)
    careful = decode_rows(open_envelope(body, "Invoice"), CONTEXT, raw=body, ids=slow)
    assert replace(page, rejected=careful.rejected) == careful
    assert [(one.remote_id, one.code, one.row) for one in page.rejected] == [
        (one.remote_id, one.code, one.row) for one in careful.rejected
    ]
    assert quick == slow


def test_rows_are_cut_where_the_first_member_of_a_row_follows() -> None:
    body = b'{"before": 1, "Rows" : [ {"A": 1}, {"A": 2, "B": [{"A": 3}, {"A": 4}]}, {"B": 5} ], "after": 2}'
    cut = cut_list(body, "Rows")
    assert cut is not None
    assert json.loads(cut.frame) == {"before": 1, "Rows": [], "after": 2}
    assert [json.loads(piece) for piece in cut.pieces] == [json.loads(body)["Rows"]]


def test_a_cut_inside_a_row_is_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the proof of `cut_list` stands on: a wrong cut shows."""
    monkeypatch.setattr(cutting, "PIECE", 1)
    cut = cut_list(b'{"Rows":[{"A":1},{"A":[{"A":2},{"A":3}]}]}', "Rows")
    assert cut is not None
    pieces = list(cut.pieces)
    assert pieces[0] == b'[{"A":1}]'
    for piece in pieces[1:]:
        with pytest.raises(json.JSONDecodeError):
            json.loads(piece)


@pytest.mark.parametrize(
    "body",
    [
        b'{"Rows":[]}',
        b'{"Rows":[1]}',
        b'{"Other":"Rows"}',
        b'{"O\\u0074her":1,"Rows":[{"A":1}]}',
        b'{"Rows":[{"A":1}',
    ],
    ids=["empty", "no objects", "no list", "a name in escapes", "without an end"],
)
def test_a_list_that_is_not_surely_found_is_not_cut(body: bytes) -> None:
    assert cut_list(body, "Rows") is None
