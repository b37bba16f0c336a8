"""Xero, as the public face sees it."""

from __future__ import annotations

from typing import Final

from ar_connectors.adapterkit.platform import Platform
from ar_connectors.xero.capabilities import CAPABILITIES
from ar_connectors.xero.context import PLATFORM
from ar_connectors.xero.decode import decode
from ar_connectors.xero.session import open_session

__all__ = ["ADAPTER"]

ADAPTER: Final = Platform(PLATFORM, open_session, decode, CAPABILITIES)
