"""Which message goes out? Several due invoices become one, the lead sets step and tone, every other is covered or listed.

(R14-R18, R27, R28, R32-R36, E17, E19-E23, E28, E42, E43, E48, docs/rules.md)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from ar_core.cadence.channels import Address, Directory, NoWay
from ar_core.cadence.codes import Code
from ar_core.cadence.evaluation import (
    Action,
    ActionKind,
    CoveredInvoice,
    CurrencyTotal,
    Disposition,
    DispositionKind,
    Precondition,
)
from ar_core.cadence.limits import account_limit, amount_limits, chaseable
from ar_core.cadence.plan import TONES, PlanStep, Way, with_channels
from ar_core.cadence.policy import Actor, Clause, Purpose, Rung, StepKind, Tone
from ar_core.cadence.run import DAY
from ar_core.cadence.state import dispose, lead_key, stage_name
from ar_core.cadence.steps import own_step_up_to
from ar_core.model.money import ZERO
from ar_core.model.parties import Channel

if TYPE_CHECKING:
    from ar_core.cadence.state import Item, State

__all__ = ["covered_invoice", "lead_order", "make_messages", "named_person", "preconditions_of"]


_LISTED_ONLY = frozenset({Code.GRACE_DAYS, Code.RETRY_BACKOFF})
_NEVER_LISTED = frozenset({Code.UNAPPLIED_CREDIT, Code.CREDIT_BALANCE})


def make_messages(state: State) -> None:
    """Turn the due steps of an account into at most as many messages as a run allows, and decisions beside them."""
    touches = [item for item in state.due if item.step is not None and item.step.kind is StepKind.TOUCH]
    others = [item for item in state.due if item.step is not None and item.step.kind is not StepKind.TOUCH]
    if others:
        _decisions(state, others)
    from ar_core.cadence.tasks import answer_replies, escalate

    escalate(state)
    answered = answer_replies(state)
    if not touches:
        return
    ready = _affordable(state, touches)
    limit = account_limit(state) if ready else None
    if limit is not None:
        state.note("limits", "wait", limit.code, until=limit.until)
        for item in ready:
            _wait(item, limit.code, limit.until)
        return
    room = state.run.policy.limits.max_customer_actions_per_run - answered
    directory = Directory(state.facts, state.run, state.history)
    for group in _groups(state, ready):
        if room < 1:
            for item in group:
                _wait(item, Code.RUN_CAP, state.run.today + DAY)
            continue
        if _message(state, group, directory):
            room -= 1


def _affordable(state: State, touches: Sequence[Item]) -> list[Item]:
    """The items that no amount stops; money on account becomes a task (E13)."""
    from ar_core.cadence.tasks import apply_cash_task

    held, on_account = amount_limits(state, touches)
    if on_account:
        apply_cash_task(state, on_account)
    for item in touches:
        hold = held.get(item.invoice.id)
        if hold is not None:
            _wait(item, hold.code, None)
    return [item for item in touches if item.outcome is None]


def _wait(item: Item, code: Code, until: date | None) -> None:
    step = item.step
    item.outcome = dispose(
        item.invoice,
        DispositionKind.WAIT,
        code,
        until,
        stage_name(item),
        step.id if step is not None else None,
    )


def _groups(state: State, items: Sequence[Item]) -> list[list[Item]]:
    """Items that may share a message, the group of the strongest lead first."""
    grouping = state.run.policy.grouping
    if grouping.by == "invoice":
        groups = [[item] for item in items]
    elif grouping.split_by_subsidiary:
        found: dict[str | None, list[Item]] = {}
        for item in items:
            found.setdefault(item.invoice.subsidiary_id, []).append(item)
        groups = list(found.values())
    else:
        groups = [list(items)]
    for group in groups:
        if len(group) > 1:
            group.sort(key=lambda item: lead_order(state, item))
    return groups if len(groups) == 1 else sorted(groups, key=lambda group: lead_order(state, group[0]))


def lead_order(state: State, item: Item) -> tuple[int, int, Decimal, str]:
    """Highest stage, then oldest due, then largest in base currency, then id (E19)."""
    amount = state.view.in_base(item.invoice.balance_due, item.invoice.currency)
    place = item.stage.place if item.stage is not None else -1
    return (-place, -item.dpd, -(amount if amount is not None else ZERO), item.invoice.id)


def _message(state: State, group: list[Item], directory: Directory) -> bool:
    """Build the message that the first item leads. False when no channel could be used."""
    lead = group[0]
    step = lead.step
    if step is None or lead.choice is None:
        raise AssertionError(f"{lead.invoice.id} leads a message without a step")
    ways, sender_role, forced = _ways(state, step, lead)
    found = directory.choose(ways, lead.invoice, state.slot.send_on)
    if isinstance(found, NoWay):
        _no_way(state, group, step, found)
        return False
    key = lead_key(state, lead, step)
    pairs = _cover(state, group, lead, step, key)
    state.add(
        key,
        ActionKind.TOUCH,
        Code.STEP_DUE,
        partial(_touch, state, lead, step, key, pairs, found, sender_role, forced),
        step=step.id,
        address=found.address,
    )
    if state.trace is not None:
        state.note(
            "message",
            "send",
            Code.STEP_DUE,
            step=step.id,
            lead=lead.invoice.id,
            channel=found.channel.value,
            contact=found.contact_id,
            passed_over=found.codes,
            covers=tuple(item.invoice.id for item, _ in pairs),
            not_before=state.slot.not_before,
        )
    roles = tuple(dict.fromkeys((*step.notify, *state.plan.notify)))
    if roles:
        _step_notice(state, step, lead, roles, pairs)
    return True


Pairs: TypeAlias = "list[tuple[Item, str | None]]"
"""Covered items with the step each is covered for; None: listed only."""


def _touch(  # noqa: PLR0917  everything that was decided, to be written out
    state: State,
    lead: Item,
    step: PlanStep,
    key: str,
    pairs: Pairs,
    found: Address,
    sender_role: str | None,
    forced: bool,
) -> Action:
    """Write a decided message out in full."""
    way = found.way
    human = state.human_only or forced
    clauses, withheld = _clauses(state, step)
    role = sender_role or way.sender_role
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
    reasons = (Code.STEP_DUE, *state.slot.codes, *found.codes, *(code for holds, code in flags if holds))
    covers = tuple(covered_invoice(state, item, name) for item, name in pairs)
    return Action.trusted(
        key=key,
        kind=ActionKind.TOUCH,
        code=Code.STEP_DUE,
        customer_id=state.facts.id,
        subsidiary_id=lead.invoice.subsidiary_id,
        step=step.id,
        purpose=step.step.purpose,
        stage=stage_name(lead),
        rung=state.rung,
        channel=found.channel,
        fallbacks=found.fallbacks,
        actor=Actor.HUMAN if human else way.actor,
        audience=way.audience,
        contact_id=found.contact_id,
        address=found.address,
        sender_role=role,
        sender=sender,
        tone=_tone(state, lead, way, covers),
        lead_invoice_id=lead.invoice.id,
        covers=covers,
        totals=_totals(state, covers),
        not_before=state.slot.not_before,
        not_after=state.slot.not_after,
        content_requirements=_content(step, found.channel, lead),
        clauses=clauses,
        preconditions=preconditions_of(state, covers),
        occurrence=state.history.attempts.get((lead.invoice.id, lead.invoice.due_version, step.id), 0),
        superseded=superseded,
        reasons=tuple(dict.fromkeys(reasons)),
        origin=step.step.origin,
    )


def _ways(state: State, step: PlanStep, lead: Item) -> tuple[Sequence[Way], str | None, bool]:
    """The step's ways, with what the overrides for this very invoice change."""
    ways: Sequence[Way] = step.ways
    sender_role, forced = state.plan.sender_role, False
    if state.rung in {Rung.FINANCE_LEAD, Rung.ORDER_HOLD, Rung.REFERRAL}:
        sender_role = "finance_lead"
    facts = state.invoice_view(lead)
    for override in state.run.compiled.message_overrides:
        if override.when.holds(facts) is not True:
            continue
        sender_role = override.sender_role or sender_role
        forced = forced or override.actor is Actor.HUMAN
        if override.add_channels or override.only_channels:
            changed = step.step.model_copy(update={"channels": step.ways[0].channels})
            changed = with_channels(changed, override.add_channels)
            if override.only_channels:
                left = tuple(c for c in changed.channels if c in override.only_channels)
                changed = changed.model_copy(update={"channels": left or changed.channels})
            first = Way(changed, None)
            original = step.ways[0]
            first.actor, first.audience = original.actor, original.audience
            first.sender_role, first.tone = original.sender_role, original.tone
            ways = (first, *step.ways[1:])
    return ways, sender_role, forced or state.rung is not Rung.AUTOMATED


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


