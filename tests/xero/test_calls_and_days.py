"""What a run costs in calls and bytes, how old what Xero changes without a word may be, and that no day is another one elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from math import ceil
from pathlib import Path

import msgspec
import pytest

import ar_connectors as ar
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.connector import Page
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.http.exchange import Exchange, Wire
from ar_connectors.http.messages import Request
from ar_connectors.testkit.clock import ScriptedClock
from ar_core.model import CreditNote, Invoice, Payment
from tests.behavior.faces import KEY, NOW, Face, opened
from tests.behavior.stories import STORIES, an_old_invoice_is_paid_in_part

ZONES = (
    "Pacific/Auckland",
    "Australia/Sydney",
    "Australia/Perth",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
)
LISTS = ("Invoices", "Contacts", "CreditNotes", "Payments", "Prepayments", "Overpayments")


@pytest.fixture
def face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    with opened("xero", tmp_path, monkeypatch) as made:
        yield made


def rows(face: Face, collection: str) -> int:
    """How many rows the list has that we ask for."""
    view = face.emulator.service.view
    return sum(one.facts.get("Type") not in {"ACCPAY", "ACCPAYCREDIT"} for one in view.entries(collection))


@pytest.mark.parametrize("invoices", [60, 2300])
def test_a_first_load_takes_a_call_for_a_thousand_rows_and_one_more_for_each_list_and_six(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoices: int
) -> None:
    with opened("xero", tmp_path, monkeypatch, invoices=invoices) as face:
        assert face.sync().complete
        calls = Counter(face.emulator.stats.calls)
        for collection in LISTS:
            most = ceil(rows(face, collection) / 1000) + 1
            assert 1 <= calls.pop(f"list {collection}") <= most, collection
        assert sum(calls.values()) <= 6, calls


def test_an_idle_run_takes_six_calls(face: Face) -> None:
    face.sync()
    face.clock.sleep(600)
    face.emulator.stats.reset()
    report = face.sync()
    assert report.cost.calls == face.emulator.stats.total <= 6
    assert report.inserted == report.updated == report.tombstoned == 0


def test_gzip_is_asked_for_and_bytes_are_counted(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str | None] = set()
    real = Wire.exchange

    def exchange(wire: Wire, request: Request, credentials: dict[str, str]) -> Exchange:
        asked.add(request.headers.get("Accept-Encoding", "gzip"))
        return real(wire, request, credentials)

    monkeypatch.setattr(Wire, "exchange", exchange)
    report = face.sync()
    assert asked == {"gzip"}
    assert report.cost.bytes_received == face.emulator.stats.bytes_out > 0
    assert report.cost.compression is not None
    assert report.cost.compression < 0.5, "the emulator packs what is asked for packed"


@pytest.mark.parametrize("hours", [6, 24])
def test_a_due_date_that_moves_without_a_word_is_here_within_the_configured_age(
    face: Face, hours: int
) -> None:
    """A part-paid invoice gets another due date and no new UpdatedDateUTC."""
    plug = face.emulator.as_json()
    face.connection = ar.connect(
        "xero",
        tenant=plug["tenant"],
        store=face.store,
        credentials=ClientCredentials(plug["client_id"], plug["client_secret"]),
        tokens=TokenSet(plug["access_token"], plug["refresh_token"]),
        endpoints=Endpoints(api=plug["base_url"], token=plug["token_url"]),
        settings={"time_zone": "Pacific/Auckland", "open_invoices_hours": hours},
        clock=face.clock,
    )
    face.change(an_old_invoice_is_paid_in_part)
    face.sync()
    part_paid = next(one for one in face.ledger.invoices.values() if one.open and one.applied)
    before, told = part_paid.due, part_paid.updated
    assert before is not None
    for _ in range(2):  # the age is counted from reading to reading, not from the first load alone
        face.clock.sleep(1800)
        with face.emulator.service.lock:
            face.ledger.change_document(part_paid, due=part_paid.due + timedelta(days=9))  # type: ignore[operator]
        assert part_paid.updated == told, "it was told: this test shows nothing"
        face.clock.sleep(hours * 3600)
        report = face.sync()
        (ours,) = [one for one in face.snapshot().invoices if one.number == part_paid.number]
        assert ours.due_date == part_paid.due
        assert report.updated == 1


def test_a_first_load_counts_as_a_reading_of_open_invoices_though_the_servers_clock_is_days_behind(
    face: Face, tmp_path: Path
) -> None:
    ours = ScriptedClock(NOW + timedelta(days=5))
    with ar.open_store(f"sqlite:///{tmp_path}/ahead.db", clock=ours, key=KEY) as store:
        connection = face.platform.connect(face.emulator.as_json(), store, ours)
        ar.sync(connection, store)
        assert face.emulator.stats.calls["list Invoices"] == 1, "they were read again as open ones"
        ours.sleep(25 * 3600)
        face.emulator.stats.reset()
        ar.sync(connection, store)
        assert face.emulator.stats.calls["list Invoices"] == 2, "changes, and the open ones"
        connection.close()


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine in another zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


FORMS = {
    "as it comes": "/Date(1767225600000+0000)/",
    "without an offset": "/Date(1767225600000)/",
    "with an offset for show": "/Date(1767225600000+1300)/",
    "with one to the west": "/Date(1767225600000-0800)/",
    "as text": "2026-01-01T00:00:00",
    "as a day": "2026-01-01",
}


@pytest.mark.parametrize("form", FORMS)
def test_no_date_is_a_day_off(zone: str, form: str) -> None:
    """1 January 2026 is 1 January 2026, for an organisation and a machine in any zone, and whichever way it is written."""
    day, told = date(2026, 1, 1), FORMS[form]
    base = {"Status": "AUTHORISED", "Date": told, "CurrencyCode": "NZD", "Total": 10}
    bodies = {
        "invoice": {**base, "Type": "ACCREC", "InvoiceID": "i", "AmountDue": 10, "DueDate": told, "ExpectedPaymentDate": told},
        "creditnote": {**base, "Type": "ACCRECCREDIT", "CreditNoteID": "c", "RemainingCredit": 10},
        "payment": {"PaymentID": "p", "PaymentType": "ACCRECPAYMENT", "Status": "AUTHORISED", "Date": told, "Amount": 10,
                    "Invoice": {"InvoiceID": "i"}},
    }  # fmt: skip
    found = set[date | None]()
    for kind, row in bodies.items():
        page = ar.decode("xero", kind, msgspec.json.encode(row), tenant=f"in {zone}")
        assert isinstance(page, Page)
        for one in page.records:
            if isinstance(one, Invoice):
                found |= {one.issue_date, one.due_date, one.expected_payment_date}
            if isinstance(one, CreditNote):
                found.add(one.issue_date)
            if isinstance(one, Payment):
                found.add(one.payment_date)
    assert found == {day}


def test_no_date_of_a_whole_company_is_a_day_off(zone: str, face: Face) -> None:
    """Asked for shortly before and after midnight of the machine's zone and of UTC."""
    del zone
    for hours in (0, 7, 14, 21):
        face.clock.set(NOW + timedelta(days=1, hours=hours))
        face.change(STORIES[1])
        face.sync()
        assert face.differences() == []
