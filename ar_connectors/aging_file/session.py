"""How is a list connected? There are no keys, no tokens and no network: a name, and settings that say where the file is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ar_connectors.aging_file.connector import AgingFileConnector
from ar_connectors.aging_file.settings import ONE_IMPORT, read_settings
from ar_connectors.http.meter import CallBudget, Usage

__all__ = ["NoTransport", "Session", "open_session"]


class NoTransport:
    """Nothing is ever sent, and nothing spent."""

    def usage(self) -> Usage:
        """Zero calls."""
        return Usage()

    @contextmanager
    def capped(self, cap: CallBudget) -> Iterator[None]:  # noqa: ARG002  what is never spent needs no cap
        """Any cap holds."""
        yield

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(frozen=True, slots=True)
class Session:
    """One company's list, ready to be read."""

    connector: AgingFileConnector
    transport: NoTransport
    settings: Mapping[str, Any]
    """What the store should remember: all but what was said about one file only."""


def open_session(tenant: str, settings: Mapping[str, Any]) -> Session:
    """Build a connection; the file is not opened yet. Raises ConfigurationError for a setting that is missing or wrong."""
    read = read_settings(settings, tenant)
    return Session(AgingFileConnector(tenant, read), NoTransport(), dict.fromkeys(ONE_IMPORT))
