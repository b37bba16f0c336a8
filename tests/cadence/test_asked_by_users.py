"""What people ran into: a run later in the day, waiting without a day, words instead of ids, parts that need no import of their own."""

from __future__ import annotations

from datetime import timedelta

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from ar_core.cadence.explain import title
from tests.cadence import books as b

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("quiet_from", "hour", "due"),
    [
        (None, 0, True),
        (None, 4, True),
        (None, 8, True),
        (None, 9, True),
        (None, 23, True),
        (21, 20, True),
        (21, 21, False),
    ],
)
def test_e24_e44_a_reminder_of_xero_parity_still_goes_out_later_on_its_day_unless_quiet_hours_forbid_it(
    quiet_from: int | None, hour: int, due: bool
) -> None:
    clock = {} if quiet_from is None else {"not_after": f"{quiet_from}:00:00"}
    policy = b.changed("xero_parity", clock=clock)
    found = b.touches_of(b.run(b.invoice(dpd=7), policy=policy, at=b.as_of(hour=hour)))
    assert [a.step for a in found] == (["reminder_7"] if due else [])
    if due:
        assert found[0].not_before == b.as_of(hour=4).instant


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ((b.invoice(dpd=9, payment_link=None),), Code.SMS_NEEDS_LINK),
        ((b.invoice(dpd=9), b.contact(email=None, mobile=None)), Code.NO_ADDRESS),
    ],
)
def test_r34_e43_what_waits_for_a_fact_names_no_day(records: tuple[object, ...], code: Code) -> None:
    """A link or an address may come any day, or never: a day would be a guess. The next look is the next day's."""
    policy = b.changed(
        "balanced", steps=[{"id": "demand", "channels": ["sms"]}], pauses={"consent_required": []}
    )
    evaluation = b.run(*records, policy=policy)
    assert (b.of(evaluation).code, b.of(evaluation).until) == (code, None)
    assert evaluation.next_change_at is not None
    assert evaluation.next_change_at <= b.as_of(b.TODAY + DAY, 0).instant


def test_what_is_to_be_done_is_said_in_words() -> None:
    policy = b.changed("balanced", notices=[{"id": "big_one", "when": True, "to": ["cfo"], "origin": "x"}])
    late = b.run(b.invoice(dpd=90), policy=policy)
    assert [title(a) for a in late.actions] == [
        "decide: plan, refer, write off or keep chasing",
        "escalate to finance lead",
        "notice: big one",
    ]
    called = b.run(b.invoice(dpd=22))
    assert [title(a) for a in called.actions] == ["call", "notice: call"]
    nobody = b.contact(phone=None, mobile=None, email=None, postal=None)
    assert [title(a) for a in b.run(b.invoice(dpd=9), nobody).actions] == ["get contact"]
    text = ar.explain(late, customer=b.customer_id())
    assert "escalate to finance lead, by human, priority" in text
    one = b.changed("balanced", steps=[{"id": "decide", "options": ["write_off"]}])
    assert title(b.run(b.invoice(dpd=80), policy=one).actions[0]) == "decide: write off"


def test_what_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'ar_core' has no attribute 'metrix'"):
        _ = ar.metrix  # type: ignore[attr-defined]
