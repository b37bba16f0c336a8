"""ar_connectors: accounts-receivable connectors for QuickBooks Online, Xero and NetSuite.

Sync into one normalized model, plan with `ar_core`, write promises, disputes and notes back where the ERP's own users see
them. Names are loaded on first use, so importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    "Endpoints": "http.endpoints",
    "Page": "connector",
    "Receipt": "store.contract",
    "Reconciliation": "syncing.reconcile",
    "Store": "store.facade",
    "SyncReport": "syncing.report",
    "TokenSet": "auth.tokens",
    "WriteState": "store.contract",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"ar_connectors.{_HOMES.get(name, 'api')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
