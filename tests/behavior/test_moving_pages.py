"""Business goes on between one page and the next, of a first load and of the changes after it: no row is lost, and none is there twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.http.exchange import Exchange, Wire
from ar_connectors.http.messages import Request
from ar_connectors.testkit.ledger import Application, Ledger, LedgerError, Line
from tests.behavior.faces import FACES, Face, opened
from tests.behavior.stories import DAY
from tests.soak import seeds

Chance = random.Random


def an_invoice_moves(ledger: Ledger, chance: Chance) -> None:
    """Its due date is another one: it goes to the end of a list that is ordered by time."""
    invoice = chance.choice([one for one in ledger.invoices.values() if not one.voided])
    ledger.change_document(invoice, due=DAY + timedelta(days=chance.randrange(60)))


def an_invoice_comes(ledger: Ledger, chance: Chance) -> None:
    """Somewhere in between, where a list is ordered by an id that is chance."""
    customer = chance.choice(list(ledger.customers))
    ledger.issue_invoice(
        customer,
        [Line(Decimal(chance.randrange(1, 9999)) / 100)],
        issued=DAY,
        number=f"M-{len(ledger.invoices)}",
        due=DAY,
    )


def an_invoice_goes(ledger: Ledger, chance: Chance) -> None:
    """It is voided."""
    free = [one for one in ledger.invoices.values() if not one.voided and not ledger.links["invoice", one.id]]
    ledger.void_document(chance.choice(free))


def money_comes(ledger: Ledger, chance: Chance) -> None:
    """For a part of an open invoice."""
    invoice = chance.choice([one for one in ledger.invoices.values() if one.open > 1])
    part = Application("invoice", invoice.id, Decimal("0.50"))
    ledger.receive_payment(invoice.customer, Decimal("0.50"), [part], received=DAY, rate=invoice.rate)


def money_goes(ledger: Ledger, chance: Chance) -> None:
    """A payment is deleted."""
    paid = [one for one in ledger.payments.values() if one.applications and one.total and not one.voided]
    ledger.delete_payment(chance.choice(paid))


def a_customer_moves(ledger: Ledger, chance: Chance) -> None:
    """Another name."""
    customer = chance.choice(list(ledger.customers))
    ledger.change_customer(customer, name=f"Renamed {chance.random()}")


EVENTS = (an_invoice_moves, an_invoice_comes, an_invoice_goes, money_comes, money_goes, a_customer_moves)


class Traffic:
    """Between two answers of the platform something happens in the company, now and then."""

    def __init__(self, face: Face, chance: Chance) -> None:
        self.face, self.chance, self.happened, self.on = face, chance, 0, False
        real = Wire.exchange

        def exchange(wire: Wire, request: Request, credentials: Any) -> Exchange:
            found = real(wire, request, credentials)
            with face.emulator.service.lock:
                while self.on and chance.random() < 0.4:
                    self.happen()
            return found

        face.monkeypatch.setattr(Wire, "exchange", exchange)

    def happen(self) -> None:
        """One event, a second or so after the one before."""
        if self.chance.random() < 0.7:
            self.face.clock.sleep(self.chance.choice((1, 1, 2, 30)))
        with suppress(LedgerError, IndexError):
            self.chance.choice(EVENTS)(self.face.ledger, self.chance)
            self.happened += 1


def survive(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> int:
    """A first load and two runs of changes in a busy company; returns how much happened while pages were read."""
    chance = random.Random(seed)
    with opened(name, folder, monkeypatch, invoices=chance.randrange(20, 45), seed=seed) as face:
        face.small_pages(chance.randrange(3, 9))
        traffic = Traffic(face, chance)
        for _ in range(3):
            with face.emulator.service.lock:
                for _ in range(chance.randrange(12)):
                    traffic.happen()
            traffic.on = True
            # A platform may find that it was outrun, and say so; the next run goes on.
            face.sync(workers=1, full=chance.random() < 0.1, raise_errors=False)
            traffic.on = False
        face.clock.sleep(25 * 3600)  # a day later also what a platform changes without a word has been read
        assert face.sync().complete
        wrong = face.differences()
        assert wrong == [], f"seed {seed}: {wrong[:5]}"
        return traffic.happened


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", sorted(FACES))
def test_a_row_that_moves_while_pages_are_read_is_neither_lost_nor_doubled(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    assert survive(name, tmp_path, monkeypatch, seed) > 3


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(1000))
@pytest.mark.parametrize("name", sorted(FACES))
def test_soak_of_moving_pages(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    record_property: Callable[..., None],
) -> None:
    record_property("happened", survive(name, tmp_path, monkeypatch, seed))
