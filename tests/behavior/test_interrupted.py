"""Business goes on while a first load lies half done: what was read before and what is read after must fit together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ar_connectors.testkit.ledger import Ledger
from tests.behavior.faces import FACES, Face, opened
from tests.behavior.stories import (
    DAY,
    D,
    Story,
    a_credit_is_voided,
    a_credit_settles_an_invoice,
    a_payment_is_deleted,
    a_payment_is_voided,
    a_payment_moves_to_another_invoice,
    an_invoice_is_deleted,
    an_invoice_is_paid,
    an_invoice_is_voided,
    an_old_invoice_is_paid_in_part,
)
from tests.faces import each


def a_credit_loses_its_use(ledger: Ledger) -> None:
    """The payment of zero that had tied it to an invoice is deleted."""
    ledger.delete_payment(next(one for one in ledger.payments.values() if not one.total and one.applications))


def a_journal_entry_vanishes(ledger: Ledger) -> None:
    """One that stood in the books before."""
    ledger.delete_journal(next(iter(ledger.journals.values())))


HAPPENINGS: tuple[Story, ...] = (
    an_invoice_is_deleted,
    an_invoice_is_voided,
    an_invoice_is_paid,
    an_old_invoice_is_paid_in_part,
    a_payment_is_deleted,
    a_payment_is_voided,
    a_payment_moves_to_another_invoice,
    a_credit_is_voided,
    a_credit_loses_its_use,
    a_journal_entry_vanishes,
)


@pytest.fixture(params=sorted(FACES))
def face(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A platform on which a payment gives what it settles no new version: nobody documents that it does."""
    with opened(request.param, tmp_path, monkeypatch, touch_links=False) as made:
        customer = made.ledger.open_customer("Corrected long ago")
        made.ledger.post_journal(customer.id, D("5.00"), posted=DAY)
        a_credit_settles_an_invoice(made.ledger)
        yield made


@pytest.mark.parametrize(("face", "unread"), each(lambda one: one.reads), indirect=["face"])
@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda story: story.__name__)
def test_what_happens_in_the_middle_of_a_first_load_is_not_lost(
    face: Face, happening: Story, unread: str
) -> None:
    face.emulator.faults.add("permission_denied", on=face.platform.reads[unread], times=None)
    report = face.sync(raise_errors=False)
    assert report.failures
    face.emulator.faults.clear()
    face.change(happening)
    assert face.sync().complete
    assert face.differences() == []


def an_early_payment_is_voided(ledger: Ledger) -> None:
    """The first one in the books, which every reading meets first."""
    ledger.void_payment(next(one for one in ledger.payments.values() if one.total))


def test_what_changes_in_the_very_second_in_which_a_load_began_pushes_no_row_out_of_sight(
    face: Face,
) -> None:
    """Its time would still lie in a window that ends in that second, and all rows behind it would move up by one place."""
    face.small_pages()
    began = face.clock.now()
    face.emulator.faults.add("permission_denied", on=face.platform.pages, after=2, times=None)
    assert face.sync(raise_errors=False, workers=1).failures
    face.emulator.faults.clear()
    face.clock.set(began)
    with face.emulator.service.lock:
        an_early_payment_is_voided(face.ledger)
    face.clock.sleep(3600)
    assert face.sync().complete
    assert face.differences() == []


@pytest.mark.parametrize("face", [name for name, one in sorted(FACES.items()) if one.recount], indirect=True)
def test_a_pass_that_missed_a_row_is_made_again_also_by_the_next_run(face: Face) -> None:
    """The second run reads to the end, sees that a row is missing, and fails before it can read again."""
    face.small_pages()
    face.emulator.faults.add("permission_denied", on=face.platform.pages, after=2, times=None)
    assert face.sync(raise_errors=False, workers=1).failures
    face.emulator.faults.clear()
    face.change(an_early_payment_is_voided)
    face.emulator.faults.add("permission_denied", on=str(face.platform.recount), times=None)
    assert face.sync(raise_errors=False, workers=1).failures
    face.emulator.faults.clear()
    assert face.sync().complete
    assert face.differences() == []
