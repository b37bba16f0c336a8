"""What has a person to enter by hand? Commands as rows that a bookkeeper can work through, where no ERP takes them.

Pure: commands and the records they are about come in, rows of text go out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ar_connectors.store.contract import Receipt
from ar_core.commands import Command
from ar_core.model import Snapshot

__all__ = ["COLUMNS", "worksheet"]

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


def worksheet(recorded: Iterable[tuple[Command, Receipt]], snapshot: Snapshot) -> Iterator[dict[str, str]]:
    """A row per command, in the given order; its keys are `COLUMNS`. What a command does not say is "". Amounts keep their digits.

    A cell that a spreadsheet would take for a formula begins with an apostrophe: a customer's name must not be able to compute.
    """
    customers = {one.id: one for one in snapshot.customers}
    documents = {one.id: one for one in (*snapshot.invoices, *snapshot.credit_notes)}
    disputes = {one.id: one.invoice_id for one in snapshot.disputes}
    promises = {one.id: one.invoice_ids for one in snapshot.promises}
    for command, receipt in recorded:
        about = [*command.subject_ids]
        about += [one for subject in command.subject_ids for one in promises.get(subject, ())]
        about += [disputes[subject] for subject in command.subject_ids if subject in disputes]
        named = list(dict.fromkeys(one for one in about if one in documents))
        owner = getattr(command, "customer_id", None) or next(
            (owner_id for one in named if (owner_id := documents[one].customer_id)), None
        )
        customer = customers.get(owner or "") or next(
            (customers[one] for one in about if one in customers), None
        )
        row = {
            "recorded_at": receipt.recorded_at.isoformat() if receipt.recorded_at else "",
            "what": command.type,
            "customer_number": (customer.number if customer else None) or "",
            "customer": customer.name if customer else owner or "",
            "documents": " ".join(documents[one].number or one for one in named),
            "date": _first(command, _DATES),
            "amount": _first(command, _AMOUNTS),
            "currency": str(getattr(command, "currency", None) or ""),
            "text": "; ".join(str(value) for name in _TEXTS if (value := getattr(command, name, None))),
            "by": _first(command, _PEOPLE),
            "state": receipt.state.value,
            "key": receipt.key,
        }
        yield {name: _harmless(text) for name, text in row.items()}


def _first(command: Any, names: Iterable[str]) -> str:
    return next((str(value) for name in names if (value := getattr(command, name, None)) is not None), "")


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
