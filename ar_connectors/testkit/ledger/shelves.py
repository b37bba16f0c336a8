"""Where are the records kept, and what happens at every change? Tables by id, ids, instants, versions, deletions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar

from ar_connectors.testkit.ledger.money import plus
from ar_connectors.testkit.ledger.records import (
    Account,
    Change,
    CreditNote,
    Customer,
    Deletion,
    Deposit,
    Invoice,
    Item,
    Journal,
    Kind,
    Note,
    Payment,
    Record,
    Settings,
    Subsidiary,
    Term,
)

__all__ = ["LedgerError", "Shelves"]

_R = TypeVar("_R", bound=Record)

_KINDS: Final[Mapping[type[Record], Kind]] = {
    Customer: "customer",
    Invoice: "invoice",
    CreditNote: "credit",
    Payment: "payment",
    Journal: "journal",
    Deposit: "deposit",
    Note: "note",
    Term: "term",
    Account: "account",
    Item: "item",
    Subsidiary: "subsidiary",
}
_SHELVES: Final[Mapping[Kind, str]] = {"subsidiary": "subsidiaries"}
_FIRST_ACCOUNTS: Final = (
    ("Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    ("Undeposited Funds", "Other Current Asset", "UndepositedFunds"),
    ("Sales", "Income", "SalesOfProductIncome"),
    ("Bad Debts", "Expense", "BadDebts"),
    ("Checking", "Bank", "Checking"),
)
_FIRST_TERMS: Final = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))


class LedgerError(ValueError):
    """The books refuse. `code` is a word an emulator can translate: `missing`, `stale`, `linked`, `over`, `invalid`,
    `duplicate`, `voided`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Shelves:
    """All records of one company. Not thread-safe: an emulator holds its own lock around every use.

    Args:
        now: the current instant; replaced when a generated company is put to work.
        settings: the company.
        touch_links: whether a payment stamps what it is applied to (a new instant and version), or only changes its balance;
            and whether a document that is voided stamps the payments that let go of it.
            Intuit does not document it, so both must work.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        settings: Settings | None = None,
        *,
        touch_links: bool = True,
    ) -> None:
        self.now = now
        self.settings = settings or Settings()
        self.touch_links = touch_links
        self.quiet: Callable[[Record, Mapping[str, Any]], bool] = lambda _record, _changes: False
        """Whether a change of fields leaves instant and version alone: an emulator's way to have its ERP's blind spot."""
        self.customers: dict[str, Customer] = {}
        self.invoices: dict[str, Invoice] = {}
        self.credits: dict[str, CreditNote] = {}
        self.payments: dict[str, Payment] = {}
        self.journals: dict[str, Journal] = {}
        self.deposits: dict[str, Deposit] = {}
        self.notes: dict[str, Note] = {}
        self.terms: dict[str, Term] = {}
        self.accounts: dict[str, Account] = {}
        self.items: dict[str, Item] = {}
        self.subsidiaries: dict[str, Subsidiary] = {}
        """None where the company is one."""
        self.deletions: list[Deletion] = []
        self.removed: dict[tuple[Kind, str], Record] = {}
        """What was deleted, as it last was: some ERPs go on showing it."""
        self.log: list[Change] = []
        """Every change in its order, that of generated companies too."""
        self.children: defaultdict[str, set[str]] = defaultdict(set)
        """Ids of sub-customers by their parent."""
        self.names: set[str] = set()
        """Names of customers; no two have the same."""
        self.links: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        """Ids of the payments that apply something to (kind, id)."""
        self.revision = 0
        """Counts every change of anything."""
        self._last_ids = {
            "customer": 0,
            "transaction": 0,
            "note": 5_000_000_000_000_000_000,
            "list": 0,
            "item": 0,
            "subsidiary": 0,
        }
        for name, kind, detail in _FIRST_ACCOUNTS:
            self.add_account(name, kind, detail)
        for name, days in _FIRST_TERMS:
            self.add_term(name, days)
        self.add_item("Services", self.account("SalesOfProductIncome").id)
        self.add_item("Bad debt", self.account("BadDebts").id)

    def shelf(self, kind: Kind) -> Mapping[str, Record]:
        """The table of a kind."""
        table: Mapping[str, Record] = getattr(self, _SHELVES.get(kind, f"{kind}s"))
        return table

    def add_term(self, name: str, due_days: int) -> Term:
        """New payment terms."""
        at = self._instant()
        term = Term(id=self._new_id("list"), created=at, updated=at, name=name, due_days=due_days)
        self.terms[term.id] = term
        self._created(term)
        return term

    def add_account(self, name: str, kind: str, detail: str, currency: str | None = None) -> Account:
        """A new ledger account, in the home currency unless told."""
        at = self._instant()
        account = Account(
            id=self._new_id("list"),
            created=at,
            updated=at,
            name=name,
            type=kind,
            detail=detail,
            currency=currency or self.settings.home_currency,
        )
        self.accounts[account.id] = account
        self._created(account)
        return account

    def add_subsidiary(
        self, name: str, currency: str, *, parent: str | None = None, country: str = "US"
    ) -> Subsidiary:
        """A new company of the group."""
        at = self._instant()
        subsidiary = Subsidiary(
            id=self._new_id("subsidiary"),
            created=at,
            updated=at,
            name=name,
            currency=currency,
            parent=parent,
            country=country,
        )
        self.subsidiaries[subsidiary.id] = subsidiary
        self._created(subsidiary)
        return subsidiary

    def add_item(self, name: str, account: str) -> Item:
        """Something new to sell, booked on an account (its id)."""
        at = self._instant()
        item = Item(id=self._new_id("item"), created=at, updated=at, name=name, account=account)
        self.items[item.id] = item
        self._created(item)
        return item

    def item_of(self, account: str | None) -> Item:
        """The item whose lines are booked on an account; without one, what is sold by default."""
        return next((one for one in self.items.values() if one.account == account), self.items["1"])

    def account(self, detail: str, currency: str | None = None) -> Account:
        """The account of a detail type, that of a currency if there is one. Raises LedgerError `missing`."""
        found = [account for account in self.accounts.values() if account.detail == detail]
        if not found:
            raise LedgerError("missing", f"there is no account of type {detail}")
        return next((one for one in found if one.currency == currency), found[0])

    def customer(self, identity: str) -> Customer:
        """A customer. Raises LedgerError `missing`."""
        return self._found(self.customers, identity)

    def invoice(self, identity: str) -> Invoice:
        """An invoice. Raises LedgerError `missing`."""
        return self._found(self.invoices, identity)

    def credit(self, identity: str) -> CreditNote:
        """A credit note. Raises LedgerError `missing`."""
        return self._found(self.credits, identity)

    def payment(self, identity: str) -> Payment:
        """A payment. Raises LedgerError `missing`."""
        return self._found(self.payments, identity)

    def journal(self, identity: str) -> Journal:
        """A journal entry. Raises LedgerError `missing`."""
        return self._found(self.journals, identity)

    def deposit(self, identity: str) -> Deposit:
        """A customer deposit. Raises LedgerError `missing`."""
        return self._found(self.deposits, identity)

    def note(self, identity: str) -> Note:
        """A note. Raises LedgerError `missing`."""
        return self._found(self.notes, identity)

    @staticmethod
    def _found(table: dict[str, _R], identity: str) -> _R:
        try:
            return table[identity]
        except KeyError:
            raise LedgerError("missing", f"there is no record {identity!r}") from None

    # ---- what every change does

    def _instant(self) -> datetime:
        return self.now().astimezone(UTC).replace(microsecond=0)

    def _new_id(self, sequence: str) -> str:
        self._last_ids[sequence] += 1
        return str(self._last_ids[sequence])

    def _changed(self) -> None:
        self.revision += 1

    def _created(self, record: Record) -> None:
        """A new record is on its shelf."""
        self.log.append(Change(record.created, "created", _KINDS[type(record)], record.id, record.version))
        self._changed()

    def _touch(self, record: Record, what: Literal["changed", "voided", "settled"] = "changed") -> None:
        """A change that counts: new version, new instant."""
        at = self._instant()
        record.version += 1
        record.updated = max(record.updated, at)
        record.revision += 1
        self.log.append(Change(at, what, _KINDS[type(record)], record.id, record.version))
        self._changed()

    def _rippled(self, record: Record) -> None:
        """A change that came from another record."""
        if self.touch_links:
            self._touch(record, "settled")
        else:
            self._slipped(record, "settled")

    def _slipped(self, record: Record, what: Literal["changed", "settled"]) -> None:
        """A change that leaves instant and version as they were."""
        record.revision += 1
        self.log.append(Change(self._instant(), what, _KINDS[type(record)], record.id, record.version))
        self._changed()

    def _balance(self, customer: Customer, by: Decimal) -> None:
        customer.balance = plus(customer.balance, by)
        one: Customer | None = customer
        while one is not None:  # parents show the balance with their jobs
            one.revision += 1
            one = self.customers.get(one.parent) if one.parent is not None else None
        self._changed()

    def _deleted(self, record: Record) -> None:
        at, kind = self._instant(), _KINDS[type(record)]
        self.deletions.append(Deletion(kind, record.id, at))
        self.removed[kind, record.id] = record
        self.log.append(Change(at, "deleted", kind, record.id, record.version))
        self._changed()
