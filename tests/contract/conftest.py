"""A line to an ERP, for each place its answers can come from: a cassette, the emulator, a real sandbox company.

| variable | meaning |
|---|---|
| `AR_CONTRACT_RECORD` | `emulator` or `sandbox`: write the cassettes anew from there (nothing else is run) |
| `AR_CONTRACT_STORE` | URL of a store in which `ar-connectors connect` has connected a sandbox company |
| `AR_CONTRACT_KEY` | the key of that store |
| `AR_CONTRACT_QUICKBOOKS` | the sandbox company's id (`AR_CONTRACT_XERO`, `AR_CONTRACT_NETSUITE` likewise) |

With the last three set, every test also runs against the sandbox. Tests make records of their own there, named `Contract ...`
and the time; use a company that is for nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.clock import Clock, SystemClock
from ar_connectors.store import Store
from ar_connectors.testkit.clock import ScriptedClock
from tests.behavior.faces import KEY, NOW
from tests.contract.partners import PARTNERS
from tests.contract.recording import SECRET, Head, Partner, played, read_cassette, recorded, shapes

CASSETTES = Path(__file__).parent / "cassettes"
RECORD = os.environ.get("AR_CONTRACT_RECORD", "")


def sandbox_of(partner: Partner) -> str | None:
    """The sandbox company's id, when one is at hand."""
    tenant = os.environ.get(f"AR_CONTRACT_{partner.name.upper()}")
    return tenant if tenant and os.environ.get("AR_CONTRACT_STORE") else None


def sources(partner: Partner) -> list[str]:
    """Where the answers of this run come from."""
    if RECORD:
        return [RECORD]
    return ["cassette", "emulator", *(["sandbox"] if sandbox_of(partner) else [])]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test module names its partner: `PARTNER = "quickbooks"`."""
    if "line" in metafunc.fixturenames:
        metafunc.parametrize("line", sources(PARTNERS[metafunc.module.PARTNER]), indirect=True)


@dataclass
class Line:
    """A connection to the company at the other end."""

    connection: ar.Connection
    store: Store
    clock: Clock
    tenant: str
    stamp: str
    """Tells the records of this run from all others."""
    base_url: str
    connect: Callable[[], ar.Connection]
    """Another connection, with the tokens that are in the store."""

    @property
    def transport(self) -> Any:
        return self.connection.transport

    def expire_token(self) -> None:
        """From now on the access token counts as old."""
        found = self.store.load_tokens(self.connection.id)
        assert found is not None
        self.store.save_tokens(
            self.connection.id, {**found[0], "access_expires_at": "2020-01-01T00:00:00+00:00"}, found[1]
        )


@pytest.fixture
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    partner = PARTNERS[request.module.PARTNER]
    name = request.function.__name__.removeprefix("test_")
    file = CASSETTES / partner.name / f"{name}.yaml"
    with ExitStack() as stack:
        made, head, plug = _open(partner, request.param, file, stack)
        stack.callback(made.store.close)
        stack.callback(made.connection.close)
        if request.param == "cassette":
            stack.enter_context(played(partner, file))
            yield made
            return
        target = file if RECORD else tmp_path / "now.yaml"
        with recorded(partner, target, head, plug):
            yield made
        if not RECORD:
            _compare(file, target)


def _open(partner: Partner, source: str, file: Path, stack: ExitStack) -> tuple[Line, Head, dict[str, str]]:
    clock: Clock
    if source == "sandbox":
        tenant, clock = sandbox_of(partner), SystemClock()
        if tenant is None:
            pytest.skip(f"no sandbox of {partner.title}: see tests/contract/conftest.py")
        store = ar.open_store(os.environ["AR_CONTRACT_STORE"], key=os.environ.get("AR_CONTRACT_KEY"))
        connect = partial(ar.connect, partner.name, tenant=tenant, store=store)
        connection = connect()
        (kept,) = [one.settings for one in store.connections() if one.id == connection.id]
        plug = {"base_url": kept["endpoints"]["api"], "token_url": kept["endpoints"]["token"]}
        head = Head(f"a {partner.title} sandbox company", clock.now(), tenant)
        return _line(connection, store, clock, head, plug, connect), head, plug
    if source == "cassette":
        head, _ = read_cassette(file)
        clock = ScriptedClock(head.at)
        plug = {
            "erp": partner.name, "tenant": head.tenant, "authorize_url": "https://vendor.example/authorize",
            **dict.fromkeys(("client_id", "client_secret", "access_token", "refresh_token"), SECRET),
            **partner.hosts,
        }  # fmt: skip
    else:
        clock = ScriptedClock(NOW)
        emulator = stack.enter_context(partner.platform.start(invoices=5, seed=11, clock=clock))
        plug = emulator.as_json()
        head = Head(f"the emulator of {partner.title} (ar-connectors)", NOW, emulator.tenant)
    store = ar.open_store("sqlite://", clock=clock, key=KEY)
    connection = partner.platform.connect(plug, store, clock)
    connect = partial(partner.platform.connect, plug, store, clock, tokens=False)
    return _line(connection, store, clock, head, plug, connect), head, plug


def _line(
    connection: ar.Connection,
    store: Store,
    clock: Clock,
    head: Head,
    plug: dict[str, str],
    connect: Callable[[], ar.Connection],
) -> Line:
    stamp = f"Contract {head.at:%Y%m%d%H%M%S}"
    return Line(connection, store, clock, head.tenant, stamp, plug["base_url"], connect)


def _compare(file: Path, now: Path) -> None:
    """What is answered now has the shape of what was recorded. An emulator may know less than a real company, never more."""
    assert file.exists(), f"there is no cassette {file.name}: AR_CONTRACT_RECORD=emulator writes it"
    head, before = read_cassette(file)
    _, after = read_cassette(now)
    assert [one[:2] for one in shapes(before)] == [one[:2] for one in shapes(after)]
    for (call, _, known), (_, _, told) in zip(shapes(before), shapes(after), strict=True):
        assert told <= known, f"{call}: the cassette does not have {sorted(told - known)}"
        if head.is_emulated:
            assert told == known, f"{call}: not told any more: {sorted(known - told)}"
