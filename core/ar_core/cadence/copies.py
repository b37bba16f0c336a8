"""What was asked for goes out: a copy of an invoice, before any reminder.

(R63, E27, E28, E29, E37, E48, docs/rules.md)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Final

from ar_core.cadence.channels import Address, Directory, NoWay
from ar_core.cadence.codes import Code
from ar_core.cadence.content import COPY, SEND_COPY
from ar_core.cadence.covers import covered_invoice, lead_order, preconditions_of
from ar_core.cadence.figures import outbound
from ar_core.cadence.history import UNREACHED
from ar_core.cadence.holds import Reply
from ar_core.cadence.plan import PlanStep
from ar_core.cadence.policy import Actor, Capabilities, Purpose, Rung, Step, Tone
from ar_core.cadence.records import Action, ActionKind, DispositionKind
from ar_core.cadence.run import Slot
from ar_core.cadence.state import Draft, Item, Note, State
from ar_core.cadence.tasks import raise_task
from ar_core.model.activity import Intent, Touch, TouchOutcome
from ar_core.model.parties import Channel

__all__ = ["Copy", "answer_replies"]

_COPY: Final = PlanStep(
    Step(
        id=SEND_COPY,
        at=0,
        channels=(Channel.EMAIL, Channel.WHATSAPP, Channel.LETTER),
        purpose=Purpose.SEND_COPY,
        attach=("invoice",),
        tone=Tone.FRIENDLY,
        origin="R63",
    ),
    Capabilities(),
)


class Copy(Draft):
    """A document the customer asked for."""

    __slots__ = ("found", "items", "occurrence", "slot")

    def __init__(self, key: str, items: Sequence[Item], found: Address, occurrence: int, slot: Slot) -> None:
        super().__init__(key, ActionKind.TOUCH, Code.COPY_REQUESTED, step=SEND_COPY, address=found.address)
        self.items, self.found, self.occurrence, self.slot = items, found, occurrence, slot

    def write(self, state: State) -> Action:
        """The full action, without the account's score."""
        lead, found = self.items[0], self.found
        covers = tuple(covered_invoice(state, item, SEND_COPY) for item in self.items)
        return Action.trusted(
            key=self.key,
            kind=ActionKind.TOUCH,
            code=Code.COPY_REQUESTED,
            customer_id=state.facts.id,
            subsidiary_id=lead.invoice.subsidiary_id,
            step=SEND_COPY,
            purpose=Purpose.SEND_COPY,
            stage=lead.template.stage_name,
            rung=state.rung,
            channel=found.channel,
            fallbacks=found.fallbacks,
            actor=_actor(state),
            contact_id=found.contact_id,
            address=found.address,
            tone=Tone.FRIENDLY,
            lead_invoice_id=lead.id,
            covers=covers,
            not_before=self.slot.not_before,
            not_after=self.slot.not_after,
            content_requirements=COPY,
            preconditions=preconditions_of(state, covers),
            occurrence=self.occurrence,
            reasons=(Code.COPY_REQUESTED,),
            origin="R63",
        )


def _actor(state: State) -> Actor:
    """Who sends a copy: on a rung that is for people a machine may still do it, and no override makes an AI of it (R69, E42)."""
    if state.human_only:
        return Actor.HUMAN
    forced = state.plan.actor if state.rung is Rung.AUTOMATED else None
    return forced or Actor.AUTO


def answer_replies(state: State) -> int:
    """Answer what can be answered with a document: a copy goes out before any reminder (R63). Returns how many went out."""
    answered, covered = 0, set[str]()
    for reply in state.holds.replies:
        if reply.touch.intent is not Intent.COPY_REQUESTED or reply.rule.respond != SEND_COPY:
            continue
        groups = _asked_for(state, reply)
        for group in groups:
            items = _unsent(state, reply, [item for item in group if item.id not in covered])
            if items and _copy(state, reply, items, len(groups) == 1):
                answered += 1
                covered.update(item.id for item in items)
    return answered


