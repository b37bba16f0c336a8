"""QuickBooks Online, as the public face sees it."""

from __future__ import annotations

from typing import Final

from ar_connectors.adapterkit.platform import Platform
from ar_connectors.quickbooks.capabilities import CAPABILITIES
from ar_connectors.quickbooks.context import PLATFORM
from ar_connectors.quickbooks.decode import decode
from ar_connectors.quickbooks.session import open_session

__all__ = ["ADAPTER"]

ADAPTER: Final = Platform(PLATFORM, open_session, decode, CAPABILITIES)
