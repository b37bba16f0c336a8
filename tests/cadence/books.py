"""Small books for the evaluator's tests: one organization, customers that can be reached, invoices by days past due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import ar_core as ar
from ar_core.cadence.evaluation import Action, Disposition, Evaluation

TODAY = date(2026, 11, 25)
"""A Wednesday; the New York office is open at NOON."""
NOON = datetime(2026, 11, 25, 17, tzinfo=UTC)
ZONE = "America/New_York"
BASE = "USD"


def as_of(day: date = TODAY, hour: int = 12, zone: str = ZONE) -> ar.AsOf:
    """Some hour of a local day in the organization's zone."""
    from ar_core.calendar import wall_time

    return ar.AsOf(instant=wall_time(day, time(hour), zone), zone=zone)


def customer_id(name: str = "c1") -> str:
    return ar.record_id("quickbooks", "1", ar.RecordKind.CUSTOMER, name)


def invoice_id(name: str = "i1") -> str:
    return ar.record_id("quickbooks", "1", ar.RecordKind.INVOICE, name)


def customer(name: str = "c1", **changes: Any) -> ar.Customer:
    return ar.Customer(
        **{"id": customer_id(name), "name": name, "country": "US", "currency": BASE, **changes}
    )


def contact(owner: str = "c1", name: str | None = None, **changes: Any) -> ar.Contact:
    fields: dict[str, Any] = {
        "id": ar.record_id("quickbooks", "1", ar.RecordKind.CONTACT, name or owner),
        "customer_id": customer_id(owner),
        "role": ar.ContactRole.BILLING,
        "email": f"{name or owner}@example.com",
        "phone": "+1 555 0100",
        "mobile": "+1 555 0101",
        "postal": ar.Address(lines=("1 Main Street",), city="Springfield"),
    }
    return ar.Contact(**{**fields, **changes})


def profile(owner: str = "c1", **changes: Any) -> ar.CustomerProfile:
    fields: dict[str, Any] = {
        "customer_id": customer_id(owner),
        "lifetime_value": Decimal(1000),
        "account_manager": "Ann Lee",
        "team": (ar.TeamMember(role="finance_lead", person="Bo Diaz"),),
    }
    return ar.CustomerProfile(**{**fields, **changes})


def invoice(
    name: str = "i1", dpd: int = 0, owner: str = "c1", today: date = TODAY, **changes: Any
) -> ar.Invoice:
    """A posted invoice of 100 that is `dpd` days past due on `today`."""
    due = today - timedelta(days=dpd)
    fields: dict[str, Any] = {
        "id": invoice_id(name),
        "number": name.upper(),
        "customer_id": customer_id(owner),
        "currency": BASE,
        "issue_date": due - timedelta(days=30),
        "due_date": due,
        "total": Decimal("100.00"),
        "balance_due": Decimal("100.00"),
        "document_status": ar.DocumentStatus.POSTED,
        "payment_link": "https://pay.example.com/1",
        "has_pdf": True,
    }
    return ar.Invoice(**{**fields, **changes})


def touch(
    name: str = "t1",
    *,
    ago: int = 10,
    step: str | None = None,
    covers: tuple[str, ...] = (),
    owner: str = "c1",
    today: date = TODAY,
    **changes: Any,
) -> ar.Touch:
    """An e-mail sent at noon some days ago, for a step and the invoices of these names."""
    fields: dict[str, Any] = {
        "id": f"local:{name}",
        "customer_id": customer_id(owner),
        "contact_id": ar.record_id("quickbooks", "1", ar.RecordKind.CONTACT, owner),
        "channel": ar.Channel.EMAIL,
        "at": as_of(today - timedelta(days=ago)).instant,
        "step": step,
        "covers": tuple(ar.Coverage(invoice_id=invoice_id(n), step=step) for n in covers),
    }
    return ar.Touch(**{**fields, **changes})


def payment(
    name: str = "p1",
    *,
    ago: int = 5,
    amount: str = "100",
    owner: str = "c1",
    unapplied: str = "0",
    **changes: Any,
) -> ar.Payment:
    fields: dict[str, Any] = {
        "id": ar.record_id("quickbooks", "1", ar.RecordKind.PAYMENT, name),
        "customer_id": customer_id(owner),
        "payment_date": TODAY - timedelta(days=ago),
        "currency": BASE,
        "total": Decimal(amount),
        "unapplied_amount": Decimal(unapplied),
        "document_status": ar.DocumentStatus.POSTED,
    }
    return ar.Payment(**{**fields, **changes})


def allocation(source: str = "p1", target: str = "i1", *, ago: int = 5, amount: str = "100") -> ar.Allocation:
    source_id = ar.record_id("quickbooks", "1", ar.RecordKind.PAYMENT, source)
    return ar.Allocation(
        id=ar.allocation_id(source_id, invoice_id(target), 0),
        parent_id=source_id,
        source_id=source_id,
        target_id=invoice_id(target),
        amount=Decimal(amount),
        currency=BASE,
        target_amount=Decimal(amount),
        target_currency=BASE,
        applied_on=TODAY - timedelta(days=ago),
    )


