"""ar_connectors: accounts-receivable connectors for QuickBooks Online, Xero and NetSuite.

Sync into one normalized model, plan with `ar_core`, write promises, disputes and notes back where the ERP's own users see
them. Names are loaded on first use, so importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ar_connectors.lazy import face as _face

if TYPE_CHECKING:
    from ar_connectors.api import (
        PLATFORMS,
        Connection,
        capabilities,
        connect,
        decode,
        deliver,
        open_store,
        reconcile,
        record,
        replay,
        resolve,
        sweep,
        sync,
    )
    from ar_connectors.auth.tokens import ClientCredentials, TokenSet
    from ar_connectors.connector import Page
    from ar_connectors.errors import ARError
    from ar_connectors.http.endpoints import Endpoints
    from ar_connectors.http.meter import CallBudget
    from ar_connectors.store.contract import Receipt, WriteState
    from ar_connectors.store.facade import Store
    from ar_connectors.syncing.reconcile import Reconciliation
    from ar_connectors.syncing.report import SyncReport

__all__ = [
    "PLATFORMS",
    "ARError",
    "CallBudget",
    "ClientCredentials",
    "Connection",
    "Endpoints",
    "Page",
    "Receipt",
    "Reconciliation",
    "Store",
    "SyncReport",
    "TokenSet",
    "WriteState",
    "capabilities",
    "connect",
    "decode",
    "deliver",
    "open_store",
    "reconcile",
    "record",
    "replay",
    "resolve",
    "sweep",
    "sync",
]

_HOMES = {
    "ARError": "errors",
    "CallBudget": "http.meter",
    "ClientCredentials": "auth.tokens",
    "Connection": "api",
    "Endpoints": "http.endpoints",
    "PLATFORMS": "api",
    "Page": "connector",
    "Receipt": "store.contract",
    "Reconciliation": "syncing.reconcile",
    "Store": "store.facade",
    "SyncReport": "syncing.report",
    "TokenSet": "auth.tokens",
    "WriteState": "store.contract",
    "capabilities": "api",
    "connect": "api",
    "decode": "api",
    "deliver": "api",
    "open_store": "api",
    "reconcile": "api",
    "record": "api",
    "replay": "api",
    "resolve": "api",
    "sweep": "api",
    "sync": "api",
}

if not TYPE_CHECKING:  # a type checker would believe that every name exists
    __getattr__, __dir__ = _face(__name__, _HOMES)
