"""What do our own people have to do or know? Notices, tasks and escalation.

(R3, R21, R43, R44, R62, R63, R69, E13, E36, E38, E40, E43, docs/rules.md)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from ar_core.cadence.codes import Code
from ar_core.cadence.covers import covered_invoice, in_lead_order, lead_of
from ar_core.cadence.facts import ID, SUBJECT
from ar_core.cadence.holds import Hold
from ar_core.cadence.policy import Escalation, Rung
from ar_core.cadence.reachable import dead_addresses
from ar_core.cadence.records import Action, ActionKind
from ar_core.cadence.ruletables import notice_asker
from ar_core.cadence.state import Draft, Item, Note, State
from ar_core.cadence.vocabulary import RUNG_NEEDS

__all__ = [
    "Internal",
    "apply_cash_task",
    "escalate",
    "make_notices",
    "make_tasks",
    "notify",
    "raise_task",
]

_LADDER: Final = list(Rung)
_RUNG_VALUES: Final = {rung: rung.value for rung in Rung}
_RUNG_NAMES: Final = {rung: f"rung:{rung.value}" for rung in Rung}
# A member of an enumeration is found through its class's hook each time; these are asked for in most accounts.
_INTERNAL: Final = ActionKind.INTERNAL
_DECISION: Final = ActionKind.DECISION
_ESCALATED: Final = Code.ESCALATED
_NOTIFY: Final = Code.NOTIFY


class Internal(Draft):
    """Something for our own people: a task, a notice, or a decision about the account as a whole."""

    __slots__ = ("content", "covered_for", "items", "lead", "notify", "options", "origin")

    def __init__(
        self,
        key: str,
        task: str,
        code: Code,
        items: Sequence[Item] | Callable[[State], Sequence[Item]],
        *,
        covered_for: str | None = None,
        kind: ActionKind = _INTERNAL,
        lead: Item | None = None,
        notify: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        content: tuple[str, ...] = (),
        origin: str | None = None,
    ) -> None:
        super().__init__(key, kind, code, task=task)
        self.items = items
        """Invoices it is about; where they follow from what is decided, how they are found once it is written out."""
        self.covered_for = covered_for
        """The step or task under which they count as covered; None: they are only listed."""
        self.lead = lead
        self.notify, self.options, self.content, self.origin = notify, options, content, origin

    def write(self, state: State) -> Action:
        """The full action, without the account's score."""
        lead, items = self.lead, self.items
        about = items(state) if callable(items) else items
        return Action.trusted(
            key=self.key,
            kind=self.kind,
            code=self.code,
            customer_id=state.facts.id,
            task=self.task,
            stage=lead.template.stage_name if lead is not None else None,
            rung=state.rung,
            notify=self.notify,
            lead_invoice_id=lead.id if lead is not None else None,
            covers=tuple(covered_invoice(state, item, self.covered_for) for item in about),
            options=self.options,
            content_requirements=self.content,
            reasons=(self.code,),
            origin=self.origin,
        )


def raise_task(
    state: State,
    task: str,
    code: Code,
    lead: Item | None,
    *,
    subject: str | None = None,
    items: Sequence[Item] = (),
) -> None:
    """An internal task, once: when it is on record under its key it is not raised again (E28)."""
    about = subject or (lead.id if lead is not None else state.facts.id)
    key = state.untold(f"task:{task}", about, lead.due_version if lead is not None else 0)
    if key is not None:
        state.add(Internal(key, task, code, items or ([lead] if lead else []), lead=lead))


def make_tasks(state: State) -> None:
    """Tasks that stand beside the messages: legal review, replies, approvals, open questions about attempts."""
    stop = state.stop
    if stop is not None:
        _review_stop(state, stop)
        return
    for reply in state.holds.replies:
        if reply.rule.task is not None:
            items = [i for i in state.items if i.id in reply.invoice_ids]
            raise_task(
                state, reply.rule.task, Code.REPLY_NEEDS_PERSON, None, subject=reply.touch.id, items=items
            )
    for verdict in state.holds.approvals:
        _approval(state, verdict.promise_id, verdict.invoice_ids)
    _dead_addresses(state)
    for touch in state.history.ambiguous:
        raise_task(state, "resolve_attempt", Code.RESOLVE_AMBIGUOUS, None, subject=touch.id)
    if state.run.pauses.migrate != "manual":
        return
    for item in state.items:
        if item.outcome is not None and item.outcome.code is Code.MANUAL_MIGRATION:
            raise_task(state, "place_invoice", Code.MANUAL_MIGRATION, item)


def _dead_addresses(state: State) -> None:
    """An address from which a message came back is told once, also where somebody else is reached meanwhile (R3).

    Where nobody is left to be reached, the task to find a contact says so already.
    """
    dead = dead_addresses(state.facts, state.history)
    if not dead or not state.chased.rows or any(a.code is Code.GET_CONTACT for a in state.actions.values()):
        return
    addresses = {contact.id: contact for contact in state.facts.contacts}
    for (contact_id, channel), bounce in sorted(dead.items(), key=lambda row: (row[0][0] or "", row[0][1])):
        contact = addresses.get(contact_id or "")
        if not bounce.is_at(contact.address(channel) if contact is not None else None):
            continue  # it was changed meanwhile
        subject = f"{contact_id or state.facts.id}:{channel}"
        # Its occurrence says how often the address died; the tries at telling it stand where others have their due version.
        key = state.next_try(partial(state.key, "task:fix_contact", subject, occurrence=bounce.healed))
        if key is not None:
            content = (*((f"contact:{contact_id}",) if contact_id else ()), f"channel:{channel}")
            state.add(Internal(key, "fix_contact", Code.FIX_CONTACT, (), content=content))


