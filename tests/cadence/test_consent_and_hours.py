"""The latest word on consent counts (E41), and sending hours are those of whoever is written to (E2, R35)."""

from __future__ import annotations

from datetime import timedelta

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
