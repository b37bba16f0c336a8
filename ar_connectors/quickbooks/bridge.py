"""A bridge to python-quickbooks, for programs that have it already (extra `quickbooks`).

Two directions, both out of the data path: its client lends us its credentials and gets every rotated token back, so the two
never race for one refresh token; and our records can be had as its objects, built from the body QuickBooks sent.

Read through those objects, never write through them: their save() fills in defaults and posts the whole record, which
wipes and overwrites fields (quirks.md#qbo-43). Writing goes through commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Final

from ar_connectors.adapterkit.sdk_objects import SourcedRecord, document_of, not_installed
from ar_connectors.errors import ConfigurationError, NotFoundError, UnsupportedOperation
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.quickbooks.auth import PRODUCTION, SANDBOX
from ar_connectors.quickbooks.client import BASE_URL, SANDBOX_URL
from ar_connectors.quickbooks.faults import PLATFORM

__all__ = ["QuickBooksBridge", "SourcedRecord", "from_quickbooks", "to_sdk"]

_OBJECTS: Final[Mapping[str, tuple[str, str]]] = {
    "Invoice": ("quickbooks.objects.invoice", "Invoice"),
    "CreditMemo": ("quickbooks.objects.creditmemo", "CreditMemo"),
    "Payment": ("quickbooks.objects.payment", "Payment"),
    "RefundReceipt": ("quickbooks.objects.refundreceipt", "RefundReceipt"),
    "JournalEntry": ("quickbooks.objects.journalentry", "JournalEntry"),
    "Customer": ("quickbooks.objects.customer", "Customer"),
    "Attachable": ("quickbooks.objects.attachable", "Attachable"),
    "CompanyInfo": ("quickbooks.objects.company_info", "CompanyInfo"),
    "Term": ("quickbooks.objects.term", "Term"),
}
"""Which class of python-quickbooks stands for which kind of row."""


@dataclass(frozen=True)
class QuickBooksBridge:
    """Credentials that live in somebody else's client. Nothing is copied: every look reads them as they are now."""

    auth: Any = field(repr=False)
    """An intuitlib AuthClient, or anything with its attributes."""
    client: Any = field(default=None, repr=False)
    """The python-quickbooks client around it; None when only an AuthClient was given."""
    tenant: str | None = None
    """The realm id, as text; None where neither of the two knows it."""

    @property
    def client_id(self) -> str:
        """The app's client id."""
        return str(self.auth.client_id)

    @property
    def client_secret(self) -> str:
        """The app's client secret."""
        return str(self.auth.client_secret)

    @property
    def is_sandbox(self) -> bool:
        """True when the client works on Intuit's sandbox."""
        sandbox = getattr(self.client, "sandbox", None)
        return bool(sandbox) if isinstance(sandbox, bool) else self.auth.environment == "sandbox"

    @property
    def base_url(self) -> str:
        """The API host that belongs to these credentials, without a path. A client that was pointed elsewhere (an
        emulator) takes us along."""
        theirs = getattr(self.client, "api_url", None)
        if isinstance(theirs, str) and theirs:
            return theirs.rstrip("/").removesuffix("/v3")
        return SANDBOX_URL if self.is_sandbox else BASE_URL

    @property
    def hosts(self) -> Endpoints:
        """Where its client goes: Intuit's addresses of its environment, and the API host it was pointed at."""
        return replace(SANDBOX if self.is_sandbox else PRODUCTION, api=self.base_url)

    def tokens(self) -> dict[str, Any]:
        """The token document as it stands: `access_token` and `refresh_token`, None where the client has none. When the
        access token expires is not known (intuitlib keeps no instant): it is refreshed when it is refused."""
        auth = self.auth
        return {
            "access_token": getattr(auth, "access_token", None),
            "refresh_token": getattr(auth, "refresh_token", None)
            or getattr(self.client, "refresh_token", None),
        }

    def push(self, tokens: Mapping[str, Any]) -> None:
        """Give rotated tokens back, so that the other client goes on working: to the AuthClient, to the client's own copy,
        and into its running session, which would send the old access token until it is built anew.

        `tokens`: Intuit's token answer, or a document with `access_token` and `refresh_token`. Raises ConfigurationError
        when one of the two is missing: half a pair would cut the other client off at its next refresh.
        """
        access, refresh = tokens.get("access_token"), tokens.get("refresh_token")
        if not access or not refresh:
            raise ConfigurationError(
                "a bridge takes an access token and a refresh token together",
                platform=PLATFORM,
                tenant=self.tenant,
            )
        # The refresh token first: should we be stopped in between, it is the one that cannot be had again.
        self.auth.refresh_token = refresh
        self.auth.access_token = access
        for name in ("expires_in", "x_refresh_token_expires_in"):
            if name in tokens:
                setattr(self.auth, name, tokens[name])
        if self.client is None:
            return
        self.client.refresh_token = refresh
        session = getattr(self.client, "session", None)
        if session is not None:
            session.token = {"access_token": access, "refresh_token": refresh}


