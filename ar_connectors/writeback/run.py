"""How far does one worker bring the commands that it has claimed? Each to its end, or back to where it stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from ar_connectors.clock import Clock
from ar_connectors.connector import Connector, PendingWrite, Placement, PlacesTogether, StoreView, Support
from ar_connectors.errors import ARError, LeaseLost
from ar_connectors.events import Observer, WriteFinished
from ar_connectors.http import writes_until
from ar_connectors.store.contract import ClaimedWrite, OutboxStore, Receipt, WriteState
from ar_connectors.writeback.outcome import Decision, DeliveryRules, after_look, after_send, settled_at

__all__ = ["TOGETHER", "Delivery", "DeliveryStore"]

TOGETHER: Final = 50
"""At most so many commands are sent together. The last of them must have its turn before its claim runs out."""

_Name = tuple[str, str]
_After = Callable[[ARError, PendingWrite, datetime, DeliveryRules], Decision]


class DeliveryStore(OutboxStore, Protocol):
    """The outbox, and what an adapter may look up while it writes."""

    def view(self, connection_id: str) -> StoreView:
        """Read access for the adapter."""
        ...


@dataclass(slots=True)
class Delivery:
    """One worker's run: an adapter, an outbox, a clock; and what has come of it so far."""

    connector: Connector
    store: DeliveryStore
    clock: Clock
    observer: Observer | None
    rules: DeliveryRules
    receipts: dict[_Name, Receipt] = field(default_factory=dict)
    """Of every command that was touched, as it stands now; by type and key."""
    _held: dict[_Name, ClaimedWrite] = field(default_factory=dict)
    """Claims that this run still has to close or to give back."""
    _out: set[_Name] = field(default_factory=set)
    """Those of them of which bytes may be on their way."""
    _failures: int = 0
    """Passing failures in a row."""
    _stopped: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing more is to be tried: a quota is used up, or the platform is not well."""
        return self._stopped or self._failures >= self.rules.failures_in_a_row

    @contextmanager
    def holding(self, claims: Sequence[ClaimedWrite]) -> Iterator[None]:
        """Inside, these claims are this run's. At the end, however it comes, what was not closed is left as it was, and nobody is
        told, for nothing happened; but a command of which bytes may be out has to be looked for."""
        self._held = {_name(claim): claim for claim in claims}
        self._out.clear()
        try:
            yield
        finally:
            for name, claim in list(self._held.items()):
                if name in self._out:
                    self._close(claim, WriteState.UNKNOWN)
                else:
                    with suppress(LeaseLost):  # then it is another worker's already
                        self.store.finish_write(claim, claim.state_before)

    def send(self, claims: Sequence[ClaimedWrite]) -> None:
        """Bring claims that are held as far as they get, until the run is over. Raises AuthError and ConfigurationError, after the
        commands that met them were closed."""
        for group in self._groups(claims):
            if self.over:
                return
            if self._has_no_place(group[0].write):
                self._close(group[0], WriteState.LOCAL)
                continue
            absent = self._absent([one for one in group if one.state_before is WriteState.UNKNOWN])
            going = [one for one in group if one.state_before is not WriteState.UNKNOWN or one in absent]
            if not self.over:
                self._place([one for one in going if self._marked(one)])

    def look(self, claims: Sequence[ClaimedWrite]) -> None:
        """Look for the unknown among claims that are held, until the run is over; what certainly did not happen is planned again.
        Raises as `send` does."""
        for group in self._groups([one for one in claims if one.state_before is WriteState.UNKNOWN]):
            if self.over:
                return
            for claim in self._absent(group):
                self._close(claim, WriteState.PLANNED)

    def _groups(self, claims: Sequence[ClaimedWrite]) -> list[list[ClaimedWrite]]:
        """Commands that are sent together, each group where its first one stands; any other is alone."""
        connector, groups, open_one = self.connector, list[list[ClaimedWrite]](), list[ClaimedWrite]()
        for claim in claims:
            if not (isinstance(connector, PlacesTogether) and connector.together(claim.write)):
                groups.append([claim])
                continue
            if not open_one or len(open_one) == TOGETHER:
                open_one = []
                groups.append(open_one)
            open_one.append(claim)
        return groups

    def _has_no_place(self, write: PendingWrite) -> bool:
        return self.connector.capabilities.commands.get(write.command.type) is Support.NONE

    def _absent(self, group: Sequence[ClaimedWrite]) -> list[ClaimedWrite]:
        """Look for earlier attempts. Returns those that certainly did not happen; what was found, or cannot be told, is closed."""
        view, writes = self.store.view(self.connector.id), [claim.write for claim in group]
        finds: Sequence[Callable[[], Sequence[Placement] | None]] = [
            partial(self.connector.find, write, view) for write in writes
        ]
        if len(group) > 1 and isinstance(self.connector, PlacesTogether):
            try:
                finds = self.connector.find_together(writes, view)
            except ARError as error:
                self._failed(group, after_look, error)
                return []
        absent = []
        for claim, find in zip(group, finds, strict=True):
            if self.over:
                break
            try:
                placements = find()
            except ARError as error:
                self._failed([claim], after_look, error)
                continue
            settled = settled_at(claim.write, self.rules)
            if placements is not None:
                self._done(claim, placements)
            elif settled is not None and settled > self.clock.now():
                self._close(claim, WriteState.UNKNOWN, not_before=settled)
            else:
                absent.append(claim)
        return absent

    def _marked(self, claim: ClaimedWrite) -> bool:
        """Durably note that bytes may go out; False where it is too late to send, or another worker has taken it over."""
        if self.clock.now() >= claim.claim_until - self.rules.settle:
            return False  # claimed anew it has its whole time again
        try:
            self.store.mark_sending(claim)
        except LeaseLost:
            self._held.pop(_name(claim), None)
            return False
        self._out.add(_name(claim))
        return True

    def _place(self, group: Sequence[ClaimedWrite]) -> None:
        """Send commands that were marked."""
        if not group:
            return
        # Each as it was claimed: its `first_sent_at` is None on a first attempt, which needs no look.
        view, writes = self.store.view(self.connector.id), [claim.write for claim in group]
        until = min(claim.claim_until for claim in group) - self.rules.settle
        places: Sequence[Callable[[], Sequence[Placement]]] = [
            partial(self.connector.place, write, view) for write in writes
        ]
        if len(group) > 1 and isinstance(self.connector, PlacesTogether):
            try:
                with writes_until(until):
                    places = self.connector.place_together(writes, view)
            except ARError as error:
                self._failed(group, after_send, error)
                return
            # All that went out was answered. What is missing is sent, or, if its turn does not come, a second attempt: it looks first.
            self._out.difference_update(map(_name, group))
        for claim, place in zip(group, places, strict=True):
            if self.over:
                return
            self._out.add(_name(claim))
            try:
                with writes_until(until):
                    placements = place()
            except ARError as error:
                self._failed([claim], after_send, error)
            else:
                self._done(claim, placements)

    def _done(self, claim: ClaimedWrite, placements: Sequence[Placement]) -> None:
        self._failures = 0
        self._close(claim, WriteState.CONFIRMED, placements)

    def _failed(self, group: Sequence[ClaimedWrite], after: _After, error: ARError) -> None:
        """Close commands that met a failure. Raises it where a person has to act."""
        decisions = [after(error, claim.write, self.clock.now(), self.rules) for claim in group]
        # What met them all is one failure, not many in a row.
        self._failures = self._failures + 1 if any(one.passing for one in decisions) else 0
        self._stopped |= any(one.stop for one in decisions)
        for claim, decision in zip(group, decisions, strict=True):
            self._close(claim, decision.state, error=error, not_before=decision.not_before)
        if any(one.give_to_caller for one in decisions):
            raise error

    def _close(
        self,
        claim: ClaimedWrite,
        state: WriteState,
        placements: Sequence[Placement] = (),
        error: ARError | None = None,
        not_before: datetime | None = None,
    ) -> None:
        name = _name(claim)
        self._held.pop(name, None)
        try:
            receipt = self.store.finish_write(
                claim, state, placements, None if error is None else error.to_json(), not_before
            )
        except LeaseLost:
            # Another worker took it over while we were away; it looks for what we did, and its receipt counts.
            return
        self.receipts[name] = receipt
        if self.observer is not None:
            self.observer(
                WriteFinished(
                    platform=self.connector.platform,
                    tenant=self.connector.tenant,
                    command_type=name[0],
                    key=name[1],
                    state=str(state),
                )
            )


def _name(claim: ClaimedWrite) -> _Name:
    return claim.write.command.type, claim.write.command.key
