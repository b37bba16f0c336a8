"""Aging lists as files, as the public face sees them."""

from __future__ import annotations

from typing import Final, NoReturn

from ar_connectors.adapterkit.platform import Platform
from ar_connectors.aging_file.capabilities import CAPABILITIES
from ar_connectors.aging_file.cells import PLATFORM
from ar_connectors.aging_file.session import open_session
from ar_connectors.errors import UnsupportedOperation

__all__ = ["ADAPTER"]


def _decode(kind: str, body: bytes, tenant: str) -> NoReturn:  # noqa: ARG001  the signature of all platforms
    raise UnsupportedOperation(
        f"an aging list has no bodies of kind {kind!r}: it is understood as a whole",
        platform=PLATFORM,
        tenant=tenant,
        operation="decode",
        advice="`ar-connectors aging-file guess FILE` shows how a file is read",
    )


ADAPTER: Final = Platform(PLATFORM, open_session, _decode, CAPABILITIES)
"""The list of open items that any ERP can export: read, never written to. What is odd about such files is in quirks.md."""
