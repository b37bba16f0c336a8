"""May the role read everything that a sync reads? Table by table, with what an administrator has to give (quirks.md#ns-33).

NetSuite says of a table that the role may not see that it "was not found", and a sync leaves out what an account can do without: so that
nobody has to guess why contacts are missing, each table is asked for by itself.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ar_connectors.errors import PermissionDenied, RejectedError
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.suiteql import identifier

__all__ = ["NEEDED", "Need", "read_problems"]


class Need(NamedTuple):
    """One table of SuiteQL, its key, the permission behind it, and what is missing without it."""

    table: str
    key: str
    permission: str
    without: str


NEEDED: Final = (
    Need("customer", "id", "Lists > Customers: View", "nothing can be read"),
    Need("transaction", "id", "Transactions > Find Transaction: View", "nothing can be read"),
    Need("transactionline", "transaction", "Transactions > Find Transaction: View", "subsidiaries and journals cannot be read"),
    Need(
        "transactionaccountingline", "transaction", "Transactions > Find Transaction: View and Lists > Accounts: View",
        "journals and the accounts of credit memos cannot be read",
    ),
    Need("nexttransactionlinelink", "nextdoc", "Transactions > Find Transaction: View", "nobody can tell what a payment pays"),
    Need("currency", "id", "Lists > Currency: View (or the feature Multiple Currencies is off)", "currencies of documents stay unknown"),
    Need("term", "id", "Lists > Accounting Lists: View", "payment terms have no days"),
    Need("account", "id", "Lists > Accounts: View", "accounts for bad debts are not recognized"),
    Need("contact", "id", "Lists > Contacts: View", "contact persons are missing"),
    Need("deletedrecord", "recordid", "Setup > Deleted Records: View", "deletions are only found by comparing all ids"),
)  # fmt: skip
"""In the order of their weight. `subsidiary` and `accountingbook` are not here: most accounts have no such feature."""


def read_problems(client: NetSuiteClient) -> list[str]:
    """A sentence for each right that the role lacks; a call a table. Raises what says nothing about rights (AuthError, ...)."""
    found = []
    for need in NEEDED:
        table, key = identifier(need.table), identifier(need.key)
        statement = f"SELECT x.{key} AS id FROM {table} x WHERE x.{key} = -1 ORDER BY x.{key} ASC"  # noqa: S608 - constants
        try:
            client.query(statement, f"check {table}", limit=1)
        except (PermissionDenied, RejectedError) as error:
            found.append(f"{need.without}: {need.permission} is missing ({error.message})")
    return found
