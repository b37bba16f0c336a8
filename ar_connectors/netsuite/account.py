"""Which account is meant, and where does it live? One id in any of the spellings people paste, and its hosts (quirks.md#ns-1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from ar_connectors.errors import ConfigurationError
from ar_connectors.http.endpoints import Endpoints

__all__ = ["PLATFORM", "TOKEN_PATH", "Account", "AccountKind", "account", "endpoints_of"]

PLATFORM: Final = "netsuite"
TOKEN_PATH: Final = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - an address

_DOMAIN: Final = ".netsuite.com"
_SHAPE: Final = re.compile(r"[A-Z0-9]+(_[A-Z]{1,4}[0-9]*)?")


class AccountKind(StrEnum):
    """What an account is for."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    RELEASE_PREVIEW = "release_preview"
    TEST_DRIVE = "test_drive"


@dataclass(frozen=True, slots=True)
class Account:
    """A NetSuite account."""

    realm: str
    """As signatures and settings pages write it: `1234567_SB1`. The tenant of a connection."""

    @property
    def host_id(self) -> str:
        """As host names write it: `1234567-sb1`."""
        return self.realm.lower().replace("_", "-")

    @property
    def kind(self) -> AccountKind:
        """What it is for, as its id tells."""
        _, _, suffix = self.realm.partition("_")
        if self.realm.startswith(("TSTDRV", "TD")):
            return AccountKind.TEST_DRIVE
        if suffix.startswith("SB"):
            return AccountKind.SANDBOX
        return AccountKind.RELEASE_PREVIEW if suffix.startswith("RP") else AccountKind.PRODUCTION

    @property
    def api_url(self) -> str:
        """Host of the REST services, without a path."""
        return f"https://{self.host_id}.suitetalk.api{_DOMAIN}"

    def page(self, path: str) -> str:
        """The address of a page of the user interface, for people."""
        return f"https://{self.host_id}.app{_DOMAIN}{path}"


def account(text: str) -> Account:
    """The account meant by an id in any spelling (`1234567_SB1`, `1234567-sb1`, `TSTDRV123`) or by any address of it.

    Raises ConfigurationError for anything else.
    """
    given = text.strip()
    host = urlsplit(given if "//" in given else f"//{given}").hostname or ""
    name = host.split(".", 1)[0] if host.endswith(_DOMAIN) else given
    realm = name.upper().replace("-", "_")
    if not _SHAPE.fullmatch(realm) or not any(one.isdigit() for one in realm):
        raise ConfigurationError(
            f"{text!r} is not a NetSuite account id",
            platform=PLATFORM,
            advice="take it from Setup > Company > Company Information: 1234567, 1234567_SB1 or TSTDRV1234567",
        )
    return Account(realm)


def endpoints_of(one: Account, api: str | None = None) -> Endpoints:
    """The hosts of an account. `api`: another host than its own (an emulator), without a path."""
    base = (api or one.api_url).rstrip("/")
    return Endpoints(api=base, token=base + TOKEN_PATH)
