"""A small QuickBooks in memory, behind the client's `send`: tables, queries, a change feed, and a clock of its own.

For quick cases that must be set up to the second; the emulator of the testkit is the judge of the wire.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from ar_connectors.errors import RejectedError
from ar_connectors.http.messages import Request, Response

TENANT = "9341"
PACIFIC = timezone(timedelta(hours=-8))
START = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@dataclass
class Clock:
    """Time that stands still until it is moved."""

    instant: datetime = START

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@dataclass
class MovingBooks:
    """The company's books."""

    clock: Clock = field(default_factory=Clock)
    tables: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    deleted: list[tuple[str, str, datetime]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    units: int = 0
    cap: int = 1000
    feed_lies: set[tuple[str, str]] = field(default_factory=set)
    """Living records that the change feed calls deleted."""
    between: Callable[[Request], None] | None = None
    """Runs before each answer: what other people do meanwhile."""
    refuses_fields: bool = False

    def put(self, entity: str, number: str | int, **fields: Any) -> dict[str, Any]:
        """Make or change a record, now."""
        table = self.tables.setdefault(entity, {})
        row = table.setdefault(str(number), {"Id": str(number), "SyncToken": "-1"})
        row.update(fields)
        row["SyncToken"] = str(int(row["SyncToken"]) + 1)
        row["MetaData"] = {
            "LastUpdatedTime": self.clock.now().astimezone(PACIFIC).isoformat(timespec="seconds")
        }
        return row

    def delete(self, entity: str, number: str | int) -> None:
        del self.tables[entity][str(number)]
        self.deleted.append((entity, str(number), self.clock.now()))

    def customer(self, number: int, balance: str = "0", **more: Any) -> None:
        fields = {"DisplayName": f"Customer {number}", "Active": True, "Balance": balance, **more}
        self.put("Customer", number, **fields)

    def invoice(self, number: int, customer: int = 1, balance: str = "100.00", **more: Any) -> None:
        fields = {"TotalAmt": "100.00", "Balance": balance, "CustomerRef": {"value": str(customer)}, **more}
        self.put("Invoice", number, **fields)

    def pay(self, number: int, *invoices: int, customer: int = 1, amount: str = "40.00") -> None:
        lines = [
            {"Amount": amount, "LinkedTxn": [{"TxnId": str(one), "TxnType": "Invoice"}]} for one in invoices
        ]
        self.put(
            "Payment",
            number,
            TotalAmt=amount,
            UnappliedAmt="0",
            CustomerRef={"value": str(customer)},
            Line=lines,
        )

    # ---- the wire

    def send(self, request: Request) -> Response:
        path = request.url.split(f"/v3/company/{TENANT}/", 1)[1]
        params = dict(request.params)
        self.calls.append(request.operation)
        self.units += request.metered_units
        if self.between is not None:
            self.between(request)
        if path == "query":
            statement = params.get("query") or (request.body or b"").decode()
            answer: dict[str, Any] = {"QueryResponse": self._query(statement)}
        elif path == "cdc":
            answer = {"CDCResponse": [{"QueryResponse": self._changes(params)}]}
        elif path == "preferences":
            answer = {
                "Preferences": {
                    "Id": "1",
                    "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": "USD"}},
                }
            }
        elif path == f"companyinfo/{TENANT}":
            answer = {"CompanyInfo": {"Id": "1", "CompanyName": "Books", "Country": "US"}}
        else:
            raise AssertionError(path)
        body = {**answer, "time": self.clock.now().astimezone(PACIFIC).isoformat(timespec="milliseconds")}
        return Response(200, {}, json.dumps(body).encode(), self.clock.now(), 0.0)

    def _query(self, statement: str) -> dict[str, Any]:
        found = re.fullmatch(
            r"SELECT (\*|COUNT\(\*\)|Id) FROM (\w+)(?: WHERE (.*?))?(?: ORDERBY MetaData\.LastUpdatedTime)?"
            r"(?: STARTPOSITION (\d+))?(?: MAXRESULTS (\d+))?",
            statement,
        )
        assert found, statement
        what, entity, where, start, most = found.groups()
        if what == "Id" and self.refuses_fields:
            raise RejectedError("QueryParserError", platform_code="4000")
        rows = [
            row for row in self.tables.get(entity, {}).values() if self._matches(entity, row, where or "")
        ]
        rows.sort(key=lambda row: (self._changed(row), int(row["Id"])))
        if what == "COUNT(*)":
            return {"totalCount": len(rows)}
        first = int(start or 1) - 1
        page = rows[first : first + int(most or 100)]
        if what == "Id":
            page = [{"Id": row["Id"]} for row in page]
        return {entity: page, "startPosition": first + 1, "maxResults": len(page)} if page else {}

    def _matches(self, entity: str, row: dict[str, Any], where: str) -> bool:
        if entity == "Customer":
            assert "Active IN (true, false)" in where or not where, "inactive customers would be hidden"
        for condition in filter(None, re.split(r" AND ", where)):
            if bound := re.fullmatch(r"MetaData\.LastUpdatedTime (<=|>=) '(.*)'", condition):
                instant = datetime.fromisoformat(bound[2])
                assert instant.tzinfo is not None
                if (self._changed(row) > instant) if bound[1] == "<=" else (self._changed(row) < instant):
                    return False
            elif ids := re.fullmatch(r"Id IN \((.*)\)", condition):
                if row["Id"] not in re.findall(r"'([^']*)'", ids[1]):
                    return False
            elif like := re.fullmatch(r"Note LIKE '%(.*)%'", condition):
                if like[1] not in row.get("Note", ""):
                    return False
            elif balance := re.fullmatch(r"Balance ([<>]) '0'", condition):
                value = Decimal(row["Balance"])
                if not (value > 0 if balance[1] == ">" else value < 0):
                    return False
            else:
                assert condition == "Active IN (true, false)", condition
        return True

    def _changed(self, row: dict[str, Any]) -> datetime:
        return datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"])

    def _changes(self, params: dict[str, str]) -> list[dict[str, Any]]:
        since = datetime.fromisoformat(params["changedSince"])
        assert self.clock.now() - since <= timedelta(days=30), "the feed looks back 30 days"
        found: list[dict[str, Any]] = []
        room = self.cap
        for entity in params["entities"].split(","):
            rows: list[dict[str, Any]] = [
                {"domain": "QBO", "status": "Deleted", "Id": row["Id"]}
                if (entity, row["Id"]) in self.feed_lies
                else row
                for row in self.tables.get(entity, {}).values()
                if self._changed(row) >= since
            ]
            rows += [
                {
                    "domain": "QBO",
                    "status": "Deleted",
                    "Id": number,
                    "MetaData": {"LastUpdatedTime": at.isoformat()},
                }
                for kind, number, at in self.deleted
                if kind == entity and at >= since
            ]
            rows = rows[:room]
            room -= len(rows)
            found.append({entity: rows, "maxResults": len(rows)} if rows else {})
        return found

    def taken(self) -> Counter[str]:
        """What was called since the last time, by operation."""
        calls, self.calls = Counter(self.calls), []
        return calls
