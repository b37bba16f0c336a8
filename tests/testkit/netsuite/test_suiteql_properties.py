"""Statements made by chance yield what the same conditions in Python yield."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.testkit.netsuite.start import Handle
from tests.testkit.netsuite.support import Client

Row = dict[str, Any]
Condition = tuple[str, Callable[[Row], bool | None]]
"""SuiteQL, and what it says of a row; None: unknown, as SQL has it."""

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "<>": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}


def _rows(handle: Handle) -> Iterator[Row]:
    """Invoices as a client would know them, from the books."""
    for one in handle.ledger.invoices.values():
        yield {
            "id": int(one.id),
            "entity": int(one.customer),
            "tranid": one.number,
            "status": "V" if one.voided else "A" if one.open else "B",
            "foreigntotal": one.total,
            "foreignamountunpaid": one.open,
            "trandate": one.issued,
        }


def _literal(value: Any) -> str:
    if isinstance(value, date):
        return f"TO_DATE('{value.isoformat()}', 'YYYY-MM-DD')"
    return f"'{value}'" if isinstance(value, str) else str(value)


def _comparison(name: str, symbol: str, value: Any) -> Condition:
    def holds(row: Row) -> bool | None:
        return None if row[name] is None else OPERATORS[symbol](row[name], value)

    return f"{name} {symbol} {_literal(value)}", holds


def _null(name: str, negated: bool) -> Condition:
    return f"{name} IS {'NOT ' if negated else ''}NULL", lambda row: (row[name] is None) != negated


def _listed(name: str, values: list[Any]) -> Condition:
    text = f"{name} IN ({', '.join(map(_literal, values))})"
    return text, lambda row: None if row[name] is None else row[name] in values


def _both(left: Condition, right: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        one, other = left[1](row), right[1](row)
        return False if False in (one, other) else None if None in (one, other) else True

    return f"({left[0]} AND {right[0]})", holds


def _either(left: Condition, right: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        one, other = left[1](row), right[1](row)
        return True if True in (one, other) else None if None in (one, other) else False

    return f"({left[0]} OR {right[0]})", holds


def _not(inner: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        known = inner[1](row)
        return None if known is None else not known

    return f"NOT ({inner[0]})", holds


symbols = st.sampled_from(sorted(OPERATORS))
amounts = st.decimals(min_value=-100, max_value=60_000, places=2)
conditions = st.recursive(
    st.one_of(
        st.builds(_comparison, st.sampled_from(["id", "entity"]), symbols, st.integers(0, 400)),
        st.builds(_comparison, st.sampled_from(["foreigntotal", "foreignamountunpaid"]), symbols, amounts),
        st.builds(_comparison, st.just("status"), st.sampled_from(["=", "<>"]), st.sampled_from("ABV")),
        st.builds(_comparison, st.just("trandate"), symbols, st.dates(date(2024, 11, 1), date(2026, 11, 30))),
        st.builds(_null, st.sampled_from(["tranid", "id"]), st.booleans()),
        st.builds(_listed, st.just("status"), st.lists(st.sampled_from("ABVQ"), min_size=1, max_size=3)),
        st.builds(_listed, st.just("entity"), st.lists(st.integers(1, 40), min_size=1, max_size=6)),
    ),
    lambda inner: st.one_of(
        st.builds(_both, inner, inner), st.builds(_either, inner, inner), st.builds(_not, inner)
    ),
    max_leaves=6,
)
slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@slow
@given(condition=conditions)
def test_conditions_choose_the_same_rows(books: Handle, reader: Client, condition: Condition) -> None:
    statement, holds = condition
    found = reader.rows(f"SELECT id FROM transaction WHERE type = 'CustInvc' AND {statement} ORDER BY id")
    assert [int(row["id"]) for row in found] == [row["id"] for row in _rows(books) if holds(row) is True]


@slow
@given(condition=conditions, group=st.sampled_from(["entity", "status"]))
def test_groups_have_the_same_sums(books: Handle, reader: Client, condition: Condition, group: str) -> None:
    statement, holds = condition
    found = reader.rows(
        f"SELECT {group}, COUNT(*) AS n, SUM(foreigntotal) AS s, MAX(foreigntotal) AS m, MIN(trandate) AS d FROM transaction "
        f"WHERE type = 'CustInvc' AND {statement} GROUP BY {group} ORDER BY {group}"
    )
    wanted: dict[str, list[Row]] = {}
    for row in _rows(books):
        if holds(row) is True:
            wanted.setdefault(str(row[group]), []).append(row)
    assert {row[group] for row in found} == set(wanted)
    for row in found:
        members = wanted[row[group]]
        amounts_of = [one["foreigntotal"] for one in members]
        assert (int(row["n"]), Decimal(row["s"]), Decimal(row["m"])) == (
            len(members),
            sum(amounts_of),
            max(amounts_of),
        )
        assert row["d"] == min(one["trandate"] for one in members).strftime("%m/%d/%Y")


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_pages_by_offset_and_by_key_are_the_whole(books: Handle, reader: Client, size: int) -> None:
    wanted = [row["id"] for row in _rows(books)][: 40 if size == 1 else None]
    by_offset: list[int] = []
    by_key: list[int] = []
    statement = "SELECT id FROM transaction WHERE type = 'CustInvc'"
    while len(by_offset) < len(wanted):
        page = reader.suiteql(f"{statement} ORDER BY id", limit=size, offset=len(by_offset)).json()
        by_offset += [int(row["id"]) for row in page["items"]]
    while len(by_key) < len(wanted):
        last = by_key[-1] if by_key else 0
        page = reader.suiteql(
            f"SELECT * FROM ({statement}) x WHERE x.id > {last} ORDER BY x.id", limit=size
        ).json()
        by_key += [int(row["id"]) for row in page["items"]]
    assert by_offset == by_key == wanted
