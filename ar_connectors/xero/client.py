"""What can be asked of Xero? Endpoints as requests; the transport sends them, signed, paced and counted.

Only filters that Xero has an index for are used, always with `page` and `pageSize` (quirks.md#xero-14).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

from ar_connectors.errors import ConfigurationError
from ar_connectors.http.messages import Replay, Request, Response

__all__ = ["BASE_URL", "MAX_IDS", "PAGE_SIZE", "Sender", "XeroClient", "timestamp"]

BASE_URL: Final = "https://api.xero.com"
PAGE_SIZE: Final = 1000
"""The most rows a page has; Xero lowers a larger wish (quirks.md#xero-14)."""
MAX_IDS: Final = 40
"""Ids in one question (quirks.md#xero-19)."""

_JSON: Final = {"Accept": "application/json"}


class Sender(Protocol):
    """The transport, as far as the client is concerned."""

    def send(self, request: Request) -> Response:
        """Send a request and return the successful answer; failures are raised as ARError."""
        ...


def timestamp(instant: datetime) -> str:
    """An instant for If-Modified-Since: whole seconds, UTC, without an offset (quirks.md#xero-16)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class XeroClient:
    """The endpoints of one organisation. `base_url` has no path; a loopback address serves an emulator."""

    sender: Sender
    tenant: str
    base_url: str = BASE_URL

    def get(
        self,
        path: str,
        operation: str,
        params: Sequence[tuple[str, str]] = (),
        modified_since: datetime | None = None,
    ) -> Response:
        """Read a resource of the organisation by its path below `api.xro/2.0`."""
        headers = dict(_JSON)
        if modified_since is not None:
            headers["If-Modified-Since"] = timestamp(modified_since)
        return self.sender.send(Request("GET", self._url(path), operation, params=params, headers=headers))

    def page(
        self,
        collection: str,
        params: Sequence[tuple[str, str]],
        number: int,
        modified_since: datetime | None = None,
    ) -> Response:
        """One page of a list, 1-based."""
        paging = (("page", str(number)), ("pageSize", str(PAGE_SIZE)))
        return self.get(collection, f"list {collection}", (*params, *paging), modified_since)

    def by_ids(self, collection: str, ids: Iterable[str]) -> Response:
        """Rows of invoices or contacts by id, at most `MAX_IDS` of them, in full."""
        archived = (("includeArchived", "true"),) if collection == "Contacts" else ()
        return self.page(collection, (("IDs", ",".join(ids)), *archived), 1)

    def one(self, collection: str, remote_id: str) -> Response:
        """One row by id. Raises NotFoundError."""
        return self.get(f"{collection}/{_segment(remote_id)}", f"read {collection}")

    def history(self, collection: str, remote_id: str) -> Response:
        """All that was noted of a document or contact."""
        return self.get(f"{collection}/{_segment(remote_id)}/History", f"history of {collection}")

    def send(
        self,
        method: str,
        path: str,
        operation: str,
        body: Mapping[str, Any] | None,
        key: str | None,
        params: Sequence[tuple[str, str]] = (),
    ) -> Response:
        """Write. `key` is the Idempotency-Key, at most 128 characters (quirks.md#xero-48)."""
        headers = dict(_JSON)
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.sender.send(
            Request(
                method,
                self._url(path),
                operation,
                params=params,
                headers=headers,
                body=None if body is None else json.dumps(body, ensure_ascii=True).encode("ascii"),
                replay=Replay.UNSAFE,
            )
        )

    def connections(self) -> Response:
        """The organisations that this token reaches."""
        return self.sender.send(Request("GET", self._root("connections"), "list connections", headers=_JSON))

    def disconnect(self, connection_id: str) -> Response:
        """End the connection to one organisation; until then it counts for the app (quirks.md#xero-5)."""
        path = f"connections/{_segment(connection_id)}"
        return self.sender.send(Request("DELETE", self._root(path), "disconnect", headers=_JSON))

    def _url(self, path: str) -> str:
        return self._root(f"api.xro/2.0/{path}")

    def _root(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{path}"


def _segment(remote_id: str) -> str:
    """An id as one part of a path. An empty one would name the whole list instead: of a group, all its members
    (quirks.md#xero-49)."""
    if not remote_id.strip():
        raise ConfigurationError("an empty id would address the whole list", platform="xero")
    return quote(remote_id, safe="")
