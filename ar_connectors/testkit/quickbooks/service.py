"""The emulator itself: calls in, replies out. Routes, tokens, limits, envelopes, request ids, batches.

It is a function of its ledger, clock and settings; sockets, compression and threads are the server's business.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call, Page, Reply
from ar_connectors.testkit.faults import Fault, FaultPlan
from ar_connectors.testkit.ledger import Invoice, Ledger, LedgerError
from ar_connectors.testkit.ledger.records import Record
from ar_connectors.testkit.lies import Lies
from ar_connectors.testkit.misbehavior import shown
from ar_connectors.testkit.quickbooks.changes import CAP, change_feed
from ar_connectors.testkit.quickbooks.company import exchange_rate
from ar_connectors.testkit.quickbooks.errors import ServiceError, fault_body, from_ledger, gateway_fault
from ar_connectors.testkit.quickbooks.fidelity import FIDELITY
from ar_connectors.testkit.quickbooks.lies import LIES
from ar_connectors.testkit.quickbooks.limits import Limits, Pace
from ar_connectors.testkit.quickbooks.misbehavior import after, before
from ar_connectors.testkit.quickbooks.notifications import Notifier
from ar_connectors.testkit.quickbooks.oauth import Authority
from ar_connectors.testkit.quickbooks.reports import aging_report
from ar_connectors.testkit.quickbooks.rows import ENTITIES, deleted_stub
from ar_connectors.testkit.quickbooks.select import Selector
from ar_connectors.testkit.quickbooks.shapes import shaped
from ar_connectors.testkit.quickbooks.singles import Singles
from ar_connectors.testkit.quickbooks.texts import encode, envelope_time
from ar_connectors.testkit.quickbooks.uploads import Files
from ar_connectors.testkit.quickbooks.writes import WRITERS, write
from ar_connectors.testkit.quickbooks.xml import in_xml, wants_json
from ar_connectors.testkit.stats import Stats
from ar_connectors.testkit.webhooks import Notice, notify, signature

__all__ = ["QuickBooks"]

_RESOURCES: Final = {name.lower(): name for name in ENTITIES}
_MAX_BATCH: Final = 30
_LONGEST_REQUEST_ID: Final = 50
_KEPT_PAGES: Final = 48
_WEBHOOK_RETRIES: Final = (10.0, 20.0, 30.0, 300.0, 1200.0, 7200.0, 14400.0, 21600.0)
"""Seconds; Intuit's page goes on after 6 hours without saying how often."""
_SMALL_PAGE: Final = 4096
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode


