"""How does a NetSuite account get connected? A key pair made here, its certificate uploaded by a person, and two ids typed in."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import click

from ar_connectors import api
from ar_connectors.cli.connected import done, need_key
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb, zone
from ar_connectors.connector import ChecksItself
from ar_connectors.errors import ConfigurationError
from ar_connectors.http import Endpoints
from ar_connectors.netsuite.account import account as account_of
from ar_connectors.netsuite.auth import CertificateCredentials
from ar_connectors.netsuite.keys import new_key_pair, upload_advice

__all__ = ["netsuite"]


@click.command()
@click.option("--account", help="The account id, for example 1234567 or 1234567_SB1.")
@click.option("--client-id", help="Consumer Key of the integration record.")
@click.option("--certificate-id", help="Of the M2M setup page, after the upload.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Private key (PEM). Where the file does not exist, a new pair is made: the key there, its certificate beside it.",
)
@click.option(
    "--zone", "time_zone", callback=zone, help="The company's time zone (IANA); asked for when left out."
)
@click.option(
    "--settings",
    type=click.File("r"),
    help="JSON with settings of the connection: activities, fields (checked at once), custom_fields, bad_debt_accounts; see the README.",
)
@click.option(
    "--emulator",
    type=click.File("r"),
    help="Connect to an emulator instead: the JSON line that `testkit serve netsuite` printed (- for standard input).",
)
@click.option(
    "--check/--no-check",
    "checked",
    default=True,
    help="Try each right of the role, and tell which are missing.",
)
@json_option
@pass_shell
@verb
def netsuite(
    shell: Shell,
    *,
    checked: bool,
    account: str | None,
    client_id: str | None,
    certificate_id: str | None,
    key_file: Path | None,
    time_zone: str | None,
    settings: TextIO | None,
    emulator: TextIO | None,
) -> Exit | None:
    """Connect a NetSuite account, machine to machine: no browser, no refresh token. Without --certificate-id a key pair is made
    and what has to be done in NetSuite is printed; run it again with the ids that NetSuite shows."""
    need_key(shell)
    given = _settings(settings)
    if emulator is not None:
        return _done(shell, _to_emulator(shell, emulator.read(), time_zone, given), checked=checked)
    account = account or click.prompt("Account id (Setup > Company > Company Information)")
    one = account_of(account)
    file = key_file or Path(f"netsuite-{one.realm}.pem")
    if not file.exists():
        certificate = file.with_suffix(".crt.pem")
        pair = new_key_pair(f"ar-connectors {one.realm}", shell.clock.now())
        _write_private(file, pair.private_key)
        certificate.write_text(pair.certificate, encoding="ascii")
        steps = upload_advice(one, str(certificate))
        data = {
            "key": str(file),
            "certificate": str(certificate),
            "expires_at": pair.expires_at,
            "steps": steps,
        }
        shell.emit(data, lambda: shell.out.print("\n".join(steps), markup=False, soft_wrap=True))
        if not certificate_id and (shell.as_json or not shell.err.is_terminal):
            return None
    client_id = client_id or click.prompt("Consumer Key of the integration (client id)")
    certificate_id = certificate_id or click.prompt("Certificate ID of the M2M setup page")
    time_zone = time_zone or click.prompt("Time zone of the company", default="America/New_York")
    conn = api.connect(
        "netsuite",
        tenant=one.realm,
        store=shell.store,
        credentials=CertificateCredentials(client_id, certificate_id, file.read_text(encoding="ascii")),
        settings={"time_zone": zone(click.get_current_context(), None, time_zone), **given},
        clock=shell.clock,
    )
    return _done(shell, conn, checked=checked)


_SETTINGS: Final = ("activities", "fields", "custom_fields", "bad_debt_accounts", "day_first")


def _settings(file: TextIO | None) -> dict[str, Any]:
    """The settings in a file. Raises ConfigurationError for what is none."""
    if file is None:
        return {}
    try:
        found = json.loads(file.read())
    except ValueError as error:
        raise _no_settings(f"the file of --settings is no JSON: {error}") from error
    unknown = sorted(set(found) - set(_SETTINGS)) if isinstance(found, dict) else ["that is no object"]
    if unknown:
        raise _no_settings(f"there is no setting {', '.join(unknown)}")
    return dict(found)


def _no_settings(message: str) -> ConfigurationError:
    advice = f'for example {{"fields": {{"promise_amount": "custbody_ptp_amount"}}}}; settings are {", ".join(_SETTINGS)}'
    return ConfigurationError(message, advice=advice)


def _done(shell: Shell, conn: api.Connection, *, checked: bool) -> Exit | None:
    """The word at the end, and what the role lacks, right by right. Raises ConfigurationError where custom fields were given that
    cannot be used, or the role cannot write them."""
    problems: Sequence[str] = ()
    if checked and isinstance(conn.connector, ChecksItself):
        problems = conn.connector.problems()
    if problems and shell.store.connection(conn.id).settings.get("fields"):
        raise ConfigurationError(
            f"{conn.id} is connected, and cannot do all that was asked for: {'; '.join(problems)}",
            advice="mend it in NetSuite, or connect again with other --settings; `ar-connectors check` tries again",
        )
    ended = done(shell, conn)
    for one in problems:
        shell.err.print(f"- {one}", markup=False, soft_wrap=True)
    return Exit.FINDINGS if problems else ended


def _write_private(file: Path, text: str) -> None:
    """Write a secret that only its owner may read; never over an existing file."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(text)


def _to_emulator(shell: Shell, line: str, time_zone: str | None, given: Mapping[str, Any]) -> api.Connection:
    try:
        told: dict[str, Any] = json.loads(line.strip().splitlines()[0])
        credentials = CertificateCredentials(told["client_id"], told["certificate_id"], told["private_key"])
        endpoints = Endpoints(api=told["base_url"], token=told["token_url"])
        tenant = str(told["account"])
    except (ValueError, KeyError, IndexError) as error:
        raise ConfigurationError(
            "this is not the line of a NetSuite emulator",
            advice="ar-connectors testkit serve netsuite > line.json",
        ) from error
    return api.connect(
        "netsuite",
        tenant=tenant,
        store=shell.store,
        credentials=credentials,
        endpoints=endpoints,
        settings={"time_zone": time_zone or "America/New_York", **given},
        clock=shell.clock,
    )
