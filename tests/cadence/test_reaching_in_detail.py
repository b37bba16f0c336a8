"""Who is written to where several are known: what is remembered of each invoice, each contact and each word on consent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.book import Book
from ar_core.cadence.channels import Directory
from ar_core.cadence.codes import Code
from ar_core.cadence.history import History
from tests.cadence import books as b

DAY = timedelta(days=1)
EMAIL, SMS = ar.Channel.EMAIL, ar.Channel.SMS
TOKYO, BERLIN = "Asia/Tokyo", "Europe/Berlin"
IN = ar.Direction.INBOUND


def by(*channels: str, **changes: Any) -> ar.Policy:
    """Each invoice on its own, as many messages as there are, the demand of day 8 by these channels."""
    return b.changed(
        "balanced",
        steps=[{"id": "demand", "channels": channels, **changes}],
        grouping={"by": "invoice"},
        limits={"max_customer_actions_per_run": 9},
    )


def directory(*records: Any, policy: ar.Policy | None = None) -> Directory:
    """The contacts of the one account of a small book."""
    snapshot = b.book(b.invoice(dpd=9), *records)
    run = b.run(snapshot, policy=policy or by("email")).parts()[1]
    book = Book(snapshot, run.grouping.collect_at)
    (account,) = (book.account(i) for i in book.account_ids())
    return Directory(
        account, run, History(account.touches, run.instant, run.local_day, run.limits.count_failed)
    )


# ---- what differs between the invoices of one account


def test_r28_each_invoice_is_asked_for_its_own_pdf() -> None:
    unknown, without = b.invoice("i1", 9, has_pdf=None), b.invoice("i2", 9, has_pdf=False)
    found = b.run(unknown, without, policy=by("email", needs=["pdf"]))
    assert [a.lead_invoice_id for a in b.touches_of(found)] == [unknown.id]
    assert b.of(found, "i2").code is Code.PDF_MISSING


def test_r34_each_invoice_is_asked_for_its_own_link() -> None:
    linked, bare = b.invoice("i1", 9), b.invoice("i2", 9, payment_link=None)
    found = b.run(linked, bare, policy=by("email", needs=["pay_link"]))
    assert [a.lead_invoice_id for a in b.touches_of(found)] == [linked.id]


def test_e43_each_invoice_may_name_an_address_of_its_own() -> None:
    invoices = [b.invoice(f"i{n}", 9, billing_email=f"ap{n}@example.com") for n in (1, 2)]
    found = b.run(*invoices, b.contact(email=None), policy=by("email"))
    assert [a.address for a in b.touches_of(found)] == ["ap1@example.com", "ap2@example.com"]


def test_e43_an_invoice_that_lacks_both_a_link_and_a_pdf_is_held_for_what_was_met_first() -> None:
    bare = b.invoice(dpd=9, payment_link=None, has_pdf=False)
    outcome = b.of(b.run(bare, policy=by("sms", "email", needs=["pdf"])))
    assert (outcome.code, outcome.codes) == (Code.SMS_NEEDS_LINK, (Code.SMS_NEEDS_LINK, Code.PDF_MISSING))


# ---- what is known against somebody


def test_r3_an_address_of_the_customer_that_came_back_says_nothing_of_another_one() -> None:
    back = b.touch(contact_id=None, address="old@example.com", outcome=ar.TouchOutcome.BOUNCED)
    for address, sent in (("old@example.com", False), ("new@example.com", True)):
        invoice = b.invoice(dpd=9, billing_email=address)
        found = b.touches_of(b.run(invoice, b.contact(email=None), back, policy=by("email")))
        assert bool(found) is sent, address


@pytest.mark.parametrize(
    ("contact", "stale"),
    [
        ({"is_active": False}, True),
        ({"is_active": False, "email": None}, False),
        ({"email": None}, False),
    ],
)
def test_r3_only_who_has_left_and_had_an_address_makes_it_a_stale_one(
    contact: dict[str, Any], stale: bool
) -> None:
    outcome = b.of(b.run(b.invoice(dpd=9), b.contact(**contact), policy=by("email")))
    assert outcome.code is Code.NO_ADDRESS
    assert (Code.CONTACT_STALE in outcome.codes) is stale


def test_e41_who_refused_is_not_named_as_stale() -> None:
    refused = b.profile(consents=(ar.Consent(channel=EMAIL, granted=False),))
    outcome = b.of(b.run(b.invoice(dpd=9), refused, policy=by("email")))
    assert outcome.codes == (Code.NO_ADDRESS, Code.NO_CONSENT)


def test_e41_consent_on_record_without_a_time_is_older_than_any_with_one() -> None:
    dated = ar.Consent(channel=SMS, granted=True, at=datetime(2026, 1, 2, tzinfo=UTC))
    plain = ar.Consent(channel=SMS, granted=False)
    for order in ((dated, plain), (plain, dated)):
        found = b.touches_of(b.run(b.invoice(dpd=9), b.profile(consents=order), policy=by("sms")))
        assert [a.channel for a in found] == [SMS]


def test_e41_consent_without_a_time_takes_nothing_from_one_that_came_after_the_opt_out() -> None:
    """Two profiles of one account speak of the same channel; who opted in again five days ago may be written to."""
    child = b.customer("c2", parent_id=b.customer_id("c1"))
    out = b.touch(ago=20, contact_id=None, direction=IN, intent=ar.Intent.OPTED_OUT)
    again = ar.Consent(channel=EMAIL, granted=True, at=b.as_of().instant - 5 * DAY)
    undated = ar.Consent(channel=EMAIL, granted=True)
    policy = b.changed("balanced", grouping={"collect_at": "parent"})
    records = [b.customer("c1"), child, b.invoice("i1", 9), b.invoice("i2", 9, "c2"), out]
    for words, sent in (((again, undated), True), ((undated, again), True), ((undated, undated), False)):
        profiles = [b.profile(f"c{n}", consents=(word,)) for n, word in enumerate(words, 1)]
        assert bool(b.touches_of(b.run(*records, *profiles, policy=policy))) is sent, words


# ---- whose hours are expected


def two(**changes: Any) -> list[ar.Contact]:
    first = b.contact(name="a", time_zone=TOKYO)
    return [first.model_copy(update=changes), b.contact(name="b", time_zone=BERLIN)]


def test_e2_the_first_who_can_be_reached_is_likely_to_be_written_to() -> None:
    first, second = two()
    assert directory(first, second).likeliest() == first
    away = ar.OutOfOffice(until=b.TODAY + DAY, contact_id=first.id)
    assert directory(first, second, b.profile(out_of_office=(away,))).likeliest() == second
    nowhere = two(email=None, phone=None, mobile=None, postal=None)
    assert directory(*nowhere).likeliest() == second


def test_e2_who_may_not_be_written_to_is_not_likely_to_be() -> None:
    first, second = two(phone=None, mobile=None, postal=None)
    refused = b.profile(consents=(ar.Consent(channel=EMAIL, granted=False, contact_id=first.id),))
    assert directory(first, second, refused).likeliest() == second
    back = b.touch(contact_id=first.id, address=first.email, outcome=ar.TouchOutcome.BOUNCED)
    assert directory(first, second, back).likeliest() == second
    moved = back.model_copy(update={"address": "before@example.com"})
    assert directory(first, second, moved).likeliest() == first


def test_e2_where_nobody_can_be_reached_it_is_the_first_and_where_nobody_is_left_no_one() -> None:
    nowhere = {"email": None, "phone": None, "mobile": None, "postal": None}
    silent = [contact.model_copy(update=nowhere) for contact in two()]
    assert directory(*silent).likeliest() == silent[0]
    wrong = [
        b.touch(f"t{c.id[-1]}", contact_id=c.id, direction=IN, intent=ar.Intent.WRONG_CONTACT) for c in two()
    ]
    assert directory(*two(), *wrong).likeliest() is None
    found = b.run(b.invoice(dpd=9), *two(), *wrong, policy=by("email"))
    assert b.of(found).code is Code.NO_ADDRESS
