"""A plain client for the emulator: requests and json, nothing of ours."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import requests

from ar_connectors.testkit.netsuite.start import Handle

__all__ = ["Client", "balances"]


class Client:
    """One connection to one account."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {handle.access_token}"
        self.root = f"{handle.base_url}/services/rest"

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> requests.Response:
        return self.session.request(
            method, f"{self.root}/{path}", params=params, json=body, headers=headers, timeout=20
        )

    def suiteql(
        self, statement: str, *, bound: list[str | None] | None = None, **params: Any
    ) -> requests.Response:
        body: dict[str, Any] = {"q": statement}
        if bound is not None:
            body["params"] = bound
        return self.send("POST", "query/v1/suiteql", body, headers={"Prefer": "transient"}, **params)

    def rows(self, statement: str, *, bound: list[str | None] | None = None) -> list[dict[str, str]]:
        """All pages."""
        found: list[dict[str, str]] = []
        while True:
            answer = self.suiteql(statement, bound=bound, limit=1000, offset=len(found))
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for item in page["items"]:
                assert item.pop("links") == []
                found.append(item)
            if not page["hasMore"]:
                assert page["totalResults"] == len(found)
                return found

    def detail(self, statement: str, **params: Any) -> str:
        """What a refused statement is refused with."""
        answer = self.suiteql(statement, **params)
        assert answer.status_code == 400, answer.text
        error = answer.json()["o:errorDetails"][0]
        assert error["o:errorCode"] == "INVALID_PARAMETER"
        return str(error["detail"])

    def record(self, path: str, **params: Any) -> dict[str, Any]:
        answer = self.send("GET", f"record/v1/{path}", **params)
        assert answer.status_code == 200, answer.text
        document = json.loads(answer.text, parse_float=Decimal)
        assert isinstance(document, dict)
        return document

    def write(self, method: str, path: str, body: Any, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path, _, query = path.partition("?")
        return self.send(method, f"record/v1/{path}", body, headers=named, **dict(parse_qsl(query)))

    def refused(self, answer: requests.Response) -> tuple[int, str, str]:
        """Status, code and detail of a refusal."""
        document = answer.json()
        error = document["o:errorDetails"][0]
        assert document["status"] == answer.status_code
        assert answer.headers["Content-Type"] == "application/vnd.oracle.resource+json; type=error"
        return answer.status_code, error["o:errorCode"], error["detail"]


def balances(client: Client) -> dict[tuple[str, str], Decimal]:
    """What every customer owes by currency, as a careful client would work it out."""
    owed: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    headers = client.rows(
        "SELECT t.entity, c.symbol, t.foreignamountunpaid AS due, t.foreignpaymentamountunused AS spare FROM transaction t "
        "JOIN currency c ON c.id = t.currency WHERE t.type <> 'Journal' ORDER BY t.id"
    )
    lines = client.rows(
        "SELECT tl.entity, c.symbol, tl.foreignamountunpaid AS due, tl.foreignpaymentamountunused AS spare "
        "FROM transactionline tl JOIN transaction t ON t.id = tl.transaction JOIN currency c ON c.id = t.currency "
        "JOIN transactionaccountingline tal ON tal.transaction = tl.transaction AND tal.transactionline = tl.id "
        "AND tal.accountingbook = 1 WHERE t.type = 'Journal' AND tal.accounttype = 'AcctRec' ORDER BY tl.uniquekey"
    )
    for row in [*headers, *lines]:
        owed[row["entity"], row["symbol"]] += Decimal(row.get("due", "0")) - Decimal(row.get("spare", "0"))
    return {key: amount for key, amount in owed.items() if amount}
