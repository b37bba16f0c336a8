"""What does a platform give us to get in? Client credentials, and the set of tokens of one connection; neither shows itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ar_connectors.errors import ConfigurationError, ContractError

__all__ = ["ClientCredentials", "TokenSet"]

_OWN: Final = frozenset({"access_token", "refresh_token", "expires_in", "scope", "token_type"})

_REMEMBERED: Final = 40
"""Ancestors: more than a month of daily rotation, a day of refreshing every half hour."""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An app's keys at an OAuth platform. Raises ConfigurationError when one is empty."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None: an app that cannot keep one (on a desktop), where the platform takes proof of each code instead (PKCE)."""
    redirect_uri: str | None = None
    """As registered with the platform; None: the loopback page of `connect` chooses its own."""
    scopes: tuple[str, ...] = ()
    """Instead of the platform's usual ones."""

    def __post_init__(self) -> None:
        for name in ("client_id", "client_secret"):
            value = getattr(self, name)
            if value is None and name == "client_secret":
                continue
            if not value or value != value.strip():
                raise ConfigurationError(
                    f"{name} is empty or has blanks around it",
                    advice="copy it from the app's page at the platform",
                )


@dataclass(frozen=True, slots=True)
class TokenSet:
    """The tokens of one connection, with absolute expiries in UTC; None is unknown, and then the platform decides.

    Its repr shows everything but the secrets.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    issued_at: datetime | None = None
    access_expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    """When the refresh token dies unless it is used before."""
    refresh_hard_expires_at: datetime | None = None
    """When it dies however often it is used; only where the platform says so."""
    scope: tuple[str, ...] = ()
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Whatever else came with them, JSON values."""
    ancestors: tuple[str, ...] = ()
    """Fingerprints of the refresh tokens before this one: the one a person consented to, then the latest of the others."""

    def fingerprint(self) -> str:
        """Tells this set from others without holding a secret; refreshing changes it only when the refresh token changes."""
        return hashlib.sha256((self.refresh_token or self.access_token).encode()).hexdigest()[:16]

    def descends_from(self, other: TokenSet) -> bool:
        """Whether `other` has become this set by being refreshed, or is it."""
        return other.fingerprint() in {self.fingerprint(), *self.ancestors}

    def expires_within(self, margin: timedelta, now: datetime) -> bool:
        """True when the access token is known to expire before `now + margin`."""
        return self.access_expires_at is not None and self.access_expires_at <= now + margin

    def secrets(self) -> tuple[str, ...]:
        """The values that must never be shown."""
        others = [value for name, value in self.extra.items() if isinstance(value, str) and "token" in name]
        return tuple(one for one in (self.access_token, self.refresh_token, *others) if one)

    def to_document(self) -> dict[str, Any]:
        """As JSON values, for a token store."""
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "issued_at": _text(self.issued_at),
            "access_expires_at": _text(self.access_expires_at),
            "refresh_expires_at": _text(self.refresh_expires_at),
            "refresh_hard_expires_at": _text(self.refresh_hard_expires_at),
            "scope": list(self.scope),
            "token_type": self.token_type,
            "extra": dict(self.extra),
            "ancestors": list(self.ancestors),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TokenSet:
        """From a token store. A document of others, with the two tokens alone, will do. Raises ConfigurationError."""
        access, refresh = document.get("access_token"), document.get("refresh_token")
        if not isinstance(access or "", str) or not isinstance(refresh or "", str) or not (access or refresh):
            raise ConfigurationError("the stored tokens are damaged", advice="connect this company again")
        scope = document.get("scope") or ()
        try:
            return cls(
                access_token=access or "",
                refresh_token=refresh or None,
                issued_at=_instant(document.get("issued_at")),
                # Without an access token there is nothing to expire: the first use refreshes.
                access_expires_at=_instant(document.get("access_expires_at"))
                if access
                else datetime.min.replace(tzinfo=UTC),
                refresh_expires_at=_instant(document.get("refresh_expires_at")),
                refresh_hard_expires_at=_instant(document.get("refresh_hard_expires_at")),
                scope=tuple(scope.split()) if isinstance(scope, str) else tuple(map(str, scope)),
                token_type=str(document.get("token_type") or "Bearer"),
                extra=dict(document.get("extra") or {}),
                ancestors=tuple(map(str, document.get("ancestors") or ())),
            )
        except (ValueError, TypeError):
            pass
        raise ConfigurationError("the stored tokens are damaged", advice="connect this company again")

    @classmethod
    def from_answer(
        cls,
        answer: Mapping[str, Any],
        now: datetime,
        *,
        previous: TokenSet | None = None,
        refresh_life: str | None = None,
        hard_life: str | None = None,
        usual_refresh_life: timedelta | None = None,
    ) -> TokenSet:
        """A token endpoint's answer (RFC 6749, section 5.1). Lifetimes are counted from `now`, the instant before the request
        was sent, so that they end early rather than late.

        `refresh_life`, `hard_life`: the platform's own names for the refresh token's lifetimes in seconds;
        `usual_refresh_life`: where it does not send one. An answer without a refresh token keeps the previous one.

        Raises ContractError when there is no access token in it.
        """
        access, refresh = answer.get("access_token"), answer.get("refresh_token")
        if not isinstance(access, str) or not access or not isinstance(refresh or "", str):
            raise ContractError("the token endpoint's answer holds no access token")
        rotated = refresh or (previous.refresh_token if previous is not None else None)
        rolling = _span(answer.get(refresh_life)) if refresh_life else None
        rolling = rolling if rolling is not None else usual_refresh_life
        hard = _span(answer.get(hard_life)) if hard_life else None
        scope = answer.get("scope")
        return cls(
            access_token=access,
            refresh_token=rotated,
            issued_at=now,
            access_expires_at=_after(now, _span(answer.get("expires_in"))),
            refresh_expires_at=_after(now, rolling) if rotated else None,
            # Told once and then left out, it still holds: asking for it is opt-in.
            refresh_hard_expires_at=_after(now, hard)
            or (previous.refresh_hard_expires_at if previous is not None else None),
            scope=tuple(scope.split())
            if isinstance(scope, str)
            else (previous.scope if previous is not None else ()),
            token_type=str(answer.get("token_type") or "Bearer"),
            extra={name: value for name, value in answer.items() if name not in _OWN},
            ancestors=_line_of(previous, rotated) if previous is not None else (),
        )


def _line_of(previous: TokenSet, refresh_token: str | None) -> tuple[str, ...]:
    """The ancestors of what `previous` becomes with this refresh token."""
    if previous.refresh_token is None or refresh_token == previous.refresh_token:
        return previous.ancestors
    line = (*previous.ancestors, previous.fingerprint())
    return (*line[:1], *line[1:][-_REMEMBERED:])


def _text(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat() if instant is not None else None


def _instant(text: Any) -> datetime | None:
    if text is None:
        return None
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant without an offset")
    return instant.astimezone(UTC)


def _span(seconds: Any) -> timedelta | None:
    """A lifetime in seconds, sent as a number or as text. None for what is neither."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | str | float):
        return None
    try:
        whole = int(seconds)
    except (ValueError, OverflowError):
        return None
    # A hundred years will do, and never overflow a date.
    return timedelta(seconds=min(whole, 3_155_760_000)) if whole >= 0 else None


def _after(now: datetime, life: timedelta | None) -> datetime | None:
    return now + life if life is not None else None
