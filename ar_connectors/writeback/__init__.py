"""The way of a command into the ERP: recorded once, sent once, and looked for whenever it is not certain what happened."""

from __future__ import annotations

from ar_connectors.writeback.deliver import deliver
from ar_connectors.writeback.outcome import DeliveryRules
from ar_connectors.writeback.record import record
from ar_connectors.writeback.resolve import resolve
from ar_connectors.writeback.run import DeliveryStore

__all__ = ["DeliveryRules", "DeliveryStore", "deliver", "record", "resolve"]
