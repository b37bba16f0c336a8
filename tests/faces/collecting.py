"""What a week of collecting leaves behind: every command once, with promises that replace each other. The same on every ERP."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from ar_connectors.testkit.ledger import Ledger, Line
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
from ar_core.model import Invoice, Snapshot

__all__ = ["DAY", "PROMISED", "a_debtor", "a_promise", "a_week", "debtor", "many_debtors"]

DAY = date(2026, 11, 23)
PROMISED = date(2026, 12, 1)


def a_debtor(ledger: Ledger) -> None:
    """A customer with three open invoices."""
    customer = ledger.open_customer("Will pay soon")
    for number in range(3):
        line, issued = Line(Decimal("100.00"), "work"), DAY - timedelta(days=40 - number)
        due = DAY - timedelta(days=10)
        ledger.issue_invoice(customer.id, [line], issued=issued, number=f"W-{number}", due=due)


def many_debtors(ledger: Ledger, count: int) -> None:
    """Customers with an open invoice each, numbered `M-0`, `M-1`, ..."""
    for number in range(count):
        customer = ledger.open_customer(f"Debtor {number}")
        line, issued = Line(Decimal("100.00"), "work"), DAY - timedelta(days=40)
        due = DAY - timedelta(days=10)
        ledger.issue_invoice(customer.id, [line], issued=issued, number=f"M-{number}", due=due)


def a_promise(invoice: Invoice, day: date = PROMISED, key: str = "") -> RecordPromise:
    """A promise to pay a part of one invoice."""
    return RecordPromise(
        key=key,
        customer_id=str(invoice.customer_id),
        invoice_ids=(invoice.id,),
        promised_amount=Decimal("10.00"),
        currency=invoice.currency,
        promised_date=day,
        given_on=DAY,
    )


def debtor(snapshot: Snapshot, invoices: int = 3) -> list[Invoice]:
    """Open invoices of one customer, as many as asked for: of the first customer who has them."""
    by_customer: defaultdict[str, list[Invoice]] = defaultdict(list)
    for one in snapshot.invoices:
        if one.balance_due and one.customer_id is not None:
            by_customer[one.customer_id].append(one)
            if len(by_customer[one.customer_id]) == invoices:
                return by_customer[one.customer_id]
    raise LookupError(f"no customer has {invoices} open invoices: ask for a larger company")


def a_week(invoices: list[Invoice]) -> list[Command]:
    """Commands on three open invoices of one customer, in their order; the first promise is superseded by the second, the
    third is withdrawn, the dispute is resolved."""
    customer = str(invoices[0].customer_id)

    def promise(key: str, *numbers: int) -> RecordPromise:
        return RecordPromise(
            key=key,
            customer_id=customer,
            invoice_ids=tuple(invoices[number].id for number in numbers),
            promised_amount=Decimal("10.00"),
            currency=invoices[0].currency,
            promised_date=date(2026, 12, 1),
            given_on=DAY,
        )

    first, second, third = promise("p1", 0, 1), promise("p2", 0), promise("p3", 2)
    opened = OpenDispute(
        customer_id=customer, invoice_id=invoices[1].id, reason="goods damaged", opened_on=DAY
    )
    return [
        first,
        AddNote(subject_id=invoices[2].id, text="called", given_on=DAY),
        SetCollectionsStatus(subject_id=customer, status="promised", set_on=DAY),
        opened,
        second,
        SetOrderHold(customer_id=customer, reason="late", set_on=DAY),
        third,
        WithdrawPromise(promise_id=third.local_record_id, customer_id=customer, withdrawn_on=DAY),
        ResolveDispute(
            dispute_id=opened.local_record_id,
            customer_id=customer,
            resolved_on=DAY,
            resolution="credited",
        ),
    ]
