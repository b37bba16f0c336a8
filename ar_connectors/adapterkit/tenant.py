"""Whose company is it? A platform and a company at it, and the two directions between the platform's ids and ours."""

from __future__ import annotations

from dataclasses import dataclass

from ar_connectors.connector import make_connection_id
from ar_connectors.errors import RejectedError
from ar_core.model import RecordKind, parse_record_id, record_id

__all__ = ["Tenant"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """One company at one platform."""

    platform: str
    id: str
    """The company's id there: realm id, tenant id, account id."""

    @property
    def connection_id(self) -> str:
        """The prefix of all its record ids."""
        return make_connection_id(self.platform, self.id)

    def record_id(self, kind: RecordKind, remote_id: str) -> str:
        """The record id of something in this company. Raises ValueError for an empty remote id."""
        return record_id(self.platform, self.id, kind, remote_id)

    def remote_id(self, record: str, kind: RecordKind) -> str:
        """The platform's own id in one of our record ids.

        Raises RejectedError when the record is of another kind, company or platform, or has no place in any ERP.
        """
        parts = parse_record_id(record)
        if (
            parts is not None
            and parts.platform == self.platform
            and parts.tenant == self.id
            and parts.kind == kind
        ):
            return parts.remote_id
        raise RejectedError(
            f"{record} is no {kind} of this company",
            platform=self.platform,
            tenant=self.id,
            operation="write back",
            advice="give the id of a record that was synced from this connection",
        )
