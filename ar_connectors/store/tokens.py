"""Where do tokens rest? Encrypted, one document per connection, replaced only by compare-and-swap."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from cryptography.fernet import InvalidToken
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ar_connectors.clock import Clock
from ar_connectors.errors import ConfigurationError, ConflictError
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import to_micros
from ar_connectors.store.tables import tokens

__all__ = ["Cipher", "load_tokens", "save_tokens"]


class Cipher(Protocol):
    """Encrypts bytes at rest; `cryptography.fernet.Fernet` and `MultiFernet` are ones."""

    def encrypt(self, data: bytes) -> bytes:
        """Plain to cipher text."""
        ...

    def decrypt(self, token: bytes) -> bytes:
        """Cipher text to plain."""
        ...


def load_tokens(
    database: Database, cipher: Cipher | None, connection_id: str
) -> tuple[Mapping[str, Any], int] | None:
    """The decrypted document and its version; None when there is none. Raises ConfigurationError for a missing or wrong key."""
    with database.reading() as connection:
        row = connection.execute(select(tokens).where(tokens.c.connection_id == connection_id)).first()
    if row is None:
        return None
    try:
        plain = _need(cipher).decrypt(bytes(row.body))
    except InvalidToken as error:
        raise ConfigurationError(
            f"the tokens of {connection_id} were encrypted with another key",
            advice="set AR_CONNECTORS_KEY to the key this store was made with, or connect the company again",
        ) from error
    document = json.loads(plain)
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"the stored tokens of {connection_id} are damaged", advice="connect the company again"
        )
    return document, row.version


def save_tokens(
    database: Database,
    cipher: Cipher | None,
    connection_id: str,
    document: Mapping[str, Any],
    expected_version: int,
    clock: Clock,
) -> int:
    """Store a document if the stored version is still `expected_version` (0: none yet); returns the new version.
    Raises ConflictError otherwise."""
    body = _need(cipher).encrypt(json.dumps(dict(document), separators=(",", ":")).encode())
    values = {"body": body, "updated_at": to_micros(clock.now()), "version": expected_version + 1}
    conflict = ConflictError(f"the tokens of {connection_id} changed meanwhile", advice="read them again")
    with database.writing() as connection:
        if expected_version == 0:
            try:
                connection.execute(insert(tokens).values(connection_id=connection_id, **values))
            except IntegrityError as error:
                raise conflict from error
        else:
            done = connection.execute(
                update(tokens)
                .where(tokens.c.connection_id == connection_id, tokens.c.version == expected_version)
                .values(**values)
            )
            if done.rowcount != 1:
                raise conflict
    return expected_version + 1


def _need(cipher: Cipher | None) -> Cipher:
    if cipher is None:
        raise ConfigurationError(
            "tokens are kept encrypted only, and this store was opened without a key",
            advice="set AR_CONNECTORS_KEY, or give open_store(key=...); `ar-connectors connect` makes one",
        )
    return cipher
