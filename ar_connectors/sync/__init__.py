"""Reading: bring a connection up to date, replay what was set aside, look for what vanished, compare balances."""

from ar_connectors.sync.engine import sync
from ar_connectors.sync.quarantine import ReplayReport, remap_all, replay
from ar_connectors.sync.reconcile import BalanceLine, Explanation, Reconciliation, reconcile
from ar_connectors.sync.report import StreamOutcome, StreamReport, SyncReport
from ar_connectors.sync.sweep import KindSwept, SweepReport, sweep

__all__ = [
    "BalanceLine",
    "Explanation",
    "KindSwept",
    "Reconciliation",
    "ReplayReport",
    "StreamOutcome",
    "StreamReport",
    "SweepReport",
    "SyncReport",
    "reconcile",
    "remap_all",
    "replay",
    "sweep",
    "sync",
]
