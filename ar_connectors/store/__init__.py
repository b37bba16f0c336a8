"""The store: everything we know about a company, and everything on its way to it. SQLite by default, PostgreSQL to share.

`open_store(url)` gives a `Store`; it implements the protocols of `ar_connectors.store.contract`.
"""

from ar_connectors.store.facade import ConnectionInfo, RawBody, Store, open_store

__all__ = ["ConnectionInfo", "RawBody", "Store", "open_store"]
