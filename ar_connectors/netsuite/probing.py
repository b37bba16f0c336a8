"""What do this account and this role have? Features, optional columns and the session's clock, found by asking (quirks.md#ns-33, #ns-34).

Nothing here is assumed from documentation: a table that "was not found" is a feature that is off or a right that is missing, a column
that is refused is left out, and the zone of SuiteQL's times is known only where a record has proven it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ar_connectors.errors import ARError, PermissionDenied, RejectedError, TransientError
from ar_connectors.netsuite.client import NetSuiteClient, rows_in
from ar_connectors.netsuite.faults import UnknownColumn
from ar_connectors.netsuite.limits import NETSUITE_LIMITS
from ar_connectors.netsuite.suiteql import identifier, moment
from ar_connectors.netsuite.tables import Schema, lines_select

__all__ = [
    "AT_ONCE",
    "FEATURES",
    "KEY_SUM",
    "answers",
    "optional_columns",
    "proven_zone",
    "told",
    "zone_named",
]

AT_ONCE: Final = NETSUITE_LIMITS.max_in_flight
"""Small questions asked side by side: no more than an account allows (quirks.md#ns-37)."""

KEY_SUM: Final = "key_sum"
"""The feature that keys can be added up: what was read by place is proven by their sum."""

FEATURES: Final[dict[str, str]] = {
    KEY_SUM: "SELECT SUM(t.id) AS id FROM transaction t WHERE t.id = -1",
    "line": lines_select(Schema()).having("tl.transaction = -1").sql(),
    "book": (
        "SELECT tal.accountingbook AS id FROM transactionaccountingline tal WHERE tal.transaction = -1 ORDER BY tal.transaction ASC"
    ),
    "address": (
        "SELECT ab.entity AS id, a.addr1 AS addr1, a.addr2 AS addr2, a.city AS city, a.state AS state, a.zip AS zip, "
        "a.country AS country FROM customerAddressbook ab JOIN customerAddressbookEntityAddress a ON a.nkey = ab.addressbookaddress "
        "WHERE ab.entity = -1 AND ab.defaultbilling = 'T' ORDER BY ab.entity ASC"
    ),
    "phonecall": (
        "SELECT p.id AS id, p.externalid AS externalid, p.message AS message, p.lastmodifieddate AS changed "
        "FROM phonecall p WHERE p.id = -1 ORDER BY p.id ASC"
    ),
    "task": (
        "SELECT p.id AS id, p.externalid AS externalid, p.message AS message, p.lastmodifieddate AS changed "
        "FROM task p WHERE p.id = -1 ORDER BY p.id ASC"
    ),
}
"""Feature -> the smallest question that only an account with it answers. Tables whose rows are read whole tell by themselves."""


def answers(client: NetSuiteClient, statement: str, operation: str) -> bool:
    """Whether the account answers a question: whether it, and the role, has all that is named in it."""
    return told(client, (statement,), operation, limit=1) is not None


def told(
    client: NetSuiteClient, statements: Sequence[str], operation: str, limit: int | None = None
) -> list[dict[str, str]] | None:
    """The rows of the first of these statements that the account understands; None where it has no such table, or the role may not
    see it. `limit`: one small page is enough. Raises what says nothing about rights and features."""
    for statement in statements:
        try:
            if limit is not None:
                return rows_in(client.query(statement, operation, limit=limit))
            return client.rows(statement, operation)
        except UnknownColumn:
            continue
        except PermissionDenied:  # an unknown table is one
            return None
        except TransientError as error:
            # A column or table it does not know is now and then "an unexpected error", every time it is asked.
            if error.platform_code != "UNEXPECTED_ERROR":
                raise
    return None


def optional_columns(client: NetSuiteClient, table: str, names: Sequence[str]) -> frozenset[str]:
    """Which of these columns a table has: all in one call where it has all, else those that are refused by name are left out, else
    each is asked for by itself."""
    wanted = [identifier(one) for one in names]
    while wanted:
        try:
            client.query(_columns(table, wanted), f"probe columns of {table}", limit=1)
        except UnknownColumn as error:
            refused = {(one.field or "").rpartition(".")[2].lower() for one in error.field_errors}
            if refused.isdisjoint(wanted):
                return _one_by_one(client, table, wanted)
            wanted = [one for one in wanted if one not in refused]
        except (RejectedError, TransientError):
            return _one_by_one(client, table, wanted)
        else:
            return frozenset(wanted)
    return frozenset()


def _one_by_one(client: NetSuiteClient, table: str, names: Sequence[str]) -> frozenset[str]:
    return frozenset(
        name for name in names if answers(client, _columns(table, [name]), f"probe {table}.{name}")
    )


def _columns(table: str, names: Sequence[str]) -> str:
    listed = ", ".join(f"x.{name} AS {name}" for name in names)
    return f"SELECT {listed} FROM {identifier(table)} x WHERE x.id = -1 ORDER BY x.id ASC"  # noqa: S608 - checked names


def zone_named(name: Any) -> tzinfo | None:
    """The zone of an IANA name; None for what is none."""
    if not isinstance(name, str) or not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def proven_zone(client: NetSuiteClient, company_zone: tzinfo | None) -> str | None:
    """In which zone SuiteQL tells times: `UTC`, or `company`; None where it could not be proven.

    The customer that changed last is read twice: SuiteQL's local time and REST's UTC of one and the same change. Two calls; a role
    that may not read a customer by REST proves nothing, and nothing depends on it but instants that are told to people.
    """
    statement = (
        f"SELECT c.id AS id, {moment('c.lastmodifieddate')} AS changed FROM customer c "  # noqa: S608 - constants
        "WHERE c.lastmodifieddate = (SELECT MAX(o.lastmodifieddate) FROM customer o) ORDER BY c.id ASC"
    )
    try:
        rows = rows_in(client.query(statement, "read the session's clock", limit=1))
        if not rows or "changed" not in rows[0]:
            return None
        document = client.record(
            "customer", rows[0]["id"], "read a customer's last change", ("lastModifiedDate",)
        )
        local = datetime.fromisoformat(rows[0]["changed"])
        exact = datetime.fromisoformat(str(document.get("lastModifiedDate"))).astimezone(UTC)
    except (ARError, ValueError):
        return None
    # REST tells whole minutes in some accounts.
    if _minutes_apart(local.replace(tzinfo=UTC), exact) < 1:
        return "UTC"
    if (
        company_zone is not None
        and _minutes_apart(local.replace(tzinfo=company_zone).astimezone(UTC), exact) < 1
    ):
        return "company"
    return None


def _minutes_apart(one: datetime, other: datetime) -> float:
    return abs((one - other).total_seconds()) / 60
