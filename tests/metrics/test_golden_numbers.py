"""G1 to G10: figures that others have published, which our formulas must reproduce, and where the source prints something wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ar_core.metrics import Figure, Undefined, formulas
from ar_core.metrics.formulas import MonthOfSales

D = Decimal
M, K = 1_000_000, 1_000


def value(figure: Figure, places: int = 3) -> Decimal:
    found = figure.rounded(places)
    assert found is not None
    return found


def test_g1_dso_of_the_ending_and_of_the_average_receivables() -> None:
    assert value(formulas.dso(D(600_000), D(2_400_000), 90)) == D("22.500")
    assert value(formulas.dso(D(18_000), D(20_000), 30)) == D("27.000")


def test_g2_dso_46_best_possible_20_7_and_25_3_days_delinquent() -> None:
    actual = formulas.dso(D(4_600_000), D(9_000_000), 90)
    best = formulas.dso(D(2_070_000), D(9_000_000), 90)
    assert value(actual, 1) == D("46.0"), "the page prints 45.6 first, then 46"
    assert value(best, 1) == D("20.7")
    assert value(formulas.average_days_delinquent(actual, best), 1) == D("25.3")


@pytest.mark.parametrize(("dso", "best", "add"), [(160, 32, 128), (158, 59, 99)])
def test_g3_average_days_delinquent_is_the_difference(dso: int, best: int, add: int) -> None:
    figures = (formulas.dso(D(days), D(1), 1) for days in (dso, best))
    assert formulas.average_days_delinquent(*figures).value == add


def test_g4_countback_dso_of_30_day_months() -> None:
    months = [MonthOfSales(D(sales * K), 30) for sales in (100, 80, 70)]
    assert value(formulas.countback_dso(D(212 * K), months)) == D("73.714")


def test_g4_countback_dso_by_calendar() -> None:
    months = [MonthOfSales(D(900 * K), 31), MonthOfSales(D(800 * K), 28), MonthOfSales(D(700 * K), 31)]
    assert value(formulas.countback_dso(D(2_100 * K), months)) == D("76.714")


def test_g4_countback_dso_counts_the_days_of_a_month_without_sales() -> None:
    months = [MonthOfSales(D(500_000), 30), MonthOfSales(D(0), 30), MonthOfSales(D(885_353), 30)]
    owed = D(500_000 + 741_473)
    assert value(formulas.countback_dso(owed, months)) == D("85.125")
    assert value(formulas.countback_dso(owed, months, empty_months="skip")) == D("55.125")


def test_g4_countback_dso_with_too_little_history_has_no_value() -> None:
    found = formulas.countback_dso(D(101), [MonthOfSales(D(60), 30), MonthOfSales(D(40), 30)])
    assert (found.value, found.reason) == (None, Undefined.SHORT_HISTORY)
    whole = formulas.countback_dso(D(100), [MonthOfSales(D(60), 30), MonthOfSales(D(40), 30)])
    assert whole.value == 60, "history that just reaches is enough"
    assert formulas.countback_dso(D(0), []).value == 0, "nothing owed is no days, whatever the history"


def test_g5_cei_with_sales_divided_by_the_months_and_undivided() -> None:
    begin, total, current = D(6_200), D(6_340), D(3_590)
    assert value(formulas.cei(begin, D(3_630), total, current), 2) == D("55.93")
    assert value(formulas.cei(begin, 3 * D(3_630), total, current), 2) == D("79.63")


def test_g5_cei_of_a_year_is_98_percent() -> None:
    assert formulas.cei(D(100 * K), D(M), D(120 * K), D(100 * K)).value == 98


def test_g5_cei_subtracts_what_is_current_and_never_what_is_past_due() -> None:
    past_due = D(20 * K)
    right = formulas.cei(D(100 * K), D(M), D(120 * K), D(120 * K) - past_due)
    wrong = formulas.cei(D(100 * K), D(M), D(120 * K), past_due)
    assert right.value == 98
    assert wrong.value != right.value


@pytest.mark.parametrize(
    ("rows", "weighted", "simple"),
    [
        ([(15, 1_000), (30, 3_000), (45, 2_000)], "32.500", "30.000"),
        ([(5, 10), (10, 100)], "9.545", "7.500"),
        ([(28, 1), (22, 1), (15, 1), (35, 1), (20, 1)], "24.000", "24.000"),
    ],
)
def test_g6_days_to_pay_weighted_and_simple(rows: list[tuple[int, int]], weighted: str, simple: str) -> None:
    assert value(formulas.weighted_days((days, D(amount)) for days, amount in rows)) == D(weighted)
    assert value(formulas.mean_days(days for days, _ in rows)) == D(simple)


def test_g6_early_payment_is_negative() -> None:
    assert formulas.weighted_days([(-10, D(300)), (2, D(100))]).value == -7


@pytest.mark.parametrize(
    ("days", "grade"),
    [(-5, "A"), (30, "A"), (31, "B"), (60, "B"), (61, "C"), (90, "C"), ("90.1", "D"), (91, "D")],
)
def test_g6_grades_end_on_30_60_and_90(days: int | str, grade: str) -> None:
    assert formulas.payer_grade(D(days)) == grade


def test_g7_roll_rate_is_20_percent() -> None:
    assert formulas.roll_rate(D(M), D(200 * K)).value == D("0.2")


@pytest.mark.parametrize(
    ("before", "after", "printed", "right"), [(M, 600 * K, "0.06", "0.6"), (100, 5, "0.2", "0.05")]
)
def test_g7_two_glossaries_print_the_wrong_rate(before: int, after: int, printed: str, right: str) -> None:
    found = formulas.roll_rate(D(before), D(after)).value
    assert found == D(right)
    assert found != D(printed)


def test_g7_the_loss_step_of_the_occ() -> None:
    balances = [D(x) for x in ("987.4", "30.2", "11.8", "8.2", "5.9")]
    percents = [D(x) for x in ("0.706", "20.61", "48.41", "72.12", "100")]
    loss = formulas.expected_loss(zip(balances, percents, strict=True))
    assert loss.quantize(D("0.01")) == D("30.72"), "the page has 30.6"
    rate = formulas.share(loss, sum(balances, D(0)), Undefined.NO_RECEIVABLES, "percent")
    assert D("2.93") < value(rate, 4) < D("2.95")


def test_g8_outstanding_is_due_plus_overdue_less_unapplied() -> None:
    assert formulas.outstanding(D(70), D(50), D(20)) == 100


def test_g9_nine_of_ten_promises_kept() -> None:
    assert formulas.share(D(9), D(10), Undefined.NO_VERDICT).value == D("0.9")


def test_g10_altman_z_for_private_firms() -> None:
    figures = {
        "working_capital": D(20),
        "retained_earnings": D(30),
        "ebit": D(10),
        "book_equity": D(50),
        "sales": D(120),
        "total_assets": D(100),
        "total_liabilities": D(50),
    }
    # .717 x .2 + .847 x .3 + 3.107 x .1 + .420 x 1 + .998 x 1.2
    assert formulas.altman_z_private(**figures).value == D("2.3258")
    broken = formulas.altman_z_private(**{**figures, "total_liabilities": D(0)})
    assert (broken.value, broken.reason) == (None, Undefined.ZERO_DENOMINATOR)


@pytest.mark.parametrize(
    ("figure", "reason"),
    [
        (formulas.dso(D(5), D(0), 30), Undefined.NO_SALES),
        (formulas.dso(D(5), D(-1), 30), Undefined.NO_SALES),
        (formulas.cei(D(0), D(0), D(0), D(0)), Undefined.NO_RECEIVABLES),
        (formulas.weighted_days([]), Undefined.NOTHING_SETTLED),
        (formulas.weighted_days([(3, D(0))]), Undefined.NO_WEIGHT),
        (formulas.roll_rate(D(0), D(5)), Undefined.EMPTY_BUCKET),
        (
            formulas.average_days_delinquent(formulas.dso(D(1), D(0), 1), formulas.dso(D(1), D(1), 1)),
            Undefined.NO_SALES,
        ),
    ],
)
def test_what_cannot_be_told_is_none_with_a_reason_and_never_zero(figure: Figure, reason: Undefined) -> None:
    assert figure.value is None
    assert figure.reason is reason
    assert figure.rounded() is None


def test_a_figure_is_rounded_once_and_keeps_the_sums_it_was_made_of() -> None:
    found = formulas.dso(D("100.01"), D("300.03"), 1)
    assert found.value == D("0.3333333333333333333333333333")
    assert found.input("receivables") == D("100.01")
    with pytest.raises(KeyError):
        found.input("nothing")
