"""E28 through the store: on any book, what was recorded under its key never fires again, whatever came of it, and what failed can
be recorded once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ar_connectors as ar
import ar_core as core
from ar_connectors.connector import Page
from ar_core.cadence import PRESETS
from tests.cadence import books as b
from tests.cadence.test_properties import TIERS, records

CONNECTION = "quickbooks:1"
IN_STORE = (core.Customer, core.Contact, core.Invoice, core.Payment)
"""What an ERP holds; the rest is recorded as commands or not at all."""
FAILED, BOUNCED, SENT = core.TouchOutcome.FAILED, core.TouchOutcome.BOUNCED, core.TouchOutcome.SENT


@contextmanager
def store_of(found: list[Any]) -> Iterator[ar.Store]:
    """A store in a file that holds the generated records, as a sync would leave it."""
    snapshot = b.book(*[r for r in found if isinstance(r, IN_STORE)])
    with TemporaryDirectory() as folder, ar.open_store(f"sqlite:///{Path(folder)}/ar.db") as store:
        store.add_connection(CONNECTION, "quickbooks", "1", {"time_zone": b.ZONE})
        lease = store.acquire_lease("test", "test", timedelta(minutes=5))
        assert lease is not None
        rows: list[Any] = [
            *snapshot.customers,
            *snapshot.contacts,
            *snapshot.invoices,
            *snapshot.payments,
        ]
        store.commit_page(CONNECTION, Page(records=rows), lease)
        yield store


def evaluated(store: ar.Store, policy: core.Policy, moment: core.AsOf) -> tuple[core.Action, ...]:
    return core.evaluate(store.snapshot(CONNECTION), policy, moment, tiers=TIERS).actions


@settings(max_examples=12)
@given(records(), st.sampled_from(PRESETS), st.lists(st.integers(0, 9), min_size=2, max_size=4), st.data())
def test_no_recorded_key_ever_comes_back(
    found: list[Any], preset: str, steps: list[int], data: st.DataObject
) -> None:
    """With every outcome, known when the action is recorded or told afterwards."""
    policy, outcomes = b.policy_of(preset), st.sampled_from(list(core.TouchOutcome))
    with store_of(found) as store:
        seen: set[str] = set()
        for days in range(0, sum(steps) + 1, max(1, sum(steps) // 3)):
            moment = b.as_of(b.TODAY + timedelta(days=days), hour=10)
            actions = evaluated(store, policy, moment)
            keys = {action.key for action in actions}
            assert not keys & seen
            commands: list[Any] = []
            for action in actions:
                outcome, afterwards = data.draw(outcomes), data.draw(st.booleans())
                commands.append(action.record(moment.instant, SENT if afterwards else outcome))
                if afterwards:
                    commands.append(outcome_of(action, outcome, moment))
            ar.record(store, commands, connection_id=CONNECTION)
            again = evaluated(store, policy, moment)
            assert not {action.key for action in again} & keys
            seen |= keys


def outcome_of(action: core.Action, outcome: core.TouchOutcome, moment: core.AsOf) -> core.RecordOutcome:
    """What became of an action, known a minute after it was recorded."""
    return core.RecordOutcome(
        touch_id=action.key,
        customer_id=action.customer_id,
        outcome=outcome,
        at=moment.instant + timedelta(minutes=1),
    )


@pytest.mark.parametrize("afterwards", [False, True], ids=["known at once", "told afterwards"])
@pytest.mark.parametrize("outcome", [FAILED, BOUNCED])
@pytest.mark.parametrize("name", ["get_contact", "notice:look", "rung:personal", "rung:order_hold"])
def test_e28_e29_what_our_own_people_are_told_once_more_is_recorded_beside_the_try_that_failed(
    name: str, outcome: core.TouchOutcome, afterwards: bool
) -> None:
    rung = "order_hold" if name == "rung:order_hold" else "personal"
    policy = b.changed(
        "balanced",
        notices=[{"id": "look", "when": "dpd >= 1", "to": ["boss"], "origin": "R21"}],
        escalate=[{"rung": rung, "when": "max_dpd >= 1", "origin": "R69"}],
        capabilities={"can_hold_orders": True},
    )
    nobody = b.contact(email=None, mobile=None, postal=None, phone=None)
    keys = []
    with store_of([b.invoice("i1", 9), nobody]) as store:
        for day in range(3):
            moment = b.as_of(b.TODAY + timedelta(days=day))
            (action,) = [a for a in evaluated(store, policy, moment) if a.task == name]
            keys.append(action.key)
            last = SENT if day == 2 else outcome
            ar.record(
                store,
                [action.record(moment.instant, SENT if afterwards else last)],
                connection_id=CONNECTION,
            )
            if afterwards and last is not SENT:
                ar.record(store, [outcome_of(action, outcome, moment)], connection_id=CONNECTION)
        assert len(set(keys)) == 3
        later = b.as_of(b.TODAY + timedelta(days=5))
        assert name not in {action.task for action in evaluated(store, policy, later)}
        touches = store.snapshot(CONNECTION).touches
        assert [(t.key, t.outcome) for t in sorted(touches, key=lambda t: t.at)] == [
            *((key, outcome) for key in keys[:2]),
            (keys[2], SENT),
        ]
