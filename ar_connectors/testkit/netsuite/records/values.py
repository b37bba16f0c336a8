"""Are the names and values of a body right? What a client wrote, checked by the types of the fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ar_connectors.testkit.netsuite.errors import ServiceError, invalid_content
from ar_connectors.testkit.netsuite.records.types import Field

__all__ = ["Written", "read_body"]

_STRICTNESS: Final = {"error", "warning", "ignore"}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(slots=True)
class Written:
    """What a body says, as plain values: ids for references and enums, `date`s, Decimals; None for what is to be cleared."""

    values: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    """Names that no field has, passed over."""


def read_body(
    body: Mapping[str, Any],
    fields: Mapping[str, Field],
    headers: Mapping[str, str],
    params: Mapping[str, str],
) -> Written:
    """Check a body. Raises ServiceError for a bad value, and for an unknown name if the caller asks to be told so."""
    strictness = headers.get("x-netsuite-propertynamevalidation", "warning").lower()
    if strictness not in _STRICTNESS:
        raise ServiceError(
            400,
            "INVALID_HEADER",
            "The value of the header X-NetSuite-PropertyNameValidation must be error, warning or ignore.",
            header="X-NetSuite-PropertyNameValidation",
        )
    kept = None
    if params.get("replaceSelectedFields", "").lower() == "true":
        kept = {name.strip() for name in params.get("replace", "").split(",")}
    written = Written()
    for name, value in body.items():
        if name in {"links", "id"}:
            continue
        known = fields.get(name)
        if known is None:
            if strictness == "error":
                raise invalid_content(name, f"Unknown property name: {name}.")
            if strictness == "warning":
                written.unknown.append(name)
        elif value is None:
            if kept is None or name in kept:
                written.values[name] = None
        elif known.kind == "sublist":
            written.values[name] = _lines(known, value)
        else:
            written.values[name] = _READERS[known.kind](known, value)
    return written


def _bad(one: Field, value: object) -> ServiceError:
    return invalid_content(
        one.name,
        f"You have entered an Invalid Field Value {str(value)[:60]} for the following field: {one.name}",
    )


def _string(one: Field, value: object) -> str:
    """A text. Line ends do not survive unless they come as a backslash and a letter (Oracle's guide says to escape them)."""
    if not isinstance(value, str):
        raise _bad(one, value)
    flat = value.replace("\r", " ").replace("\n", " ")
    return flat.replace("\\r", "\r").replace("\\n", "\n")


def _boolean(one: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise _bad(one, value)
    return value


def _number(one: Field, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _bad(one, value)
    return Decimal(value)


def _date(one: Field, value: object) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise _bad(one, value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _bad(one, value) from None


def _reference(one: Field, value: object) -> str:
    identity = value.get("id") if isinstance(value, dict) else value
    if (
        isinstance(identity, bool)
        or not isinstance(identity, str | int)
        or not str(identity).lstrip("-").isdecimal()
    ):
        raise _bad(one, value)
    return str(identity)


def _enum(one: Field, value: object) -> str:
    """By id or by text; ids as older clients write them, bare."""
    ids = {identity.casefold(): identity for identity, _ in one.values}
    texts = {text.casefold(): identity for identity, text in one.values}
    if isinstance(value, dict):
        found = ids.get(str(value.get("id")).casefold()) or texts.get(str(value.get("refName")).casefold())
    else:
        found = ids.get(str(value).casefold())
    if found is None:
        raise _bad(one, value.get("id", value.get("refName")) if isinstance(value, dict) else value)
    return found


def _lines(one: Field, value: object) -> list[dict[str, Any]]:
    items = value.get("items") if isinstance(value, dict) else None
    if not isinstance(items, list) or not all(isinstance(line, dict) for line in items):
        raise _bad(one, value)
    return items


_READERS: Final[Mapping[str, Callable[[Field, object], Any]]] = {
    "string": _string,
    "boolean": _boolean,
    "number": _number,
    "integer": _number,
    "date": _date,
    "date-time": _string,
    "reference": _reference,
    "enum": _enum,
}
