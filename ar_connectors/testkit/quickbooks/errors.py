"""What does QuickBooks say when it refuses? Faults of the service and of the gateway, in their recorded shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ar_connectors.testkit.ledger import LedgerError
from ar_connectors.testkit.quickbooks.texts import encode, envelope_time

__all__ = ["ServiceError", "fault_body", "from_ledger", "gateway_fault", "gateway_xml", "maintenance_page"]

_MESSAGES: Final = {
    "500": "Unsupported Operation",
    "600": "Duplicate Request Id",
    "610": "Object Not Found",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2030": "Invalid ID",
    "2050": "String length is either shorter or longer than supported by specification",
    "2170": "Invalid Enumeration",
    "2500": "Invalid Reference Id",
    "4000": "Error parsing query",
    "4001": "Invalid query",
    "5010": "Stale Object Error",
    "5020": "Permission Denied Error",
    "6000": "A business validation error has occurred while processing your request",
    "6140": "Duplicate Document Number Error",
    "6190": "Invalid Company Status",
    "6210": "Account Period Closed, Cannot Update Through Services API",
    "6240": "Duplicate Name Exists Error",
    "10000": "An application error has occurred while processing your request",
}


class ServiceError(Exception):
    """A refusal of the service.

    Args:
        code: QuickBooks' own number, as a string.
        detail: what stands in Detail.
        element: the field it is about.
    """

    def __init__(
        self, code: str, detail: str, *, status: int = 400, element: str = "", type_: str = "ValidationFault"
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status
        self.element = element
        self.type = type_

    def fault(self) -> dict[str, object]:
        """The fault as it stands in an envelope or a batch item."""
        error = {
            "Message": _MESSAGES.get(self.code, self.detail),
            "Detail": self.detail,
            "code": self.code,
            "element": self.element,
        }
        return {"Error": [error], "type": self.type}


def fault_body(error: ServiceError, now: datetime) -> bytes:
    """The whole answer of a refusal."""
    return encode({"Fault": error.fault(), "time": envelope_time(now)})


def gateway_fault(code: int, status: int, name: str, detail: str, kind: str, now: datetime) -> bytes:
    """A fault of the gateway: lower-case keys, `time` in milliseconds since 1970."""
    error = {
        "message": f"message={name}; errorCode={code:06}; statusCode={status}",
        "detail": detail,
        "code": str(code),
        "element": None,
    }
    return encode(
        {
            "warnings": None,
            "intuitObject": None,
            "fault": {"error": [error], "type": kind},
            "report": None,
            "queryResponse": None,
            "batchItemResponse": [],
            "attachableResponse": [],
            "syncErrorResponse": None,
            "requestId": None,
            "time": int(now.timestamp() * 1000),
            "status": None,
            "cdcresponse": [],
        }
    )


def gateway_xml(code: int, status: int, name: str, kind: str, now: datetime) -> bytes:
    """The same as XML, which the gateway now and then sends to whoever asked for JSON."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<IntuitResponse time="{envelope_time(now)}" xmlns="http://schema.intuit.com/finance/v3">'
        f'<Fault type="{kind}"><Error code="{code}"><Message>message={name}; errorCode={code:06}; statusCode={status}'
        "</Message></Error></Fault></IntuitResponse>"
    ).encode()


def maintenance_page() -> bytes:
    """HTML of a load balancer with nothing behind it."""
    return (
        b"<html><head><title>503 Service Temporarily Unavailable</title></head><body><center><h1>503 Service Temporarily "
        b"Unavailable</h1></center><hr><center>nginx</center></body></html>"
    )


def from_ledger(error: LedgerError) -> ServiceError:
    """A refusal of the books in QuickBooks' words."""
    match error.code:
        case "missing":
            return ServiceError(
                "610",
                "Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts, "
                "customers, items, vendors or employees.",
            )
        case "duplicate":
            return ServiceError("6240", "The name supplied already exists. : null")
        case _:
            return ServiceError("6000", f"Business Validation Error: {error}")
