"""The commands that the tests of write-back place, and the note that one left."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from ar_connectors.adapterkit.notes import parse_note
from ar_core.commands import (
    OpenDispute,
    RecordPromise,
    ReleaseOrderHold,
    SetCollectionsStatus,
    SetOrderHold,
)
from ar_core.model import Channel, RecordKind
from tests.quickbooks.little_books import rid

__all__ = ["DAY", "ONE", "TWO", "dispute", "hold", "invoice", "promise", "release", "status", "tag_in"]

DAY = date(2026, 11, 23)
ONE = rid(RecordKind.CUSTOMER, "1")
TWO = rid(RecordKind.CUSTOMER, "2")


def invoice(number: str) -> str:
    return rid(RecordKind.INVOICE, number)


def promise(
    *numbers: str, key: str = "", when: date = date(2026, 12, 1), note: str | None = None
) -> RecordPromise:
    return RecordPromise(
        key=key, customer_id=ONE, invoice_ids=tuple(invoice(one) for one in numbers or ("129",)),
        promised_amount=Decimal("500.00"), currency="USD", promised_date=when, given_on=DAY, given_by="Ann Lee",
        channel=Channel.VOICE, note=note,
    )  # fmt: skip


def dispute() -> OpenDispute:
    return OpenDispute(
        customer_id=ONE, invoice_id=invoice("129"), reason="goods damaged", opened_on=DAY, opened_by="Ann"
    )


def status(subject: str = ONE, text: str = "second reminder sent", key: str = "") -> SetCollectionsStatus:
    return SetCollectionsStatus(
        key=key,
        subject_id=subject,
        status=text,
        set_on=DAY,
        next_action="call",
        next_action_on=date(2026, 11, 30),
    )


def hold(reason: str = "over the limit", key: str = "") -> SetOrderHold:
    return SetOrderHold(key=key, customer_id=ONE, reason=reason, set_on=DAY)


def release(key: str = "") -> ReleaseOrderHold:
    return ReleaseOrderHold(key=key, customer_id=ONE, released_on=date(2026, 11, 25))


def tag_in(note: str) -> Any:
    found = parse_note(note)
    assert found is not None, note
    return found[0]