def _tone(state: State, lead: Item, way: Way, covers: Iterable[CoveredInvoice]) -> Tone:
    """The step's tone, else the stage's; never milder than what the covered invoices already heard (R29, R64)."""
    plan = state.plan
    tone = way.tone or (plan.tones[lead.stage] if lead.stage is not None else Tone.FRIENDLY)
    rank = TONES[tone]
    if state.history.done:
        for cover in covers:
            for name in state.history.done.get((cover.invoice_id, cover.due_version), ()):
                step = plan.by_id.get(plan.known_steps.get(name, ""))
                if step is not None and step.step.tone is not None:
                    rank = max(rank, TONES[step.step.tone])
    return list(Tone)[rank]


def _cover(state: State, group: Sequence[Item], lead: Item, step: PlanStep, key: str) -> Pairs:
    """The lead, the items whose own step rides along, and what is only listed (E19, E20, E21)."""
    covers: Pairs = [(lead, step.id)]
    lead.outcome = dispose(
        lead.invoice, DispositionKind.ACTION, Code.STEP_DUE, None, stage_name(lead), step.id, key
    )
    for item in _companions(state, group, lead):
        own = None
        if item.outcome is None or item.outcome.code not in _LISTED_ONLY:
            own = own_step_up_to(state.plan, state.invoice_view(item), step, item.done, item.step)
        if item.outcome is None:
            _wait(item, Code.RUN_CAP, state.run.today + DAY)
        if own is not None:
            covers.append((item, own.id))
            item.outcome = dispose(
                item.invoice, DispositionKind.ACTION, Code.RIDES_ALONG, None, stage_name(item), own.id, key
            )
        elif _is_listed(state, item):
            covers.append((item, None))
            item.outcome = _listed(item, key)
    return covers


