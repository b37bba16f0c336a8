"""What is every normalized record made of? Frozen pydantic models, one fast constructor, exact field types.

Records are immutable values. They are validated when they come from outside (JSON, a user's code) and built without a
second validation where a typed wire decoder has already checked every field (`Frozen.trusted`).
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise, repeat
from operator import itemgetter
from textwrap import dedent
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar, overload

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.functional_validators import AfterValidator
from pydantic.json_schema import JsonSchemaValue

from ar_core.model.money import MAX_EXPONENT

__all__ = [
    "Amount",
    "Currency",
    "Frozen",
    "UtcDatetime",
    "adopt",
    "adopt_all",
    "adopter",
    "blank",
    "empty",
    "fields_of",
    "reader",
]

# One page of an ERP is ten thousand records and lines, so a record is made in two calls of C: an empty object, and the dict of its
# fields. The slot's descriptor is called directly: half the price of object.__setattr__, which looks the name up on every call.
# Pydantic's three other slots stay empty; `Frozen.__getattr__` says what stands in them.
empty = object.__new__
"""The first half of what an `adopter` does, for loops in which a call of Python for each record is felt: a record without fields."""
adopt: Callable[[Frozen, dict[str, Any]], None] = BaseModel.__dict__["__dict__"].__set__
"""The second half: give an `empty` record a dict that holds *every* field, as an `adopter` takes it."""
fields_of: Callable[[Any], dict[str, Any]] = BaseModel.__dict__["__dict__"].__get__
"""The fields of a record, from where they lie: for loops over very many records that look at several fields of each. A third faster
than `record.__dict__`, which is looked up through pydantic's hook."""


