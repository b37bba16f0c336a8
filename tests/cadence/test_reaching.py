"""Who is contacted and how: the order of contacts and channels, what is known against each, and what is waited for (E37, E41, E43)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b

DAY = timedelta(days=1)
EMAIL, SMS, VOICE, WHATSAPP, LETTER = (
    ar.Channel.EMAIL,
    ar.Channel.SMS,
    ar.Channel.VOICE,
    ar.Channel.WHATSAPP,
    ar.Channel.LETTER,
)


def by(*channels: ar.Channel, **changes: Any) -> ar.Policy:
    """The default policy with these channels, and other settings, for the demand of day 8."""
    step = {"id": "demand", "channels": [c.value for c in channels], **changes}
    return b.changed("balanced", steps=[step])


def demanded(*records: Any, policy: ar.Policy | None = None, dpd: int = 9, **options: Any) -> ar.Action:
    return b.only_touch(b.run(b.invoice(dpd=dpd), *records, policy=policy or by(EMAIL), **options))


def held(*records: Any, policy: ar.Policy | None = None, **options: Any) -> ar.Disposition:
    evaluation = b.run(b.invoice(dpd=9), *records, policy=policy or by(EMAIL), **options)
    assert not b.touches_of(evaluation)
    return b.of(evaluation)


def contact_id(name: str) -> str:
    return ar.record_id("quickbooks", "1", ar.RecordKind.CONTACT, name)


# ---- which contact


ROLES = [
    ar.ContactRole.BILLING,
    ar.ContactRole.ACCOUNTS_PAYABLE,
    ar.ContactRole.UNKNOWN,
    ar.ContactRole.OTHER,
    ar.ContactRole.DEPARTMENT_HEAD,
    ar.ContactRole.EXECUTIVE,
]


@pytest.mark.parametrize("place", range(len(ROLES) - 1))
def test_c5_billing_comes_first_then_payables_then_anyone_the_executive_last(place: int) -> None:
    first, second = b.contact(name="z", role=ROLES[place]), b.contact(name="a", role=ROLES[place + 1])
    assert demanded(second, first).contact_id == first.id


def test_of_two_contacts_of_a_role_the_first_by_id_is_asked() -> None:
    assert demanded(b.contact(name="b"), b.contact(name="a")).contact_id == contact_id("a")


@pytest.mark.parametrize(("active", "used"), [(None, True), (True, True), (False, False)])
def test_r3_a_contact_that_is_no_longer_there_is_not_used(active: bool | None, used: bool) -> None:
    other = b.contact(name="other", role=ar.ContactRole.EXECUTIVE)
    first = b.contact(is_active=active)
    assert (demanded(first, other).contact_id == first.id) is used


def test_c5_a_step_for_one_audience_asks_nobody_else() -> None:
    policy = by(EMAIL, audience="executive")
    boss = b.contact(name="boss", role=ar.ContactRole.EXECUTIVE)
    assert demanded(b.contact(), boss, policy=policy).contact_id == boss.id
    outcome = held(b.contact(), policy=policy)
    assert outcome.code is Code.NO_ADDRESS
    named = b.invoice(dpd=9, billing_email="ap@example.com")
    assert not b.touches_of(b.run(named, b.contact(), policy=policy)), (
        "the address on the invoice is nobody's"
    )


def test_the_next_contact_is_asked_where_the_first_has_no_such_address() -> None:
    first, second = b.contact(name="a", email=None), b.contact(name="b")
    found = demanded(first, second)
    assert (found.contact_id, found.address) == (second.id, "b@example.com")


# ---- addresses on the documents


def test_e43_without_any_contacts_address_the_one_on_the_invoice_is_used() -> None:
    invoice = b.invoice(dpd=9, billing_email="ap@example.com")
    action = b.only_touch(b.run(invoice, b.contact(email=None), policy=by(EMAIL)))
    assert (action.contact_id, action.address) == (None, "ap@example.com")


def test_e43_the_address_of_a_contact_that_may_not_be_used_is_not_found_again_on_the_invoice() -> None:
    bounced = b.profile(bounced=(ar.BouncedChannel(channel=EMAIL, contact_id=contact_id("c1")),))
    invoice = b.invoice(dpd=9, billing_email="c1@example.com")
    outcome = b.of(b.run(invoice, bounced, policy=by(EMAIL)))
    assert (outcome.code, outcome.codes) == (Code.NO_ADDRESS, (Code.NO_ADDRESS, Code.CONTACT_STALE))
    other = b.invoice(dpd=9, billing_email="other@example.com")
    assert b.only_touch(b.run(other, bounced, policy=by(EMAIL))).address == "other@example.com"


def test_e41_a_refusal_of_the_customer_holds_for_the_address_on_the_invoice_too() -> None:
    refused = b.profile(consents=(ar.Consent(channel=EMAIL, granted=False),))
    invoice = b.invoice(dpd=9, billing_email="ap@example.com")
    evaluation = b.run(invoice, b.contact(email=None), refused, policy=by(EMAIL))
    assert b.of(evaluation).codes == (Code.NO_ADDRESS, Code.NO_CONSENT)


@pytest.mark.parametrize(
    ("lines", "city", "expected"),
    [
        (("1 Main Street", "Floor 2"), "Springfield", "1 Main Street, Floor 2"),
        ((), "Springfield", "Springfield"),
    ],
)
def test_e43_a_letter_may_go_to_the_billing_address_of_the_customer(
    lines: tuple[str, ...], city: str, expected: str
) -> None:
    customer = b.customer(billing_address=ar.Address(lines=lines, city=city))
    action = demanded(customer, b.contact(postal=None), policy=by(LETTER))
    assert (action.channel, action.contact_id, action.address) == (LETTER, None, expected)
    nowhere = b.customer(billing_address=ar.Address())
    assert held(nowhere, b.contact(postal=None), policy=by(LETTER)).code is Code.NO_ADDRESS
    assert held(b.contact(postal=None), policy=by(LETTER)).code is Code.NO_ADDRESS


# ---- what is known against an address


@pytest.mark.parametrize("who", [None, "c1"])
def test_r3_a_bounce_on_record_holds_for_its_channel_and_its_contact_or_for_all(who: str | None) -> None:
    bounced = b.profile(
        bounced=(ar.BouncedChannel(channel=EMAIL, contact_id=None if who is None else contact_id(who)),)
    )
    other = b.contact(name="other", role=ar.ContactRole.EXECUTIVE)
    found = b.run(b.invoice(dpd=9), b.contact(), other, bounced, policy=by(EMAIL, LETTER))
    action = b.only_touch(found)
    assert action.channel is (LETTER if who is None else EMAIL)
    assert action.contact_id == (contact_id("c1") if who is None else other.id)
    assert Code.CONTACT_STALE in action.reasons
    assert (Code.CHANNEL_FALLBACK in action.reasons) is (who is None)
    signal = next(s for s in found.signals if s.code is Code.CONTACT_STALE)
    assert (signal.record_id, signal.detail, signal.on) == (
        None if who is None else contact_id(who),
        "email",
        None,
    )


def consent(channel: ar.Channel, granted: bool, who: str | None = None, day: int | None = None) -> ar.Consent:
    return ar.Consent(
        channel=channel,
        granted=granted,
        contact_id=None if who is None else contact_id(who),
        at=None if day is None else datetime(2026, 1, day, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("consents", "reached"),
    [
        ((), False),
        ((consent(SMS, True),), True),
        ((consent(SMS, True, "c1"),), True),
        ((consent(SMS, True, "other"),), False),
        ((consent(WHATSAPP, True),), False),
        ((consent(SMS, False), consent(SMS, True, "c1")), False),
        ((consent(SMS, True), consent(SMS, False, "c1")), False),
        ((consent(SMS, False, day=1), consent(SMS, True, day=2)), True),
        ((consent(SMS, True, day=2), consent(SMS, False, day=1)), True),
        ((consent(SMS, True, day=1), consent(SMS, False, day=2)), False),
        ((consent(SMS, False), consent(SMS, True, day=1)), True),
        ((consent(SMS, True, day=1), consent(SMS, False)), True),
    ],
)
def test_e41_a_text_message_needs_an_opt_in_that_was_not_taken_back(
    consents: tuple[ar.Consent, ...], reached: bool
) -> None:
    policy = by(SMS, needs=["pay_link", "opt_in"], alternatives=[{"channels": ["email"]}])
    action = demanded(b.profile(consents=consents), policy=policy)
    assert action.channel is (SMS if reached else EMAIL)
    assert (Code.NO_CONSENT in action.reasons) is not reached


def test_e41_an_opt_out_by_message_takes_back_what_was_granted() -> None:
    granted = b.profile(consents=(consent(SMS, True, "c1", 1),))
    stop = b.touch(ago=5, direction=ar.Direction.INBOUND, intent=ar.Intent.OPTED_OUT, channel=SMS)
    policy = by(SMS, EMAIL, needs=["pay_link"])
    assert demanded(granted, policy=policy).channel is SMS
    assert demanded(granted, stop, policy=policy).channel is EMAIL
    other = stop.model_copy(update={"contact_id": contact_id("other")})
    assert demanded(granted, other, policy=policy).channel is SMS


def test_e38_the_wrong_contact_is_out_on_every_channel() -> None:
    wrong = b.touch(ago=5, direction=ar.Direction.INBOUND, intent=ar.Intent.WRONG_CONTACT)
    assert held(wrong, policy=by(EMAIL, VOICE, LETTER)).code is Code.NO_ADDRESS
    nobody = wrong.model_copy(update={"contact_id": None})
    assert demanded(nobody).contact_id == contact_id("c1")


# ---- who is away


def away(until: int, who: str | None = "c1") -> ar.OutOfOffice:
    return ar.OutOfOffice(until=b.TODAY + until * DAY, contact_id=None if who is None else contact_id(who))


@pytest.mark.parametrize(("until", "waits"), [(-1, False), (0, True)])
def test_e37_the_last_day_of_an_absence_is_one_of_it(until: int, waits: bool) -> None:
    evaluation = b.run(b.invoice(dpd=9), b.profile(out_of_office=(away(until),)), policy=by(EMAIL))
    assert (b.of(evaluation).code is Code.OUT_OF_OFFICE) is waits
    if waits:
        assert b.of(evaluation).until == b.TODAY + DAY


def test_e37_of_two_absences_on_record_the_longer_one_counts() -> None:
    for order in ((away(1), away(6)), (away(6), away(1))):
        outcome = held(b.profile(out_of_office=order))
        # Away to the next Tuesday.
        assert (outcome.code, outcome.until) == (Code.OUT_OF_OFFICE, b.TODAY + 7 * DAY)


def test_e37_of_two_who_are_away_the_one_who_is_back_first_is_waited_for() -> None:
    other = b.contact(name="other")
    both = b.profile(out_of_office=(away(8), away(6, "other")))
    assert held(b.contact(), other, both).until == b.TODAY + 7 * DAY


def test_e37_an_absence_of_nobody_by_name_is_that_of_the_only_contact() -> None:
    absent = b.profile(out_of_office=(away(2, None),))
    assert held(absent).code is Code.OUT_OF_OFFICE
    assert demanded(b.contact(), b.contact(name="other"), absent).contact_id == contact_id("c1")


def test_e37_the_return_waits_for_a_business_day_of_the_country() -> None:
    # Away to Friday; Monday is a holiday in Japan alone.
    calendar = ar.HolidayCalendar({"JP": {b.TODAY + 5 * DAY}})
    absent = b.profile(out_of_office=(away(2),))
    for country, days in (("JP", 6), ("US", 5)):
        outcome = held(b.customer(country=country), absent, calendar=calendar)
        assert outcome.until == b.TODAY + days * DAY, country


@pytest.mark.parametrize(("days", "until"), [(2, 1), (20, 13)])
def test_e37_an_absence_note_is_believed_for_so_many_days_from_the_day_it_came(days: int, until: int) -> None:
    note = b.touch(
        ago=1,
        direction=ar.Direction.INBOUND,
        intent=ar.Intent.OUT_OF_OFFICE,
        until=b.TODAY + (days - 1) * DAY,
    )
    outcome = held(note)
    assert outcome.code is Code.OUT_OF_OFFICE
    last = b.TODAY + (until - 1) * DAY
    assert outcome.until == (last + DAY if until > 1 else b.TODAY + 2 * DAY)


def test_e37_the_day_an_absence_note_came_is_the_organizations() -> None:
    # Half past two in UTC is the evening before in New York: fourteen days from there end a day earlier.
    said = datetime(2026, 11, 25, 2, 30, tzinfo=UTC) - 13 * DAY
    note = b.touch(
        at=said, direction=ar.Direction.INBOUND, intent=ar.Intent.OUT_OF_OFFICE, until=b.TODAY + 30 * DAY
    )
    assert demanded(note).channel is EMAIL
    day_later = note.model_copy(update={"at": said + DAY})
    assert held(day_later).until == b.TODAY + DAY


# ---- which channel


def test_r38_e43_channels_are_taken_in_their_order_and_the_rest_are_fallbacks() -> None:
    policy = by(VOICE, LETTER, EMAIL)
    first = demanded(policy=policy)
    assert (first.channel, first.fallbacks) == (VOICE, (LETTER, EMAIL))
    assert Code.CHANNEL_FALLBACK not in first.reasons
    second = demanded(b.contact(phone=None, mobile=None), policy=policy)
    assert (second.channel, second.fallbacks) == (LETTER, (EMAIL,))
    assert second.reasons == (Code.STEP_DUE, Code.NO_ADDRESS, Code.CHANNEL_FALLBACK, Code.SUPERSEDED)
    last = demanded(b.contact(phone=None, mobile=None, postal=None), policy=policy)
    assert (last.channel, last.fallbacks) == (EMAIL, ())


@pytest.mark.parametrize(("link", "channel"), [("https://pay.example", SMS), (None, EMAIL)])
def test_r34_a_text_message_needs_a_link_whatever_the_step_says(
    link: str | None, channel: ar.Channel
) -> None:
    granted = b.profile(consents=(consent(SMS, True),))
    invoice = b.invoice(dpd=9, payment_link=link)
    assert b.only_touch(b.run(invoice, granted, policy=by(SMS, EMAIL))).channel is channel


def test_r34_a_step_that_needs_a_link_waits_on_every_channel_without_one() -> None:
    outcome = b.of(b.run(b.invoice(dpd=9, payment_link=None), policy=by(EMAIL, LETTER, needs=["pay_link"])))
    assert (outcome.code, outcome.codes) == (Code.SMS_NEEDS_LINK, (Code.SMS_NEEDS_LINK,))


@pytest.mark.parametrize(("has_pdf", "sent"), [(True, True), (None, True), (False, False)])
def test_r28_a_step_that_needs_the_pdf_waits_only_where_there_is_none(
    has_pdf: bool | None, sent: bool
) -> None:
    evaluation = b.run(b.invoice(dpd=9, has_pdf=has_pdf), policy=by(EMAIL, LETTER, needs=["pdf"]))
    assert bool(b.touches_of(evaluation)) is sent
    assert sent or b.of(evaluation).code is Code.PDF_MISSING


def test_e43_what_the_message_lacks_is_the_reason_only_where_nothing_else_is_against_it() -> None:
    policy = by(SMS, EMAIL)
    evaluation = b.run(b.invoice(dpd=9, payment_link=None), b.contact(email=None), policy=policy)
    outcome = b.of(evaluation)
    assert outcome.code is Code.NO_ADDRESS
    assert outcome.codes == (Code.SMS_NEEDS_LINK, Code.NO_ADDRESS)
    assert b.tasks_of(evaluation) == ["get_contact"]


def capped(**caps: int) -> ar.Policy:
    return b.changed(
        "balanced",
        steps=[{"id": "demand", "channels": ["voice", "email"]}],
        limits={"per_channel": caps, "max_touches_per_7d": None, "min_gap_days": 0},
    )


@pytest.mark.parametrize(("days", "channel"), [((6, 2), EMAIL), ((7, 2), VOICE), ((8, 7), VOICE)])
def test_e27_a_channel_is_full_with_so_many_contacts_in_seven_days(
    days: tuple[int, int], channel: ar.Channel
) -> None:
    calls = [b.touch(f"t{n}", ago=ago, channel=VOICE) for n, ago in enumerate(days)]
    action = demanded(*calls, policy=capped(voice=2))
    assert action.channel is channel
    assert (Code.CHANNEL_CAP in action.reasons) is (channel is EMAIL)


def test_e27_a_full_channel_is_waited_for_until_its_oldest_contact_is_a_week_old() -> None:
    calls = [b.touch(f"t{n}", ago=ago, channel=VOICE) for n, ago in enumerate((6, 5, 2))]
    mails = [b.touch("m1", ago=4)]
    assert held(*calls, *mails, policy=capped(voice=2, email=1)).until == b.TODAY + 2 * DAY
    outcome = held(*calls, *mails, policy=capped(voice=3, email=1))
    assert (outcome.code, outcome.until) == (Code.CHANNEL_CAP, b.TODAY + DAY)
    never = held(policy=capped(voice=0, email=0))
    assert (never.until, never.codes) == (None, (Code.CHANNEL_CAP,))


def test_e37_e27_of_two_waits_the_shorter_one_is_told() -> None:
    calls = [b.touch("t1", ago=2, channel=VOICE)]
    absent = b.profile(out_of_office=(away(1),))
    outcome = held(*calls, absent, policy=capped(voice=1))
    assert (outcome.code, outcome.until) == (Code.OUT_OF_OFFICE, b.TODAY + 2 * DAY)
    assert outcome.codes == (Code.CHANNEL_CAP, Code.OUT_OF_OFFICE)


@pytest.mark.parametrize("reason", ["left", "wrong"])
def test_r3_who_has_left_or_is_the_wrong_person_is_named_as_the_reason_when_nobody_else_is_there(
    reason: str,
) -> None:
    records: list[Any] = [b.contact(is_active=False if reason == "left" else None)]
    if reason == "wrong":
        records.append(b.touch(ago=3, direction=ar.Direction.INBOUND, intent=ar.Intent.WRONG_CONTACT))
    found = b.of(b.run(b.invoice(dpd=9), *records, policy=by(EMAIL)))
    assert (found.code, Code.CONTACT_STALE in found.codes) == (Code.NO_ADDRESS, True)
