"""Which message goes out? Several due invoices become one, the lead sets step and tone, every other is covered or listed.

(R17, R18, R29, R64, E17, E19-E23, E28, E42, E43, E48, docs/rules.md)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from ar_core.cadence.channels import Address, Directory, NoWay
from ar_core.cadence.codes import Code
from ar_core.cadence.content import SEND_COPY, content_of
from ar_core.cadence.copies import answer_replies
from ar_core.cadence.covers import covered_invoice, in_lead_order, lead_of, preconditions_of, totals_of
from ar_core.cadence.facts import SELLER
from ar_core.cadence.limits import account_limit, amount_limits
from ar_core.cadence.outcomes import Outcome
from ar_core.cadence.plan import TONES, PlanStep, Way
from ar_core.cadence.policy import Actor, Clause, StepKind, Tone
from ar_core.cadence.records import Action, ActionKind, DispositionKind
from ar_core.cadence.run import DAY, Slot
from ar_core.cadence.state import Draft, Item, Note, State, lead_key
from ar_core.cadence.steps import own_step_up_to
from ar_core.cadence.tasks import apply_cash_task, escalate, notify, raise_task
from ar_core.cadence.ways import ways_of

__all__ = ["Decision", "Message", "make_messages", "named_person"]

_LISTED_ONLY: Final = frozenset({Code.GRACE_DAYS, Code.RETRY_BACKOFF})
_NEVER_LISTED: Final = frozenset({Code.UNAPPLIED_CREDIT, Code.CREDIT_BALANCE})
_ACTION: Final = DispositionKind.ACTION
_WAIT: Final = DispositionKind.WAIT
# A member of an enumeration is found through its class's hook each time; these are asked for in most accounts.
_TOUCH: Final = ActionKind.TOUCH
_STEP_DUE: Final = Code.STEP_DUE
_BY_DECISION: Final = StepKind.DECISION
_PEOPLE: Final = Actor.HUMAN


def make_messages(state: State) -> None:
    """Turn the due steps of an account into at most as many messages as a run allows, and decisions beside them."""
    if state.for_people:
        _decisions(state)
    escalate(state)
    answered = answer_replies(state) if state.holds.replies else 0
    if not state.due:
        return
    ready = _affordable(state)
    if not ready:
        return
    limit = account_limit(state)
    if limit is not None:
        state.notes.append(Note("limits", "wait", limit.code, {"until": limit.until}))
        _wait(state, ready, limit.code, limit.until)
        return
    room = state.run.limits.max_customer_actions_per_run - answered
    directory: Directory | None = None
    for group, lead in _groups(state, ready):
        if room < 1:
            _wait(state, group, Code.RUN_CAP, state.run.today + DAY)
            continue
        directory = directory or Directory(state.facts, state.run, state.history)
        if _message(state, group, lead, directory):
            room -= 1


def _affordable(state: State) -> Sequence[int]:
    """The items that no amount stops; money on account becomes a task (E13). A reply that was answered keeps its answer."""
    outcomes = state.chased.outcomes
    held, on_account = amount_limits(state, state.due)
    if on_account:
        apply_cash_task(state, state.chased.at(on_account))
    for place in state.due if held else ():
        item = state.item(place)
        hold = held.get(item.id)
        if hold is not None and item.outcome is None:
            item.outcome = state.outcome(
                item, _WAIT, hold.code, item.step.id if item.step is not None else None
            )
    if not held and not state.holds.replies:
        return state.due
    return [place for place in state.due if outcomes[place] is None]


def _wait(state: State, places: Iterable[int], code: Code, until: date | None) -> None:
    until_in, templates, outcomes = state.run.days_to(until), state.chased.templates, state.chased.outcomes
    for place in places:
        outcomes[place] = templates[place].wait(state.run, code, until_in)


def _groups(state: State, places: Sequence[int]) -> list[tuple[Sequence[int], int]]:
    """Items that may share a message with the one that leads it, the group of the strongest lead first."""
    grouping, rows = state.run.grouping, state.chased.rows
    if grouping.by == "invoice":
        return [([place], place) for place in in_lead_order(state, places)]
    if not grouping.split_by_subsidiary or len({rows[place][SELLER] for place in places}) == 1:
        return [(places, lead_of(state, places))]
    found: dict[str | None, list[int]] = {}
    for place in places:
        found.setdefault(rows[place][SELLER], []).append(place)
    led = {lead_of(state, group): group for group in found.values()}
    return [(led[lead], lead) for lead in in_lead_order(state, led)]


def _message(state: State, group: Sequence[int], place: int, directory: Directory) -> bool:
    """Decide the message that the item at a place leads. False when no channel could be used."""
    lead = state.item(place)
    step = lead.step
    if step is None:
        raise AssertionError(f"{lead.id} leads a message without a step")
    ways, sender_role, actor, told = ways_of(state, step, lead)
    found = directory.choose(ways, lead.invoice, state.slot.send_on)
    if isinstance(found, NoWay):
        _no_way(state, group, lead, step, found)
        return False
    key = lead_key(state, lead, step)
    lead.outcome = lead.template.acts(state.run, _STEP_DUE)
    lead.key = key
    if len(state.chased) > 1 and state.run.grouping.by == "customer":
        _cover(state, lead, step, key)
    message = Message(key, lead, step, found, sender_role, actor, state.slot_of(found.time_zone))
    state.add(message)
    state.notes.append(Note("message", "send", _STEP_DUE, {"message": message}))
    if step.notify or state.plan.notify or told:
        roles = tuple(dict.fromkeys((*step.notify, *state.plan.notify, *told)))
        notify(state, f"{step.id}:notify", lead, message.items, roles, step.step.origin)
    return True


class Message(Draft):
    """A decided contact; who it covers is marked on the items themselves, by its key."""

    __slots__ = ("actor", "found", "lead", "sender_role", "slot", "what")

    def __init__(
        self,
        key: str,
        lead: Item,
        what: PlanStep,
        found: Address,
        sender_role: str | None,
        actor: Actor | None,
        slot: Slot,
    ) -> None:
        super().__init__(key, _TOUCH, _STEP_DUE, step=what.id, address=found.address)
        self.lead, self.what, self.found = lead, what, found
        self.sender_role, self.actor = sender_role, actor
        self.slot = slot
        """The hours of who is written to."""

    def items(self, state: State) -> list[Item]:
        """Covered items, the lead first, then the oldest."""
        keys, leading = state.chased.keys, self.lead.place
        others = state.chased.at(
            place for place, key in enumerate(keys) if key == self.key and place != leading
        )
        if len(others) > 1:
            others.sort(key=lambda item: (-item.dpd, item.id))
        return [self.lead, *others]

    def pairs(self, state: State) -> list[tuple[Item, str | None]]:
        """Covered items with the step each is covered for; None: listed only."""
        _, *others = self.items(state)
        return [(self.lead, self.what.id), *((item, _rides_for(item)) for item in others)]

    def write(self, state: State) -> Action:
        """The full action, without the account's score."""
        lead, step, found = self.lead, self.what, self.found
        way = found.way
        human = state.human_only or self.actor is _PEOPLE
        clauses, withheld = _clauses(state, step)
        role = self.sender_role or way.sender_role
        sender = named_person(state, role) if role else None
        choice = lead.choice
        superseded = choice.superseded if choice is not None else ()
        flags = (
            (choice is not None and choice.reopened, Code.REQUIRED_STEP_REOPENED),
            (bool(superseded), Code.SUPERSEDED),
            (step.fallback, Code.ELSE_BRANCH),
            (human, Code.HUMAN_ONLY),
            (withheld, Code.CLAUSE_WITHHELD),
            (role is not None and sender is None, Code.NO_NAMED_HUMAN),
            ("invoice" in step.step.attach and lead.invoice.has_pdf is False, Code.PDF_MISSING),
        )
        reasons = (
            _STEP_DUE,
            *self.slot.codes,
            *found.codes,
            *(code for holds, code in flags if holds),
        )
        pairs = self.pairs(state)
        covers = tuple(covered_invoice(state, item, name) for item, name in pairs)
        tone = _tone(state, pairs, way)
        said = step.step
        return Action.trusted(
            key=self.key,
            kind=_TOUCH,
            code=_STEP_DUE,
            customer_id=state.facts.id,
            subsidiary_id=lead.invoice.subsidiary_id,
            step=step.id,
            purpose=said.purpose,
            stage=lead.template.stage_name,
            rung=state.rung,
            channel=found.channel,
            fallbacks=found.fallbacks,
            actor=_PEOPLE if human else self.actor or way.actor,
            audience=way.audience,
            contact_id=found.contact_id,
            address=found.address,
            sender_role=role,
            sender=sender,
            tone=tone,
            lead_invoice_id=lead.id,
            covers=covers,
            totals=totals_of(state, covers),
            not_before=self.slot.not_before,
            not_after=self.slot.not_after,
            content_requirements=content_of(said.purpose, said.attach, found.channel, tone, lead.invoice),
            clauses=clauses,
            preconditions=preconditions_of(state, covers),
            occurrence=state.history.attempts(lead.subject, step.id),
            superseded=superseded,
            reasons=tuple(dict.fromkeys(reasons)),
            origin=step.step.origin,
        )


