"""NetSuite, as the public face sees it."""

from __future__ import annotations

from typing import Final

from ar_connectors.adapterkit.platform import Platform
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.capabilities import CAPABILITIES
from ar_connectors.netsuite.decode import decode
from ar_connectors.netsuite.session import open_session

__all__ = ["ADAPTER"]

ADAPTER: Final = Platform(PLATFORM, open_session, decode, CAPABILITIES)
