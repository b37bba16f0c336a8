"""What each published feature of an account is, on small books: the value is the one that `why_not` names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.explain import account_state
from tests.cadence import books as b

IN, ANSWERED, FAILED, BOUNCED = (
    ar.Direction.INBOUND,
    ar.TouchOutcome.ANSWERED,
    ar.TouchOutcome.FAILED,
    ar.TouchOutcome.BOUNCED,
)
POSTED, DRAFT, VOIDED = ar.DocumentStatus.POSTED, ar.DocumentStatus.DRAFT, ar.DocumentStatus.VOIDED
EUR = ar.ExchangeRate(currency="EUR", base_currency="USD", rate=Decimal("1.1"), as_of=b.TODAY)


@lru_cache
def asking(feature: str) -> ar.Policy:
    """The demand goes out only where the feature is unknown: where it is known, that stands in the way."""
    return b.changed("balanced", steps=[{"id": "demand", "when": f"{feature} is None"}])


def value_of(feature: str, *records: Any, about: str = "i1", **options: Any) -> str | None:
    """The value of a feature as text; None where it is unknown."""
    evaluation = b.run(*records, policy=asking(feature), **options)
    facts = ar.why_not(evaluation, b.invoice_id(about), "demand").would_fire_if
    return next((fact.actual for fact in facts if fact.fact == feature), None)


def credit(name: str = "n1", amount: str = "30", **changes: Any) -> ar.CreditNote:
    fields: dict[str, Any] = {
        "id": f"quickbooks:1:credit_note:{name}",
        "customer_id": b.customer_id(),
        "currency": "USD",
        "issue_date": b.TODAY,
        "total": Decimal(amount),
        "unapplied_amount": Decimal(amount),
        "document_status": POSTED,
    }
    return ar.CreditNote(**{**fields, **changes})


def journal(name: str = "j1", amount: str = "-30", **changes: Any) -> ar.Adjustment:
    """A journal line on receivables; below zero it is in the customer's favor."""
    fields: dict[str, Any] = {
        "id": f"quickbooks:1:adjustment:{name}",
        "customer_id": b.customer_id(),
        "currency": "USD",
        "adjustment_date": b.TODAY,
        "amount": Decimal(amount),
        "open_amount": Decimal(amount),
        "document_status": POSTED,
    }
    return ar.Adjustment(**{**fields, **changes})


def paid(name: str, dpd: int, ago: int, amount: str = "100", **changes: Any) -> Iterable[Any]:
    """An invoice that was settled: due so many days ago, paid so many days ago."""
    total = Decimal(amount)
    yield b.invoice(name, dpd, total=total, balance_due=Decimal(0), **changes)
    yield b.payment(f"of {name}", ago=ago, amount=amount)
    yield b.allocation(f"of {name}", name, ago=ago, amount=amount)


AWAY = b.touch("away", ago=1, direction=IN, intent=ar.Intent.OUT_OF_OFFICE, until=b.TODAY + timedelta(days=2))
"""The only contact wrote yesterday that nobody is there until the day after tomorrow."""
ONE = b.invoice("i1", 9)
"""100 USD, nine days past due."""