class Frozen(BaseModel):  # noqa: PLW1641  pydantic gives each frozen class a hash of its fields
    """Base of every public record: immutable, hashable, no unknown fields, enums kept as enums."""

    # Not `use_attribute_docstrings`: it reads the source of each class anew whenever a program starts, an eighth of the time of that.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Its JSON Schema, in which each field says what the text below it says here."""
        schema = handler(core_schema)
        fields = handler.resolve_ref_schema(schema).get("properties", {})
        for part in cls.__mro__:
            for name, text in _texts_of_fields(part).items() if issubclass(part, Frozen) else ():
                if name in fields:
                    fields[name].setdefault("description", text)
        return schema

    @classmethod
    def trusted(cls, **fields: Any) -> Self:
        """Build a record from values that are already of the declared types, without validating them again.

        Every field without a default must be given; a missing or misspelled one is not noticed here. For
        mappers that decode with typed structs: measured several
        times faster than validation, and equal to it (tests compare the two on generated rows).
        """
        template = _TEMPLATES.get(cls)
        if template is None:
            template = _TEMPLATES[cls] = _template(cls)
        record = empty(cls)
        # Declared order comes from the template: serialization and hashing follow it.
        adopt(record, {**template, **fields})
        return record

    def __eq__(self, other: object) -> bool:
        """Two records are equal when they are of one type and every field is: there is nothing else to them."""
        if type(other) is not type(self):
            return NotImplemented
        return bool(fields_of(self) == fields_of(other))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What pydantic's own slots hold of a record that was built without validation: nothing extra, nothing private, and
            every field set. The interpreter asks here only where a slot is empty, so never of a validated record."""
            if name in {"__pydantic_extra__", "__pydantic_private__"}:
                return None
            if name == "__pydantic_fields_set__":
                return set(fields_of(self))
            return super().__getattr__(name)


def _texts_of_fields(cls: type[Frozen]) -> dict[str, str]:
    """Field -> the text that stands below it in the class. Empty where the source is not at hand."""
    try:
        tree = ast.parse(dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):  # made by a program, or with text that stands left of its class
        return {}
    [made] = [one for one in tree.body if isinstance(one, ast.ClassDef)]
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(made.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


_Record = TypeVar("_Record", bound=Frozen)


def adopter(cls: type[_Record]) -> Callable[[dict[str, Any]], _Record]:
    """The fastest constructor of a record type: takes a dict that holds *every* field, in declared order, with values of the
    declared types, and makes it the record's own (the caller must not keep it). For the lines of a page; nothing is checked, tests
    compare its results with validated records.
    """

    def make(values: dict[str, Any]) -> _Record:
        record = empty(cls)
        adopt(record, values)
        return record

    return make


def adopt_all(cls: type[_Record], values: Sequence[dict[str, Any]]) -> list[_Record]:
    """What `adopter` does, for very many records at once: without a step of Python for each it takes half the time."""
    records = list(map(empty, repeat(cls, len(values))))
    deque(map(adopt, records, values), maxlen=0)
    return records


def blank(cls: type[Frozen], **known: Any) -> Callable[[], dict[str, Any]]:
    """What makes the dicts that an `adopter` takes: each call returns a new one with *every* field, in declared order, at its
    default (None where a value is required) or as `known`.

    A copy is quicker than a dict written out, and where the interpreter lets dicts share their keys it takes a third of the
    memory; of a page with thousands of records, most of the time goes into memory.
    """
    values = {**_template(cls), **known}
    return min(values, _sharing_keys(values), key=sys.getsizeof).copy


def _sharing_keys(values: dict[str, Any]) -> dict[str, Any]:
    """The same dict, with its keys held once for all its copies where there are not too many of them: as objects of one class
    hold theirs. Several objects, because the interpreter leaves room for further keys until it has seen some."""

    class Carrier:
        pass

    for _ in range(_UNTIL_SETTLED):
        carrier = Carrier()
        for name, value in values.items():
            setattr(carrier, name, value)
    return vars(carrier)


_UNTIL_SETTLED = 40


@overload
def reader(one: str, /) -> Callable[[Iterable[Frozen]], Iterator[Any]]: ...
@overload
def reader(one: str, two: str, /) -> Callable[[Iterable[Frozen]], Iterator[tuple[Any, Any]]]: ...
@overload
def reader(
    one: str, two: str, three: str, /
) -> Callable[[Iterable[Frozen]], Iterator[tuple[Any, Any, Any]]]: ...
@overload
def reader(
    one: str, two: str, three: str, four: str, /
) -> Callable[[Iterable[Frozen]], Iterator[tuple[Any, Any, Any, Any]]]: ...
@overload
def reader(
    one: str, two: str, three: str, four: str, five: str, /, *more: str
) -> Callable[[Iterable[Frozen]], Iterator[Any]]: ...
def reader(*names: str) -> Callable[[Iterable[Frozen]], Iterator[Any]]:
    """The fastest way to read the same fields of very many records: their values, record by record; tuples for several names.

    An attribute of a pydantic record is looked up through its `__getattr__` hook each time. Here its fields are taken from where they
    lie, in C: eight of them cost less than three attributes (measured).
    """
    pick = itemgetter(*names)

    def read(records: Iterable[Frozen]) -> Iterator[Any]:
        return map(pick, map(fields_of, records))

    return read


def _template(cls: type[Frozen]) -> dict[str, Any]:
    """Defaults of a record type in declared order (None where a value is required)."""
    return {
        name: None if field.is_required() else field.get_default(call_default_factory=True)
        for name, field in cls.model_fields.items()
    }


_TEMPLATES: dict[type[Frozen], dict[str, Any]] = {}


def _refuse_inexact(value: Any) -> Any:
    """Binary floating point cannot hold money; a bool is not a number here."""
    if isinstance(value, float | bool):
        problem = f"not as {type(value).__name__} ({value!r}): a binary float is not exact"
        raise ValueError(f"write amounts as text or Decimal, {problem}")  # noqa: TRY004  pydantic collects ValueError only
    return value


def _refuse_unbounded(value: Decimal) -> Decimal:
    """NaN, infinity and absurd exponents are not amounts (D15)."""
    if not value.is_finite():
        raise ValueError(f"{value} is not an amount: it is not finite")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and (abs(exponent) > MAX_EXPONENT or abs(value.adjusted()) > MAX_EXPONENT):
        raise ValueError(f"{value} is not an amount: its exponent is beyond {MAX_EXPONENT}")
    return value


def _to_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Amount = Annotated[
    Decimal,
    Field(allow_inf_nan=True),
    BeforeValidator(_refuse_inexact, json_schema_input_type=str | int),
    AfterValidator(_refuse_unbounded),
]
"""An exact decimal: digits and scale are kept as they came. Text in JSON; a JSON float is refused."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code in capitals. The code is not looked up in a list: ERPs hold retired codes too."""

UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An instant. Any offset is accepted, UTC is kept; a naive time is refused."""
