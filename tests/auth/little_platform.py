"""A tiny OAuth platform on this machine: rotates refresh tokens on every use, gives a grace, and counts everything."""

from __future__ import annotations

import json
import socket
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs

from ar_connectors.http import Endpoints
from tests.http.little_server import Heard, LittleServer, Reply, answer, cut

__all__ = ["LittlePlatform"]


@dataclass
class LittlePlatform:
    """One app, one company. `fail_next`: replies used up before the real ones; `lose_next`: so many rotations are carried out
    and their answers lost. `kills_access`: a rotation ends the access token before it at once."""

    life: int = 3600
    kills_access: bool = False
    grace: bool = True
    """A refresh token may be used again until its successor is used: the answer may have been lost."""
    oldest_alive: int = 0
    fail_next: list[Reply] = field(default_factory=list)
    lose_next: int = 0
    rotations: int = 0
    refusals: int = 0
    access: set[str] = field(default_factory=lambda: {"access-token-0"})
    refresh: list[str] = field(default_factory=lambda: ["refresh-token-0"])
    asked: list[dict[str, str]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    revoked: list[str] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=lambda: {"authorization-code-1": "granted"})
    heard_headers: list[dict[str, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self.server = LittleServer([self._reply])
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    @property
    def endpoints(self) -> Endpoints:
        url = self.server.url
        return Endpoints(url, token=f"{url}/token", authorize=f"{url}/authorize", revoke=f"{url}/revoke")

    def _reply(self, connection: socket.socket, heard: Heard) -> None:
        with self._lock:
            reply = self._choose(heard)
        reply(connection, heard)

    def _choose(self, heard: Heard) -> Reply:
        path = heard.target.partition("?")[0]
        if path == "/token":
            self.heard_headers.append(heard.headers)
            self.asked.append({name: values[0] for name, values in parse_qs(heard.body.decode()).items()})
            if self.fail_next:
                return self.fail_next.pop(0)
            return self._token(heard)
        if path == "/revoke":
            self.revoked.append(json.loads(heard.body)["token"])
            return answer(200, b"")
        token = heard.headers.get("authorization", "").removeprefix("Bearer ")
        return answer(200, b'{"ok": true}') if token in self.access else answer(401, b'{"error": "expired"}')

    def _takes(self, token: str) -> bool:
        if token not in self.refresh:
            return False
        number = self.refresh.index(token)
        if number < (self.oldest_alive if self.grace else len(self.refresh) - 1):
            return False
        self.oldest_alive = number
        return True

    def _token(self, heard: Heard) -> Reply:
        self.keys.add(b64decode(heard.headers["authorization"].removeprefix("Basic ")).decode())
        if self.keys != {"app-id:app-secret-value"}:
            return answer(401, b'{"error": "invalid_client"}')
        form = self.asked[-1]
        if form["grant_type"] == "authorization_code":
            if self.codes.pop(form.get("code", ""), None) is None:
                return _invalid_grant()
        elif not self._takes(form.get("refresh_token", "")):
            self.refusals += 1
            return _invalid_grant()
        self.rotations += 1
        if self.kills_access:
            self.access.clear()
        self.access.add(f"access-token-{self.rotations}")
        self.refresh.append(f"refresh-token-{self.rotations}")
        if self.lose_next:
            self.lose_next -= 1
            return cut
        body = {
            "access_token": f"access-token-{self.rotations}",
            "refresh_token": f"refresh-token-{self.rotations}",
            "expires_in": self.life,
            "x_refresh_token_expires_in": 8_726_400,
            "x_refresh_token_hard_expires_in": 157_680_000,
            "token_type": "bearer",
        }
        return answer(200, json.dumps(body).encode())


def _invalid_grant() -> Reply:
    return answer(400, b'{"error":"invalid_grant","error_description":"Incorrect or invalid refresh token"}')