def _review_stop(state: State, stop: Hold) -> None:
    oldest = state.oldest_item
    if stop.code in {Code.LEGAL_STOP, Code.UNKNOWN_FLAG}:
        raise_task(state, "legal_review", Code.LEGAL_REVIEW, oldest, subject=state.facts.id)
    elif stop.code is Code.DO_NOT_CONTACT:
        raise_task(state, "review_do_not_contact", Code.DO_NOT_CONTACT, oldest, subject=state.facts.id)


def _approval(state: State, promise_id: str, invoice_ids: tuple[str, ...]) -> None:
    key = state.untold("task:approve_promise", promise_id)
    if key is not None:
        items = [item for item in state.items if item.id in invoice_ids]
        content = (f"promise:{promise_id}",)
        state.add(Internal(key, "approve_promise", Code.PTP_NEEDS_APPROVAL, items, content=content))


def apply_cash_task(state: State, items: Sequence[Item]) -> None:
    """Apply what is on account before anybody is chased (E13)."""
    lead = state.item(lead_of(state, [item.place for item in items]))
    raise_task(state, "apply_cash", Code.APPLY_CASH, lead, items=items)


def make_notices(state: State) -> None:
    """Internal notices of the policy, once per invoice; they count in no cap (R21, C12)."""
    for notice, name, holds, traits in state.run.compiled.rules.notices:
        # Asked of the account alone, features of an invoice are unknown: False is False for every invoice.
        whole = holds(state.view)
        if whole is False:
            continue
        marks, chased = state.history.marks, state.chased
        told = notice_asker(state, name, holds, traits)
        new = [
            place
            for place, template in enumerate(chased.templates)
            if template.hold is None
            and (not marks or name not in marks.get(chased.rows[place][SUBJECT], ()))
            and (whole is True or told(place))
        ]
        if new:
            lead = state.item(lead_of(state, new))
            notify(
                state,
                name,
                lead,
                partial(_in_lead_order, places=new),
                notice.to,
                notice.origin,
                covered_for=name,
            )


def _in_lead_order(state: State, places: Sequence[int]) -> Sequence[Item]:
    return state.chased.at(in_lead_order(state, places))


def notify(
    state: State,
    task: str,
    lead: Item,
    items: Callable[[State], Sequence[Item]],
    roles: tuple[str, ...],
    origin: str,
    *,
    covered_for: str | None = None,
) -> None:
    """A notice to roles on our side, once."""
    key = state.untold(task, lead.id, lead.due_version)
    if key is not None:
        state.add(
            Internal(
                key, task, _NOTIFY, items, covered_for=covered_for, lead=lead, notify=roles, origin=origin
            )
        )


def escalate(state: State) -> None:
    """Raise the rung when a rule holds or age forces it (C8, R44); the ladder never skips what is not declared (R18)."""
    ladder, oldest, chased = state.run.compiled.rules.ladder, state.oldest, state.chased
    if not ladder or oldest < 1:
        return
    if state.holds.held:
        oldest = max([item.dpd for item in _overdue(state)], default=0)
        if not oldest:
            return
    found = _rung(state, oldest)
    if found is None:
        return
    rule, state.rung = found
    places = [p for p, dpd in enumerate(chased.dpds) if dpd == oldest and chased.templates[p].hold is None]
    lead = state.item(places[0] if len(places) == 1 else min(places, key=lambda p: chased.rows[p][ID]))
    name = _RUNG_NAMES[state.rung]
    told = name in state.history.marks.get(lead.subject, ())
    key = None if told else state.untold(name, lead.id, lead.due_version)
    if key is None:
        return
    proposal = state.rung in RUNG_NEEDS
    state.add(
        Internal(
            key,
            name,
            _ESCALATED,
            _overdue,
            covered_for=name,
            kind=_DECISION if proposal else _INTERNAL,
            lead=lead,
            notify=rule.notify or (_RUNG_VALUES[state.rung],),
            options=(_RUNG_VALUES[state.rung], "keep_chasing") if proposal else (),
            origin=rule.origin,
        )
    )


def _overdue(state: State) -> list[Item]:
    """The overdue items that nothing stops."""
    return [item for item in state.items if item.dpd >= 1 and item.template.hold is None]


def _rung(state: State, oldest: int) -> tuple[Escalation, Rung] | None:
    """The highest rung that a rule or the age of the oldest item calls for, with its rule; None: none does."""
    ladder = state.run.compiled.rules.ladder
    reached, rule_at = 0, None
    for index, (_, forced_at, holds, called_for) in enumerate(ladder):
        forced = forced_at is not None and oldest >= forced_at
        if not forced and holds(state.view) is not True:
            continue
        rung = called_for
        needed = RUNG_NEEDS.get(rung)
        if needed is not None and not getattr(state.run.policy.capabilities, needed):
            why = {"rung": rung}
            state.notes.append(Note(f"escalate[{index}]", "withheld", Code.CAPABILITY_NOT_DECLARED, why))
            rung = Rung.FINANCE_LEAD
        place = _LADDER.index(rung)
        if place > reached:
            reached, rule_at = place, index
    if rule_at is None:
        return None
    rule, rung = ladder[rule_at][0], _LADDER[reached]
    inputs = {"rung": _RUNG_VALUES[rung], "because": rule}
    state.notes.append(Note(f"escalate[{rule_at}]", "escalate", _ESCALATED, inputs))
    return rule, rung
