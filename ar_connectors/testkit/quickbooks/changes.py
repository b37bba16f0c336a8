"""What changed since an instant? The change feed (CDC) with its 30 days, its silent cap, its stubs and its holes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from ar_connectors.testkit.ledger.records import Record
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.rows import ENTITIES, deleted_stub
from ar_connectors.testkit.quickbooks.select import Selector
from ar_connectors.testkit.quickbooks.texts import PACIFIC, encode, stamp

__all__ = ["CAP", "change_feed"]

CAP: Final = 1000
LOOK_BACK: Final = timedelta(days=30)
_UNSUPPORTED: Final = frozenset({"JournalCode", "TaxAgency", "TimeActivity", "TaxCode", "TaxRate"})
_SPELLING: Final = {name.casefold(): name for name in (*ENTITIES, *_UNSUPPORTED)}


def change_feed(selector: Selector, entities: str, since: str, now: datetime, cap: int = CAP) -> bytes:
    """The value of `CDCResponse`. One group per entity asked for, `{}` where nothing changed; `cap` objects in all, cut off
    without a word. Raises ServiceError."""
    if not entities:
        raise ServiceError(
            "2020", "Required parameter entities is missing in the request", element="entities"
        )
    try:
        changed_since = datetime.fromisoformat(since)
    except ValueError:
        raise ServiceError(
            "2030", f"Invalid value for changedSince: {since}", element="changedSince"
        ) from None
    if changed_since.tzinfo is None:
        changed_since = changed_since.replace(tzinfo=PACIFIC)
    if changed_since < now - LOOK_BACK:
        raise ServiceError("2030", "changedSince can not be more than 30 days ago", element="changedSince")
    groups = []
    left = cap
    for asked in [name.strip() for name in entities.split(",") if name.strip()]:
        entity = _SPELLING.get(asked.casefold(), asked)  # in any case, as in a query
        if entity in _UNSUPPORTED:
            raise ServiceError(
                "2030", f"Entity {entity} is not supported by change data capture", element="entities"
            )
        group, used = _group(selector, entity, changed_since, left)
        left -= used
        groups.append(group)
    return b'[{"QueryResponse":[' + b",".join(groups) + b"]}]"


def _group(selector: Selector, entity: str, since: datetime, limit: int) -> tuple[bytes, int]:
    kind = ENTITIES.get(entity)
    if kind is None:
        return b"{}", 0
    ledger = selector.ledger
    alive: Sequence[Record] = sorted(
        (one for one in ledger.shelf(kind).values() if one.updated >= since),
        key=lambda one: (one.updated, int(one.id)),
    )[:limit]
    gone = [one for one in ledger.deletions if one.kind == kind and one.at >= since][: limit - len(alive)]
    number = len(alive) + len(gone)
    if not number:
        return b"{}", 0
    rows = [selector.row(one) for one in alive]
    rows += [encode(deleted_stub(one.id, stamp(one.at))) for one in gone]
    # Recorded: a group with living rows has startPosition and maxResults, one of stubs alone has totalCount instead.
    tail = f'"startPosition":1,"maxResults":{number}' if alive else f'"totalCount":{number}'
    return b'{"' + entity.encode() + b'":[' + b",".join(rows) + b"]," + tail.encode() + b"}", number
