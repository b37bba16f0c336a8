"""When does a rule hold? A small subset of Python expressions over published features, read with `ast` and never compiled (D17).

Allowed: feature names, numbers, text, True, False, None, tuples of them; `and`, `or`, `not`; comparisons, `in`, `not in`,
`is None`, `is not None`; parentheses. In a policy file a rule may also be written `{any = [...]}` or `{all = [...]}`.

Logic has three values. A comparison with an unknown feature is unknown; a rule that is unknown does not fire, and the
explanation says what was missing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final

from ar_core.cadence.conditions import Check, Condition, Test, compared, constant, flag, joined, negated

__all__ = ["Condition", "Predicate", "PredicateError", "nearest", "parse_predicate"]

_OPERATORS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_MIRROR: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_LONGEST: Final = 2000
_DEEPEST: Final = 12


def nearest(name: str, known: Iterable[str]) -> str:
    """What was meant by a name that is not known, as the end of a sentence: `; did you mean window?`, or the names that there are."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(names)}"


class PredicateError(ValueError):
    """An expression is not part of the language, or does not fit the features it names."""


class Predicate:
    """A parsed rule. Equal when its normalized text is equal."""

    __slots__ = ("features", "holds", "test", "text")

    def __init__(self, test: Test) -> None:
        self.test = test
        self.holds: Check = test.holds
        """True, False, or None when a feature it needs is unknown."""
        self.text = test.text()
        self.features = frozenset(condition.feature for condition in test.conditions())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Predicate) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Predicate({self.text!r})"

    def __reduce__(self) -> tuple[Callable[[Any], Predicate], tuple[str]]:
        return parse_predicate, (self.text,)


def parse_predicate(source: Any) -> Predicate:
    """Read a rule from text, a bool, or a mapping with `any` or `all`. Raises `PredicateError` (a ValueError)."""
    if isinstance(source, Predicate):
        return source
    return Predicate(_read(source, 0))


def _read(source: Any, depth: int) -> Test:
    if depth > _DEEPEST:
        raise PredicateError(f"a rule nests at most {_DEEPEST} levels")
    if isinstance(source, bool):
        return constant(source)
    if isinstance(source, Mapping):
        if len(source) != 1 or not source.keys() <= {"any", "all"}:
            raise PredicateError(f"write {{any = [...]}} or {{all = [...]}}; got the keys {sorted(source)}")
        ((word, rules),) = source.items()
        return joined((_read(rule, depth + 1) for rule in _list_of(rules, word)), word == "all")
    if not isinstance(source, str):
        raise PredicateError(f"a rule is text such as 'max_dpd >= 60'; got {type(source).__name__}")
    if len(source) > _LONGEST:
        raise PredicateError(f"a rule has at most {_LONGEST} characters; this one has {len(source)}")
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        # The place that Python names is one in this text, not in the policy's file.
        why = error.msg if isinstance(error, SyntaxError) else error
        raise PredicateError(f"{source!r} is not an expression: {why}") from error
    return _Reader(source.strip()).test(tree.body, depth)


def _list_of(rules: Any, word: str) -> list[Any]:
    if not isinstance(rules, list | tuple) or not rules:
        raise PredicateError(f"`{word}` takes a list of at least one rule")
    return list(rules)


class _Reader:
    """Turns the allowed part of a syntax tree into tests and names the place of everything else."""

    def __init__(self, source: str) -> None:
        self._source = source

    def _refuse(self, node: ast.expr, why: str) -> PredicateError:
        return PredicateError(f"{self._source!r}, column {node.col_offset + 1}: {why}")

    def test(self, node: ast.expr, depth: int) -> Test:
        if depth > _DEEPEST:
            raise self._refuse(node, f"a rule nests at most {_DEEPEST} levels")
        if isinstance(node, ast.BoolOp):
            parts = (self.test(value, depth + 1) for value in node.values)
            return joined(parts, isinstance(node.op, ast.And))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return negated(self.test(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Name):
            return flag(self._word(node))
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            return constant(node.value)
        raise self._refuse(node, f"{type(node).__name__} is not allowed here; write comparisons of features")

    def _comparison(self, node: ast.Compare) -> Test:
        parts = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._one(node, left, _OPERATORS[type(op)], right))
            left = right
        return joined(parts, True)

    def _one(self, node: ast.Compare, left: ast.expr, op: str, right: ast.expr) -> Test:
        if op in {"is", "is not"}:
            if isinstance(left, ast.Name) and isinstance(right, ast.Constant) and right.value is None:
                return compared(left.id, op, None)
            raise self._refuse(node, "`is` is only for `feature is None` and `feature is not None`")
        if isinstance(left, ast.Name):
            return compared(left.id, op, self._value(right))
        if isinstance(right, ast.Name) and op in _MIRROR:
            return compared(right.id, _MIRROR[op], self._value(left))
        raise self._refuse(node, "one side of a comparison is a feature, the other a value")

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Tuple | ast.List):
            return tuple(self._value(element) for element in node.elts)
        if isinstance(node, ast.Name):
            return self._word(node)  # a bare word on the value's side is that word: value == strategic
        if isinstance(node, ast.Constant) and node.value is None:
            raise self._refuse(node, "nothing is compared with None; write `is None` or `is not None`")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._number(node.operand)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bool):
            return node.value
        return self._number(node)

    def _word(self, node: ast.Name) -> str:
        """A bare word; true and false are written as in Python, though TOML, JSON and YAML have them otherwise."""
        if node.id in {"true", "false"}:
            raise self._refuse(node, f"write {node.id.title()} for {node.id}")
        return node.id

    def _number(self, node: ast.expr) -> int | Decimal:
        if isinstance(node, ast.Constant) and not isinstance(node.value, bool):
            if isinstance(node.value, int):
                return node.value
            text = ast.get_source_segment(self._source, node)
            if (
                text is not None
                and not isinstance(node.value, str | bytes | complex)
                and node.value is not None
            ):
                try:
                    return Decimal(text)
                except ArithmeticError as error:
                    raise self._refuse(node, f"{text} is not a number") from error
        raise self._refuse(node, "write a number, text in quotes, or a tuple of them")
