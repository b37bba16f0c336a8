"""How does a webhook get to an app? The signature that Intuit and Xero share, one delivery, and a subscription that goes on by itself.

What is sent is a notice: a body that stays the same until the app has taken it. By hand (`notify`) a test says when one is sent. A
subscription sends whatever happens as it happens, and again on the vendor's schedule, measured on the emulator's clock, until the
app takes it or the schedule is at its end; meanwhile later notices wait.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from ar_connectors.testkit.clock import ScriptedClock

__all__ = ["Notice", "Ringer", "Subscription", "notify", "post", "signature"]

_TICK: Final = 0.02
"""Seconds of the machine between two looks at books and clock."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is sent to an app, and how much of the books' log it tells."""

    body: bytes
    headers: Mapping[str, str]
    timeout: float
    """How long the vendor gives an app to answer, in seconds."""
    end: int


class Ringer(Protocol):
    """An emulator that sends webhooks."""

    lock: threading.RLock
    clock: ScriptedClock
    webhook_retries: tuple[float, ...]
    """Seconds until each further attempt."""

    def notice(self, shape: str) -> Notice | None:
        """What has not been told yet, in one of the vendor's shapes; None when nothing happened. Raises ValueError for what
        cannot be. The caller holds the lock."""
        ...

    def told(self, notice: Notice) -> None:
        """A notice was taken, or given up. The caller holds the lock."""
        ...


def signature(body: bytes, key: str) -> str:
    """HMAC-SHA256 of the body's bytes under the app's key, in base64."""
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> int:
    """Deliver a JSON body; `timeout` is how long the vendor gives an app to answer, in seconds. Returns the status. Raises
    OSError when nobody answers in time, ValueError for an address that is not plain HTTP."""
    host, port, target = _address(url)
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def _address(url: str) -> tuple[str, int | None, str]:
    address = urlsplit(url)
    if address.scheme != "http" or address.hostname is None:
        raise ValueError(f"webhooks of an emulator go to http addresses, not to {url!r}")
    path = address.path or "/"
    return address.hostname, address.port, f"{path}?{address.query}" if address.query else path


def notify(service: Ringer, url: str, shape: str) -> dict[str, Any]:
    """Send what happened since the last notice that was answered with success, if anything did, once. Raises what `post` raises."""
    with service.lock:
        notice = service.notice(shape)
    if notice is None:
        return {"sent": False, "status": None}
    status = post(url, notice.body, notice.headers, timeout=notice.timeout)
    if 200 <= status < 300:
        with service.lock:
            service.told(notice)
    return {"sent": True, "status": status}


@dataclass
class Subscription:
    """An app that is told by itself, from now until `close`. Raises ValueError for an address or a shape that cannot be."""

    service: Ringer
    url: str
    shape: str = ""
    attempts: list[dict[str, Any]] = field(default_factory=list)
    """Every attempt: when (the emulator's clock), which notice (from 1), and the status; None: nobody answered in time."""
    _waiting: Notice | None = None
    _failures: int = 0
    _due: datetime | None = None
    _notices: int = field(init=False, default=0)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        _address(self.url)
        with self.service.lock:
            self._waiting = self.service.notice(
                self.shape
            )  # at once, so that what cannot be is said to who asked
        self._notices = int(self._waiting is not None)
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell the app nothing more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def as_json(self) -> dict[str, Any]:
        """Where it stands."""
        return {
            "url": self.url,
            "shape": self.shape,
            "attempts": list(self.attempts),
            "next_at": self._due.isoformat() if self._due is not None else None,
        }

    def _run(self) -> None:
        while not self._over.wait(_TICK):
            self._step()

    def _step(self) -> None:
        """Send what is to be sent now, if anything is."""
        now = self.service.clock.now()
        if self._waiting is None:
            with self.service.lock:
                self._waiting = self.service.notice(self.shape)
            if self._waiting is None:
                return
            self._notices += 1
            self._failures = 0
        elif self._due is not None and now < self._due:
            return
        status = self._attempt(self._waiting)
        self.attempts.append({"at": now.isoformat(), "notice": self._notices, "status": status})
        taken = status is not None and 200 <= status < 300
        if taken or self._failures >= len(self.service.webhook_retries):
            with self.service.lock:
                self.service.told(self._waiting)
            self._waiting = self._due = None
            return
        self._due = now + timedelta(seconds=self.service.webhook_retries[self._failures])
        self._failures += 1

    def _attempt(self, notice: Notice) -> int | None:
        try:
            return post(self.url, notice.body, notice.headers, timeout=notice.timeout)
        except (OSError, http.client.HTTPException):
            return None
