"""Loopback emulators of the three ERPs, a shared ledger behind them, and pytest fixtures that serve them."""

from typing import Final

__all__ = ["ERPS"]

ERPS: Final = ("quickbooks", "xero", "netsuite")
"""Those that can be served; known without importing any of them."""