class TestBalances:
    TWO = (ONE, b.invoice("i2", 1, balance_due=Decimal(40)), b.invoice("i3", 0, balance_due=Decimal(7)))

    def test_what_is_open_and_what_of_it_is_overdue(self) -> None:
        to_come = (b.invoice("i5", -5), b.invoice("i6", -6))
        assert value_of("balance_base", *self.TWO, *to_come) == "347.00"
        assert value_of("balance_base", *self.TWO) == "147.00"
        assert value_of("overdue_base", *self.TWO) == "140.00"
        assert value_of("open_invoices", *self.TWO) == "3"
        assert value_of("overdue_invoices", *self.TWO) == "2"
        assert value_of("max_dpd", *self.TWO) == "9"

    @pytest.mark.parametrize(
        ("record", "left"),
        [
            (credit(), "117.00"),
            (credit(issue_date=None), "117.00"),
            (credit(issue_date=b.TODAY + timedelta(days=1)), "147.00"),
            (credit(document_status=DRAFT), "147.00"),
            (credit(unapplied_amount=Decimal(0)), "147.00"),
            (b.payment(ago=0, amount="30", unapplied="30"), "117.00"),
            (b.payment(ago=0, amount="30", unapplied="30", payment_date=None), "117.00"),
            (b.payment(ago=-1, amount="30", unapplied="30"), "147.00"),
            (b.payment(amount="30", unapplied="30", document_status=VOIDED), "147.00"),
            (b.payment(amount="30", unapplied="30", kind=ar.PaymentKind.REFUND), "147.00"),
            (journal(), "117.00"),
            (journal(adjustment_date=None), "117.00"),
            (journal(amount="30"), "177.00"),
            (journal(adjustment_date=b.TODAY + timedelta(days=1)), "147.00"),
            (journal(document_status=DRAFT), "147.00"),
            (b.invoice("i9", 5, balance_due=Decimal(-30)), "117.00"),
        ],
    )
    def test_credit_on_account_lowers_the_balance(self, record: Any, left: str) -> None:
        assert value_of("balance_base", *self.TWO, record) == left
        assert value_of("overdue_base", *self.TWO, record) == "140.00"

    def test_credit_of_every_kind_is_added_up(self) -> None:
        several = (
            credit("n1", "1"),
            credit("n2", "2"),
            b.payment("p1", amount="4", unapplied="4"),
            b.payment("p2", amount="8", unapplied="8"),
            journal("j1", "-16"),
            journal("j2", "-32"),
            b.invoice("i8", 5, balance_due=Decimal("-0.5")),
            b.invoice("i9", 5, balance_due=Decimal("-0.25")),
        )
        assert value_of("balance_base", *self.TWO, *several) == "83.25"

    def test_other_currencies_are_converted_and_never_guessed(self) -> None:
        mixed = (
            ONE,
            b.invoice("i2", 1, currency="EUR", balance_due=Decimal(10)),
            b.invoice("i3", 0, currency="EUR", balance_due=Decimal(20)),
            b.invoice("i4", 2, balance_due=Decimal(40)),
        )
        assert value_of("balance_base", *mixed, EUR) == "173.00"
        assert value_of("overdue_base", *mixed, EUR) == "151.00"
        assert value_of("balance_base", *mixed, EUR, credit(currency="EUR"), credit("n2", "5")) == "135.00"
        assert value_of("balance_base", *mixed) is None
        assert value_of("overdue_base", *mixed) is None
        assert value_of("balance_base", ONE, credit(currency="EUR")) is None
        assert value_of("overdue_base", ONE, mixed[2]) == "100.00"

    def test_the_credit_limit_counts_the_customers_own_currency(self) -> None:
        def over(limit: str | None, *more: Any) -> str | None:
            of = b.customer(credit_limit=None if limit is None else Decimal(limit))
            return value_of("over_credit_limit", of, *self.TWO, *more)

        assert over("147") == "False"
        assert over("146.99") == "True"
        assert over("147", b.invoice("i4", 1, currency="EUR")) == "False"
        assert over(None) is None

    def test_one_invoice(self) -> None:
        part = b.invoice("i1", 9, balance_due=Decimal(60), has_pdf=False, payment_link=None)
        for feature, whole, partly in (
            ("balance", "100.00", "60"),
            ("total", "100.00", "100.00"),
            ("part_paid", "False", "True"),
            ("has_pdf", "True", "False"),
            ("has_payment_link", "True", "False"),
            ("invoice_currency", "USD", "USD"),
            ("dpd", "9", "9"),
            ("stage", "first_demand", "first_demand"),
        ):
            assert value_of(feature, ONE) == whole, feature
            assert value_of(feature, part) == partly, feature


