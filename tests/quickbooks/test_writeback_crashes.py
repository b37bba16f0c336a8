"""A worker dies at any point of a delivery, again and again: no note stands there twice, and none is lost.

What a death is here: tests/writeback/fate.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from ar_connectors.adapterkit.notes import parse_note
from ar_connectors.connector import Capabilities, Connector, PendingWrite
from ar_connectors.quickbooks.writeback import COMMANDS, FACTS, QuickBooksWriter
from ar_connectors.store.contract import WriteState
from ar_connectors.writeback import deliver
from ar_core.commands import (
    AddNote,
    Command,
    OpenDispute,
    RecordPromise,
    ResolveDispute,
    SetCollectionsStatus,
    SetOrderHold,
    WithdrawPromise,
)
from ar_core.model import RecordKind
from tests.quickbooks.little_books import CONNECTION, TENANT, Company, company, rid
from tests.soak import SEEDS
from tests.writeback.fate import DeathError, Fate

DAY = date(2026, 11, 23)
ONE = rid(RecordKind.CUSTOMER, "1")


@dataclass
class Worker:
    """The adapter's write half of one worker."""

    writer: QuickBooksWriter
    platform: str = "quickbooks"
    tenant: str = TENANT
    id: str = CONNECTION
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities("quickbooks", {}, FACTS, COMMANDS)
    )

    def place(self, write: PendingWrite, view: Any) -> Any:
        return self.writer.place(write, view)

    def find(self, write: PendingWrite, view: Any) -> Any:
        return self.writer.find(write, view)


def story() -> list[Command]:
    """What a week of collecting leaves behind."""
    invoices = [rid(RecordKind.INVOICE, number) for number in ("129", "130", "131")]

    def promise(key: str, *numbers: int) -> RecordPromise:
        return RecordPromise(
            key=key, customer_id=ONE, invoice_ids=tuple(invoices[n] for n in numbers), promised_amount=Decimal("10.00"),
            currency="USD", promised_date=date(2026, 12, 1), given_on=DAY,
        )  # fmt: skip

    first, second, third = promise("p1", 0, 1), promise("p2", 0), promise("p3", 2)
    opened = OpenDispute(customer_id=ONE, invoice_id=invoices[1], reason="goods damaged", opened_on=DAY)
    return [
        first,
        AddNote(subject_id=invoices[2], text="called", given_on=DAY),
        SetCollectionsStatus(subject_id=ONE, status="promised", set_on=DAY),
        opened,
        second,
        SetOrderHold(customer_id=ONE, reason="late", set_on=DAY),
        third,
        WithdrawPromise(promise_id=third.local_record_id, customer_id=ONE, withdrawn_on=DAY),
        ResolveDispute(
            dispute_id=opened.local_record_id, customer_id=ONE, resolved_on=DAY, resolution="credited"
        ),
    ]


def run(made: Company, fate: Fate, owner: str) -> bool:
    """One worker's life; True when it lived to the end."""
    sender = fate.around(made.books, ("send",))
    store = fate.around(made.store, ("claim_writes", "mark_sending", "finish_write"))
    worker = Worker(QuickBooksWriter(sender, TENANT))
    try:
        deliver(cast(Connector, worker), store, owner=owner, clock=made.store.clock)
    except DeathError:
        return False
    return True


def tell(made: Company, commands: list[Command], fates: Iterator[int]) -> None:
    """The first promise is recorded and delivered, then the rest of the week."""
    made.store.record_commands(commands[:1])
    live_on(made, fates)
    made.store.record_commands(commands[1:])
    live_on(made, fates)


def live_on(made: Company, fates: Iterator[int]) -> None:
    """Workers come one after another until everything is delivered."""
    for number in range(500):
        lived = run(made, Fate(next(fates, 0)), f"worker-{number}")
        states = {row.state for row in made.store.rows}
        if lived and states == {WriteState.CONFIRMED}:
            return
        made.store.clock.time += timedelta(minutes=11)
    raise AssertionError(f"not delivered after 500 workers: {states}")


def check(made: Company, commands: list[Command]) -> None:
    """Each fact stands exactly where it belongs, once."""
    found: dict[tuple[str, str], int] = {}
    for number in ("129", "130", "131"):
        for text in made.books.notes_on(number):
            parsed = parse_note(text)
            assert parsed is not None
            key = (number, str(parsed[0].id))
            found[key] = found.get(key, 0) + 1
    first, note, _, dispute, second, _, third, *_ = commands
    expected = {
        ("129", str(first.record_uuid())), ("130", str(first.record_uuid())), ("129", str(second.record_uuid())),
        ("131", str(third.record_uuid())), ("131", str(note.record_uuid())), ("130", str(dispute.record_uuid())),
    }  # fmt: skip
    assert set(found) == expected
    assert set(found.values()) == {1}
    tags: dict[str, Any] = {}
    for number in ("129", "130", "131"):
        for text in made.books.notes_on(number):
            parsed = parse_note(text)
            assert parsed is not None
            tags[f"{number}:{parsed[0].id}"] = parsed[0]
    assert tags[f"129:{first.record_uuid()}"].superseded_by == second.record_uuid()
    assert tags[f"130:{first.record_uuid()}"].superseded_by == second.record_uuid()
    assert tags[f"131:{third.record_uuid()}"].withdrawn == DAY
    assert tags[f"130:{dispute.record_uuid()}"].resolved == DAY
    notes = made.books.customers["1"]["Notes"]
    assert notes.startswith("Ring the side door.\n\n")
    assert notes.count("Status: promised") == 1
    assert notes.count("Order hold advised") == 1


def checkpoints() -> int:
    made = company()
    commands = story()
    made.store.record_commands(commands[:1])
    first, second = Fate(0), Fate(0)
    assert run(made, first, "worker")
    made.store.record_commands(commands[1:])
    assert run(made, second, "worker")
    check(made, commands)
    return max(first.passed, second.passed)


def test_a_worker_may_die_at_any_single_point() -> None:
    total = checkpoints()
    assert total > 60
    for point in range(1, total + 1):
        made = company()
        commands = story()
        tell(made, commands, iter([0, point]))
        check(made, commands)


def random_lives(seed: int) -> None:
    chance = random.Random(seed)
    made = company()
    commands = story()
    tell(made, commands, iter([chance.randint(1, 40) for _ in range(chance.randint(1, 30))]))
    check(made, commands)


@pytest.mark.parametrize("seed", range(10))
def test_workers_may_die_again_and_again(seed: int) -> None:
    random_lives(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_workers_may_die_again_and_again_for_a_long_time(seed: int) -> None:
    random_lives(seed)
