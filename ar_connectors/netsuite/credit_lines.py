"""What is a credit memo for? Its lines with the ledger accounts they are booked on: one on a bad-debt account writes off.

Lines are rows of their own in SuiteQL (quirks.md#ns-16). They are put under `lines` of their credit memo's row, so that its body is
whole: it is stored, set aside and mapped again with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ar_connectors.netsuite import client as api
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.envelope import Envelope, page_of
from ar_connectors.netsuite.suiteql import Select, number
from ar_connectors.netsuite.tables import Schema, lines_select

__all__ = ["with_lines"]

_ROW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def with_lines(client: NetSuiteClient, schema: Schema, envelope: Envelope) -> Envelope:
    """The same credit memos with their lines: one call for a thousand lines. A row without an id is left as it is."""
    ids = envelope.keys("id")
    wanted = [number(one) for one in dict.fromkeys(ids) if one is not None and one.isdecimal()]
    if not wanted:
        return envelope
    found = _lines(client, lines_select(schema), wanted)
    rows = [
        raw if one is None or one not in found else _joined(raw, found[one])
        for one, raw in zip(ids, envelope.rows, strict=True)
    ]
    whole = page_of(rows)
    whole.has_more = envelope.has_more
    return whole


def _lines(client: NetSuiteClient, select: Select, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    first = select.keys[0].expression
    for start in range(0, len(ids), api.MAX_IDS):
        asked = select.having(f"{first} IN ({', '.join(ids[start : start + api.MAX_IDS])})")
        for rows in client.every_row(asked, "query credit_memo lines"):
            for row in rows:
                found[row["id"]].append(row)
    return found


def _joined(raw: msgspec.Raw | bytes, lines: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode({**_ROW.decode(raw), "lines": lines})
