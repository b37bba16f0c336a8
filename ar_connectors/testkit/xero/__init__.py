"""Xero Accounting API 2.0, as far as receivables go; docs/fidelity.md says what is known and what is guessed."""

from __future__ import annotations

from ar_connectors.testkit.xero.limits import Limits
from ar_connectors.testkit.xero.service import Xero

__all__ = ["Limits", "Xero"]
