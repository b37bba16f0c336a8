"""Where may we connect to? The hosts of one platform, checked once, so that credentials never travel in the clear."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from ar_connectors.errors import ConfigurationError

__all__ = ["Endpoints", "is_loopback", "origin"]


def is_loopback(host: str | None) -> bool:
    """True for a host name or address that cannot leave this machine."""
    if not host:
        return False
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> str:
    """Scheme, host and port of an address, in one spelling: `https://api.example.com:443`. Raises ConfigurationError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is not an address") from error
    scheme = parts.scheme.casefold()
    if scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            f"{url!r} is not an http(s) address",
            advice="give a whole address, for example https://api.example.com",
        )
    host = parts.hostname.casefold().rstrip(".")
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port or (443 if scheme == 'https' else 80)}"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of a platform. Anything but https is refused, except on this machine (an emulator).

    Raises ConfigurationError for an address that is none, that carries a password, or that is plain http to elsewhere.
    """

    api: str
    """The API's host, without a path."""
    token: str | None = None
    """The whole address of the token endpoint."""
    authorize: str | None = None
    """The whole address of the consent page."""
    revoke: str | None = None
    """The whole address of the revocation endpoint."""

    def __post_init__(self) -> None:
        for field in fields(self):
            url = getattr(self, field.name)
            if url is None:
                continue
            place = origin(url)
            parts = urlsplit(url)
            if parts.username is not None or parts.password is not None:
                raise ConfigurationError(
                    f"the {field.name} address carries a user name or password",
                    advice="put credentials into Credentials, never into an address",
                )
            if place.startswith("http://") and not is_loopback(parts.hostname):
                raise ConfigurationError(
                    f"the {field.name} address {url!r} would send credentials unencrypted",
                    advice="use https; plain http is for an emulator on 127.0.0.1 or localhost only",
                )

    @property
    def origins(self) -> frozenset[str]:
        """Every scheme, host and port we may connect to."""
        return frozenset(
            origin(url) for url in (self.api, self.token, self.authorize, self.revoke) if url is not None
        )
