"""What does the company say of itself? CompanyInfo, Preferences, ExchangeRate, and the aging reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.ledger.money import ZERO, plus, rounded, total
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.texts import PACIFIC, envelope_time, money, reference, stamp

__all__ = ["aging_report", "company_info", "exchange_rate", "preferences"]

Row = dict[str, Any]

_REPORTS: Final = ("AgedReceivables", "AgedReceivableDetail")
_BUCKETS: Final = (("Current", 0), ("1 - 30", 30), ("31 - 60", 60), ("61 - 90", 90))


def company_info(ledger: Ledger, realm: str, started: datetime) -> Row:
    """The CompanyInfo entity."""
    settings = ledger.settings
    address = {
        "Id": "1",
        "Line1": "1 Larkspur Way",
        "City": "Oakford",
        "Country": settings.country,
        "PostalCode": "94000",
    }
    status = "EXPIRED" if settings.lapsed else "SUBSCRIBED"
    return {
        "CompanyName": settings.name,
        "LegalName": f"{settings.name} Incorporated",
        "CompanyAddr": address,
        "CustomerCommunicationAddr": address,
        "LegalAddr": address,
        "PrimaryPhone": {"FreeFormNumber": "(555) 555-0100"},
        "CompanyStartDate": started.date().isoformat(),
        "FiscalYearStartMonth": "January",
        "Country": settings.country,
        "Email": {"Address": "books@larkspur.example"},
        "WebAddr": {},
        "SupportedLanguages": "en",
        "NameValue": [
            {"Name": "NeoEnabled", "Value": "true"},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
            {"Name": "SubscriptionStatus", "Value": status},
            {"Name": "CompanyId", "Value": realm},
        ],
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "4",
        "MetaData": {"CreateTime": stamp(started), "LastUpdatedTime": stamp(started)},
    }


def preferences(ledger: Ledger, started: datetime) -> Row:
    """The Preferences entity. BookCloseDate is there only when books are closed."""
    settings = ledger.settings
    accounting: Row = {
        "UseAccountNumbers": False,
        "TrackDepartments": False,
        "ClassTrackingPerTxn": False,
        "ClassTrackingPerTxnLine": False,
        "FirstMonthOfFiscalYear": "January",
        "TaxYearMonth": "January",
        "CustomerTerminology": "Customers",
    }
    if settings.closed_through is not None:
        accounting["BookCloseDate"] = settings.closed_through.isoformat()
    return {
        "AccountingInfoPrefs": accounting,
        "ProductAndServicesPrefs": {"ForSales": True, "ForPurchase": True, "QuantityWithPriceAndRate": True},
        "SalesFormsPrefs": {
            "CustomField": [
                {
                    "CustomField": [
                        {
                            "Name": "SalesFormsPrefs.UseSalesCustom1",
                            "Type": "BooleanType",
                            "BooleanValue": True,
                        },
                        {
                            "Name": "SalesFormsPrefs.UseSalesCustom2",
                            "Type": "BooleanType",
                            "BooleanValue": False,
                        },
                        {
                            "Name": "SalesFormsPrefs.UseSalesCustom3",
                            "Type": "BooleanType",
                            "BooleanValue": False,
                        },
                    ]
                },
                {
                    "CustomField": [
                        {
                            "Name": "SalesFormsPrefs.SalesCustomName1",
                            "Type": "StringType",
                            "StringValue": "Stage",
                        }
                    ]
                },
            ],
            "CustomTxnNumbers": False,
            "AllowDeposit": True,
            "AllowDiscount": True,
            "AutoApplyCredit": False,
            "AutoApplyPayments": False,
            "ETransactionPaymentEnabled": settings.online_payments,
            "DefaultTerms": reference(next(one.id for one in ledger.terms.values() if one.name == "Net 30")),
        },
        "TaxPrefs": {"UsingSalesTax": True},
        "CurrencyPrefs": {
            "MultiCurrencyEnabled": settings.multicurrency,
            "HomeCurrency": reference(settings.home_currency),
        },
        "OtherPrefs": {
            "NameValue": [{"Name": "SalesFormsPrefs.DefaultCustomerMessage", "Value": "Thank you."}]
        },
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "3",
        "MetaData": {"CreateTime": stamp(started), "LastUpdatedTime": stamp(started)},
    }


def exchange_rate(ledger: Ledger, params: Mapping[str, str], now: datetime) -> Row:
    """The rate of a currency on a day: home units for one foreign unit, as last used in a document."""
    source = params.get("sourcecurrencycode", "")
    if not source:
        raise ServiceError("2020", "Required parameter sourcecurrencycode is missing in the request")
    day = params.get("asofdate") or now.astimezone(PACIFIC).date().isoformat()
    used = [
        one for one in ledger.invoices.values() if one.currency == source and one.issued.isoformat() <= day
    ]
    latest = max(used, key=lambda one: one.issued, default=None)
    return {
        "SourceCurrencyCode": source,
        "TargetCurrencyCode": ledger.settings.home_currency,
        "Rate": latest.rate if latest is not None else Decimal(1),
        "AsOfDate": day,
        "MetaData": {"LastUpdatedTime": stamp(now)},
    }


def aging_report(ledger: Ledger, name: str, params: Mapping[str, str], now: datetime) -> Row:
    """What is open, by age, in the home currency. Figures are text, "" for nothing; credits and money on account stand
    under Current. Raises ServiceError for a report there is not."""
    if name not in _REPORTS:
        raise ServiceError("500", f"Operation Report {name} is not supported.")
    day = (
        date.fromisoformat(params["report_date"])
        if "report_date" in params
        else now.astimezone(PACIFIC).date()
    )
    cells: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    for customer, bucket, amount in _open_parts(ledger, day):
        cells[customer][bucket] = plus(cells[customer].get(bucket, ZERO), amount)
    titles = [*(title for title, _ in _BUCKETS), "91 and over", "Total"]
    rows: list[Row] = []
    for customer, amounts in sorted(cells.items(), key=lambda item: ledger.customers[item[0]].name):
        amounts["Total"] = total(amounts.values())
        if any(amounts.values()):
            figures = [{"value": _figure(amounts.get(title, ZERO))} for title in titles]
            rows.append({"ColData": [{"value": ledger.customers[customer].name, "id": customer}, *figures]})
    sums = [total(amounts.get(title, ZERO) for amounts in cells.values()) for title in titles]
    grand = [{"value": "TOTAL"}, *({"value": f"{money(one):f}"} for one in sums)]
    rows.append({"Summary": {"ColData": grand}, "type": "Section", "group": "GrandTotal"})
    return {
        "Header": {
            "Time": envelope_time(now),
            "ReportName": name,
            "DateMacro": "today",
            "StartPeriod": day.isoformat(),
            "EndPeriod": day.isoformat(),
            "Currency": ledger.settings.home_currency,
            "Option": [
                {"Name": "report_date", "Value": day.isoformat()},
                {"Name": "NoReportData", "Value": "false" if len(rows) > 1 else "true"},
            ],
        },
        "Columns": {
            "Column": [
                {"ColTitle": "", "ColType": "Customer"},
                *({"ColTitle": title, "ColType": "Money"} for title in titles),
            ]
        },
        "Rows": {"Row": rows},
    }


def _open_parts(ledger: Ledger, day: date) -> Iterable[tuple[str, str, Decimal]]:
    """Customer, bucket, home amount of everything open."""
    for invoice in ledger.invoices.values():
        if invoice.open:
            late = (day - (invoice.due or invoice.issued)).days
            bucket = next((title for title, days in _BUCKETS if late <= days), "91 and over")
            yield invoice.customer, bucket, rounded(invoice.open, invoice.rate)
    for credit in ledger.credits.values():
        if credit.open:
            yield credit.customer, "Current", -rounded(credit.open, credit.rate)
    for payment in ledger.payments.values():
        if payment.unapplied:
            yield payment.customer, "Current", -rounded(payment.unapplied, payment.rate)
    for journal in ledger.journals.values():
        if journal.open:
            yield journal.customer, "Current", rounded(journal.open, journal.rate)


def _figure(amount: Decimal) -> str:
    return f"{money(amount):f}" if amount else ""
