"""Our records of a company in one form for all platforms: the ids of the books in place of a platform's, and what one payment became
there put together again. Two platforms that show the same books give equal forms, but for what one of them cannot express."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ar_connectors.testkit.ledger import Ledger
from ar_core.model import DocumentStatus, LineKind, RecordKind
from tests.behavior.faces import Face

__all__ = ["Form", "form_of", "unequal", "visible"]

Form = dict[str, dict[str, dict[str, Any]]]
"""Topic (`invoice`, `line`) -> what it is about, by the ids of the books -> fields."""

_OF_THE_PLATFORM = frozenset(
    {"id", "source", "custom_fields", "raw_status", "lines", "remote_id", "due_version"}
)
"""Fields that are a platform's own in every case; lines are a topic of their own."""


def form_of(face: Face) -> Form:
    """The form of all that was synced."""
    snapshot, names = face.snapshot(), _names(face)
    form: Form = defaultdict(dict)
    if snapshot.organization is not None:
        form["organization"]["1"] = _fields(snapshot.organization, names)
    for customer in snapshot.customers:
        if customer.id in names:
            told = _fields(customer, names)
            told["name"] = face.platform.shown.name(customer.name, customer.is_active is not False)
            form["customer"][names[customer.id]] = told
    ordinals: defaultdict[str, int] = defaultdict(int)
    for contact in snapshot.contacts:
        if contact.customer_id in names:
            ordinals[contact.customer_id] += 1
            at = f"{names[contact.customer_id]} {ordinals[contact.customer_id]}"
            form["contact"][at] = _fields(contact, names)
    for topic, documents in (("invoice", snapshot.invoices), ("credit note", snapshot.credit_notes)):
        _documents(form, topic, documents, names)
    _money(form, face, names)
    return form


def _names(face: Face) -> dict[str, str]:
    """Record id -> name by the books."""
    ledger, names = face.ledger, dict[str, str]()
    for kind, table in (
        (RecordKind.CUSTOMER, ledger.customers),
        (RecordKind.INVOICE, ledger.invoices),
        (RecordKind.CREDIT_NOTE, ledger.credits),
    ):
        names |= {face.identify(kind, number): f"{kind} {number}" for number in table}
    for payment in face.platform.shown.payments(ledger):
        number = face.platform.whole(payment.id)
        name = "voided payment" if payment.voided else _kind(ledger, number)
        names[face.identify(RecordKind.PAYMENT, payment.id)] = f"{name} {number}"
    return names


def _kind(ledger: Ledger, number: str) -> str:
    """What a payment is in the books. One of a journal entry is told apart: not every platform has such entries."""
    if number not in ledger.payments:
        return "deposit"
    parts = ledger.payments[number].applications
    return "payment of an entry" if any(one.kind == "journal" for one in parts) else "payment"


def _fields(record: Any, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: names.get(value, value) if isinstance(value, str) else value
        for name, value in record.model_dump(exclude=_OF_THE_PLATFORM).items()
    }


def _documents(form: Form, topic: str, documents: Iterable[Any], names: Mapping[str, str]) -> None:
    for one in documents:
        voided = "voided " if one.document_status is DocumentStatus.VOIDED else ""
        form[f"{voided}{topic}"][names[one.id]] = _fields(one, names)
        lines = [line for line in one.lines if line.kind is LineKind.ITEM and line.amount]
        for ordinal, line in enumerate(lines if not voided else ()):
            form["line"][f"{names[one.id]} {ordinal}"] = _fields(line, names)


def _money(form: Form, face: Face, names: Mapping[str, str]) -> None:
    """Payments, each once, and what settles what: sums, because a platform may have cut them into parts. A payment of nothing
    only ties a credit to an invoice; where it is no record, its allocations say the same."""
    snapshot = face.snapshot()
    for one in snapshot.payments:
        name = names[one.id]
        if not one.total and not name.startswith("voided"):
            continue
        fields = _fields(one, names)
        before = form[name.rpartition(" ")[0]].setdefault(name, fields)
        if before is not fields:
            for amount in ("total", "unapplied_amount"):
                before[amount] += fields[amount]
    settled: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for part in snapshot.allocations:
        if (
            part.source_id in names and part.target_id in names
        ):  # not a journal entry, which has an id for each of its lines
            settled[names[part.source_id], names[part.target_id]] += part.amount
    for (source, target), used in settled.items():
        form[f"settled by {source.rpartition(' ')[0]}"][f"{target} by {source}"] = {"amount": used}


def visible(form: Form, hidden: Iterable[str]) -> Form:
    """A form without topics (`deposit`) and fields (`invoice.memo`)."""
    gone = frozenset(hidden)
    return {
        topic: {
            about: {name: value for name, value in fields.items() if f"{topic}.{name}" not in gone}
            for about, fields in records.items()
        }
        for topic, records in form.items()
        if topic not in gone
    }


def unequal(one: Form, other: Form) -> dict[str, list[str]]:
    """Topic, or `topic.field` -> sentences on where two forms differ."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for topic in sorted({*one, *other}):
        left, right = one.get(topic, {}), other.get(topic, {})
        for about in sorted({*left, *right}):
            if about not in left or about not in right:
                found[topic].append(f"{about}: only {'the first' if about in left else 'the second'} has it")
                continue
            for name in sorted({*left[about], *right[about]}):
                mine, theirs = left[about].get(name), right[about].get(name)
                if mine != theirs:
                    found[f"{topic}.{name}"].append(f"{about}: {mine!r} and {theirs!r}")
    return dict(found)
