"""What does every connector say of itself? Whose company it is, what it can do; and how it refuses what is not for it.

An ERP's connector inherits this and adds how its company is read and written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ar_connectors.connector import Capabilities, StreamSpec, make_connection_id
from ar_connectors.errors import UnsupportedOperation
from ar_core.model import RecordKind, parse_record_id

__all__ = ["CompanyConnector"]


class CompanyConnector:
    """One company at one platform. `tenant`: its id there; `capabilities`: what the adapter can do with it; `streams`: in reading
    order."""

    def __init__(self, tenant: str, capabilities: Capabilities, streams: Sequence[StreamSpec]) -> None:
        self._tenant = tenant
        self._capabilities = capabilities
        self._streams = streams

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._tenant!r})"

    @property
    def platform(self) -> str:
        """The platform's name, as in record ids."""
        return self._capabilities.platform

    @property
    def tenant(self) -> str:
        """The company's id at the platform."""
        return self._tenant

    @property
    def id(self) -> str:
        """The connection id."""
        return make_connection_id(self.platform, self._tenant)

    @property
    def capabilities(self) -> Capabilities:
        """What this adapter can do."""
        return self._capabilities

    def streams(self) -> Sequence[StreamSpec]:
        """All streams, in reading order."""
        return self._streams

    def own_remote_id(self, kind: RecordKind, record_id: str) -> str:
        """The platform's id in a record id of this company. Raises UnsupportedOperation for a record of another one."""
        parts = parse_record_id(record_id)
        if parts is None or (parts.platform, parts.tenant, parts.kind) != (self.platform, self._tenant, kind):
            raise UnsupportedOperation(
                f"{record_id} is not a record of this company that is a {kind}",
                platform=self.platform,
                tenant=self._tenant,
                operation=f"read {kind}",
                advice="ask the connection that its id names",
            )
        return parts.remote_id

    def not_listed(self, kind: RecordKind, listed: Iterable[RecordKind]) -> UnsupportedOperation:
        """The refusal to list or read records of a kind that the platform does not give by themselves; `listed`: those it does."""
        return UnsupportedOperation(
            f"records of kind {kind} cannot be asked for by themselves",
            platform=self.platform,
            tenant=self._tenant,
            operation=f"list {kind}",
            advice="kinds that can: " + ", ".join(sorted(listed)),
        )
