"""What does every verb share? The store, the clock, the key, the output: built once per invocation, from flags and environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from dataclasses import fields as dataclass_fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property, wraps
from typing import Any, NoReturn, ParamSpec
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from ar_connectors import api
from ar_connectors.cli.exits import Exit, exit_for
from ar_connectors.clock import Clock, SystemClock
from ar_connectors.errors import ARError, ConfigurationError
from ar_connectors.events import Event, Waiting
from ar_connectors.http import CallBudget
from ar_connectors.store import Store
from ar_core import AsOf

__all__ = ["Shell", "fail", "json_option", "pass_shell", "to_json", "verb", "zone"]

P = ParamSpec("P")

STORE_VARIABLE = "AR_CONNECTORS_STORE"
KEY_VARIABLE = "AR_CONNECTORS_KEY"
DEFAULT_STORE = "sqlite:///ar.db"


@dataclass
class Shell:
    """The state of one invocation."""

    store_url: str = DEFAULT_STORE
    clock: Clock = field(default_factory=SystemClock)
    as_json: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    @cached_property
    def key(self) -> str | None:
        """The encryption key for tokens at rest, from the environment or the keyring; None when neither has one."""
        return os.environ.get(KEY_VARIABLE) or _key_from_keyring()

    @cached_property
    def store(self) -> Store:
        """The opened store; made and migrated on first use."""
        return api.open_store(self.store_url, clock=self.clock, key=self.key, observer=self._heard)

    def _heard(self, event: Event) -> None:
        """What the store tells: that a person has to be patient."""
        if isinstance(event, Waiting):
            self.err.print("waiting for the store: another process writes to it", style="dim")

    def connect(
        self,
        connection_id: str,
        *,
        observer: Callable[[Event], None] | None = None,
        max_calls: int | None = None,
        max_metered_units: int | None = None,
    ) -> api.Connection:
        """The connection, with the keys and tokens that the store keeps for it."""
        known = self.store.connection(connection_id)
        cap = None
        if max_calls is not None or max_metered_units is not None:
            cap = CallBudget(max_calls, max_metered_units)
        return api.connect(
            known.platform,
            tenant=known.tenant,
            store=self.store,
            observer=observer,
            cap=cap,
            clock=self.clock,
        )

    def connection_id(self, given: str | None) -> str:
        """The connection a verb works on: the one named, or the only one there is. Raises ConfigurationError."""
        known = [one.id for one in self.store.connections()]
        if given is not None:
            if given in known:
                return given
            raise ConfigurationError(
                f"there is no connection {given!r} in this store",
                advice=f"known: {', '.join(known) or 'none'}; make one with `ar-connectors connect`",
            )
        if len(known) == 1:
            return known[0]
        if not known:
            raise ConfigurationError(
                "this store has no connection yet", advice="make one with `ar-connectors connect`"
            )
        raise ConfigurationError(
            "several connections are in this store", advice=f"name one with -c: {', '.join(known)}"
        )

    def as_of(self, connection_id: str, instant: datetime | None = None) -> AsOf:
        """The as-of moment in the company's time zone, which was asked when it was connected. Raises ConfigurationError."""
        zone = self.store.connection(connection_id).settings.get("time_zone")
        if not zone:
            raise ConfigurationError(
                f"the time zone of {connection_id} is not known",
                advice="set it with `ar-connectors connections set-zone`; it is never guessed",
            )
        return AsOf(instant=instant or self.clock.now(), zone=str(zone))

    def emit(self, data: Any, show: Callable[[], None]) -> None:
        """Print `data` as JSON under `--json`, else what `show` draws for people."""
        if self.as_json:
            click.echo(json.dumps(to_json(data), indent=2, ensure_ascii=False))
        else:
            show()

    def complain(self, error: ARError) -> None:
        """Say for people what went wrong, and in a line of its own what to do about it."""
        self.err.print(Text(f"{type(error).__name__}: ", style="bold red") + Text(error.told()))
        self.err.print(Text(f"  what to do: {error.advice}"))


def _console(*, stderr: bool) -> Console:
    """A console as wide as the terminal; 120 columns where the output goes into a file or a pipe."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=120)


pass_shell = click.make_pass_decorator(Shell, ensure=True)


def to_json(value: Any) -> Any:
    """Any value of this library as JSON-ready data: amounts as text, instants and days in ISO form, enums by value."""
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if hasattr(value, "to_json"):
        return to_json(value.to_json())
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_json(getattr(value, one.name)) for one in dataclass_fields(value)}
    if isinstance(value, Mapping):
        return {str(to_json(name)): to_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [to_json(one) for one in items]
    return str(value)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb its `--json` flag; it sets `shell.as_json`."""

    def remember(context: click.Context, _: click.Parameter, value: bool) -> None:
        context.ensure_object(Shell).as_json |= value

    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Print JSON instead of tables.",
    )(function)


def verb(function: Callable[P, Exit | None]) -> Callable[P, None]:
    """Turn failures of this library into one line and the documented exit code; a verb returns its exit code or None."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        shell = click.get_current_context().ensure_object(Shell)
        try:
            code = function(*args, **kwargs)
        except ARError as error:
            fail(shell, error)
        if code:
            sys.exit(int(code))

    return run


def fail(shell: Shell, error: ARError, code: Exit | None = None) -> NoReturn:
    """Report a failure and exit with its code, or with the one given."""
    code = exit_for(error) if code is None else code
    if shell.as_json:
        click.echo(json.dumps({**error.to_json(), "exit_code": int(code)}, indent=2, ensure_ascii=False))
    else:
        shell.complain(error)
    sys.exit(int(code))


def zone(_: click.Context, __: click.Parameter | None, value: str | None) -> str | None:
    """Check an IANA time zone name given on the command line."""
    if value is None:
        return None
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.BadParameter(
            f"{value!r} is not an IANA time zone; try for example America/New_York"
        ) from error
    return value


def _key_from_keyring() -> str | None:
    """The key from the system's keyring, where the `keyring` extra is installed."""
    try:
        import keyring
    except ImportError:
        return None
    from keyring.errors import KeyringError

    try:
        return keyring.get_password("ar-connectors", "store-key")
    except KeyringError:
        # A machine without a keyring service is the normal case for a server; the environment variable serves there.
        return None
