"""Keys of actions from one attempt to the next (E28, E29), steps known by a key alone, and sending hours of several people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from ar_core.cadence.run import action_key
from tests.cadence import books as b

DAY = timedelta(days=1)


def key_of(evaluation: ar.Evaluation, step: str, version: int, attempt: int) -> str:
    family = evaluation.parts()[1].family
    return action_key(family, b.customer_id(), step, b.invoice_id(), version, attempt)


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("failed", [0, 1, 2])
def test_e28_e29_an_action_is_known_by_its_step_its_due_version_and_the_attempts_before_it(
    version: int, failed: int
) -> None:
    covered = ar.Coverage(invoice_id=b.invoice_id(), step="demand", due_version=version)
    attempts = [
        b.touch(
            f"t{n}",
            ago=9 - n,
            step="demand",
            outcome=ar.TouchOutcome.FAILED,
        ).model_copy(update={"covers": (covered,)})
        for n in range(failed)
    ]
    earlier = b.touch("t9", ago=20, step="first", outcome=ar.TouchOutcome.FAILED, covers=())
    found = b.run(b.invoice(dpd=9, due_version=version), *attempts, earlier)
    assert b.only_touch(found).key == key_of(found, "demand", version, failed)


def test_e28_a_step_of_which_only_the_key_is_on_record_counts_as_done() -> None:
    first = b.run(b.invoice(dpd=9))
    sent = b.touch(ago=0, step="demand", key=b.only_touch(first).key, at=b.as_of(hour=11).instant)
    found = b.run(b.invoice(dpd=9), sent)
    assert not b.touches_of(found)
    needs = ar.why_not(found, b.invoice_id(), "demand").would_fire_if
    assert [n.fact for n in needs if n.code is Code.NEXT_STEP] == ["touch of demand"]


def test_e2_the_hours_of_everyone_who_is_written_to_are_times_to_look_again() -> None:
    policy = b.changed(
        "balanced",
        steps=[{"id": "call", "channels": ["email"], "audience": "executive"}],
        grouping={"by": "invoice"},
        limits={"max_customer_actions_per_run": 9},
    )
    boss = b.contact(name="a", role=ar.ContactRole.EXECUTIVE, time_zone="Asia/Tokyo")
    clerk = b.contact(name="b", time_zone="Europe/Berlin")
    closes_in_berlin = datetime(2026, 11, 25, 16, tzinfo=UTC)
    opens_in_tokyo = datetime(2026, 11, 26, tzinfo=UTC)
    invoices = [b.invoice("i1", 9), b.invoice("i2", 30)]
    for hour, moment in ((10, closes_in_berlin), (18, opens_in_tokyo)):
        found = b.run(*invoices, boss, clerk, policy=policy, at=b.as_of(hour=hour))
        assert {a.contact_id for a in b.touches_of(found)} == {boss.id, clerk.id}
        assert found.next_change_at == moment


def test_a_dispute_opened_today_stops_its_invoice_today() -> None:
    assert b.of(b.run(b.invoice(dpd=9), b.dispute(ago=0))).code is Code.DISPUTED
    tomorrow = b.run(b.invoice(dpd=9), b.dispute(ago=-1))
    assert b.of(tomorrow).code is Code.STEP_DUE
    assert tomorrow.next_change_at is not None
    assert tomorrow.next_change_at <= b.as_of(b.TODAY + DAY, 0).instant


def test_e28_a_repeated_step_goes_on_from_keys_that_are_on_record_without_an_invoice() -> None:
    """A host that records a touch by its key alone: a week later the step is due again, under a key that was never used."""
    policy = b.changed("balanced", steps=[{"id": "demand", "repeat_every": 7}])
    invoice = b.invoice("i1", 20)
    first = b.only_touch(b.run(invoice, policy=policy))

    def alone(ago: int, key: str) -> ar.Touch:
        return b.touch(f"t{ago}", ago=ago, key=key, step=None)

    for ago in (0, 1, 6):
        assert not b.touches_of(b.run(invoice, alone(ago, first.key), policy=policy))
    again = b.only_touch(b.run(invoice, alone(7, first.key), policy=policy))
    assert (again.step, again.key != first.key) == ("demand", True)
    once_more = b.only_touch(b.run(invoice, alone(14, first.key), alone(7, again.key), policy=policy))
    assert len({first.key, again.key, once_more.key}) == 3
    assert not b.touches_of(b.run(invoice, alone(7, first.key), alone(0, again.key), policy=policy))


def test_e28_a_repeated_step_counts_a_key_without_and_one_with_its_invoice() -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", "repeat_every": 7}])
    invoice = b.invoice("i1", 20)
    first = b.only_touch(b.run(invoice, policy=policy))
    alone = b.touch(ago=14, key=first.key, step=None)
    again = b.only_touch(b.run(invoice, alone, policy=policy))
    whole = b.touch("t2", ago=7, key=again.key, step="demand", covers=("i1",))
    third = b.only_touch(b.run(invoice, alone, whole, policy=policy))
    assert len({first.key, again.key, third.key}) == 3
    today = b.touch("t3", ago=0, key=third.key, step="demand", covers=("i1",))
    assert not b.touches_of(b.run(invoice, alone, whole, today, policy=policy))


def test_e28_a_key_on_record_after_a_touch_that_names_the_invoice_is_the_one_that_is_waited_for() -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", "repeat_every": 7}])
    invoice = b.invoice("i1", 20)
    whole = b.touch("t1", ago=9, step="demand", covers=("i1",))
    again = b.only_touch(b.run(invoice, whole, policy=policy))
    alone = b.touch("t2", ago=2, key=again.key, step=None)
    assert b.of(b.run(invoice, whole, alone, policy=policy)).code is Code.NEXT_STEP


@pytest.mark.parametrize("version", [0, 2])
def test_e28_a_repeated_step_counts_its_keys_on_record_one_by_one(version: int) -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", "repeat_every": 7}])
    invoice = b.invoice("i1", 20, due_version=version)
    keys: list[str] = []
    for times in range(3):
        alone = [b.touch(f"t{n}", ago=7 * (times - n), key=key, step=None) for n, key in enumerate(keys)]
        found = b.run(invoice, *alone, policy=policy)
        assert b.only_touch(found).key == key_of(found, "demand", version, times)
        keys.append(b.only_touch(found).key)


def test_e28_a_repeated_step_tells_its_attempts_apart_where_every_touch_names_its_invoice() -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", "repeat_every": 7}])
    sent = b.touch(ago=7, step="demand", covers=("i1",))
    found = b.run(b.invoice("i1", 20), sent, policy=policy)
    assert b.only_touch(found).key == key_of(found, "demand", 0, 1)


@pytest.mark.parametrize(
    ("zone", "hours", "moment"),
    [
        # called on Monday the 16th at nine, again a week later; what is decided from Friday's closing on goes out on that Monday
        (b.ZONE, {}, datetime(2026, 11, 20, 22, tzinfo=UTC)),
        # Tokyo's Monday closes an hour before New York's begins, and Tuesday opens on New York's Monday evening
        ("Asia/Tokyo", {"not_after": "13:00:00"}, datetime(2026, 11, 23, 4, tzinfo=UTC)),
        # Tokyo is open when New York's Monday begins
        ("Asia/Tokyo", {}, datetime(2026, 11, 23, 5, tzinfo=UTC)),
    ],
)
def test_r53_what_comes_again_is_due_as_soon_as_messages_go_out_on_its_day(
    zone: str, hours: dict[str, str], moment: datetime
) -> None:
    """`next_change_at` is that instant: a minute before nothing changes, from then on the step is due."""
    policy = b.changed("balanced", steps=[{"id": "demand", "repeat_every": 7}], clock=hours)
    monday = b.TODAY - 2 * DAY
    invoice = b.invoice("i1", 17, today=monday)
    first = b.touch("t0", step="first", covers=("i1",), at=b.as_of(monday - 14 * DAY, 9).instant)
    sent = b.touch("t1", step="demand", covers=("i1",), at=b.as_of(monday - 7 * DAY, 9).instant)
    records = (invoice, first, sent, b.contact(time_zone=zone))
    minute = timedelta(minutes=1)
    waiting = b.run(*records, policy=policy, at=ar.AsOf(instant=moment - minute, zone=b.ZONE))
    assert (b.of(waiting).code, b.of(waiting).until) == (Code.NEXT_STEP, monday)
    assert waiting.next_change_at == moment
    assert b.of(b.run(*records, policy=policy, at=ar.AsOf(instant=moment, zone=b.ZONE))).code is Code.STEP_DUE
    early = b.run(*records, policy=policy, at=b.as_of(monday - 5 * DAY, 20))
    assert early.next_change_at is not None
    assert early.next_change_at <= moment
