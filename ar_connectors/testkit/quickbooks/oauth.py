"""Who may come in? Intuit's OAuth 2.0 as documented: access tokens of an hour, refresh tokens that change once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from ar_connectors.testkit.authority import Authority as Common
from ar_connectors.testkit.authority import Lives
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call

__all__ = ["ACCESS_LIFE", "Authority"]

ACCESS_LIFE: Final = timedelta(seconds=3600)
HARD_LIFE: Final = timedelta(days=5 * 365)
LIVES: Final = Lives(
    access=ACCESS_LIFE,
    refresh=timedelta(days=100),
    rotation=timedelta(hours=24),
    grace=timedelta(hours=24),
    code=timedelta(minutes=10),
    hard=HARD_LIFE,
)


class Authority(Common):
    """The token endpoint of one company and one app. Its user holds its lock.

    `punishes_reuse` is off: Intuit's FAQ warns that a replaced refresh token that comes again ends the connection, others
    report that the grace is kept.
    """

    service = "QuickBooks"

    def __init__(self, clock: ScriptedClock, realm: str, company: str, seed: str) -> None:
        super().__init__(clock, company, seed, LIVES, "ABemulatorclientid")
        self.realm = realm

    def allows_redirect(self, redirect: str) -> bool:
        """Encrypted, or this machine by its name (Intuit: for sandboxes only); never a number."""
        address = urlsplit(redirect)
        host = address.hostname or ""
        numbered = host.replace(".", "").isdigit() or ":" in host
        return not numbered and (
            address.scheme == "https" or (address.scheme == "http" and host == "localhost")
        )

    def token_fields(self, call: Call, refresh: str | None) -> dict[str, Any]:
        """Seconds until the refresh token dies, and until consent is needed again when the caller asks for it."""
        assert refresh is not None  # noqa: S101  Intuit has no grant without one
        now = self.clock.now()
        fields: dict[str, Any] = {
            "token_type": "bearer",
            "x_refresh_token_expires_in": int((self.refresh_ends(refresh) - now).total_seconds()),
        }
        if call.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true":
            fields["x_refresh_token_hard_expires_in"] = int((self.granted + HARD_LIFE - now).total_seconds())
        return fields

    def back_fields(self) -> dict[str, str]:
        """The company comes with the code."""
        return {"realmId": self.realm}

    def access_text(self, scope: str) -> str:
        """Opaque, and begins as Intuit's do; there is one scope."""
        del scope
        return "eyJlbmMi" + self.secret("access")

    def refresh_text(self) -> str:
        """50 characters, as Intuit's are."""
        return "AB1" + self.secret("refresh")[:47]
