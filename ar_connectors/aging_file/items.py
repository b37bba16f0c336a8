"""An open item as plain values: what a row says once it is known how its numbers and dates are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from ar_connectors.aging_file.cells import Cell, Refused, cell_text, is_blank
from ar_connectors.aging_file.formats import DateOrder, DecimalMark, parse_date, parse_number
from ar_connectors.aging_file.layouts import ItemType, Role, type_of
from ar_connectors.aging_file.structure import ItemRow
from ar_core.model.money import MAX_EXPONENT

__all__ = ["OpenItem", "Styles", "Unmappable", "amount_of", "read_item"]

_LONGEST_NAME = 500


class Styles(msgspec.Struct, frozen=True):
    """How this file writes things; `dates` by role."""

    mark: DecimalMark
    dates: dict[Role, DateOrder]
    currency: str | None = None
    """Of items for which the file states none."""
    as_of: date | None = None
    types: dict[str, ItemType] = {}


class OpenItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the list. Amounts are as the list has them: negative for what lowers the debt."""

    row: int
    balance: Decimal
    customer: str
    customer_number: str | None = None
    total: Decimal | None = None
    type: ItemType | None = None
    type_word: str | None = None
    number: str | None = None
    line: str | None = None
    reference: str | None = None
    issue_date: date | None = None
    due_date: date | None = None
    currency: str | None = None
    email: str | None = None
    phone: str | None = None
    subsidiary: str | None = None
    memo: str | None = None

    @property
    def customer_key(self) -> str:
        """What tells one customer from another: its number, or for want of one its name."""
        return self.customer_number or self.customer


class Unmappable(ValueError):
    """A row that cannot be an open item."""

    def __init__(self, code: str, role: Role | None, value: Cell, expected: str) -> None:
        super().__init__(expected)
        self.code = code
        self.role = role
        self.value = value
        self.expected = expected


def read_item(row: ItemRow, styles: Styles) -> OpenItem:
    """The values of a row. Raises Unmappable with the role at fault."""
    values = row.values
    texts = {role: _text(values, role) for role in _TEXTS}
    number_of = _reader(values, styles)
    balance = number_of(Role.BALANCE)
    if balance is None:
        raise Unmappable("missing_field", Role.BALANCE, None, "the open balance")
    customer = texts[Role.CUSTOMER] or row.customer or texts[Role.CUSTOMER_NUMBER]
    if not customer:
        raise Unmappable(
            "missing_field", Role.CUSTOMER, None, "the customer, in the row or as a heading above it"
        )
    due = _date(values, Role.DUE_DATE, styles)
    if due is None and styles.as_of is not None:
        days = _days(values)
        due = styles.as_of - timedelta(days) if days is not None and days > 0 else None
    word = texts[Role.TYPE]
    return OpenItem(
        row=row.row,
        balance=balance,
        customer=customer,
        customer_number=texts[Role.CUSTOMER_NUMBER],
        total=number_of(Role.TOTAL),
        type=type_of(word, styles.types) if word else None,
        type_word=word,
        number=texts[Role.NUMBER],
        line=texts[Role.LINE],
        reference=texts[Role.REFERENCE],
        issue_date=_date(values, Role.ISSUE_DATE, styles),
        due_date=due,
        currency=_currency(values, row) or styles.currency,
        email=texts[Role.EMAIL],
        phone=texts[Role.PHONE],
        subsidiary=texts[Role.SUBSIDIARY],
        memo=texts[Role.MEMO],
    )


_TEXTS = (
    Role.CUSTOMER,
    Role.CUSTOMER_NUMBER,
    Role.TYPE,
    Role.NUMBER,
    Role.LINE,
    Role.REFERENCE,
    Role.EMAIL,
    Role.PHONE,
    Role.SUBSIDIARY,
    Role.MEMO,
)


def _text(values: Mapping[Role, Cell], role: Role) -> str | None:
    cell = values.get(role)
    if is_blank(cell):
        return None
    if isinstance(cell, Refused):
        raise Unmappable("bad_text", role, cell, f"text, not {cell.why}")
    text = cell_text(cell)
    if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise Unmappable("bad_text", role, text, "text without control characters")
    if len(text) > _LONGEST_NAME and role is not Role.MEMO:
        raise Unmappable("bad_text", role, text, f"at most {_LONGEST_NAME} characters")
    return text


def _reader(values: Mapping[Role, Cell], styles: Styles) -> Callable[[Role], Decimal | None]:
    def number_of(role: Role) -> Decimal | None:
        cell = values.get(role)
        if is_blank(cell):
            return None
        value = amount_of(cell, styles.mark)
        if value is None:
            expected = (
                f"an amount, not {cell.why}"
                if isinstance(cell, Refused)
                else f"an amount with a decimal {styles.mark}"
            )
            raise Unmappable("bad_number", role, cell, expected)
        return value

    return number_of


def amount_of(cell: Cell, mark: DecimalMark) -> Decimal | None:
    """A cell as an amount; None when it is none, or one of an absurd size."""
    if isinstance(cell, Refused):
        return None
    value = cell if isinstance(cell, Decimal) else parse_number(cell, mark) if isinstance(cell, str) else None
    return value if value is not None and abs(value.adjusted()) <= MAX_EXPONENT else None


def _date(values: Mapping[Role, Cell], role: Role, styles: Styles) -> date | None:
    cell = values.get(role)
    if is_blank(cell) or isinstance(cell, date):
        return cell if isinstance(cell, date) else None
    order = styles.dates.get(role, DateOrder.DAY_FIRST)
    found = parse_date(cell, order) if isinstance(cell, str) and not isinstance(cell, Refused) else None
    if found is None:
        expected = f"a date, not {cell.why}" if isinstance(cell, Refused) else f"a date ({order})"
        raise Unmappable("bad_date", role, cell, expected)
    return found


def _days(values: Mapping[Role, Cell]) -> int | None:
    text = cell_text(values.get(Role.DAYS_PAST_DUE))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None


def _currency(values: Mapping[Role, Cell], row: ItemRow) -> str | None:
    text = _text(values, Role.CURRENCY) if Role.CURRENCY in values else row.currency
    if text is None:
        return None
    code = text.strip().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise Unmappable("bad_currency", Role.CURRENCY, text, "an ISO 4217 code such as EUR")
    return code
