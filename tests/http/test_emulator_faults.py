"""Every named fault of the QuickBooks emulator against the transport, for a read and for a write: a class, or success."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from ar_connectors.adapterkit.session import Access
from ar_connectors.auth import ClientCredentials, MemoryStore, TokenSet
from ar_connectors.errors import (
    ARError,
    ConfigurationError,
    DuplicateError,
    PeriodClosedError,
    PermissionDenied,
    QuotaExhausted,
    ReauthorizationRequired,
    RejectedError,
    StaleVersionError,
    TransientError,
    WriteOutcomeUnknown,
)
from ar_connectors.http import (
    Endpoints,
    LocalBudget,
    Replay,
    Request,
    TenantBudget,
    Transport,
    TransportSettings,
)
from ar_connectors.quickbooks.auth import open_access
from ar_connectors.quickbooks.faults import QuickBooksDialect
from ar_connectors.quickbooks.limits import QUICKBOOKS_LIMITS
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.faults import NAMES, OUTAGES
from ar_connectors.testkit.quickbooks import Limits
from ar_connectors.testkit.server import Handle, start_quickbooks

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

# What becomes of a read and of a write when the fault strikes once; None: success.
Outcome = type[ARError] | None
MATRIX: dict[str, tuple[Outcome, Outcome]] = {
    "timeout_before_commit": (None, WriteOutcomeUnknown),
    "timeout_after_commit": (None, WriteOutcomeUnknown),
    "reset_before_commit": (None, WriteOutcomeUnknown),
    "reset_mid_body": (None, WriteOutcomeUnknown),
    "truncated_gzip": (None, WriteOutcomeUnknown),
    "unauthorized": (None, None),
    "token_killed": (None, None),
    "invalid_grant": (None, None),
    "grant_revoked": (ReauthorizationRequired, ReauthorizationRequired),
    "forbidden": (ConfigurationError, ConfigurationError),
    "permission_denied": (PermissionDenied, PermissionDenied),
    "rate_limited": (None, None),
    "rate_limited_with_retry_after": (None, None),
    "quota_exhausted": (QuotaExhausted, QuotaExhausted),
    "server_error": (None, WriteOutcomeUnknown),
    "service_unavailable": (None, WriteOutcomeUnknown),
    "gateway_xml": (None, WriteOutcomeUnknown),
    "gateway_fault": (None, WriteOutcomeUnknown),
    "fault_with_200": (RejectedError, RejectedError),
    "stale_version": (StaleVersionError, StaleVersionError),
    "period_closed": (PeriodClosedError, PeriodClosedError),
    "duplicate_request_id": (DuplicateError, DuplicateError),
    "subscription_lapsed": (PermissionDenied, PermissionDenied),
    "clock_skew": (None, None),
    "cdc_cap": (None, None),
    "unknown_enum": (None, None),
    "slow": (None, None),
}


@dataclass
class Desk:
    """A client of an emulator, on the emulator's own clock."""

    emulator: Handle
    access: Access
    transport: Transport

    def read(self) -> dict[str, object]:
        company = f"{self.emulator.base_url}/v3/company/{self.emulator.tenant}"
        params = (("query", "SELECT COUNT(*) FROM Customer"), ("minorversion", "75"))
        request = Request(
            "GET",
            f"{company}/query",
            "count Customer",
            params,
            {"Accept": "application/json"},
            metered_units=1,
        )
        found: dict[str, object] = json.loads(self.transport.send(request).body)
        return found

    def write(self) -> None:
        company = f"{self.emulator.base_url}/v3/company/{self.emulator.tenant}"
        body = json.dumps({"Note": "called, promised to pay"}).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = Request(
            "POST", f"{company}/attachable", "create Attachable", (), headers, body, Replay.UNSAFE
        )
        self.transport.send(request)

    def notes(self) -> int:
        """How many there are, from the books themselves."""
        return len(self.emulator.truth().notes)


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = ScriptedClock(NOW)
    with start_quickbooks(invoices=5, clock=clock, limits=Limits()) as emulator:
        endpoints = Endpoints(
            emulator.base_url,
            token=emulator.token_url,
            authorize=emulator.authorize_url,
            revoke=emulator.revoke_url,
        )
        store = MemoryStore(clock)
        access = open_access(
            emulator.tenant,
            ClientCredentials(emulator.client_id, emulator.client_secret),
            tokens=store,
            leases=store,
            clock=clock,
            jitter=lambda: 0.5,
            owner="desk",
            endpoints=endpoints,
        )
        access.keeper.seed(TokenSet(emulator.access_token, emulator.refresh_token))
        transport = Transport(
            "quickbooks",
            emulator.tenant,
            endpoints,
            QuickBooksDialect(emulator.tenant),
            access.signer,
            clock=clock,
            jitter=lambda: 0.5,
            budget=TenantBudget("quickbooks", QUICKBOOKS_LIMITS, LocalBudget(clock), clock),
            settings=TransportSettings(connect_timeout=0.5, read_timeout=0.5),
            redactor=access.redactor,
        )
        yield Desk(emulator, access, transport)
        transport.close()
        access.close()


