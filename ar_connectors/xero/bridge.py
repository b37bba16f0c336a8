"""A bridge to xero-python, for programs that have it already (extra `xero`).

Two directions, both out of the data path: its client lends us its credentials and gets every rotated token back through its own
saver, so the two never race for one refresh token; and our records can be had as its objects, built from the row Xero sent.

xero-python keeps one token object for a whole process (its Configuration hands out copies of the first one made), so tokens are read
through the getter of the client itself and never from that object. One consent reaches several organisations, so one client may be
lent once for each of them; then they have one refresh token among them. Whoever of them needs new tokens looks first whether the
client has been given some meanwhile, and one at a time asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from threading import RLock
from typing import Any, Final

from ar_connectors.adapterkit.sdk_objects import SourcedRecord, document_of, not_installed
from ar_connectors.auth.refresh import Refresher
from ar_connectors.auth.tokens import TokenSet
from ar_connectors.errors import ConfigurationError, NotFoundError, RejectedError, UnsupportedOperation
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.xero.auth import PRODUCTION
from ar_connectors.xero.faults import PLATFORM

__all__ = ["LentRefresher", "SourcedRecord", "XeroBridge", "from_xero", "to_sdk"]

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


_MOST_REMEMBERED: Final = 1000
_ONE_AT_A_TIME: Final = RLock()
"""Held while any client's tokens are renewed: two clients may well share what their getters read."""
_used_up: dict[str, None] = {}
"""Refresh tokens that were traded for others in this process, the oldest first."""


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

        `tokens`: `access_token`, `refresh_token`, and `expires_at` in seconds since 1970 where it is known. Tokens that were
        replaced already (by another organisation's connection) are not given over their successors. Raises ConfigurationError
        when one of the first two is missing: half a pair would cut the client off at its next refresh.
        """
        access, refresh = tokens.get("access_token"), tokens.get("refresh_token")
        if not access or not refresh:
            raise ConfigurationError(
                "a bridge takes an access token and a refresh token together",
                platform=PLATFORM,
                tenant=self.tenant,
            )
        with _ONE_AT_A_TIME:
            if refresh not in _used_up:
                self._save(access, refresh, tokens.get("expires_at"))

    def _save(self, access: str, refresh: str, expires_at: float | None) -> None:
        held = self._held()
        # Exactly the names that OAuth2Token.update_token takes: it fails on any other.
        document = {
            "access_token": access,
            "refresh_token": refresh,
            "scope": held.get("scope"),
            "expires_in": _ACCESS_LIFE,
            "expires_at": expires_at,
            "token_type": held.get("token_type") or "Bearer",
            "id_token": held.get("id_token"),
        }
        self.client.set_oauth2_token(document)


@dataclass(frozen=True, slots=True)
class LentRefresher:
    """Gets new tokens for a connection whose tokens live in a client: those it was given meanwhile, else by its refresh token."""

    endpoint: Refresher
    bridge: XeroBridge

    def refresh(self, tokens: TokenSet) -> TokenSet:
        """New tokens; the client has them before anybody else can ask. Raises what the token endpoint raises."""
        with _ONE_AT_A_TIME:
            lent = self.bridge.tokens()
            access, refresh = lent["access_token"], lent["refresh_token"]
            if access and refresh and refresh != tokens.refresh_token and refresh not in _used_up:
                return TokenSet(access, refresh)
            fresh = self.endpoint.refresh(tokens)
            if tokens.refresh_token and tokens.refresh_token != fresh.refresh_token:
                _used_up[tokens.refresh_token] = None
                while len(_used_up) > _MOST_REMEMBERED:
                    del _used_up[next(iter(_used_up))]
            until = fresh.access_expires_at
            self.bridge.push(
                {
                    "access_token": fresh.access_token,
                    "refresh_token": fresh.refresh_token,
                    "expires_at": None if until is None else until.timestamp(),
                }
            )
            return fresh


def from_xero(client: Any, *, tenant: str, auth: Any = None) -> XeroBridge:
    """Use the credentials of a xero-python `ApiClient`, for one organisation (once for each, where it reaches several); nothing is sent.

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
    document = document_of(raw, record, PLATFORM)
    listed = document.get(f"{kind}s")
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
        raise not_installed("xero-python", PLATFORM) from error
    present = {name: value for name, value in row.items() if value is not None}
    try:
        return deserialize(kind, present, api_client.ModelFinder(models))
    except (ValueError, TypeError) as error:
        raise RejectedError(
            f"xero-python cannot read {kind} {remote}: {error}", platform=PLATFORM, operation="to_sdk"
        ) from error
