"""The emulator itself: calls in, replies out. Routes, tokens and signatures, concurrency, operation ids.

It is a function of its ledger, clock and settings; sockets, compression and threads are the server's business.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Final

import msgspec

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call, Reply
from ar_connectors.testkit.faults import Fault, FaultPlan
from ar_connectors.testkit.ledger import Ledger, LedgerError
from ar_connectors.testkit.lies import Lies
from ar_connectors.testkit.misbehavior import shown
from ar_connectors.testkit.netsuite.company import Account
from ar_connectors.testkit.netsuite.errors import (
    ServiceError,
    from_ledger,
    invalid_login,
    missing_type,
    refusal,
)
from ar_connectors.testkit.netsuite.fidelity import FIDELITY
from ar_connectors.testkit.netsuite.lies import LIES
from ar_connectors.testkit.netsuite.limits import Limits
from ar_connectors.testkit.netsuite.misbehavior import after, before, too_many
from ar_connectors.testkit.netsuite.records import Records
from ar_connectors.testkit.netsuite.records.types import type_named
from ar_connectors.testkit.netsuite.suiteql import Queries
from ar_connectors.testkit.netsuite.tba import TokenPair
from ar_connectors.testkit.netsuite.tokens import TOKEN_PATH, Desk
from ar_connectors.testkit.netsuite.transactions import TYPES
from ar_connectors.testkit.stats import Stats
from ar_connectors.testkit.webhooks import Notice, notify

__all__ = ["NetSuite"]

_REST: Final = ["services", "rest"]
_TYPE: Final = re.compile(rf"'({'|'.join(TYPES)})'")
_WORD: Final = {"GET": "read", "POST": "create", "PATCH": "update", "PUT": "upsert", "DELETE": "delete"}


class NetSuite:
    """One account at NetSuite. Thread-safe: calls are answered one at a time.

    Args:
        ledger: its books; use them under `lock` once a server runs.
        clock: its time, for tokens, stamps and signatures.
        account: its id, features, custom fields and preferences.
        limits: None: any number of calls at a time.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: ScriptedClock,
        *,
        account: Account | None = None,
        limits: Limits | None = None,
        seed: str = "1",
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.account = account or Account()
        self.account.oneworld = bool(ledger.subsidiaries)
        self.account.multicurrency = ledger.settings.multicurrency
        ledger.settings.deposits = True
        if not any(one.detail == "CustomerDeposits" for one in ledger.accounts.values()):
            ledger.add_account("Customer Deposits", "Other Current Liability", "CustomerDeposits")
        self.lock = threading.RLock()
        self.webhook_retries: tuple[float, ...] = ()
        self.faults = FaultPlan(seed)
        self.stats = Stats()
        self.lies = Lies(LIES)
        self.desk = Desk(clock, self.account.host, seed)
        self.pair = TokenPair(clock, self.account.id, seed)
        self.queries = Queries(ledger, self.account, self.lies)
        self.records = Records(ledger, self.account)
        self._limits = limits
        self._operations = 0

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return self.desk.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.desk.base_url = url

    def close(self) -> None:
        """Throw away what is kept for queries; the books stay."""
        with self.lock:
            self.queries.close()

    def handle(self, call: Call, in_flight: int = 1) -> tuple[Reply, str | None]:
        """Answer a call; also the name of the fault that struck, if one did."""
        with self.lock:
            operation = _operation(call)
            fault = self.faults.take(operation)
            reply = before(fault, operation, self.desk) if fault is not None else None
            if reply is None:
                reply = self._answer(call, in_flight, fault)
            if fault is not None:
                reply = after(fault, reply)
            reply.operation = operation
            self._operations += 1
            identity = f"{0xA0000000 + self._operations:08x}-emulator"
            reply.headers.setdefault("X-N-OperationId", identity)
            reply.headers.setdefault("X-NetSuite-JobId", identity)
            reply.headers["X-Emulator-Evidence"] = FIDELITY.evidence_of(operation).value
            reply.headers["Date"] = shown(self.clock.now(), fault).strftime("%a, %d %b %Y %H:%M:%S GMT")
            return reply, fault.name if fault is not None else None

    def notice(self, shape: str) -> Notice | None:
        """NetSuite has no webhooks. Raises ValueError, always."""
        del shape
        raise ValueError("NetSuite sends no webhooks: read deltas instead")

    def told(self, notice: Notice) -> None:
        """Nobody was told anything."""

    def notify(self, url: str, *, shape: str = "") -> dict[str, Any]:
        """Raises ValueError, always."""
        return notify(self, url, shape)

    def _answer(self, call: Call, in_flight: int, fault: Fault | None) -> Reply:
        if call.path == TOKEN_PATH:
            return self.desk.token(call)
        parts = [part for part in call.path.split("/") if part]
        if parts[:2] != _REST:
            return Reply(404, b"<html><body><h1>Not Found</h1></body></html>", content_type="text/html")
        if parts[2:] == ["system", "v1", "serverTime"] and call.method == "GET":
            return self._server_time(fault)
        header = call.headers.get("authorization", "")
        if not (self.desk.accepts(header) or self.pair.accepts(call, self.base_url)):
            return refusal(invalid_login())
        if self._limits is not None and in_flight > self._limits.in_flight:
            return refusal(invalid_login()) if self._limits.overload == "401" else too_many()
        try:
            return self._routed(call, parts[2:])
        except LedgerError as refused:
            return refusal(from_ledger(refused))
        except ServiceError as refused:
            return refusal(refused)

    def _routed(self, call: Call, parts: list[str]) -> Reply:
        match parts:
            case ["query", "v1", "suiteql"] if call.method == "POST":
                return self.queries.answer(call, f"{self.base_url}{call.path}")
            case ["query", "v1", "suiteql"]:
                raise ServiceError(405, "INVALID_METHOD", f"The method {call.method} is not allowed.")
            case ["record", "v1", *rest]:
                return self.records.answer(call, rest, self.base_url)
            case ["async", "v1", "job", *rest]:
                return self.records.jobs.answer(call, rest, self.base_url)
            case ["system", "v1", "governanceLimits"]:
                raise ServiceError(
                    403,
                    "INSUFFICIENT_PERMISSION",
                    "Your current role does not have permission to perform this action.",
                )
        raise missing_type("/".join(parts))

    def _server_time(self, fault: Fault | None) -> Reply:
        """UTC to the millisecond; no permission is needed for it."""
        now = shown(self.clock.now(), fault)
        text = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z"
        return Reply(200, msgspec.json.encode({"serverTime": text}))


