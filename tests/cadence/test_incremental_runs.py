"""`reevaluate` says what a full run says, whatever changed in between, and keeps what nothing touched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.view import AccountView
from tests.cadence import books as b

OWNERS = ("c1", "c2", "c3", "c4")
PARENT = b.customer("c1")
CHILD = b.customer("c2", parent_id=PARENT.id, bill_with_parent=True)
GRANDCHILD = b.customer("c4", parent_id=CHILD.id)
OTHER = b.customer("c3")
FAMILY = (PARENT, CHILD, OTHER, GRANDCHILD)
OPEN = (
    b.invoice("i1", 9, "c1"),
    b.invoice("i2", 25, "c2"),
    b.invoice("i3", 3, "c3"),
    b.invoice("i4", 50, "c4"),
)
EUR = ar.ExchangeRate(currency="EUR", base_currency="USD", rate=Decimal("1.1"), as_of=b.TODAY)


def before(*records: Any, policy: ar.Policy | None = None, **options: Any) -> ar.Evaluation:
    """The first run: a family of three customers and a stranger, one open invoice each."""
    return b.run(b.book(*FAMILY, *OPEN, *records), policy=policy or b.policy_of("balanced"), **options)


def same_as_full(
    first: ar.Evaluation,
    snapshot: ar.Snapshot,
    changed: Iterable[str],
    at: ar.AsOf | None = None,
    policy: ar.Policy | None = None,
    tiers: ar.Tiers | None = None,
) -> ar.Evaluation:
    """Carry an evaluation on, and check it against a run that starts from nothing."""
    moment = at or b.as_of()
    again = ar.reevaluate(
        first, snapshot, {b.customer_id(c) for c in changed}, moment, tiers=tiers, strict=True
    )
    full = b.run(snapshot, policy=policy or b.policy_of("balanced"), at=moment, tiers=tiers)
    assert again.model_dump_json() == full.model_dump_json()
    return again


def sixty_of(number: int) -> ar.Promise:
    """A customer promised 60 of its invoice for a week ago."""
    whose, about = b.customer_id(f"c{number}"), (f"i{number}",)
    amount = {"promised_amount": Decimal(60), "currency": b.BASE}
    return b.promise(f"pr{number}", on=-7, given=9, covers=about, customer_id=whose, **amount)


def book(
    *records: Any, family: Iterable[ar.Customer] = FAMILY, invoices: Iterable[ar.Invoice] = OPEN
) -> ar.Snapshot:
    return b.book(*family, *invoices, *records)


class TestOneCustomer:
    @pytest.mark.parametrize("owner", OWNERS)
    def test_a_paid_invoice(self, owner: str) -> None:
        left = [i for i in OPEN if i.customer_id != b.customer_id(owner)]
        paid = b.invoice(f"i{owner[1]}", 9, owner, balance_due=Decimal(0))
        found = same_as_full(before(), book(invoices=[*left, paid]), [owner])
        assert paid.id not in found.by_invoice

    @pytest.mark.parametrize("owner", OWNERS)
    def test_a_new_invoice_that_sorts_before_the_others(self, owner: str) -> None:
        fresh = b.invoice("a0", 30, owner)
        found = same_as_full(before(), book(invoices=[fresh, *OPEN]), [owner])
        assert found.by_invoice[fresh.id].stage == "escalation"

    @pytest.mark.parametrize("owner", OWNERS)
    def test_records_of_every_other_kind(self, owner: str) -> None:
        whose, about = b.customer_id(owner), f"i{owner[1]}"
        for record in (
            b.touch(owner=owner, ago=1),
            b.payment(owner=owner, ago=1, unapplied="100"),
            b.promise(covers=(about,), customer_id=whose),
            b.dispute(about=about, customer_id=whose),
            ar.Pause(id="local:s1", customer_id=whose, starts_on=b.TODAY),
        ):
            came = book(record)
            found = same_as_full(before(), came, [owner])
            assert found.model_dump_json() != before().model_dump_json(), record
            same_as_full(found, book(), [owner])
            same_as_full(found, book(b.touch("t0", owner="c3", ago=2), record), [owner, "c3"])

    def test_allocations_and_what_they_come_from(self) -> None:
        """A promise is kept by what was applied since: by a payment, or not by a credit note that came back."""
        promise = b.promise(on=-7, given=9, covers=("i1",))
        part = b.invoice("i1", 9, "c1", balance_due=Decimal(40))
        for allocations in ((b.allocation(ago=8, amount="60"),), (b.allocation("p2", ago=8, amount="60"),)):
            first = before(promise, b.payment(ago=8, amount="60"))
            assert first.promises[0].state is ar.PromiseState.BROKEN
            later = book(
                promise,
                b.payment(ago=8, amount="60"),
                b.payment("p2", ago=8, amount="60"),
                *allocations,
                invoices=[part, *OPEN[1:]],
            )
            found = same_as_full(first, later, ["c1"])
            assert found.promises[0].state is ar.PromiseState.PARTIALLY_KEPT
            same_as_full(found, book(promise), ["c1"])

    def test_a_promise_of_nobody_is_its_invoices_customers(self) -> None:
        promise = b.promise(
            on=-7, given=9, covers=("i3",), customer_id=None, promised_amount=Decimal(60), currency=b.BASE
        )
        snapshot = book(promise, b.payment(ago=8, amount="60"), b.allocation(target="i3", ago=8, amount="60"))
        first = b.run(snapshot)
        assert first.promises[0].state is ar.PromiseState.KEPT
        late = snapshot.model_copy(update={"payments": (b.payment(ago=1, amount="60"),)})
        assert same_as_full(first, late, ["c1"]).promises[0].state is ar.PromiseState.KEPT_LATE

    @pytest.mark.parametrize("kind", ["promise", "dispute"])
    def test_a_debt_of_nobody_moves_when_its_first_invoice_goes_or_comes(self, kind: str) -> None:
        """Of a dispute the invoice moves to another customer, who alone is named."""
        if kind == "promise":
            record: Any = b.promise(covers=("i1", "i3"), customer_id=None)
            other = book(record, invoices=OPEN[1:])
        else:
            record = b.dispute(about="i1", customer_id=None)
            other = book(record, invoices=[b.invoice("i1", 9, "c3"), *OPEN[1:]])
        whole = b.run(book(record))
        gone = same_as_full(whole, other, ["c1"])
        held = [p.customer_id for p in gone.pauses]
        assert held == [OTHER.id]
        assert [p.customer_id for p in same_as_full(gone, book(record), ["c1"]).pauses] == [PARENT.id]
        assert not same_as_full(whole, book(), []).pauses

    def test_what_somebody_else_paid_counts_from_its_new_day(self) -> None:
        """None of the customer's own records changes; how a promise ended is read from the new payment."""
        promise = b.promise(
            on=-7, given=9, covers=("i3",), customer_id=OTHER.id, promised_amount=Decimal(60), currency=b.BASE
        )
        paid = (promise, b.payment(ago=8, amount="60"))
        snapshot = book(*paid, b.allocation(target="i3", ago=8, amount="60"))
        first = b.run(snapshot)
        assert first.promises[0].state is ar.PromiseState.KEPT
        late = snapshot.model_copy(update={"payments": (b.payment(ago=1, amount="60"),)})
        assert same_as_full(first, late, ["c1"]).promises[0].state is ar.PromiseState.KEPT_LATE

    @pytest.mark.parametrize("covers", [("i3",), ()])
    @pytest.mark.parametrize("owner", ["c1", None])
    def test_a_credit_or_adjustment_of_somebody_else_that_is_void_or_gone_counts_no_more(
        self, covers: tuple[str, ...], owner: str | None
    ) -> None:
        """Also where the promise names no invoice; whoever has no customer cannot be named."""
        theirs = None if owner is None else b.customer_id(owner)
        note = ar.CreditNote(
            id="quickbooks:1:credit_note:1",
            customer_id=theirs,
            currency="USD",
            total=Decimal(60),
            unapplied_amount=Decimal(0),
            document_status=ar.DocumentStatus.POSTED,
        )
        line = ar.Adjustment(
            id="quickbooks:1:adjustment:1",
            customer_id=theirs,
            amount=Decimal(-60),
            document_status=ar.DocumentStatus.POSTED,
        )
        promise = b.promise(on=-7, given=9, covers=covers, customer_id=OTHER.id)
        for source, kind in ((note, "credit_notes"), (line, "adjustments")):
            applied = b.allocation(target="i3", ago=8, amount="60").model_copy(
                update={"source_id": source.id}
            )
            snapshot = book(promise, source, applied)
            first = b.run(snapshot)
            void = source.model_copy(update={"document_status": ar.DocumentStatus.VOIDED})
            named = [] if owner is None else [owner]
            for records in ((void,), ()):
                found = same_as_full(first, snapshot.model_copy(update={kind: records}), named)
                assert found.promises != first.promises
                same_as_full(found, snapshot, named)

    @pytest.mark.parametrize("names", [("i3", "i2"), ("i2", "i3"), ("i3", None), (None, "i3"), ("i1", "i3")])
    @pytest.mark.parametrize("owner", ["c1", None])
    def test_what_somebody_else_paid_is_applied_to_another_invoice(
        self, names: tuple[str | None, str | None], owner: str | None
    ) -> None:
        """Only who paid is named, where there is such a customer; the payment itself stays the same record."""
        promises = [sixty_of(2), sixty_of(3)]
        payment = b.payment(ago=8, customer_id=None if owner is None else b.customer_id(owner))
        refund = b.allocation(target="r1", ago=8).model_copy(update={"target_id": payment.id})
        snapshots = [
            book(
                *promises, refund, *([] if name is None else [b.allocation(target=name, ago=8, amount="60")])
            ).model_copy(update={"payments": (payment,)})
            for name in names
        ]
        first = b.run(snapshots[0])
        found = same_as_full(first, snapshots[1], [] if owner is None else [owner])
        assert found.promises != first.promises

    def test_one_payment_is_applied_to_an_invoice_of_one_customer_and_another_is_void_that_kept_a_promise(
        self,
    ) -> None:
        """All three are found: who paid, whose invoice it is, and whose promise it was."""
        apart = tuple(c.model_copy(update={"parent_id": None}) for c in FAMILY)
        promises = [sixty_of(3), sixty_of(4)]
        second, old = b.payment("p2", ago=8), b.allocation(target="i3", ago=8, amount="60")
        first = b.run(book(*promises, old, b.payment(ago=8, amount="60"), second, family=apart))
        void = b.payment(ago=8, amount="60", document_status=ar.DocumentStatus.VOIDED)
        new = b.allocation("p2", "i4", ago=8, amount="60")
        found = same_as_full(first, book(*promises, old, new, void, second, family=apart), ["c1"])
        kept, broken = ar.PromiseState.KEPT, ar.PromiseState.BROKEN
        assert [p.state for p in first.promises] == [kept, broken]
        assert [p.state for p in found.promises] == [broken, kept]

    def test_only_those_whom_it_concerns_are_looked_at_again(self) -> None:
        """c1 paid for c3; neither its own invoice nor the promise of c4, which c4 pays for, make anybody else be decided."""
        asked: list[str] = []

        def scorer(view: AccountView) -> int:
            asked.append(view.facts.id)
            return 7

        apart = tuple(c.model_copy(update={"parent_id": None}) for c in FAMILY)
        promises = [
            b.promise(f"pr{n}", on=-7, given=9, covers=(f"i{n}",), customer_id=b.customer_id(f"c{n}"))
            for n in (2, 3, 4)
        ]
        money = [b.payment(), b.payment("p4", owner="c4")]
        applied = [b.allocation(target=name, ago=8, amount="10") for name in ("i1", "i3")]
        rest = [b.allocation("p4", "i4", ago=8, amount="10"), b.allocation("p9", "i2", ago=8, amount="10")]
        snapshot = book(*promises, *money, *applied, *rest, family=apart)
        first = b.run(snapshot, scorer=scorer)
        later = snapshot.model_copy(
            update={
                "payments": tuple(p.model_copy(update={"memo": "again"}) for p in snapshot.payments),
                "allocations": tuple(a.model_copy() for a in snapshot.allocations),
            }
        )
        for changes in ({"payments": later.payments}, {"allocations": later.allocations}, dict(later)):
            asked.clear()
            again = snapshot.model_copy(update=dict(changes))
            ar.reevaluate(first, again, {PARENT.id}, b.as_of(), strict=True)
            assert sorted(asked) == [PARENT.id, OTHER.id]

    def test_a_customer_that_is_new_or_gone(self) -> None:
        new = b.invoice("i5", 9, "c5")
        found = same_as_full(before(), book(invoices=[*OPEN, new]), ["c5"])
        assert new.id in found.by_invoice
        fewer = b.book(PARENT, CHILD, GRANDCHILD, *(i for i in OPEN if i.customer_id != OTHER.id))
        assert b.invoice_id("i3") not in same_as_full(found, fewer, ["c3", "c5"]).by_invoice

    def test_a_customer_that_is_gone_while_its_invoice_stays(self) -> None:
        snapshot = ar.Snapshot.model_validate(
            {**dict(book()), "customers": tuple(c for c in book().customers if c.id != OTHER.id)}
        )
        found = same_as_full(before(), snapshot, ["c3"])
        assert b.of(found, "i3").code is ar.Code.CUSTOMER_UNKNOWN
        assert b.of(same_as_full(found, book(), ["c3"]), "i3").code is ar.Code.STEP_DUE

    def test_an_invoice_without_a_customer(self) -> None:
        nobodys = b.invoice("i9", 9).model_copy(update={"customer_id": None})
        snapshot = book().model_copy(update={"invoices": (*book().invoices, nobodys)})
        found = same_as_full(before(), snapshot, [])
        orphan = found.by_invoice[nobodys.id]
        assert (orphan.kind, orphan.code, orphan.customer_id) == ("paused", ar.Code.CUSTOMER_UNKNOWN, None)
        assert orphan.until is None
        same_as_full(found, book(), [])


