"""Every named fault in every kind of run: the right class of error or success, and nothing is lost afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
)
from ar_connectors.testkit.faults import NAMES, OUTAGES
from tests.behavior.faces import FACES, Face
from tests.behavior.stories import STORIES

PASSES = {
    "timeout_before_commit",
    "timeout_after_commit",
    "reset_before_commit",
    "reset_mid_body",
    "truncated_gzip",
    "unauthorized",
    "token_killed",
    "rate_limited",
    "rate_limited_with_retry_after",
    "server_error",
    "service_unavailable",
    "gateway_xml",
    "gateway_fault",
    "clock_skew",
    "cdc_cap",
    "unknown_enum",
    "slow",
}
"""Struck once, these cost a second try at most."""

FAILS: dict[str, type[ARError]] = {
    "forbidden": ConfigurationError,
    "permission_denied": PermissionDenied,
    "quota_exhausted": QuotaExhausted,
    "fault_with_200": RejectedError,
    "stale_version": StaleVersionError,
    "period_closed": PeriodClosedError,
    "duplicate_request_id": DuplicateError,
    "subscription_lapsed": PermissionDenied,
}
"""These do not go away by asking again."""

LASTING: dict[str, type[ARError]] = {
    "timeout_before_commit": TransientError,
    "reset_before_commit": TransientError,
    "reset_mid_body": TransientError,
    "truncated_gzip": TransientError,
    "rate_limited": QuotaExhausted,
    "server_error": TransientError,
    "service_unavailable": TransientError,
    "gateway_xml": TransientError,
    "gateway_fault": TransientError,
}
"""What remains of a fault that strikes every time."""

TOKENS = {"grant_revoked", "invalid_grant"}
"""After these a person must connect again."""

ANYTHING = ("*", "query Invoice", "query Payment")


@pytest.fixture(params=sorted(FACES))
def face(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A company that gives a silent platform up soon."""
    with FACES[request.param](tmp_path, monkeypatch, patience=0.8) as made:
        yield made


def test_every_named_fault_has_its_line_here() -> None:
    assert PASSES | set(FAILS) | TOKENS == set(NAMES)


def changed(face: Face) -> None:
    for story in STORIES:
        face.change(story)


@pytest.mark.parametrize("on", ANYTHING)
@pytest.mark.parametrize("fault", sorted(PASSES))
def test_a_passing_fault_in_a_first_load_costs_nothing_but_time(face: Face, fault: str, on: str) -> None:
    face.emulator.faults.add(fault, on=on)
    assert face.sync().complete
    assert fault == "cdc_cap" or face.emulator.stats.faults[fault] == 1
    face.emulator.faults.clear()
    face.sync()
    assert face.differences() == []


@pytest.mark.parametrize("fault", sorted(PASSES))
def test_a_passing_fault_in_an_incremental_run_costs_nothing_but_time(face: Face, fault: str) -> None:
    face.sync()
    changed(face)
    face.emulator.faults.add(fault)
    assert face.sync().complete
    face.emulator.faults.clear()
    face.sync()
    assert face.differences() == []


@pytest.mark.parametrize("when", ["first load", "incremental"])
@pytest.mark.parametrize("fault", sorted(FAILS))
def test_a_fault_that_stays_has_its_class_and_loses_nothing(face: Face, fault: str, when: str) -> None:
    if when == "incremental":
        face.sync()
        changed(face)
    face.emulator.faults.add(fault, times=None, after=2 if when == "first load" else 0)
    with pytest.raises(FAILS[fault]) as caught:
        face.sync()
    assert caught.value.platform == face.emulator.erp
    assert caught.value.tenant == face.emulator.tenant
    assert caught.value.operation
    assert caught.value.advice
    face.emulator.faults.clear()
    face.clock.sleep(24 * 3600)
    assert face.sync().complete
    assert face.differences() == []


@pytest.mark.parametrize("fault", sorted(LASTING))
def test_a_fault_that_strikes_again_and_again_ends_in_its_class(face: Face, fault: str) -> None:
    face.emulator.faults.add(fault, on="query Invoice", times=None)
    with pytest.raises(LASTING[fault]):
        face.sync()
    face.emulator.faults.clear()
    assert face.sync().complete
    assert face.differences() == []


@pytest.mark.parametrize("when", ["first load", "incremental"])
@pytest.mark.parametrize("fault", sorted(TOKENS))
def test_dead_credentials_ask_for_a_person_and_lose_nothing(face: Face, fault: str, when: str) -> None:
    if when == "incremental":
        face.sync()
        changed(face)
    if fault == "invalid_grant":
        face.emulator.faults.add("token_killed", after=1 if when == "first load" else 0)
        face.emulator.faults.add("invalid_grant", on="token*", times=None)
    else:
        face.emulator.faults.add(fault)
    with pytest.raises(ReauthorizationRequired):
        face.sync()
    face.emulator.faults.clear()
    face.reconnect()
    assert face.sync().complete
    assert face.differences() == []


@pytest.mark.parametrize("when", ["first load", "incremental"])
@pytest.mark.parametrize("outage", sorted(OUTAGES))
def test_an_outage_is_transient_and_loses_nothing(face: Face, outage: str, when: str) -> None:
    if when == "incremental":
        face.sync()
        changed(face)
    with face.emulator.outage(outage), pytest.raises(TransientError):
        face.sync()
    assert face.sync().complete
    assert face.differences() == []
