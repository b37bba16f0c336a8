"""Facts in Customer.Notes: read, change our block only, send it under the version that was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ar_connectors.errors import RejectedError, StaleVersionError
from ar_connectors.quickbooks.faults import PLATFORM
from ar_connectors.quickbooks.managed_block import (
    MAX_CUSTOMER_NOTES,
    Block,
    BlockFullError,
    Line,
    parse_block,
)
from ar_connectors.quickbooks.writeback_calls import CustomerNotes
from ar_connectors.quickbooks.writeback_scope import WriteScope
from ar_core.model import Customer, RecordKind

__all__ = ["RETRIES", "BlockWrite", "change_block", "read_block"]

OLD_LIMIT = 1024
"""What Customer.Notes holds according to the XSD."""

_TOO_LONG = "2050"

RETRIES = 3
"""How often our own edit is put on a fresh reading when somebody else was faster (code 5010)."""

Edit = Callable[[Block], tuple[Block, Line | None]]
"""Our change, as a function of the block as it is: the new block, and the line that must be in it."""


@dataclass(frozen=True, slots=True)
class BlockWrite:
    """What became of a change of the block."""

    customer: str
    version: str
    before: Block
    after: Block
    """As QuickBooks says it is now."""
    cut: bool
    """Something of ours had to be shortened or left out."""


def read_block(scope: WriteScope, customer: str) -> tuple[CustomerNotes, Block]:
    """Customer.Notes as it is now, taken apart."""
    notes = scope.calls.customer_notes(customer)
    return notes, parse_block(notes.text)


def change_block(scope: WriteScope, customer: str, edit: Edit, part: str = "notes") -> BlockWrite:
    """Apply `edit` to our block of a customer and send it; nothing is sent where nothing changes.

    Starts from the synced record where that may still be current (reads are billed, writes are not); QuickBooks refuses
    an outdated version, and then the edit is made again on a fresh reading, at most three times.

    Raises:
        RejectedError: the notes of others leave no room; the customer does not exist; QuickBooks refused it.
        StaleVersionError: somebody else was faster every time.
    """
    notes = _synced(scope, customer) or scope.calls.customer_notes(customer)
    limit = MAX_CUSTOMER_NOTES
    for again in range(RETRIES + 1):
        before = parse_block(notes.text)
        wanted, needed = edit(before)
        try:
            after = wanted.fitted(needed, limit)
        except BlockFullError as error:
            raise RejectedError(
                f"Customer.Notes of customer {customer} is full: {error}",
                platform=PLATFORM,
                tenant=scope.tenant.id,
                operation="update Customer.Notes",
                advice="shorten the notes of this customer in QuickBooks, then record the command again with a new key",
            ) from error
        text = after.text()
        if text == notes.text:
            return BlockWrite(customer, notes.version, before, before, cut=False)
        try:
            written = scope.calls.update_customer_notes(notes, text, scope.request_id(_part(part, again)))
        except StaleVersionError:
            if again == RETRIES:
                raise
            notes = scope.calls.customer_notes(customer)
            continue
        except RejectedError as error:
            # The reference says 2000, the XSD 1024 (quirks.md#qbo-42): the company decides.
            if _bare(error.platform_code) != _TOO_LONG or limit == OLD_LIMIT:
                raise
            limit = OLD_LIMIT
            continue
        return BlockWrite(
            customer, written.version, before, parse_block(written.text), cut=after.lines != wanted.lines
        )
    raise AssertionError("unreachable: the last try returns or raises")


def _bare(code: str | None) -> str:
    """An error code without leading zeros: QuickBooks pads some."""
    return (code or "").lstrip("0")


def _part(part: str, again: int) -> str:
    """A second body under the same requestid would be answered with the first one's refusal."""
    return part if again == 0 else f"{part}-{again}"


def _synced(scope: WriteScope, customer: str) -> CustomerNotes | None:
    """The customer as last synced, unless an earlier attempt or an earlier write of ours has changed it since."""
    record = scope.id_of(RecordKind.CUSTOMER, customer)
    known = scope.view.record(record)
    if (
        scope.tried_before
        or not isinstance(known, Customer)
        or known.source is None
        or known.source.version is None
    ):
        return None
    ours = [one.version for one in scope.view.placements(record) if one.remote_kind == "Customer"]
    if any(version is not None and _newer(version, known.source.version) for version in ours):
        return None
    return CustomerNotes(customer, known.source.version, known.notes or "")


def _newer(version: str, than: str) -> bool:
    """SyncTokens are counters; what is not a number is taken for newer."""
    if version.isdecimal() and than.isdecimal():
        return int(version) > int(than)
    return version != than
