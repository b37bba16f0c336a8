"""Which call does what? The endpoints of api.xro/2.0, each a few lines over lists, writes, history, groups and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ar_connectors.testkit.exchange import Call
from ar_connectors.testkit.ledger import Invoice
from ar_connectors.testkit.xero.bodies import Step, body_of, each, elements, text
from ar_connectors.testkit.xero.company import accounts, actions, currencies, organisation
from ar_connectors.testkit.xero.contacts import group_row
from ar_connectors.testkit.xero.errors import NOT_FOUND, Invalid, Refused
from ar_connectors.testkit.xero.groups import Group
from ar_connectors.testkit.xero.ids import spelled
from ar_connectors.testkit.xero.money import MoneyWrites
from ar_connectors.testkit.xero.reports import aged_receivables
from ar_connectors.testkit.xero.texts import Row, encode
from ar_connectors.testkit.xero.view import PRIMARY, Entry
from ar_connectors.testkit.xero.writes import PartPaid, Writes

if TYPE_CHECKING:
    from ar_connectors.testkit.xero.service import Xero

__all__ = ["Asked", "Routes"]

Answer = tuple[str | None, list[bytes], Mapping[str, Any]]
"""The name of the list, its rows, what else stands in the envelope; no name: 204."""


_NAMES: Final = {
    name.casefold(): name
    for name in (
        *PRIMARY, "api.xro", "connections", "ContactGroups", "Organisation", "Organisations", "Actions", "Accounts", "Currencies",
        "InvoiceReminders", "Settings", "Reports", "AgedReceivablesByContact", "History", "Allocations", "OnlineInvoice", "Email",
    )
}  # fmt: skip
"""Names in paths; Xero takes them in any case, and its own client for Python writes /Connections."""
_NOBODY: Final = Refused(404, NOT_FOUND, "text/html; charset=utf-8")
_PUBLIC: Final = {
    "/identity/connect/authorize": "consent",
    "/.well-known/openid-configuration": "openid",
    "/connect/revocation": "token revoke",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call is for."""

    endpoint: str
    """Invoices, Contacts, ...; empty for what is not the API."""
    rest: list[str]
    """What follows in the path."""
    operation: str
    """Its name for faults and counters: `list Invoices`, `read Invoices`, `update Invoices`, `create Invoices`, `delete
    ContactGroups`, `list History`, `create History`, `token refresh`."""

    @classmethod
    def of(cls, call: Call) -> Asked:
        """Read a call's path and method."""
        parts = [_NAMES.get(part.casefold(), part) for part in call.path.split("/") if part]
        if parts[:2] != ["api.xro", "2.0"] or len(parts) < 3:
            return cls("", parts[1:], _public(call, parts))
        endpoint, rest = parts[2], parts[3:]
        name = next(
            (
                known
                for known in ("History", "Allocations", "OnlineInvoice", "Email", "Actions")
                if known in rest[-2:]
            ),
            "",
        )
        name = name or (f"{endpoint} {rest[0]}" if endpoint == "Reports" and rest else endpoint)
        if endpoint == "ContactGroups" and "Contacts" in rest:
            name = "ContactGroups Contacts"
        verb = {
            "GET": "read" if rest and endpoint in PRIMARY and name == endpoint else "list",
            "PUT": "create",
        }.get(call.method, "delete" if call.method == "DELETE" else "update")
        return cls(endpoint, rest, f"{verb} {name}")


def _public(call: Call, parts: list[str]) -> str:
    path = call.path.rstrip("/")
    if path == "/connect/token":
        body = call.body
        kind = "refresh" if b"grant_type=refresh_token" in body else "code"
        return "token credentials" if b"grant_type=client_credentials" in body else f"token {kind}"
    if parts[:1] == ["connections"]:
        return "connections delete" if call.method == "DELETE" else "connections"
    return _PUBLIC.get(path, "unknown")