def _operation(call: Call) -> str:
    """The name of what is asked for, as faults and counters use it."""
    if call.path == TOKEN_PATH:
        return "token"
    parts = [part for part in call.path.split("/") if part]
    match parts[2:] if parts[:2] == _REST else []:
        case ["query", "v1", "suiteql"]:
            return f"query {_table(call.body)}"
        case ["record", "v1", "metadata-catalog", *_]:
            return "metadata"
        case ["record", "v1", name]:
            word = "list" if call.method == "GET" else _WORD.get(call.method, call.method)
            return f"{word} {_named(name)}"
        case ["record", "v1", name, *_]:
            return f"{_WORD.get(call.method, call.method)} {_named(name)}"
        case ["async", "v1", "job", *_]:
            return "job"
        case ["system", "v1", name]:
            return name
    return "?"


def _named(name: str) -> str:
    known = type_named(name)
    return known.name if known is not None else name


def _table(body: bytes) -> str:
    """The first table a statement names, and for transactions the first type it asks for: good enough for a name."""
    text = body.decode("utf-8", errors="replace")
    words = text.lower().replace("\\n", " ").replace("(", " ").split()
    for index, word in enumerate(words[:-1]):
        if word == "from" and words[index + 1] != "select":
            table = words[index + 1].strip('",})')
            found = _TYPE.search(text) if table == "transaction" else None
            return f"{table} {found[1]}" if found is not None else table
    return "?"
