"""Which rows, in which order, in what form? The parameters of a GET, and the pages they give."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Payment
from ar_connectors.testkit.lies import Lies
from ar_connectors.testkit.xero.contacts import contact_row, summary
from ar_connectors.testkit.xero.errors import Refused, unreadable_query
from ar_connectors.testkit.xero.ids import spelled
from ar_connectors.testkit.xero.rows import batch_row, credit_row, invoice_row, payment_row, pot_row
from ar_connectors.testkit.xero.texts import Row, encode
from ar_connectors.testkit.xero.view import PRIMARY, Entry, View
from ar_connectors.testkit.xero.where import Getter, Where, order_of, where_of

__all__ = ["Lists"]

Form = Literal["full", "precise", "stub", "summary"]
"""Whole (with prices of two or of four decimals), of a list without pages, or of summaryOnly."""

_LARGEST_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 100
_KEPT: Final = 32
_INVOICE_SUMMARY_DROPS: Final = frozenset(
    {
        "Payments",
        "HasAttachments",
        "LineItems",
        "CISDeduction",
        "CreditNotes",
        "Prepayments",
        "Overpayments",
        "LineAmountTypes",
    }
)
_TICKS: Final = re.compile(r"/Date\((-?\d+)(?:\+0000)?\)/")
_FIELD_NAMES: Final[Mapping[str, str]] = {
    "Invoices": (
        "AmountCredited AmountDue AmountPaid Contact.ContactID Contact.ContactNumber Contact.Name CurrencyCode CurrencyRate Date "
        "DueDate ExpectedPaymentDate FullyPaidOnDate HasAttachments InvoiceID InvoiceNumber PlannedPaymentDate Reference "
        "SentToContact Status SubTotal Total TotalTax Type UpdatedDateUTC Url"
    ),
    "CreditNotes": (
        "Contact.ContactID Contact.ContactNumber Contact.Name CreditNoteID CreditNoteNumber CurrencyCode CurrencyRate Date "
        "FullyPaidOnDate Reference RemainingCredit SentToContact Status SubTotal Total TotalTax Type UpdatedDateUTC"
    ),
    "Contacts": (
        "AccountNumber ContactID ContactNumber ContactStatus EmailAddress FirstName IsCustomer IsSupplier LastName Name "
        "UpdatedDateUTC"
    ),
    "Payments": (
        "Amount BankAmount CurrencyRate Date Invoice.InvoiceID Invoice.Contact.ContactID IsReconciled PaymentID PaymentType "
        "Reference Status UpdatedDateUTC"
    ),
    "Prepayments": (
        "Contact.ContactID Contact.Name CurrencyCode Date PrepaymentID Reference RemainingCredit Status SubTotal Total Type "
        "UpdatedDateUTC"
    ),
    "Overpayments": (
        "Contact.ContactID Contact.Name CurrencyCode Date OverpaymentID Reference RemainingCredit Status SubTotal Total Type "
        "UpdatedDateUTC"
    ),
    "BatchPayments": ("BatchPaymentID Date Reference Status TotalAmount Type UpdatedDateUTC"),
}
_FIELDS: Final = {endpoint: frozenset(names.split()) for endpoint, names in _FIELD_NAMES.items()}
"""Fields that may stand in `where` and `order`."""
_SPELLING: Final = {
    (endpoint, name.casefold()): name for endpoint, names in _FIELDS.items() for name in names
}
_SEARCHED: Final[Mapping[str, tuple[str, ...]]] = {
    "Invoices": ("InvoiceNumber", "Reference", "Contact.Name"),
    "CreditNotes": ("CreditNoteNumber", "Reference", "Contact.Name"),
    "Contacts": ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress"),
}
"""Where `searchTerm` looks."""
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode


class Lists:
    """Reads for one company. Its user holds the lock.

    Args:
        high_volume: how many rows a GET may give or look through.
    """

    def __init__(self, view: View, lies: Lies, clock: ScriptedClock, *, high_volume: int = 100_000) -> None:
        self.view = view
        self.lies = lies
        self.clock = clock
        self.high_volume = high_volume
        self._rows: dict[tuple[str, str, Form], tuple[object, bytes]] = {}
        self._found: dict[tuple[str, tuple[tuple[str, str], ...], str], list[Entry]] = {}
        self._found_at: tuple[int, int] = (-1, -1)

    # ---- one row

    def row(self, endpoint: str, entry: Entry, form: Form = "full") -> bytes:
        """A row as its bytes, made again only when something in it changed."""
        key = (endpoint, entry.id, form)
        state = (self._state(entry), self.lies.revision)
        kept = self._rows.get(key)
        if kept is not None and kept[0] == state:
            return kept[1]
        made = encode(self._formed(endpoint, self.as_row(endpoint, entry), form))
        self._rows[key] = (state, made)
        return made

    def as_row(self, endpoint: str, entry: Entry) -> Row:
        """A row as values."""
        record = entry.record
        if isinstance(record, dict):
            return dict(record)
        view, row = self.view, {}
        match endpoint:
            case "Invoices":
                row = invoice_row(view, record)
            case "CreditNotes":
                row = credit_row(view, record)
            case "Contacts":
                row = contact_row(view, record, self.clock.now().date())
            case "Payments":
                payment, receipt = record
                row = payment_row(view, payment, receipt)
                record = payment
            case "BatchPayments":
                row = batch_row(view, record)
            case _:
                row = pot_row(view, record)
                record = record.record
        return self.lies.told(view.ledger, record, row)

    def _state(self, entry: Entry) -> object:
        """What a row depends on."""
        record, ledger = entry.record, self.view.ledger
        if isinstance(record, tuple) and isinstance(record[0], Payment):
            record = record[0]
        kind = type(record).__name__
        if kind == "Invoice":
            linked = ledger.links.get(("invoice", record.id), ())
            used = sum(ledger.payments[one].revision for one in linked)
            return (record.revision, used, len(linked), ledger.customers[record.customer].name, entry.updated)
        if isinstance(record, Payment):
            return (record.revision, ledger.customers[record.customer].name)
        return self.view.state

    @staticmethod
    def _formed(endpoint: str, row: Row, form: Form) -> Row:
        if form in {"full", "precise"}:
            for line in (one for one in row.get("LineItems", ()) if "UnitAmount" in one):
                line["UnitAmount"] = _price(line["UnitAmount"], 4 if form == "precise" else 2)
            return row
        if endpoint == "Contacts":
            return summary(row, unpaged=form == "stub")
        if endpoint == "Invoices" and form == "summary":
            return {name: value for name, value in row.items() if name not in _INVOICE_SUMMARY_DROPS}
        return {**row, "LineItems": []} if "LineItems" in row else row

    # ---- many

    def answer(self, endpoint: str, params: Mapping[str, str], since: str) -> tuple[list[bytes], Row | None]:
        """The rows of a GET, and the `pagination` object of a paged one. Raises Refused."""
        found = self._search(endpoint, params, since)
        compact = _flag(params, "summaryOnly")
        page, size = params.get("page"), params.get("pageSize")
        listed = endpoint == "Invoices" and (compact or "Statuses" in params)
        paged = endpoint != "BatchPayments" and (page is not None or size is not None or listed)
        form: Form = (
            "summary" if compact and endpoint in {"Invoices", "Contacts"} else "full" if paged else "stub"
        )
        if not paged:
            if len(found) > self.high_volume:
                raise self._too_much(endpoint)
            return [self.row(endpoint, one, form) for one in found], None
        number, length = _whole(page, 1, "page"), _whole(size, _DEFAULT_PAGE, "pageSize")
        number, length = max(1, number), min(max(1, length), _LARGEST_PAGE)
        rows = [self.row(endpoint, one, form) for one in found[(number - 1) * length : number * length]]
        pages = -(-len(found) // length)
        return rows, {"page": number, "pageSize": length, "pageCount": pages, "itemCount": len(found)}

    @staticmethod
    def form(params: Mapping[str, str]) -> Form:
        """How a whole row is asked for."""
        return "precise" if params.get("unitdp") == "4" else "full"

    def _search(self, endpoint: str, params: Mapping[str, str], since: str) -> list[Entry]:
        """All rows asked for, in their order; kept until something changes, for the pages that follow."""
        if self._found_at != self.view.state:
            self._found.clear()
            self._found_at = self.view.state
        asked = tuple(
            sorted(
                one for one in params.items() if one[0] not in {"page", "pageSize", "unitdp", "summaryOnly"}
            )
        )
        key = (endpoint, asked, since)
        if key not in self._found:
            if len(self._found) >= _KEPT:
                self._found.pop(next(iter(self._found)))
            self._found[key] = self._find(endpoint, params, since)
        return self._found[key]

    def _find(self, endpoint: str, params: Mapping[str, str], since: str) -> list[Entry]:
        found = self.view.entries(endpoint)
        after = _modified_since(since)
        if after is not None:
            found = [one for one in found if one.updated >= after]
        for test in self._tests(endpoint, params):
            found = [one for one in found if test(one)]
        if "where" in params:
            found = self._filtered(endpoint, params["where"], found)
        if "order" in params:
            for name, descending in reversed(order_of(params["order"])):
                field = self._field(endpoint, name)
                keys = {one.id: _key(self._getter(endpoint, one)(field)) for one in found}
                found = _sorted(found, keys, descending=descending)
        return found

    def _tests(self, endpoint: str, params: Mapping[str, str]) -> list[Callable[[Entry], bool]]:
        """The list parameters."""
        tests: list[Callable[[Entry], bool]] = []
        for name, field in (
            ("IDs", PRIMARY[endpoint]),
            ("Statuses", "Status"),
            ("ContactIDs", "Contact.ContactID"),
            ("InvoiceNumbers", "InvoiceNumber"),
            ("References", "Reference"),
        ):
            if name in params and (name == "IDs" or endpoint in {"Invoices", "Prepayments", "Overpayments"}):
                wanted = {one.strip() for one in params[name].split(",") if one.strip()}
                if name in {"IDs", "ContactIDs"}:
                    wanted = {_guid(name, one) for one in wanted}
                tests.append(self._among(endpoint, field, wanted))
        if endpoint == "Contacts" and not _flag(params, "includeArchived") and "IDs" not in params:
            tests.append(lambda one: one.facts.get("ContactStatus") != "ARCHIVED")
        term = params.get("searchTerm", "").strip().casefold()
        if term and endpoint in _SEARCHED:
            tests.append(self._holding(endpoint, term))
        return tests

    def _holding(self, endpoint: str, term: str) -> Callable[[Entry], bool]:
        def holds(one: Entry) -> bool:
            get = self._getter(endpoint, one)
            return any(term in str(get(name) or "").casefold() for name in _SEARCHED[endpoint])

        return holds

    def _among(self, endpoint: str, field: str, wanted: set[str]) -> Callable[[Entry], bool]:
        return lambda one: self._getter(endpoint, one)(field) in wanted

    def _filtered(self, endpoint: str, text: str, found: list[Entry]) -> list[Entry]:
        where = where_of(text)
        spelled_so = {name: self._field(endpoint, name) for name in where.fields}
        if len(found) > self.high_volume and not where.fields & {
            "Type",
            "Status",
            "Date",
            "DueDate",
            "AmountDue",
        }:
            raise self._too_much(endpoint)
        return [one for one in found if self._passes(endpoint, where, spelled_so, one)]

    def _passes(self, endpoint: str, where: Where, names: Mapping[str, str], entry: Entry) -> bool:
        getter = self._getter(endpoint, entry)
        return where.test(lambda name: getter(names[name]))

    def _getter(self, endpoint: str, entry: Entry) -> Getter:
        """How to get a row's fields: the cheap ones from the entry, others from the row itself."""
        whole: list[Row] = []

        def get(name: str) -> Any:
            if name == "UpdatedDateUTC":
                return entry.updated
            if name in entry.facts:
                return entry.facts[name]
            if not whole:
                whole.append(_decode(self.row(endpoint, entry)))
            value: Any = whole[0]
            for part in name.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            ticks = _TICKS.fullmatch(value) if isinstance(value, str) else None
            return datetime.fromtimestamp(int(ticks[1]) / 1000, UTC) if ticks is not None else value

        return get

    @staticmethod
    def _field(endpoint: str, name: str) -> str:
        known = _SPELLING.get((endpoint, name.casefold()))
        if known is None:
            raise unreadable_query(
                f"No property or field '{name}' exists in type '{endpoint.removesuffix('s')}' (at index 0)"
            )
        return known

    @staticmethod
    def _too_much(endpoint: str) -> Refused:
        message = (
            f"Your request is not filtering {endpoint} efficiently. Please use optimised filtering parameters or paging, as "
            "described in the documentation."
        )
        return Refused(400, {"ErrorNumber": 17, "Type": "HighVolumeException", "Message": message})