def _rides_for(item: Item) -> str | None:
    """The step an invoice is covered for in another one's message; None: it is only listed."""
    outcome = item.outcome
    return outcome.step if outcome is not None and outcome.kind is _ACTION else None


def named_person(state: State, role: str) -> str | None:
    """Who on our side fills a role for this customer (R17)."""
    for profile in state.facts.profiles:
        for member in profile.team:
            if member.role == role:
                return member.person
        if role == "account_manager" and profile.account_manager:
            return profile.account_manager
    return None


def _clauses(state: State, step: PlanStep) -> tuple[tuple[Clause, ...], bool]:
    """Consequences that may be mentioned: declared capabilities, or an order hold that is real (R18, E39)."""
    withheld = set(step.withheld)
    customer = state.facts.customer
    if customer is not None and customer.order_hold is True:
        withheld.discard(Clause.ORDER_HOLD)
    return tuple(c for c in step.step.clauses if c not in withheld), bool(withheld)


def _tone(state: State, pairs: Sequence[tuple[Item, str | None]], way: Way) -> Tone:
    """The step's tone, else the stage's; never milder than what the covered invoices already heard (R29, R64)."""
    plan, lead = state.plan, pairs[0][0]
    tone = way.tone or (plan.tones[lead.stage] if lead.stage is not None else Tone.FRIENDLY)
    rank = TONES[tone]
    for item, _ in pairs:
        for name in state.history.marks.get(item.subject, ()):
            step = plan.by_id.get(plan.known_steps.get(name, ""))
            if step is not None and step.step.tone is not None:
                rank = max(rank, TONES[step.step.tone])
    return list(Tone)[rank]