def promise(
    name: str = "pr1", *, on: int = 5, given: int = 2, covers: tuple[str, ...] = ("i1",), **changes: Any
) -> ar.Promise:
    """Promised `on` days from today (negative: before), given `given` days ago."""
    fields: dict[str, Any] = {
        "id": f"local:{name}",
        "customer_id": customer_id(),
        "invoice_ids": tuple(invoice_id(n) for n in covers),
        "promised_date": TODAY + timedelta(days=on),
        "given_on": TODAY - timedelta(days=given),
        "origin": ar.Origin.OURS,
    }
    return ar.Promise(**{**fields, **changes})


def dispute(name: str = "d1", *, about: str = "i1", ago: int = 3, **changes: Any) -> ar.Dispute:
    fields: dict[str, Any] = {
        "id": f"local:{name}",
        "customer_id": customer_id(),
        "invoice_id": invoice_id(about),
        "opened_on": TODAY - timedelta(days=ago),
        "origin": ar.Origin.OURS,
    }
    return ar.Dispute(**{**fields, **changes})


def book(*records: Any, **changes: Any) -> ar.Snapshot:
    """A snapshot of these records; customers, contacts and profiles are added for invoices that have none."""
    kinds: dict[type, str] = {
        ar.Customer: "customers",
        ar.Contact: "contacts",
        ar.CustomerProfile: "profiles",
        ar.Invoice: "invoices",
        ar.CreditNote: "credit_notes",
        ar.Payment: "payments",
        ar.Adjustment: "adjustments",
        ar.Allocation: "allocations",
        ar.Promise: "promises",
        ar.Dispute: "disputes",
        ar.Touch: "touches",
        ar.Pause: "pauses",
        ar.ExchangeRate: "rates",
    }
    fields: dict[str, list[Any]] = {name: [] for name in kinds.values()}
    for record in records:
        fields[kinds[type(record)]].append(record)
    owners = {i.customer_id.rsplit(":", 1)[1] for i in fields["invoices"] if i.customer_id is not None}
    known = {c.id for c in fields["customers"]}
    fields["customers"] += [customer(o) for o in owners if customer_id(o) not in known]
    for kind, build in (("contacts", contact), ("profiles", profile)):
        held = {r.customer_id for r in fields[kind]}
        fields[kind] += [build(o) for o in owners if customer_id(o) not in held]
    organization = ar.Organization(id="quickbooks:1:organization:1", base_currency=BASE, time_zone=ZONE)
    return ar.Snapshot(organization=organization, **{**{n: tuple(r) for n, r in fields.items()}, **changes})


@lru_cache
def policy_of(name: str) -> ar.Policy:
    return ar.load_policy(name)


def changed(name: str, **changes: Any) -> ar.Policy:
    """A preset with some settings of one's own on top."""
    return ar.load_policy({"id": "changed", **changes}, preset=name)


def tier(value: str = "core", *names: str) -> ar.Tiers:
    """The same value tier for some customers (c1 to c9 when none is named)."""
    owners = names or tuple(f"c{n}" for n in range(1, 10))
    return ar.Tiers({customer_id(o): ar.TierAssignment(value, Decimal(1000)) for o in owners})


def run(
    *records: Any,
    policy: str | ar.Policy = "balanced",
    value: str = "core",
    at: ar.AsOf | None = None,
    calendar: ar.Calendar | None = ar.WEEKENDS,
    tiers: ar.Tiers | None = None,
    **options: Any,
) -> Evaluation:
    """Evaluate a small book; an account that fails is an error."""
    chosen = policy_of(policy) if isinstance(policy, str) else policy
    snapshot = records[0] if len(records) == 1 and isinstance(records[0], ar.Snapshot) else book(*records)
    options.setdefault("strict", True)
    return ar.evaluate(
        snapshot, chosen, at or as_of(), tiers=tiers or tier(value), calendar=calendar, **options
    )


def of(evaluation: Evaluation, name: str = "i1") -> Disposition:
    """The disposition of an invoice."""
    return evaluation.by_invoice[invoice_id(name)]


def touches_of(evaluation: Evaluation) -> list[Action]:
    return [a for a in evaluation.actions if a.kind is ar.ActionKind.TOUCH]


def only_touch(evaluation: Evaluation) -> Action:
    found = touches_of(evaluation)
    assert len(found) == 1, [(a.step, a.customer_id) for a in found]
    return found[0]


def tasks_of(evaluation: Evaluation) -> list[str]:
    return [a.task for a in evaluation.actions if a.kind is ar.ActionKind.INTERNAL and a.task is not None]


def logged(evaluation: Evaluation, at: datetime | None = None, **changes: Any) -> tuple[ar.Touch, ...]:
    """Every action of an evaluation as touches on record, as a store would hold them."""
    return tuple(touch_from(a.record(at or evaluation.as_of, **changes)) for a in evaluation.actions)


def touch_from(command: ar.RecordTouch) -> ar.Touch:
    fields = command.model_dump(exclude={"type", "key"})
    return ar.Touch(id=command.local_record_id, key=command.key, recorded_at=command.at, **fields)
