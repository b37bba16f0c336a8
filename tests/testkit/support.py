"""A plain client for the emulator: requests and json, nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import requests

from ar_connectors.testkit.server import Handle

__all__ = ["Client", "client_of"]


class Client:
    """One connection to one company."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.session = requests.Session()
        self.session.headers.update(
            {"Authorization": f"Bearer {handle.access_token}", "Accept": "application/json"}
        )
        self.root = f"{handle.base_url}/v3/company/{handle.tenant}"

    def send(
        self, method: str, path: str, body: Any = None, *, timeout: float = 10, **params: Any
    ) -> requests.Response:
        return self.session.request(method, f"{self.root}/{path}", params=params, json=body, timeout=timeout)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.send("GET", path, **params)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def query(self, statement: str) -> Any:
        return self.get("query", query=statement)["QueryResponse"]

    def post(self, path: str, body: Any, **params: Any) -> Any:
        answer = self.send("POST", path, body, **params)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def refused(self, method: str, path: str, body: Any = None, **params: Any) -> str:
        answer = self.send(method, path, body, **params)
        assert answer.status_code >= 400, answer.text
        document = answer.json()
        error = document["Fault"]["Error"][0] if "Fault" in document else document["fault"]["error"][0]
        return str(error["code"])


@contextmanager
def client_of(handle: Handle) -> Iterator[Client]:
    client = Client(handle)
    try:
        yield client
    finally:
        client.session.close()
