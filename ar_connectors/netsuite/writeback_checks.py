"""Can everything be written that this connection is configured to write? Asked before the first command waits for it.

A GET loads a record for editing and needs the same right as a change (quirks.md#ns-23), so reading one of each kind tells whether the role
may write it, and nothing is touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ar_connectors.errors import PermissionDenied, RejectedError
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.writeback_calls import OWN, Calls
from ar_connectors.netsuite.writeback_fields import field_problems
from ar_connectors.netsuite.writeback_rights import NEEDED
from ar_connectors.netsuite.writeback_scope import WriteOptions

__all__ = ["write_problems"]

_ONE: Final = {
    "invoice": "SELECT MAX(t.id) AS id FROM transaction t WHERE t.type = 'CustInvc'",
    "customer": "SELECT MAX(c.id) AS id FROM customer c",
}
"""One record of each kind."""


def write_problems(client: NetSuiteClient, options: WriteOptions) -> list[str]:
    """What stands in the way, a sentence for each: rights that the role lacks, custom fields that are not what they must be. A few
    calls. Raises what says nothing about rights (AuthError, TransientError, ...)."""
    return [*_rights(client, options), *field_problems(client, options.fields)]


def _rights(client: NetSuiteClient, options: WriteOptions) -> Iterator[str]:
    try:
        Calls(client, options.kind).activity(f"{OWN}check")
    except PermissionDenied as error:
        yield f"nothing can be written: {NEEDED[options.kind.record]} is missing ({error.message})"
    for record, statement in _ONE.items():
        try:
            rows = client.rows(statement, f"find a {record}")
        except PermissionDenied:
            continue  # what cannot be seen is told by `read_problems`
        try:
            if rows and "id" in rows[0]:
                client.record(record, rows[0]["id"], f"read {record}", ("id",))
        except PermissionDenied as error:
            what = "promised dates" if record == "invoice" else "order holds"
            yield f"{what} cannot be written: {NEEDED[record]} is missing ({error.message})"
        except RejectedError:
            continue  # it is locked, or gone by now: that says nothing about the role