def _asked_for(state: State, reply: Reply) -> list[list[Item]]:
    """The invoices that a reply is about, the lead first; those of two sellers are never in one copy, as in a message (E48).

    A reply about the whole account is about what is overdue, else about all; once a copy went out, what was overdue on that day.
    """
    items = [item for item in state.items if item.template.hold is None]
    if reply.invoice_ids:
        items = [item for item in items if item.id in reply.invoice_ids]
    else:
        run = state.run
        first = next((t for t in _tried(state, reply) if t.outcome not in UNREACHED), None)
        since = (run.today - run.local_day(first.at)).days if first is not None else 0
        items = [item for item in items if item.dpd - since >= 1] or items
    items.sort(key=lambda item: lead_order(state, item.place))
    groups: dict[str | None, list[Item]] = {}
    for item in items:
        groups.setdefault(item.seller if state.run.grouping.split_by_subsidiary else None, []).append(item)
    return list(groups.values())


def _tried(state: State, reply: Reply) -> list[Touch]:
    """The copies that were tried since a reply, whatever asked for them."""
    return [t for t in outbound(state.history.touches) if t.step == SEND_COPY and t.at > reply.touch.at]


def _unsent(state: State, reply: Reply, items: Sequence[Item]) -> Sequence[Item]:
    """The items of which no copy went out since a reply."""
    copies = [t for t in _tried(state, reply) if t.outcome not in UNREACHED]
    # One that names no invoice may be of any of them; one that somebody sent by hand answers whoever named none.
    if any(not t.covers or (t.key is None and not reply.invoice_ids) for t in copies):
        return ()
    sent = {cover.invoice_id for t in copies for cover in t.covers}
    return [item for item in items if item.id not in sent]


def _copy(state: State, reply: Reply, items: Sequence[Item], alone: bool) -> bool:
    """Decide a copy of unsent items, the lead first. `alone`: no other seller's are asked for. False: it went out, or has to wait."""
    lead, ids = items[0], {item.id for item in items}
    failed = [
        t
        for t in _tried(state, reply)
        if t.outcome in UNREACHED and (not t.covers or any(cover.invoice_id in ids for cover in t.covers))
    ]
    tries = len(failed)
    plain = partial(state.key, SEND_COPY, reply.touch.id, 0)
    of_seller = partial(state.key, f"{SEND_COPY}:{lead.seller or ''}", reply.touch.id, 0)
    for key_of in (plain, of_seller):  # the other seller's may have been asked for, or paid, between two runs
        done = state.history.attempt(key_of, tries).touch
        if done is not None or any(state.logged(key_of(earlier)) for earlier in range(tries)):
            return False
    key, number, _, last = state.history.attempt(plain if alone else of_seller, tries)
    if failed and (last is None or last.at < failed[-1].at):
        last = failed[-1]
    if last is not None and last.outcome is TouchOutcome.FAILED:
        again = state.run.local_day(last.at) + timedelta(days=state.run.limits.retry_after_days)
        if again > state.slot.send_on:
            _copy_later(state, items, Code.RETRY_BACKOFF, (), again)
            return False
    directory = Directory(state.facts, state.run, state.history)
    found = directory.choose(_COPY.ways, lead.invoice, state.slot.send_on)
    if isinstance(found, NoWay):
        state.notes.append(Note("channels", "none", found.code, {"step": SEND_COPY, "codes": found.codes}))
        if found.until is None:
            raise_task(state, "get_contact", Code.GET_CONTACT, lead)
        else:
            _copy_later(state, items, found.code, found.codes, found.until)
        return False
    for item in items:
        item.outcome = state.outcome(item, DispositionKind.ACTION, Code.COPY_REQUESTED, SEND_COPY)
        item.key = key
        item.give_up_step()
    state.add(Copy(key, items, found, number, state.slot_of(found.time_zone)))
    return True


def _copy_later(
    state: State, items: Sequence[Item], code: Code, codes: tuple[Code, ...], until: date
) -> None:
    """A cap, an absence or a failure ends on a day: the copy waits for it, and no reminder goes out before the copy (R63)."""
    state.copy_waits = True
    for item in items:
        if item.key is not None:  # it is part of a decision that goes out in this run
            continue
        item.outcome = state.outcome(item, DispositionKind.WAIT, code, SEND_COPY, codes, until)
        item.give_up_step()
