"""Who refreshes the tokens, when, and how do all others get them? One at a time over all threads and processes.

A refresh token that is used twice can cost the whole connection (quirks.md#qbo-82 of QuickBooks). So: a lease, taken in its own
short transaction; the HTTP call outside of any transaction; the new tokens saved by compare-and-swap before their first use.
A worker that dies between the platform's rotation and our save leaves the old refresh token in the store, and the next one
uses it again inside the grace the platform gives.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from ar_connectors.auth.contract import Lease, LeaseStore, TokenStore
from ar_connectors.auth.tokens import TokenSet
from ar_connectors.clock import Clock
from ar_connectors.errors import ARError, ConflictError, LeaseLost, ReauthorizationRequired, TransientError
from ar_connectors.events import Event, Retrying, TokenRefreshed
from ar_connectors.http.messages import Request, Response
from ar_connectors.http.redact import Redactor

__all__ = ["OAuthSigner", "Patience", "Refresher", "TokenKeeper"]


_NONE_YET: Final = TokenSet("", access_expires_at=datetime.min.replace(tzinfo=UTC))
"""Nothing to call with: the first use asks."""


class Refresher(Protocol):
    """Gets new tokens for old ones: `TokenEndpoint`, or something of that shape."""

    def refresh(self, tokens: TokenSet) -> TokenSet:
        """One request. Raises ReauthorizationRequired, TransientError, other ARErrors."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long everything may take."""

    early: timedelta = timedelta(minutes=5)
    """A token is replaced this long before it expires; of a short-lived one, in the last fifth of its life."""
    skew: timedelta = timedelta(seconds=10)
    """Closer to its end than this it is not used any more."""
    lease: timedelta = timedelta(seconds=40)
    """Longer than one try. What a killed worker costs the others at most."""
    tries: int = 3
    backoff: timedelta = timedelta(seconds=1)
    poll: timedelta = timedelta(milliseconds=200)
    """How often a waiting worker looks whether another one is done."""
    wait: timedelta = timedelta(seconds=150)
    """How long it does so at most."""
    fresh: timedelta = timedelta(seconds=60)
    """A token that we asked for after a 401, and that is refused again within this time: tokens are not what is wrong."""


