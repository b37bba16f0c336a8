"""How does a webhook get to an app? The signature that Intuit and Xero share, and the delivery.

Nothing is sent by itself: a test or the control API says when, so that it knows what is on its way.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["post", "signature"]


def signature(body: bytes, key: str) -> str:
    """HMAC-SHA256 of the body's bytes under the app's key, in base64."""
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> int:
    """Deliver a JSON body; `timeout` is how long the vendor gives an app to answer, in seconds. Returns the status. Raises
    OSError when nobody answers in time, ValueError for an address that is not plain HTTP."""
    address = urlsplit(url)
    if address.scheme != "http" or address.hostname is None:
        raise ValueError(f"webhooks of an emulator go to http addresses, not to {url!r}")
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)
    try:
        path = address.path or "/"
        target = f"{path}?{address.query}" if address.query else path
        connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status
    finally:
        connection.close()
