"""The transport against a real server on this machine: every way HTTP can fail, and what the caller is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    ContractError,
    NotFoundError,
    QuotaExhausted,
    RateLimited,
    RejectedError,
    TransientError,
    WriteOutcomeUnknown,
)
from ar_connectors.events import CallFinished, Event, Retrying
from ar_connectors.http import (
    CallBudget,
    Endpoints,
    Limits,
    LocalBudget,
    Replay,
    Request,
    Response,
    RetryPolicy,
    ServerLimits,
    TenantBudget,
    Transport,
    TransportSettings,
)
from ar_connectors.quickbooks.faults import QuickBooksDialect
from tests.http.little_server import (
    FakeClock,
    Heard,
    LittleServer,
    Reply,
    answer,
    chunked,
    cut,
    gzipped,
    reset,
    silence,
)

QUICK = TransportSettings(connect_timeout=2, read_timeout=0.2)


class Plain:
    """A dialect without opinions."""

    def error(self, _: Request, __: Response) -> ARError | None:
        return None


class Badge:
    """A signer whose credentials can be renewed `renewals` times."""

    def __init__(self, renewals: int = 0) -> None:
        self.renewals = renewals
        self.number = 0
        self.asked = 0

    def sign(self, _: Request) -> Mapping[str, str]:
        return {"Authorization": f"Bearer badge-number-{self.number}"}

    def refused(self, _: Request, __: Response) -> bool:
        self.asked += 1
        if self.number >= self.renewals:
            return False
        self.number += 1
        return True


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Iterator[LittleServer]:
    with LittleServer() as running:
        yield running


@pytest.fixture
def transport(server: LittleServer, clock: FakeClock) -> Iterator[Callable[..., Transport]]:
    made: list[Transport] = []

    def make(**more: Any) -> Transport:
        options: dict[str, Any] = {"clock": clock, "jitter": lambda: 0.5, "settings": QUICK, **more}
        signer = options.pop("signer", None)
        dialect = options.pop("dialect", Plain())
        made.append(Transport("acme", "42", Endpoints(server.url), dialect, signer, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def read(server: LittleServer, path: str = "/thing", **more: Any) -> Request:
    return Request("GET", server.url + path, "read thing", **more)


def write(server: LittleServer, **more: Any) -> Request:
    return Request("POST", server.url + "/thing", "write thing", body=b"{}", replay=Replay.UNSAFE, **more)


FAULTS: dict[str, Reply] = {
    "silence": silence,
    "closed without a word": cut,
    "reset": reset,
    "body shorter than announced": answer(200, b'{"a":', length=100),
    "chunks that break off": chunked(b'{"a":', finish=False),
    "gzip cut in half": gzipped(b'{"a": "' + b"x" * 500 + b'"}', keep=20),
    "no gzip at all": answer(200, b"{}", {"Content-Encoding": "gzip"}),
    "an encoding nobody asked for": answer(200, b"{}", {"Content-Encoding": "br"}),
    "500": answer(500, b'{"message": "boom"}'),
    "502": answer(502, b"<html>bad gateway</html>"),
    "503": answer(503, b"<html>unavailable</html>"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_read_survives_one_fault_of_any_kind(
    fault: Reply, server: LittleServer, transport: Callable[..., Transport]
) -> None:
    server.replies = [fault, answer(200, b'{"ok": true}')]
    sender = transport()
    assert sender.send(read(server)).body == b'{"ok": true}'
    usage = sender.usage()
    assert (usage.calls, usage.retries, usage.waits, usage.failed_calls) == (2, 1, 1, 1)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_read_that_keeps_failing_is_a_transient_error_after_the_allowed_tries(
    fault: Reply, server: LittleServer, transport: Callable[..., Transport]
) -> None:
    server.replies = [fault]
    with pytest.raises(TransientError, match="after 3 tries"):
        transport(policy=RetryPolicy(attempts=3)).send(read(server))
    assert len(server.heard) == 3


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_write_is_never_sent_twice_after_it_left(
    fault: Reply, server: LittleServer, transport: Callable[..., Transport]
) -> None:
    server.replies = [fault, answer()]
    with pytest.raises(WriteOutcomeUnknown) as caught:
        transport().send(write(server))
    assert len(server.heard) == 1
    assert caught.value.operation == "write thing"
    assert caught.value.platform == "acme"


@pytest.mark.parametrize("replay", list(Replay))
def test_nobody_listening_is_tried_again_also_for_writes(replay: Replay, clock: FakeClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as port:
        url = f"http://127.0.0.1:{port.getsockname()[1]}"
    with Transport("acme", "42", Endpoints(url), Plain(), clock=clock, jitter=lambda: 0.5) as sender:
        with pytest.raises(TransientError, match=r"no connection.*after 5 tries"):
            sender.send(Request("POST", url, "write", body=b"{}", replay=replay))
        assert sender.usage().calls == 5
    assert clock.slept == [0.25, 0.5, 1.0, 2.0]


def test_a_platform_that_comes_up_meanwhile_gets_the_write_once(clock: FakeClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as port:
        number = port.getsockname()[1]
    url = f"http://127.0.0.1:{number}"
    heard: list[bytes] = []

    def listen(event: Event) -> None:
        if isinstance(event, Retrying) and event.attempt == 2:
            listener = socket.create_server(("127.0.0.1", number))
            threading.Thread(target=serve_once, args=(listener,)).start()

    def serve_once(listener: socket.socket) -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with Transport(
        "acme", "42", Endpoints(url), Plain(), clock=clock, jitter=lambda: 0.5, observer=listen
    ) as sender:
        assert sender.send(Request("POST", url, "write", body=b"{}", replay=Replay.UNSAFE)).status == 200
    assert len(heard) == 1


@pytest.mark.parametrize("replay", list(Replay))
def test_a_throttled_call_waits_exactly_as_long_as_it_is_told(
    replay: Replay, server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(429, headers={"Retry-After": "7"}), answer()]
    transport().send(Request("POST", server.url, "op", replay=replay))
    assert clock.slept == [7.0]


def test_a_retry_after_date_is_measured_on_the_servers_own_clock(
    server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    theirs = datetime(2031, 1, 1, tzinfo=UTC)
    headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry-After": format_datetime(theirs + timedelta(seconds=11), usegmt=True),
    }
    server.replies = [answer(429, headers=headers), answer()]
    transport().send(read(server))
    assert clock.slept == [11.0]


def test_a_longer_wait_than_the_cap_is_not_made(
    server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(429, headers={"Retry-After": "86400"})]
    began = clock.now()
    with pytest.raises(QuotaExhausted) as caught:
        transport().send(read(server))
    assert clock.slept == []
    assert caught.value.resume_at == began + timedelta(days=1)


def test_being_throttled_for_minutes_is_a_used_up_quota(
    server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(429, headers={"Retry-After": "60"})]
    with pytest.raises(QuotaExhausted, match="used-up quota"):
        transport().send(write(server))
    assert clock.slept == [60.0, 60.0, 60.0]


@pytest.mark.parametrize(("headers", "told"), [({}, False), ({"Retry-After": "60"}, True)])
def test_when_a_quota_opens_again_is_the_platform_s_word_or_nobody_s(
    server: LittleServer,
    clock: FakeClock,
    transport: Callable[..., Transport],
    headers: dict[str, str],
    told: bool,
) -> None:
    """Intuit sends no Retry-After and says 60 seconds in its pages: after three of them that is no answer any more."""
    server.replies = [answer(429, headers=headers)]
    with pytest.raises(QuotaExhausted) as caught:
        transport(dialect=QuickBooksDialect()).send(read(server))
    assert clock.slept == [60.0, 60.0, 60.0]
    assert caught.value.resume_at == (clock.now() + timedelta(seconds=60) if told else None)
    assert told or "usage of this app" in str(caught.value.advice)


def test_a_throttle_without_retry_after_backs_off_with_full_jitter(
    server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(429), answer(429), answer(429, headers={"Retry-After": "0"}), answer()]
    transport(jitter=iter([0.1, 0.9, 0.5]).__next__).send(read(server))
    assert clock.slept == pytest.approx([0.05, 0.9, 1.0])


def test_a_server_that_always_says_at_once_is_not_hammered_for_ever(
    server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(429, headers={"Retry-After": "0"})]
    with pytest.raises(QuotaExhausted):
        transport().send(read(server))
    assert len(server.heard) < 25
    assert sum(clock.slept) <= 180


def test_no_try_begins_after_the_deadline(
    server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(503, headers={"Retry-After": "40"})]
    with pytest.raises(TransientError, match="after 3 tries"):
        transport(policy=RetryPolicy(attempts=99, total=100)).send(read(server))
    assert clock.slept == [40.0, 40.0]


def test_a_day_of_maintenance_is_reported_and_not_slept_through(
    server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(503, headers={"Retry-After": "7200"})]
    with pytest.raises(TransientError, match="7200 seconds"):
        transport().send(read(server))
    assert clock.slept == []


def test_refused_credentials_are_renewed_once_also_for_a_write(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(401), answer(200)]
    badge = Badge(renewals=1)
    transport(signer=badge).send(write(server))
    assert [one.headers["authorization"] for one in server.heard] == [
        "Bearer badge-number-0",
        "Bearer badge-number-1",
    ]


def test_a_second_refusal_is_the_answer(server: LittleServer, transport: Callable[..., Transport]) -> None:
    server.replies = [answer(401)]
    badge = Badge(renewals=9)
    with pytest.raises(AuthError):
        transport(signer=badge).send(read(server))
    assert (badge.asked, len(server.heard)) == (1, 2)


def test_credentials_are_renewed_once_for_all_tries_of_a_request(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(401), answer(500), answer(401)]
    badge = Badge(renewals=9)
    with pytest.raises(AuthError):
        transport(signer=badge).send(read(server))
    assert (badge.asked, len(server.heard)) == (1, 3)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, RejectedError), (401, AuthError), (404, NotFoundError), (409, RejectedError)]
)
def test_a_plain_refusal_is_final(
    status: int, kind: type[ARError], server: LittleServer, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(status, b"no", {"intuit_tid": "1-abc"})]
    with pytest.raises(kind) as caught:
        transport().send(read(server))
    assert (len(server.heard), caught.value.http_status, caught.value.request_id) == (1, status, "1-abc")


def test_a_redirect_is_not_followed(server: LittleServer, transport: Callable[..., Transport]) -> None:
    server.replies = [answer(302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}), answer()]
    with pytest.raises(ContractError, match="redirect"):
        transport(signer=Badge()).send(read(server))
    assert len(server.heard) == 1


def test_nothing_is_sent_to_a_foreign_host(transport: Callable[..., Transport]) -> None:
    sender = transport(signer=Badge())
    with LittleServer() as foreign, pytest.raises(ConfigurationError, match="not a host of this connection"):
        sender.send(read(foreign))
    assert foreign.heard == []


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "ftp://127.0.0.1",
        "https://user:pass@api.example.com",
        "nonsense",
        "https://x:y",
    ],
)
def test_endpoints_refuse_what_would_leak_credentials(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Endpoints("https://api.example.com", token=url)


@pytest.mark.parametrize(
    "url", ["https://api.example.com/x", "http://127.0.0.1:8080", "http://[::1]:9", "http://localhost"]
)
def test_endpoints_take_https_and_this_machine(url: str) -> None:
    assert len(Endpoints(url).origins) == 1


def test_cookies_are_neither_kept_nor_sent(server: LittleServer, transport: Callable[..., Transport]) -> None:
    server.replies = [answer(200, headers={"Set-Cookie": "tenant=7; Path=/"})]
    sender = transport()
    sender.send(read(server))
    sender.send(read(server))
    assert all("cookie" not in one.headers for one in server.heard)


def test_the_environment_is_read_only_when_asked(
    server: LittleServer, transport: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with LittleServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        transport().send(read(server))
        assert (len(proxy.heard), len(server.heard)) == (0, 1)
        transport(settings=TransportSettings(trust_env=True)).send(read(server))
        assert (len(proxy.heard), len(server.heard)) == (1, 1)
        assert proxy.heard[0].target.startswith(server.url)


def test_a_password_of_a_netrc_never_replaces_ours(
    server: LittleServer, transport: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("NETRC", str(netrc))
    settings = TransportSettings(trust_env=True, proxies={"http": ""})
    transport(settings=settings, signer=Badge()).send(read(server))
    assert server.heard[0].headers["authorization"] == "Bearer badge-number-0"


def test_gzip_is_asked_for_and_both_sizes_are_counted(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    body = b'{"a": "' + b"x" * 10_000 + b'"}'
    server.replies = [gzipped(body)]
    events: list[Event] = []
    sender = transport(observer=events.append)
    assert sender.send(read(server, metered_units=1)).body == body
    usage = sender.usage()
    assert server.heard[0].headers["accept-encoding"] == "gzip"
    assert usage.bytes_decoded == len(body)
    assert 0 < usage.bytes_received < 200
    assert (usage.metered_units, dict(usage.metered_by_class)) == (1, {"call": 1})
    assert dict(usage.metered_by_operation) == {"read thing": 1}
    (event,) = events
    assert isinstance(event, CallFinished)
    assert (event.bytes_received, event.bytes_decoded) == (usage.bytes_received, len(body))


def test_chunks_arrive_as_one_body(server: LittleServer, transport: Callable[..., Transport]) -> None:
    server.replies = [chunked(b'{"a":', b" 1}")]
    assert transport().send(read(server)).body == b'{"a": 1}'


def test_an_answer_that_would_fill_the_memory_is_refused(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    server.replies = [gzipped(b"\0" * 5_000_000)]
    with pytest.raises(ContractError, match="larger than"):
        transport(settings=TransportSettings(max_body=1_000_000)).send(read(server))


def test_a_refused_call_is_not_billed(server: LittleServer, transport: Callable[..., Transport]) -> None:
    server.replies = [answer(400), answer(200)]
    sender = transport()
    with sender.capped(CallBudget(max_metered_units=1)) as cap:
        with pytest.raises(RejectedError):
            sender.send(read(server, metered_units=1))
        sender.send(read(server, metered_units=1))
        with pytest.raises(QuotaExhausted, match="1 billable unit"):
            sender.send(read(server, metered_units=1))
    assert (cap.calls, cap.metered_units, len(server.heard)) == (2, 1, 2)
    sender.send(read(server, metered_units=1))


def test_a_run_may_be_allowed_so_many_calls_and_no_more(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    sender = transport()
    with sender.capped(CallBudget(max_calls=3)), ThreadPoolExecutor(8) as pool:
        results = [
            future.exception() for future in [pool.submit(sender.send, read(server)) for _ in range(10)]
        ]
    assert len(server.heard) == 3
    assert sum(isinstance(one, QuotaExhausted) for one in results) == 7


def test_threads_never_exceed_the_slots_of_the_tenant(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    clock = FakeClock()
    gate = threading.Barrier(3)
    server.on_request = lambda _: _wait(gate)
    limits = Limits(((1000, timedelta(seconds=1)),), max_in_flight=3)
    sender = transport(
        budget=TenantBudget("acme:42", limits, LocalBudget(clock), clock),
        settings=TransportSettings(connections=16),
    )
    with ThreadPoolExecutor(12) as pool:
        assert {one.status for one in pool.map(sender.send, [read(server)] * 24)} == {200}
    assert server.most_in_flight == 3


def _wait(gate: threading.Barrier) -> None:
    """Holds calls until three are in flight together, so the limit is reached and not only respected by luck."""
    gate.wait(10)


def test_one_throttled_thread_makes_the_others_wait_too(
    server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    counts = LocalBudget(clock)
    limits = Limits(((1000, timedelta(seconds=1)),), max_in_flight=3)
    server.replies = [answer(429, headers={"Retry-After": "3600"}), answer()]
    with pytest.raises(QuotaExhausted):
        transport(budget=TenantBudget("acme:42", limits, counts, clock)).send(read(server))
    with pytest.raises(QuotaExhausted) as caught:
        transport(budget=TenantBudget("acme:42", limits, counts, clock)).send(read(server))
    assert len(server.heard) == 1
    assert caught.value.resume_at == clock.now() + timedelta(hours=1)


def test_the_servers_own_word_lowers_the_limits(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    clock = FakeClock()
    budget = TenantBudget("acme:42", Limits(((8, timedelta(seconds=1)),), 8), LocalBudget(clock), clock)
    told = ServerLimits(((2, timedelta(seconds=1)), (900, timedelta(seconds=1))), max_in_flight=20)
    transport(budget=budget, server_limits=lambda _: told).send(read(server))
    assert budget.limits.rates == ((2, timedelta(seconds=1)),)
    assert budget.limits.max_in_flight == 8


class Upset:
    """A dialect that finds fault with everything, in a class of its own choice."""

    def __init__(self, error: ARError) -> None:
        self._error = error

    def error(self, _: Request, __: Response) -> ARError | None:
        return self._error


def test_a_throttle_in_the_dialects_own_words_counts_as_one(
    server: LittleServer, clock: FakeClock, transport: Callable[..., Transport]
) -> None:
    server.replies = [answer(403)]
    with pytest.raises(QuotaExhausted):
        transport(dialect=Upset(RateLimited("slow down", retry_after=timedelta(seconds=60)))).send(
            write(server)
        )
    assert clock.slept == [60.0, 60.0, 60.0]


def test_an_accepted_write_with_an_unreadable_answer_is_unknown(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    with pytest.raises(WriteOutcomeUnknown, match="answered 200"):
        transport(dialect=Upset(ContractError("not JSON"))).send(write(server))


def test_a_request_that_cannot_be_written_down_is_a_configuration_error(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    with pytest.raises(ConfigurationError, match="cannot be sent"):
        transport().send(read(server, headers={"X-Note": "two\r\nlines"}))
    assert server.heard == []


def test_what_one_run_spent_is_a_difference_of_two_snapshots(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    sender = transport()
    sender.send(read(server))
    before = sender.usage()
    sender.send(read(server, metered_units=1))
    spent = sender.usage() - before
    assert (spent.calls, spent.metered_units, dict(spent.calls_by_operation)) == (1, 1, {"read thing": 1})


def test_heard_requests_name_us_and_not_the_machine(
    server: LittleServer, transport: Callable[..., Transport]
) -> None:
    transport().send(read(server))
    heard: Heard = server.heard[0]
    assert heard.headers["user-agent"].startswith("ar-connectors")
    assert "python" not in heard.headers["user-agent"].lower()