def test_every_named_fault_has_its_line_in_the_matrix() -> None:
    assert set(MATRIX) == set(NAMES)


@pytest.mark.parametrize("name", MATRIX)
def test_a_read_meets_every_fault(name: str, desk: Desk) -> None:
    expected = MATRIX[name][0]
    desk.emulator.faults.add(name)
    if expected is None:
        assert "QueryResponse" in desk.read()
        return
    with pytest.raises(expected) as caught:
        desk.read()
    assert type(caught.value) is expected
    assert (caught.value.platform, caught.value.tenant) == ("quickbooks", desk.emulator.tenant)
    assert desk.emulator.access_token not in str(caught.value)


@pytest.mark.parametrize("name", MATRIX)
def test_a_write_meets_every_fault_and_happens_at_most_once(name: str, desk: Desk) -> None:
    expected = MATRIX[name][1]
    before = desk.notes()
    desk.emulator.faults.add(name, on="create Attachable")
    if expected is None:
        desk.write()
        assert desk.notes() == before + 1
        return
    with pytest.raises(expected) as caught:
        desk.write()
    assert type(caught.value) is expected
    done = desk.notes() - before
    happened = {"timeout_after_commit", "reset_mid_body", "truncated_gzip"}
    assert done == (1 if name in happened else 0)


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_server_that_cannot_be_reached_is_transient_for_both(outage: str, desk: Desk) -> None:
    desk.read()
    desk.transport.close()
    with desk.emulator.outage(outage):
        for call in (desk.read, desk.write):
            with pytest.raises(TransientError, match="after 5 tries"):
                call()
    desk.write()
    assert "QueryResponse" in desk.read()


def test_our_limits_keep_us_below_intuits(desk: Desk) -> None:
    began = desk.emulator.clock.now()
    for _ in range(200):
        desk.read()
    usage = desk.transport.usage()
    assert (usage.calls, usage.retries, usage.metered_units) == (200, 0, 200)
    assert desk.emulator.clock.now() - began >= timedelta(seconds=24)


def test_a_month_that_is_used_up_is_said_after_three_minutes_and_not_slept_through(desk: Desk) -> None:
    desk.emulator.faults.add("quota_exhausted")
    began = desk.emulator.clock.now()
    with pytest.raises(QuotaExhausted, match="used-up quota"):
        desk.read()
    assert timedelta(minutes=2) <= desk.emulator.clock.now() - began <= timedelta(minutes=4)


def test_an_hour_later_the_token_is_refreshed_before_the_call(desk: Desk) -> None:
    desk.access.keeper.replace(desk.emulator.access_token)
    refreshes = desk.emulator.service.authority.calls["token refresh"]
    desk.emulator.clock.advance(timedelta(minutes=56))
    desk.read()
    assert desk.emulator.service.authority.calls["token refresh"] == refreshes + 1
    assert desk.transport.usage().retries == 0


def test_a_year_of_daily_work_needs_one_consent(desk: Desk) -> None:
    for _ in range(365):
        desk.emulator.clock.advance(timedelta(days=1))
        desk.read()
    tokens = desk.access.keeper.current()
    assert tokens.refresh_token != desk.emulator.refresh_token
    assert tokens.refresh_hard_expires_at is not None
    assert tokens.refresh_hard_expires_at - desk.emulator.clock.now() < timedelta(days=4 * 365 + 1)
    desk.emulator.clock.advance(timedelta(days=101))
    with pytest.raises(ReauthorizationRequired):
        desk.read()