def _cover(state: State, lead: Item, step: PlanStep, key: str) -> None:
    """The items whose own step rides along in a message, and what is only listed (E19, E20, E21).

    They are of the same seller entity, not paused, and no money on account covers them.
    """
    grouping, chased, index = state.run.grouping, state.chased, step.index
    templates, outcomes, keys, rows = chased.templates, chased.outcomes, chased.keys, chased.rows
    apart, seller = grouping.split_by_subsidiary, lead.seller
    for place, template in enumerate(templates):
        if apart and rows[place][SELLER] != seller:
            continue
        outcome = outcomes[place]
        if outcome is not template.outcome:  # more was said to it than its plan says
            if outcome is not None and outcome.kind is not _WAIT:
                continue
            part = _part(state, state.item(place), step)
        else:
            known = template.parts.get(index)
            if known is None:
                known = template.parts[index] = _part(state, state.item(place), step)
            part = known
        outcomes[place], covered = part
        if covered:
            keys[place] = key


def _part(state: State, item: Item, lead: PlanStep) -> tuple[Outcome | None, bool]:
    """What becomes of an invoice beside the message of a leading step, and whether the message covers it."""
    outcome, include = item.outcome, state.run.grouping.include
    # It is paused, has an action of its own or waits for one, or is paid as soon as that is booked.
    if outcome is not None and (outcome.kind is not _WAIT or outcome.code in _NEVER_LISTED):
        return outcome, False
    if outcome is not None and outcome.step == SEND_COPY:
        return outcome, False
    if outcome is None or outcome.code not in _LISTED_ONLY:
        own = own_step_up_to(state.plan, state.invoice_view(item), lead, item.template.done, item.step)
        if own is not None:
            return state.outcome(item, _ACTION, Code.RIDES_ALONG, own.id), True
    outcome = outcome or item.template.wait(state.run, Code.RUN_CAP, 1)
    if include == "all_open" or (include == "overdue_only" and item.dpd >= 1):
        return outcome.listed, True
    return outcome, False


