"""What was asked for goes out: a copy of an invoice, before any reminder (R63)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Final

from ar_core.cadence.channels import Address, Directory, NoWay
from ar_core.cadence.codes import Code
from ar_core.cadence.content import COPY, SEND_COPY
from ar_core.cadence.covers import covered_invoice, lead_order, preconditions_of
from ar_core.cadence.figures import outbound
from ar_core.cadence.holds import Reply
from ar_core.cadence.plan import PlanStep
from ar_core.cadence.policy import Actor, Capabilities, Purpose, Step, Tone
from ar_core.cadence.records import Action, ActionKind, DispositionKind
from ar_core.cadence.run import Slot
from ar_core.cadence.state import Draft, Item, Note, State
from ar_core.cadence.tasks import raise_task
from ar_core.model.activity import Intent
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
            actor=Actor.HUMAN if state.human_only else Actor.AUTO,
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


def answer_replies(state: State) -> int:
    """Answer what can be answered with a document: a copy goes out before any reminder (R63). Returns how many went out."""
    answered = 0
    for reply in state.holds.replies:
        if reply.touch.intent is not Intent.COPY_REQUESTED or reply.rule.respond != SEND_COPY:
            continue
        if _copy(state, reply):
            answered += 1
    return answered


def _copy(state: State, reply: Reply) -> bool:
    tries = sum(1 for t in outbound(state.history.touches) if t.step == SEND_COPY and t.at > reply.touch.at)
    key_of = partial(state.key, SEND_COPY, reply.touch.id, 0)
    key, number, done, _ = state.history.attempt(key_of, tries)
    if done is not None or any(state.logged(key_of(earlier)) for earlier in range(tries)):
        return False
    if any(
        t.step == SEND_COPY and t.at > reply.touch.at and t.outcome not in {"failed", "bounced"}
        for t in outbound(state.history.touches)
    ):
        return False
    items = [i for i in state.items if i.template.hold is None and i.id in reply.invoice_ids]
    if not reply.invoice_ids:
        items = [i for i in state.items if i.template.hold is None and i.dpd >= 1] or [
            i for i in state.items if i.template.hold is None
        ]
    if not items:
        return False
    items.sort(key=lambda item: lead_order(state, item.place))
    lead = items[0]
    directory = Directory(state.facts, state.run, state.history)
    found = directory.choose(_COPY.ways, lead.invoice, state.slot.send_on)
    if isinstance(found, NoWay):
        state.notes.append(Note("channels", "none", found.code, {"step": SEND_COPY, "codes": found.codes}))
        if found.until is None:
            raise_task(state, "get_contact", Code.GET_CONTACT, lead)
        else:
            _copy_later(state, items, found, found.until)
        return False
    for item in items:
        item.outcome = state.outcome(item, DispositionKind.ACTION, Code.COPY_REQUESTED, SEND_COPY)
        item.key = key
        item.give_up_step()
    state.add(Copy(key, items, found, number, state.slot_of(found.time_zone)))
    return True


def _copy_later(state: State, items: Sequence[Item], found: NoWay, until: date) -> None:
    """A cap or an absence ends on a day: the copy waits for it, and no reminder goes out before the copy (R63)."""
    state.days.append(until)
    for item in items:
        item.outcome = state.outcome(item, DispositionKind.WAIT, found.code, SEND_COPY, found.codes, until)
        item.give_up_step()