class TokenKeeper:
    """The tokens of one connection, always good for the next call. Thread-safe; one per connection and process.

    Args:
        connection_id: `platform:tenant`.
        refresher: asks the platform.
        tokens: where they rest; shared by all processes that use this connection.
        leases: who refreshes; on the same store.
        clock: tells the time and waits.
        owner: names this worker, unlike any other one alive (host, process and a random part).
        patience: how long things may take.
        observer: hears of every refresh.
        redactor: learns every token; shared with the transport.
        on_rotated: told of new tokens after they are saved (a bridge pushes them into another client).
        needs_none: the refresher asks with the app's own proof and needs no earlier tokens (client credentials), so a connection
            begins without any.
    """

    def __init__(
        self,
        connection_id: str,
        refresher: Refresher,
        *,
        tokens: TokenStore,
        leases: LeaseStore,
        clock: Clock,
        owner: str,
        patience: Patience | None = None,
        observer: Callable[[Event], None] | None = None,
        redactor: Redactor | None = None,
        on_rotated: Callable[[TokenSet], None] | None = None,
        needs_none: bool = False,
    ) -> None:
        self.connection_id = connection_id
        self._platform, _, self._tenant = connection_id.partition(":")
        self._refresher, self._tokens, self._leases = refresher, tokens, leases
        self._clock, self._owner, self._patience = clock, owner, patience or Patience()
        self._observer, self._on_rotated = observer, on_rotated
        self._needs_none = needs_none
        self._redactor = redactor if redactor is not None else Redactor()
        self._lock = threading.RLock()
        self._known: tuple[TokenSet, int] | None = None
        self._dead: tuple[str | None, ReauthorizationRequired] | None = None
        """The refresh token that the platform refused for good: asking again could only do harm."""
        self._unsaved: tuple[TokenSet, int] | None = None
        """New tokens that could not be saved yet, and the version they replace."""
        self._replaced_at: tuple[str, float] | None = None
        """The access token we got after a 401, and when."""
        self._not_before: float | None = None
        """A refresh ahead of time failed; the old token is good until it expires, so the next try can wait."""

    def __repr__(self) -> str:
        return f"TokenKeeper({self.connection_id!r})"

    def seed(self, tokens: TokenSet) -> int:
        """Store tokens that were got elsewhere (the code flow, a bridge), in place of whatever is there. Returns the version."""
        return self._put(tokens, anew=True)

    def adopt(self, tokens: TokenSet) -> int:
        """The same, unless what is there has come from these very tokens: given again (by a script that is run every hour, or
        by another worker at the same moment), they are older than what they have become. Returns the version."""
        return self._put(tokens, anew=False)

    def _put(self, tokens: TokenSet, *, anew: bool) -> int:
        with self._lock:
            for _ in range(20):
                stored = self._tokens.load_tokens(self.connection_id)
                if stored is not None and not anew:
                    there = TokenSet.from_document(stored[0])
                    if there.descends_from(tokens):
                        self._learn(there, stored[1])
                        return stored[1]
                try:
                    version = self._tokens.save_tokens(
                        self.connection_id, tokens.to_document(), stored[1] if stored is not None else 0
                    )
                except ConflictError:
                    continue
                self._dead = self._unsaved = self._replaced_at = self._not_before = None
                self._learn(tokens, version)
                return version
        raise TransientError("the stored tokens keep changing", operation="store tokens")

    def current(self) -> TokenSet:
        """Tokens that are good for a call now; refreshed before, when they are about to expire.

        Raises:
            ReauthorizationRequired: there are none, or the refresh token is dead.
            ConfigurationError: they cannot be decrypted, or the app's keys are wrong.
            TransientError: the platform cannot be reached, and the old token has expired.
        """
        known = self._known[0] if self._known is not None else None
        if known is not None and known.access_token:
            if not self._is_old(known):
                return known
            if not known.expires_within(self._patience.skew, self._clock.now()):
                # While another thread replaces a token that is still good, this one goes on with it.
                if not self._lock.acquire(blocking=False):
                    return known
                try:
                    return self._renew(None)
                finally:
                    self._lock.release()
        with self._lock:
            return self._renew(None)

    def replace(self, refused: str) -> TokenSet | None:
        """The platform refused this access token: other tokens, refreshed unless somebody else has done so already. None when
        a refresh would not help, because the refused token is itself one that we got moments ago for the same reason.

        Raises as `current`.
        """
        with self._lock:
            replaced = self._replaced_at
            now = self._clock.monotonic()
            if (
                replaced is not None
                and replaced[0] == refused
                and now - replaced[1] < self._patience.fresh.total_seconds()
            ):
                return None
            tokens = self._renew(refused)
            self._replaced_at = tokens.access_token, self._clock.monotonic()
            return tokens

    # ---- inside the lock

    def _renew(self, refused: str | None) -> TokenSet:
        began = self._clock.monotonic()
        while True:
            tokens, _ = self._load()
            if self._serves(tokens, refused):
                return tokens
            lease = self._leases.acquire_lease(self._lease_name, self._owner, self._patience.lease)
            if lease is None:
                if refused is None and not tokens.expires_within(self._patience.skew, self._clock.now()):
                    # Somebody else is at it, and the old token is still good.
                    return tokens
                self._wait(began)
                continue
            try:
                return self._renew_alone(refused, lease)
            except LeaseLost:
                # We were away for longer than the lease; whoever took it over may be done already, so we look at once.
                self._clock.sleep(self._patience.poll.total_seconds())
            finally:
                self._leases.release_lease(lease)

    def _renew_alone(self, refused: str | None, lease: Lease) -> TokenSet:
        # Read again under the lease: its last holder may have refreshed between our look and our turn.
        tokens, version = self._load()
        if self._serves(tokens, refused):
            return tokens
        if self._unsaved is not None and self._unsaved[1] == version:
            return self._save(self._unsaved[0], version)
        self._unsaved = None
        try:
            return self._refresh(tokens, version, lease)
        except (LeaseLost, ReauthorizationRequired):
            raise
        except ARError as error:
            if refused is not None or tokens.expires_within(self._patience.skew, self._clock.now()):
                raise
            # Ahead of time is not urgent: the old token serves, and the next try comes a little later.
            pause = self._patience.fresh.total_seconds() / 2
            self._not_before = self._clock.monotonic() + pause
            if self._observer is not None:
                reason = self._redactor.text(str(error))
                self._observer(Retrying(self._platform, self._tenant, "refresh tokens", 1, pause, reason))
            return tokens

    def _refresh(self, tokens: TokenSet, version: int, lease: Lease) -> TokenSet:
        reread = False
        failures = 0
        while True:
            if self._dead is not None and self._dead[0] == tokens.refresh_token:
                raise self._again(self._dead[1])
            try:
                fresh = self._refresher.refresh(tokens)
            except ReauthorizationRequired as error:
                theirs, their_version = self._load()
                if theirs.refresh_token == tokens.refresh_token or reread:
                    self._dead = tokens.refresh_token, error
                    raise
                # Another worker has rotated meanwhile, past our lease. Its tokens count; they are looked at once.
                reread = True
                tokens, version = theirs, their_version
                if not self._is_old(tokens):
                    return tokens
            except TransientError:
                # Also when the answer was lost after the rotation: the old token works again inside the grace.
                failures += 1
                if failures >= self._patience.tries:
                    raise
                self._clock.sleep(self._patience.backoff.total_seconds() * failures)
            else:
                return self._save(fresh, version)
            lease = self._leases.renew_lease(lease, self._patience.lease)

    def _save(self, fresh: TokenSet, version: int) -> TokenSet:
        """Durable before anybody uses it."""
        self._redactor.add(*fresh.secrets())
        self._unsaved = fresh, version
        try:
            saved = self._tokens.save_tokens(self.connection_id, fresh.to_document(), version)
        except ConflictError:
            theirs, their_version = self._load()
            if theirs.issued_at is None or fresh.issued_at is None or theirs.issued_at >= fresh.issued_at:
                # Theirs were asked for after ours, so ours are the ones that no longer count.
                self._unsaved = None
                return theirs
            saved = self._tokens.save_tokens(self.connection_id, fresh.to_document(), their_version)
        self._unsaved = self._not_before = None
        self._learn(fresh, saved)
        if self._observer is not None:
            self._observer(TokenRefreshed(self._platform, self._tenant, saved))
        if self._on_rotated is not None:
            self._on_rotated(fresh)
        return fresh

    def _load(self) -> tuple[TokenSet, int]:
        stored = self._tokens.load_tokens(self.connection_id)
        if stored is None and self._needs_none:
            return _NONE_YET, 0
        if stored is None:
            raise ReauthorizationRequired(
                "there are no tokens for this company",
                platform=self._platform,
                tenant=self._tenant,
                operation="load tokens",
                advice="connect this company first (ar-connectors connect)",
            )
        tokens = TokenSet.from_document(stored[0])
        self._learn(tokens, stored[1])
        return tokens, stored[1]

    def _learn(self, tokens: TokenSet, version: int) -> None:
        self._redactor.add(*tokens.secrets())
        self._known = tokens, version

    def _serves(self, tokens: TokenSet, refused: str | None) -> bool:
        return tokens.access_token not in {"", refused} and not self._is_old(tokens)

    def _is_old(self, tokens: TokenSet) -> bool:
        if not tokens.access_token:
            return True
        now = self._clock.now()
        early = self._patience.early
        if tokens.issued_at is not None and tokens.access_expires_at is not None:
            early = min(early, (tokens.access_expires_at - tokens.issued_at) / 5)
        if not tokens.expires_within(early, now):
            return False
        postponed = self._not_before is not None and self._clock.monotonic() < self._not_before
        return not postponed or tokens.expires_within(self._patience.skew, now)

    @property
    def _lease_name(self) -> str:
        return f"tokens/{self.connection_id}"

    def _wait(self, began: float) -> None:
        if self._clock.monotonic() - began > self._patience.wait.total_seconds():
            raise TransientError(
                f"another worker has been refreshing the tokens for {self._patience.wait.total_seconds():.0f} seconds",
                operation="refresh tokens",
            )
        self._clock.sleep(self._patience.poll.total_seconds())

    @staticmethod
    def _again(error: ReauthorizationRequired) -> ReauthorizationRequired:
        """The same failure as a new object: one exception raised twice would grow a traceback without end."""
        return error.told_as(ReauthorizationRequired)


class OAuthSigner:
    """Puts the bearer token of a keeper on requests. Thread-safe. `headers`: further ones, such as the tenant's."""

    def __init__(self, keeper: TokenKeeper, headers: Mapping[str, str] | None = None) -> None:
        self._keeper = keeper
        self._headers = dict(headers or {})
        self._last = threading.local()

    def __repr__(self) -> str:
        return f"OAuthSigner({self._keeper!r})"

    def sign(self, request: Request) -> Mapping[str, str]:  # noqa: ARG002 - the Signer protocol
        """The headers to add. Raises what `TokenKeeper.current` raises."""
        token = self._keeper.current().access_token
        # Which token went out is remembered per thread: sign and refused are called in the thread that sends.
        self._last.token = token
        return {"Authorization": f"Bearer {token}", **self._headers}

    def refused(self, request: Request, response: Response) -> bool:  # noqa: ARG002 - the Signer protocol
        """After a 401: True when other tokens are at hand now. Raises what `TokenKeeper.replace` raises."""
        refused = getattr(self._last, "token", None)
        return refused is not None and self._keeper.replace(refused) is not None
