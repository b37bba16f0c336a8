"""What is in one page of a table, and where does it stand in its statement? Decoded, counted and added up; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import ge
from typing import Final, NamedTuple

import msgspec

from ar_connectors.adapterkit.pages import LARGE, collector_paused
from ar_connectors.connector import Page
from ar_connectors.errors import ContractError
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.context import Context
from ar_connectors.netsuite.decode import decode_envelope
from ar_connectors.netsuite.envelope import Envelope, open_page
from ar_connectors.netsuite.wire import ANSWERS

__all__ = ["KIND_OF", "Piece", "Standing", "Tally", "decode_piece", "last_key", "piece_of", "tally_of"]

KIND_OF: Final = {
    "payment": "transaction",
    "credit_memo": "transaction",
    "invoice": "transaction",
    "journal": "journal",
    "application": "link",
    "customer": "customer",
    "contact": "contact",
}
"""Stream -> kind of its bodies, as `decode` names them."""


_numbers: Final = msgspec.json.Decoder(list[int]).decode


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows in ascending order of a key: how many, the sum of their keys, the first and the last one."""

    rows: int
    keys: int
    first: int
    last: int


class Standing(NamedTuple):
    """Where a page stands in its statement."""

    last: list[str] | None
    """The key values of its last row; None where the server holds no rows behind it."""
    total: int | None
    """How many rows the statement yields in all, as far as the server says."""
    tally: Tally | None
    """None: rows have several keys, or there are none, or keys do not ascend, or one is missing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one page brought."""

    page: Page
    last: list[str] | None
    """These three as in `Standing`."""
    total: int | None
    tally: Tally | None


def decode_piece(
    body: bytes, *, request_id: str | None, stream: str, keys: Sequence[str], context: Context
) -> tuple[Page, Standing]:
    """A page of a statement whose rows are whole by themselves. `request_id`: NetSuite's own, for errors; `keys`: the names of the
    columns that rows are ordered by. Raises ContractError for what is no page of rows."""
    with collector_paused(len(body) > LARGE):
        envelope = open_page(body, context.tenant, f"query {stream}", request_id, ANSWERS.get(stream))
        last = last_key(envelope, keys) if envelope.has_more and envelope.size else None
        page = decode_envelope(envelope, KIND_OF[stream], context, stream=stream)
        return page, Standing(last, envelope.total, tally_of(envelope, keys))


def piece_of(page: Page, standing: Standing, server_time: datetime | None) -> Piece:
    """Both in one, with the time at which the server answered."""
    return Piece(replace(page, server_time=server_time), *standing)


def tally_of(envelope: Envelope, keys: Sequence[str]) -> Tally | None:
    """See `Standing.tally`."""
    if len(keys) != 1:
        return None
    texts = envelope.keys(keys[0])
    try:
        # As one list of JSON: a third of the time of `int` for each. None is no text, as `join` says.
        numbers = _numbers(f"[{','.join(texts)}]")  # type: ignore[arg-type]
    except (TypeError, ValueError, msgspec.DecodeError):
        return None
    if not numbers or len(numbers) != len(texts) or any(map(ge, numbers, numbers[1:])):
        return None
    return Tally(len(numbers), sum(numbers), numbers[0], numbers[-1])


def last_key(envelope: Envelope, keys: Sequence[str]) -> list[str]:
    """The values of the keys in the last row. Raises ContractError where it has none: nobody can ask for what is behind it."""
    found = [envelope.key(-1, key) for key in keys]
    if None in found:
        raise ContractError("the last row of a page has no key", platform=PLATFORM, operation="read a page")
    return [value for value in found if value is not None]
