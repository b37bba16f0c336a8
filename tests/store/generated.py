"""Hypothesis strategies for every record a store keeps, made from the models' own type hints."""

from __future__ import annotations

import types
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from pydantic import AwareDatetime

from ar_connectors.store.instants import from_micros
from ar_core.model import Frozen
from ar_core.model.base import Currency

# Everything an ERP may send in a JSON string: NUL and lone surrogates too.
TEXTS = st.text(st.characters(), max_size=6)
AMOUNTS = st.one_of(
    st.decimals(-(10**30), 10**30, allow_nan=False, allow_infinity=False, places=2),
    st.sampled_from([Decimal("12345678901234567.89"), Decimal("1E+3"), Decimal("-0.00"), Decimal("1E-30")]),
)
DATES = st.dates(date(1, 1, 1), date(9999, 12, 31))
INSTANTS = st.integers(0, 7_258_118_400_000_000).map(from_micros)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(-(2**53), 2**53),
    bool: st.booleans(),
    date: DATES,
    Decimal: AMOUNTS,
    AwareDatetime: INSTANTS,
    datetime: INSTANTS,
    timedelta: st.timedeltas(),
    type(None): st.none(),
}


@cache
def records(model: type[Frozen]) -> st.SearchStrategy[Any]:
    """Validated records of a model, any field with any value of its type."""
    hints = get_type_hints(model, include_extras=True)
    required = {name: _of(hints[name]) for name, field in model.model_fields.items() if field.is_required()}
    optional = {
        name: _of(hints[name]) for name, field in model.model_fields.items() if not field.is_required()
    }
    return st.fixed_dictionaries(required, optional=optional).map(lambda fields: model(**fields))


def _of(hint: Any) -> st.SearchStrategy[Any]:
    if hint == Currency:
        return st.sampled_from(["USD", "EUR", "JPY"])
    origin = get_origin(hint)
    if origin is Annotated:
        return _of(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return st.one_of([_of(one) for one in get_args(hint)])
    if origin is tuple:
        return st.lists(_of(get_args(hint)[0]), max_size=2).map(tuple)
    if hint in PLAIN:
        return PLAIN[hint]
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return records(hint)
