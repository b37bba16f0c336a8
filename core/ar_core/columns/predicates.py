"""A policy's predicates as Polars expressions: the same language, the same three values (D17).

Numbers are compared as integers: a money column is units, a share is a numerator and a denominator, so nothing is rounded.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

import polars as pl

from ar_core.cadence.predicates import Predicate

__all__ = ["Column", "UnsupportedPolicy", "expression"]

_WIDE = pl.Int128
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class UnsupportedPolicy(ValueError):
    """A policy asks for something that is not computed in columns. The message names the feature."""


class Column(NamedTuple):
    """One feature as an expression."""

    expr: pl.Expr
    """Null where the feature is unknown."""
    scale: int = 0
    """A number is `expr` times `10**-scale`."""
    over: pl.Expr | None = None
    """For a share: what `expr` is divided by; the feature is unknown where this is zero."""
    order: Sequence[str] = ()
    """For stages: the ids in order; `expr` is the place."""


def expression(predicate: Predicate, columns: Mapping[str, Column]) -> pl.Expr:
    """True, false, or null (unknown) for every row.

    `columns`: the features by name. Raises `UnsupportedPolicy` for a feature it lacks.
    """
    return _node(ast.parse(predicate.text, mode="eval").body, columns)


def _node(node: ast.expr, columns: Mapping[str, Column]) -> pl.Expr:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return reduce(operator.and_, (_node(value, columns) for value in values))
        case ast.BoolOp(values=values):
            return reduce(operator.or_, (_node(value, columns) for value in values))
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return ~_node(inner, columns)
        case ast.Name(id=name):
            return _column(name, columns).expr
        case ast.Constant(value=bool() as value):
            return pl.lit(value)
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[right]):
            return _comparison(_column(name, columns), op, ast.unparse(right), right)
    raise UnsupportedPolicy(f"{ast.unparse(node)} cannot be told in columns")


def _column(name: str, columns: Mapping[str, Column]) -> Column:
    column = columns.get(name)
    if column is None:
        raise UnsupportedPolicy(f"the feature {name} is not computed in columns")
    return column


def _comparison(column: Column, op: ast.cmpop, text: str, right: ast.expr) -> pl.Expr:
    known = column.expr.is_not_null()
    if column.over is not None:
        known = known & (column.over != 0)
    if isinstance(op, ast.Is):
        return ~known
    if isinstance(op, ast.IsNot):
        return known
    if isinstance(op, ast.In | ast.NotIn):
        values = right.elts if isinstance(right, ast.Tuple | ast.List) else [right]
        one_of = (_compared(column, operator.eq, _value(value)) for value in values)
        found = reduce(operator.or_, one_of, pl.when(known).then(pl.lit(False)))
        return ~found if isinstance(op, ast.NotIn) else found
    return _compared(column, _COMPARE[type(op)], _value(right, text))


def _value(node: ast.expr, text: str | None = None) -> Any:
    """The value as the policy's text writes it: a decimal is read from its digits."""
    match node:
        case ast.Constant(value=str() | bool() | int() as value):
            return value
        case ast.Name(id=word):
            return word
        case _:
            return Decimal((text or ast.unparse(node)).replace(" ", ""))


def _compared(column: Column, compare: Callable[[Any, Any], Any], wanted: Any) -> pl.Expr:
    if column.order:
        wanted = column.order.index(wanted)
    if isinstance(wanted, str | bool):
        found: pl.Expr = compare(column.expr, pl.lit(wanted))
        return found
    number = Decimal(wanted)
    exponent = number.as_tuple().exponent
    digits = max(0, -exponent if isinstance(exponent, int) else 0)
    # expr / over x 10**-scale against number, both sides made whole
    left = column.expr.cast(_WIDE) * pl.lit(10 ** max(0, digits - column.scale), dtype=_WIDE)
    right = pl.lit(int(number.scaleb(max(digits, column.scale))), dtype=_WIDE)
    if column.over is not None:
        over = pl.when(column.over != 0).then(column.over.cast(_WIDE))
        right = right * over
    result: pl.Expr = compare(left, right)
    return result