class TestFamilies:
    def test_a_customer_moves_to_another_account(self) -> None:
        apart = CHILD.model_copy(update={"bill_with_parent": False})
        found = same_as_full(before(), book(family=(PARENT, apart, OTHER, GRANDCHILD)), ["c2"])
        assert {a.customer_id for a in b.touches_of(found)} >= {CHILD.id, PARENT.id}
        back = same_as_full(found, book(), ["c2"])
        assert CHILD.id not in {a.customer_id for a in back.actions}

    def test_a_stop_on_a_parent_stops_everyone_below_it_who_is_not_named(self) -> None:
        stop = b.profile("c1", flags=("legal_stop",))
        found = same_as_full(before(), book(stop), ["c1"])
        stopped = {i for i, d in found.by_invoice.items() if d.code is ar.Code.LEGAL_STOP}
        assert stopped == {b.invoice_id(n) for n in ("i1", "i2", "i4")}
        same_as_full(found, book(), ["c1"])

    def test_customers_in_a_circle_end(self) -> None:
        circle = (
            b.customer("c1", parent_id=b.customer_id("c2")),
            b.customer("c2", parent_id=b.customer_id("c1")),
        )
        first = b.run(b.book(*circle, *OPEN[:2]))
        same_as_full(first, b.book(*circle, *OPEN[:2], b.touch(ago=1)), ["c1"])

    @pytest.mark.parametrize("who", ["c1", "c2", "c3"])
    def test_customers_in_a_circle_have_one_account_until_one_of_them_leaves_it(self, who: str) -> None:
        above = {"c1": "c2", "c2": "c3", "c3": "c1", "c4": "c2"}
        ring = [b.customer(c, parent_id=b.customer_id(p), bill_with_parent=True) for c, p in above.items()]
        first = b.run(b.book(*ring, *OPEN))
        assert {a.customer_id for a in first.actions} == {PARENT.id}
        broken = [b.customer(who) if c.id == b.customer_id(who) else c for c in ring]
        found = same_as_full(first, b.book(*broken, *OPEN), [who])
        assert {a.customer_id for a in found.actions} == {b.customer_id(who)}
        same_as_full(found, b.book(*ring, *OPEN), [who])

    @pytest.mark.parametrize("collect_at", ["customer", "bill_to", "parent"])
    def test_the_policy_says_who_receives(self, collect_at: str) -> None:
        policy = b.changed("balanced", grouping={"collect_at": collect_at})
        first = before(policy=policy)
        wanted = {
            "customer": {"c1", "c2", "c3", "c4"},
            "bill_to": {"c1", "c3", "c4"},
            "parent": {"c1", "c3"},
        }[collect_at]
        assert {a.customer_id for a in b.touches_of(first)} == {b.customer_id(c) for c in wanted}
        later = book(b.touch(owner="c4", ago=1), invoices=[b.invoice("a0", 10, "c2"), *OPEN])
        same_as_full(first, later, ["c2", "c4"], policy=policy)


