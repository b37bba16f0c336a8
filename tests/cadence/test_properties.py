"""What holds for every book: completeness, determinism, independence, and that nothing on record fires again."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ar_core as ar
from ar_core.cadence import PRESETS
from ar_core.cadence.book import Book
from ar_core.cadence.evaluate import assemble, evaluate_accounts
from ar_core.cadence.incremental import reevaluate
from ar_core.cadence.policy import Clause
from ar_core.segments import reassign_tiers
from tests.cadence import books as b

DAY = timedelta(days=1)
STEPS = [
    "first",
    "demand",
    "call",
    "letter",
    "decide",
    "reminder",
    "risk_call",
    "notice_1",
    "send_copy",
    None,
]
OWNERS = ["c1", "c2", "c3"]
CIRCLES: list[dict[str, str]] = [
    *[{}] * 4,
    {"c1": "c2", "c2": "c1"},
    {"c1": "c2", "c2": "c1", "c3": "c2"},
    {"c2": "c3", "c3": "c2", "c1": "c3"},
    {"c1": "c2", "c2": "c3", "c3": "c1"},
    {"c1": "c3", "c3": "c2", "c2": "c1", "c4": "c2"},
]
"""Who is whose child: mostly nobody; two or three that are each other's parents (E46), also with somebody below them."""


@st.composite
def records(draw: st.DrawFn) -> list[Any]:
    """A book of up to three customers, four where three are in a circle, with everything that can happen to them."""
    found: list[Any] = []
    parents = draw(st.sampled_from(CIRCLES))
    owners = sorted({*OWNERS, *parents})
    count = draw(st.integers(1, 7))
    names = [f"i{n}" for n in range(count)]
    owner_of: dict[str, str] = {}
    for name in names:
        owner = owner_of[name] = draw(st.sampled_from(owners))
        found.append(
            b.invoice(
                name,
                draw(st.integers(-12, 110)),
                owner,
                balance_due=draw(st.sampled_from([Decimal(100), Decimal(40), Decimal(0), Decimal(-5)])),
                document_status=draw(st.sampled_from([*[ar.DocumentStatus.POSTED] * 6, *ar.DocumentStatus])),
                currency=draw(st.sampled_from(["USD", "USD", "EUR"])),
                due_version=draw(st.sampled_from([0, 0, 0, 1])),
                has_pdf=draw(st.sampled_from([True, False, None])),
                payment_link=draw(st.sampled_from(["https://pay.example", None])),
            )
        )
    for n in range(draw(st.integers(0, 5))):
        name = draw(st.sampled_from(names))
        found.append(
            b.touch(
                f"t{n}",
                ago=draw(st.integers(-2, 40)),
                step=draw(st.sampled_from(STEPS)),
                covers=draw(st.sampled_from([(name,), ()])),
                owner=owner_of[name],
                channel=draw(st.sampled_from([ar.Channel.EMAIL, ar.Channel.VOICE])),
                direction=draw(
                    st.sampled_from([ar.Direction.OUTBOUND, ar.Direction.OUTBOUND, ar.Direction.INBOUND])
                ),
                outcome=draw(st.sampled_from(list(ar.TouchOutcome))),
                intent=draw(st.sampled_from([ar.Intent.NONE, *ar.Intent])),
                until=b.TODAY + timedelta(days=draw(st.integers(-5, 10))),
                contact_id=draw(
                    st.sampled_from([who(owner_of[name]), who(f"{owner_of[name]}-deputy"), None])
                ),
                address=draw(st.sampled_from([None, None, "old@example.com"])),
            )
        )
    for n in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(names))
        found.append(
            b.promise(
                f"pr{n}",
                on=draw(st.integers(-30, 45)),
                given=draw(st.integers(-1, 40)),
                covers=(name,),
                customer_id=b.customer_id(owner_of[name]),
            )
        )
    if draw(st.booleans()):
        name = draw(st.sampled_from(names))
        found.append(
            b.dispute(
                about=name,
                customer_id=b.customer_id(owner_of[name]),
                ago=draw(st.integers(-2, 20)),
                resolved_on=draw(st.sampled_from([None, b.TODAY, b.TODAY - 2 * DAY, b.TODAY + 3 * DAY])),
                disputed_amount=draw(st.sampled_from([None, Decimal(30)])),
                currency="USD",
            )
        )
    if draw(st.booleans()):
        owner = draw(st.sampled_from(owners))
        found.append(
            ar.Pause(
                id="local:pause",
                customer_id=b.customer_id(owner),
                starts_on=b.TODAY + timedelta(days=draw(st.integers(-3, 3))),
                ends_on=b.TODAY + timedelta(days=draw(st.integers(3, 6))),
            )
        )
    found.extend(
        b.payment(
            f"p{n}",
            ago=draw(st.integers(-2, 20)),
            unapplied=draw(st.sampled_from(["0", "60", "500"])),
            owner=draw(st.sampled_from(owners)),
        )
        for n in range(draw(st.integers(0, 2)))
    )
    for o in owners:
        parent = b.customer_id(parents[o]) if o in parents else None
        billed = draw(st.sampled_from([True, True, False])) if parent else None
        country = draw(st.sampled_from(["US", "MX", None]))
        found.append(b.customer(o, country=country, parent_id=parent, bill_with_parent=billed))
    for o in owners:
        found.append(b.contact(o, time_zone=draw(ZONES), **draw(REACH)))
        if draw(st.booleans()):
            role = draw(st.sampled_from([ar.ContactRole.ACCOUNTS_PAYABLE, ar.ContactRole.DEPARTMENT_HEAD]))
            found.append(b.contact(o, f"{o}-deputy", role=role, time_zone=draw(ZONES), **draw(REACH)))
        if draw(st.booleans()):
            found.append(b.profile(o, **draw(KNOWN)))
    return found


