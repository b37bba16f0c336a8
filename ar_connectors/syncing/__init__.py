"""Reading: bring a connection up to date, replay what was set aside, look for what vanished, compare balances."""

from ar_connectors.syncing.engine import sync
from ar_connectors.syncing.quarantine import ReplayReport, remap_all, replay
from ar_connectors.syncing.reconcile import BalanceLine, Explanation, Reconciliation, reconcile
from ar_connectors.syncing.report import StreamOutcome, StreamReport, SyncReport
from ar_connectors.syncing.sweep import KindSwept, SweepReport, sweep

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