def _companions(state: State, group: Sequence[Item], lead: Item) -> list[Item]:
    """Invoices that may stand in the lead's message, oldest first: same seller entity, not paused, money not on account."""
    grouping = state.run.policy.grouping
    pool = group if grouping.by == "invoice" else state.items
    return sorted(
        (
            item
            for item in pool
            if item is not lead
            and item.hold is None
            and (not grouping.split_by_subsidiary or item.invoice.subsidiary_id == lead.invoice.subsidiary_id)
            and (item.step is None or item.step.kind is StepKind.TOUCH)
            and (item.outcome is None or item.outcome.kind is DispositionKind.WAIT)
            and (item.outcome is None or item.outcome.code not in _NEVER_LISTED)
        ),
        key=lambda item: (-item.dpd, item.invoice.id),
    )


def _is_listed(state: State, item: Item) -> bool:
    include = state.run.policy.grouping.include
    return include == "all_open" or (include == "overdue_only" and item.dpd >= 1)


def _listed(item: Item, key: str) -> Disposition:
    outcome = item.outcome
    if outcome is None:
        raise AssertionError(f"{item.invoice.id} has no disposition to add to")
    return outcome.model_copy(update={"action_key": key, "codes": (*outcome.codes, Code.PRESENCE_ONLY)})


def covered_invoice(state: State, item: Item, step: str | None) -> CoveredInvoice:
    """One invoice as a message names it."""
    invoice = item.invoice
    return CoveredInvoice.trusted(
        invoice_id=invoice.id,
        number=invoice.number,
        step=step,
        stage=stage_name(item),
        days_past_due=item.dpd,
        due_date=invoice.due_date,
        due_version=invoice.due_version,
        balance_due=invoice.balance_due,
        amount_to_chase=chaseable(state, item),
        currency=invoice.currency,
        presence_only=step is None,
    )


def _totals(state: State, covers: Iterable[CoveredInvoice]) -> tuple[CurrencyTotal, ...]:
    sums: dict[str | None, Decimal] = {}
    for cover in covers:
        sums[cover.currency] = sums.get(cover.currency, ZERO) + cover.amount_to_chase
    on_account = state.view.credits
    return tuple(
        CurrencyTotal.trusted(
            currency=currency, to_chase=sums[currency], unapplied=on_account.get(currency, ZERO)
        )
        for currency in sorted(sums, key=lambda c: c or "")
    )


def preconditions_of(state: State, covers: Iterable[CoveredInvoice]) -> tuple[Precondition, ...]:
    """What to check again just before sending (E11)."""
    by_id = {item.invoice.id: item.invoice for item in state.items}
    return tuple(
        Precondition.trusted(
            invoice_id=cover.invoice_id,
            balance_due=cover.balance_due,
            document_status=by_id[cover.invoice_id].document_status,
            due_version=cover.due_version,
            source_version=source.version if (source := by_id[cover.invoice_id].source) is not None else None,
        )
        for cover in covers
    )


