"""How is a list connected? There are no keys, no tokens and no network: a name, and settings that say where the file is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ar_connectors.adapterkit.session import Session, SessionRequest
from ar_connectors.aging_file.connector import AgingFileConnector
from ar_connectors.aging_file.settings import ONE_IMPORT, read_settings
from ar_connectors.http.meter import CallBudget, Usage

__all__ = ["NothingSpent", "open_session"]


class NothingSpent:
    """Nothing is ever sent, and nothing spent."""

    def usage(self) -> Usage:
        """Zero calls."""
        return Usage()

    @contextmanager
    def capped(self, cap: CallBudget) -> Iterator[CallBudget]:
        """Any cap holds."""
        yield cap

    def close(self) -> None:
        """There is nothing to close."""


def open_session(request: SessionRequest) -> Session:
    """Build a connection from the settings alone; the file is not opened yet. What was said about one file is not kept for the
    next. Raises ConfigurationError for a setting that is missing or wrong."""
    settings = read_settings(request.settings, request.tenant)
    connector = AgingFileConnector(request.tenant, settings)
    return Session(connector, NothingSpent(), dict.fromkeys(ONE_IMPORT))
