"""What does a platform offer to the public face? One value per adapter, so that nobody asks which ERP it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ar_connectors.adapterkit.session import Session, SessionRequest
from ar_connectors.connector import Capabilities, Page

__all__ = ["Platform"]


@dataclass(frozen=True, slots=True)
class Platform:
    """One adapter, as `ar_connectors.api` sees it; each adapter has one in its module `platform`, called `ADAPTER`."""

    name: str
    open_session: Callable[[SessionRequest], Session]
    decode: Callable[[str, bytes, str], Page | Sequence[Any]]
    """Kind, body, tenant -> a page, or the events of a webhook."""
    capabilities: Capabilities
