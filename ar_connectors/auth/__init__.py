"""Tokens: kept encrypted, refreshed once for everybody, asked for in a browser."""

from typing import TYPE_CHECKING

from ar_connectors.lazy import face as _face

if TYPE_CHECKING:
    from ar_connectors.auth.code_flow import run_code_flow
    from ar_connectors.auth.consent import Connected, Consent, StrangeRedirect, begin, complete
    from ar_connectors.auth.contract import Lease, LeaseStore, TokenStore
    from ar_connectors.auth.memory import MemoryStore
    from ar_connectors.auth.oauth import OAuthProvider, TokenDialect, TokenEndpoint
    from ar_connectors.auth.refresh import OAuthSigner, Patience, Refresher, TokenKeeper
    from ar_connectors.auth.tokens import ClientCredentials, TokenSet
    from ar_connectors.auth.vault import Vault, new_key

__all__ = [
    "ClientCredentials",
    "Connected",
    "Consent",
    "Lease",
    "LeaseStore",
    "MemoryStore",
    "OAuthProvider",
    "OAuthSigner",
    "Patience",
    "Refresher",
    "StrangeRedirect",
    "TokenDialect",
    "TokenEndpoint",
    "TokenKeeper",
    "TokenSet",
    "TokenStore",
    "Vault",
    "begin",
    "complete",
    "new_key",
    "run_code_flow",
]

_HOMES = {
    "ClientCredentials": "tokens",
    "Connected": "consent",
    "Consent": "consent",
    "Lease": "contract",
    "LeaseStore": "contract",
    "MemoryStore": "memory",
    "OAuthProvider": "oauth",
    "OAuthSigner": "refresh",
    "Patience": "refresh",
    "Refresher": "refresh",
    "StrangeRedirect": "consent",
    "TokenDialect": "oauth",
    "TokenEndpoint": "oauth",
    "TokenKeeper": "refresh",
    "TokenSet": "tokens",
    "TokenStore": "contract",
    "Vault": "vault",
    "begin": "consent",
    "complete": "consent",
    "new_key": "vault",
    "run_code_flow": "code_flow",
}

if not TYPE_CHECKING:  # a type checker would believe that every name exists
    __getattr__, __dir__ = _face(__name__, _HOMES)
