"""Where does the browser come back to? A page on this machine that waits for one redirect, trades it, and says how it went."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from ar_connectors.auth.consent import Connected, Consent, StrangeRedirect, begin, complete
from ar_connectors.auth.oauth import TokenEndpoint
from ar_connectors.errors import ARError, AuthError, ConfigurationError, ConflictError
from ar_connectors.http.endpoints import is_loopback

__all__ = ["run_code_flow"]

_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:18px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em;color:#222}}
h1{{font-size:1.4em;color:{color}}}p{{color:#555}}</style></head>
<body><h1 id="result">{title}</h1><p id="detail">{detail}</p></body></html>
"""


def run_code_flow(
    endpoint: TokenEndpoint,
    *,
    open_page: Callable[[str], object],
    timeout: timedelta = timedelta(minutes=10),
    port: int = 0,
    host: str = "localhost",
    path: str = "/callback",
) -> Connected:
    """Ask a person for consent in a browser, and return the tokens and the company.

    A page on 127.0.0.1 waits for the redirect. The app's registered redirect address must lead to it: either
    `credentials.redirect_uri`, which then gives port and path, or `http://{host}:{port}{path}`; `port` 0 takes a free one, which
    only works where the platform does not compare ports. `open_page` is called with the consent page's address once
    the server listens (`webbrowser.open`, or a function that prints it). Foreign or repeated redirects are turned away and
    change nothing.

    Raises:
        ConfigurationError: the port is taken, or the redirect address is not on this machine.
        AuthError: the person said no, or `timeout` passed.
        ARError: what `complete` raises.
    """
    registered = endpoint.credentials.redirect_uri
    if registered is not None:
        host, port, path = _place(registered)
    flow = _Flow(endpoint, path)
    try:
        # 127.0.0.1, whatever the name in the address: nothing beyond this machine can connect.
        server = _Server(("127.0.0.1", port), flow.handler())
    except OSError as error:
        raise ConfigurationError(
            f"port {port} on this machine cannot be used for the redirect: {error.strerror or error}",
            advice="free it, or register a redirect address with another port",
        ) from error
    flow.consent = begin(endpoint, registered or f"http://{host}:{server.server_address[1]}{path}")
    waiter = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    waiter.start()
    try:
        open_page(flow.consent.url)
        answered = flow.done.wait(timeout.total_seconds())
    finally:
        server.shutdown()
        server.server_close()
        waiter.join()
    if flow.connected is not None:
        return flow.connected
    if flow.failure is not None:
        raise flow.failure
    raise AuthError(
        "nobody answered the consent page" if not answered else "the redirect could not be handled",
        platform=endpoint.provider.platform,
        operation="connect",
        advice=f"begin again; there are {timeout.total_seconds() / 60:.0f} minutes to answer",
    )


def _place(redirect_uri: str) -> tuple[str, int, str]:
    parts = urlsplit(redirect_uri)
    if parts.scheme != "http" or not is_loopback(parts.hostname) or parts.port is None:
        raise ConfigurationError(
            f"{redirect_uri!r} does not lead to this machine: http://localhost:PORT/PATH would",
            advice="register such an address for development; else give the address you were sent back to by hand",
        )
    return parts.hostname or "localhost", parts.port, parts.path or "/"


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # the page is written to its end before we go on
    block_on_close = True


class _Flow:
    """What the page and the waiting caller share."""

    def __init__(self, endpoint: TokenEndpoint, path: str) -> None:
        self._endpoint, self._path = endpoint, path
        self.consent: Consent | None = None
        self.connected: Connected | None = None
        self.failure: Exception | None = None
        self.done = threading.Event()

    def answer(self, target: str) -> tuple[int, str, bool]:
        """Status and page for a request, and whether it ends the attempt."""
        consent = self.consent
        if consent is None or urlsplit(target).path != self._path:
            return 404, _page("Not here", "This address only waits for one answer.", good=False), False
        try:
            connected = complete(self._endpoint, consent, target)
        except StrangeRedirect as error:
            return 400, _page("Not accepted", f"{error.message}. Nothing was changed.", good=False), False
        except ConflictError:
            return (
                410,
                _page("Already used", "This answer was given before. You can close this page.", good=False),
                False,
            )
        except ARError as error:
            self.failure = self._endpoint.redactor.clean(error)
            return 200, _page("Not connected", f"{error.message}. {error.advice}.", good=False), True
        except Exception as error:  # noqa: BLE001 - handed to the caller, who waits in another thread
            self.failure = error
            return (
                500,
                _page("Not connected", "Something went wrong; the program says what.", good=False),
                True,
            )
        self.connected = connected
        what = (
            f"Company {connected.tenant}: you can close this page."
            if connected.tenant
            else "You can close this page."
        )
        return 200, _page("Connected", what, good=True), True

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """A handler class bound to this attempt."""
        flow = self

        class Handler(BaseHTTPRequestHandler):
            server_version = "ar-connectors"
            sys_version = ""
            # Browsers open connections ahead that they never use; closing down does not wait for those for long.
            timeout = 2

            def do_GET(self) -> None:
                """The redirect, or a stray request."""
                status, page, ends = flow.answer(self.path)
                try:
                    body = page.encode()
                    self.send_response(status)
                    for name, value in (
                        ("Content-Type", "text/html; charset=utf-8"),
                        ("Content-Length", str(len(body))),
                        ("Cache-Control", "no-store"),
                        # The address of this page holds the code: it must not go anywhere from here.
                        ("Referrer-Policy", "no-referrer"),
                        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
                        ("X-Content-Type-Options", "nosniff"),
                        ("Connection", "close"),
                    ):
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                finally:
                    if ends:
                        # Also when the browser has gone: the answer counts, not that it was shown.
                        flow.done.set()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
                """Nothing: the request line holds the code."""

        return Handler


def _page(title: str, detail: str, *, good: bool) -> str:
    return _PAGE.format(title=escape(title), detail=escape(detail), color="#1a7f37" if good else "#b42318")
