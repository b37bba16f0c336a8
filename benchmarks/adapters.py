"""How does each of our adapters talk to the benchmark server? It has three tables of each ERP, and little else.

What an adapter asks for besides is answered here as an empty company would answer, but not for free: the round trip to the server is
made all the same, so that calls and their latency count as they would.
"""

from __future__ import annotations

import json
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.request import urlopen

from ar_connectors.clock import SystemClock
from ar_connectors.connector import Connector
from ar_connectors.http import Endpoints, Limits, Request, Response, TenantBudget, Transport
from ar_connectors.http.budget import LocalBudget
from ar_connectors.http.messages import Dialect
from ar_connectors.netsuite.company import Wishes
from ar_connectors.netsuite.connector import NetSuiteConnector
from ar_connectors.netsuite.faults import NetSuiteDialect, UnknownTable
from ar_connectors.netsuite.limits import NETSUITE_LIMITS
from ar_connectors.quickbooks.connector import QuickBooksConnector
from ar_connectors.quickbooks.faults import QuickBooksDialect
from ar_connectors.quickbooks.limits import QUICKBOOKS_LIMITS
from ar_connectors.xero.connector import XeroConnector
from ar_connectors.xero.faults import XeroDialect
from ar_connectors.xero.limits import XERO_LIMITS

__all__ = ["ADAPTERS", "Adapter"]

TIME: Final = "2026-11-22T12:00:00"
"""The server's data ends here."""
_QUIET_SINCE: Final = "2026-11-23 12:00:00"
"""What NetSuite's tables tell as their latest change: so late that the look at what changed meanwhile finds nothing, as it does in an
account where nobody works."""


@dataclass(frozen=True)
class Adapter:
    """A connector on the benchmark server, what it spends, and the streams that hold something there, in reading order."""

    connector: Connector
    transport: Transport
    streams: tuple[str, ...]


class Bearer:
    """A signer with one token: the benchmark server checks none."""

    def sign(self, _: Request) -> Mapping[str, str]:
        """The one header."""
        return {"Authorization": "Bearer mock"}

    def refused(self, _: Request, __: Response) -> bool:
        """Nothing better is at hand."""
        return False


class Front(ABC):
    """Stands between an adapter and the transport. `knock`: the smallest call that the server understands."""

    def __init__(self, transport: Transport, knock: Request) -> None:
        self._transport = transport
        self._knock = knock

    def send(self, request: Request) -> Response:
        """Send what the server knows; for the rest knock at its door, and answer instead of it."""
        answer = self.instead(request)
        if answer is None:
            return self.finished(request, self._transport.send(request))
        response = self._transport.send(self._knock)
        return replace(response, body=json.dumps(answer).encode())

    @abstractmethod
    def instead(self, request: Request) -> dict[str, Any] | None:
        """The answer to what the server does not know; None for what it does."""

    def finished(self, _: Request, response: Response) -> Response:
        """The server's own answer, as it must look."""
        return response


def _transport(platform: str, base: str, dialect: Dialect, limits: Limits) -> Transport:
    """A transport with the ERP's slots but not its rates: what is measured is work, and not the ERP's pace."""
    clock = SystemClock()
    slots = Limits(rates=(), max_in_flight=limits.max_in_flight)
    return Transport(
        platform,
        "1",
        Endpoints(api=base),
        dialect,
        Bearer(),
        clock=clock,
        jitter=random.random,
        budget=TenantBudget(f"{platform}:1", slots, LocalBudget(clock), clock),
    )


# ---- QuickBooks


class QuickBooksFront(Front):
    """Company, preferences and the tables that the server does not have."""

    def instead(self, request: Request) -> dict[str, Any] | None:
        """See `Front`."""
        time = {"time": f"{TIME}.000-08:00"}
        if "companyinfo" in request.url:
            company = {"Id": "1", "SyncToken": "0", "CompanyName": "Bench", "Country": "US"}
            return {"CompanyInfo": company, **time}
        if "preferences" in request.url:
            return {"Preferences": {"Id": "1", "CurrencyPrefs": {"HomeCurrency": {"value": "USD"}}}, **time}
        statement = dict(request.params).get("query", "")
        if any(f"FROM {table}" in statement for table in ("CreditMemo", "JournalEntry", "Attachable")):
            return {"QueryResponse": {"totalCount": 0} if "COUNT" in statement else {}, **time}
        return None  # tables that it has never heard of are empty to the server too


def quickbooks(base: str) -> Adapter:
    """QuickBooks: offset paging over a closed window."""
    transport = _transport("quickbooks", base, QuickBooksDialect(), QUICKBOOKS_LIMITS)
    count = (("query", "SELECT COUNT(*) FROM Customer"),)
    knock = Request("GET", f"{base}/v3/company/1/query", "knock", params=count)
    connector = QuickBooksConnector("1", QuickBooksFront(transport, knock), SystemClock(), base_url=base)
    return Adapter(connector, transport, ("reference", "payment", "invoice", "customer"))