class QuickBooks:
    """One company at QuickBooks Online. Thread-safe: calls are answered one at a time.

    Args:
        ledger: its books; use them under `lock` once a server runs.
        clock: its time, for tokens, stamps and limits.
        limits: None: no limits at all.
        requestids: what a repeated `requestid` does: the first answer again, nothing, or fault 600. Intuit documents the
            first, users report the second.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: ScriptedClock,
        *,
        realm: str = "9341453000000000001",
        limits: Limits | None = None,
        requestids: Literal["replay", "ignore", "reject"] = "replay",
        seed: str = "1",
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.realm = realm
        self.lock = threading.RLock()
        self.faults = FaultPlan(seed)
        self.stats = Stats()
        self.lies = Lies(LIES)
        self.authority = Authority(clock, realm, ledger.settings.name, seed)
        self.requestids = requestids
        self.base_url = ""
        self._pace = Pace(clock, limits) if limits is not None else None
        self._singles = Singles(ledger, realm, clock.now() - timedelta(days=900), clock.now)
        self._selector = Selector(ledger, self.lies, self._singles)
        self.notifier = Notifier(ledger, realm, seed)
        self.webhook_retries: tuple[float, ...] = _WEBHOOK_RETRIES
        self._files = Files(ledger)
        self._replies: dict[str, Reply] = {}
        self._pages: dict[str, Page] = {}
        self._pages_at = (-1, -1)
        self._tids = 0

    def handle(self, call: Call, in_flight: int = 1) -> tuple[Reply, str | None]:
        """Answer a call; also the name of the fault that struck, if one did."""
        with self.lock:
            operation = self._operation(call)
            fault = self.faults.take(operation)
            now = self.clock.now()
            reply = before(fault, operation, self.authority, now) if fault is not None else None
            if reply is None:
                reply = self._answer(call, operation, in_flight, fault, shown(now, fault))
                if call.path.startswith("/v3/") and not wants_json(call):
                    reply = in_xml(reply)
            if fault is not None:
                reply = after(fault, reply)
            reply.operation = operation
            self._tids += 1
            reply.headers.setdefault("intuit_tid", f"1-{0x69000000 + self._tids:08x}-{self._tids:024x}")
            reply.headers.setdefault("QBO-Version", "1989.236")
            reply.headers["X-Emulator-Evidence"] = FIDELITY.evidence_of(operation).value
            reply.headers["Date"] = shown(now, fault).strftime("%a, %d %b %Y %H:%M:%S GMT")
            return reply, fault.name if fault is not None else None

    def notice(self, shape: str) -> Notice | None:
        """What happened since the last notice that was taken. `shape` is cloudevents (unless said) or legacy."""
        body, end = self.notifier.news(shape or "cloudevents")
        if body is None:
            return None
        return Notice(
            body, {"intuit-signature": signature(body, self.notifier.verifier_token)}, timeout=3.0, end=end
        )

    def told(self, notice: Notice) -> None:
        """A notice was taken, or given up."""
        self.notifier.told = notice.end

    def notify(self, url: str, *, shape: str = "") -> dict[str, Any]:
        """Send a notice now, once."""
        return notify(self, url, shape)

    # ---- routing

    def _operation(self, call: Call) -> str:
        """The name of what is asked for, as faults and counters use it."""
        parts = [part for part in call.path.split("/") if part]
        if parts[:2] != ["v3", "company"] or len(parts) < 4:
            return _public_operation(call)
        resource, *rest = parts[3:]
        match resource:
            case "query":
                statement = call.params.get("query") or call.body.decode("utf-8", errors="replace")
                words = statement.replace("(", " ").split()
                lowered = [word.lower() for word in words]
                entity = words[lowered.index("from") + 1] if "from" in lowered[:-1] else "?"
                entity = _RESOURCES.get(entity.lower(), entity)
                return f"{'count' if 'count' in lowered[:3] else 'query'} {entity}"
            case "cdc" | "batch" | "companyinfo" | "preferences" | "exchangerate" | "upload" | "download":
                return resource
            case "reports":
                return f"report {rest[0] if rest else '?'}"
        entity = _RESOURCES.get(resource, resource)
        if call.method == "GET":
            return f"read {entity}"
        return f"{_verb(call)} {entity}"

    def _answer(
        self, call: Call, operation: str, in_flight: int, fault: Fault | None, now: datetime
    ) -> Reply:
        parts = [part for part in call.path.split("/") if part]
        if parts[:2] != ["v3", "company"] or len(parts) < 4:
            return self._public(call, operation)
        if not self.authority.accepts(call.headers.get("authorization", "")):
            detail = f"Token expired: {call.headers.get('authorization', '').partition(' ')[2][:60]}"
            return Reply(401, gateway_fault(3200, 401, "AuthenticationFailed", detail, "AUTHENTICATION", now))
        if parts[2] != self.realm:
            name = "ApplicationAuthorizationFailed"
            return Reply(
                403, gateway_fault(3100, 403, name, "Application is not authorized", "AUTHORIZATION", now)
            )
        if self._pace is not None and not self._pace.allows(in_flight, batch=parts[3] == "batch"):
            return Reply(
                429,
                gateway_fault(3001, 429, "ThrottleExceeded", "The request limit was reached", "SERVICE", now),
            )
        try:
            return self._company(call, parts[3:], fault, now)
        except LedgerError as refused:
            error = from_ledger(refused)
        except ServiceError as refused:
            error = refused
        return Reply(error.status, fault_body(error, now))

    def _public(self, call: Call, operation: str) -> Reply:
        match operation:
            case "token refresh" | "token code":
                return self.authority.token(call)
            case "token revoke":
                return self.authority.revoke(call)
            case "consent":
                return self.authority.consent(call)
            case "openid":
                return Reply(200, encode(self._discovery()))
            case "file" if (found := self._files.content(call.path.rpartition("/")[2])) is not None:
                return Reply(200, found[0], content_type=found[1])
        return Reply(404, b"<html><body><h1>404 Not Found</h1></body></html>", content_type="text/html")

    def _discovery(self) -> dict[str, Any]:
        base = self.base_url
        return {
            "issuer": f"{base}/op/v1",
            "authorization_endpoint": f"{base}/connect/oauth2",
            "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
            "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
            "revocation_endpoint": f"{base}/v2/oauth2/tokens/revoke",
            "jwks_uri": f"{base}/op/v1/jwks",
            "response_types_supported": ["code"],
            "scopes_supported": ["com.intuit.quickbooks.accounting", "openid"],
        }

    def _company(self, call: Call, parts: list[str], fault: Fault | None, now: datetime) -> Reply:
        resource, *rest = parts
        get = call.method == "GET"
        if call.method not in {"GET", "POST"}:
            raise ServiceError("500", f"Operation {call.method} is not supported.")
        match resource, rest:
            case "query", []:
                statement = call.params.get("query") or call.body.decode("utf-8", errors="replace")
                return self._query(statement, now)
            case "cdc", [] if get:
                cap = fault.options.get("size", 5) if fault is not None and fault.name == "cdc_cap" else CAP
                feed = change_feed(
                    self._selector,
                    call.params.get("entities", ""),
                    call.params.get("changedSince", ""),
                    now,
                    cap,
                )
                return _enveloped(b'"CDCResponse":' + feed, now)
            case "companyinfo", _ if get:
                return _enveloped(b'"CompanyInfo":' + encode(self._singles.company_info()), now)
            case "preferences" | "exchangerate", [] if get:
                return self._single(call, resource, now)
            case "reports", [name] if get:
                return Reply(200, encode(aging_report(self.ledger, name, call.params, now)), metered=True)
            case "batch" | "upload", [] if not get:
                return self._once(
                    call, lambda: (self._batch if resource == "batch" else self._upload)(call, now)
                )
            case "download", [identity] if get:
                link = f"{self.base_url}/files/{self.realm}/{self._read('Attachable', identity).id}"
                return Reply(200, link.encode(), content_type="text/plain", metered=True)
            case name, [identity] if get and name in _RESOURCES:
                record = self._read(_RESOURCES[name], identity)
                return _enveloped(self._linked(call, self._named(record), record), now)
            case name, [] if not get and _RESOURCES.get(name) in WRITERS:
                return self._once(call, lambda: self._write(call, _RESOURCES[name], now))
        path = f"/v3/company/{'/'.join(parts)}"
        raise ServiceError(
            "500", f"Operation Could not find resource for relative : {path} is not supported."
        )

    # ---- reading and writing

    def _query(self, statement: str, now: datetime) -> Reply:
        """A query's answer; its rows are kept until something changes, because readers in parallel ask alike."""
        state = (self.ledger.revision, self.lies.revision)
        if state != self._pages_at:
            self._pages.clear()
            self._pages_at = state
        page = self._pages.get(statement)
        if page is None:
            page = Page(b'{"QueryResponse":' + self._selector.answer(statement))
            if len(page.raw) < _SMALL_PAGE:
                return Reply(200, page.raw + b',"time":"' + envelope_time(now).encode() + b'"}', metered=True)
            if len(self._pages) >= _KEPT_PAGES:
                self._pages.pop(next(iter(self._pages)))
            self._pages[statement] = page
        return Reply(200, b',"time":"' + envelope_time(now).encode() + b'"}', page=page, metered=True)

    def _read(self, entity: str, identity: str) -> Record:
        if not identity.isdecimal():
            raise ServiceError(
                "2030", f"Id should be a valid number. Supplied value:{identity}", element="Id"
            )
        record = self.ledger.shelf(ENTITIES[entity]).get(identity)
        if record is None:
            raise ServiceError(
                "610",
                "Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts, "
                "customers, items, vendors or employees.",
            )
        return record

    def _write(self, call: Call, entity: str, now: datetime) -> Reply:
        verb = _verb(call)
        written = write(self.ledger, entity, verb, shaped(_body(call.body)))
        answer = self._written(entity, written)
        if not isinstance(written, str):
            answer = self._linked(call, answer, written)
        return _enveloped(answer, now, metered=False)

    def _written(self, entity: str, written: Record | str) -> bytes:
        if isinstance(written, str):
            return b'"' + entity.encode() + b'":' + encode(deleted_stub(written))
        return self._named(written)

    def _named(self, record: Record) -> bytes:
        entity = next(
            name for name, kind in ENTITIES.items() if self.ledger.shelf(kind).get(record.id) is record
        )
        return b'"' + entity.encode() + b'":' + self._selector.row(record)

    def _linked(self, call: Call, answer: bytes, record: Record) -> bytes:
        """The answer with the link to pay, for who asks by `include=invoiceLink` and a company that takes such payments."""
        wanted = call.params.get("include", "").casefold() == "invoicelink"
        if not (wanted and isinstance(record, Invoice) and self.ledger.settings.online_payments):
            return answer
        email = record.extra.get("BillEmail") or self.ledger.customers[record.customer].email
        if not email or record.voided:
            return answer
        link = f"{self.base_url}/t/scs-v1-{self.realm}-{record.id}?locale=EN_US"
        return answer[:-1] + b',"InvoiceLink":' + encode(link) + b"}"

    def _single(self, call: Call, resource: str, now: datetime) -> Reply:
        if resource == "preferences":
            return _enveloped(b'"Preferences":' + encode(self._singles.preferences()), now)
        return _enveloped(b'"ExchangeRate":' + encode(exchange_rate(self.ledger, call.params, now)), now)

    def _upload(self, call: Call, now: datetime) -> Reply:
        taken = [
            b'{"Fault":' + encode(one.fault()) + b"}"
            if isinstance(one, ServiceError)
            else b"{" + self._named(one) + b"}"
            for one in self._files.upload(call)
        ]
        return _enveloped(b'"AttachableResponse":[' + b",".join(taken) + b"]", now, metered=False)

    def _batch(self, call: Call, now: datetime) -> Reply:
        items = _body(call.body).get("BatchItemRequest") or []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise ServiceError("2010", "Property Name:BatchItemRequest is no list of objects")
        if len(items) > _MAX_BATCH:
            raise ServiceError(
                "6000", f"Business Validation Error: The maximum number of batch items is {_MAX_BATCH}."
            )
        answers = [self._batch_item(item, now) for item in items]
        return _enveloped(b'"BatchItemResponse":[' + b",".join(answers) + b"]", now)

    def _batch_item(self, item: dict[str, Any], now: datetime) -> bytes:
        identity = encode(item.get("bId"))
        try:
            answer = self._batch_answer(item, now)
        except LedgerError as refused:
            answer = b'"Fault":' + encode(from_ledger(refused).fault())
        except ServiceError as refused:
            answer = b'"Fault":' + encode(refused.fault())
        return b"{" + answer + b',"bId":' + identity + b"}"

    def _batch_answer(self, item: dict[str, Any], now: datetime) -> bytes:
        shaped(item)
        if "Query" in item:
            return b'"QueryResponse":' + self._selector.answer(item["Query"])
        if item.get("CDCQuery") is not None:
            query = item["CDCQuery"]
            feed = change_feed(self._selector, query.get("Entities", ""), query.get("ChangedSince", ""), now)
            return b'"CDCResponse":' + feed
        entity = next((name for name in WRITERS if name in item), None)
        if entity is None:
            raise ServiceError(
                "2020", "Required param missing, need to supply the required value for the API: entity"
            )
        return self._written(
            entity, write(self.ledger, entity, item.get("operation", "create"), shaped(item[entity]))
        )

    def _once(self, call: Call, do: Callable[[], Reply]) -> Reply:
        """Do a POST, or give the answer it had before, by its requestid. Refusals are not remembered."""
        identity = call.params.get("requestid")
        if identity is None:
            return do()
        if len(identity) > _LONGEST_REQUEST_ID:
            raise ServiceError("2050", "requestid is longer than 50 characters", element="requestid")
        if identity in self._replies and self.requestids == "reject":
            raise ServiceError("600", "Duplicate Request Id")
        if identity in self._replies and self.requestids == "replay":
            kept = self._replies[identity]
            return Reply(kept.status, kept.body, metered=kept.metered)
        reply = do()
        self._replies[identity] = Reply(reply.status, reply.body, metered=reply.metered)
        return reply


