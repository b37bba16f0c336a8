"""What does Xero say when it refuses? The API's own errors, and the two gateways' before it, in their recorded shapes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ar_connectors.testkit.exchange import Reply
from ar_connectors.testkit.ledger import LedgerError
from ar_connectors.testkit.xero.texts import Row, encode

__all__ = [
    "NOT_FOUND",
    "Invalid",
    "Refused",
    "expired",
    "from_ledger",
    "gateway",
    "invalid",
    "malformed",
    "unreadable_query",
]

NOT_FOUND: Final = "The resource you're looking for cannot be found"


class Refused(Exception):
    """A whole call is refused."""

    def __init__(self, status: int, body: Any, content_type: str = "application/json; charset=utf-8") -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.content_type = content_type

    def reply(self) -> Reply:
        """As it goes out."""
        body = self.body.encode() if isinstance(self.body, str) else encode(self.body)
        return Reply(self.status, body, content_type=self.content_type)


class Invalid(Exception):
    """One element of a batch is refused, for these reasons."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def invalid(elements: Sequence[Row]) -> Refused:
    """A ValidationException: the elements, each with its own reasons."""
    return Refused(
        400,
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": list(elements),
        },
    )


def malformed(message: str) -> Refused:
    """A PostDataInvalidException: the body is no body."""
    return Refused(400, {"ErrorNumber": 17, "Type": "PostDataInvalidException", "Message": message})


def unreadable_query(message: str) -> Refused:
    """A QueryParseException: `where` or `order` cannot be read."""
    return Refused(400, {"ErrorNumber": 16, "Type": "QueryParseException", "Message": message})


def gateway(status: int, title: str, detail: str, seed: str, *, lower: bool = False) -> Reply:
    """An error from before the API: of the identity check (upper-case keys, 401) or of the tenant's (lower-case keys, 403)."""
    body: Row = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid.uuid5(uuid.NAMESPACE_URL, seed)),
        "Extensions": {},
    }
    if lower:
        body = {name.lower(): value for name, value in body.items() if name not in {"Type", "Extensions"}}
    return Reply(status, encode(body))


def expired(ended: datetime) -> str:
    """The detail of a token that died of its age."""
    return f"TokenExpired: token expired at {ended:%m/%d/%Y %H:%M:%S}"


def from_ledger(error: LedgerError) -> Invalid:
    """A refusal of the books in Xero's words."""
    match error.code:
        case "duplicate":
            name = str(error).split("'")[1] if "'" in str(error) else ""
            return Invalid(
                f"The contact name {name} is already assigned to another contact. "
                "The contact name must be unique across all active contacts."
            )
        case "linked":
            return Invalid(
                "This document cannot be edited as it has a payment or credit note allocated to it."
            )
        case "over":
            return Invalid("Payment amount exceeds the amount outstanding on this document")
        case "missing":
            return Invalid("The document with the supplied id was not found for this endpoint.")
        case "voided":
            return Invalid("Invoice not of valid status for modification")
        case _:
            return Invalid(str(error))
