"""Who runs against whom, and how fast should we be? The contestants and goals of each ERP, as data.

A further ERP is one entry here and one in `peer_ours.ADAPTERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["BASELINE", "OUR_PULL", "PROVIDERS", "SLOW_BASELINE", "Peer", "Provider"]

BASELINE: Final = "raw requests + json.loads"
SLOW_BASELINE: Final = "raw requests + json.loads, 150 ms a call"
OUR_PULL: Final = "ours: pull + map, with lines"


@dataclass(frozen=True)
class Peer:
    """Another library's program in the shared benchmark data."""

    name: str
    program: str
    """Relative to the shared folder; `.js` runs in Node.js, anything else in the peers' Python."""
    needs: str
    """`python:MODULE` or `node:PACKAGE`: without it the peer is left out, and that is said."""
    goal: str = ""
    """How many times slower than our pull it should be."""


@dataclass(frozen=True)
class Provider:
    """The contest of one ERP. Goals are ratios to the baseline in the same run."""

    pull_goal: str
    sync_goal: str
    slow_goal: str
    workers: int
    """Pages that a sync fetches at once."""
    in_flight: int
    """Calls at once that the ERP allows."""
    peers: tuple[Peer, ...]


PROVIDERS: Final[Mapping[str, Provider]] = {
    "qbo": Provider(
        pull_goal="<= 0.60 (stretch 0.40)",
        sync_goal="<= 1.00",
        slow_goal="<= 0.40",
        workers=5,
        in_flight=8,
        peers=(
            Peer(
                "python-quickbooks",
                "peer_qbo.py",
                "python:quickbooks",
                ">= 4.5 x our pull (stretch 7)",
            ),
            Peer(
                "node-quickbooks",
                "node/peer_node_qbo.js",
                "node:node-quickbooks",
                ">= 1.4 x our pull (stretch 2)",
            ),
        ),
    ),
    "xero": Provider(
        pull_goal="<= 0.60 (stretch 0.40)",
        sync_goal="<= 1.00",
        slow_goal="<= 0.40",
        workers=5,
        in_flight=5,
        peers=(
            Peer("xero-python", "peer_xero_python.py", "python:xero_python", ">= 10 x our pull"),
            Peer("pyxero", "peer_pyxero.py", "python:xero"),
            Peer("xero-node", "node/peer_xero_node.js", "node:xero-node"),
        ),
    ),
    "netsuite": Provider(
        pull_goal="<= 1.00 (stretch 0.85)",
        sync_goal="<= 3.00 (stretch 2.00)",
        slow_goal="<= 0.55",
        workers=5,
        in_flight=3,
        peers=(Peer("netsuite", "peer_netsuite.py", "python:netsuite"),),
    ),
}
"""By the name that the shared programs use."""