class TestSettledInvoices:
    def test_days_late_are_weighted_by_amount(self) -> None:
        history = (*paid("s1", 30, 20, "100"), *paid("s2", 30, 40, "300"), *paid("s3", 9, 9, "100"))
        assert value_of("settled_12m", ONE, *history) == "3"
        assert value_of("wavg_days_late_12m", ONE, *history) == "-4.000"
        assert value_of("on_time_rate_12m", ONE, *history) == "0.6666666666666666666666666667"

    def test_without_any_the_rates_are_unknown(self) -> None:
        assert value_of("settled_12m", ONE) == "0"
        assert value_of("wavg_days_late_12m", ONE) is None
        assert value_of("on_time_rate_12m", ONE) is None

    def test_the_year_ends_today_and_begins_a_day_after_today_a_year_ago(self) -> None:
        for ago, counted in ((-1, "0"), (0, "1"), (364, "1"), (365, "0")):
            assert value_of("settled_12m", ONE, *paid("s1", 30, ago)) == counted, ago

    @pytest.mark.parametrize(
        "changes", [{"due_date": None}, {"total": Decimal(0)}, {"document_status": VOIDED}]
    )
    def test_some_tell_nothing(self, changes: dict[str, Any]) -> None:
        first, *rest = paid("s1", 30, 20)
        odd = first.model_copy(update=changes)
        assert value_of("settled_12m", ONE, odd, *rest) == "0"
        assert value_of("settled_12m", ONE, odd, *rest, *paid("s2", 30, 20)) == "1"

    def test_it_was_settled_when_the_last_money_was_applied(self) -> None:
        parts = (
            b.invoice("s1", 30, balance_due=Decimal(0)),
            b.payment("p1", ago=25),
            *(b.allocation("p1", "s1", ago=25, amount="50"),),
            b.payment("p2", ago=10),
            *(b.allocation("p2", "s1", ago=10, amount="50"),),
        )
        assert value_of("wavg_days_late_12m", ONE, *parts) == "20.000"

    def test_what_was_billed_less_what_was_settled_in_ninety_days(self) -> None:
        def billed(name: str, ago: int, **changes: Any) -> ar.Invoice:
            return b.invoice(name, ago - 30, issue_date=b.TODAY - timedelta(days=ago), **changes)

        assert value_of("balance_trend", billed("i1", 39)) == "100.00"
        assert value_of("balance_trend", billed("i1", 39), billed("i2", 0)) == "200.00"
        assert value_of("balance_trend", billed("i1", 39), billed("i2", 89)) == "200.00"
        assert value_of("balance_trend", billed("i1", 39), billed("i2", 90)) == "100.00"
        assert (
            value_of("balance_trend", billed("i1", 39), billed("i2", 89, document_status=VOIDED)) == "100.00"
        )
        settled = [billed("s1", 120, balance_due=Decimal(0)), b.payment("p1", ago=89)]
        for ago, trend in ((0, "70.00"), (89, "70.00"), (90, "100.00"), (-1, "100.00")):
            applied = b.allocation("p1", "s1", ago=ago, amount="30")
            assert value_of("balance_trend", billed("i1", 39), *settled, applied) == trend, ago
        foreign = billed("i2", 10, currency="EUR")
        assert value_of("balance_trend", billed("i1", 39), foreign) is None
        assert value_of("balance_trend", billed("i1", 39), foreign, EUR) == "210.000"


class TestPromises:
    KEPT = (b.promise("k1", on=-40, given=50, covers=("s1",)), *paid("s1", 60, 45))
    LATE = (b.promise("l1", on=-90, given=100, covers=("s2",)), *paid("s2", 110, 70))

    @staticmethod
    def broken(ago: int, name: str = "x1") -> ar.Promise:
        return b.promise(name, on=-ago, given=ago + 2)

    def test_of_all_that_were_judged_how_many_were_kept_in_time(self) -> None:
        old = b.invoice("i1", 200)
        records = (old, *self.KEPT, *self.LATE, self.broken(20))
        assert value_of("kept_ptp_12m", *records) == "2"
        assert value_of("broken_ptp_12m", *records) == "1"
        assert value_of("kept_ratio_12m", *records) == "0.3333333333333333333333333333"
        assert value_of("promises_not_kept", *records) == "1"
        assert value_of("open_promises", *records) == "0"
        assert value_of("kept_ratio_12m", ONE) is None
        assert value_of("promises_not_kept", ONE) == "0"

    def test_a_promise_leaves_the_year_but_is_never_forgotten(self) -> None:
        old = b.invoice("i1", 500)
        # Broken on the day after its grace of two business days: the promised Monday and the Tuesday after count.
        for ago, counted in ((360, "1"), (380, "0")):
            assert value_of("broken_ptp_12m", old, self.broken(ago)) == counted
            assert value_of("broken_ptp", old, self.broken(ago)) == "1"

    def test_a_year_of_promises_begins_on_the_day_after_today_a_year_ago(self) -> None:
        for ago, counted in ((364, "1"), (365, "0")):
            kept = b.promise("k1", on=-ago, given=ago + 5, covers=("s1",))
            assert value_of("kept_ptp_12m", ONE, kept, *paid("s1", 400, ago)) == counted, ago

    def test_open_and_in_grace_are_open(self) -> None:
        assert value_of("open_promises", ONE, b.promise("o1", on=5), b.promise("o2", on=-1, given=3)) == "1"
        two = (b.promise("o1", on=5, covers=("i1",)), b.promise("o2", on=-1, given=3, covers=("i2",)))
        assert value_of("open_promises", ONE, b.invoice("i2", 9), *two) == "2"


