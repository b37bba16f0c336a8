"""How does an app prove itself without a secret and without a person? A signed assertion (RFC 7523, section 2.2) for each token.

The private key signs here and never travels. The grant is `client_credentials`: there is no refresh token, so "refreshing" asks
anew, and the same keeper makes that happen once for all threads and processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ar_connectors.auth.oauth import OAuthProvider, TokenClient
from ar_connectors.auth.tokens import TokenSet
from ar_connectors.clock import Clock
from ar_connectors.errors import ConfigurationError
from ar_connectors.events import Event
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.http.messages import Replay
from ar_connectors.http.redact import Redactor

__all__ = ["ASSERTION_TYPE", "AssertionEndpoint", "AssertionKey"]

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE: Final = timedelta(minutes=5)
"""Of an assertion: it is used at once. Platforms allow up to an hour; a short one is worth little to whoever finds it."""
_WEAKEST_RSA: Final = 2048
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True)
class AssertionKey:
    """A private key, and the name of its certificate at the platform.

    Raises ConfigurationError for a key that cannot be read or is too weak, and where PyJWT is not installed.
    """

    key_id: str
    """The certificate's id, as the platform's page shows it."""
    private_key: str = field(repr=False)
    """PEM, without a passphrase."""
    algorithm: str = field(init=False)
    """PS256 for RSA, ES256/384/512 by the curve."""

    def __post_init__(self) -> None:
        try:
            key = load_pem_private_key(self.private_key.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if isinstance(key, RSAPrivateKey) and key.key_size >= _WEAKEST_RSA:
            algorithm = "PS256"
        elif isinstance(key, EllipticCurvePrivateKey) and key.curve.name in _CURVES:
            algorithm = _CURVES[key.curve.name]
        else:
            # Outside of any except block: an exception of the library could show parts of the key.
            raise ConfigurationError(
                "the private key cannot be used: it is no unencrypted PEM key of RSA (2048 bits or more) or of curve P-256, P-384 or P-521",
                advice="make a new pair (ar-connectors connect) and upload its certificate",
            )
        object.__setattr__(self, "algorithm", algorithm)

    def sign(self, claims: dict[str, object]) -> str:
        """A JWT with these claims. Raises ConfigurationError where PyJWT is not installed."""
        try:
            import jwt
        except ImportError:
            raise ConfigurationError(
                "signing assertions needs PyJWT, which is not installed",
                advice="pip install 'ar-connectors[netsuite]'",
            ) from None
        # One and the same key is signed with over and over, and PyJWT reads the PEM itself.
        return jwt.encode(claims, self.private_key, self.algorithm, headers={"kid": self.key_id})


class AssertionEndpoint(TokenClient):
    """A token endpoint that is asked with assertions (OAuth 2.0 client credentials). `scopes`: how the platform wants to
    see them in the assertion. The rest as of `TokenClient`."""

    def __init__(
        self,
        provider: OAuthProvider,
        client_id: str,
        key: AssertionKey,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        tenant: str = "",
        scopes: Sequence[str] = (),
        settings: TransportSettings | None = None,
        observer: Callable[[Event], None] | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        super().__init__(
            provider,
            client_id,
            clock=clock,
            jitter=jitter,
            tenant=tenant,
            settings=settings,
            observer=observer,
            redactor=redactor,
        )
        self._key = key
        self._scope = ",".join(scopes or provider.scopes)

    def refresh(self, tokens: TokenSet) -> TokenSet:
        """A new access token; the old ones prove nothing here and are not sent. One request, safe to repeat.

        Raises ReauthorizationRequired (the platform does not know this certificate any more), ConfigurationError,
        TransientError, QuotaExhausted.
        """
        self.redactor.add(*tokens.secrets())
        assertion = self.assertion()
        self.redactor.add(assertion)
        form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ]
        return self._ask(form, "ask for an access token", None, Replay.SAFE)

    def assertion(self) -> str:
        """A signed assertion for one request."""
        now = self._clock.now()
        return self._key.sign(
            {
                "iss": self.client_id,
                "scope": self._scope,
                "aud": self._address("token", self.provider.endpoints.token),
                "iat": int(now.timestamp()),
                "exp": int((now + _LIFE).timestamp()),
            }
        )
