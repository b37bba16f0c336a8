"""How does a person's consent become tokens? The two halves of the authorization code flow, without any server or browser.

`begin` makes the address to send the person to; `complete` checks what comes back and trades it for tokens, once.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from ar_connectors.auth.oauth import TokenEndpoint, challenge
from ar_connectors.auth.tokens import TokenSet
from ar_connectors.errors import ARError, AuthError, ConfigurationError, ConflictError, RejectedError

__all__ = ["Connected", "Consent", "StrangeRedirect", "begin", "complete"]


class StrangeRedirect(RejectedError):
    """A redirect that does not belong to this attempt: its state is not ours, or it has no answer in it."""

    default_advice = "use the page that this attempt opened, or begin again"


@dataclass(frozen=True, slots=True)
class Connected:
    """What a consent gave."""

    tokens: TokenSet
    tenant: str | None
    """The company, where the redirect names it."""


@dataclass(eq=False)
class Consent:
    """One attempt: an address, and the secrets that tie the answer to it. Good for one answer."""

    url: str
    """Where to send the person."""
    redirect_uri: str
    state: str = field(repr=False)
    verifier: str | None = field(repr=False)
    _used: bool = field(default=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def use(self) -> bool:
        """True the first time."""
        with self._lock:
            first, self._used = not self._used, True
            return first


def begin(
    endpoint: TokenEndpoint, redirect_uri: str, *, random_text: Callable[[int], str] = secrets.token_urlsafe
) -> Consent:
    """A new attempt. `redirect_uri`: exactly as registered with the platform; `random_text` gives unguessable text of at
    least that many bytes."""
    state = random_text(32)
    verifier = random_text(48) if endpoint.provider.pkce else None
    endpoint.redactor.add(state, verifier)
    url = endpoint.authorize_url(redirect_uri, state, challenge(verifier) if verifier is not None else None)
    return Consent(url, redirect_uri, state, verifier)


def complete(endpoint: TokenEndpoint, consent: Consent, redirect: str) -> Connected:
    """The tokens for the address the browser was sent back to (the whole of it, or from the `?` on).

    Raises:
        StrangeRedirect: it does not belong to this attempt; the attempt stays open.
        ConflictError: this attempt has had its answer.
        AuthError: the person, or the platform, said no.
        ConfigurationError: the app is set up wrongly at the platform, or the redirect names no company.
        ARError: what trading the code raises.
    """
    query = dict(parse_qsl(urlsplit(redirect).query, keep_blank_values=True))
    # Compared in constant time: how far a guess matched must not be measurable.
    if not secrets.compare_digest(query.get("state", "").encode(), consent.state.encode()):
        raise StrangeRedirect("the redirect does not carry the state of this attempt", operation="connect")
    if "error" not in query and not query.get("code"):
        raise StrangeRedirect("the redirect carries neither a code nor an error", operation="connect")
    if not consent.use():
        raise ConflictError("this consent has been used already", operation="connect", advice="begin again")
    platform = endpoint.provider.platform
    if "error" in query:
        raise _refusal(platform, query["error"], endpoint.redactor.text(query.get("error_description", "")))
    name = endpoint.provider.tenant_parameter
    tenant = query.get(name) if name is not None else None
    if name is not None and not tenant:
        raise ConfigurationError(
            f"the redirect names no company ({name})",
            platform=platform,
            operation="connect",
            advice="choose a company on the consent page; ask for a scope that is tied to one",
        )
    return Connected(endpoint.exchange(query["code"], consent.redirect_uri, consent.verifier), tenant)


def _refusal(platform: str, code: str, description: str) -> ARError:
    message = f"the platform answered {code[:80]}"
    if description:
        message += f": {description[:200]}"
    if code == "access_denied":
        return AuthError(
            "the person did not agree",
            platform=platform,
            operation="connect",
            platform_code=code,
            advice="begin again, and agree on the platform's page as a user who may (an administrator)",
        )
    return ConfigurationError(message, platform=platform, operation="connect", platform_code=code[:80])
