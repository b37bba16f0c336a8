"""What does an ERP's page look like? Bodies of a generated company, 1000 rows each, made once and kept in `build/bench-pages`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.environment import BENCH, ROOT, peers_python, require_bench

__all__ = ["pages_of"]

_HOME: Final = ROOT / "build" / "bench-pages"
_KINDS: Final[Mapping[str, Sequence[str]]] = {
    "qbo": ("Invoice", "Payment", "Customer"),
    "xero": ("Invoices", "Payments", "Contacts"),
    "netsuite": ("invoice", "payment", "customer", "line"),
}


def pages_of(provider: str) -> dict[str, list[bytes]]:
    """Pages by the ERP's own name of the kind: 10,000 invoices, 8,000 payments, 1,000 customers. `provider`: qbo, xero, netsuite."""
    home = _HOME / provider
    if not (home / "complete").exists():
        require_bench()
        program = [peers_python(), "-m", "benchmarks.pages", provider, str(home)]
        subprocess.run(program, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(BENCH)})
    return {
        kind: [file.read_bytes() for file in sorted(home.glob(f"{kind}-*.json"))] for kind in _KINDS[provider]
    }


def _answer(provider: str, kind: str, rows: Sequence[bytes], total: int, first: int) -> bytes:
    """One answer in the ERP's envelope."""
    listed = b"[" + b",".join(rows) + b"]"
    if provider == "qbo":
        head = b'{"QueryResponse":{"%s":%s,"startPosition":%d,"maxResults":%d},"time":"2026-11-22T12:00:00.000-08:00"}'
        return head % (kind.encode(), listed, first + 1, len(rows))
    if provider == "xero":
        page, pages = first // 1000 + 1, -(-total // 1000)
        sizes = b'"page":%d,"pageSize":1000,"pageCount":%d,"itemCount":%d'
        head = (
            b'{"Id":"00000000-0000-0000-0000-000000000000","Status":"OK","pagination":{'
            + sizes
            + b'},"%s":%s}'
        )
        return head % (page, pages, total, kind.encode(), listed)
    head = b'{"links":[],"count":%d,"hasMore":%s,"items":%s,"offset":%d,"totalResults":%d}'
    return head % (len(rows), b"true" if first + len(rows) < total else b"false", listed, first, total)


def _generate(provider: str, home: Path) -> None:
    """Runs in the peers' environment, where the generator's own packages are."""
    import datagen  # type: ignore[import-not-found]  shared data, no part of this project

    made = datagen.render(datagen.Book(invoices=10_000, customers=1_000, payments=8_000), (provider,))
    home.mkdir(parents=True, exist_ok=True)
    for kind, (rows, _, _) in made[provider].items():
        for first in range(0, len(rows), 1000):
            body = _answer(provider, kind, rows[first : first + 1000], len(rows), first)
            (home / f"{kind}-{first // 1000:03}.json").write_bytes(body)
    (home / "complete").touch()


if __name__ == "__main__":
    _generate(sys.argv[1], Path(sys.argv[2]))
