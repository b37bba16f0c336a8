"""Does a body have the shape of what it says it is? Before anything reads it, so that nonsense is refused and not half done."""

from __future__ import annotations

from typing import Any, Final

from ar_connectors.testkit.quickbooks.errors import ServiceError

__all__ = ["shaped"]

_LISTS: Final = frozenset(
    {"Line", "LinkedTxn", "CustomField", "AttachableRef", "TaxLine", "BatchItemRequest"}
)
_OBJECTS: Final = frozenset(
    {
        "Attachable", "BillAddr", "BillEmail", "BillEmailBcc", "BillEmailCc", "CDCQuery", "CreditMemo", "Customer",
        "CustomerMemo", "Entity", "Invoice", "JournalEntry", "MetaData", "Payment", "PrimaryEmailAddr", "PrimaryPhone",
        "ShipAddr",
    }
)  # fmt: skip
_PLAIN: Final = frozenset(
    {
        "Active", "Address", "Amount", "Deposit", "Description", "DetailType", "DisplayName", "DocNumber", "DueDate",
        "EmailStatus", "ExchangeRate", "FileName", "FreeFormNumber", "Id", "IncludeOnSend", "Note", "Notes",
        "PaymentRefNum", "PostingType", "PrintStatus", "PrivateNote", "Qty", "SyncToken", "TotalAmt", "TotalTax", "TxnDate",
        "TxnId", "TxnType", "Type", "UnitPrice", "bId", "sparse", "type", "value",
    }
)  # fmt: skip
_TEXTS: Final = frozenset({"ChangedSince", "Entities", "Query", "operation"})


def shaped(value: Any) -> dict[str, Any]:
    """The body, if lists are lists of objects, references and details are objects, and plain fields are plain; null is all of
    them, and fields nobody knows may be anything. Raises ServiceError 2010."""
    if not isinstance(value, dict):
        raise _unsupported("The body", "is no object")
    for name, inside in value.items():
        if inside is None and name not in _TEXTS:
            continue
        if name in _LISTS:
            if not isinstance(inside, list):
                raise _unsupported(name, "is no list")
            for one in inside:
                shaped(one)
        elif name in _OBJECTS or name.endswith(("Ref", "Detail")):
            shaped(inside)
        elif name in _TEXTS and not isinstance(inside, str):
            raise _unsupported(name, "is no text")
        elif name in _PLAIN and isinstance(inside, dict | list):
            raise _unsupported(name, "is no plain value")
    return value


def _unsupported(name: str, what: str) -> ServiceError:
    return ServiceError("2010", f"Property Name:{name} {what}: it is unsupported or invalid", element=name)