def from_quickbooks(client: Any, *, tenant: str | None = None) -> QuickBooksBridge:
    """Use the credentials of a python-quickbooks `QuickBooks` or an intuitlib `AuthClient`.

    `tenant`: the realm id, where the client does not know it. Recognized by what it has, not by its class, so any client
    with the same attributes will do; nothing is sent.

    Raises:
        ConfigurationError: it is neither, it has no refresh token, or `tenant` contradicts it.
    """
    auth = getattr(client, "auth_client", None)
    around = client if auth is not None else None
    auth = client if auth is None else auth
    missing = [
        name for name in ("client_id", "client_secret", "environment") if not getattr(auth, name, None)
    ]
    if missing:
        raise ConfigurationError(
            f"a {type(client).__name__} has no {', '.join(missing)}: it is neither a QuickBooks client nor an AuthClient",
            platform=PLATFORM,
            tenant=tenant,
            advice="give a python-quickbooks QuickBooks(auth_client=...) or an intuitlib AuthClient",
        )
    known = getattr(around, "company_id", None) or getattr(auth, "realm_id", None)
    if known and tenant and str(known) != tenant:
        raise ConfigurationError(
            f"the client belongs to company {known}, not to {tenant}",
            platform=PLATFORM,
            tenant=tenant,
            advice="leave tenant out, or give the client of that company",
        )
    bridge = QuickBooksBridge(auth, around, str(known) if known else tenant)
    if not bridge.tokens()["refresh_token"]:
        raise ConfigurationError(
            "the client has no refresh token",
            platform=PLATFORM,
            tenant=bridge.tenant,
            advice="give it the refresh token it was connected with",
        )
    return bridge


def to_sdk(record: SourcedRecord, raw: bytes | str | Mapping[str, Any]) -> Any:
    """A record of ours as an object of python-quickbooks, built from the body QuickBooks sent.

    `raw`: the row itself, its envelope (`{"Invoice": {...}}`), or a whole page that holds it. Amounts with a fraction are
    Decimal; what is null is left at the library's default, which it cannot tell from absent. For reading only.

    Raises:
        ConfigurationError: python-quickbooks is not installed.
        UnsupportedOperation: python-quickbooks has no such object, or the record did not come from QuickBooks.
        NotFoundError: `raw` does not hold the record, or says that it was deleted (the library would show a deleted invoice
            as a paid one).
    """
    source = record.source
    kind = None if source is None or source.platform != PLATFORM else source.kind
    if source is None or kind is None or kind not in _OBJECTS:
        raise UnsupportedOperation(
            f"{record.id} has no object in python-quickbooks", platform=PLATFORM, operation="to_sdk"
        )
    row = _row(document_of(raw, record, PLATFORM), kind, source.remote_id)
    if row is None or row.get("status") == "Deleted":
        gone = "was deleted" if row is not None else "is not in the body that was given"
        raise NotFoundError(f"{kind} {source.remote_id} {gone}", platform=PLATFORM, operation="to_sdk")
    module, name = _OBJECTS[kind]
    try:
        shape = getattr(import_module(module), name)
    except ImportError as error:
        raise not_installed("python-quickbooks", PLATFORM) from error
    return shape.from_json(_without_nulls(row))


def _row(document: Mapping[str, Any], kind: str, remote_id: str) -> Mapping[str, Any] | None:
    """The row with this id, wherever in the answer it stands."""
    if str(document.get("Id", "")) == remote_id:
        return document
    candidates: list[Any] = [document.get(kind), document.get("QueryResponse")]
    candidates += document.get("CDCResponse") or []
    for candidate in candidates:
        for one in candidate if isinstance(candidate, list) else [candidate]:
            if isinstance(one, Mapping) and (found := _row(one, kind, remote_id)) is not None:
                return found
    return None


def _without_nulls(value: Any) -> Any:
    """The library fails on a null where it expects an object or a list."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value if one is not None]
    return value