class TestTheMoment:
    @pytest.mark.parametrize(
        "at",
        [
            b.as_of(hour=16),
            b.as_of(hour=18),
            b.as_of(b.TODAY + timedelta(days=1)),
            b.as_of(b.TODAY + timedelta(days=40)),
            b.as_of(b.TODAY - timedelta(days=1)),
            b.as_of(hour=11),
            b.as_of(zone="Asia/Tokyo"),
        ],
        ids=str,
    )
    def test_may_move_either_way_and_to_another_zone(self, at: ar.AsOf) -> None:
        same_as_full(before(), book(), [], at)
        same_as_full(before(), book(b.touch(owner="c3", ago=3)), ["c3"], at)

    def test_an_account_is_looked_at_again_in_the_very_instant_it_named(self) -> None:
        first = before()
        assert first.next_change_at is not None
        at = ar.AsOf(instant=first.next_change_at, zone=b.ZONE)
        assert same_as_full(first, book(), [], at).fingerprint != first.fingerprint

    def test_nothing_is_decided_anew_where_nothing_changed(self) -> None:
        """Scorers are asked of accounts that are decided."""
        asked: list[str] = []

        def scorer(view: AccountView) -> int:
            asked.append(view.facts.id)
            return 7

        first = before(scorer=scorer)
        asked.clear()
        again = ar.reevaluate(first, book(b.touch(owner="c3", ago=3)), {b.customer_id("c3")}, b.as_of())
        assert asked == [b.customer_id("c3")]
        assert {row.score for row in again.worklist} == {7}
        ar.reevaluate(again, book(b.touch(owner="c3", ago=3)), (), b.as_of())
        assert asked == [b.customer_id("c3")]


