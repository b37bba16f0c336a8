"""What a row of a list is: names that look like totals, shares or currencies are customers all the same, and no row is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from ar_connectors.aging_file.settings import ListSettings
from ar_connectors.aging_file.spool import Spool
from ar_connectors.aging_file.survey import Survey, survey


def surveyed(folder: Path, *rows: str) -> tuple[Survey, dict[str, tuple[str, str | None]]]:
    """A list with customers on their own line, and its items: number -> customer and currency."""
    file = folder / "aging.csv"
    head = ("Transaction Type,Date,Document Number,Due Date,Age", "Open Balance")
    file.write_text("\n".join([",".join(head), *rows]) + "\n")
    spool = Spool()
    try:
        found = survey(ListSettings(file=file), spool)
        items = {one.item.number or "": (one.item.customer, one.item.currency) for one in spool.page(0, 100)}
    finally:
        spool.close()
    return found, items


@pytest.mark.parametrize(
    "name", ["BMW", "IBM (UK)", "DHL - Express", "SAP: Walldorf", "% Solutions", "Percent & Co"]
)
def test_a_customer_of_three_capitals_is_no_currency(tmp_path: Path, name: str) -> None:
    found, items = surveyed(
        tmp_path,
        name,
        "Invoice,2026-01-31,1,2026-02-28,9,10.00",
        f"Total - {name},,,,,10.00",
        "Total,,,,,10.00",
    )
    assert items == {"1": (name, None)}
    assert found.totals_checked == 2


@pytest.mark.parametrize("heading", ["EUR", "EUR - Euro", "Currency: EUR", "Currency XDR"])
def test_a_heading_that_names_a_currency_is_one(tmp_path: Path, heading: str) -> None:
    _, items = surveyed(tmp_path, heading, "BMW", "Invoice,2026-01-31,1,2026-02-28,9,10.00")
    assert items == {"1": ("BMW", "XDR" if "XDR" in heading else "EUR")}


def test_a_share_is_no_item_and_a_total_of_one_customer_is_checked(tmp_path: Path) -> None:
    found, items = surveyed(
        tmp_path,
        "Total Wine & More",
        "Invoice,2026-01-31,1,2026-02-28,9,10.00",
        "Total - Total Wine & More,,,,,10.00",
        "Percentage of total,,,,,100.00%",
        "% of total,,,,,100%",
    )
    assert items == {"1": ("Total Wine & More", None)}
    assert (found.totals_checked, found.rejected) == (1, [])
