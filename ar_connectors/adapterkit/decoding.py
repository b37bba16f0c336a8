"""Which kind of body is this, and what is done with it? Rows become a page, an error is raised, a webhook gives its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ar_connectors.auth.refusals import token_refusal
from ar_connectors.connector import Page
from ar_connectors.errors import ARError, ConfigurationError, ContractError, UnsupportedOperation
from ar_connectors.http.redact import excerpt

__all__ = ["Bodies"]

Rows = TypeVar("Rows")


@dataclass(frozen=True, slots=True)
class Bodies(Generic[Rows]):
    """The kinds of body of one platform.

    Args:
        platform: the connector's name.
        kinds: kinds of body that hold rows (in lower case), and what tells the adapter how to read a bare row of that kind.
        page: decodes such a body; third argument is the tenant.
        error_kind: how bodies of errors are called.
        error: the exception that an error body stands for, None when it is none; second argument is the tenant. Refusals of
            the token endpoint, which are the same everywhere, do not come here.
        webhook: reads the events of a webhook; not verified.
    """

    platform: str
    kinds: Mapping[str, Rows]
    page: Callable[[bytes, Rows, str], Page]
    error_kind: str
    error: Callable[[bytes, str], ARError | None]
    webhook: Callable[[bytes], Sequence[Any]] | None = None

    def decode(self, kind: str, body: bytes, tenant: str) -> Page | Sequence[Any]:
        """Decode one body. `kind` is a key of `kinds` (in any case), the error kind or `webhook`.

        Returns a page, in which every row of the body is in exactly one of records, tombstones, rejected and out_of_scope; for
        a webhook the events. Raises the mapped error for an error body, ContractError for what is no body of the platform,
        UnsupportedOperation for any other kind, ConfigurationError without a tenant.
        """
        name = kind.casefold()
        if not tenant:
            raise ConfigurationError(
                "the tenant is empty",
                platform=self.platform,
                operation="decode",
                advice="name the company: its id is part of every record id",
            )
        if name == "webhook" and self.webhook is not None:
            return self.webhook(body)
        if name == self.error_kind:
            refusal = token_refusal(body)
            if refusal is not None:
                refusal.platform, refusal.tenant, refusal.operation = self.platform, tenant, f"decode {name}"
                raise refusal
            found = self.error(body, tenant)
            if found is not None:
                raise found
            raise ContractError(
                f"the body holds no {name}",
                platform=self.platform,
                tenant=tenant,
                operation=f"decode {name}",
                excerpt=excerpt(body[:200]),
            )
        if name not in self.kinds:
            known = [*self.kinds, self.error_kind, *(["webhook"] if self.webhook is not None else [])]
            raise UnsupportedOperation(
                f"no body is decoded under the kind {kind!r}",
                platform=self.platform,
                tenant=tenant,
                operation="decode",
                advice="these kinds can be decoded: " + ", ".join(sorted(known)),
            )
        try:
            return self.page(body, self.kinds[name], tenant)
        except ARError as error:
            error.tenant = error.tenant or tenant
            raise
