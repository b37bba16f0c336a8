"""A bridge to xero-python, for programs that have it already (extra `xero`).

Two directions, both out of the data path: its client lends us its credentials and gets every rotated token back through its own
saver, so the two never race for one refresh token; and our records can be had as its objects, built from the row Xero sent.

One client is lent for one organisation: xero-python keeps one token object for a whole process (its Configuration hands out
copies of the first one made), so tokens are read through the getter of the client itself and never from that object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from typing import Any, Final, Protocol

from ar_connectors.errors import ConfigurationError, NotFoundError, RejectedError, UnsupportedOperation
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.xero.auth import PRODUCTION
from ar_connectors.xero.faults import PLATFORM
from ar_core.model import Source

__all__ = ["SourcedRecord", "XeroBridge", "from_xero", "to_sdk"]

_IDS: Final[Mapping[str, str]] = {
    "Invoice": "InvoiceID",
    "CreditNote": "CreditNoteID",
    "Payment": "PaymentID",
    "Prepayment": "PrepaymentID",
    "Overpayment": "OverpaymentID",
    "Contact": "ContactID",
}
"""The kinds of row that have a class of the same name in xero-python, and where their id stands."""

_ACCESS_LIFE: Final = 1800
"""Seconds an access token of Xero lives (quirks.md#xero-1)."""


class SourcedRecord(Protocol):
    """Any of our records that came from Xero."""

    @property
    def id(self) -> str:
        """Our id."""
        ...

    @property
    def source(self) -> Source | None:
        """Where it came from."""
        ...


@dataclass(frozen=True)
class XeroBridge:
    """Credentials that live in somebody else's client. Nothing is copied: every look reads them as they are now."""

    client: Any = field(repr=False)
    """A xero-python ApiClient with a token getter and a token saver."""
    auth: Any = field(repr=False)
    """The OAuth2Token with the app's keys."""
    tenant: str
    """The organisation that the client is lent for."""

    @property
    def client_id(self) -> str:
        """The app's client id."""
        return str(self.auth.client_id)

    @property
    def client_secret(self) -> str:
        """The app's client secret."""
        return str(self.auth.client_secret)

    @property
    def hosts(self) -> Endpoints:
        """Xero's own: xero-python keeps the host at each API object, not at the client. Give `endpoints` for an emulator."""
        return PRODUCTION

    def _held(self) -> Mapping[str, Any]:
        held = self.client.get_oauth2_token()
        return held if isinstance(held, Mapping) else {}

    def tokens(self) -> dict[str, Any]:
        """The token document as the client's getter gives it: `access_token` and `refresh_token`, None where it has none."""
        held = self._held()
        return {"access_token": held.get("access_token"), "refresh_token": held.get("refresh_token")}

    def push(self, tokens: Mapping[str, Any]) -> None:
        """Give rotated tokens to the client's saver, with the scopes it had.

        `tokens`: `access_token`, `refresh_token`, and `expires_at` in seconds since 1970 where it is known. Raises
        ConfigurationError when one of the first two is missing: half a pair would cut the client off at its next refresh.
        """
        access, refresh = tokens.get("access_token"), tokens.get("refresh_token")
        if not access or not refresh:
            raise ConfigurationError(
                "a bridge takes an access token and a refresh token together",
                platform=PLATFORM,
                tenant=self.tenant,
            )
        held = self._held()
        # Exactly the names that OAuth2Token.update_token takes: it fails on any other.
        document = {
            "access_token": access,
            "refresh_token": refresh,
            "scope": held.get("scope"),
            "expires_in": _ACCESS_LIFE,
            "expires_at": tokens.get("expires_at"),
            "token_type": held.get("token_type") or "Bearer",
            "id_token": held.get("id_token"),
        }
        self.client.set_oauth2_token(document)


def from_xero(client: Any, *, tenant: str, auth: Any = None) -> XeroBridge:
    """Use the credentials of a xero-python `ApiClient`, for one organisation; nothing is sent.

    `tenant`: the tenant id. `auth`: the `OAuth2Token` with the app's keys, where it is not the one of the client's
    configuration (several apps in one process: xero-python's configuration keeps the first). Recognized by what they have.

    Raises:
        ConfigurationError: it is no such client, has no getter or saver, no keys or no refresh token.
    """
    keys = auth if auth is not None else getattr(getattr(client, "configuration", None), "oauth2_token", None)
    lacking = [name for name in ("get_oauth2_token", "set_oauth2_token") if not hasattr(client, name)]
    lacking += [name for name in ("client_id", "client_secret") if not getattr(keys, name, None)]
    lacking += [
        name
        for name in ("_oauth2_token_getter", "_oauth2_token_saver")
        if getattr(client, name, None) is None
    ]
    if lacking:
        raise ConfigurationError(
            f"a {type(client).__name__} has no {', '.join(lacking)}: it cannot lend its credentials",
            platform=PLATFORM,
            tenant=tenant,
            advice="give a xero-python ApiClient with an OAuth2Token, an oauth2_token_getter and an oauth2_token_saver",
        )
    bridge = XeroBridge(client, keys, tenant)
    if not bridge.tokens()["refresh_token"]:
        raise ConfigurationError(
            "the client has no refresh token",
            platform=PLATFORM,
            tenant=tenant,
            advice="ask for the scope offline_access when you connect",
        )
    return bridge


def to_sdk(record: SourcedRecord, raw: bytes | str | Mapping[str, Any]) -> Any:
    """A record of ours as an object of xero-python, built from the row Xero sent.

    `raw`: the row itself, or the answer that holds it in its list. Amounts with a fraction are Decimal. For reading only.

    Raises:
        ConfigurationError: xero-python is not installed.
        UnsupportedOperation: xero-python has no such object, or the record did not come from Xero.
        NotFoundError: `raw` does not hold the record.
        RejectedError: `raw` is not JSON, or xero-python cannot read what Xero sent (an enum it does not know, a text for a
            boolean).
    """
    source = record.source
    if source is None or source.platform != PLATFORM or source.kind not in _IDS:
        raise UnsupportedOperation(
            f"{record.id} has no object in xero-python", platform=PLATFORM, operation="to_sdk"
        )
    kind, remote = source.kind, source.remote_id
    try:
        document = raw if isinstance(raw, Mapping) else json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise RejectedError(
            f"the raw body of {record.id} is not JSON: {error}", platform=PLATFORM, operation="to_sdk"
        ) from error
    listed = document.get(f"{kind}s") if isinstance(document, Mapping) else None
    rows = listed if isinstance(listed, list) else [document]
    row = next((one for one in rows if isinstance(one, Mapping) and one.get(_IDS[kind]) == remote), None)
    if row is None:
        raise NotFoundError(
            f"{kind} {remote} is not in the body that was given", platform=PLATFORM, operation="to_sdk"
        )
    try:
        api_client = import_module("xero_python.api_client")
        deserialize = import_module("xero_python.api_client.deserializer").deserialize
        models = import_module("xero_python.accounting.models")
    except ImportError as error:
        raise ConfigurationError(
            "xero-python is not installed",
            platform=PLATFORM,
            operation="to_sdk",
            advice='install it: pip install "ar-connectors[xero]"',
        ) from error
    present = {name: value for name, value in row.items() if value is not None}
    try:
        return deserialize(kind, present, api_client.ModelFinder(models))
    except (ValueError, TypeError) as error:
        raise RejectedError(
            f"xero-python cannot read {kind} {remote}: {error}", platform=PLATFORM, operation="to_sdk"
        ) from error
