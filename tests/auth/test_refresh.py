"""Refreshing tokens: once, in time, saved before use, and recovered after every accident."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from ar_connectors.auth import (
    ClientCredentials,
    Lease,
    MemoryStore,
    OAuthSigner,
    Patience,
    TokenEndpoint,
    TokenKeeper,
    TokenSet,
)
from ar_connectors.clock import Clock, SystemClock
from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    QuotaExhausted,
    ReauthorizationRequired,
    TransientError,
)
from ar_connectors.events import Event, Retrying, TokenRefreshed
from ar_connectors.http import Redactor, Request, Response, Transport
from ar_connectors.quickbooks.auth import quickbooks_provider
from tests.auth.little_platform import LittlePlatform
from tests.http.little_server import FakeClock, answer, cut

ID = "quickbooks:42"
KEYS = ClientCredentials("app-id", "app-secret-value")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def platform() -> Iterator[LittlePlatform]:
    with LittlePlatform() as running:
        yield running


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


Maker = Callable[..., TokenKeeper]


@pytest.fixture
def keeper(platform: LittlePlatform, clock: FakeClock, store: MemoryStore) -> Iterator[Maker]:
    opened: list[TokenEndpoint] = []

    def make(clock: Clock = clock, **more: Any) -> TokenKeeper:
        endpoint = TokenEndpoint(
            quickbooks_provider(platform.endpoints), more.pop("keys", KEYS), clock=clock, jitter=lambda: 0.5
        )
        opened.append(endpoint)
        options: dict[str, Any] = {
            "tokens": store,
            "leases": store,
            "clock": clock,
            "owner": f"worker-{len(opened)}",
            **more,
        }
        return TokenKeeper(ID, endpoint, **options)

    yield make
    for one in opened:
        one.close()


def old(clock: Clock, left: float = -1) -> TokenSet:
    """The first tokens of the platform; the access token has `left` seconds to live."""
    return TokenSet(
        "access-token-0",
        "refresh-token-0",
        issued_at=clock.now() - timedelta(hours=1),
        access_expires_at=clock.now() + timedelta(seconds=left),
    )


def stored(store: MemoryStore) -> TokenSet:
    found = store.load_tokens(ID)
    assert found is not None
    return TokenSet.from_document(found[0])


def test_a_good_token_is_used_without_asking(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform
) -> None:
    one = keeper()
    one.seed(old(clock, left=3000))
    assert one.current().access_token == "access-token-0"
    assert platform.asked == []


def test_a_token_is_replaced_five_minutes_ahead_and_saved_with_absolute_expiries(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform, store: MemoryStore
) -> None:
    events: list[Event] = []
    told: list[TokenSet] = []
    one = keeper(observer=events.append, on_rotated=told.append)
    one.seed(old(clock, left=299))
    fresh = one.current()
    assert fresh.access_token == "access-token-1"
    assert stored(store) == fresh == told[0]
    assert fresh.access_expires_at == clock.now() + timedelta(seconds=3600)
    assert fresh.refresh_expires_at == clock.now() + timedelta(seconds=8_726_400)
    assert fresh.refresh_hard_expires_at == clock.now() + timedelta(days=365 * 5)
    assert events == [TokenRefreshed("quickbooks", "42", 2)]
    assert platform.heard_headers[0]["x-include-refresh-token-hard-expires-in"] == "true"


def test_the_hard_expiry_told_once_is_kept_when_it_is_left_out_later(clock: FakeClock) -> None:
    known = TokenSet("a", "r", refresh_hard_expires_at=clock.now())
    later = TokenSet.from_answer({"access_token": "b", "expires_in": "60"}, clock.now(), previous=known)
    assert later.refresh_hard_expires_at == clock.now()
    assert later.refresh_token == "r"
    assert later.access_expires_at == clock.now() + timedelta(seconds=60)


def test_a_short_lived_token_is_not_refreshed_on_every_call(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform
) -> None:
    platform.life = 120
    one = keeper()
    one.seed(old(clock))
    for _ in range(90):
        one.current()
        clock.pass_by(1)
    assert platform.rotations == 1


def test_many_threads_cause_one_refresh(keeper: Maker, clock: FakeClock, platform: LittlePlatform) -> None:
    one = keeper()
    one.seed(old(clock))
    start = threading.Barrier(16)

    def use(_: int) -> str:
        start.wait(10)
        return one.current().access_token

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(use, range(16))) == {"access-token-1"}
    assert platform.rotations == 1


def test_many_keepers_on_one_store_cause_one_refresh(keeper: Maker, platform: LittlePlatform) -> None:
    # Real time: with a fake clock the sleeps of seven waiting workers would let the lease of the eighth run out.
    clock = SystemClock()
    shared = MemoryStore(clock)
    keepers = [keeper(clock=clock, tokens=shared, leases=shared) for _ in range(8)]
    keepers[0].seed(old(clock))
    start = threading.Barrier(8)

    def use(one: TokenKeeper) -> str:
        start.wait(10)
        return one.current().access_token

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(use, keepers)) == {"access-token-1"}
    assert len(platform.asked) == 1


def test_a_lost_answer_is_asked_for_again_with_the_old_token(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform, store: MemoryStore
) -> None:
    platform.lose_next = 1
    one = keeper()
    one.seed(old(clock))
    assert one.current().access_token == "access-token-2"
    assert [form["refresh_token"] for form in platform.asked] == ["refresh-token-0", "refresh-token-0"]
    assert stored(store).refresh_token == "refresh-token-2"


def test_a_worker_killed_between_rotation_and_save_is_recovered_by_the_next(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform, store: MemoryStore
) -> None:
    class Killed(BaseException):
        pass

    class Dying(MemoryStore):
        def save_tokens(self, *_: Any, **__: Any) -> int:
            raise Killed

        def release_lease(self, lease: Lease) -> None:
            """A dead process gives nothing back."""

    keeper().seed(old(clock))
    dying = Dying(clock)
    dying.__dict__.update(store.__dict__)  # the same data, seen by a process that will die
    with pytest.raises(Killed):
        keeper(tokens=dying, leases=dying).current()
    assert (platform.rotations, stored(store).refresh_token) == (1, "refresh-token-0")
    before = clock.now()
    assert keeper().current().access_token == "access-token-2"
    # It had to wait for the dead one's lease, and no longer.
    assert timedelta(0) < clock.now() - before <= Patience().lease + timedelta(seconds=1)
    assert stored(store).refresh_token == "refresh-token-2"


def test_a_dead_refresh_token_is_said_once_to_the_platform_and_every_time_to_us(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform
) -> None:
    platform.refresh = ["another"]
    one = keeper()
    one.seed(old(clock))
    for _ in range(3):
        with pytest.raises(ReauthorizationRequired, match="invalid_grant") as caught:
            one.current()
    assert len(platform.asked) == 1
    assert "refresh-token-0" not in str(caught.value)
    one.seed(TokenSet("", "another"))
    assert one.current().access_token == "access-token-1"


def test_invalid_grant_looks_whether_another_program_has_rotated(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform, store: MemoryStore
) -> None:
    keeper().seed(old(clock))
    theirs = TokenSet("access-token-9", "refresh-token-9", clock.now(), clock.now() + timedelta(hours=1))

    class Rotating:
        """Refuses the old token; somebody without our lease has saved new ones meanwhile."""

        asked = 0

        def refresh(self, _: TokenSet) -> TokenSet:
            self.asked += 1
            store.save_tokens(ID, theirs.to_document(), 1)
            raise ReauthorizationRequired("invalid_grant")

    refresher = Rotating()
    one = TokenKeeper(ID, refresher, tokens=store, leases=store, clock=clock, owner="us")
    assert one.current() == theirs
    assert (refresher.asked, platform.asked) == (1, [])


@pytest.mark.parametrize("ours_is_later", [True, False])
def test_of_two_rotations_at_once_the_later_one_counts(
    ours_is_later: bool, clock: FakeClock, store: MemoryStore
) -> None:
    start = clock.now()
    ours = TokenSet("access-ours", "refresh-ours", start + timedelta(seconds=5), start + timedelta(hours=1))
    moment = start + timedelta(seconds=1 if ours_is_later else 9)
    theirs = TokenSet("access-theirs", "refresh-theirs", moment, start + timedelta(hours=1))

    class Slow:
        def refresh(self, _: TokenSet) -> TokenSet:
            store.save_tokens(ID, theirs.to_document(), 1)
            return ours

    one = TokenKeeper(ID, Slow(), tokens=store, leases=store, clock=clock, owner="us")
    one.seed(old(clock))
    expected = ours if ours_is_later else theirs
    assert one.current() == expected == stored(store)


def test_a_save_that_fails_does_not_lose_the_new_tokens(
    keeper: Maker,
    clock: FakeClock,
    platform: LittlePlatform,
    store: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform.grace = False
    one = keeper()
    one.seed(old(clock))
    with monkeypatch.context() as patched:
        patched.setattr(store, "save_tokens", _disk_full)
        with pytest.raises(OSError, match="disk full"):
            one.current()
    assert one.current().access_token == "access-token-1"
    assert len(platform.asked) == 1
    assert stored(store).refresh_token == "refresh-token-1"


def _disk_full(*_: object) -> int:
    raise OSError("disk full")


def test_a_lost_lease_stops_the_refresh_and_takes_the_others_tokens(
    clock: FakeClock, store: MemoryStore
) -> None:
    theirs = TokenSet("access-theirs", "refresh-theirs", clock.now(), clock.now() + timedelta(hours=1))

    class Paused:
        asked = 0

        def refresh(self, _: TokenSet) -> TokenSet:
            # We sleep through our lease; another worker takes it over and finishes.
            self.asked += 1
            clock.pass_by(600)
            lease = store.acquire_lease(f"tokens/{ID}", "other", timedelta(seconds=40))
            assert lease is not None
            store.save_tokens(ID, theirs.to_document(), 1)
            store.release_lease(lease)
            raise TransientError("no answer came")

    paused = Paused()
    one = TokenKeeper(ID, paused, tokens=store, leases=store, clock=clock, owner="us")
    one.seed(old(clock))
    assert one.current() == theirs
    assert paused.asked == 1


def test_ahead_of_time_a_failure_is_told_and_the_old_token_goes_on_serving(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform
) -> None:
    platform.fail_next = [cut] * 3
    events: list[Event] = []
    one = keeper(observer=events.append)
    one.seed(old(clock, left=200))
    assert one.current().access_token == "access-token-0"
    assert [type(event) for event in events] == [Retrying]
    one.current()
    assert len(platform.asked) == 3
    clock.pass_by(40)
    assert one.current().access_token == "access-token-1"


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        ([cut] * 3, TransientError),
        ([answer(500)] * 3, TransientError),
        ([answer(429, headers={"Retry-After": "3600"})], QuotaExhausted),
        ([answer(401, b'{"error":"invalid_client"}')], ConfigurationError),
        ([answer(400, b'{"error":"invalid_scope"}')], ConfigurationError),
        ([answer(403, b"<html>blocked</html>")], AuthError),
        ([answer(200, b"<html>login</html>")], ARError),
    ],
)
def test_every_failure_of_the_token_endpoint_has_its_class(
    replies: list[Any], kind: type[ARError], keeper: Maker, clock: FakeClock, platform: LittlePlatform
) -> None:
    platform.fail_next = list(replies)
    one = keeper()
    one.seed(old(clock))
    with pytest.raises(kind) as caught:
        one.current()
    assert caught.value.platform == "quickbooks"
    assert one.current().access_token == "access-token-1"


def test_a_waiting_worker_gives_up_in_the_end(clock: FakeClock, store: MemoryStore, keeper: Maker) -> None:
    one = keeper(patience=Patience(wait=timedelta(seconds=10)))
    one.seed(old(clock))
    assert store.acquire_lease(f"tokens/{ID}", "stuck", timedelta(hours=1))
    with pytest.raises(TransientError, match="another worker"):
        one.current()
    assert 10 <= sum(clock.slept) <= 11


def test_while_another_worker_refreshes_a_token_that_is_still_good_is_used(
    clock: FakeClock, store: MemoryStore, keeper: Maker
) -> None:
    one = keeper()
    one.seed(old(clock, left=100))
    assert store.acquire_lease(f"tokens/{ID}", "busy", timedelta(hours=1))
    assert one.current().access_token == "access-token-0"
    assert clock.slept == []


def test_without_tokens_we_say_connect_first(keeper: Maker) -> None:
    with pytest.raises(ReauthorizationRequired, match="connect this company first"):
        keeper().current()


class Plain:
    def error(self, _: Request, __: Response) -> ARError | None:
        return None


def test_a_token_killed_at_once_is_replaced_in_the_middle_of_a_run(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform
) -> None:
    one = keeper()
    one.seed(old(clock, left=3000))
    redactor = Redactor()
    signer = OAuthSigner(one, {"X-Tenant": "42"})
    url = platform.server.url
    with Transport(
        "quickbooks",
        "42",
        platform.endpoints,
        Plain(),
        signer,
        clock=clock,
        jitter=lambda: 0.5,
        redactor=redactor,
    ) as transport:
        transport.send(Request("GET", url + "/api", "read"))
        platform.access.clear()
        transport.send(Request("GET", url + "/api", "read"))
        assert platform.rotations == 1
        assert [heard.headers["x-tenant"] for heard in platform.server.heard if heard.target == "/api"] == [
            "42"
        ] * 3


def test_a_fresh_token_that_is_refused_too_is_not_refreshed_in_a_loop(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform
) -> None:
    one = keeper()
    one.seed(old(clock, left=3000))
    signer = OAuthSigner(one)
    with Transport(
        "quickbooks", "42", platform.endpoints, Plain(), signer, clock=clock, jitter=lambda: 0.5
    ) as transport:
        platform.access.clear()
        platform.kills_access = True
        for _ in range(5):
            platform.access.clear()
            platform.server.on_request = lambda heard: (
                platform.access.clear() if heard.target == "/api" else None
            )
            with pytest.raises(AuthError):
                transport.send(Request("GET", platform.server.url + "/api", "read"))
    assert platform.rotations == 1


def test_the_tokens_of_another_worker_are_taken_after_a_refusal(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform
) -> None:
    one, other = keeper(), keeper()
    one.seed(old(clock, left=3000))
    assert one.current().access_token == other.current().access_token == "access-token-0"
    assert one.replace("access-token-0") is not None
    replaced = other.replace("access-token-0")
    assert replaced is not None
    assert (replaced.access_token, platform.rotations) == ("access-token-1", 1)


class Slow:
    """A token store whose owner is held up after looking: what happens meanwhile is told by `meanwhile`."""

    def __init__(self, store: MemoryStore, meanwhile: Callable[[], object]) -> None:
        self._store, self._meanwhile = store, [meanwhile]

    def load_tokens(self, connection_id: str) -> Any:
        found = self._store.load_tokens(connection_id)
        if self._meanwhile:
            self._meanwhile.pop()()
        return found

    def save_tokens(self, connection_id: str, tokens: Any, expected_version: int) -> int:
        return self._store.save_tokens(connection_id, tokens, expected_version)


def test_two_first_connects_with_the_same_tokens_do_not_undo_a_rotation(
    keeper: Maker, clock: FakeClock, platform: LittlePlatform, store: MemoryStore
) -> None:
    """Both find an empty store; one stores the tokens and refreshes them before the other comes to store the same."""

    def the_other() -> None:
        first = keeper()
        first.adopt(old(clock))
        first.current()

    late = keeper(tokens=Slow(store, the_other))
    late.adopt(old(clock))
    assert stored(store).refresh_token == "refresh-token-1"
    assert late.current().access_token == "access-token-1"
    assert (platform.rotations, platform.refusals) == (1, 0)


def test_tokens_that_are_given_again_are_older_than_what_they_have_become(
    keeper: Maker, clock: FakeClock, store: MemoryStore
) -> None:
    one = keeper()
    one.adopt(old(clock))
    generations = [old(clock)]
    for _ in range(3):
        generations.append(one.current())
        clock.sleep(4000)
    for given in generations:
        version = keeper().adopt(given)
        assert stored(store).refresh_token == "refresh-token-3"
        assert version == 4
    # Consent given anew, or tokens of another client, are no descendants: they count.
    keeper().adopt(TokenSet("access", "from elsewhere"))
    assert stored(store).refresh_token == "from elsewhere"
    keeper().seed(old(clock))
    assert stored(store).refresh_token == "refresh-token-0"


def test_nothing_shows_a_token(keeper: Maker, clock: FakeClock, store: MemoryStore) -> None:
    one = keeper()
    tokens = old(clock)
    one.seed(tokens)
    told = f"{tokens!r} {tokens} {KEYS!r} {one!r} {store!r} {OAuthSigner(one)!r}"
    assert "access-token" not in told
    assert "refresh-token" not in told
    assert "app-secret" not in told
