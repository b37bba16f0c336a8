"""What has a person to enter by hand? Commands as rows that a bookkeeper can work through, where no ERP takes them.

Commands and a look into the records they are about come in, rows of text go out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ar_connectors.connector import StoreView
from ar_connectors.store.contract import Receipt
from ar_core.commands import Command
from ar_core.model import CreditNote, Customer, Dispute, Invoice, Promise

__all__ = ["COLUMNS", "About", "about", "worksheet"]

COLUMNS: Final = (
    "recorded_at",
    "what",
    "customer_number",
    "customer",
    "documents",
    "date",
    "amount",
    "currency",
    "text",
    "by",
    "state",
    "key",
)
_DATES: Final = (
    "promised_date",
    "withdrawn_on",
    "opened_on",
    "resolved_on",
    "given_on",
    "set_on",
    "released_on",
    "at",
)
_AMOUNTS: Final = ("promised_amount", "disputed_amount")
_TEXTS: Final = ("status", "reason", "resolution", "text", "next_action", "note")
_PEOPLE: Final = ("given_by", "opened_by", "author", "actor")


@dataclass(frozen=True, slots=True)
class About:
    """What a command is about, in words for people."""

    customer_number: str
    customer: str
    """The name; the id of a customer that is not known."""
    documents: tuple[str, ...]
    """Numbers of invoices and credit notes; the id of one without a number."""


def about(commands: Sequence[Command], view: StoreView) -> list[About]:
    """What each command is about, in their order. Reads only the records that they name."""
    subjects = [one for command in commands for one in command.subject_ids]
    known = view.records(dict.fromkeys(subjects))
    known |= view.records({invoice: None for one in known.values() for invoice in _invoices(one)})
    owners = {getattr(one, "customer_id", None): None for one in (*commands, *known.values())}
    known |= view.records(one for one in owners if one is not None)
    return [_about(command, known) for command in commands]


def worksheet(recorded: Sequence[tuple[Command, Receipt]], view: StoreView) -> Iterator[dict[str, str]]:
    """A row per command, in the given order; its keys are `COLUMNS`. What a command does not say is "". Amounts keep their digits.

    A cell that a spreadsheet would take for a formula begins with an apostrophe: a customer's name must not be able to compute.
    """
    told = about([command for command, _ in recorded], view)
    for (command, receipt), what in zip(recorded, told, strict=True):
        row = {
            "recorded_at": receipt.recorded_at.isoformat() if receipt.recorded_at else "",
            "what": command.type,
            "customer_number": what.customer_number,
            "customer": what.customer,
            "documents": " ".join(what.documents),
            "date": _first(command, _DATES),
            "amount": _first(command, _AMOUNTS),
            "currency": str(getattr(command, "currency", None) or ""),
            "text": "; ".join(str(value) for name in _TEXTS if (value := getattr(command, name, None))),
            "by": _first(command, _PEOPLE),
            "state": receipt.state.value,
            "key": receipt.key,
        }
        yield {name: _harmless(text) for name, text in row.items()}


def _invoices(record: object) -> tuple[str, ...]:
    """The invoices that a promise or dispute is about."""
    match record:
        case Promise():
            return record.invoice_ids
        case Dispute():
            return (record.invoice_id,)
        case _:
            return ()


def _about(command: Command, known: Mapping[str, Any]) -> About:
    named = [*command.subject_ids]
    named += [one for subject in command.subject_ids for one in _invoices(known.get(subject))]
    documents = {one: known[one] for one in named if isinstance(known.get(one), Invoice | CreditNote)}
    owner = getattr(command, "customer_id", None) or next(
        (one.customer_id for one in documents.values() if one.customer_id), None
    )
    customer = known.get(owner or "") or next(
        (known[one] for one in named if isinstance(known.get(one), Customer)), None
    )
    return About(
        (customer.number if customer else None) or "",
        customer.name if customer else owner or "",
        tuple(one.number or identity for identity, one in documents.items()),
    )


def _first(command: Any, names: Iterable[str]) -> str:
    return next((str(value) for name in names if (value := getattr(command, name, None)) is not None), "")


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
