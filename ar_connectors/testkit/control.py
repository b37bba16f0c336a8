"""The control API of a running emulator: clock, faults, lies, stories, statistics, truth. Own port, so that no fault hits it.

GET  /__control__/            what there is
GET  /__control__/clock       {"now"}
POST /__control__/clock       {"advance_seconds": 60} | {"set": ISO} | {"freeze": true} | {"run": true}
GET  /__control__/faults      what has not struck yet
POST /__control__/faults      {"name", "on"?, "times"?, "after"?, "chance"?, ...options}
DELETE /__control__/faults
POST /__control__/outage      {"name": "connect_refused" | "connect_timeout" | null}
GET  /__control__/stats       counters; DELETE begins anew
GET  /__control__/truth       facts in the books
POST /__control__/stories     {"name", ...arguments}
POST /__control__/webhooks    {"url", "shape"?}: sends what happened since the last one that was answered with success
GET  /__control__/subscription  {"url", "shape", "attempts", "next_at"} or null
POST /__control__/subscription  {"url", "shape"?}: sends by itself from now on, and again what is not taken; DELETE ends it
POST /__control__/lies        {"names": [...]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ar_connectors.testkit.emulator import Emulator
from ar_connectors.testkit.faults import NAMES, OUTAGES
from ar_connectors.testkit.ledger import LedgerError, check, truth
from ar_connectors.testkit.stories import STORIES, Stories
from ar_connectors.testkit.webhooks import Subscription
from ar_connectors.testkit.wsgi import Listener

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["Control"]


class Control:
    """WSGI application over one emulator."""

    def __init__(self, service: Emulator, stories: Stories, listener: Listener) -> None:
        self.service = service
        self.stories = stories
        self.listener = listener
        self.subscription: Subscription | None = None

    def subscribe(self, url: str, shape: str = "") -> Subscription:
        """Send webhooks by themselves from now on. Raises ValueError for an address or a shape that cannot be."""
        self.unsubscribe()
        self.subscription = Subscription(self.service, url, shape)
        return self.subscription

    def unsubscribe(self) -> None:
        """Send no more webhooks."""
        if self.subscription is not None:
            self.subscription.close()
        self.subscription = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request with JSON."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        raw = environ["wsgi.input"].read(length) if length else b""
        status = "200 OK"
        try:
            answer = self._answer(
                environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), json.loads(raw or b"{}")
            )
        except (ArithmeticError, KeyError, OSError, TypeError, ValueError, LedgerError) as error:
            status, answer = "400 Bad Request", {"error": str(error)}
        body = json.dumps(answer, default=str).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
        place = path.removeprefix("/__control__").strip("/")
        return self._told(place) if method == "GET" else self._done(method, place, body)

    def _told(self, place: str) -> Any:
        """What a GET asks for."""
        service = self.service
        match place:
            case "":
                return {
                    "faults": dict(NAMES),
                    "outages": dict(OUTAGES),
                    "stories": sorted(STORIES),
                    "lies": service.lies.names,
                }
            case "clock":
                return {"now": service.clock.now().isoformat()}
            case "faults":
                return [asdict(fault) for fault in service.faults.pending]
            case "stats":
                return self._stats(anew=False)
            case "subscription":
                return self.subscription.as_json() if self.subscription is not None else None
            case "truth":
                return self._truth()
        raise KeyError(f"there is no GET {place}")

    def _done(self, method: str, place: str, body: dict[str, Any]) -> Any:
        """What a POST or DELETE has changed."""
        service = self.service
        match method, place:
            case "POST", "clock":
                return {"now": self._clock(body).isoformat()}
            case "POST", "faults":
                return asdict(service.faults.add(body.pop("name"), **body))
            case "DELETE", "faults":
                service.faults.clear()
                return {}
            case "POST", "outage":
                self.listener.outage(body["name"])
                return {"outage": body["name"]}
            case "DELETE", "stats":
                return self._stats(anew=True)
            case "POST", "stories":
                return self.stories.run(body.pop("name"), **body)
            case "POST", "webhooks":
                return service.notify(**body)
            case "POST", "subscription":
                return self.subscribe(**body).as_json()
            case "DELETE", "subscription":
                self.unsubscribe()
                return {}
            case "POST", "lies":
                with service.lock:
                    service.lies.tell(*body["names"])
                return {"active": service.lies.active}
        raise KeyError(f"there is no {method} {place}")

    def _stats(self, *, anew: bool) -> dict[str, Any]:
        """The counters, as they were before they begin anew."""
        seen = self.service.stats.as_json()
        if anew:
            self.service.stats.reset()
        return seen

    def _clock(self, body: dict[str, Any]) -> datetime:
        clock = self.service.clock
        if "advance_seconds" in body:
            clock.advance(timedelta(seconds=body["advance_seconds"]))
        if "set" in body:
            clock.set(datetime.fromisoformat(body["set"]))
        if body.get("freeze"):
            clock.freeze()
        if body.get("run"):
            clock.run()
        return clock.now()

    def _truth(self) -> dict[str, Any]:
        with self.service.lock:
            facts, wrong = truth(self.service.ledger), check(self.service.ledger)
        return {
            "balances": [
                {"customer": customer, "currency": currency, "amount": str(amount)}
                for (customer, currency), amount in facts.balances.items()
            ],
            "open_invoices": {identity: asdict(one) for identity, one in facts.open_invoices.items()},
            "invoices": facts.invoices,
            "voided": sorted(facts.voided, key=int),
            "deleted": sorted(map(list, facts.deleted)),
            "allocations": len(facts.allocations),
            "inactive": sorted(facts.inactive, key=int),
            "notes": facts.notes,
            "wrong": wrong,
        }