class TestDisputes:
    def test_those_of_a_year_and_those_that_are_open(self) -> None:
        def both(**changes: Any) -> tuple[str | None, str | None]:
            about = (ONE, b.dispute(**changes))
            return value_of("disputes_12m", *about), value_of("open_disputes", *about)

        later = b.TODAY + timedelta(days=1)
        assert both(ago=0) == ("1", "1")
        assert both(ago=-1) == ("0", "0")
        assert both(ago=364) == ("1", "1")
        assert both(ago=365) == ("0", "1")
        assert both(ago=9, resolved_on=b.TODAY) == ("1", "0")
        assert both(ago=9, resolved_on=later) == ("1", "1")
        assert both(opened_on=None) == ("0", "1")
        assert value_of("disputes_12m", ONE) == "0"


class TestContacts:
    def test_what_went_out_since_the_last_answer(self) -> None:
        sent = (
            b.touch("t1", ago=6),
            b.touch("t2", ago=5, channel=ar.Channel.SMS),
            b.touch("t3", ago=4, channel=ar.Channel.VOICE),
            b.touch("t4", ago=3, channel=ar.Channel.WHATSAPP),
            b.touch("t5", ago=2, channel=ar.Channel.LETTER),
            b.touch("t6", ago=2),
            b.touch("t7", ago=1, outcome=FAILED),
            b.touch("t8", ago=1, outcome=BOUNCED),
            b.touch("t9", ago=1, channel=ar.Channel.INTERNAL, direction=ar.Direction.INTERNAL),
        )
        assert value_of("touches", ONE, *sent) == "8"
        assert value_of("unanswered_touches", ONE, *sent) == "6"
        for channel, count in (("email", 2), ("sms", 1), ("voice", 1), ("whatsapp", 1), ("letter", 1)):
            assert value_of(f"unanswered_{channel}", ONE, *sent) == str(count), channel
        assert value_of("days_since_last_touch", ONE, *sent) == "2"
        answer = b.touch("r1", ago=4, direction=IN, intent=ar.Intent.QUESTION)
        assert value_of("unanswered_touches", ONE, *sent, answer) == "3"
        assert value_of("touches", ONE, *sent, answer) == "8"

    @pytest.mark.parametrize(
        ("record", "days"),
        [
            (b.touch(ago=4, direction=IN), "4"),
            (b.touch(ago=4, outcome=ANSWERED), "4"),
            (b.touch(ago=4, direction=IN, intent=ar.Intent.OUT_OF_OFFICE), None),
            (b.touch(ago=4), None),
            (b.payment(ago=4), "4"),
            (b.payment(ago=0), "0"),
            (b.payment(ago=-1), None),
            (b.payment(ago=4, kind=ar.PaymentKind.REFUND), None),
            (b.payment(ago=4, document_status=VOIDED), None),
            (b.payment(payment_date=None), None),
        ],
    )
    def test_an_answer_or_a_payment_is_a_response(self, record: Any, days: str | None) -> None:
        assert value_of("days_since_last_response", ONE, record) == days

    def test_the_latest_response_counts(self) -> None:
        both = (b.payment(ago=7), b.touch(ago=5, direction=IN))
        assert value_of("days_since_last_response", ONE, *both) == "5"
        assert value_of("days_since_last_touch", ONE) is None

    def test_no_answer_to_anything_since_it_began_to_be_late(self) -> None:
        late = b.invoice("i1", 10)
        newer = b.invoice("i2", 2)
        for records, unanswered in (
            ((b.touch(ago=9),), "True"),
            ((b.touch(ago=10),), "True"),
            ((b.touch(ago=11),), "False"),
            ((), "False"),
            ((b.touch(ago=9), b.payment(ago=10)), "False"),
            ((b.touch(ago=9), b.payment(ago=11)), "True"),
            ((b.touch(ago=9, outcome=FAILED),), "False"),
        ):
            assert value_of("unanswered_all", late, newer, *records) == unanswered, records
        assert value_of("unanswered_all", b.invoice("i1", 0), b.touch(ago=1)) == "False"
        assert value_of("unanswered_all", b.invoice("i1", 1), b.touch(ago=1)) == "True", (
            "from its first day on"
        )


