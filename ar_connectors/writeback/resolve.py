"""Find out what became of commands whose outcome is unknown. Nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ar_connectors.clock import Clock
from ar_connectors.connector import Connector
from ar_connectors.events import Observer
from ar_connectors.store.contract import Receipt, WriteState
from ar_connectors.writeback.deliver import CLAIM_TTL
from ar_connectors.writeback.outcome import DeliveryRules
from ar_connectors.writeback.run import Delivery, DeliveryStore

__all__ = ["resolve"]

_MOST = 10_000
"""Commands claimed in one go: one per subject, so this is a number of invoices and customers."""


def resolve(
    connector: Connector,
    store: DeliveryStore,
    *,
    owner: str,
    clock: Clock,
    observer: Observer | None = None,
    claim_ttl: timedelta = CLAIM_TTL,
    rules: DeliveryRules | None = None,
) -> Sequence[Receipt]:
    """Look in the ERP for every command in state UNKNOWN that is due for a look.

    Found: confirmed. Certainly not there: planned again, for the next `deliver`. Cannot be told: unknown still. Returns
    the receipts of the commands looked for and of all that are still unknown.

    Raises:
        AuthError, ConfigurationError: as in `deliver`.
    """
    run = Delivery(connector, store, clock, observer, rules or DeliveryRules())
    claims = store.claim_writes(connector.id, owner, claim_ttl, _MOST)
    with run.holding(claims):
        run.look(claims)
    receipts = dict(run.receipts)
    for receipt in store.receipts(connector.id, WriteState.UNKNOWN):
        receipts.setdefault((receipt.command_type, receipt.key), receipt)
    return tuple(receipts.values())
