"""Which rows are in a body? A page of a query, a bare list or one record, cut into rows with their exact bytes.

The cutting itself is `adapterkit.cutting`; what is read here besides is whether there are more rows behind these. The answer to a
statement of ours is read at once into the structs of its rows, and only cut up where that fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec

from ar_connectors.adapterkit.cutting import UNREADABLE, Cutter, cut_up, identify
from ar_connectors.errors import ContractError
from ar_connectors.http.messages import Response
from ar_connectors.http.redact import excerpt
from ar_connectors.netsuite import wire
from ar_connectors.netsuite.account import PLATFORM

__all__ = ["Envelope", "Raw", "open_answer", "open_envelope", "open_page", "page_of"]

Raw = msgspec.Raw | bytes
"""The bytes of one row."""

_OWN: Final = frozenset({"id", "entityId", "tranId"})
"""Members that only a record has; its sublists are called `items` as well."""


_Item = TypeVar("_Item")


class _Answer(msgspec.Struct, Generic[_Item], gc=False):
    items: list[_Item]
    has_more: bool = msgspec.field(default=False, name="hasMore")
    count: int | None = None
    total: int | None = msgspec.field(default=None, name="totalResults")
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    entity_id: msgspec.Raw | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="entityId")
    tran_id: msgspec.Raw | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="tranId")


def _decoder(shape: Any) -> msgspec.json.Decoder[_Answer[Any]]:
    return msgspec.json.Decoder(_Answer[shape])


_ANSWERS: Final = {shape: _decoder(shape) for shape in (msgspec.Raw, *wire.ANSWERS.values())}
"""By the shape of the rows. Made before there are threads: msgspec shows other threads a type that it has not finished, and reading
into one ends the process."""

_ROW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KEY: Final = msgspec.json.Decoder(str | int)


@dataclass(slots=True)
class Envelope:
    """A body taken apart."""

    body: bytes
    cut: Sequence[Raw] | None
    """The bytes of each row; None: not looked for yet, because all rows could be read at once."""
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
    shape: type[msgspec.Struct] | None = None
    structs: list[Any] | None = None
    """The rows as structs of this `shape`, where all could be read at once. Whoever maps them takes each out, so that its memory is
    used again."""

    @property
    def rows(self) -> Sequence[Raw]:
        """The bytes of each row."""
        if self.cut is None:
            self.cut = _ANSWERS[msgspec.Raw].decode(self.body).items
        return self.cut

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.rows if self.structs is None else self.structs)

    def keys(self, name: str) -> Sequence[str | None]:
        """The values of a key column in all rows; None where a row has none."""
        if name == "id" and self.ids is not None:
            return self.ids
        return [_key_of(row, name) for row in self.rows]

    def key(self, index: int, name: str) -> str | None:
        """The value of a key column in a row; None where the row has none."""
        if self.structs is not None and (struct := self.structs[index]) is not None:
            found: str | None = getattr(struct, name)
            return found
        return _key_of(self.rows[index], name)


def _key_of(row: Raw, name: str) -> str | None:
    try:
        return str(_KEY.decode(_ROW.decode(row)[name]))
    except KeyError:
        return None
    except UNREADABLE:
        # Half a character elsewhere in the row does not take its key away: the row is there, and what it counts for is proven.
        return identify(bytes(row), name)


def open_envelope(body: bytes, tenant: str, shape: type[msgspec.Struct] | None = None) -> Envelope:
    """Take a body apart. `shape`: what its rows are, where a statement of ours asked for them. Raises ContractError when it is no JSON
    object or list."""
    for item in (shape, msgspec.Raw) if shape is not None else (msgspec.Raw,):
        try:
            answer = _ANSWERS[item].decode(body)
        except UNREADABLE:
            continue
        if answer.id is answer.entity_id is answer.tran_id is msgspec.UNSET:
            cut, structs = (answer.items, None) if item is msgspec.Raw else (None, answer.items)
            envelope = Envelope(body, cut, answer.has_more, count=answer.count, total=answer.total)
            if structs is not None:
                envelope.shape, envelope.structs = shape, structs
            return envelope
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


def open_page(
    body: bytes,
    tenant: str,
    operation: str,
    request_id: str | None,
    shape: type[msgspec.Struct] | None = None,
) -> Envelope:
    """Take a page of rows apart; `shape` as of `open_envelope`. Raises ContractError for what is none, also for one that has lost rows
    on its way: the next question begins behind the last row, so nobody would ever ask for them again."""
    envelope = open_envelope(body, tenant, shape)
    problem = None
    if not envelope.is_page or body.lstrip()[:1] != b"{":
        problem = "the answer to a query is no page of rows"
    elif envelope.count is not None and envelope.count != envelope.size:
        problem = f"the answer says that it has {envelope.count} rows, and has {envelope.size}"
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
