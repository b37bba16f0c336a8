"""How is a NetSuite connection put together? Its credentials, signer and reader, wired as `adapterkit.session` wires all of them."""

from __future__ import annotations

import secrets
from typing import Final

from ar_connectors.adapterkit.session import (
    Session,
    SessionRequest,
    hosts_of,
    keep_app_keys,
    kept_app_keys,
    kept_settings,
    wire,
)
from ar_connectors.connector import make_connection_id
from ar_connectors.errors import ConfigurationError
from ar_connectors.netsuite.account import PLATFORM, account, endpoints_of
from ar_connectors.netsuite.auth import (
    CertificateCredentials,
    NetSuiteCredentials,
    credentials_document,
    credentials_from,
    open_access,
)
from ar_connectors.netsuite.company import Wishes
from ar_connectors.netsuite.connector import NetSuiteConnector
from ar_connectors.netsuite.faults import NetSuiteDialect
from ar_connectors.netsuite.limits import NETSUITE_LIMITS
from ar_connectors.netsuite.tba import TbaCredentials
from ar_connectors.netsuite.writeback_scope import write_options

__all__ = ["open_session"]

_ADVICE: Final = "give credentials=CertificateCredentials(client_id, certificate_id, private_key)"


def open_session(request: SessionRequest) -> Session:
    """Build a connection; nothing is sent.

    Settings: `time_zone`, `day_first`, `custom_fields` (table -> script ids), `bad_debt_accounts`, `accounting_book` (its internal id;
    left out: the primary one); for what is written `activities` (phoneCall, task) and `fields` (fact -> custom field, see
    `writeback_fields`). Raises ConfigurationError when there are no credentials, the tenant is no realm, or a setting means nothing.
    """
    one = account(request.tenant)
    if one.realm != request.tenant:
        raise ConfigurationError(
            f"the tenant of this account is written {one.realm}",
            platform=PLATFORM,
            advice=f"tenant={one.realm!r}",
        )
    credentials = _credentials(request)
    hosts = hosts_of(request)
    used = hosts or endpoints_of(one)
    access = open_access(
        request.tenant,
        credentials,
        endpoints=used,
        tokens=request.store,
        leases=request.store,
        clock=request.clock,
        jitter=request.jitter,
        nonce=lambda: secrets.token_hex(16),
        owner=request.owner,
        observer=request.observer,
    )
    transport = wire(
        request,
        PLATFORM,
        used,
        NetSuiteDialect(request.tenant),
        access.signer,
        NETSUITE_LIMITS,
        redactor=access.redactor,
    )
    settings = request.settings
    wishes = Wishes(
        time_zone=settings.get("time_zone"),
        custom={table: tuple(names) for table, names in dict(settings.get("custom_fields") or {}).items()},
        bad_debt_accounts=tuple(settings.get("bad_debt_accounts") or ()),
        day_first=settings.get("day_first"),
        book=str(book) if (book := settings.get("accounting_book")) is not None else None,
    )
    connector = NetSuiteConnector(
        request.tenant,
        transport,
        request.clock,
        base_url=used.api,
        wishes=wishes,
        options=write_options(settings),
    )
    return Session(connector, transport, kept_settings(hosts))


def _credentials(request: SessionRequest) -> NetSuiteCredentials:
    connection_id = make_connection_id(PLATFORM, request.tenant)
    given = request.credentials
    if given is None:
        return credentials_from(kept_app_keys(request.store, PLATFORM, connection_id, _ADVICE))
    if not isinstance(given, CertificateCredentials | TbaCredentials):
        raise ConfigurationError(
            f"{type(given).__name__} is no way into NetSuite", platform=PLATFORM, advice=_ADVICE
        )
    keep_app_keys(request.store, connection_id, credentials_document(given))
    return given
