"""A platform that sends nonsense: one row of a page is spoiled, or the whole answer. What can be read is stored exactly, what cannot
is set aside with its bytes and the reason, and the rest of the page is there; afterwards the truth replaces it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

import ar_connectors as ar
from ar_connectors.errors import ARError, ContractError, TransientError
from ar_connectors.http.exchange import Exchange, Wire
from ar_connectors.http.messages import Request, Response
from ar_core.model import Invoice
from tests.behavior.faces import Face

Raw = msgspec.Raw
Spoil = Callable[[dict[str, Any]], None]


def replaced(body: bytes, path: tuple[str, ...], change: Callable[[list[Raw]], list[Any]]) -> bytes:
    """The body with other rows and every other byte of meaning as it was."""
    if not path:
        return msgspec.json.encode(change(msgspec.json.decode(body, type=list[Raw])))
    document = msgspec.json.decode(body, type=dict[str, Raw])
    document[path[0]] = Raw(replaced(bytes(document[path[0]]), path[1:], change))
    return msgspec.json.encode(document)


class Line:
    """Between the platform and us: changes what comes."""

    def __init__(self, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
        self.face, self.struck = face, 0
        self.change: Callable[[bytes], bytes] | None = None
        real = Wire.exchange

        def exchange(wire: Wire, request: Request, credentials: Any) -> Exchange:
            found = real(wire, request, credentials)
            answer = found.outcome
            if (
                self.change is None
                or not isinstance(answer, Response)
                or not face.platform.invoice_page(request)
            ):
                return found
            self.struck += 1
            return replace(found, outcome=replace(answer, body=self.change(answer.body)))

        monkeypatch.setattr(Wire, "exchange", exchange)

    def spoil(self, change: Spoil) -> None:
        """From now on the first invoice that is read is changed, in every page that has it."""
        victim: list[bytes] = []

        def spoiled(rows: list[Raw]) -> list[Any]:
            found: list[Any] = []
            for raw in rows:
                row = msgspec.json.decode(raw, type=dict[str, Raw])
                identity = bytes(row[self.face.platform.fields["id"]])
                if not victim:
                    victim.append(identity)
                if identity == victim[0]:
                    change(row)
                found.append(row)
            return found

        self.change = lambda body: replaced(body, self.face.platform.rows, spoiled)


@pytest.fixture
def line(face: Face, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(face, monkeypatch)


def set_to(field: str, value: str) -> Callable[[Face], Spoil]:
    """The field of that meaning gets this JSON text."""

    def of(face: Face) -> Spoil:
        def change(row: dict[str, Any]) -> None:
            row[face.platform.fields[field]] = Raw(value.encode())

        return change

    return of


def without(field: str) -> Callable[[Face], Spoil]:
    def of(face: Face) -> Spoil:
        return lambda row: row.pop(face.platform.fields[field], None)

    return of


SET_ASIDE = {
    "no id": without("id"),
    "an id that is no text": set_to("id", "[1]"),
    "an amount in words": set_to("total", '"a lot"'),
    "an amount beyond all numbers": set_to("total", "1e400"),
    "an amount that is an object": set_to("total", '{"value":1}'),
    "a truth for an amount": set_to("total", "true"),
    "a date that never was": set_to("issued", '"2026-02-30"'),
    "a date in words": set_to("issued", '"tomorrow"'),
    "a date that is a list": set_to("issued", "[2026,1,1]"),
}


@pytest.mark.parametrize("name", SET_ASIDE)
def test_a_row_that_cannot_be_read_is_set_aside_and_the_rest_is_stored(
    face: Face, line: Line, name: str
) -> None:
    line.spoil(SET_ASIDE[name](face))
    report = face.sync(raise_errors=False)
    assert line.struck, "no page of invoices was spoiled"
    assert not report.failures
    assert len(face.snapshot().invoices) == len(face.ledger.invoices) - 1
    aside = face.store.quarantined(face.id)
    assert aside
    assert all(one.reason and one.code for one in aside)
    line.change = None
    face.sync(full=True)
    assert face.differences() == []
    left = [one for one in face.store.quarantined(face.id) if one.remote_id is not None]
    assert not left, "what was read at last is still set aside"


STORED: dict[str, tuple[str, str, Callable[[Invoice], object], object]] = {
    "thirty digits": (
        "total",
        "1234567890123456789012345678.91",
        lambda one: one.total,
        Decimal("1234567890123456789012345678.91"),
    ),
    "more digits than a float has": (
        "total",
        "12345678901234567.89",
        lambda one: one.total,
        Decimal("12345678901234567.89"),
    ),
    "right to left, and a smile": (
        "number",
        '"\u05d0\U0001f642"',
        lambda one: one.number,
        "\u05d0\U0001f642",
    ),
}


@pytest.mark.parametrize("name", STORED)
def test_what_is_strange_and_can_be_read_is_stored_to_the_letter(face: Face, line: Line, name: str) -> None:
    field, text, read, expected = STORED[name]
    line.spoil(set_to(field, text)(face))
    report = face.sync()
    assert line.struck
    assert report.quarantined == 0
    assert [read(one) for one in face.snapshot().invoices].count(expected) == 1
    assert len(face.snapshot().invoices) == len(face.ledger.invoices)


@pytest.mark.parametrize(
    "text", ["A\\ud800B", "A\\u0000B"], ids=["half a character", "a character of nothing"]
)
def test_text_that_not_every_database_takes_is_stored_to_the_letter_or_set_aside(
    face: Face, line: Line, text: str
) -> None:
    line.spoil(set_to("number", f'"{text}"')(face))
    report = face.sync()
    assert line.struck
    invoices = face.snapshot().invoices
    as_told = {"A\ud800B", "A\0B"} & {one.number for one in invoices}
    assert len(as_told) + report.quarantined == 1
    assert len(invoices) == len(face.ledger.invoices) - report.quarantined
    line.change = None
    face.sync(full=True)
    assert face.differences() == []


@pytest.mark.parametrize("text", ['"Zebra"', '""', "null"])
def test_a_word_that_nobody_has_documented_costs_nothing(face: Face, line: Line, text: str) -> None:
    line.spoil(set_to("word", text)(face))
    assert face.sync().quarantined == 0
    assert len(face.snapshot().invoices) == len(face.ledger.invoices)


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle": lambda body: body[: len(body) // 2],
    "not JSON at all": lambda _: b"<html>out of order</html>",
    "nothing": lambda _: b"",
    "a list of nothing": lambda _: b"[]",
    "a number that is none": lambda body: body.replace(b":0,", b":NaN,", 1) + b"NaN",
    "bytes that are no text": lambda body: body.replace(b'"', b'"\xff\xfe', 3),
    "a thousand brackets": lambda _: b"[" * 100_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_is_none_is_an_error_that_says_so_and_loses_nothing(
    face: Face, line: Line, name: str
) -> None:
    line.change = BROKEN[name]
    with pytest.raises(ARError) as caught:
        face.sync()
    # Markup and missing rows may pass; what is no JSON will not.
    assert isinstance(caught.value, ContractError | TransientError), caught.value
    assert caught.value.platform == face.emulator.erp
    assert caught.value.tenant == face.emulator.tenant
    assert caught.value.operation
    assert caught.value.advice
    line.change = None
    assert face.sync().complete
    assert face.differences() == []


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("page", [1, 2, 4])
def test_a_page_that_came_without_its_rows_is_read_again_also_after_a_crash(
    face: Face, line: Line, page: int, workers: int
) -> None:
    """Nothing says that rows are missing but their number, and the run ends before it can count."""
    face.small_pages()

    def change(body: bytes) -> bytes:
        if line.struck > page + 1:
            raise ContractError("the line broke")
        return replaced(body, face.platform.rows, lambda _: []) if line.struck == page else body

    line.change = change
    assert face.sync(raise_errors=False, workers=workers).failures
    line.change = None
    assert face.sync().complete
    assert face.differences() == []


def test_rows_of_another_company_are_not_taken_for_ours(face: Face) -> None:
    """The credentials are of a company, and the connection says another one."""
    plug = {**face.emulator.as_json(), "tenant": face.platform.other_tenant}
    stranger = face.platform.connect(plug, face.store, face.clock)
    with pytest.raises(ARError) as caught:
        ar.sync(stranger, face.store)
    assert caught.value.tenant == face.platform.other_tenant
    assert caught.value.advice
    assert face.store.snapshot(stranger.id).invoices == ()
    stranger.close()
