"""Asynchronous calls: done at once, told later. `Prefer: respond-async` gives a job; its task gives the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ar_connectors.testkit.exchange import Call, Reply
from ar_connectors.testkit.netsuite.errors import ServiceError, missing_instance, refusal

__all__ = ["Jobs"]

_SINGULAR = "application/vnd.oracle.resource+json; type=singular; charset=UTF-8"


class Jobs:
    """The jobs of one account. Its user holds the emulator's lock."""

    def __init__(self) -> None:
        self._done: list[Reply] = []
        self._keys: dict[str, int] = {}

    def start(self, call: Call, run: Callable[[], Reply], base_url: str) -> Reply:
        """Do it, and say where to ask. A repeated idempotency key does nothing and names the first job."""
        key = call.headers.get("x-netsuite-idempotency-key")
        if key is not None and key in self._keys:
            error = ServiceError(
                400,
                "IDEMPOTENCY_ERROR",
                f"The idempotency key {key} was already used.",
                header="X-NetSuite-Idempotency-Key",
            )
            reply = refusal(error)
            reply.headers["Location"] = self._address(base_url, self._keys[key])
            return reply
        try:
            done = run()
        except ServiceError as refused:
            done = refusal(refused)
        self._done.append(done)
        number = len(self._done)
        if key is not None:
            self._keys[key] = number
        return Reply(
            202,
            b"",
            headers={"Location": self._address(base_url, number), "Preference-Applied": "respond-async"},
        )

    def answer(self, call: Call, parts: list[str], base_url: str) -> Reply:
        """How a job went. Raises ServiceError for one there is not."""
        if (
            not parts
            or not parts[0].isdecimal()
            or not 1 <= int(parts[0]) <= len(self._done)
            or call.method != "GET"
        ):
            raise missing_instance()
        number = int(parts[0])
        address = self._address(base_url, number)
        done = self._done[number - 1]
        body: dict[str, Any]
        match parts[1:]:
            case []:
                body = {
                    "links": [_self(address)],
                    "completed": True,
                    "id": str(number),
                    "progress": "succeeded",
                }
            case ["task"]:
                task = {"links": [_self(f"{address}/task/1")]}
                body = {"links": [_self(f"{address}/task")], "count": 1, "items": [task]}
            case ["task", "1"]:
                progress = "succeeded" if done.status < 400 else "failed"
                body = {
                    "links": [_self(f"{address}/task/1")],
                    "completed": True,
                    "id": "1",
                    "progress": progress,
                }
            case ["task", "1", "result"]:
                return Reply(
                    done.status, done.body, content_type=done.content_type, headers=dict(done.headers)
                )
            case _:
                raise missing_instance()
        return Reply(200, msgspec.json.encode(body), content_type=_SINGULAR)

    @staticmethod
    def _address(base_url: str, number: int) -> str:
        return f"{base_url}/services/rest/async/v1/job/{number}"


def _self(address: str) -> dict[str, str]:
    return {"rel": "self", "href": address}
