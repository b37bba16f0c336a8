"""Every named fault in every kind of run: the right class of error or success, and nothing is lost afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ar_connectors.errors import ReauthorizationRequired, TransientError
from ar_connectors.testkit.faults import NAMES, OUTAGES
from tests.behavior.faces import FACES, Face, opened
from tests.faces import each


@pytest.fixture(params=sorted(FACES))
def face(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A company that gives a silent platform up soon."""
    with opened(request.param, tmp_path, monkeypatch, patience=0.8) as made:
        yield made


@pytest.mark.parametrize("name", sorted(FACES))
def test_every_named_fault_has_its_line(name: str) -> None:
    faults = FACES[name].faults
    groups = [faults.passes, set(faults.fails), faults.tokens, faults.unknown]
    assert set().union(*groups) == set(NAMES)
    assert sum(map(len, groups)) == len(NAMES), "a fault has two lines"


def changed(face: Face) -> None:
    for story in face.platform.stories:
        face.change(story)


@pytest.mark.parametrize("where", ["anywhere", "invoices", "payments"])
@pytest.mark.parametrize(("face", "fault"), each(lambda one: one.faults.passes), indirect=["face"])
def test_a_passing_fault_in_a_first_load_costs_nothing_but_time(face: Face, fault: str, where: str) -> None:
    face.emulator.faults.add(fault, on=face.platform.reads.get(where, "*"))
    assert face.sync().complete
    assert fault in face.platform.faults.silent or face.emulator.stats.faults[fault] == 1
    face.emulator.faults.clear()
    face.sync()
    assert face.differences() == []


@pytest.mark.parametrize(("face", "fault"), each(lambda one: one.faults.passes), indirect=["face"])
def test_a_passing_fault_in_an_incremental_run_costs_nothing_but_time(face: Face, fault: str) -> None:
    face.sync()
    changed(face)
    face.emulator.faults.add(fault)
    assert face.sync().complete
    face.emulator.faults.clear()
    face.sync()
    assert face.differences() == []


@pytest.mark.parametrize("when", ["first load", "incremental"])
@pytest.mark.parametrize(("face", "fault"), each(lambda one: one.faults.fails), indirect=["face"])
def test_a_fault_that_stays_has_its_class_and_loses_nothing(face: Face, fault: str, when: str) -> None:
    if when == "incremental":
        face.sync()
        changed(face)
    face.emulator.faults.add(fault, times=None, after=2 if when == "first load" else 0)
    with pytest.raises(face.platform.faults.fails[fault]) as caught:
        face.sync()
    assert caught.value.platform == face.emulator.erp
    assert caught.value.tenant == face.emulator.tenant
    assert caught.value.operation
    assert caught.value.advice
    face.emulator.faults.clear()
    face.clock.sleep(24 * 3600)
    assert face.sync().complete
    assert face.differences() == []


@pytest.mark.parametrize(("face", "fault"), each(lambda one: one.faults.lasting), indirect=["face"])
def test_a_fault_that_strikes_again_and_again_ends_in_its_class(face: Face, fault: str) -> None:
    face.emulator.faults.add(fault, on=face.platform.reads["invoices"], times=None)
    with pytest.raises(face.platform.faults.lasting[fault]):
        face.sync()
    face.emulator.faults.clear()
    assert face.sync().complete
    assert face.differences() == []


@pytest.mark.parametrize("when", ["first load", "incremental"])
@pytest.mark.parametrize(("face", "fault"), each(lambda one: one.faults.tokens), indirect=["face"])
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