class TestMoneyAndTiers:
    RICH = tuple(b.profile(o, lifetime_value=Decimal(1000 * n)) for n, o in enumerate(OWNERS, 1))

    def own_tiers(self, snapshot: ar.Snapshot, **options: Any) -> ar.Evaluation:
        return ar.evaluate(
            snapshot, b.policy_of("balanced"), options.pop("at", b.as_of()), calendar=ar.WEEKENDS, **options
        )

    def check(
        self, first: ar.Evaluation, snapshot: ar.Snapshot, *changed: str, at: ar.AsOf | None = None
    ) -> ar.Evaluation:
        """The same as a full run that assigns tiers of its own."""
        moment = at or b.as_of()
        again = ar.reevaluate(first, snapshot, {b.customer_id(c) for c in changed}, moment, strict=True)
        assert again.model_dump_json() == self.own_tiers(snapshot, at=moment, strict=True).model_dump_json()
        return again

    @staticmethod
    def tier_of(evaluation: ar.Evaluation, owner: str) -> str:
        return next(s.value_tier for s in evaluation.segments if s.customer_id == b.customer_id(owner))

    def test_a_customer_whose_tier_moves_because_of_another_is_decided_anew(self) -> None:
        first = self.own_tiers(book(*self.RICH))
        assert self.tier_of(first, "c4") == "strategic"
        richer = [*self.RICH[1:], b.profile("c1", lifetime_value=Decimal(9000))]
        found = self.check(first, book(*richer), "c1")
        assert (self.tier_of(found, "c1"), self.tier_of(found, "c4")) == ("strategic", "core")
        self.check(found, book(*self.RICH), "c1")

    def test_tiers_that_were_given_stay_and_can_be_given_anew(self) -> None:
        first = before(value="core")
        again = ar.reevaluate(first, book(*self.RICH), (), b.as_of())
        assert {s.value_tier for s in again.segments} == {"core"}
        tail = b.tier("tail")
        found = same_as_full(again, book(*self.RICH), OWNERS, tiers=tail)
        assert {s.value_tier for s in found.segments} == {"tail"}
        assert {s.value_tier for s in ar.reevaluate(found, book(*self.RICH), (), b.as_of()).segments} == {
            "tail"
        }

    def test_tiers_given_to_a_run_that_had_computed_its_own(self) -> None:
        first = self.own_tiers(book(*self.RICH))
        found = same_as_full(first, book(*self.RICH), OWNERS, tiers=b.tier("tail"))
        assert {s.value_tier for s in ar.reevaluate(found, book(*self.RICH), (), b.as_of()).segments} == {
            "tail"
        }

    def test_value_that_is_derived_from_payments(self) -> None:
        poor = tuple(b.profile(o, lifetime_value=None) for o in OWNERS)
        first = self.own_tiers(book(*poor))
        assert self.tier_of(first, "c1") == "unknown"
        paid = b.payment(ago=5, amount="500")
        found = self.check(first, book(*poor, paid), "c1")
        assert self.tier_of(found, "c1") == "strategic"
        more = b.payment("p2", ago=-2, amount="900", owner="c3")
        later = b.as_of(b.TODAY + timedelta(days=2))
        found = self.check(found, book(*poor, paid, more), "c3")
        assert self.tier_of(found, "c1") == "strategic"
        found = self.check(found, book(*poor, paid, more), at=later)
        assert self.tier_of(found, "c3") == "strategic"
        self.check(found, book(*poor, paid, more), at=b.as_of())
        self.check(found, book(*poor), "c1", "c3", at=later)

    def test_a_rate_changes_what_everybody_owes(self) -> None:
        foreign = b.invoice("i5", 9, "c3", currency="EUR")
        first = self.own_tiers(book(EUR, *self.RICH, invoices=[*OPEN, foreign]))
        other = EUR.model_copy(update={"rate": Decimal(2)})
        found = self.check(first, book(other, *self.RICH, invoices=[*OPEN, foreign]))
        balance = {row.customer_id: row.balance_base for row in found.worklist}
        assert balance[b.customer_id("c3")] == Decimal("300.00")
        self.check(found, book(*self.RICH, invoices=[*OPEN, foreign]))
        tomorrow = EUR.model_copy(update={"rate": Decimal(3), "as_of": b.TODAY + timedelta(days=1)})
        mixed = book(EUR, tomorrow, *self.RICH, invoices=[*OPEN, foreign])
        self.check(first, mixed)
        self.check(first, mixed, at=b.as_of(b.TODAY + timedelta(days=1)))

    def test_another_base_currency(self) -> None:
        first = self.own_tiers(book(*self.RICH))
        assert book().organization is not None
        moved = book(*self.RICH).model_copy(
            update={"organization": book().organization.model_copy(update={"base_currency": "EUR"})}  # type: ignore[union-attr]
        )
        found = self.check(first, moved)
        self.check(found, moved.model_copy(update={"organization": None}))


