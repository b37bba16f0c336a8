"""Any books, written in any recognized layout and locale, come back with the same open balances, to the digit."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.errors import ConfigurationError
from ar_connectors.syncing import SyncReport
from ar_connectors.testkit.company import generate
from ar_core.model import Snapshot
from tests.aging_file.support import CONNECTION, NOW, balances, bring_in, new_store
from tests.aging_file.writers import LAYOUTS, LOCALES, NATIVE, Open, open_items, write_csv, write_xlsx

BY_CODE = {"sap_fbl5n", "sap_s4hana", "oracle"}
HINTS = {
    "us": {"dates": "month-first", "decimal": "point"},
    "us_brackets": {"decimal": "point"},
    "uk": {"dates": "day-first", "decimal": "point"},
    "german": {"decimal": "comma"},
    "french": {"dates": "day-first", "decimal": "comma"},
    "swiss": {"decimal": "point"},
}


def expected(items: list[Open], *, by_code: bool) -> dict[tuple[str, str | None], Decimal]:
    found: defaultdict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    for one in items:
        found[one.code if by_code else one.customer, one.currency] += one.amount
    return {place: amount for place, amount in found.items() if amount}


def import_as_a_person_would(folder: Path, file: Path, hints: dict[str, str]) -> tuple[Snapshot, SyncReport]:
    """Without saying anything first; where the file can be read in two ways, with what the error asks for."""
    store = new_store(folder)
    try:
        report = bring_in(store, file)
    except ConfigurationError as error:
        if "read in two ways" not in str(error):
            raise
        report = bring_in(store, file, **hints)
    snapshot = store.snapshot(CONNECTION)
    store.close()
    return snapshot, report


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(1, 10_000), size=st.integers(20, 120), locale=st.sampled_from(sorted(LOCALES)))
def test_every_layout_in_every_locale_gives_the_balances_of_the_books(
    layout: str, tmp_path_factory: pytest.TempPathFactory, seed: int, size: int, locale: str
) -> None:
    folder = tmp_path_factory.mktemp("list")
    items = open_items(generate(seed, invoices=size))
    if not items:
        return
    rows = LAYOUTS[layout](items, LOCALES[locale], NOW.date())
    file = write_csv(folder / "aging.csv", rows, LOCALES[locale])
    snapshot, report = import_as_a_person_would(folder, file, HINTS[locale])
    assert report.quarantined == 0
    assert balances(snapshot) == expected(items, by_code=layout in BY_CODE)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_workbook_gives_the_same(layout: str, tmp_path: Path) -> None:
    items = open_items(generate(7, invoices=120))
    file = write_xlsx(tmp_path / "aging.xlsx", LAYOUTS[layout](items, NATIVE, NOW.date()))
    store = new_store(tmp_path)
    bring_in(store, file)
    snapshot = store.snapshot(CONNECTION)
    store.close()
    assert balances(snapshot) == expected(items, by_code=layout in BY_CODE)
    due = {(one.number, one.issued): one.due for one in items if one.kind == "invoice" and one.due}
    assert {(one.number, one.issue_date): one.due_date for one in snapshot.invoices if one.due_date} == due
