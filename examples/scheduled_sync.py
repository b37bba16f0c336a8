"""What cron runs: one sync and one delivery, safe to start twice, with exit codes a scheduler understands.

    AR_CONNECTORS_KEY=... python examples/scheduled_sync.py sqlite:///ar.db

Exit codes: 0 done; 4 a person must connect the company again; 5 try later; 6 something was refused; 9 another run is at work.
"""

from __future__ import annotations

import os
import sys

import ar_connectors as ar
from ar_connectors.cli.exits import Exit, exit_for


def run(url: str, key: str) -> int:
    """Sync every connection of a store, then deliver what is due; the worst exit code wins."""
    store = ar.open_store(url, key=key)
    worst = Exit.OK
    for known in store.connections():
        try:
            conn = ar.connect(known.platform, tenant=known.tenant, store=store)
            report = ar.sync(conn, store)
            receipts = ar.deliver(conn, store)
        except ar.ARError as error:
            print(error, file=sys.stderr)
            worst = max(worst, exit_for(error))
            continue
        refused = [one for one in receipts if one.state is ar.WriteState.REJECTED]
        print(
            f"{known.id}: {report.inserted} new, {report.updated} changed, {report.tombstoned} gone, "
            f"{report.cost.calls} calls ({report.cost.metered_units} metered), {len(receipts)} delivered, {len(refused)} refused"
        )
        if report.busy:
            worst = max(worst, Exit.BUSY)
        elif refused:
            worst = max(worst, Exit.REJECTED)
        conn.close()
    store.close()
    return int(worst)


if __name__ == "__main__":
    if len(sys.argv) != 2 or "AR_CONNECTORS_KEY" not in os.environ:
        print(__doc__, file=sys.stderr)
        sys.exit(int(Exit.USAGE))
    sys.exit(run(sys.argv[1], os.environ["AR_CONNECTORS_KEY"]))
