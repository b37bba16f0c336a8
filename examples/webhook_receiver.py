"""QuickBooks or Xero rings, we read: verify the notification, answer at once, and sync once for many rings.

    AR_CONNECTORS_KEY=... AR_WEBHOOK_KEYS=... python examples/webhook_receiver.py quickbooks sqlite:///ar.db 8080

AR_WEBHOOK_KEYS: the verifier token (Intuit) or webhook key (Xero) of the app; several with commas between them while one is replaced.
The events carry ids only, so a ring is no more than a reason to sync. Put a web server with TLS in front: this one listens on
this machine alone.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import ar_connectors as ar
from ar_connectors.errors import AuthError
from ar_connectors.quickbooks import webhooks as quickbooks
from ar_connectors.xero import webhooks as xero

WEBHOOKS = {"quickbooks": quickbooks, "xero": xero}
LARGEST = 1_000_000
"""Bytes of a notification; real ones have a few thousand."""


class Doorbell:
    """Collects rings and syncs each company once per pause, however often it rang."""

    def __init__(self, platform: str, store: ar.Store, pause: float = 30.0) -> None:
        self._platform = platform
        self._store = store
        self._pause = pause
        self._rang: set[str] = set()
        self._lock = threading.Condition()

    def ring(self, tenant: str) -> None:
        """Remember that something changed at a company."""
        with self._lock:
            self._rang.add(tenant)
            self._lock.notify()

    def work(self, rounds: int | None = None) -> None:
        """Sync whatever rang, for ever (or `rounds` times). A failure is printed; the next ring or the nightly run mends it."""
        while rounds is None or rounds > 0:
            with self._lock:
                while not self._rang:
                    self._lock.wait()
            threading.Event().wait(self._pause)
            with self._lock:
                tenants, self._rang = self._rang, set()
            for tenant in sorted(tenants):
                self._sync(tenant)
            if rounds is not None:
                rounds -= 1

    def _sync(self, tenant: str) -> None:
        try:
            conn = ar.connect(self._platform, tenant=tenant, store=self._store)
            try:
                report = ar.sync(conn, self._store)
            finally:
                conn.close()
        except ar.ARError as error:
            print(error, file=sys.stderr, flush=True)
            return
        told = f"{report.updated} changed, {report.inserted} new, {report.cost.calls} calls"
        print(f"{tenant}: {told}", flush=True)


def serve(doorbell: Doorbell, platform: str, keys: Sequence[str], port: int) -> ThreadingHTTPServer:
    """An HTTP server that answers within milliseconds: 200 for a genuine notification, 401 for any other, without a body."""
    webhooks = WEBHOOKS[platform]

    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # who connects and says nothing does not hold a thread

        def do_POST(self) -> None:
            """Take one notification."""
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > LARGEST:
                self._answer(400 if not length.isdecimal() else 413)
                return
            self._answer(self._heard(self.rfile.read(int(length))))

        def _heard(self, body: bytes) -> int:
            try:
                events = webhooks.receive(body, self.headers.get(webhooks.SIGNATURE_HEADER), keys)
            except AuthError:
                return 401
            except ar.ARError as error:
                # Genuine, and not understood: the platform need not send it again, the nightly run reads what it is about.
                print(error, file=sys.stderr, flush=True)
                return 200
            for tenant in {event.tenant for event in events}:
                doorbell.ring(tenant)
            return 200

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
            """The sync prints what matters."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in WEBHOOKS:
        sys.exit(__doc__)
    keys = [one for one in os.environ["AR_WEBHOOK_KEYS"].split(",") if one]
    store = ar.open_store(sys.argv[2], key=os.environ["AR_CONNECTORS_KEY"])
    doorbell = Doorbell(sys.argv[1], store)
    threading.Thread(target=doorbell.work, daemon=True).start()
    server = serve(doorbell, sys.argv[1], keys, int(sys.argv[3]))
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()
