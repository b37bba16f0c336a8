"""Cassettes: what an ERP answered, kept as text. The same test plays one, or asks the emulator, or asks a real sandbox company.

A cassette is vcrpy's YAML with a head that says where it is from and when:

    recorded:
      from: the emulator of QuickBooks (ar-connectors)      # or: a QuickBooks sandbox company
      at: '2026-11-20T17:00:00+00:00'                       # the clock of the run; replaying starts it again there
      tenant: '9341453000000000001'

Secrets never get into it: tokens, keys and the Authorization header are replaced before anything is written, and hosts become
the vendor's, so that a cassette does not tell where it was recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode

import vcr
import yaml
from vcr.stubs import VCRHTTPResponse

from tests.faces.platform import Platform

__all__ = ["SECRET", "Head", "Partner", "played", "read_cassette", "recorded", "shapes"]

SECRET = "NOT-RECORDED"
"""Stands in a cassette where a secret was."""

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

KEPT_HEADERS = frozenset({"content-type", "retry-after", "date"})
"""Of an answer; the rest tells of machines, not of the contract."""


@dataclass(frozen=True)
class Partner:
    """Who is at the other end of a contract: one small module for each ERP makes one."""

    platform: Platform
    title: str
    hosts: Mapping[str, str]
    """Key of the emulator's plug (`base_url`, `token_url`) -> the vendor's address, which stands in the cassette."""
    secrets: frozenset[str] = frozenset(
        {"access_token", "refresh_token", "client_id", "client_secret", "assertion"}
    )
    """Names of form fields and of fields of an answer that are never written down."""

    @property
    def name(self) -> str:
        return self.platform.name


@dataclass(frozen=True)
class Head:
    """Where a cassette is from."""

    source: str
    at: datetime
    tenant: str

    @property
    def is_emulated(self) -> bool:
        return self.source.startswith("the emulator")


def read_cassette(file: Path) -> tuple[Head, list[dict[str, Any]]]:
    """Head and interactions of a cassette."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    head = document["recorded"]
    return Head(head["from"], datetime.fromisoformat(head["at"]), head["tenant"]), document["interactions"]


@contextmanager
def played(partner: Partner, file: Path) -> Iterator[None]:
    """Inside, every call is answered from the cassette; one that is not in it is an error."""
    with _playing(_player(partner, {}, None), file, "none") as cassette:
        yield
        assert cassette.all_played, "the cassette holds calls that were not made: record it again"


@contextmanager
def recorded(partner: Partner, file: Path, head: Head, plug: Mapping[str, str]) -> Iterator[None]:
    """Inside, calls go out, and are written down at the end, in place of what the file held."""
    file.unlink(missing_ok=True)
    with _playing(_player(partner, plug, head), file, "all"):
        yield


class _Answer(VCRHTTPResponse):  # type: ignore[misc]
    """vcrpy's answer, as our transport wants it: read from the socket as it comes, and packed only where it says so."""

    def __init__(self, recorded: dict[str, Any], url: str | None = None) -> None:
        headers = {
            name: value for name, value in recorded["headers"].items() if name.lower() != "content-encoding"
        }
        super().__init__({**recorded, "headers": headers}, url)

    def read1(self, amount: int = -1, **_: Any) -> bytes:
        part: bytes = self._content.read1(amount)
        return part


def _player(partner: Partner, plug: Mapping[str, str], head: Head | None) -> Any:
    scrub = _Scrubber(partner, plug)
    player = vcr.VCR(
        serializer="headed",
        match_on=("method", "scheme", "host", "path", "query", "body"),
        before_record_request=scrub.request,
        before_record_response=scrub.response,
    )
    player.register_serializer("headed", _Serializer(head))
    return player


@contextmanager
def _playing(player: Any, file: Path, mode: str) -> Iterator[Any]:
    with (
        patch("vcr.stubs.VCRHTTPResponse", _Answer),
        player.use_cassette(str(file), record_mode=mode) as cassette,
    ):
        yield cassette


class _Serializer:
    """vcrpy's YAML with a head on top."""

    def __init__(self, head: Head | None) -> None:
        self._head = head

    def serialize(self, cassette: dict[str, Any]) -> str:
        assert self._head is not None, "nothing is written while a cassette is played"
        about = {"from": self._head.source, "at": self._head.at.isoformat(), "tenant": self._head.tenant}
        text: str = yaml.safe_dump(
            {"recorded": about, **cassette}, sort_keys=False, allow_unicode=True, width=110
        )
        return text

    def deserialize(self, text: str) -> dict[str, Any]:
        document: dict[str, Any] = yaml.safe_load(text)
        document.pop("recorded")
        return document


class _Scrubber:
    """Takes secrets and places out of what is recorded, and of what is compared with it."""

    def __init__(self, partner: Partner, plug: Mapping[str, str]) -> None:
        self._secrets = partner.secrets
        # The longest first: a token URL may begin with the API's host.
        pairs = [(plug[key], address) for key, address in partner.hosts.items() if key in plug]
        self._places = sorted(pairs, key=lambda pair: -len(pair[0]))

    def request(self, request: Any) -> Any:
        request = deepcopy(request)  # the one that goes out keeps what it has
        for here, there in self._places:
            if request.uri.startswith(here):
                request.uri = there + request.uri.removeprefix(here)
                break
        request.headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in {"accept", "content-type"}
        }
        kind = str(request.headers.get("Content-Type", ""))
        if request.body and "x-www-form-urlencoded" in kind:
            request.body = self._form(_text(request.body))
        elif request.body and "json" in kind:
            request.body = self._json(_text(request.body))
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        response = deepcopy(response)
        headers = response["headers"]
        response["headers"] = {name: headers[name] for name in headers if name.lower() in KEPT_HEADERS}
        body = _text(response["body"]["string"])
        response["body"]["string"] = self._json(body).encode()
        return response

    def _form(self, body: str) -> bytes:
        fields = parse_qsl(body, keep_blank_values=True)
        return urlencode(
            [(name, SECRET if name in self._secrets else value) for name, value in fields]
        ).encode()

    def _json(self, body: str) -> str:
        try:
            document = json.loads(body)
        except ValueError:
            return body
        if not isinstance(document, dict) or not self._secrets & document.keys():
            return body  # to the letter: how an ERP writes a number is a part of the contract
        return json.dumps({name: SECRET if name in self._secrets else one for name, one in document.items()})


def _text(body: bytes | str | Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)


def shapes(interactions: list[dict[str, Any]]) -> list[tuple[str, int, frozenset[str]]]:
    """What each call looks like without its values: method and path, status, and the paths in the answer with their types."""
    found = []
    for one in interactions:
        request, response = one["request"], one["response"]
        path = request["uri"].partition("?")[0].partition("://")[2].partition("/")[2]
        body = response["body"]["string"]
        try:
            document = json.loads(body)
        except ValueError:
            document = _text(body)
        call = f"{request['method']} {_without_numbers(path)}"
        found.append((call, response["status"]["code"], frozenset(_paths(document, ""))))
    return found


def _without_numbers(path: str) -> str:
    """A path without the ids in it, numbers or GUIDs: a company has others."""
    return "/".join("#" if part.isdigit() or GUID.fullmatch(part) else part for part in path.split("/"))


def _paths(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (path for name, one in value.items() for path in _paths(one, f"{at}.{name}"))
    elif isinstance(value, list):
        yield from (path for one in value for path in _paths(one, f"{at}[]"))
    else:
        yield f"{at}: {'number' if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__}"
