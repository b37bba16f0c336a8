"""The emulator itself: calls in, replies out. Gateways, routes, limits, envelopes, idempotency.

It is a function of its ledger, clock and settings; sockets, compression and threads are the server's business.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any, Final, Literal

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call, Reply
from ar_connectors.testkit.faults import FaultPlan
from ar_connectors.testkit.ledger import Invoice, Ledger, LedgerError
from ar_connectors.testkit.ledger.records import Record
from ar_connectors.testkit.lies import Lies
from ar_connectors.testkit.misbehavior import shown
from ar_connectors.testkit.stats import Stats
from ar_connectors.testkit.webhooks import Notice, notify, post, signature
from ar_connectors.testkit.xero.errors import Invalid, Refused, expired, from_ledger, gateway, invalid
from ar_connectors.testkit.xero.fidelity import FIDELITY
from ar_connectors.testkit.xero.groups import Groups
from ar_connectors.testkit.xero.history import History
from ar_connectors.testkit.xero.idempotency import Kept
from ar_connectors.testkit.xero.ids import guid
from ar_connectors.testkit.xero.lies import LIES
from ar_connectors.testkit.xero.limits import Limits, Pace
from ar_connectors.testkit.xero.lists import Lists
from ar_connectors.testkit.xero.misbehavior import after, before, throttled
from ar_connectors.testkit.xero.notifications import Notifier
from ar_connectors.testkit.xero.oauth import Authority, Kind
from ar_connectors.testkit.xero.routes import Asked, Routes
from ar_connectors.testkit.xero.rows import contact_stub
from ar_connectors.testkit.xero.side import Side
from ar_connectors.testkit.xero.texts import encode, envelope_time, to_xml
from ar_connectors.testkit.xero.view import View
from ar_connectors.testkit.xero.writes import PartPaid

__all__ = ["Xero"]

_JSON: Final = "application/json; charset=utf-8"
_WEBHOOK_RETRIES: Final = (10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0, 43200.0)
"""Seconds, about a day in all; Xero says that it goes on with growing pauses for a day, not with which."""


class Xero:
    """One company at Xero. Thread-safe: calls are answered one at a time.

    Args:
        ledger: its books; use them under `lock` once a server runs.
        clock: its time, for tokens, stamps and limits.
        limits: None: no limits at all.
        app: what sort of app comes: with a secret, without one (PKCE), or a custom connection.
        bills: how many bills lie beside the receivables.
        refunds: how many credits were paid back, beside the books too.
        part_paid: what happens to ExpectedPaymentDate on an invoice that something is applied to.
        note_limit: most characters of a history note.
        high_volume: rows beyond which a GET is refused.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: ScriptedClock,
        *,
        limits: Limits | None = None,
        app: Kind = "web",
        bills: int = 20,
        refunds: int = 0,
        part_paid: PartPaid = "refuse",
        note_limit: int = 2500,
        high_volume: int = 100_000,
        seed: str = "1",
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.lock = threading.RLock()
        self.tenant = guid("organisation", 1)
        self.faults = FaultPlan(seed)
        self.stats = Stats()
        self.lies = Lies(LIES)
        self.groups = Groups()
        self.reminders = False
        """Whether Xero itself reminds customers."""
        self.authority = Authority(clock, self.tenant, ledger.settings.name, seed, app)
        self.base_url = ""
        self.error_key: Literal["Message", "Description"] = "Message"
        """What the errors of a batch call their text; both spellings are seen."""
        self.emails: list[str] = []
        """InvoiceIDs that a client had sent to the customer; a connector for receivables has none."""
        ledger.quiet = _blind
        side = Side(seed, clock.now(), bills, ledger.settings.home_currency)
        home = [one for one in ledger.customers.values() if one.currency == ledger.settings.home_currency]
        for number, owner in zip(range(refunds), cycle(home), strict=False):
            at = (clock.now() - timedelta(days=3 + number)).replace(microsecond=0)
            side.add_refund(contact_stub(owner), owner.currency, at, credit=number % 2 == 0)
        self.view = View(ledger, side, self.groups)
        self.lists = Lists(self.view, self.lies, clock, high_volume=high_volume)
        self.history = History(self.view, limit=note_limit)
        self.notifier = Notifier(self.view, self.tenant)
        self.webhook_retries: tuple[float, ...] = _WEBHOOK_RETRIES
        self._pace = Pace(clock, limits)
        self._kept = Kept(clock)
        self._routes = Routes(self, part_paid, clock.now() - timedelta(days=900))
        self._replies = 0

    def handle(self, call: Call, in_flight: int = 1) -> tuple[Reply, str | None]:
        """Answer a call; also the name of the fault that struck, if one did."""
        with self.lock:
            asked = Asked.of(call)
            fault = self.faults.take(asked.operation)
            now = self.clock.now()
            reply = before(fault, asked.operation, self.authority, now) if fault is not None else None
            if reply is None:
                reply = self._answer(call, asked, in_flight, shown(now, fault))
            elif asked.endpoint:
                reply.headers = {**self._pace.headers(), **reply.headers}
            if fault is not None:
                reply = after(fault, reply)
            reply.operation = asked.operation
            self._replies += 1
            reply.headers.setdefault("xero-correlation-id", guid("reply", self._replies))
            reply.headers["X-Emulator-Evidence"] = FIDELITY.evidence_of(asked.operation).value
            reply.headers["Date"] = shown(now, fault).strftime("%a, %d %b %Y %H:%M:%S GMT")
            return reply, fault.name if fault is not None else None

    def notice(self, shape: str) -> Notice | None:
        """What happened since the last notice that was taken. There is one shape."""
        if shape:
            raise ValueError(f"there is no shape {shape!r} of what happened; to send once there is intent")
        body, end = self.notifier.news()
        if body is None:
            return None
        return Notice(body, {"x-xero-signature": signature(body, self.notifier.key)}, timeout=5.0, end=end)

    def told(self, notice: Notice) -> None:
        """A notice was taken, or given up."""
        self.notifier.told = notice.end

    def notify(self, url: str, *, shape: str = "") -> dict[str, Any]:
        """Send a notice now, once. `shape` "intent" asks whether the app may have webhooks, as Xero does before it sends any:
        once signed well and once not."""
        if shape != "intent":
            return notify(self, url, shape)
        with self.lock:
            body = self.notifier.intent()
        good, bad = (
            post(url, body, {"x-xero-signature": signature(body, key)}, timeout=5.0)
            for key in (self.notifier.key, "another key")
        )
        return {"sent": True, "status": good, "badly_signed": bad, "accepted": (good, bad) == (200, 401)}

    # ---- gateways

    def _answer(self, call: Call, asked: Asked, in_flight: int, now: datetime) -> Reply:
        if not asked.endpoint:
            return self._public(call, asked)
        refused = self._turned_away(call, asked, now)
        if refused is not None:
            return refused
        verdict = self._pace.ask(in_flight)
        if verdict.problem is not None:
            reply = throttled(verdict.problem, verdict.retry_after)
            reply.headers = {**verdict.headers, **reply.headers}
            return reply
        key = call.headers.get("idempotency-key") if call.method != "GET" else None
        kept = self._kept.answered(key, call) if key is not None else None
        reply = kept if kept is not None else self._api(call, asked, now)
        if key is not None and kept is None:
            self._kept.keep(key, call, reply)
        reply.headers = {**verdict.headers, **reply.headers}
        return reply

    def _turned_away(self, call: Call, asked: Asked, now: datetime) -> Reply | None:
        """What the gateways refuse before the API is asked."""
        authorization = call.headers.get("authorization", "")
        if not self.authority.accepts(authorization):
            ended = self.authority.ended(authorization)
            detail = expired(ended) if ended is not None else "AuthenticationUnsuccessful"
            return gateway(401, "Unauthorized", detail, f"{now}/{self._replies}")
        tenant = call.headers.get("xero-tenant-id", "")
        known = tenant.lower() == self.tenant or (not tenant and self.authority.kind == "custom")
        if not known or not self.authority.connected or self.ledger.settings.lapsed:
            return gateway(
                403, "Forbidden", "AuthenticationUnsuccessful", f"{now}/{self._replies}", lower=True
            )
        if not self.authority.may(authorization, asked.endpoint, write=call.method != "GET"):
            status = self.authority.missing_scope
            title = "Unauthorized" if status == 401 else "Forbidden"
            reply = gateway(status, title, "AuthorizationUnsuccessful", f"{now}/{self._replies}")
            reply.headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
            return reply
        return None

    def _public(self, call: Call, asked: Asked) -> Reply:
        authority = self.authority
        match asked.operation.partition(" ")[0]:
            case "token" if asked.operation == "token revoke":
                return authority.revoke(call)
            case "token":
                return authority.token(call)
            case "consent":
                return authority.consent(call)
            case "connections":
                if not authority.accepts(call.headers.get("authorization", "")):
                    return gateway(401, "Unauthorized", "AuthenticationUnsuccessful", str(self._replies))
                return authority.connections(call, asked.rest)
            case "openid":
                return Reply(200, encode(self._discovery()))
        return Reply(404, b"<html><body><h1>404 Not Found</h1></body></html>", content_type="text/html")

    def _discovery(self) -> dict[str, Any]:
        base = self.base_url
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/identity/connect/authorize",
            "token_endpoint": f"{base}/connect/token",
            "userinfo_endpoint": f"{base}/connect/userinfo",
            "revocation_endpoint": f"{base}/connect/revocation",
            "jwks_uri": f"{base}/.well-known/openid-configuration/jwks",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": self.authority.scope.split(),
        }

    # ---- the API

    def _api(self, call: Call, asked: Asked, now: datetime) -> Reply:
        try:
            name, rows, extra = self._routes.answer(call, asked, now)
        except Refused as refused:
            return refused.reply()
        except (Invalid, LedgerError) as error:
            wrong = from_ledger(error) if isinstance(error, LedgerError) else error
            messages = [{"Message": message} for message in wrong.messages]
            return invalid([{"ValidationErrors": messages}]).reply()
        if name is None:
            return Reply(204, b"", content_type=_JSON)
        return self._enveloped(call, name, rows, extra, now)

    def _enveloped(
        self, call: Call, name: str, rows: list[bytes], extra: Mapping[str, Any], now: datetime
    ) -> Reply:
        head: dict[str, Any] = {
            "Id": guid("reply", self._replies, 1),
            "Status": "OK",
            "ProviderName": "Emulator App",
            "DateTimeUTC": envelope_time(now),
            **extra,
        }
        body = encode(head)[:-1] + b',"' + name.encode() + b'":[' + b",".join(rows) + b"]}"
        if "json" not in call.headers.get("accept", ""):
            from msgspec.json import decode

            text = f'<?xml version="1.0" encoding="utf-8"?>{to_xml(decode(body))}'
            return Reply(200, text.encode(), content_type="text/xml; charset=utf-8")
        return Reply(200, body, content_type=_JSON)


def _blind(record: Record, changes: Mapping[str, Any]) -> bool:
    """Xero's documented blind spot: a change of a part-paid invoice that makes no journal does not move UpdatedDateUTC."""
    makes_journal = {"lines", "tax", "issued", "voided", "deposit"}
    return (
        isinstance(record, Invoice)
        and bool(record.applied)
        and bool(record.open)
        and not makes_journal & set(changes)
    )