# ---- Xero


class XeroFront(Front):
    """The server knows every list (those that it does not have are empty), but some of its rows are newer than the time it tells:
    the look at what changed during the load would find them, where in an account at rest it finds nothing."""

    def instead(self, request: Request) -> dict[str, Any] | None:
        """See `Front`."""
        if "If-Modified-Since" not in request.headers:
            return None
        return {"Status": "OK", request.url.rpartition("/")[2]: []}


def xero(base: str) -> Adapter:
    """Xero: page by page in the order of ids."""
    transport = _transport("xero", base, XeroDialect("1"), XERO_LIMITS)
    one = (("page", "1"), ("pageSize", "1"))
    front = XeroFront(transport, Request("GET", f"{base}/api.xro/2.0/Contacts", "knock", params=one))
    connector = XeroConnector("1", front, SystemClock(), base_url=base)
    return Adapter(connector, transport, ("reference", "payments", "invoices", "contacts"))


# ---- NetSuite


class NetSuiteFront(Front):
    """What the account is, and what its tables hold all together. The server tells tables by words in the statement, so one that
    joins others, or that it does not have, is answered here."""

    _first_keys: Final = {"payment": 200_001, "invoice": 100_001, "customer": 1}
    """By stream; on the server a table's keys follow each other without gaps."""
    _types: Final = {"payment": "CustPymt", "invoice": "CustInvc"}

    _missing: Final = frozenset(
        {"subsidiary", "accountingbook", "deletedrecord", "term", "account", "columns of contact"}
        | {"line", "book", "address", "phonecall", "task"}
    )

    def __init__(self, transport: Transport, knock: Request, rows: Mapping[str, int]) -> None:
        super().__init__(transport, knock)
        self._rows = rows

    def instead(self, request: Request) -> dict[str, Any] | None:
        """See `Front`. Raises UnknownTable where the account has no such feature."""
        what, _, about = request.operation.partition(" ")
        stream = about.rpartition(" ")[2]
        if what == "query" and about in self._first_keys:
            return None
        if what in {"probe", "query"} and about in self._missing:
            self._transport.send(self._knock)
            raise UnknownTable(f"the benchmark's account has no {about}")
        if request.operation == "read server time":
            return {"serverTime": f"{TIME}Z"}
        rows: list[dict[str, str]] = []
        if about == "currency":
            rows = [{"id": "1", "symbol": "USD", "isbasecurrency": "T"}]
        elif what == "marks":
            rows = self._marks(("payment", "invoice") if stream == "transactions" else (stream,))
        elif what == "proof":
            rows = [self._sums(stream)]
        return {"items": rows, "count": len(rows), "hasMore": False}

    def _marks(self, streams: tuple[str, ...]) -> list[dict[str, str]]:
        known = [stream for stream in streams if stream in self._first_keys]
        return [
            {
                "type": self._types.get(stream, ""),
                "high": str(self._first_keys[stream] + self._rows[stream] - 1),
                "total": str(self._rows[stream]),
                "changed": _QUIET_SINCE,
            }
            for stream in known
        ]

    def _sums(self, stream: str) -> dict[str, str]:
        rows, first = self._rows[stream], self._first_keys[stream]
        return {"total": str(rows), "keys": str(sum(range(first, first + rows)))}


def netsuite(base: str) -> Adapter:
    """NetSuite: pages by place, proven afterwards."""
    with urlopen(f"{base}/_expect", timeout=10) as answer:
        there = json.load(answer)
    rows = {stream: int(there[f"{stream}s"]) for stream in ("payment", "invoice", "customer")}
    transport = _transport("netsuite", base, NetSuiteDialect("1"), NETSUITE_LIMITS)
    knock = Request(
        "POST",
        f"{base}/services/rest/query/v1/suiteql",
        "knock",
        headers={"Content-Type": "application/json"},
        body=b'{"q": "SELECT COUNT(id) FROM customer"}',
    )
    connector = NetSuiteConnector(
        "1",
        NetSuiteFront(transport, knock, rows),
        SystemClock(),
        base_url=base,
        # The server writes the dates of a US account; ours are asked for as ISO, and read as fast.
        wishes=Wishes(time_zone="America/Los_Angeles", day_first=False),
    )
    return Adapter(connector, transport, ("reference", "payment", "invoice", "customer"))


ADAPTERS: Mapping[str, Callable[[str], Adapter]] = {"qbo": quickbooks, "xero": xero, "netsuite": netsuite}
"""By the name that the server and the peers use; each takes the base URL."""
