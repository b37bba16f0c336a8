"""NetSuite's SuiteTalk REST and SuiteQL, as far as receivables go; docs/fidelity.md says what is known and what is guessed."""

from __future__ import annotations

from ar_connectors.testkit.netsuite.company import Account, CustomField
from ar_connectors.testkit.netsuite.limits import Limits
from ar_connectors.testkit.netsuite.service import NetSuite

__all__ = ["Account", "CustomField", "Limits", "NetSuite"]
