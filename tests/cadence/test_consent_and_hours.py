"""The latest word on consent counts (E41), and sending hours are those of whoever is written to (E2, R35)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b


@pytest.mark.parametrize(("ago", "may"), [(21, False), (20, False), (19, True)])
def test_e41_who_opts_in_again_after_opting_out_may_be_written_to(ago: int, may: bool) -> None:
    out = b.touch(ago=20, direction=ar.Direction.INBOUND, intent=ar.Intent.OPTED_OUT)
    at = b.as_of().instant - timedelta(days=ago)
    consent = ar.Consent(channel=ar.Channel.EMAIL, granted=True, contact_id=out.contact_id, at=at)
    found = b.run(b.invoice(dpd=9), out, b.profile(consents=(consent,)))
    assert bool(b.touches_of(found)) is may
    assert (Code.NO_CONSENT in b.of(found).codes) is not may


def asking(*channels: str, **changes: Any) -> ar.Policy:
    """The demand asks for consent by its own word, while no channel needs it by itself."""
    step = {"id": "demand", "channels": list(channels), "needs": ["opt_in"], **changes}
    return b.changed("balanced", steps=[step], overrides=[], pauses={"consent_required": []})


@pytest.mark.parametrize("channel", [c for c in ar.Channel if c is not ar.Channel.INTERNAL])
@pytest.mark.parametrize("to_whom", [None, "c1"])
def test_e41_a_step_that_needs_an_opt_in_goes_out_with_one_only(
    channel: ar.Channel, to_whom: str | None
) -> None:
    policy, who = asking(channel), b.contact()
    without = b.run(b.invoice(dpd=9), who, policy=policy)
    assert b.touches_of(without) == []
    assert b.of(without).codes == (Code.NO_ADDRESS, Code.NO_CONSENT)
    granted = ar.Consent(channel=channel, granted=True, contact_id=to_whom and who.id)
    with_it = b.run(b.invoice(dpd=9), who, b.profile(consents=(granted,)), policy=policy)
    assert b.only_touch(with_it).channel is channel


@pytest.mark.parametrize("channel", [c for c in ar.Channel if c is not ar.Channel.INTERNAL])
def test_e41_consent_to_another_channel_or_one_taken_back_is_none(channel: ar.Channel) -> None:
    other = ar.Channel.LETTER if channel is ar.Channel.EMAIL else ar.Channel.EMAIL
    for consent in (ar.Consent(channel=other, granted=True), ar.Consent(channel=channel, granted=False)):
        found = b.run(b.invoice(dpd=9), b.profile(consents=(consent,)), policy=asking(channel))
        assert b.touches_of(found) == []


@pytest.mark.parametrize("opted_in", [False, True])
def test_e41_so_does_an_address_without_a_contact(opted_in: bool) -> None:
    """That on the invoice."""
    consents = (ar.Consent(channel=ar.Channel.EMAIL, granted=True),) if opted_in else ()
    lead = b.invoice(dpd=9, billing_email="ap@example.com")
    found = b.run(lead, b.contact(email=None), b.profile(consents=consents), policy=asking("email"))
    assert [a.address for a in b.touches_of(found)] == (["ap@example.com"] if opted_in else [])


def test_e41_the_first_who_opted_in_is_written_to() -> None:
    first, second = b.contact(name="a"), b.contact(name="b")
    granted = ar.Consent(channel=ar.Channel.EMAIL, granted=True, contact_id=second.id)
    found = b.run(b.invoice(dpd=9), first, second, b.profile(consents=(granted,)), policy=asking("email"))
    action = b.only_touch(found)
    assert action.contact_id == second.id
    assert Code.NO_CONSENT in action.reasons


def test_e41_another_way_of_the_step_needs_none() -> None:
    found = b.run(b.invoice(dpd=9), policy=asking("sms", alternatives=[{"channels": ["email"]}]))
    assert b.only_touch(found).channel is ar.Channel.EMAIL


def test_e41_nor_does_it_where_an_override_gives_it_more_channels() -> None:
    """Without the capability the step goes another way, which has no needs of its own."""
    step = {
        "id": "demand",
        "needs": ["opt_in"],
        "capability": "uses_agency",
        "else": {"channels": ["email"]},
    }
    more = {"when": "dpd >= 1", "add_channels": ["letter"], "origin": "test"}
    found = b.run(b.invoice(dpd=9), policy=b.changed("balanced", steps=[step], overrides=[more]))
    action = b.only_touch(found)
    assert (action.channel, action.fallbacks) == (ar.Channel.LETTER, (ar.Channel.EMAIL,))


def test_e2_the_hours_of_a_colleague_elsewhere_are_not_the_hours_of_who_is_written_to() -> None:
    boss = b.contact(name="a", role=ar.ContactRole.EXECUTIVE, time_zone="Asia/Tokyo")
    former = b.contact(name="b", time_zone="Asia/Tokyo", is_active=False)
    clerk = b.contact(name="c", time_zone="Europe/Berlin")
    action = b.only_touch(b.run(b.invoice(dpd=9), boss, former, clerk, at=b.as_of(hour=5)))
    assert action.contact_id == clerk.id
    assert action.not_before is not None
    assert (action.not_before.hour, action.not_before.date()) == (8, b.TODAY)  # nine in Berlin


def test_e2_a_contact_of_unknown_zone_takes_the_customers() -> None:
    boss = b.contact(name="a", role=ar.ContactRole.EXECUTIVE, time_zone="Asia/Tokyo")
    london = b.customer(time_zone="Europe/London")
    action = b.only_touch(b.run(london, b.invoice(dpd=9), boss, b.contact(name="c"), at=b.as_of(hour=5)))
    assert action.not_before is not None
    assert (action.not_before.hour, action.not_before.date()) == (9, b.TODAY)