def _content(step: PlanStep, channel: Channel, lead: Item) -> tuple[str, ...]:
    """What the message must hold (R15, R16, R27, R28, R31-R34, C6)."""
    found = ["invoice_number", "amount_due", "due_date"]
    if channel is Channel.SMS:
        found.append("payment_link")
    elif channel is Channel.VOICE:
        found += ["brief_open_items", "brief_last_touches", "brief_promises", "brief_disputes"]
        found += ["ask_payment_date_open_question", "record_outcome"]
    else:
        if channel is Channel.EMAIL:
            found.append("subject_has_identifier")
        found.append("payment_link" if lead.invoice.payment_link is not None else "billing_contact")
        if "invoice" in step.step.attach and lead.invoice.has_pdf is not False:
            found += ["attach_invoice_pdf", "mention_attachment"]
        if "statement" in step.step.attach:
            found += ["attach_statement", "mention_attachment"]
    if step.step.purpose in {Purpose.DUE_CONFIRMATION, Purpose.PRE_DUE}:
        found.append("no_overdue_wording")
    return tuple(dict.fromkeys(found))


def _step_notice(state: State, step: PlanStep, lead: Item, roles: tuple[str, ...], pairs: Pairs) -> None:
    task = f"{step.id}:notify"
    key = state.key(task, lead.invoice.id, lead.invoice.due_version)
    if state.logged(key):
        return

    def write() -> Action:
        return Action.trusted(
            key=key,
            kind=ActionKind.INTERNAL,
            code=Code.NOTIFY,
            customer_id=state.facts.id,
            task=task,
            stage=stage_name(lead),
            rung=state.rung,
            notify=roles,
            lead_invoice_id=lead.invoice.id,
            covers=tuple(covered_invoice(state, item, None) for item, _ in pairs),
            reasons=(Code.NOTIFY,),
            origin=step.step.origin,
        )

    state.add(key, ActionKind.INTERNAL, Code.NOTIFY, write, task=task)


def _no_way(state: State, group: Sequence[Item], step: PlanStep, found: NoWay) -> None:
    state.note("channels", "none", found.code, step=step.id, codes=found.codes)
    for item in group:
        _wait(item, found.code, found.until)
        if item.outcome is not None:
            item.outcome = item.outcome.model_copy(update={"codes": found.codes})
    if found.code is Code.NO_ADDRESS:
        from ar_core.cadence.tasks import raise_task

        raise_task(state, "get_contact", Code.GET_CONTACT, group[0])


def _decisions(state: State, items: Sequence[Item]) -> None:
    """Decisions and internal steps: one action per step, beside the messages and outside all caps (R8, C17)."""
    by_step: dict[str, list[Item]] = {}
    for item in items:
        if item.step is not None:
            by_step.setdefault(item.step.id, []).append(item)
    for name, group in by_step.items():
        if len(group) > 1:
            group.sort(key=lambda item: lead_order(state, item))
        lead, step = group[0], state.plan.by_id[name]
        decision = step.kind is StepKind.DECISION
        code = Code.DECISION_REQUIRED if decision else Code.STEP_DUE
        kind = ActionKind.DECISION if decision else ActionKind.INTERNAL
        key = lead_key(state, lead, step)
        for item in group:
            item.outcome = dispose(
                item.invoice, DispositionKind.ACTION, code, None, stage_name(item), name, key
            )
        state.add(key, kind, code, partial(_decision, state, key, kind, code, step, group), step=name)


def _decision(
    state: State, key: str, kind: ActionKind, code: Code, step: PlanStep, group: Sequence[Item]
) -> Action:
    """Write a decision or an internal step out in full."""
    lead = group[0]
    covers = tuple(covered_invoice(state, item, step.id) for item in group)
    return Action.trusted(
        key=key,
        kind=kind,
        code=code,
        customer_id=state.facts.id,
        subsidiary_id=lead.invoice.subsidiary_id,
        step=step.id,
        stage=stage_name(lead),
        rung=state.rung,
        notify=tuple(dict.fromkeys((*step.notify, *state.plan.notify))),
        lead_invoice_id=lead.invoice.id,
        covers=covers,
        totals=_totals(state, covers),
        options=step.step.options,
        preconditions=preconditions_of(state, covers),
        reasons=(code,),
        origin=step.step.origin,
    )