def who(name: str) -> str:
    return ar.record_id("quickbooks", "1", ar.RecordKind.CONTACT, name)


ZONES = st.sampled_from([None, None, "Asia/Tokyo", "Pacific/Honolulu"])
KNOWN: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"out_of_office": (ar.OutOfOffice(until=b.TODAY + 4 * DAY),)},
        {"out_of_office": (ar.OutOfOffice(until=b.TODAY + 4 * DAY, contact_id=who("c2")),)},
        {"bounced": (ar.BouncedChannel(channel=ar.Channel.EMAIL),)},
        {"bounced": (ar.BouncedChannel(channel=ar.Channel.VOICE, at=b.as_of(b.TODAY - 9 * DAY).instant),)},
    ]
)
"""What the host knows of absences and dead addresses."""


REACH: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        *[{}] * 4,
        {"phone": None, "mobile": None},
        {"email": None},
        {"email": None, "phone": None, "mobile": None},
        {"email": None, "phone": None, "mobile": None, "postal": None},
        {"is_active": False},
    ]
)
"""How a contact can be reached: mostly on every channel."""


TIERS = ar.Tiers(
    {
        b.customer_id("c1"): ar.TierAssignment("strategic", Decimal(9)),
        b.customer_id("c2"): ar.TierAssignment("core", Decimal(5)),
        b.customer_id("c3"): ar.TierAssignment("tail", Decimal(1)),
    }
)
HARD = settings(
    max_examples=int(os.environ.get("AR_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
DAYS = st.integers(0, 12).map(lambda n: b.as_of(b.TODAY + n * DAY, hour=8 + n))


def evaluated(found: list[Any], preset: str, at: ar.AsOf, **options: Any) -> Any:
    options.setdefault("tiers", TIERS)
    return b.run(*found, policy=preset, at=at, **options)


@HARD
@given(records(), st.sampled_from(PRESETS), DAYS)
def test_r40_every_open_invoice_has_exactly_one_disposition(
    found: list[Any], preset: str, at: ar.AsOf
) -> None:
    evaluation = evaluated(found, preset, at)
    wanted = sorted(
        r.id
        for r in found
        if isinstance(r, ar.Invoice)
        and (r.balance_due != 0 or r.document_status is ar.DocumentStatus.UNKNOWN)
    )
    assert [d.invoice_id for d in evaluation.dispositions] == wanted
    keys = [a.key for a in evaluation.actions]
    assert len(keys) == len(set(keys))
    for disposition in evaluation.dispositions:
        if disposition.kind is ar.DispositionKind.ACTION:
            assert disposition.action_key in keys
        if disposition.kind is not ar.DispositionKind.ACTION and disposition.until is not None:
            assert disposition.until > evaluation.today


@HARD
@given(records(), st.sampled_from(PRESETS), DAYS, st.integers())
def test_e1_r61_r67_the_order_of_the_facts_changes_nothing(
    found: list[Any], preset: str, at: ar.AsOf, seed: int
) -> None:
    shuffled = list(found)
    random.Random(seed).shuffle(shuffled)
    once, again = evaluated(found, preset, at), evaluated(shuffled, preset, at)
    assert once.model_dump_json() == again.model_dump_json()
    assert once.fingerprint == again.fingerprint


@HARD
@given(
    records(), st.sampled_from(PRESETS), DAYS, st.lists(st.integers(0, 14), min_size=3, max_size=5), st.data()
)
def test_e28_e29_what_is_on_record_under_its_key_never_fires_again_whatever_came_of_it(
    found: list[Any], preset: str, at: ar.AsOf, gaps: list[int], data: st.DataObject
) -> None:
    """Several runs in a row, on the same day or later; each touch has an outcome of its own, and some name nothing but their key."""
    how = st.tuples(
        st.sampled_from(list(ar.TouchOutcome)), st.sampled_from([{}, {}, {"covers": (), "step": None}])
    )
    known, seen = list(found), set[str]()
    for gap in [0, *gaps]:
        at = ar.AsOf(instant=at.instant + gap * DAY, zone=at.zone)
        actions = evaluated(known, preset, at).actions
        assert not seen & {action.key for action in actions}
        for action in actions:
            outcome, changes = data.draw(how)
            known.append(b.touch_from(action.record(at.instant, outcome, **changes)))
            seen.add(action.key)


@HARD
@given(records(), records(), st.sampled_from(PRESETS), DAYS)
def test_with_fixed_tiers_an_unrelated_customer_changes_nothing_for_the_others(
    found: list[Any], others: list[Any], preset: str, at: ar.AsOf
) -> None:
    alone = evaluated(found, preset, at)
    stranger = [
        b.customer("stranger"),
        *(
            r.model_copy(update={"id": f"{r.id}x", "customer_id": b.customer_id("stranger")})
            for r in others
            if isinstance(r, ar.Invoice)
        ),
    ]
    together = evaluated([*found, *stranger], preset, at)
    new = b.customer_id("stranger")
    assert [a for a in together.actions if a.customer_id != new] == list(alone.actions)
    assert [d for d in together.dispositions if d.customer_id != new] == list(alone.dispositions)


@HARD
@given(records(), st.sampled_from(PRESETS), DAYS)
def test_r18_no_threat_without_its_capability(found: list[Any], preset: str, at: ar.AsOf) -> None:
    threatening = b.changed(
        preset,
        steps=[
            {"id": s.id, "clauses": [c.value for c in Clause]}
            for s in b.policy_of(preset).steps
            if s.kind == "touch"
        ],
        capabilities={"will_pursue_legal": False, "can_hold_orders": False, "uses_agency": False},
    )
    for action in b.run(*found, policy=threatening, at=at, tiers=TIERS).actions:
        assert action.clauses == ()
        assert action.rung not in {"order_hold", "referral"}


@cache
def catching_up(preset: str, mode: str) -> ar.Policy:
    """A preset with another way of dealing with days that went by (E24)."""
    return b.changed(preset, catch_up={"mode": mode})


def with_profiles(found: list[Any], *profiles: ar.CustomerProfile) -> list[Any]:
    """A generated book with these profiles in the place of those that were drawn."""
    owners = {profile.customer_id for profile in profiles}
    kept = [r for r in found if not (isinstance(r, ar.CustomerProfile) and r.customer_id in owners)]
    return [*kept, *profiles]


CONSENTS = b.profile(
    "c1", consents=[ar.Consent(channel=c, granted=True) for c in (ar.Channel.SMS, ar.Channel.WHATSAPP)]
)


@HARD
@given(records(), st.sampled_from(PRESETS), DAYS, st.sampled_from(["drop", "latest", "sequential"]))
def test_r20_e42_no_automation_ever_reaches_a_strategic_customer(
    found: list[Any], preset: str, at: ar.AsOf, mode: str
) -> None:
    evaluation = b.run(*with_profiles(found, CONSENTS), policy=catching_up(preset, mode), at=at, tiers=TIERS)
    for action in evaluation.for_customer(b.customer_id("c1")):
        assert action.actor == "human"


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("mode", ["drop", "latest", "sequential"])
def test_r20_e42_fallbacks_and_catch_up_are_among_what_was_tried(preset: str, mode: str) -> None:
    """The property above would say nothing if generated books never came to a fallback or to a step that was overdue."""
    owners = [f"c{n}" for n in range(120)]
    tiers = b.tier("strategic", *owners)
    reach: tuple[dict[str, Any], ...] = (
        {},
        {"phone": None, "mobile": None},
        {"email": None},
        {"email": None, "phone": None, "mobile": None},
    )
    invoices = [b.invoice(f"i{n}", n - 5, owner) for n, owner in enumerate(owners)]
    contacts = [b.contact(owner, **reach[n % 4]) for n, owner in enumerate(owners)]
    evaluation = b.run(
        *invoices, *contacts, policy=catching_up(preset, mode), tiers=tiers, at=b.as_of(hour=5)
    )
    assert {action.actor for action in evaluation.actions} == {"human"}
    codes = {code for action in evaluation.actions for code in action.reasons}
    codes |= {code for d in evaluation.dispositions for code in (d.code, *d.codes)}
    assert codes & {ar.Code.CHANNEL_FALLBACK, ar.Code.NO_ADDRESS}
    if mode == "latest" and preset != "risk_4":
        assert ar.Code.SUPERSEDED in codes


@HARD
@given(records(), st.sampled_from(PRESETS), DAYS)
def test_nobody_who_is_stopped_is_contacted(found: list[Any], preset: str, at: ar.AsOf) -> None:
    legal, asked = b.profile("c2", flags=("legal_stop",)), b.profile("c3", flags=("do_not_contact",))
    stopped = with_profiles(found, legal, asked)
    for action in b.touches_of(evaluated(stopped, preset, at)):
        assert action.customer_id == b.customer_id("c1")


@HARD
@given(records(), records(), st.sampled_from(PRESETS), DAYS, st.integers(0, 72))
def test_an_incremental_run_gives_the_bytes_of_a_full_run(
    found: list[Any], news: list[Any], preset: str, at: ar.AsOf, hours: int
) -> None:
    first = evaluated(found, preset, at)
    moment = ar.AsOf(instant=at.instant + timedelta(hours=hours), zone=at.zone)
    c2 = b.customer_id("c2")
    changed = [r for r in found if getattr(r, "customer_id", None) != c2] + [
        r.model_copy(update={"id": f"{r.id}n"})
        for r in news
        if isinstance(r, ar.Invoice | ar.Payment) and r.customer_id == c2
    ]
    snapshot = b.book(*changed)
    full = ar.evaluate(snapshot, b.policy_of(preset), moment, tiers=TIERS, calendar=ar.WEEKENDS, strict=True)
    incremental = reevaluate(first, snapshot, {c2}, moment, strict=True)
    assert incremental.model_dump_json() == full.model_dump_json()


def test_an_incremental_run_finds_a_moved_tier_by_itself() -> None:
    names = [f"c{n}" for n in range(1, 6)]
    invoices = [b.invoice(f"i{n}", -60, n) for n in names]
    values = {n: 100 - i for i, n in enumerate(names)}

    def snapshot(**changes: int) -> ar.Snapshot:
        return b.book(
            *invoices,
            *(b.profile(n, lifetime_value=Decimal(v)) for n, v in {**values, **changes}.items()),
        )

    policy, at = b.policy_of("balanced"), b.as_of()
    first = ar.evaluate(snapshot(), policy, at)
    moved = snapshot(c5=1000)
    again = reevaluate(first, moved, {b.customer_id("c5")}, at)
    assert again.model_dump_json() == ar.evaluate(moved, policy, at).model_dump_json()
    assert [s.value_tier for s in again.segments] == ["core", "core", "core", "tail", "strategic"]


@HARD
@given(st.data())
def test_tiers_from_the_previous_ones_are_the_tiers_assigned_anew(data: st.DataObject) -> None:
    names = [f"c{n}" for n in range(1, 7)]
    shares = {"strategic": Decimal("0.20"), "core": Decimal("0.60")}

    def draw_book(changing: set[str], before: list[Any]) -> list[Any]:
        found = [r for r in before if r.customer_id not in {b.customer_id(n) for n in changing}]
        for name in changing:
            if data.draw(st.booleans()):
                worth = data.draw(st.sampled_from([None, Decimal(50), Decimal(400)]))
                found.append(b.profile(name, lifetime_value=worth))
            found.extend(
                b.payment(
                    f"{name}-{n}",
                    owner=name,
                    ago=data.draw(st.integers(-4, 4)),
                    amount=data.draw(st.sampled_from(["50", "400"])),
                    currency=data.draw(st.sampled_from(["USD", "EUR"])),
                )
                for n in range(data.draw(st.integers(0, 2)))
            )
        return found

    def snapshot(records: list[Any]) -> ar.Snapshot:
        known = b.payment("always", owner="c1", ago=9)
        return b.book(*(b.customer(n) for n in names), known, *(r for r in records if r.id != known.id))

    first = draw_book(set(names), [])
    changed = data.draw(st.sets(st.sampled_from(names)))
    second = snapshot(draw_book(changed, first))
    today = b.TODAY + data.draw(st.integers(0, 5)) * DAY
    previous = ar.assign_tiers(snapshot(first), **shares, today=b.TODAY)
    expected = ar.assign_tiers(second, **shares, today=today)
    for records_of in (None, Book(second).only):
        again = reassign_tiers(
            previous,
            second,
            {b.customer_id(n) for n in changed},
            strategic=shares["strategic"],
            core=shares["core"],
            since=b.TODAY,
            today=today,
            records_of=records_of,
        )
        assert again == expected


def test_accounts_can_be_evaluated_in_other_processes() -> None:
    snapshot = b.book(b.invoice("i1", 9, "c1"), b.invoice("i2", 30, "c2"))
    whole = b.run(snapshot)
    run = pickle.loads(pickle.dumps(whole.parts()[1]))
    book = Book(snapshot)
    facts = [pickle.loads(pickle.dumps(book.account(i).detached())) for i in book.account_ids()]
    results = pickle.loads(pickle.dumps(evaluate_accounts(facts, run)))
    assert [a for r in results for a in r.actions] == list(whole.actions)


def test_a_process_pool_gives_what_one_process_gives() -> None:
    snapshot = b.book(
        *(b.invoice(f"i{n}", 7 * n - 5, f"c{n % 4 + 1}") for n in range(14)),
        b.promise(covers=("i4",)),
        b.touch(ago=9, step="first", covers=("i3",), owner="c4"),
    )
    whole = b.run(snapshot)
    _, run, book = whole.parts()
    facts = [book.account(i).detached() for i in book.account_ids()]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(evaluate_accounts, (facts[:2], facts[2:]), (run, run)))
    results = {result.account_id: result for part in parts for result in part}
    again = assemble(results, run, book, whole.notes)
    assert again.model_dump_json() == whole.model_dump_json()
    assert ar.explain(again, invoice=b.invoice_id("i4")) == ar.explain(whole, invoice=b.invoice_id("i4"))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_policy_survives_being_written_and_read(preset: str) -> None:
    policy = b.policy_of(preset)
    assert ar.load_policy(policy.resolved()) == policy
    assert ar.load_policy(policy.resolved()).content_hash == policy.content_hash


def test_an_evaluation_survives_json() -> None:
    evaluation = b.run(b.invoice("i1", 22), b.invoice("i2", 76), b.promise())
    data = evaluation.model_dump(mode="json", exclude={"writebacks", "fingerprint"})
    again = ar.Evaluation.model_validate(data)
    assert again.actions == evaluation.actions
    assert again.dispositions == evaluation.dispositions
    assert again.today == date(2026, 11, 25)
