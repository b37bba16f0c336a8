"""What an emulated QuickBooks company says of itself, of what it sells, and how it lets itself be paid."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ar_connectors.testkit.server import Handle
from tests.testkit.support import Client


def test_the_company_and_its_preferences_can_be_queried(client: Client, emulator: Handle) -> None:
    (info,) = client.query("SELECT * FROM CompanyInfo")["CompanyInfo"]
    assert info == client.get(f"companyinfo/{emulator.tenant}")["CompanyInfo"]
    (preferences,) = client.query("select * from Preferences")["Preferences"]
    assert preferences == client.get("preferences")["Preferences"]
    assert client.query("SELECT COUNT(*) FROM CompanyInfo") == {"totalCount": 1}
    assert client.query("SELECT * FROM CompanyInfo STARTPOSITION 2") == {}
    assert client.query("SELECT * FROM CompanyInfo WHERE MetaData.LastUpdatedTime > '2030-01-01'") == {}
    assert client.refused("GET", "query", query="SELECT * FROM CompanyInfo WHERE Country = 'US'") == "4001"


def test_what_changes_in_the_preferences_shows_at_once(client: Client, emulator: Handle) -> None:
    def closed() -> object:
        (found,) = client.query("SELECT * FROM Preferences")["Preferences"]
        return found["AccountingInfoPrefs"].get("BookCloseDate")

    assert closed() is None
    emulator.stories.run("close_books", through="2026-06-30")
    assert closed() == "2026-06-30"


def test_rates_can_be_queried_by_currency_and_day(client: Client, emulator: Handle) -> None:
    day = emulator.clock.now().date().isoformat()
    where = f"SourceCurrencyCode IN ('EUR', 'USD') AND AsOfDate = '{day}'"
    euro, home = client.query(f"SELECT * FROM ExchangeRate WHERE {where}")["ExchangeRate"]
    latest = max(
        (one for one in emulator.ledger.invoices.values() if one.currency == "EUR"),
        key=lambda one: one.issued,
    )
    assert (euro["SourceCurrencyCode"], euro["Rate"], euro["AsOfDate"]) == ("EUR", latest.rate, day)
    assert (home["TargetCurrencyCode"], home["Rate"]) == ("USD", 1)
    rows = client.query("SELECT * FROM ExchangeRate")["ExchangeRate"]
    assert [row["SourceCurrencyCode"] for row in rows] == ["EUR"]
    assert client.refused("GET", "query", query="SELECT * FROM ExchangeRate WHERE Rate > '1'") == "4001"


def test_every_line_names_an_item_whose_account_can_be_found(client: Client, emulator: Handle) -> None:
    items = {row["Id"]: row for row in client.query("SELECT * FROM Item")["Item"]}
    accounts = {row["Id"]: row for row in client.query("SELECT * FROM Account")["Account"]}
    invoice = next(iter(emulator.truth().open_invoices))
    credit = emulator.stories.run("write_off", invoice=invoice)["id"]
    line = client.get(f"creditmemo/{credit}")["CreditMemo"]["Line"][0]["SalesItemLineDetail"]
    assert (
        accounts[items[line["ItemRef"]["value"]]["IncomeAccountRef"]["value"]]["AccountSubType"] == "BadDebts"
    )
    assert line["ItemAccountRef"]["value"] == items[line["ItemRef"]["value"]]["IncomeAccountRef"]["value"]
    for row in client.query("SELECT * FROM Invoice MAXRESULTS 1000")["Invoice"]:
        for one in row["Line"][:-1]:
            assert one["SalesItemLineDetail"]["ItemRef"]["value"] in items


def test_a_credit_on_the_item_of_bad_debts_is_booked_on_its_account(client: Client, emulator: Handle) -> None:
    (bad,) = client.query("SELECT * FROM Item WHERE Name = 'Bad debt'")["Item"]

    def credit(item: str) -> dict[str, object]:
        detail = {"ItemRef": {"value": item}}
        line = {"Amount": 12, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        return {"CustomerRef": {"value": "1"}, "Line": [line]}

    made = client.post("creditmemo", credit(bad["Id"]))["CreditMemo"]
    assert emulator.ledger.credit(made["Id"]).lines[0].account == emulator.ledger.account("BadDebts").id
    assert client.refused("POST", "creditmemo", credit("999")) == "2500"


def test_the_link_to_pay_is_there_for_who_asks_and_only_where_it_can_be(
    client: Client, emulator: Handle
) -> None:
    invoice = next(
        one.id for one in emulator.ledger.invoices.values() if emulator.ledger.customers[one.customer].email
    )
    unmailed = next(
        one.id
        for one in emulator.ledger.invoices.values()
        if emulator.ledger.customers[one.customer].email is None
    )

    def link(identity: str, **params: str) -> object:
        return client.get(f"invoice/{identity}", **params)["Invoice"].get("InvoiceLink")

    assert link(invoice, include="invoiceLink") is None, "the company takes no payments online"
    emulator.ledger.settings.online_payments = True
    assert str(link(invoice, include="invoiceLink")).startswith("http")
    assert link(invoice) is None
    assert link(unmailed, include="invoiceLink") is None
    rows = client.query(f"SELECT * FROM Invoice WHERE Id = '{invoice}'")["Invoice"]
    assert "InvoiceLink" not in rows[0]


@pytest.mark.parametrize("entity", ["Term", "Account", "Item"])
def test_lists_can_be_read_one_by_one(client: Client, entity: str) -> None:
    rows = client.query(f"SELECT * FROM {entity}")[entity]
    assert rows
    for row in rows:
        assert client.get(f"{entity.lower()}/{row['Id']}")[entity] == row


def test_the_default_terms_exist(client: Client) -> None:
    terms = {row["Id"]: row for row in client.query("SELECT * FROM Term")["Term"]}
    default = client.get("preferences")["Preferences"]["SalesFormsPrefs"]["DefaultTerms"]["value"]
    assert terms[default]["DueDays"] == Decimal(30)


def test_the_detailed_aging_report_has_every_open_document_in_its_section(
    client: Client, emulator: Handle
) -> None:
    report = client.get("reports/AgedReceivableDetail")
    columns = [column["ColTitle"] for column in report["Columns"]["Column"]]
    *sections, grand = report["Rows"]["Row"]
    seen, added = {}, Decimal(0)
    for section in sections:
        rows = [
            dict(zip(columns, row["ColData"], strict=True))
            for row in section["Rows"]["Row"]
            if row["type"] == "Data"
        ]
        summed = sum((Decimal(row["Open Balance"]["value"]) for row in rows), Decimal(0))
        assert Decimal(section["Summary"]["ColData"][-1]["value"]) == summed
        added += summed
        for row in rows:
            if row["Transaction Type"]["value"] == "Invoice":
                seen[row["Transaction Type"]["id"]] = section["Header"]["ColData"][0]["value"]
    assert set(seen) == set(emulator.truth().open_invoices)
    assert Decimal(grand["Summary"]["ColData"][-1]["value"]) == added
    summary = client.get("reports/AgedReceivables")["Rows"]["Row"][-1]["Summary"]["ColData"]
    assert Decimal(summary[-1]["value"]) == added
    today = emulator.clock.now().date()
    for identity, title in seen.items():
        invoice = emulator.ledger.invoice(identity)
        late = (today - (invoice.due or invoice.issued)).days
        assert (title == "Current") == (late <= 0)
        assert (title == "91 and over days past due") == (late > 90)


def test_a_report_there_is_not_and_a_day_there_is_not_are_refused(client: Client) -> None:
    assert client.refused("GET", "reports/ProfitAndLoss") == "500"
    assert client.refused("GET", "reports/AgedReceivables", report_date="soon") == "2030"
