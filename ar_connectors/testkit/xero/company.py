"""What does the company say of itself? Organisation, accounts, currencies, the setting of invoice reminders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.ledger.records import Account
from ar_connectors.testkit.xero.ids import guid
from ar_connectors.testkit.xero.texts import Row, day, envelope_time, stamp

__all__ = ["CODES", "account_code", "accounts", "actions", "currencies", "organisation"]

CODES: Final[Mapping[str, tuple[str, str, str]]] = {
    "AccountsReceivable": ("610", "CURRENT", "ASSET"),
    "UndepositedFunds": ("890", "CURRENT", "ASSET"),
    "SalesOfProductIncome": ("200", "REVENUE", "REVENUE"),
    "BadDebts": ("404", "EXPENSE", "EXPENSE"),
    "Checking": ("090", "BANK", "ASSET"),
}
"""Code, type and class of an account, by its detail type in the books."""

_ZONES: Final = {
    "America/Los_Angeles": "PACIFICSTANDARDTIME",
    "America/Denver": "MOUNTAINSTANDARDTIME",
    "America/Chicago": "CENTRALSTANDARDTIME",
    "America/New_York": "EASTERNSTANDARDTIME",
    "Europe/London": "GMTSTANDARDTIME",
    "Australia/Sydney": "AUSEASTERNSTANDARDTIME",
    "Pacific/Auckland": "NEWZEALANDSTANDARDTIME",
    "UTC": "UTC",
}
_CURRENCIES: Final = {
    "USD": "United States Dollar",
    "EUR": "Euro",
    "NZD": "New Zealand Dollar",
    "GBP": "British Pound",
}


def organisation(ledger: Ledger, identity: str, started: datetime) -> Row:
    """The Organisation. Lock dates are there only when there are some."""
    settings = ledger.settings
    lock = {"PeriodLockDate": day(settings.closed_through)} if settings.closed_through is not None else {}
    return {
        "Name": settings.name,
        "LegalName": f"{settings.name} Limited",
        "PaysTax": True,
        "Version": settings.country if settings.country in {"AU", "NZ", "UK", "US"} else "GLOBAL",
        "OrganisationType": "COMPANY",
        "BaseCurrency": settings.home_currency,
        "CountryCode": settings.country,
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 12,
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "QUARTERLY1",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        **lock,
        "CreatedDateUTC": envelope_time(started),
        "OrganisationEntityType": "COMPANY",
        "Timezone": _ZONES.get(settings.zone, "UTC"),
        "ShortCode": "!L4rk5",
        "OrganisationID": identity,
        "Edition": "BUSINESS",
        "Class": "PREMIUM",
        "Addresses": [
            {
                "AddressType": "POBOX",
                "AddressLine1": "1 Larkspur Way",
                "City": "Oakford",
                "Region": "",
                "PostalCode": "94000",
                "Country": "",
                "AttentionTo": "",
            }
        ],
        "Phones": [{"PhoneType": "OFFICE", "PhoneNumber": "555-0100", "PhoneCountryCode": "1"}],
        "ExternalLinks": [],
        "PaymentTerms": {"Sales": {"Day": 30, "Type": "DAYSAFTERBILLDATE"}},
    }


def actions(*, multicurrency: bool) -> list[Row]:
    """What the connecting user may do (`/Organisation/Actions`)."""
    allowed = {
        "CreateApprovedInvoice": True,
        "CreateDraftInvoice": True,
        "CreateRepeatingInvoice": True,
        "UseMulticurrency": multicurrency,
        "ApproveTransactionsBeforePeriodLockDate": False,
    }
    return [{"Name": name, "Status": "ALLOWED" if may else "NOT-ALLOWED"} for name, may in allowed.items()]


def account_code(ledger: Ledger, identity: str | None) -> str:
    """The code of an account of the books; that of sales for None."""
    account = ledger.accounts.get(identity or "")
    return CODES.get(account.detail if account is not None else "", CODES["SalesOfProductIncome"])[0]


def accounts(ledger: Ledger) -> list[Row]:
    """The chart of accounts, as far as the books have one."""
    return [
        _account(one)
        for one in ledger.accounts.values()
        if one.detail in CODES and one.currency == ledger.settings.home_currency
    ]


def _account(account: Account) -> Row:
    code, kind, class_ = CODES[account.detail]
    row: Row = {
        "AccountID": guid("account", account.id),
        "Code": code,
        "Name": account.name,
        "Status": "ACTIVE",
        "Type": kind,
        "TaxType": "NONE",
        "Class": class_,
        "EnablePaymentsToAccount": kind == "BANK",
        "ShowInExpenseClaims": False,
        "ReportingCode": "",
        "UpdatedDateUTC": stamp(account.updated),
    }
    if kind == "BANK":
        row |= {
            "BankAccountNumber": "0000000001",
            "BankAccountType": "BANK",
            "CurrencyCode": account.currency,
        }
    if account.detail == "AccountsReceivable":
        row["SystemAccount"] = "DEBTORS"
    return row


def currencies(ledger: Ledger) -> list[Row]:
    """The currencies the company is subscribed to."""
    codes = {ledger.settings.home_currency, *(one.currency for one in ledger.customers.values())}
    return [{"Code": code, "Description": _CURRENCIES.get(code, code)} for code in sorted(codes)]
