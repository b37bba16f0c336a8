"""Calls to the record API: which record, which verb, what goes back.

A GET loads the record for editing: one that a workflow has locked cannot even be read.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from ar_connectors.testkit.exchange import Call, Reply
from ar_connectors.testkit.ledger import Invoice, Ledger
from ar_connectors.testkit.ledger.records import Record
from ar_connectors.testkit.netsuite.activities import ACTIVITIES, Activity, activities, activity
from ar_connectors.testkit.netsuite.company import Account
from ar_connectors.testkit.netsuite.errors import (
    ServiceError,
    missing_instance,
    missing_transaction,
    missing_type,
    user_error,
)
from ar_connectors.testkit.netsuite.records.bodies import Bodies
from ar_connectors.testkit.netsuite.records.collections import parse_filter
from ar_connectors.testkit.netsuite.records.jobs import Jobs
from ar_connectors.testkit.netsuite.records.metadata import SCHEMA_TYPE, catalog, schema_of
from ar_connectors.testkit.netsuite.records.types import RecordType, fields_of, type_named
from ar_connectors.testkit.netsuite.records.values import Written, read_body
from ar_connectors.testkit.netsuite.records.writes import Writer
from ar_connectors.testkit.netsuite.suiteql.answer import COLLECTION_TYPE, page_links, window
from ar_connectors.testkit.netsuite.transactions import transaction_of

__all__ = ["Records"]

_SINGULAR: Final = "application/vnd.oracle.resource+json; type=singular; charset=UTF-8"
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
Found = Record | Activity


class Records:
    """The record API of one account. Its user holds the emulator's lock."""

    def __init__(self, ledger: Ledger, account: Account) -> None:
        self.ledger = ledger
        self.account = account
        self.bodies = Bodies(ledger, account)
        self.writer = Writer(ledger, account)
        self.jobs = Jobs()

    def answer(self, call: Call, parts: list[str], base_url: str) -> Reply:
        """Answer a call; `parts` is the path behind /record/v1. Raises ServiceError, LedgerError."""
        self.bodies.root = f"{base_url}/services/rest/record/v1"
        if parts[:1] == ["metadata-catalog"]:
            return self._metadata(call, parts[1:])
        if not parts:
            raise missing_type("")
        record_type = type_named(parts[0])
        if record_type is None or record_type.name.lower() in self.account.hidden:
            raise missing_type(parts[0])
        # A list is a search; a GET of one record loads it for editing, and needs the right to.
        if (call.method != "GET" or len(parts) > 1) and record_type.name.lower() in self.account.read_only:
            raise user_error("Your current role does not have permission to perform this action.")
        if call.method != "GET" and "respond-async" in call.headers.get("prefer", "").lower():
            return self.jobs.start(call, lambda: self._routed(call, record_type, parts[1:]), base_url)
        return self._routed(call, record_type, parts[1:])

    def _routed(self, call: Call, record_type: RecordType, rest: list[str]) -> Reply:
        match call.method, rest:
            case "GET", []:
                return self._list(call, record_type)
            case "POST", []:
                return self._create(call, record_type, None)
            case "GET", [identity]:
                return self._read(call, record_type, self._found(record_type, identity))
            case "GET", [identity, sublist]:
                return self._sublist(record_type, self._found(record_type, identity), sublist)
            case "PATCH", [identity]:
                return self._update(call, record_type, self._found(record_type, identity))
            case "PUT", [identity]:
                return self._upsert(call, record_type, identity)
            case "DELETE", [identity]:
                self.writer.delete(self._found(record_type, identity))
                return Reply(204, b"")
            case "POST", [identity, "!transform", target]:
                return self._transform(call, record_type, self._found(record_type, identity), target)
        raise ServiceError(405, "INVALID_METHOD", f"The method {call.method} is not allowed.")

    # ---- finding

    def _found(self, record_type: RecordType, identity: str) -> Found:
        """A record by its id or `eid:` and its external id. Raises ServiceError, also for one that is locked."""
        found = (
            self._by_external(record_type, identity[4:])
            if identity.startswith("eid:")
            else self._by_id(record_type, identity)
        )
        if found is None:
            raise missing_transaction() if record_type.transaction else missing_instance()
        if record_type.kind is not None and (record_type.kind, found.id) in self.account.locked:
            raise user_error("This record has been locked by a user defined workflow.")
        return found

    def _by_id(self, record_type: RecordType, identity: str) -> Found | None:
        if record_type.kind is None:
            return activity(self.ledger, record_type.name, identity)
        record = self.ledger.shelf(record_type.kind).get(identity)
        return record if record is not None and self._is_a(record_type, record) else None

    def _is_a(self, record_type: RecordType, record: Record) -> bool:
        if not record_type.transaction:
            return True
        transaction = transaction_of(self.ledger, record)
        return transaction is not None and transaction.type == record_type.transaction

    def _by_external(self, record_type: RecordType, external: str) -> Found | None:
        if record_type.kind is None:
            return next(
                (one for one in activities(self.ledger, record_type.name) if one.external_id == external),
                None,
            )
        records = self.ledger.shelf(record_type.kind).values()
        return next(
            (
                one
                for one in records
                if one.extra.get("externalId") == external and self._is_a(record_type, one)
            ),
            None,
        )

    # ---- reading

    def _read(self, call: Call, record_type: RecordType, found: Found) -> Reply:
        address = self.bodies.link(record_type.name, found.id)
        query = "&".join(f"{name}={value}" for name, value in call.params.items())
        body = self.bodies.of(record_type, found)
        expand = call.params.get("expandSubResources", "").lower() == "true"
        for one in record_type.fields:
            if one.kind == "sublist":
                body[one.name] = self._shown(record_type, found, one.name, expand=expand)
        if call.params.get("simpleEnumFormat", "").lower() == "true":
            body = {name: _simple(record_type, self.account, name, value) for name, value in body.items()}
        wanted = call.params.get("fields")
        if wanted:
            body = {name: value for name, value in body.items() if name in wanted.split(",")}
        links = [{"rel": "self", "href": f"{address}?{query}" if query else address, "method": "GET"}]
        return Reply(200, _encode({"links": links, **body}), content_type=_SINGULAR)

    def _shown(self, record_type: RecordType, found: Found, name: str, *, expand: bool) -> dict[str, Any]:
        address = f"{self.bodies.link(record_type.name, found.id)}/{name}"
        shown: dict[str, Any] = {"links": [{"rel": "self", "href": address, "method": "GET"}]}
        if expand:
            lines = self.bodies.sublist(found, name)
            shown["items"] = [
                {"links": [{"rel": "self", "href": f"{address}/{line.get('line', line.get('id'))}"}], **line}
                for line in lines
            ]
            shown["totalResults"] = len(lines)
        return shown

    def _sublist(self, record_type: RecordType, found: Found, name: str) -> Reply:
        known = next((one for one in record_type.fields if one.kind == "sublist" and one.name == name), None)
        if known is None:
            raise missing_type(name)
        shown = self._shown(record_type, found, known.name, expand=True)
        shown |= {"count": len(shown["items"]), "hasMore": False, "offset": 0}
        return Reply(200, _encode(shown), content_type=COLLECTION_TYPE)

    def _list(self, call: Call, record_type: RecordType) -> Reply:
        limit, offset = window(call.params)
        everything: list[Found]
        if record_type.name in ACTIVITIES:
            everything = list(activities(self.ledger, record_type.name))
        else:
            assert record_type.kind is not None  # noqa: S101  only activities have none
            shelf = self.ledger.shelf(record_type.kind)
            everything = [one for one in shelf.values() if self._is_a(record_type, one)]
        if call.params.get("q"):
            matches = parse_filter(
                call.params["q"],
                fields_of(record_type, self.account),
                self.account.date_format,
                str(ZoneInfo(self.ledger.settings.zone)),
            )
            everything = [one for one in everything if matches(self.bodies.of(record_type, one))]
        page = everything[offset : offset + limit]
        number = min(len(everything), limit * 1000)
        address = f"{self.bodies.root}/{record_type.name.lower()}"
        body = {
            "links": page_links(address, limit, offset, len(page), number, method="GET"),
            "count": len(page),
            "hasMore": offset + len(page) < number,
            "items": [
                {
                    "links": [
                        {"rel": "self", "href": self.bodies.link(record_type.name, one.id), "method": "GET"}
                    ],
                    "id": one.id,
                }
                for one in page
            ],
            "offset": offset,
            "totalResults": number,
        }
        return Reply(200, _encode(body), content_type=COLLECTION_TYPE)

    def _metadata(self, call: Call, rest: list[str]) -> Reply:
        if call.method != "GET":
            raise ServiceError(405, "INVALID_METHOD", f"The method {call.method} is not allowed.")
        if not rest:
            return Reply(200, _encode(catalog(self.account, self.bodies.root)), content_type=COLLECTION_TYPE)
        record_type = type_named(rest[0])
        if record_type is None or record_type.name.lower() in self.account.hidden:
            raise missing_type(rest[0])
        return Reply(200, _encode(schema_of(record_type, self.account)), content_type=SCHEMA_TYPE)

    # ---- writing

    def _written(self, call: Call, record_type: RecordType) -> Written:
        try:
            document = _decode(call.body)
        except msgspec.DecodeError:
            document = None
        if not isinstance(document, dict):
            raise ServiceError(
                400,
                "INVALID_REQUEST",
                "The request could not be understood by the server due to malformed syntax.",
            )
        return read_body(document, fields_of(record_type, self.account), call.headers, call.params)

    def _done(self, record_type: RecordType, identity: str, written: Written) -> Reply:
        """Nothing but where it is."""
        headers = {"Location": self.bodies.link(record_type.name, identity)}
        if written.unknown:
            headers["X-NetSuite-PropertyValidation"] = f"Unknown property names: {', '.join(written.unknown)}"
        return Reply(204, b"", headers=headers)

    def _update(self, call: Call, record_type: RecordType, found: Found) -> Reply:
        written = self._written(call, record_type)
        replaced = {name.strip() for name in call.params.get("replace", "").split(",")}
        self.writer.update(record_type, found, written.values, replaced)
        return self._done(record_type, found.id, written)

    def _create(self, call: Call, record_type: RecordType, external: str | None) -> Reply:
        if not record_type.creatable:
            raise user_error("Your current role does not have permission to perform this action.")
        written = self._written(call, record_type)
        if external is not None:
            written.values["externalId"] = external
        known = written.values.get("externalId")
        if known is not None and self._by_external(record_type, known) is not None:
            raise user_error("This record already exists.")
        identity = self.writer.create(record_type, written.values)
        return self._done(record_type, identity, written)

    def _upsert(self, call: Call, record_type: RecordType, identity: str) -> Reply:
        """PUT goes by external id only."""
        if not identity.startswith("eid:") or len(identity) == 4:
            raise ServiceError(
                400, "INVALID_ID", "An upsert needs an external ID: use eid: and the external ID in the path."
            )
        found = self._by_external(record_type, identity[4:])
        if found is None:
            return self._create(call, record_type, identity[4:])
        return self._update(call, record_type, self._found(record_type, identity))

    def _transform(self, call: Call, record_type: RecordType, found: Found, target: str) -> Reply:
        wanted = type_named(target)
        if not isinstance(found, Invoice) or wanted is None or wanted.name != "customerPayment":
            raise missing_type(f"{record_type.name}/!transform/{target}")
        written = self._written(call, wanted) if call.body else Written()
        return self._done(wanted, self.writer.pay(found, written.values), written)


def _simple(record_type: RecordType, account: Account, name: str, value: Any) -> Any:
    """An enum as its bare id."""
    known = fields_of(record_type, account).get(name)
    if known is not None and known.kind == "enum" and isinstance(value, dict):
        return value["id"]
    return value
