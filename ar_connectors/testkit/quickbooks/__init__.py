"""QuickBooks Online Accounting API v3, as far as receivables go; docs/fidelity.md says what is known and what is guessed."""

from __future__ import annotations

from ar_connectors.testkit.quickbooks.limits import Limits
from ar_connectors.testkit.quickbooks.service import QuickBooks

__all__ = ["Limits", "QuickBooks"]
