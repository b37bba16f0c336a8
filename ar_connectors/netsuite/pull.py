"""In what order is an account read? What settles first, then what it settles, then the customers, whose balance both make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ar_connectors.clock import Clock
from ar_connectors.connector import Fetch, StoreView, StreamSpec
from ar_connectors.errors import UnsupportedOperation
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.company import (
    MAX_AGE,
    REFERENCE,
    Wishes,
    company_of,
    missing_reference,
    read_company,
)
from ar_connectors.netsuite.deletions import DELETED, pull_deletions
from ar_connectors.netsuite.estimates import ESTIMATE, pull_estimates
from ar_connectors.netsuite.marks import Marks
from ar_connectors.netsuite.own_activities import ACTIVITY, pull_activities
from ar_connectors.netsuite.passes import TableReading
from ar_connectors.netsuite.tables import TABLES
from ar_core.model import RecordKind

__all__ = ["STREAMS", "pull"]

_AFTER: Final[Mapping[str, tuple[str, ...]]] = {
    "payment": (),
    "credit_memo": (),
    "journal": (),
    "application": ("payment", "credit_memo", "journal"),
    "invoice": ("application",),
    "customer": ("invoice", DELETED),
    "contact": ("customer",),
}
"""What settles is read before what it settles, and both before the customers, whose balance they make."""

STREAMS: Final[tuple[StreamSpec, ...]] = (
    StreamSpec(REFERENCE, (RecordKind.ORGANIZATION,)),
    *(
        StreamSpec(name, TABLES[name].kinds, after=(REFERENCE, *before))
        for name, before in _AFTER.items()
        if name not in {"customer", "contact"}
    ),
    StreamSpec(DELETED, (), after=(REFERENCE, "invoice")),
    StreamSpec("customer", TABLES["customer"].kinds, after=(REFERENCE, "invoice", DELETED)),
    StreamSpec("contact", TABLES["contact"].kinds, after=(REFERENCE, "customer")),
    StreamSpec(ESTIMATE, (RecordKind.PROMISE,), after=(REFERENCE, "invoice")),
    StreamSpec(ACTIVITY, (RecordKind.PROMISE, RecordKind.DISPUTE), after=(REFERENCE, "invoice")),
)
"""All streams, in reading order."""


def pull(
    client: NetSuiteClient, clock: Clock, stream: str, view: StoreView, wishes: Wishes, marks: Marks
) -> Iterator[Sequence[Fetch]]:
    """What to ask next for a stream; see `Connector.pull`. `marks`: this connection's; they are forgotten with `reference`, which
    begins a run. Raises UnsupportedOperation for a stream there is not."""
    company = company_of(view.cursor(REFERENCE))
    if stream == REFERENCE:
        marks.forget()
        now = clock.now()
        if company is None or now - company.read_at > MAX_AGE or not company.suits(wishes):
            yield [Fetch("reference data", lambda: read_company(client, wishes, now, company))]
        return
    if company is None:
        raise missing_reference(client.tenant, stream)
    if stream == DELETED:
        yield from pull_deletions(client, company, view, lambda: marks.take(DELETED, company).changed)
    elif stream == ESTIMATE:
        yield from pull_estimates(client, company, view)
    elif stream == ACTIVITY:
        yield from pull_activities(client, company, view)
    elif stream in TABLES:
        if stream == "contact" and "contact" not in company.features:
            return
        yield from TableReading(client, company, TABLES[stream], view, marks).run()
    else:
        raise UnsupportedOperation(
            f"there is no stream {stream!r}",
            platform=PLATFORM,
            tenant=client.tenant,
            operation="pull",
            advice="the streams are " + ", ".join(spec.name for spec in STREAMS),
        )
