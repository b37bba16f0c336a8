"""How many calls may one NetSuite account have in flight? See quirks.md#ns-37: five on the smallest tier, for all programs together."""

from __future__ import annotations

from typing import Final

from ar_connectors.http.budget import Limits

__all__ = ["NETSUITE_LIMITS"]

NETSUITE_LIMITS: Final = Limits(rates=(), max_in_flight=3)
"""Shared by all processes on one store; `limits=` of `connect` overrides it."""
