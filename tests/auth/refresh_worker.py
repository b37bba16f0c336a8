"""A process of its own that needs tokens; run by the tests: waits for a line on stdin, then prints the access token it got.

Arguments: store URL, key, base URL of the platform, owner, and where to die: `never`, `before-request`, `before-save`,
`after-save` (killed with SIGKILL there, as by a power cut).
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ar_connectors.auth import ClientCredentials, Patience, TokenEndpoint, TokenKeeper, TokenSet, Vault
from ar_connectors.clock import SystemClock
from ar_connectors.errors import ARError
from ar_connectors.http import Endpoints
from ar_connectors.quickbooks.auth import quickbooks_provider
from ar_connectors.store import Store, open_store


class Doomed:
    """A token store and refresher that kills its process at one point."""

    def __init__(self, store: Store, endpoint: TokenEndpoint, point: str) -> None:
        self._store, self._endpoint, self._point = store, endpoint, point

    def refresh(self, tokens: TokenSet) -> TokenSet:
        self._here("before-request")
        return self._endpoint.refresh(tokens)

    def load_tokens(self, connection_id: str) -> tuple[Mapping[str, Any], int] | None:
        return self._store.load_tokens(connection_id)

    def save_tokens(self, connection_id: str, tokens: Mapping[str, Any], expected_version: int) -> int:
        self._here("before-save")
        version = self._store.save_tokens(connection_id, tokens, expected_version)
        self._here("after-save")
        return version

    def _here(self, point: str) -> None:
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def _keeper(
    url: str, key: str, base: str, owner: str, point: str, lease: timedelta
) -> tuple[Store, TokenEndpoint, TokenKeeper]:
    clock = SystemClock()
    store = open_store(url, clock=clock, key=Vault(key))
    endpoints = Endpoints(base, token=f"{base}/token")
    keys = ClientCredentials("app-id", "app-secret-value")
    endpoint = TokenEndpoint(quickbooks_provider(endpoints), keys, clock=clock, jitter=random.random)
    doomed = Doomed(store, endpoint, point)
    keeper = TokenKeeper(
        "quickbooks:42",
        doomed,
        tokens=doomed,
        leases=store,
        clock=clock,
        owner=owner,
        patience=Patience(lease=lease, wait=timedelta(seconds=60)),
    )
    return store, endpoint, keeper


def hurry(url: str, key: str, base: str, owner: str, point: str) -> None:
    """For a child of a fork server: get tokens, or die at the point."""
    store, endpoint, keeper = _keeper(url, key, base, owner, point, timedelta(seconds=1.5))
    keeper.current()
    endpoint.close()
    store.close()


def main(url: str, key: str, base: str, owner: str, point: str) -> int:
    """See the module."""
    store, endpoint, keeper = _keeper(url, key, base, owner, point, timedelta(seconds=3))
    print("ready", flush=True)  # noqa: T201 - the test reads it
    sys.stdin.readline()
    try:
        print(keeper.current().access_token, flush=True)  # noqa: T201 - the test reads it
    except ARError as error:
        print(f"failed: {type(error).__name__}: {error}", flush=True)  # noqa: T201 - the test reads it
    endpoint.close()
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
