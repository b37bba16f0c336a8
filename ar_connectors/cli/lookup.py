"""What does a person mean? Customers by name, number or id; invoices by number or id; policies by preset or file."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

import click

from ar_connectors.errors import ConfigurationError
from ar_core import Customer, Invoice, Policy, PolicyError, Promise, Snapshot, load_policy

__all__ = [
    "customer_option",
    "find_customer",
    "find_invoice",
    "find_invoice_of",
    "find_open_promise",
    "read_policy",
]

T = TypeVar("T")


def customer_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The `--customer` option of a verb that needs one."""
    return click.option("--customer", required=True, help="Name, number or id of the customer.")(function)


def find_customer(snapshot: Snapshot, wanted: str) -> Customer:
    """The customer with this id, number or name (case ignored), or whose name alone contains the text. Raises ConfigurationError."""
    text = wanted.casefold()
    exact = [
        one
        for one in snapshot.customers
        if wanted in (one.id, one.number, _remote_id(one)) or one.name.casefold() == text
    ]
    found = exact or [one for one in snapshot.customers if text in one.name.casefold()]
    if not found:
        names = {one.name.casefold(): one.name for one in snapshot.customers}
        near = [names[name] for name in get_close_matches(text, names, n=3, cutoff=0.6)]
        if near:
            raise ConfigurationError(
                f"there is no customer {wanted!r}", advice=f"did you mean {' or '.join(near)}?"
            )
    return _only(found, "customer", wanted, [f"{one.name} ({one.id})" for one in found])


def find_invoice(snapshot: Snapshot, wanted: str) -> Invoice:
    """The invoice with this id or number. Raises ConfigurationError when there is none or several."""
    found = [one for one in snapshot.invoices if wanted in (one.id, one.number)]
    if not found:
        found = [one for one in snapshot.invoices if _remote_id(one) == wanted]
    return _only(found, "invoice", wanted, [one.id for one in found])


def find_invoice_of(snapshot: Snapshot, wanted: str, party: Customer) -> Invoice:
    """The invoice with this id or number, which must be the customer's own or that of one below it (a parent may pay for a
    child). Raises ConfigurationError."""
    found = find_invoice(snapshot, wanted)
    customers = {one.id: one for one in snapshot.customers}
    owner, seen = customers.get(found.customer_id or ""), set[str]()
    name = owner.name if owner is not None else "another customer"
    while owner is not None and owner.id not in seen:
        if owner.id == party.id:
            return found
        seen.add(owner.id)
        owner = customers.get(owner.parent_id or "")
    raise ConfigurationError(
        f"invoice {found.number or found.id} is {name}'s, not {party.name}'s",
        advice=f"name {name} as the customer, or another invoice",
    )


def find_open_promise(snapshot: Snapshot, invoice_id: str) -> Promise:
    """The latest promise on an invoice that is neither withdrawn nor superseded. Raises ConfigurationError."""
    found = [
        one
        for one in snapshot.promises
        if invoice_id in one.invoice_ids and one.withdrawn_on is None and one.superseded_by is None
    ]
    if not found:
        raise ConfigurationError(
            f"invoice {invoice_id} has no open promise", advice="see `ar-connectors explain`"
        )
    return max(found, key=lambda one: (str(one.given_on or ""), str(one.recorded_at or ""), one.id))


def _remote_id(record: Customer | Invoice) -> str | None:
    return record.source.remote_id if record.source else None


def _only(found: list[T], what: str, wanted: str, names: list[str]) -> T:
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigurationError(
            f"there is no {what} {wanted!r}", advice="check the spelling, or run `ar-connectors sync` first"
        )
    raise ConfigurationError(
        f"{len(found)} {what}s fit {wanted!r}",
        advice=f"name one by id: {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}",
    )


def read_policy(name: str) -> Policy:
    """The policy of a preset's name or a file. Raises ConfigurationError, with the place in the policy."""
    try:
        return load_policy(name)
    except PolicyError as error:
        raise ConfigurationError(
            str(error), advice="see `ar-connectors policy list`, or correct the file"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"the policy {name!r} cannot be read: {error}") from error