def _modified_since(text: str) -> datetime | None:
    """The instant of If-Modified-Since, to the second; what cannot be read is passed over, as HTTP wants it. One without a zone
    is in UTC."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            read = datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        except ValueError:
            return None
    read = read.astimezone(UTC) if read.tzinfo is not None else read.replace(tzinfo=UTC)
    return read.replace(microsecond=0)


def _price(amount: Decimal, places: int) -> Decimal:
    """A price with so many decimals, for as long as that is possible at all."""
    try:
        return round(amount, places)
    except ArithmeticError:
        return amount


def _sorted(found: list[Entry], keys: Mapping[str, Any], *, descending: bool) -> list[Entry]:
    return sorted(found, key=lambda one: keys[one.id], reverse=descending)


def _key(value: Any) -> tuple[bool, Any]:
    """Nothing comes before something; days and instants compare."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return (value is not None, value if value is not None else 0)


def _flag(params: Mapping[str, str], name: str) -> bool:
    return params.get(name, "").strip().lower() == "true"


def _whole(text: str | None, default: int, name: str) -> int:
    if text is None:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise Refused(
            400,
            {
                "ErrorNumber": 16,
                "Type": "QueryParseException",
                "Message": f"{name} must be a whole number: {text}",
            },
        ) from error


def _guid(name: str, text: str) -> str:
    known = spelled(text)
    if known is None:
        raise unreadable_query(f"{name} holds {text}, which is no GUID")
    return known
