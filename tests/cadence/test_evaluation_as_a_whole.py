"""What an evaluation says about itself, and what it says about all accounts together: order, caps, problems."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.view import AccountView
from tests.cadence import books as b


def test_the_head_says_by_what_and_for_when_it_was_made() -> None:
    policy = b.policy_of("balanced")
    evaluation = b.run(b.invoice("i1", 9), policy=policy)
    assert evaluation.policy == "balanced@1"
    assert evaluation.policy_hash == policy.content_hash
    assert evaluation.as_of == b.NOON
    assert evaluation.zone == b.ZONE
    assert evaluation.today == b.TODAY
    assert evaluation.errors == ()
    assert evaluation.notes == ()
    # The sending hours end at five in the afternoon in New York.
    assert evaluation.next_change_at == b.as_of(hour=17).instant
    assert b.run().next_change_at is None


def test_today_is_the_day_in_the_organizations_zone() -> None:
    late = ar.AsOf(instant=b.as_of(hour=23).instant, zone="Asia/Tokyo")
    assert b.run(b.invoice("i1", 9), at=late).today == b.TODAY + timedelta(days=1)


def test_what_is_left_out_has_a_default_and_the_calendar_is_noted() -> None:
    snapshot = b.book(b.invoice("i1", 9), b.profile(lifetime_value=Decimal(5)))
    found = ar.evaluate(snapshot, b.policy_of("balanced"), b.as_of())
    assert found.notes == (ar.Code.CALENDAR_DEFAULTED,)
    assert found.segments[0].value_tier == "strategic"
    given = ar.evaluate(
        snapshot, b.policy_of("balanced"), b.as_of(), tiers=b.tier("tail"), calendar=ar.WEEKENDS
    )
    assert given.notes == ()
    assert given.segments[0].value_tier == "tail"
    narrow = b.changed("balanced", tiers={"value": {"strategic": "0", "core": "0"}})
    assert ar.evaluate(snapshot, narrow, b.as_of()).segments[0].value_tier == "tail"


def test_value_that_was_paid_counts_up_to_today() -> None:
    paid = b.payment(ago=-1, amount="500")
    snapshot = b.book(b.invoice("i1", 9), b.profile(lifetime_value=None), paid)
    tomorrow = b.as_of(b.TODAY + timedelta(days=1))
    for at, value in ((b.as_of(), Decimal(0)), (tomorrow, Decimal(500))):
        (segment,) = ar.evaluate(snapshot, b.policy_of("balanced"), at).segments
        assert (segment.lifetime_value, segment.codes) == (value, (ar.Code.LTV_DERIVED,))


def test_rates_are_those_of_the_day() -> None:
    rates = [
        ar.ExchangeRate(
            currency="EUR", base_currency="USD", rate=Decimal(n), as_of=b.TODAY + timedelta(days=d)
        )
        for n, d in ((2, -1), (3, 0), (4, 1))
    ]
    found = b.run(b.invoice("i1", 9, currency="EUR"), *rates)
    assert found.worklist[0].balance_base == Decimal("300.00")


class TestWorklist:
    """Score, then balance, then age, then id, best first (R66, R67)."""

    @staticmethod
    def order(*records: Any, scores: dict[str, int] | None = None) -> list[tuple[str, int]]:
        def scorer(view: AccountView) -> int:
            return (scores or {}).get(view.facts.id.rpartition(":")[2], 0)

        rows = b.run(*records, scorer=scorer).worklist
        assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
        return list(dict.fromkeys((row.customer_id.rpartition(":")[2], row.score) for row in rows))

    def test_the_best_score_first(self) -> None:
        invoices = [b.invoice(f"i{n}", 9, f"c{n}") for n in (1, 2, 3)]
        assert self.order(*invoices, scores={"c2": 9, "c3": 5}) == [("c2", 9), ("c3", 5), ("c1", 0)]

    def test_then_the_largest_balance(self) -> None:
        invoices = [b.invoice(f"i{n}", 9, f"c{n}", balance_due=Decimal(n)) for n in (1, 2, 3)]
        assert self.order(*invoices) == [("c3", 0), ("c2", 0), ("c1", 0)]

    def test_then_the_oldest(self) -> None:
        invoices = [b.invoice(f"i{n}", 8 + n, f"c{n}") for n in (1, 2, 3)]
        assert self.order(*invoices) == [("c3", 0), ("c2", 0), ("c1", 0)]

    def test_then_the_id(self) -> None:
        invoices = [b.invoice(f"i{n}", 9, f"c{n}") for n in (3, 1, 2)]
        assert self.order(*invoices) == [("c1", 0), ("c2", 0), ("c3", 0)]

    def test_a_balance_that_is_unknown_ranks_as_none(self) -> None:
        rows = [b.invoice("i1", 9, "c1", currency="EUR"), b.invoice("i2", 9, "c2"), b.invoice("i3", -3, "c3")]
        assert self.order(*rows) == [("c2", 0), ("c3", 0), ("c1", 0)]

    def test_a_line_says_what_ranks_it(self) -> None:
        line = b.run(b.invoice("i1", 9), b.invoice("i2", 30)).worklist[0]
        assert (line.rank, line.customer_id) == (1, b.customer_id())
        assert (line.balance_base, line.max_dpd) == (Decimal("200.00"), 30)
        assert line.score > 0

    def test_several_actions_of_an_account_stand_by_key(self) -> None:
        found = b.run(b.invoice("i1", 25), b.invoice("i2", 80, "c2"))
        assert len(found.worklist) == len(found.actions) > 2
        for owner in ("c1", "c2"):
            keys = [row.action_key for row in found.worklist if row.customer_id == b.customer_id(owner)]
            assert keys == sorted(keys)

    def test_an_account_without_an_action_has_no_line_and_hides_nobody(self) -> None:
        paused = ar.Pause(id="local:s1", customer_id=b.customer_id("c1"), starts_on=b.TODAY)
        assert self.order(b.invoice("i1", 9, "c1"), b.invoice("i2", 9, "c2"), paused) == [("c2", 0)]


class TestOneAddressForSeveral:
    """At most so many messages to one address in a run, the best scores first (E47)."""

    SHARED = tuple(
        b.contact(f"c{n}", email=e)
        for n, e in ((1, "ap@example.com"), (2, "AP@Example.com"), (3, "ap@example.com"))
    )
    INVOICES = tuple(b.invoice(f"i{n}", 9, f"c{n}", balance_due=Decimal(100 * n)) for n in (1, 2, 3))

    def found(self, most: int | None) -> ar.Evaluation:
        policy = b.changed("balanced", limits={"max_per_address": most})
        return b.run(*self.INVOICES, *self.SHARED, policy=policy)

    @staticmethod
    def owners(rows: Sequence[Any]) -> list[str]:
        return [row.customer_id.rpartition(":")[2] for row in rows]

    def test_the_best_goes_out_and_the_others_wait_a_day(self) -> None:
        found = self.found(1)
        assert self.owners(b.touches_of(found)) == ["c3"]
        assert self.owners(found.worklist) == ["c3"]
        assert b.of(found, "i3").kind == "action"
        for name in ("i1", "i2"):
            waiting = b.of(found, name)
            assert (waiting.kind, waiting.code) == ("wait", ar.Code.ADDRESS_CAP)
            assert waiting.until == b.TODAY + timedelta(days=1)
            assert waiting.action_key is None
            assert (waiting.stage, waiting.step) == ("first_demand", "demand")

    def test_as_many_as_the_policy_says(self) -> None:
        assert self.owners(b.touches_of(self.found(2))) == ["c2", "c3"]
        assert self.owners(b.touches_of(self.found(3))) == ["c1", "c2", "c3"]
        assert self.owners(b.touches_of(self.found(None))) == ["c1", "c2", "c3"]

    def test_actions_without_an_address_are_not_counted(self) -> None:
        calls = [b.invoice(f"i{n}", 90, f"c{n}") for n in (1, 2)]
        policy = b.changed("balanced", limits={"max_per_address": 1})
        assert len(b.run(*calls, *self.SHARED[:2], policy=policy).actions) == len(
            b.run(*calls, *self.SHARED[:2]).actions
        )


class TestProblems:
    @staticmethod
    def failing(*names: str) -> Any:
        def scorer(view: AccountView) -> int:
            if view.facts.id.rpartition(":")[2] in names:
                raise KeyError(view.facts.id)
            return 5

        return scorer

    def test_one_account_fails_and_the_others_do_not(self) -> None:
        books = [b.invoice(f"i{n}", 9, f"c{n}") for n in (3, 1, 2)] + [b.invoice("i4", 30, "c3")]
        found = b.run(*books, scorer=self.failing("c1", "c3"), strict=False)
        assert [(e.customer_id, e.kind, e.message) for e in found.errors] == [
            (b.customer_id(c), "KeyError", repr(b.customer_id(c))) for c in ("c1", "c3")
        ]
        assert {a.customer_id for a in found.actions} == {b.customer_id("c2")}
        paused = [b.of(found, name) for name in ("i1", "i3", "i4")]
        assert {(d.kind, d.code, d.until) for d in paused} == {("paused", ar.Code.EVALUATION_ERROR, None)}
        assert [d.customer_id for d in paused] == [b.customer_id(c) for c in ("c1", "c3", "c3")]
        assert [d.invoice_id for d in found.dispositions] == sorted(found.by_invoice)
        assert {s.customer_id for s in found.segments} == {b.customer_id("c2")}

    def test_it_is_looked_at_again_the_next_day(self) -> None:
        found = b.run(b.invoice("i1", 9), scorer=self.failing("c1"), strict=False)
        assert found.next_change_at == b.as_of(b.TODAY + timedelta(days=1), hour=0).instant

    def test_strict_raises_and_is_not_the_default(self) -> None:
        snapshot = b.book(b.invoice("i1", 9))
        with pytest.raises(KeyError):
            b.run(snapshot, scorer=self.failing("c1"), strict=True)
        assert ar.evaluate(snapshot, b.policy_of("balanced"), b.as_of(), scorer=self.failing("c1")).errors


class TestInvoicesWithoutACustomer:
    def test_are_paused_and_named_among_the_others_in_order(self) -> None:
        nobodys = [
            b.invoice(name, 9).model_copy(update={"customer_id": None, **changes})
            for name, changes in (("i0", {}), ("i2", {}), ("i9", {"balance_due": Decimal(0)}))
        ]
        snapshot = b.book(b.invoice("i1", 9), b.invoice("i3", 9, "c2"))
        snapshot = snapshot.model_copy(update={"invoices": (*snapshot.invoices, *nobodys)})
        found = b.run(snapshot)
        assert [d.invoice_id for d in found.dispositions] == [
            b.invoice_id(n) for n in ("i0", "i1", "i2", "i3")
        ]
        for name in ("i0", "i2"):
            orphan = b.of(found, name)
            assert (orphan.kind, orphan.code) == ("paused", ar.Code.CUSTOMER_UNKNOWN)
            assert (orphan.customer_id, orphan.until, orphan.stage, orphan.step, orphan.codes) == (
                None,
                None,
                None,
                None,
                (),
            )


class TestEquality:
    def test_it_is_what_it_says_that_counts(self) -> None:
        one, other = b.run(b.invoice("i1", 9)), b.run(b.invoice("i1", 9))
        assert one == other
        assert one != b.run(b.invoice("i1", 10))
        assert one != "something else"
        assert one.fingerprint == other.fingerprint
        assert one.fingerprint != b.run(b.invoice("i1", 10)).fingerprint

    def test_it_survives_a_process_boundary_and_a_file(self) -> None:
        one = b.run(
            b.invoice("i1", 9),
            b.invoice("i2", 80, "c2"),
            b.promise(covers=("i2",), customer_id=b.customer_id("c2")),
        )
        assert pickle.loads(pickle.dumps(one)) == one
        read = ar.Evaluation.model_validate_json(one.model_dump_json(exclude={"writebacks", "fingerprint"}))
        assert read.model_dump(exclude={"writebacks", "fingerprint"}) == one.model_dump(
            exclude={"writebacks", "fingerprint"}
        )
        assert read.writebacks == ()
        with pytest.raises(ValueError, match="this evaluation was read from a file"):
            _ = read.decisions

    def test_lookups(self) -> None:
        one = b.run(b.invoice("i1", 9), b.invoice("i2", 9, "c2"))
        assert {a.customer_id for a in one.for_customer(b.customer_id("c2"))} == {b.customer_id("c2")}
        assert list(one.by_key) == [a.key for a in one.actions]
        with pytest.raises(AttributeError, match="nothing_like_it"):
            _ = one.nothing_like_it  # type: ignore[attr-defined]


class TestStatusLines:
    """One line per customer with an overdue invoice: stage, rung, next step (section 4.4 of the rules)."""

    @staticmethod
    def line(*records: Any, **options: Any) -> ar.SetCollectionsStatus:
        (command,) = b.run(*records, **options).writebacks
        assert isinstance(command, ar.SetCollectionsStatus)
        return command

    def test_says_the_stage_since_when_and_what_is_next(self) -> None:
        line = self.line(b.invoice("i1", 9), b.invoice("i2", 2))
        assert (line.status, line.next_action, line.next_action_on) == ("first_demand", "demand", None)
        assert line.set_on == b.TODAY - timedelta(days=1)
        assert line.subject_id == b.customer_id()

    def test_while_it_waits_it_says_until_when(self) -> None:
        line = self.line(b.invoice("i1", 9), b.touch(ago=1, step="demand", covers=("i1",)))
        assert (line.status, line.next_action) == ("first_demand", "call")
        assert line.next_action_on == b.TODAY + timedelta(days=13)

    def test_a_pause_is_named(self) -> None:
        assert self.line(b.invoice("i1", 9), b.dispute()).status == "first_demand, DISPUTED"
        paused = ar.Pause(id="local:s1", customer_id=b.customer_id(), starts_on=b.TODAY)
        assert self.line(b.invoice("i1", 9), paused).status == "first_demand, PAUSED"

    def test_a_rung_is_named(self) -> None:
        line = self.line(b.invoice("i1", 95))
        assert line.status.startswith("write_off_review, ")
        assert line.set_on == b.TODAY - timedelta(days=95 - 76)

    @pytest.mark.parametrize(("dpd", "lines"), [(-3, 0), (0, 0), (1, 1)])
    def test_only_who_is_overdue_has_one(self, dpd: int, lines: int) -> None:
        assert len(b.run(b.invoice("i1", dpd)).writebacks) == lines

    def test_the_first_day_overdue_is_the_earliest(self) -> None:
        """The stage `reminder` begins on the due date, on which nothing was overdue yet."""
        assert self.line(b.invoice("i1", 1)).set_on == b.TODAY
        assert self.line(b.invoice("i1", 4)).set_on == b.TODAY - timedelta(days=3)

    def test_nobody_hides_another_and_the_policy_can_switch_it_off(self) -> None:
        books = (b.invoice("i1", 0, "c1"), b.invoice("i2", 9, "c2"), b.invoice("i3", 9, "c3"))
        assert [c.subject_id for c in b.run(*books).writebacks] == [b.customer_id("c2"), b.customer_id("c3")]  # type: ignore[union-attr]
        off = b.changed("balanced", writeback={"collections_status": False})
        assert b.run(*books, policy=off).writebacks == ()


def test_the_next_change_is_the_first_of_all_accounts() -> None:
    """Paused until the day after the pause ends; the other one is looked at a day earlier."""

    def pause(owner: str, days: int) -> ar.Pause:
        ends = b.TODAY + timedelta(days=days)
        return ar.Pause(
            id=f"local:{owner}", customer_id=b.customer_id(owner), starts_on=b.TODAY, ends_on=ends
        )

    quiet = b.changed("balanced", notices=[], escalate=[])
    books = (b.invoice("i1", 23, "c1"), b.invoice("i2", 23, "c2"))
    found = b.run(*books, pause("c1", 4), pause("c2", 3), policy=quiet)
    assert found.next_change_at == b.as_of(date(2026, 11, 29), hour=0).instant
    assert b.run(*books, pause("c1", 3), pause("c2", 4), policy=quiet).next_change_at == found.next_change_at


def test_dispositions_are_in_the_order_of_the_ids_however_the_invoices_were_come_by() -> None:
    """Read in one go, from a snapshot in no order, and put together from two snapshots."""
    invoices = [b.invoice(f"i{n}", 9 + n, f"c{n % 3 + 1}") for n in range(9)]
    snapshot = b.book(*invoices)
    turned = snapshot.model_copy(update={"invoices": snapshot.invoices[::-1]})
    owners = ("c1", "c2", "c3")
    first = b.run(snapshot, tiers=b.tier("core", *owners))
    paid = snapshot.invoices[0].model_copy(update={"balance_due": Decimal(0)})
    less = snapshot.model_copy(update={"invoices": (paid, *snapshot.invoices[1:])})
    again = ar.reevaluate(first, less, {b.customer_id("c1")}, b.as_of())
    ids = [invoice.id for invoice in snapshot.invoices]
    assert [d.invoice_id for d in first.dispositions] == ids
    assert [d.invoice_id for d in again.dispositions] == ids[1:]
    other = b.run(turned, tiers=b.tier("core", *owners))
    assert [d.invoice_id for d in other.dispositions] == ids
    assert other.dispositions == first.dispositions
