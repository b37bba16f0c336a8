"""QuickBooks rings, we read: verify the notification, answer at once, and sync once for many rings.

    AR_CONNECTORS_KEY=... AR_WEBHOOK_TOKEN=... python examples/webhook_receiver.py sqlite:///ar.db 8080

The events carry ids only, so a ring is no more than a reason to sync; the change feed says what changed.
"""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import ar_connectors as ar
from ar_connectors.quickbooks.webhooks import SIGNATURE_HEADER, receive


class Doorbell:
    """Collects rings and syncs each company once per pause, however often it rang."""

    def __init__(self, store: ar.Store, pause: float = 30.0) -> None:
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
                try:
                    conn = ar.connect("quickbooks", tenant=tenant, store=self._store)
                    report = ar.sync(conn, self._store)
                    print(
                        f"{tenant}: {report.updated} changed, {report.inserted} new, {report.cost.calls} calls",
                        flush=True,
                    )
                    conn.close()
                except ar.ARError as error:
                    print(error, file=sys.stderr, flush=True)
            if rounds is not None:
                rounds -= 1


def serve(doorbell: Doorbell, verifier_token: str, port: int) -> ThreadingHTTPServer:
    """An HTTP server that answers within milliseconds: 200 for a genuine notification, 401 for any other."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                events = receive(body, self.headers.get(SIGNATURE_HEADER), verifier_token)
            except ar.ARError as error:
                print(error, file=sys.stderr, flush=True)
                self.send_response(401)
            else:
                for tenant in {event.tenant for event in events if event.kind is not None}:
                    doorbell.ring(tenant)
                self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
            """The sync prints what matters."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    store = ar.open_store(sys.argv[1], key=os.environ["AR_CONNECTORS_KEY"])
    doorbell = Doorbell(store)
    threading.Thread(target=doorbell.work, daemon=True).start()
    server = serve(doorbell, os.environ["AR_WEBHOOK_TOKEN"], int(sys.argv[2]))
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()
