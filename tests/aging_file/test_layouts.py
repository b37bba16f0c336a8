"""Any books, written in any recognized layout and locale, as CSV and as a workbook, come back with the same balances to the digit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.errors import ConfigurationError
from ar_connectors.testkit.company import generate
from ar_connectors.testkit.group import generate_group
from ar_connectors.testkit.ledger import Ledger, Line
from ar_core.model import Snapshot
from ar_core.model.money import exact
from tests.aging_file.support import CONNECTION, NOW, balances, bring_in, new_store
from tests.aging_file.writers import (
    LAYOUTS,
    LOCALES,
    NATIVE,
    Locale,
    Open,
    open_items,
    write_csv,
    write_xlsx,
)

BY_CODE = {"sap_fbl5n", "sap_s4hana", "oracle"}
AWKWARD = (
    "Total Wine & More",
    "Totally Different, Inc.",
    "Gesamtwerk GmbH",
    "Müller; Söhne",
    'The "Best" Ltd.',
    "1234",
    "EUR",
    "USD",
    "Current",
    "Percent & Co",
    "100% Cotton",
    "Date",
    "-Minus AG",
    "Invoice",
    "Per Hansen A/S",
    "As of Yesterday LLC",
)
"""Names that look like something else: totals, headings, currencies, numbers, days."""
QUICK = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def books(draw: st.DrawFn, digits: int) -> Ledger:
    """The books of a company or of a group of them, with a few more customers: awkward names, odd amounts of up to so many digits."""
    make = draw(st.sampled_from((generate, generate_group)))
    ledger = make(draw(st.integers(1, 10_000)), invoices=draw(st.integers(20, 100)))
    amounts = st.decimals(Decimal("0.01"), Decimal(10) ** (digits - 2) - 1, places=2)
    for place, name in enumerate(draw(st.lists(st.sampled_from(AWKWARD), max_size=4, unique=True))):
        owner = ledger.open_customer(name, currency=draw(st.sampled_from(("USD", "EUR"))))
        for number, total in enumerate(draw(st.lists(amounts, min_size=1, max_size=3))):
            ledger.issue_invoice(
                owner.id, [Line(total, "Goods")], issued=NOW.date(), number=f"X{place}{number}"
            )
    return ledger


def expected(items: list[Open], *, by_code: bool) -> dict[tuple[str, str | None], Decimal]:
    found: defaultdict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    with exact():
        for one in items:
            found[one.code if by_code else one.customer, one.currency] += one.amount
    return {place: amount for place, amount in found.items() if amount}


def import_as_a_person_would(folder: Path, file: Path, hints: Mapping[str, str]) -> Snapshot:
    """Without saying anything first; where the file can be read in two ways, with what the error asks for."""
    store = new_store(folder)
    try:
        bring_in(store, file)
    except ConfigurationError as error:
        if "read in two ways" not in str(error):
            raise
        bring_in(store, file, **hints)
    assert [one.reason for one in store.quarantined(CONNECTION)] == []
    snapshot = store.snapshot(CONNECTION)
    store.close()
    return snapshot


def comes_back(folder: Path, file: Path, layout: str, locale: Locale, items: list[Open]) -> None:
    snapshot = import_as_a_person_would(folder, file, locale.hints)
    assert balances(snapshot) == expected(items, by_code=layout in BY_CODE)
    due = {(one.number, one.issued): one.due for one in items if one.kind == "invoice" and one.due}
    assert {(one.number, one.issue_date): one.due_date for one in snapshot.invoices if one.due_date} == due


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("layout", LAYOUTS)
@QUICK
@given(ledger=books(digits=26))
def test_every_layout_in_every_locale_gives_the_balances_of_the_books(
    layout: str, locale: str, ending: str, tmp_path_factory: pytest.TempPathFactory, ledger: Ledger
) -> None:
    folder = tmp_path_factory.mktemp("list")
    style, items = LOCALES[locale], open_items(ledger)
    rows = LAYOUTS[layout](items, style, NOW.date())
    file = folder / f"aging.{ending}"
    write_csv(file, rows, style) if ending == "csv" else write_xlsx(file, rows)
    comes_back(folder, file, layout, style, items)


@pytest.mark.parametrize("layout", LAYOUTS)
@QUICK
@given(ledger=books(digits=13))
def test_a_workbook_with_numbers_and_dates_in_its_cells_gives_the_same(
    layout: str, tmp_path_factory: pytest.TempPathFactory, ledger: Ledger
) -> None:
    folder = tmp_path_factory.mktemp("list")
    items = open_items(ledger)
    file = write_xlsx(folder / "aging.xlsx", LAYOUTS[layout](items, NATIVE, NOW.date()))
    comes_back(folder, file, layout, NATIVE, items)
