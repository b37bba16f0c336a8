"""The M2M token endpoint: an access token for a signed assertion whose certificate is registered.

There is no refresh token and no consent; a person maps a certificate to a user and a role once, in NetSuite's own pages.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ar_connectors.testkit.authority import form_of, refused
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call, Reply

__all__ = ["TOKEN_PATH", "Desk"]

TOKEN_PATH: Final = "/services/rest/auth/oauth2/v1/token"
LIFE: Final = timedelta(seconds=3600)
_ALGORITHMS: Final = ["PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST: Final = 3600
"""An assertion lives less than these seconds."""
_MOST_CERTIFICATES: Final = 5
_SKEW: Final = 300
"""Seconds by which a client's clock may differ; not documented."""

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class Desk:
    """Certificates, and the tokens they got. Its user holds the emulator's lock.

    Args:
        account: the account's id, for the address an assertion may be meant for.
    """

    def __init__(self, clock: ScriptedClock, account_host: str, seed: str) -> None:
        self.clock = clock
        self.client_id = hashlib.sha256(f"{seed}/client".encode()).hexdigest()
        self.base_url = ""
        self.calls: Counter[str] = Counter()
        self.revoked = False
        """Whether the mapping of the certificate is gone: as after the refresh of a sandbox."""
        self._host = f"https://{account_host}.suitetalk.api.netsuite.com"
        self._seed = seed
        self._certificates: dict[str, PublicKey] = {}
        self._tokens: dict[str, datetime] = {}
        self._issued = 0

    def register(self, certificate: str) -> str:
        """Map a certificate (PEM; a bare public key will do), as the setup page does. Returns its id, the `kid` of assertions.
        Raises ValueError for a key that is too short or of another kind, and for a sixth certificate."""
        data = certificate.encode()
        key: object
        if "BEGIN CERTIFICATE" in certificate:
            key = x509.load_pem_x509_certificate(data).public_key()
        else:
            key = serialization.load_pem_public_key(data)
        if isinstance(key, rsa.RSAPublicKey):
            if key.key_size < 2048:
                raise ValueError(f"an RSA key of {key.key_size} bits is too short")
        elif not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError("a certificate has an RSA or an elliptic-curve key")  # noqa: TRY004  what it is, not its type
        if len(self._certificates) >= _MOST_CERTIFICATES:
            raise ValueError("an integration has at most five active certificates")
        identity = hashlib.sha256(data).hexdigest()[:40]
        self._certificates[identity] = key
        return identity

    def grant(self) -> str:
        """An access token as if it had been asked for."""
        self._issued += 1
        body = hashlib.sha256(f"{self._seed}/{self._issued}".encode()).hexdigest()
        token = f"eyJraWQiOiJjLlRTVERSViJ9.{body}"
        self._tokens[token] = self.clock.now() + LIFE
        return token

    def accepts(self, authorization: str) -> bool:
        """Whether an Authorization header holds a living token."""
        scheme, _, token = authorization.partition(" ")
        ends = self._tokens.get(token.strip())
        return scheme.lower() == "bearer" and ends is not None and self.clock.now() < ends

    def kill_access(self) -> None:
        """All access tokens die; another one can be had."""
        self._tokens.clear()

    def revoke_all(self) -> None:
        """The mapping is gone: no token any more."""
        self._tokens.clear()
        self.revoked = True

    def token(self, call: Call) -> Reply:
        """The token endpoint."""
        self.calls["token"] += 1
        form = form_of(call.body)
        if call.method != "POST" or form.get("grant_type") != "client_credentials":
            return refused("token", 400, "unsupported_grant_type")
        if form.get("client_assertion_type") != _ASSERTION or not form.get("client_assertion"):
            return refused("token", 400, "invalid_request", "The client assertion is missing")
        trouble = self._trouble(form["client_assertion"])
        if trouble is not None:
            return refused("token", 400, "invalid_grant" if self.revoked else "invalid_request", trouble)
        body = {
            "access_token": self.grant(),
            "expires_in": str(int(LIFE.total_seconds())),
            "token_type": "Bearer",
        }
        return Reply(200, msgspec.json.encode(body), "token", headers={"Cache-Control": "no-store"})

    def _trouble(self, assertion: str) -> str | None:
        """What is wrong with an assertion; None for a good one."""
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.PyJWTError:
            return "The assertion is no JWT"
        key = self._certificates.get(str(header.get("kid")))
        if self.revoked or key is None:
            return "The certificate is not mapped"
        if header.get("typ") != "JWT" or header.get("alg") not in _ALGORITHMS:
            return "The algorithm is not allowed"
        try:
            # The times are checked by the emulator's clock, not by the machine's.
            claims = jwt.decode(
                assertion,
                key,
                algorithms=_ALGORITHMS,
                audience=[f"{self.base_url}{TOKEN_PATH}", f"{self._host}{TOKEN_PATH}"],
                issuer=self.client_id,
                options={
                    "require": ["iss", "scope", "aud", "iat", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            return str(error)
        return self._untimely(claims)

    def _untimely(self, claims: dict[str, Any]) -> str | None:
        now = self.clock.now().timestamp()
        made, ends = claims["iat"], claims["exp"]
        if not isinstance(made, int | float) or not isinstance(ends, int | float):
            return "The times of the assertion are no numbers"
        if not made < ends < made + _LONGEST or made > now + _SKEW or ends <= now:
            return "The assertion is expired, or lives too long"
        scope = claims["scope"]
        scopes = scope if isinstance(scope, list) else str(scope).replace(",", " ").split()
        return None if "rest_webservices" in scopes else "The scope does not include rest_webservices"
