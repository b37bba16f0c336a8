"""What can be said about a list that its file does not say? Settings of a connection, and a column map in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ar_connectors.aging_file.cells import PLATFORM, file_error
from ar_connectors.aging_file.formats import DateOrder, DecimalMark
from ar_connectors.aging_file.layouts import Group, ItemType, Role
from ar_connectors.errors import ConfigurationError
from ar_core.model.base import Currency

__all__ = ["ONE_IMPORT", "ColumnMap", "ListSettings", "load_column_map", "read_settings"]


class ColumnMap(BaseModel):
    """Which column holds what, for a list of no known layout; a TOML file with the tables `columns`, `types` and `list`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[Role, str] = Field(min_length=1)
    """Role -> the heading as it stands in the file (compared without case and punctuation)."""
    types: dict[ItemType, tuple[str, ...]] = {}
    """Item type -> words of the type column that mean it."""
    group: Literal[Group.NONE, Group.CUSTOMER, Group.AGE] = Group.NONE
    """What rows with one text and no amount are: headings that name a customer, an aging bucket, or nothing."""


class ListSettings(BaseModel):
    """What a connection to an aging list needs. Paths are as the process sees them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: Path
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    columns: Path | None = None
    """A column map; None: the layout is recognized."""
    currency: Currency | None = None
    """Of items for which the file states none."""
    base_currency: Currency | None = None
    dates: DateOrder | None = None
    decimal: DecimalMark | None = None
    time_zone: str | None = None
    as_of: date | None = None
    """The day the list shows; None: as the file says, if it does."""
    only: tuple[str, ...] = ()
    """The list holds these customers and no others (a partial file); what it lacks of others stays open."""
    accept_closed: bool = False
    """However many items are missing from this list, close them."""
    most_closed_percent: int = Field(default=50, ge=0, le=100)
    """How many of the open items one list may close before a person has to agree; 20 are always allowed."""


ONE_IMPORT: Final = ("as_of", "only", "accept_closed")
"""Settings that are about one file and are not kept for the next."""


def read_settings(settings: Mapping[str, Any], tenant: str) -> ListSettings:
    """Settings as a model. Raises ConfigurationError that names the setting and what is wrong with it."""
    try:
        return ListSettings.model_validate(
            {name: value for name, value in settings.items() if value is not None}
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"setting {where}: {first['msg']} (got {first['input']!r})"
            if first["type"] != "missing"
            else f"setting {where} is missing",
            platform=PLATFORM,
            tenant=tenant,
            operation="connect",
            advice="the settings are " + ", ".join(sorted(ListSettings.model_fields)),
        ) from error


def load_column_map(path: Path) -> ColumnMap:
    """Read a column map. Raises ConfigurationError that names the file and the place in it."""
    try:
        return ColumnMap.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise file_error(f"the column map cannot be read: {error}", table=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise file_error(
            f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}",
            table=str(path),
            value=first["input"],
            advice="the roles are "
            + ", ".join(Role)
            + "; `ar-connectors aging-file guess FILE` proposes a map",
        ) from error
