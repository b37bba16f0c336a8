"""The store: everything we know about a company, and everything on its way to it. SQLite by default, PostgreSQL to share.

`open_store(url)` gives a `Store`; it implements the protocols of `ar_connectors.store.contract`.
"""

from typing import TYPE_CHECKING

from ar_connectors.lazy import face as _face

if TYPE_CHECKING:
    from ar_connectors.store.facade import ConnectionInfo, RawBody, Store, open_store

__all__ = ["ConnectionInfo", "RawBody", "Store", "open_store"]

_HOMES = {
    "ConnectionInfo": "facade",
    "RawBody": "facade",
    "Store": "facade",
    "open_store": "facade",
}

if not TYPE_CHECKING:  # a type checker would believe that every name exists
    __getattr__, __dir__ = _face(__name__, _HOMES)
