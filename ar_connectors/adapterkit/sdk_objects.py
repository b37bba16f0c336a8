"""What do the bridges to the vendors' clients share? Which of our records they can be asked for, the body they read, and what is said
when the vendor's package is not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from ar_connectors.errors import ConfigurationError, RejectedError
from ar_core.model import Source

__all__ = ["SourcedRecord", "document_of", "not_installed"]


class SourcedRecord(Protocol):
    """Any of our records that came from a platform."""

    @property
    def id(self) -> str:
        """Our id."""
        ...

    @property
    def source(self) -> Source | None:
        """Where it came from."""
        ...


def document_of(
    raw: bytes | str | Mapping[str, Any], record: SourcedRecord, platform: str
) -> Mapping[str, Any]:
    """The JSON object that a raw body is, its amounts exact; an empty one for a list or a bare value. Raises RejectedError for what
    is not JSON."""
    if isinstance(raw, Mapping):
        return raw
    try:
        document = json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise RejectedError(
            f"the raw body of {record.id} is not JSON: {error}", platform=platform, operation="to_sdk"
        ) from error
    return document if isinstance(document, dict) else {}


def not_installed(package: str, platform: str) -> ConfigurationError:
    """What is said when the vendor's package is missing: it comes with the extra that is called like the platform."""
    return ConfigurationError(
        f"{package} is not installed",
        platform=platform,
        operation="to_sdk",
        advice=f'install it: pip install "ar-connectors[{platform}]"',
    )
