"""Send what is due, with exactly one effect each.

The order of things is the whole point. A command is claimed; that bytes may go out is made durable; then they go out;
then the outcome is made durable. Whatever happens in between, the next worker finds a command that is planned (nothing
is on its way) or unknown (something may be), and an unknown one is looked for before anything is sent again.

A claim is for sending only as long as whatever is sent has settled when it ends: who takes the command over then looks for
something that is there or will never be.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ar_connectors.clock import Clock
from ar_connectors.connector import Connector, PlacesTogether
from ar_connectors.events import Observer
from ar_connectors.store.contract import ClaimedWrite, Receipt, WriteState
from ar_connectors.writeback.outcome import DeliveryRules
from ar_connectors.writeback.run import TOGETHER, Delivery, DeliveryStore

__all__ = ["CLAIM_TTL", "deliver"]

CLAIM_TTL = timedelta(minutes=10)
"""Longer than any single call with its retries and `DeliveryRules.settle` together: nothing is sent in the last part of it."""


_ALONE = 10
"""Commands claimed in one go where each is sent alone. Few, so that the last one's turn comes before its claim runs out."""


def deliver(
    connector: Connector,
    store: DeliveryStore,
    *,
    owner: str,
    clock: Clock,
    observer: Observer | None = None,
    limit: int = 1000,
    claim_ttl: timedelta = CLAIM_TTL,
    rules: DeliveryRules | None = None,
) -> Sequence[Receipt]:
    """Deliver at most `limit` due commands of a connection, in the order they were recorded, one per subject at a time; those that
    cost fewer calls together (`PlacesTogether`), together.

    `owner` names this worker, uniquely. Returns one receipt for each command touched, as it stands at the end; it
    never sleeps: what has to wait is left in the outbox with the time from which it is due.

    Raises:
        AuthError, ConfigurationError: a person has to act; the command at hand is planned (or still unknown) as before,
            and everything behind it was left alone.
    """
    run = Delivery(connector, store, clock, observer, rules or DeliveryRules())
    at_once = TOGETHER if isinstance(connector, PlacesTogether) else _ALONE
    seen: set[tuple[str, str, WriteState]] = set()
    while not run.over and len(run.receipts) < limit:
        claims = store.claim_writes(connector.id, owner, claim_ttl, min(at_once, limit - len(run.receipts)))
        # A command may come twice in a run (sent, then looked for), not more often: that is for the next run.
        fresh = [claim for claim in claims if _visit(claim) not in seen]
        seen |= {_visit(claim) for claim in fresh}
        with run.holding(claims):
            run.send(fresh)
        if not fresh:
            break
    return tuple(run.receipts.values())


def _visit(claim: ClaimedWrite) -> tuple[str, str, WriteState]:
    return claim.write.command.type, claim.write.command.key, claim.state_before
