"""How do secrets rest? Encrypted with Fernet; the key is never beside them (docs/adr/0008-secrets-at-rest.md)."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ar_connectors.errors import ConfigurationError

__all__ = ["Vault", "new_key"]

_HOW = (
    "make a key with `python -c 'from ar_connectors.auth import new_key; print(new_key())'`, keep it outside the "
    "database, and give it as AR_CONNECTORS_KEY or in the system's keyring"
)


def new_key() -> str:
    """A new random key, as text for an environment variable: 32 bytes, url-safe base64."""
    return Fernet.generate_key().decode()


class Vault:
    """Encrypts and decrypts with one key or several. Thread-safe.

    The first key encrypts, all of them decrypt: put a new key in front of the old one, `rotate` what is stored, then drop
    the old one. `keys`: as made by `new_key`; one text may hold several, parted by commas or blanks.

    Raises ConfigurationError when there is no key, or one that is none; the message never repeats it.
    """

    __slots__ = ("_fernet",)

    def __init__(self, *keys: str | bytes) -> None:
        words = list(_words(keys))
        if not words:
            raise ConfigurationError("there is no key to encrypt secrets with", advice=_HOW)
        fernets = [_fernet(word) for word in words]
        usable = [fernet for fernet in fernets if fernet is not None]
        if len(usable) < len(words):
            raise ConfigurationError(
                f"key {fernets.index(None) + 1} of {len(words)} is no key: 32 bytes in url-safe base64 are needed",
                advice=_HOW,
            )
        self._fernet = MultiFernet(usable)

    def __repr__(self) -> str:
        return "Vault(***)"

    def encrypt(self, data: bytes) -> bytes:
        """Encrypt and sign."""
        return self._fernet.encrypt(data)

    def decrypt(self, token: bytes) -> bytes:
        """What `encrypt` was given. Raises ConfigurationError when no key fits, or the bytes were changed."""
        try:
            return self._fernet.decrypt(token)
        except InvalidToken:
            pass
        raise ConfigurationError(
            "the stored secrets cannot be decrypted: they were encrypted with another key, or are damaged",
            advice="give the key this store was made with; if it is lost, connect the company again",
        )

    def rotate(self, token: bytes) -> bytes:
        """The same secret, encrypted with the first key. Raises ConfigurationError as `decrypt` does."""
        return self.encrypt(self.decrypt(token))


def _fernet(word: bytes) -> Fernet | None:
    try:
        return Fernet(word)
    except (ValueError, TypeError):
        return None


def _words(keys: Iterable[str | bytes]) -> Iterable[bytes]:
    for key in keys:
        text = key.encode("utf-8", errors="replace") if isinstance(key, str) else key
        yield from text.replace(b",", b" ").split()
