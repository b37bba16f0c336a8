"""Which rows are in a body? A page of a query, a bare list or one record, cut into rows with their exact bytes.

The cutting itself is `adapterkit.cutting`; what is read here besides is whether there are more rows behind these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from ar_connectors.adapterkit.cutting import UNREADABLE, Cutter, cut_up, identify
from ar_connectors.errors import ContractError
from ar_connectors.http.messages import Response
from ar_connectors.http.redact import excerpt
from ar_connectors.netsuite.account import PLATFORM

__all__ = ["Envelope", "Raw", "open_answer", "open_envelope", "open_page", "page_of"]

Raw = msgspec.Raw | bytes
"""The bytes of one row."""

_OWN: Final = frozenset({"id", "entityId", "tranId"})
"""Members that only a record has; its sublists are called `items` as well."""


class _Answer(msgspec.Struct, gc=False):
    items: list[msgspec.Raw]
    has_more: bool = msgspec.field(default=False, name="hasMore")
    count: int | None = None
    total: int | None = msgspec.field(default=None, name="totalResults")
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    entity_id: msgspec.Raw | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="entityId")
    tran_id: msgspec.Raw | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="tranId")


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_ROW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KEY: Final = msgspec.json.Decoder(str | int)


@dataclass(slots=True)
class Envelope:
    """A body taken apart."""

    body: bytes
    rows: Sequence[Raw]
    has_more: bool = False
    """The server holds further rows of this query."""
    is_page: bool = True
    """False: the body is one row by itself, a record or an error."""
    count: int | None = None
    """How many rows the body says that it holds."""
    total: int | None = None
    """How many rows the statement yields in all, as far as the body says."""
    ids: Sequence[str | None] | None = None
    """The ids of all rows, where the mapping has seen them on its way."""

    def keys(self, name: str) -> Sequence[str | None]:
        """The values of a key column in all rows; None where a row has none."""
        if name == "id" and self.ids is not None:
            return self.ids
        return [_key_of(row, name) for row in self.rows]

    def key(self, index: int, name: str) -> str | None:
        """The value of a key column in a row; None where the row has none."""
        return _key_of(self.rows[index], name)


def _key_of(row: Raw, name: str) -> str | None:
    try:
        return str(_KEY.decode(_ROW.decode(row)[name]))
    except KeyError:
        return None
    except UNREADABLE:
        # Half a character elsewhere in the row does not take its key away: the row is there, and what it counts for is proven.
        return identify(bytes(row), name)


def open_envelope(body: bytes, tenant: str) -> Envelope:
    """Take a body apart. Raises ContractError when it is no JSON object or list."""
    try:
        answer = _ANSWER.decode(body)
    except UNREADABLE:
        pass
    else:
        if answer.id is answer.entity_id is answer.tran_id is msgspec.UNSET:
            return Envelope(body, answer.items, answer.has_more, count=answer.count, total=answer.total)
    return cut_up(
        body,
        lambda cutter, whole: _opened(cutter, whole, body),
        lambda sentence: ContractError(
            sentence, platform=PLATFORM, tenant=tenant, operation="decode", excerpt=excerpt(body, 200)
        ),
    )


def _opened(cutter: Cutter, whole: bytes, body: bytes) -> Envelope:
    if whole.lstrip()[:1] == b"[":
        return Envelope(body, cutter.elements(whole))
    members = dict(cutter.members(whole))
    items = members.get("items", b"")
    if items.lstrip()[:1] == b"[" and _OWN.isdisjoint(members):
        count = members.get("count", b"")
        more = members.get("hasMore") == b"true"
        return Envelope(body, cutter.elements(items), more, count=int(count) if count.isdigit() else None)
    return Envelope(body, [whole.strip()], is_page=False)


def open_answer(response: Response, tenant: str, operation: str) -> Envelope:
    """Take the answer to a query apart. Raises as `open_page` does."""
    return open_page(response.body, tenant, operation, response.headers.get("x-n-operationid"))


def open_page(body: bytes, tenant: str, operation: str, request_id: str | None) -> Envelope:
    """Take a page of rows apart. Raises ContractError for what is none, also for one that has lost rows on its way: the next
    question begins behind the last row, so nobody would ever ask for them again."""
    envelope = open_envelope(body, tenant)
    problem = None
    if not envelope.is_page or body.lstrip()[:1] != b"{":
        problem = "the answer to a query is no page of rows"
    elif envelope.count is not None and envelope.count != len(envelope.rows):
        problem = f"the answer says that it has {envelope.count} rows, and has {len(envelope.rows)}"
    if problem is None:
        return envelope
    raise ContractError(
        problem,
        platform=PLATFORM,
        tenant=tenant,
        operation=operation,
        request_id=request_id,
        excerpt=excerpt(body, 200),
    )


def page_of(rows: Sequence[Raw]) -> Envelope:
    """An envelope of these rows alone."""
    raws = [one if isinstance(one, msgspec.Raw) else msgspec.Raw(one) for one in rows]
    return Envelope(msgspec.json.encode({"items": raws}), rows)