def test_calendar_and_notes_are_carried_on() -> None:
    holiday = ar.HolidayCalendar({"US": {b.TODAY}})
    first = before(calendar=holiday)
    again = ar.reevaluate(first, book(b.touch(owner="c3", ago=3)), {b.customer_id("c3")}, b.as_of())
    assert [a.not_before.date() for a in b.touches_of(again) if a.not_before] == [date(2026, 11, 26)] * 3
    assert again.notes == ()
    defaulted = before(calendar=None)
    assert defaulted.notes == (ar.Code.CALENDAR_DEFAULTED,)
    assert ar.reevaluate(defaulted, book(), (), b.as_of()).notes == (ar.Code.CALENDAR_DEFAULTED,)
    yesterday = b.as_of(b.TODAY - timedelta(days=1))
    assert ar.reevaluate(defaulted, book(), (), yesterday).notes == (ar.Code.CALENDAR_DEFAULTED,)


def test_a_failing_account_is_paused_and_with_strict_it_is_raised() -> None:
    def scorer(view: AccountView) -> int:
        if view.facts.touches:
            raise RuntimeError("no score")
        return 1

    first = before(scorer=scorer)
    later = book(b.touch(owner="c3", ago=5))
    found = ar.reevaluate(first, later, {b.customer_id("c3")}, b.as_of())
    assert [(e.customer_id, e.kind, e.message) for e in found.errors] == [
        (b.customer_id("c3"), "RuntimeError", "no score")
    ]
    assert b.of(found, "i3").code is ar.Code.EVALUATION_ERROR
    assert found.next_change_at == first.next_change_at
    for at in (b.as_of(), b.as_of(hour=11)):
        assert len(ar.reevaluate(first, later, {b.customer_id("c3")}, at).errors) == 1
        with pytest.raises(RuntimeError, match="no score"):
            ar.reevaluate(first, later, {b.customer_id("c3")}, at, strict=True)


def test_what_was_read_from_a_file_cannot_be_gone_on_from() -> None:
    read = ar.Evaluation.model_validate_json(before().model_dump_json(exclude={"writebacks", "fingerprint"}))
    with pytest.raises(ValueError, match="read from a file: evaluate the snapshot again"):
        ar.reevaluate(read, book(), (), ar.AsOf(instant=datetime(2026, 11, 25, tzinfo=UTC), zone="UTC"))
