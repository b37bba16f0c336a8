"""The record API: /services/rest/record/v1."""

from __future__ import annotations

from ar_connectors.testkit.netsuite.records.routes import Records

__all__ = ["Records"]