def _verb(call: Call) -> str:
    asked = call.params.get("operation", "").lower()
    if call.params.get("include", "").lower() == "void" or asked == "void":
        return "void"
    if asked in {"delete", "update"}:
        return asked
    try:
        document = msgspec.json.decode(call.body)
    except msgspec.DecodeError:
        return "create"
    return "update" if isinstance(document, dict) and document.get("Id") else "create"


def _public_operation(call: Call) -> str:
    path = call.path.rstrip("/")
    if path.startswith("/files/"):
        return "file"
    if path == "/oauth2/v1/tokens/bearer":
        return "token refresh" if b"grant_type=refresh_token" in call.body else "token code"
    return {
        "/v2/oauth2/tokens/revoke": "token revoke",
        "/connect/oauth2": "consent",
        "/.well-known/openid_configuration": "openid",
        "/.well-known/openid_sandbox_configuration": "openid",
    }.get(path, "unknown")


def _body(raw: bytes) -> dict[str, Any]:
    try:
        document = _decode(raw)
    except (msgspec.DecodeError, ValueError) as error:
        raise ServiceError(
            "2010", f"Property Name:Can not parse the body: {error} is unsupported or invalid"
        ) from error
    return document if isinstance(document, dict) else shaped(document)


def _enveloped(inside: bytes, now: datetime, *, metered: bool = True) -> Reply:
    return Reply(200, b"{" + inside + b',"time":"' + envelope_time(now).encode() + b'"}', metered=metered)