def _no_way(state: State, group: Sequence[int], lead: Item, step: PlanStep, found: NoWay) -> None:
    state.notes.append(Note("channels", "none", found.code, {"step": step.id, "codes": found.codes}))
    for item in state.chased.at(group):
        name = item.step.id if item.step is not None else None
        item.outcome = state.outcome(item, _WAIT, found.code, name, found.codes, found.until)
    if found.code is Code.NO_ADDRESS:
        raise_task(state, "get_contact", Code.GET_CONTACT, lead)


def _decisions(state: State) -> None:
    """Decisions and internal steps: one action per step, beside the messages and outside all caps (R8, C17)."""
    chased = state.chased
    by_step: dict[PlanStep, list[int]] = {}
    templates, outcomes, keys = chased.templates, chased.outcomes, chased.keys
    for place in state.for_people:
        step = templates[place].step
        if step is not None:
            by_step.setdefault(step, []).append(place)
    for step, group in by_step.items():
        lead = state.item(lead_of(state, group))
        decision = step.kind is _BY_DECISION
        code = Code.DECISION_REQUIRED if decision else _STEP_DUE
        key = lead_key(state, lead, step)
        for place in group:
            outcomes[place] = templates[place].acts(state.run, code)
            keys[place] = key
        kind = ActionKind.DECISION if decision else ActionKind.INTERNAL
        state.add(Decision(key, kind, code, step, lead, group))


class Decision(Draft):
    """A decision or an internal step of the plan."""

    __slots__ = ("group", "lead", "what")

    def __init__(
        self, key: str, kind: ActionKind, code: Code, what: PlanStep, lead: Item, group: Sequence[int]
    ) -> None:
        super().__init__(key, kind, code, step=what.id)
        self.what, self.lead, self.group = what, lead, group

    def write(self, state: State) -> Action:
        """The full action, without the account's score."""
        lead, step = self.lead, self.what
        ordered = state.chased.at(in_lead_order(state, self.group))
        covers = tuple(covered_invoice(state, item, step.id) for item in ordered)
        return Action.trusted(
            key=self.key,
            kind=self.kind,
            code=self.code,
            customer_id=state.facts.id,
            subsidiary_id=lead.invoice.subsidiary_id,
            step=step.id,
            stage=lead.template.stage_name,
            rung=state.rung,
            notify=tuple(dict.fromkeys((*step.notify, *state.plan.notify))),
            lead_invoice_id=lead.id,
            covers=covers,
            totals=totals_of(state, covers),
            options=step.step.options,
            preconditions=preconditions_of(state, covers),
            reasons=(self.code,),
            origin=step.step.origin,
        )
