"""Reading: bring a connection up to date, replay what was set aside, look for what vanished, compare balances."""

from ar_connectors.sync.engine import sync
from ar_connectors.sync.report import StreamOutcome, StreamReport, SyncReport

__all__ = ["StreamOutcome", "StreamReport", "SyncReport", "sync"]
