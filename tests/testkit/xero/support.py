"""A plain client for the emulator of Xero: requests and json, nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import requests

from ar_connectors.testkit.server import XeroHandle

__all__ = ["Client", "client_of"]


class Client:
    """One connection to one company."""

    def __init__(self, handle: XeroHandle) -> None:
        self.handle = handle
        self.session = requests.Session()
        self.session.headers.update({"xero-tenant-id": handle.tenant, "Accept": "application/json"})
        self.use(handle.access_token)
        self.root = f"{handle.base_url}/api.xro/2.0"

    def use(self, token: str) -> None:
        """Go on with another access token."""
        self.session.headers["Authorization"] = f"Bearer {token}"

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 10,
        **params: Any,
    ) -> requests.Response:
        return self.session.request(
            method, f"{self.root}/{path}", params=params, json=body, headers=headers, timeout=timeout
        )

    def get(self, path: str, *, since: str = "", **params: Any) -> Any:
        answer = self.send("GET", path, headers={"If-Modified-Since": since} if since else None, **params)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def rows(
        self, endpoint: str, *, size: int = 1000, since: str = "", **params: Any
    ) -> list[dict[str, Any]]:
        """All rows of an endpoint, page by page."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self.get(endpoint, since=since, page=page, pageSize=size, **params)
            found += answer[endpoint]
            if page >= answer["pagination"]["pageCount"]:
                return found
            page += 1

    def done(self, method: str, path: str, body: Any, **params: Any) -> Any:
        answer = self.send(method, path, body, **params)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def refused(self, method: str, path: str, body: Any = None, **params: Any) -> str:
        """The first message of a ValidationException."""
        answer = self.send(method, path, body, **params)
        assert answer.status_code == 400, answer.text
        document = answer.json()
        assert document["Type"] == "ValidationException", document
        errors = [error for element in document["Elements"] for error in element["ValidationErrors"]]
        return str(errors[0]["Message"])


@contextmanager
def client_of(handle: XeroHandle) -> Iterator[Client]:
    client = Client(handle)
    try:
        yield client
    finally:
        client.session.close()
