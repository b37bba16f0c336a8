"""`python -m ar_connectors.testkit serve ERP [--port 0] [--invoices 200] [--seed 1] [--now ISO]`."""

from __future__ import annotations

import argparse
from datetime import datetime

from ar_connectors.testkit import ERPS
from ar_connectors.testkit.server import serve_forever

__all__: list[str] = []


def _instant(text: str) -> datetime:
    """An instant with its offset; one without is of this machine's zone. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m ar_connectors.testkit")
    verbs = parser.add_subparsers(dest="verb", required=True)
    serve = verbs.add_parser("serve", help="serve an emulator on this machine until stopped")
    serve.add_argument("erp", choices=ERPS)
    serve.add_argument("--port", type=int, default=0)
    serve.add_argument("--invoices", type=int, default=200)
    serve.add_argument("--seed", type=int, default=1)
    serve.add_argument("--now", type=_instant, help="when its clock starts, as 2026-11-02T09:00-08:00")
    given = parser.parse_args()
    serve_forever(given.erp, port=given.port, invoices=given.invoices, seed=given.seed, now=given.now)
