"""What does the company say of itself? CompanyInfo, Preferences, ExchangeRate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.texts import PACIFIC, reference, stamp

__all__ = ["company_info", "exchange_rate", "preferences"]

Row = dict[str, Any]


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
