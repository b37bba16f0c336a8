"""python-quickbooks, unchanged, works against the emulator: it shares no line with our adapter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from ar_connectors.testkit.server import Handle

pytest.importorskip("quickbooks")

from intuitlib.client import AuthClient
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import (
    AuthorizationException,
    ObjectNotFoundException,
    QuickbooksException,
    ValidationException,
)
from quickbooks.objects import (
    Attachable,
    AttachableRef,
    CompanyInfo,
    Customer,
    Invoice,
    Payment,
    Preferences,
    Ref,
)

pytestmark = pytest.mark.foreign


@pytest.fixture
def auth(quickbooks_emulator: Handle) -> AuthClient:
    """Intuit's own OAuth client; it reads the emulator's discovery document."""
    return AuthClient(
        quickbooks_emulator.client_id,
        quickbooks_emulator.client_secret,
        "http://127.0.0.1/callback",
        f"{quickbooks_emulator.base_url}/.well-known/openid_configuration/",
        refresh_token=quickbooks_emulator.refresh_token,
        access_token=quickbooks_emulator.access_token,
        realm_id=quickbooks_emulator.tenant,
    )


@pytest.fixture
def client(
    quickbooks_emulator: Handle, auth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> Iterator[QuickBooks]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # its session refuses plain HTTP otherwise
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{quickbooks_emulator.base_url}/v3")
    made = QuickBooks(
        auth_client=auth, company_id=quickbooks_emulator.tenant, minorversion=75, use_decimal=True
    )
    yield made
    made.session.close()
    auth.close()


def test_it_reads_every_invoice_by_pages(client: QuickBooks, quickbooks_emulator: Handle) -> None:
    total, found = Invoice.count(qb=client), []
    for start in range(1, total + 1, 50):
        found += Invoice.filter(order_by="Id", start_position=start, max_results=50, qb=client)
    facts = quickbooks_emulator.truth()
    assert len({one.Id for one in found}) == total == facts.invoices
    assert {one.Id: Decimal(str(one.Balance)) for one in found if one.Balance} == {
        one.id: one.open for one in facts.open_invoices.values()
    }


def test_it_finds_by_name_amount_and_list(client: QuickBooks) -> None:
    (found,) = Customer.filter(DisplayName="O'Neil & Sons", qb=client)
    assert found.Id == "1"
    assert {one.Id for one in Customer.choose(["1", "2"], field="Id", qb=client)} == {"1", "2"}
    overdue = Invoice.where("Balance > '0' AND DueDate < '2026-11-01'", order_by="DueDate DESC", qb=client)
    assert overdue
    assert [one.DueDate for one in overdue] == sorted((one.DueDate for one in overdue), reverse=True)


def test_inactive_customers_are_hidden_unless_asked_for(
    client: QuickBooks, quickbooks_emulator: Handle
) -> None:
    everyone = len(quickbooks_emulator.ledger.customers)
    hidden = len(quickbooks_emulator.truth().inactive)
    assert hidden
    assert Customer.count(qb=client) == everyone - hidden
    assert len(Customer.where("Active IN (true, false)", max_results=1000, qb=client)) == everyone


def test_the_change_feed_has_changes_and_stubs_of_what_is_gone(
    client: QuickBooks, quickbooks_emulator: Handle
) -> None:
    clock = quickbooks_emulator.clock
    clock.advance(timedelta(minutes=10))
    since = clock.now().isoformat()
    changed = quickbooks_emulator.stories.run("edit_memo")["id"]
    *_, untouched = (
        one.id for one in quickbooks_emulator.ledger.invoices.values() if one.open == one.total > 0
    )
    gone = quickbooks_emulator.stories.run("delete_invoice", invoice=untouched)["id"]
    feed = change_data_capture([Invoice, Payment], since, qb=client)
    assert {changed, gone} <= {one.Id for one in feed.Invoice._object_list}
    assert [one.Id for one in feed.Invoice._object_list if getattr(one, "status", None) == "Deleted"] == [
        gone
    ]
    assert not hasattr(feed, "Payment")  # an entity without changes is an empty group


def test_a_note_is_attached_and_found_again(client: QuickBooks, quickbooks_emulator: Handle) -> None:
    invoice = next(iter(quickbooks_emulator.truth().open_invoices))
    note = Attachable()
    note.Note = "Promised for Friday"
    reference = AttachableRef()
    reference.EntityRef = Ref()
    reference.EntityRef.type, reference.EntityRef.value = "Invoice", invoice
    reference.IncludeOnSend = False
    note.AttachableRef = [reference]
    note.save(qb=client)
    where = f"AttachableRef.EntityRef.type = 'Invoice' and AttachableRef.EntityRef.value = '{invoice}'"
    assert [one.Note for one in Attachable.where(where, qb=client)] == ["Promised for Friday"]
    assert quickbooks_emulator.truth().notes[note.Id] == "Promised for Friday"
    Attachable.get(int(note.Id), qb=client).delete(qb=client)
    assert note.Id not in quickbooks_emulator.truth().notes


def test_a_file_is_uploaded_and_comes_back_byte_by_byte(
    client: QuickBooks, quickbooks_emulator: Handle
) -> None:
    invoice = next(iter(quickbooks_emulator.truth().open_invoices))
    content = bytes(range(256)) * 5
    file = Attachable()
    file.FileName, file.ContentType, file.Note = "statement.pdf", "application/pdf", "as sent"
    file._FileBytes = content
    reference = AttachableRef()
    reference.EntityRef = Ref()
    reference.EntityRef.type, reference.EntityRef.value = "Invoice", invoice
    file.AttachableRef = [reference]
    file.save(qb=client)
    there = Attachable.get(int(file.Id), qb=client)
    assert (there.FileName, there.Size, there.ContentType) == (
        "statement.pdf",
        len(content),
        "application/pdf",
    )
    link = client.session.get(
        f"{quickbooks_emulator.base_url}/v3/company/{quickbooks_emulator.tenant}/download/{file.Id}"
    ).text
    with urlopen(link) as answer:
        assert answer.read() == content
    file.delete(qb=client)
    with pytest.raises(HTTPError, match="404"):
        urlopen(link)


def test_a_sparse_update_changes_one_field_and_a_stale_one_nothing(
    client: QuickBooks, quickbooks_emulator: Handle
) -> None:
    identity = next(iter(quickbooks_emulator.truth().open_invoices))
    before = Invoice.get(int(identity), qb=client)
    body = {"Id": identity, "SyncToken": before.SyncToken, "sparse": True, "PrivateNote": "Called"}
    client.update_object("Invoice", json.dumps(body))
    after = Invoice.get(int(identity), qb=client)
    assert (after.PrivateNote, after.SyncToken) == ("Called", str(int(before.SyncToken) + 1))
    assert (after.TotalAmt, after.DueDate, len(after.Line)) == (
        before.TotalAmt,
        before.DueDate,
        len(before.Line),
    )
    with pytest.raises(QuickbooksException) as refused:
        client.update_object("Invoice", json.dumps({**body, "PrivateNote": "Too late"}))
    assert refused.value.error_code == 5010
    assert Invoice.get(int(identity), qb=client).PrivateNote == "Called"


def test_a_batch_of_more_than_thirty_goes_in_parts_and_keeps_each_refusal(
    client: QuickBooks, quickbooks_emulator: Handle
) -> None:
    customers = Customer.where("Active IN (true, false)", max_results=1000, qb=client)[:20]
    repeated = [Customer.get(int(one.Id), qb=client) for one in customers] + customers
    for one in repeated:
        one.Notes = "Met at the fair"
    answer = batch_update(repeated, qb=client)
    assert quickbooks_emulator.stats.calls["batch"] == 2
    assert (len(answer.successes), len(answer.faults)) == (20, 20)
    assert {fault.Error[0].code for fault in answer.faults} == {"5010"}
    assert sum(one.notes == "Met at the fair" for one in quickbooks_emulator.ledger.customers.values()) == 20


def test_voiding_zeroes_an_invoice_and_says_so_in_its_memo(
    client: QuickBooks, quickbooks_emulator: Handle
) -> None:
    identity = next(iter(quickbooks_emulator.truth().open_invoices))
    Invoice.get(int(identity), qb=client).void(qb=client)
    voided = Invoice.get(int(identity), qb=client)
    assert (voided.TotalAmt, voided.Balance) == (0, 0)
    assert voided.PrivateNote.startswith("Voided")
    assert identity in quickbooks_emulator.truth().voided


def test_voiding_a_payment_opens_what_it_paid(client: QuickBooks, quickbooks_emulator: Handle) -> None:
    told = quickbooks_emulator.stories.run("receive_payment")
    payment = Payment.get(int(told["id"]), qb=client)
    paid = payment.Line[0].LinkedTxn[0].TxnId
    assert paid not in quickbooks_emulator.truth().open_invoices
    payment.void(qb=client)
    assert paid in quickbooks_emulator.truth().open_invoices


def test_it_reads_company_settings_and_reports(client: QuickBooks, quickbooks_emulator: Handle) -> None:
    assert CompanyInfo.get(1, qb=client).CompanyName == quickbooks_emulator.ledger.settings.name
    assert Preferences.get(qb=client).CurrencyPrefs.HomeCurrency.value == "USD"
    assert client.get_report("AgedReceivables")["Header"]["ReportName"] == "AgedReceivables"


def test_its_errors_are_those_it_knows(client: QuickBooks) -> None:
    with pytest.raises(ObjectNotFoundException):
        Invoice.get(99999999, qb=client)
    with pytest.raises(ValidationException):
        client.query("select * frm Invoice")


def test_tokens_end_after_an_hour_and_intuits_client_refreshes_them(
    client: QuickBooks, auth: AuthClient, quickbooks_emulator: Handle
) -> None:
    quickbooks_emulator.clock.advance(timedelta(seconds=3601))
    with pytest.raises(AuthorizationException):
        Customer.count(qb=client)
    auth.refresh()
    assert Customer.count(
        qb=QuickBooks(auth_client=auth, company_id=quickbooks_emulator.tenant, minorversion=75)
    )
    assert auth.expires_in == 3600


def test_a_refresh_token_changes_once_a_day_and_the_old_one_dies(
    auth: AuthClient, quickbooks_emulator: Handle
) -> None:
    first = auth.refresh_token
    auth.refresh()
    assert auth.refresh_token == first
    quickbooks_emulator.clock.advance(timedelta(hours=25))
    auth.refresh()
    second = auth.refresh_token
    assert second != first
    auth.refresh(refresh_token=first)  # its grace: an answer may have been lost
    assert auth.refresh_token == second
    quickbooks_emulator.clock.advance(timedelta(hours=25))
    with pytest.raises(AuthClientError, match="invalid_grant"):
        auth.refresh(refresh_token=first)


def test_a_revoked_connection_stays_revoked(auth: AuthClient) -> None:
    auth.revoke()
    with pytest.raises(AuthClientError, match="invalid_grant"):
        auth.refresh()