class Routes:
    """The endpoints of one company. Its user holds the lock."""

    def __init__(self, service: Xero, part_paid: PartPaid, started: datetime) -> None:
        self.service = service
        self.view = service.view
        self.lists = service.lists
        self.writes = Writes(self.view, self.lists, part_paid)
        self.money = MoneyWrites(self.writes)
        self.started = started

    def answer(self, call: Call, asked: Asked, now: datetime) -> Answer:
        """Do what a call asks for. Raises Refused, Invalid, LedgerError."""
        endpoint, rest = asked.endpoint, asked.rest
        if endpoint in PRIMARY and rest[1:2] == ["History"] and len(rest) == 2:
            return self._history(call, endpoint, rest[0])
        if endpoint in PRIMARY:
            return self._documents(call, endpoint, rest)
        if endpoint == "ContactGroups":
            return self._groups(call, rest)
        if call.method != "GET":
            raise Refused(501, "This method is not implemented", "text/plain")
        return self._company(call, endpoint, rest, now)

    # ---- documents and contacts

    def _documents(self, call: Call, endpoint: str, rest: list[str]) -> Answer:
        get = call.method == "GET"
        match rest:
            case [] if get:
                since = call.headers.get("if-modified-since", "")
                rows, pagination = self.lists.answer(endpoint, call.params, since)
                return endpoint, rows, {"pagination": pagination} if pagination is not None else {}
            case [identity] if get:
                form = self.lists.form(call.params)
                return endpoint, [self.lists.row(endpoint, self._entry(endpoint, identity), form)], {}
            case [identity, "OnlineInvoice"] if get and endpoint == "Invoices":
                return "OnlineInvoices", [encode(self._link(identity))], {}
            case [identity, "Email"] if call.method == "POST" and endpoint == "Invoices":
                self.service.emails.append(self._entry(endpoint, identity).id)
                return None, [], {}
            case [identity, "Allocations"] if call.method == "PUT":
                return self._allocate(call, endpoint, identity)
            case [identity] if call.method == "POST" and endpoint == "Payments":
                row = elements(body_of(call.body), endpoint)[0]
                return endpoint, [encode(self.money.delete_payment(self._entry(endpoint, identity), row))], {}
            case [] | [_] if call.method in {"POST", "PUT"}:
                return endpoint, self._written(call, endpoint, rest[0] if rest else None), {}
        raise Refused(501, "This method is not implemented", "text/plain")

    def _written(self, call: Call, endpoint: str, address: str | None) -> list[bytes]:
        create = call.method == "PUT"
        summarize = call.params.get("summarizeErrors", "true").lower() != "false"

        def prepare(row: Row) -> Step:
            match endpoint:
                case "Invoices":
                    return self.writes.invoice(row, create=create, address=address)
                case "Contacts":
                    return self.writes.contact(row, create=create, address=address)
                case "Payments":
                    return self.money.payment(row)
                case "CreditNotes":
                    return self.money.credit(row)
            raise Refused(501, "This method is not implemented", "text/plain")

        rows = elements(body_of(call.body), endpoint)
        done = each(rows, prepare, summarize=summarize, key=self.service.error_key)
        return [encode(one) for one in done]

    def _allocate(self, call: Call, endpoint: str, identity: str) -> Answer:
        if endpoint not in {"CreditNotes", "Prepayments", "Overpayments"}:
            raise _NOBODY
        entry = self._entry(endpoint, identity)
        rows = elements(body_of(call.body), "Allocations")
        done = each(rows, lambda row: self.money.allocation(entry, row), summarize=True)
        return "Allocations", [encode(one) for one in done], {}

    def _entry(self, endpoint: str, name: str) -> Entry:
        """A row by its id, or an invoice or credit note by its number. Raises Refused (404)."""
        identity = spelled(name)
        found = self.view.find(endpoint, identity) if identity is not None else None
        if found is None and endpoint in {"Invoices", "CreditNotes"}:
            field = f"{endpoint.removesuffix('s')}Number"
            found = next((one for one in self.view.entries(endpoint) if one.facts.get(field) == name), None)
        if found is None:
            raise _NOBODY
        return found

    def _link(self, identity: str) -> Row:
        """Where the customer can see and pay an invoice; not for bills and drafts, and not for what was voided."""
        record = self._entry("Invoices", identity).record
        if not isinstance(record, Invoice):
            raise Invalid("Online invoices are only available for approved sales invoices.")
        return {"OnlineInvoiceUrl": f"https://in.xero.com/emulator{int(record.id):08}"}

    def _history(self, call: Call, endpoint: str, identity: str) -> Answer:
        name = spelled(identity)
        if name is None:
            raise _NOBODY
        history = self.service.history
        if call.method == "GET":
            rows = history.read(endpoint, name)
        elif call.method in {"PUT", "POST"}:
            rows = history.write(endpoint, name, body_of(call.body))
        else:
            raise Refused(501, "This method is not implemented", "text/plain")
        return "HistoryRecords", [encode(one) for one in rows], {}

    # ---- contact groups

    def _groups(self, call: Call, rest: list[str]) -> Answer:
        groups, view = self.service.groups, self.view
        method = call.method
        match rest:
            case [] if method == "GET":
                return (
                    "ContactGroups",
                    [encode(group_row(view, one, members=False)) for one in groups.active],
                    {},
                )
            case [] if method == "PUT":
                rows = elements(body_of(call.body), "ContactGroups")
                made = each(rows, self._new_group, summarize=True)
                return "ContactGroups", [encode(one) for one in made], {}
            case [identity] if method == "GET":
                return "ContactGroups", [encode(group_row(view, self._group(identity), members=True))], {}
            case [identity] if method in {"POST", "PUT"}:
                group = self._group(identity)
                rows = elements(body_of(call.body), "ContactGroups")
                done = each(rows[:1], lambda row: self._change_group(group, row), summarize=True)
                return "ContactGroups", [encode(one) for one in done], {}
            case [identity, "Contacts"] if method == "PUT":
                return self._put_members(call, self._group(identity))
            case [identity, "Contacts"] if method == "DELETE":
                groups.empty(self._group(identity))
                return None, [], {}
            case [identity, "Contacts", contact] if method == "DELETE":
                groups.remove(self._group(identity), self._entry("Contacts", contact).id)
                return None, [], {}
        raise Refused(501, "This method is not implemented", "text/plain")

    def _group(self, identity: str) -> Group:
        group = self.service.groups.all.get(spelled(identity) or "")
        if group is None or group.status != "ACTIVE":
            raise _NOBODY
        return group

    def _new_group(self, row: Row) -> Step:
        name = text(row, "Name", longest=255)
        return lambda: group_row(self.view, self.service.groups.create(name), members=False)

    def _change_group(self, group: Group, row: Row) -> Step:
        name, status = text(row, "Name", longest=255), text(row, "Status")

        def change() -> Row:
            return group_row(
                self.view, self.service.groups.change(group, name=name, status=status), members=False
            )

        return change

    def _put_members(self, call: Call, group: Group) -> Answer:
        rows = elements(body_of(call.body), "Contacts")

        def prepare(row: Row) -> Step:
            identity = spelled(row.get("ContactID"))
            if identity is None or self.view.find("Contacts", identity) is None:
                raise Invalid("The Contact could not be found.")

            def add() -> Row:
                self.service.groups.add(group, identity)
                return {"ContactID": identity, "HasValidationErrors": False}

            return add

        return "Contacts", [encode(one) for one in each(rows, prepare, summarize=True)], {}

    # ---- the company

    def _company(self, call: Call, endpoint: str, rest: list[str], now: datetime) -> Answer:
        ledger = self.view.ledger
        match endpoint, rest:
            case (("Organisation" | "Organisations"), []):
                return "Organisations", [encode(organisation(ledger, self.service.tenant, self.started))], {}
            case "Organisation", ["Actions"]:
                found = actions(multicurrency=ledger.settings.multicurrency)
                return "Actions", [encode(one) for one in found], {}
            case "Accounts", []:
                return "Accounts", [encode(one) for one in accounts(ledger)], {}
            case "Currencies", []:
                return "Currencies", [encode(one) for one in currencies(ledger)], {}
            case "InvoiceReminders", ["Settings"]:
                return "InvoiceReminders", [encode({"Enabled": self.service.reminders})], {}
            case "Reports", ["AgedReceivablesByContact"]:
                return "Reports", [encode(aged_receivables(self.view, call.params, now))], {}
        raise _NOBODY
