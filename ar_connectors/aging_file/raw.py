"""A row as bytes: what goes to quarantine, and can be mapped again without its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from ar_connectors.aging_file.cells import PLATFORM, Cell, Refused
from ar_connectors.aging_file.items import Styles
from ar_connectors.aging_file.layouts import Role
from ar_connectors.aging_file.structure import ItemRow
from ar_connectors.errors import ContractError

__all__ = ["pack_cells", "pack_row", "unpack_row", "without"]


class _Packed(msgspec.Struct):
    """A row with what it takes to read it; without its place in the file, so that the same row met again is the same bytes."""

    values: dict[Role, Any]
    styles: Styles
    customer: str | None = None
    currency: str | None = None


def pack_row(row: ItemRow, styles: Styles) -> bytes:
    """An item's row and how its file writes things."""
    values = {role: _packed(cell) for role, cell in row.values.items()}
    return msgspec.json.encode(_Packed(values, styles, row.customer, row.currency))


def pack_cells(cells: Sequence[Cell]) -> bytes:
    """A row that fits nowhere, as it stands."""
    return msgspec.json.encode([_packed(cell) for cell in cells])


def unpack_row(raw: bytes) -> tuple[ItemRow, Styles]:
    """What `pack_row` has packed; the row number is 0. Raises ContractError for anything else."""
    try:
        packed = msgspec.json.decode(raw, type=_Packed)
        values = {role: _unpacked(one) for role, one in packed.values.items()}
    except (msgspec.MsgspecError, ValueError, ArithmeticError, KeyError) as error:
        raise ContractError(
            f"these bytes are no row of an aging list: {error}",
            platform=PLATFORM,
            operation="map again",
            advice="correct the row in its file and import that again",
        ) from error
    return ItemRow(0, values, packed.customer, packed.currency), packed.styles


def _packed(cell: Cell) -> Any:
    match cell:
        case Refused():
            return {"refused": str(cell), "why": cell.why}
        case str():
            return cell.encode("utf-8", "replace").decode()
        case Decimal():
            return {"number": str(cell)}
        case date():
            return {"date": cell.isoformat()}
    return None


def _unpacked(value: Any) -> Cell:
    match value:
        case None | str():
            return value
        case {"number": str(text)}:
            return Decimal(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case {"refused": str(text), "why": str(why)}:
            return Refused(text, why)
    raise ValueError(f"{value!r} is no cell")


def without(row: ItemRow, role: Role, value: Cell) -> ItemRow:
    """A row with another value in one place."""
    values: Mapping[Role, Cell] = {**row.values, role: value}
    return ItemRow(row.row, values, row.customer, row.currency)
