"""Several things in the way at once: bring about all that `why_not` names and the step fires; leave any of it out and it does not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import ar_core as ar
from ar_core.cadence.counterfactual import NeededFact
from tests.cadence import books as b
from tests.cadence.test_properties import HARD

DAY = timedelta(days=1)
LONG_AGO = b.TODAY - 40 * DAY
Code = ar.Code
LIMITS = {Code.MIN_GAP, Code.WEEK_CAP, Code.STEP_GAP, Code.POST_PAYMENT_QUIET}


def of(need: NeededFact) -> str:
    """The record that a fact names."""
    return str(need.actual).split(": ")[0]


def changed(records: list[Any], record_id: str, **changes: Any) -> list[Any]:
    """The records, with one of them changed: there must be such a one."""
    assert record_id in {getattr(r, "id", None) for r in records}
    return [r.model_copy(update=changes) if getattr(r, "id", None) == record_id else r for r in records]


def earlier(record: Any, days: timedelta) -> Any:
    """A contact of ours or a payment so many days before; anything else as it is."""
    if isinstance(record, ar.Touch) and record.direction is ar.Direction.OUTBOUND:
        return record.model_copy(update={"at": record.at - days})
    if isinstance(record, ar.Payment):
        assert record.payment_date is not None
        return record.model_copy(update={"payment_date": record.payment_date - days})
    return record


def older(record: Any, days: timedelta) -> Any:
    """An invoice so many days older: all of them are, because a promise goes to the oldest first."""
    if not isinstance(record, ar.Invoice):
        return record
    assert record.due_date is not None
    return record.model_copy(update={"due_date": record.due_date - days})


def unflagged(records: list[Any], code: Code) -> list[Any]:
    """The records without the flags that a stop is about."""

    def keeps(flag: str) -> bool:
        if code is Code.UNKNOWN_FLAG:
            return not flag.startswith("odd_")
        return flag != code.value.lower()

    return [
        r.model_copy(update={"flags": tuple(f for f in r.flags if keeps(f))})
        if isinstance(r, ar.CustomerProfile)
        else r
        for r in records
    ]


def alone(records: list[Any]) -> list[Any]:
    """The records without the other invoices, and so without the messages for them."""
    return [r for r in records if not isinstance(r, ar.Invoice) or r.id == b.invoice_id()]


def with_touch(records: list[Any], need: NeededFact) -> list[Any]:
    """The records with a step that went out for the invoice long ago, or without all touches of the step."""
    name = need.fact.split()[-1]
    if need.needed == "is on record":
        return [*records, b.touch(f"{name}_done", ago=40, step=name, covers=("i1",))]
    assert name in {getattr(r, "step", None) for r in records}
    return [r for r in records if getattr(r, "step", None) != name]


def with_fact(records: list[Any], need: NeededFact, *, by_itself: bool = False) -> list[Any]:
    """The records of a book in which a needed fact holds. `by_itself`: the other invoices do not get older with the one.

    Raises AssertionError for a fact that it cannot bring about.
    """
    if need.fact.startswith("touch of "):
        return with_touch(records, need)
    match need.code:
        case Code.DISPUTED | Code.DISPUTE_COOLING:
            return changed(records, of(need), resolved_on=LONG_AGO)
        case Code.PTP_OPEN | Code.PTP_IN_GRACE:
            return changed(records, of(need), withdrawn_on=b.TODAY)
        case Code.PAUSED:
            return changed(records, of(need), lifted_on=b.TODAY)
        case Code.REPLY_PENDING:
            return changed(records, of(need), at=b.as_of(b.TODAY - 25 * DAY).instant)
        case Code.LEGAL_STOP | Code.UNKNOWN_FLAG | Code.DO_NOT_CONTACT:
            return unflagged(records, need.code)
        case Code.AMBIGUOUS_ATTEMPT:
            assert of(need) in {getattr(r, "id", None) for r in records}
            return [r for r in records if getattr(r, "id", None) != of(need)]
        case Code.NO_ADDRESS:
            return changed(records, b.contact().id, email="c1@example.com")
        case Code.NOT_POSTED:
            return changed(records, b.invoice_id(), document_status=ar.DocumentStatus.POSTED)
        case Code.RUN_CAP | Code.ADDRESS_CAP:
            return alone(records)
        case code if code in LIMITS:
            assert need.earliest is not None
            days = need.earliest - b.TODAY
            return [earlier(record, days) for record in records]
        case _:
            assert need.fact == "dpd", f"no way to bring about {need}"
            days = timedelta(days=int(need.needed.split()[1]) - int(str(need.actual)))
            return [
                older(r, days) if not by_itself or getattr(r, "id", None) == b.invoice_id() else r
                for r in records
            ]


@cache
def policies() -> list[ar.Policy]:
    return [
        b.policy_of("balanced"),
        b.changed("balanced", pauses={"promise_scope": "customer", "dispute_remainder": "pause"}),
        b.changed("balanced", steps=[{"id": "first", "min_gap_after": 9}], limits={"max_touches_per_7d": 1}),
    ]


AMOUNTS = st.sampled_from([None, *(Decimal(n) for n in (20, 30, 40, 60, 80))])
FLAGS = st.sets(st.sampled_from(["legal_stop", "do_not_contact", "odd_1", "odd_2", "human_only"]))
SAID = st.sampled_from([ar.Intent.QUESTION, ar.Intent.PROMISED, ar.Intent.DISPUTED, ar.Intent.SAYS_PAID])


@st.composite
def accounts(draw: st.DrawFn) -> list[Any]:
    """One customer with two invoices, and much that is in the way of the first one."""
    about = st.sampled_from(["i1", "i1", "i1", "i2"])
    posted = st.sampled_from([ar.DocumentStatus.POSTED] * 5 + [ar.DocumentStatus.DRAFT])
    found: list[Any] = [
        b.invoice("i1", draw(st.sampled_from([9, 9, 9, 3])), document_status=draw(posted)),
        b.invoice("i2", 9),
        b.contact(
            phone=None, mobile=None, postal=None, email=draw(st.sampled_from(["c1@example.com"] * 4 + [None]))
        ),
        b.profile(flags=tuple(draw(st.one_of(st.just(set()), FLAGS)))),
    ]
    for n in range(draw(st.integers(0, 3))):
        resolved = draw(st.sampled_from([None, None, None, b.TODAY - DAY, b.TODAY, b.TODAY + 2 * DAY]))
        amount = {"disputed_amount": draw(AMOUNTS), "currency": "USD"}
        ago = draw(st.integers(-1, 5))
        found.append(b.dispute(f"d{n}", about=draw(about), ago=ago, resolved_on=resolved, **amount))
    for n in range(draw(st.integers(0, 3))):
        on, covers = (
            draw(st.sampled_from([-20, -1, 0, 5, 45])),
            draw(st.sampled_from([("i1",), ("i1", "i2")])),
        )
        given_ago = draw(st.integers(2, 25))
        found.append(
            b.promise(f"pr{n}", on=on, given=given_ago, covers=covers, promised_amount=draw(AMOUNTS))
        )
    for n in range(draw(st.integers(0, 2))):
        ends = draw(st.sampled_from([None, b.TODAY - DAY, b.TODAY, b.TODAY + 3 * DAY]))
        whole = draw(st.booleans())
        found.append(pause(f"h{n}", about=None if whole else draw(about), ends_on=ends))
    for n in range(draw(st.integers(0, 3))):
        outcome = draw(st.sampled_from([ar.TouchOutcome.DELIVERED] * 3 + [ar.TouchOutcome.AMBIGUOUS]))
        step = draw(st.sampled_from([None, "first"]))
        ago = draw(st.integers(0, 8))
        found.append(b.touch(f"t{n}", ago=ago, step=step, covers=("i2",), outcome=outcome))
    replies = draw(st.integers(0, 2))
    found += [reply(f"r{n}", ago=draw(st.integers(0, 9)), intent=draw(SAID)) for n in range(replies)]
    if draw(st.booleans()):
        found.append(b.payment(ago=draw(st.integers(0, 4))))
    return found


def pause(name: str, *, about: str | None = None, **changes: Any) -> ar.Pause:
    """A pause since last week; of the account where no invoice is named."""
    return ar.Pause(
        id=f"local:{name}",
        customer_id=b.customer_id(),
        invoice_id=None if about is None else b.invoice_id(about),
        starts_on=b.TODAY - 7 * DAY,
        **changes,
    )


def reply(name: str, *, ago: int, intent: ar.Intent = ar.Intent.QUESTION, **changes: Any) -> ar.Touch:
    """What the customer said at noon some days ago."""
    return b.touch(name, ago=ago, direction=ar.Direction.INBOUND, intent=intent, **changes)


def fires(records: list[Any], policy: str | ar.Policy, step: str) -> bool:
    found = b.of(b.run(*records, policy=policy))
    return found.kind == "action" and found.step == step


def brought_about(records: list[Any], needs: list[NeededFact], *, by_itself: bool = False) -> list[Any]:
    for need in needs:
        records = with_fact(records, need, by_itself=by_itself)
    return records


def check(
    records: list[Any],
    policy: str | ar.Policy = "balanced",
    step: str = "demand",
    *,
    by_itself: bool = False,
) -> list[Code | None]:
    """What is named is enough, and none of it can be left out. The codes, in order."""
    answer = ar.why_not(b.run(*records, policy=policy), b.invoice_id(), step)
    needs = list(answer.would_fire_if)
    assert answer.fires is fires(records, policy, step)
    assert answer.fires is not bool(needs)
    assert fires(brought_about(records, needs, by_itself=by_itself), policy, step), answer
    for one in needs:
        fewer = [need for need in needs if need is not one]
        assert not fires(brought_about(records, fewer, by_itself=by_itself), policy, step), (
            str(answer),
            one.fact,
        )
    return [need.code for need in needs]


@HARD
@given(accounts(), st.integers(0, 2), st.sampled_from(["demand", "demand", "call", "first"]))
def test_all_that_is_named_is_enough_and_none_of_it_can_be_left_out(
    found: list[Any], number: int, step: str
) -> None:
    check(found, policies()[number], step)
