"""What the shared suites must know of a platform: how its emulator is started and connected to, and what is expected, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import ar_connectors as ar
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.clock import Clock
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
from ar_connectors.http import Endpoints, Request
from ar_connectors.store import Store
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.running import Running
from ar_core.commands import Command
from tests.behavior.stories import STORIES, Story
from tests.behavior.truth import Shown

__all__ = ["Calls", "Faults", "Platform", "Plug", "connect_by_oauth"]

Plug = Mapping[str, str]
"""What an emulator's JSON line says (`Running.as_json`): all that a client in another process needs."""


@dataclass(frozen=True)
class Faults:
    """What becomes of each named fault. Every name of the testkit is in `passes`, `fails`, `tokens` or `unknown`."""

    passes: frozenset[str] = frozenset(
        {
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
    )
    """Struck once, these cost a second try at most."""
    silent: frozenset[str] = frozenset({"cdc_cap"})
    """Of those that pass: may have no occasion to strike."""
    fails: Mapping[str, type[ARError]] = field(
        default_factory=lambda: {
            "forbidden": ConfigurationError,
            "permission_denied": PermissionDenied,
            "quota_exhausted": QuotaExhausted,
            "fault_with_200": RejectedError,
            "stale_version": StaleVersionError,
            "period_closed": PeriodClosedError,
            "duplicate_request_id": DuplicateError,
            "subscription_lapsed": PermissionDenied,
        }
    )
    """These do not go away by asking again."""
    lasting: Mapping[str, type[ARError]] = field(
        default_factory=lambda: {
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
    )
    """What remains of a fault that strikes every time."""
    tokens: frozenset[str] = frozenset({"grant_revoked", "invalid_grant"})
    """After these a person must connect again: ReauthorizationRequired."""
    unknown: frozenset[str] = frozenset()
    """Names that mean nothing on this platform; `faults` of its fidelity says why."""
    written: Mapping[str, str | type[ARError]] = field(
        default_factory=lambda: {
            "forbidden": ConfigurationError,
            "grant_revoked": ReauthorizationRequired,
            "invalid_grant": ReauthorizationRequired,
            "permission_denied": "rejected",
            "subscription_lapsed": "rejected",
            "fault_with_200": "rejected",
            "period_closed": "degraded",
        }
    )
    """How a delivery that is struck once ends: its command is `rejected`, or stands in another place (`degraded`), or the
    error is raised and the command waits. Not named here: confirmed at last."""


@dataclass(frozen=True)
class Calls:
    """How many calls a sync may cost, counted by the emulator."""

    first_load: Callable[[Ledger], int]
    idle: int
    """An incremental run in which nothing happened."""
    feeds: int
    """Calls of a run with changes that are not by id."""
    by_id: Callable[[str], bool]
    """Whether an operation reads records by id."""


@dataclass(frozen=True)
class Platform:
    """One ERP, its emulator, and what is expected of the two together."""

    name: str
    start: Callable[..., AbstractContextManager[Running[Any]]]
    """Takes invoices, seed, clock, limits and touch_links, as all emulators do."""
    connect: Callable[..., ar.Connection]
    """(plug, store, clock) -> a connection; `tokens=False` takes those that the store has."""
    transport: str
    """Dotted name under which a session finds the class Transport, to be given less patience."""
    page_sizes: tuple[str, ...]
    """Dotted names of the constants that say how much is asked for at once, to be made small."""
    identify: Callable[[Running[Any], str, str], str]
    """(emulator, kind, id in the ledger) -> id of our record."""
    calls: Calls
    reads: Mapping[str, str]
    """What a first load reads, in order: a word for it -> pattern of its operations."""
    pages: str
    """Operation that reads payments page by page."""
    write: str
    """Operation that writes a note."""
    recount: str | None
    """Operation that finds at the end of a pass that a row was missed; None where no pass can miss one."""
    invoice_page: Callable[[Request], bool]
    """Whether a request asks for a page of invoices."""
    rows: tuple[str, ...]
    """Where the rows are in such a page's answer."""
    fields: Mapping[str, str]
    """What an invoice's row calls its `id`, `total`, `issued` date, `number`, and a `word` out of a list (a status)."""
    other_tenant: str
    """The id of a company that the emulator's credentials are not for."""
    lies: Mapping[str, frozenset[str]]
    """Each lie of the emulator -> topics of the comparison in which it shows, at least."""
    standing: Callable[[Running[Any]], Counter[tuple[str, str]]]
    """How often each of our records stands at each document: (record id of the document, local uuid) -> times."""
    expected: Callable[[Iterable[Command]], set[tuple[str, str]]]
    """Where commands must stand once they are delivered, in the same terms."""
    max_in_flight: int
    regrant: Callable[[Running[Any]], Plug]
    """What changes in the plug when a person connects again."""
    renewal: str = "token refresh"
    """Operation that gets another access token."""
    counts_first: bool = False
    """Whether a stream tells how much is to come before it comes."""
    forgetful: Mapping[str, Any] = field(default_factory=dict)
    """Options under which its emulator does not recognize an idempotency key that comes again."""
    shown: Shown = field(default_factory=Shown)
    """What of the books the platform shows."""
    faults: Faults = field(default_factory=Faults)
    discreet: bool = True
    """Whether it may be that a payment does not give what it settles a new version."""
    touching: tuple[Story, ...] = ()
    """Stories that certainly give all they touch a new version, because they happen in other steps there."""
    whole: Callable[[str], str] = lambda number: number
    """Id of a payment in `shown.payments` -> id of the payment in the books that it is a part of."""
    shares_books: bool = True
    """Whether its company of a seed is the one that the other emulators show for that seed."""
    unlike: Mapping[str, str] = field(default_factory=dict)
    """What it cannot express or expresses in its own way, in `one_form`: topic or `topic.field` -> why."""
    stories: tuple[Story, ...] = STORIES
    """Those that can happen on it."""


def connect_by_oauth(
    plug: Plug, store: Store, clock: Clock, *, tokens: bool = True, **options: Any
) -> ar.Connection:
    """A connection with keys and tokens of the OAuth code flow."""
    return ar.connect(
        plug["erp"],
        tenant=plug["tenant"],
        store=store,
        credentials=ClientCredentials(plug["client_id"], plug["client_secret"]),
        tokens=TokenSet(plug["access_token"], plug["refresh_token"]) if tokens else None,
        endpoints=Endpoints(api=plug["base_url"], token=plug["token_url"], authorize=plug["authorize_url"]),
        clock=clock,
        **{"settings": {"time_zone": "America/Los_Angeles"}, **options},
    )