def test_what_the_customer_is() -> None:
    who = b.customer(country="MX", currency="MXN", language="es", order_hold=True)
    for feature, value in (
        ("country", "MX"),
        ("currency", "MXN"),
        ("language", "es"),
        ("order_hold", "True"),
    ):
        assert value_of(feature, ONE, who) == value
    assert value_of("has_account_manager", ONE) == "True"
    assert value_of("has_account_manager", ONE, b.profile(account_manager=None)) == "False"
    assert value_of("value", ONE) == "core"
    assert value_of("lifetime_value", ONE) == "1000"
    assert value_of("risk", ONE) == "occasional"


@pytest.mark.parametrize(
    ("feature", "records"),
    [
        ("settled_12m", [*paid("s1", 400, 362), *paid("s2", 400, 100)]),
        ("wavg_days_late_12m", [*paid("s1", 400, 100), *paid("s2", 400, 362)]),
        ("kept_ptp_12m", [b.promise("k1", on=-360, given=370, covers=("s1",)), *paid("s1", 400, 362)]),
        ("disputes_12m", [b.dispute(ago=362, resolved_on=b.TODAY - timedelta(days=99))]),
        ("balance_trend", [b.invoice("s1", 57, balance_due=Decimal(0))]),
        ("balance_trend", [*paid("s1", 400, 87), *paid("s2", 400, 1)]),
    ],
)
def test_a_rolling_window_says_when_it_may_change(feature: str, records: list[Any]) -> None:
    """In three days something leaves the window: the next look is due when that day begins."""
    first = b.as_of(b.TODAY + timedelta(days=3), hour=0)
    without = b.run(ONE, *records, policy=asking("currency")).next_change_at
    assert without is not None
    assert feature == "disputes_12m" or without > first.instant
    assert b.run(ONE, *records, policy=asking(feature)).next_change_at == first.instant


def test_what_is_billed_today_leaves_the_quarter_in_ninety_days() -> None:
    evaluation = b.run(b.invoice(dpd=-30, issue_date=b.TODAY), policy=asking("balance_trend"))
    view = account_state(evaluation, b.customer_id()).view
    assert view.balance_trend == 100
    assert b.TODAY + timedelta(days=90) in view.changes_on


@pytest.mark.parametrize(
    ("feature", "records", "days"),
    [
        ("days_since_last_touch", [b.touch(ago=8)], 1),
        ("days_since_last_response", [b.touch(ago=8), b.payment(ago=20)], 1),
        ("unanswered_all", [b.touch(ago=8)], 7),
        ("unanswered_all", [b.touch(ago=8), AWAY], 3),
    ],
)
def test_what_is_counted_in_days_changes_tomorrow_and_silence_when_an_absence_ends(
    feature: str, records: list[Any], days: int
) -> None:
    """Without it there is nothing to look at again for a week."""
    next_look = b.as_of(b.TODAY + timedelta(days=days), hour=0)
    assert b.run(ONE, *records, policy=asking(feature)).next_change_at == next_look.instant
