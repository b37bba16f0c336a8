"""How does a record become bytes, and bytes a record again? A JSON array of its fields in declared order, every digit kept.

Names would be half of the bytes, and half of the time. So the place of a field is part of the format: new fields go to the end of
their model, with a default (`migrations/fields_0001.json` holds the order, a test compares). Reading goes through typed structs made
from the models themselves, so a snapshot of 100,000 invoices takes seconds; a test proves the result equal to a validated one. Text
that is no Unicode (lone surrogates) goes through the standard library, with escapes.
"""

from __future__ import annotations

import json
import threading
import types
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import asdict
from pydantic import AwareDatetime

from ar_core.model import (
    Adjustment,
    Allocation,
    Contact,
    CreditNote,
    Customer,
    CustomerProfile,
    Dispute,
    Frozen,
    Invoice,
    Organization,
    Pause,
    Payment,
    Promise,
    Touch,
)
from ar_core.model.base import adopter

__all__ = ["MODELS", "decode_record", "decode_typed", "encode_record", "encode_records", "stored_fields"]

MODELS: dict[str, type[Frozen]] = {
    "organization": Organization,
    "customer": Customer,
    "contact": Contact,
    "profile": CustomerProfile,
    "invoice": Invoice,
    "credit_note": CreditNote,
    "payment": Payment,
    "adjustment": Adjustment,
    "allocation": Allocation,
    "promise": Promise,
    "dispute": Dispute,
    "touch": Touch,
    "pause": Pause,
}
"""Kind -> model: everything a store keeps as a record."""


def stored_fields() -> dict[str, list[str]]:
    """The format: the fields of every model that is stored, or held by one that is, in their order."""
    return {
        model.__name__: list(model.model_fields) for model in sorted(_STORABLE, key=lambda one: one.__name__)
    }


def _storable() -> set[type[Frozen]]:
    found: set[type[Frozen]] = set()
    waiting: list[type[Frozen]] = list(MODELS.values())
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [inner for hint in get_type_hints(model).values() for inner in _models_in(hint)]
    return found


def _models_in(hint: Any) -> list[type[Frozen]]:
    if isinstance(hint, type) and issubclass(hint, Frozen):
        return [hint]
    return [inner for part in get_args(hint) for inner in _models_in(part)]


def encode_record(record: Frozen) -> bytes:
    """The fields of a record, and of what it holds, as JSON arrays."""
    try:
        return _ENCODER.encode(record)
    except UnicodeEncodeError:
        return json.dumps(_values(record), default=_plain, separators=(",", ":")).encode("ascii")


def encode_records(records: Sequence[Frozen]) -> list[bytes]:
    """`encode_record` of each, in one call: a page has thousands. No line break stands in JSON but between two records."""
    try:
        *bodies, _ = _ENCODER.encode_lines(records).split(b"\n")
    except UnicodeEncodeError:
        return [encode_record(one) for one in records]
    return bodies


def decode_record(kind: str, body: bytes) -> Any:
    """The record that `encode_record` wrote. Raises msgspec.ValidationError for other bytes."""
    try:
        return decode_typed(kind, body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Escaped lone surrogates, which the standard library reads.
        model = MODELS[kind]
        _reader(kind)
        return _builder(model)(msgspec.convert(json.loads(body), _struct(model)))


def decode_typed(kind: str, body: bytes) -> Any:
    """The same without the way out for lone surrogates, which raise msgspec.DecodeError."""
    decode, build = _READERS.get(kind) or _reader(kind)
    return build(decode(body))


def _reader(kind: str) -> tuple[Callable[[bytes], Any], Callable[[Any], Any]]:
    # One thread makes it: msgspec shows others a type that it has not finished, and reading into one ends the process.
    with _MAKING:
        model = MODELS[kind]
        if kind not in _READERS:
            _READERS[kind] = (msgspec.json.Decoder(_struct(model)).decode, _builder(model))
        return _READERS[kind]


_MAKING = threading.Lock()
_STORABLE = _storable()
"""Models that are stored, or held by one that is."""


def _values(record: Any) -> list[Any]:
    """The fields of a model in declared order, as they lie in its own dict: whatever makes a record keeps that order
    (`ar_core.model.base`), and asking for them by name costs twice as much. Raises TypeError for anything else."""
    if type(record) not in _STORABLE:
        raise TypeError(f"cannot store a {type(record).__name__}")
    return [*record.__dict__.values()]


_ENCODER = msgspec.json.Encoder(enc_hook=_values)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset | set):
        return list(value)
    return _values(value)


_READERS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], Any]]] = {}
_STRUCTS: dict[type[Frozen], type[msgspec.Struct]] = {}
_BUILDERS: dict[type[Frozen], Callable[[Any], Any]] = {}


def _struct(model: type[Frozen]) -> type[msgspec.Struct]:
    """A struct type with the fields of a model in declared order, read from an array; optional where the model has a default."""
    known = _STRUCTS.get(model)
    if known is not None:
        return known
    hints = get_type_hints(model)
    fields: list[Any] = []
    for name, field in model.model_fields.items():
        wire = _wire_type(hints[name])
        if field.is_required():
            fields.append((name, wire))
        else:
            fields.append((name, wire, field.get_default(call_default_factory=True)))
    made = msgspec.defstruct(f"Stored{model.__name__}", fields, array_like=True, gc=False, kw_only=True)
    _STRUCTS[model] = made
    return made


def _wire_type(hint: Any) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        return _wire_type(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return Union[tuple(_wire_type(one) for one in get_args(hint))]  # noqa: UP007  built from a tuple of types
    if origin is tuple:
        inner: Any = _wire_type(get_args(hint)[0])
        return tuple[inner, ...]
    if isinstance(hint, type) and issubclass(hint, Frozen):
        return _struct(hint)
    # pydantic's name for a datetime that must be aware is a type of its own, which the decoder does not know.
    return datetime if hint is AwareDatetime else hint


def _builder(model: type[Frozen]) -> Callable[[Any], Any]:
    """A function from a decoded struct to the model, all fields in declared order."""
    known = _BUILDERS.get(model)
    if known is not None:
        return known
    adopt = adopter(model)
    hints = get_type_hints(model)
    nested = [
        (name, convert) for name in model.model_fields if (convert := _converter(hints[name])) is not None
    ]

    def build(struct: Any) -> Any:
        values = asdict(struct)
        for name, convert in nested:
            value = values[name]
            if value:
                values[name] = convert(value)
        return adopt(values)

    _BUILDERS[model] = build
    return build


def _converter(hint: Any) -> Callable[[Any], Any] | None:
    """How a nested value is turned into models; None where the decoded value is already the field's value."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _converter(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        found = [one for one in map(_converter, get_args(hint)) if one is not None]
        return found[0] if found else None
    if origin is tuple:
        inner = _converter(get_args(hint)[0])
        return None if inner is None else lambda values: tuple([inner(value) for value in values])
    if isinstance(hint, type) and issubclass(hint, Frozen):
        return _builder(hint)
    return None
