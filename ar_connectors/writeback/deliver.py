"""Send what is due, with exactly one effect each.

The order of things is the whole point. A command is claimed; that bytes may go out is made durable; then they go out;
then the outcome is made durable. Whatever happens in between, the next worker finds a command that is planned (nothing
was sent) or unknown (something may have been), and an unknown one is looked for before anything is sent again.

A claim is for sending only as long as whatever is sent has settled when it ends: who takes the command over then looks for
something that is there or will never be.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ar_connectors.clock import Clock
from ar_connectors.connector import Connector, Placement, StoreView, Support
from ar_connectors.errors import ARError, LeaseLost
from ar_connectors.events import Observer, WriteFinished
from ar_connectors.http import writes_until
from ar_connectors.store.contract import ClaimedWrite, OutboxStore, Receipt, WriteState
from ar_connectors.writeback.outcome import Decision, DeliveryRules, after_look, after_send, settled_at

__all__ = ["CLAIM_TTL", "Delivery", "DeliveryStore", "Step", "deliver"]

CLAIM_TTL = timedelta(minutes=10)
"""Longer than any single call with its retries and `DeliveryRules.settle` together: nothing is sent in the last part of it."""


_BATCH = 10
"""Commands claimed in one go. Few, so that the last one's turn comes before its claim runs out."""


class DeliveryStore(OutboxStore, Protocol):
    """The outbox, and what an adapter may look up while it writes."""

    def view(self, connection_id: str) -> StoreView:
        """Read access for the adapter."""
        ...


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
    """Deliver at most `limit` due commands of a connection, in the order they were recorded, one per subject at a time.

    `owner` names this worker, uniquely. Returns one receipt for each command touched, as it stands at the end; it
    never sleeps: what has to wait is left in the outbox with the time from which it is due.

    Raises:
        AuthError, ConfigurationError: a person has to act; the command at hand is planned (or still unknown) as before,
            and everything behind it was left alone.
    """
    run = Delivery(connector, store, clock, observer, rules or DeliveryRules())
    receipts: dict[tuple[str, str], Receipt] = {}
    seen: set[tuple[str, str, WriteState]] = set()
    failures = 0
    while len(receipts) < limit and failures < run.rules.failures_in_a_row:
        claims = list(store.claim_writes(connector.id, owner, claim_ttl, min(_BATCH, limit - len(receipts))))
        # A command may come twice in a run (sent, then looked for), not more often: that is for the next run.
        fresh = [claim for claim in claims if _visit(claim) not in seen]
        ended = not fresh
        try:
            while fresh and not ended:
                claim = fresh.pop(0)
                claims.remove(claim)
                seen.add(_visit(claim))
                step = run.send(claim)
                if step.receipt is not None:
                    receipts[step.receipt.command_type, step.receipt.key] = step.receipt
                failures = failures + 1 if step.passing else 0
                ended = step.stop or failures >= run.rules.failures_in_a_row
        finally:
            for claim in claims:
                run.give_back(claim)
        if ended:
            break
    return tuple(receipts.values())


def _visit(claim: ClaimedWrite) -> tuple[str, str, WriteState]:
    return claim.write.command.type, claim.write.command.key, claim.state_before


@dataclass(frozen=True, slots=True)
class Step:
    """What one claimed command came to; `receipt` is None when another worker had taken it over."""

    receipt: Receipt | None
    passing: bool = False
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One worker's means: an adapter, an outbox, a clock."""

    connector: Connector
    store: DeliveryStore
    clock: Clock
    observer: Observer | None
    rules: DeliveryRules

    def send(self, claim: ClaimedWrite) -> Step:
        """Bring one claimed command as far as it gets. Raises AuthError and ConfigurationError, after closing the claim."""
        write = claim.write
        if self.connector.capabilities.commands.get(write.command.type) is Support.NONE:
            return self._close(claim, WriteState.LOCAL)
        if claim.state_before is WriteState.UNKNOWN:
            step = self.look(claim)
            if step is not None:
                return step
        until = claim.claim_until - self.rules.settle
        if self.clock.now() >= until:
            # Too late to send; claimed anew it has its whole time again.
            self.give_back(claim)
            return Step(None)
        try:
            sending = self.store.mark_sending(claim)
        except LeaseLost:
            return Step(None)
        try:
            # `write` as it was claimed: its `first_sent_at` is None on a first attempt, which needs no look.
            with writes_until(until):
                placements = self.connector.place(write, self._view())
        except ARError as error:
            return self._failed(sending, after_send(error, write, self.clock.now(), self.rules), error)
        except BaseException:
            # A defect or a stop in the middle of a call: bytes may be out, so it has to be looked for.
            self._close(sending, WriteState.UNKNOWN)
            raise
        return self._close(sending, WriteState.CONFIRMED, placements)

    def look(self, claim: ClaimedWrite) -> Step | None:
        """Look for an earlier attempt. None: it certainly did not happen, so the command may be sent."""
        write = claim.write
        try:
            placements = self.connector.find(write, self._view())
        except ARError as error:
            return self._failed(claim, after_look(error, write, self.clock.now(), self.rules), error)
        if placements is not None:
            return self._close(claim, WriteState.CONFIRMED, placements)
        settled = settled_at(write, self.rules)
        if settled is not None and settled > self.clock.now():
            return self._close(claim, WriteState.UNKNOWN, not_before=settled)
        return None

    def give_back(self, claim: ClaimedWrite) -> None:
        """Leave a claimed command as it was; nobody is told, for nothing happened."""
        with suppress(LeaseLost):  # then it is another worker's already
            self.store.finish_write(claim, claim.state_before)

    def plan_again(self, claim: ClaimedWrite) -> Step:
        """An unknown command that certainly did not happen is planned again."""
        return self._close(claim, WriteState.PLANNED)

    def _failed(self, claim: ClaimedWrite, decision: Decision, error: ARError) -> Step:
        step = self._close(claim, decision.state, error=error, not_before=decision.not_before)
        if decision.give_to_caller:
            raise error
        return Step(step.receipt, decision.passing, decision.stop)

    def _close(
        self,
        claim: ClaimedWrite,
        state: WriteState,
        placements: Sequence[Placement] = (),
        error: ARError | None = None,
        not_before: datetime | None = None,
    ) -> Step:
        try:
            receipt = self.store.finish_write(
                claim, state, placements, None if error is None else error.to_json(), not_before
            )
        except LeaseLost:
            # Another worker took it over while we were away; it looks for what we did, and its receipt counts.
            return Step(None)
        if self.observer is not None:
            command = claim.write.command
            self.observer(
                WriteFinished(
                    platform=self.connector.platform,
                    tenant=self.connector.tenant,
                    command_type=command.type,
                    key=command.key,
                    state=str(state),
                )
            )
        return Step(receipt)

    def _view(self) -> StoreView:
        return self.store.view(self.connector.id)
