"""When does a rule hold? A small subset of Python expressions over published features, read with `ast` and never compiled (D17).

Allowed: feature names, numbers, text, True, False, None, tuples of them; `and`, `or`, `not`; comparisons, `in`, `not in`,
`is None`, `is not None`; parentheses. In a policy file a rule may also be written `{any = [...]}` or `{all = [...]}`.

Logic has three values. A comparison with an unknown feature is unknown; a rule that is unknown does not fire, and the
explanation says what was missing.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

__all__ = ["WALKED", "Check", "Condition", "Predicate", "PredicateError", "Test", "parse_predicate"]

_OPERATORS: dict[type[ast.cmpop], str] = {
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
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda left, right: left in right,
    "not in": lambda left, right: left not in right,
}
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "==": "!=",
    "!=": "==",
    "in": "not in",
    "not in": "in",
    "is": "is not",
    "is not": "is",
}
WALKED = frozenset(
    {"balance_trend", "kept_ratio_12m", "on_time_rate_12m", "settled_12m", "wavg_days_late_12m"}
)
"""Features that are found by walking through many records: asked last where the others may decide."""
_LONGEST = 2000
_DEEPEST = 12


class PredicateError(ValueError):
    """An expression is not part of the language, or does not fit the features it names."""


class Condition(NamedTuple):
    """One comparison: what a feature must be, and what it is."""

    feature: str
    operator: str
    wanted: Any
    actual: Any = None

    def __str__(self) -> str:
        return f"{self.feature} {self.operator} {_literal(self.wanted)}"


Check = Callable[[Any], "bool | None"]
"""Tests an object that has the features as attributes: True, False, or None when a feature it needs is unknown."""


class Test:
    """A node of a parsed predicate. `holds` is made once, when the node is: a closure that walks no tree (D17)."""

    __slots__ = ("costly", "holds")

    holds: Check
    costly: bool
    """It asks for a feature that is found by walking through many records."""

    def conditions(self) -> Iterator[Condition]:
        """Every comparison in it, left to right."""
        raise NotImplementedError

    def deciding(self, facts: Any) -> list[Condition]:
        """The comparisons that made the result what it is, with the values found."""
        raise NotImplementedError

    def to_change(self, facts: Any, wanted: bool) -> list[Condition]:
        """A smallest set of conditions that, once true, makes the result `wanted`; empty when it already is."""
        raise NotImplementedError

    def text(self) -> str:
        """The expression, normalized."""
        raise NotImplementedError


class _Compare(Test):
    __slots__ = ("feature", "operator", "wanted")

    def __init__(self, feature: str, op: str, wanted: Any) -> None:
        self.feature, self.operator, self.wanted = feature, op, wanted
        self.costly = feature in WALKED
        self.holds = _comparison(feature, op, wanted)

    def conditions(self) -> Iterator[Condition]:
        yield Condition(self.feature, self.operator, self.wanted)

    def deciding(self, facts: Any) -> list[Condition]:
        return [Condition(self.feature, self.operator, self.wanted, getattr(facts, self.feature))]

    def to_change(self, facts: Any, wanted: bool) -> list[Condition]:
        if self.holds(facts) is wanted:
            return []
        op = self.operator if wanted else _OPPOSITE[self.operator]
        return [Condition(self.feature, op, self.wanted, getattr(facts, self.feature))]

    def text(self) -> str:
        return f"{self.feature} {self.operator} {_literal(self.wanted)}"


class _Flag(Test):
    """A yes-or-no feature standing alone."""

    __slots__ = ("feature",)

    def __init__(self, feature: str) -> None:
        self.feature = feature
        self.costly = feature in WALKED
        self.holds = attrgetter(feature)

    def conditions(self) -> Iterator[Condition]:
        yield Condition(self.feature, "==", True)

    def deciding(self, facts: Any) -> list[Condition]:
        return [Condition(self.feature, "==", True, getattr(facts, self.feature))]

    def to_change(self, facts: Any, wanted: bool) -> list[Condition]:
        value = getattr(facts, self.feature)
        return [] if value is wanted else [Condition(self.feature, "==", wanted, value)]

    def text(self) -> str:
        return self.feature


class _Constant(Test):
    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:
        self.value = value
        self.costly = False
        self.holds = lambda _: value

    def conditions(self) -> Iterator[Condition]:
        return iter(())

    def deciding(self, facts: Any) -> list[Condition]:  # noqa: ARG002
        return []

    def to_change(self, facts: Any, wanted: bool) -> list[Condition]:  # noqa: ARG002
        return [] if self.value is wanted else [Condition("policy", "==", wanted, self.value)]

    def text(self) -> str:
        return str(self.value)


class _Not(Test):
    __slots__ = ("inner",)

    def __init__(self, inner: Test) -> None:
        self.inner = inner
        self.costly = inner.costly
        self.holds = _opposite(inner.holds)

    def conditions(self) -> Iterator[Condition]:
        return self.inner.conditions()

    def deciding(self, facts: Any) -> list[Condition]:
        return self.inner.deciding(facts)

    def to_change(self, facts: Any, wanted: bool) -> list[Condition]:
        return self.inner.to_change(facts, not wanted)

    def text(self) -> str:
        return f"not {_wrapped(self.inner)}"


class _Junction(Test):
    """All of several (`and`), or any of them (`or`)."""

    __slots__ = ("every", "parts")

    def __init__(self, parts: tuple[Test, ...], every: bool) -> None:
        self.parts, self.every = parts, every
        self.costly = any(part.costly for part in parts)
        # The order makes no difference to the answer, only to what has to be found out for it.
        self.holds = _joined([part.holds for part in sorted(parts, key=attrgetter("costly"))], every)

    def conditions(self) -> Iterator[Condition]:
        for part in self.parts:
            yield from part.conditions()

    def deciding(self, facts: Any) -> list[Condition]:
        result = self.holds(facts)
        for part in self.parts:
            if part.holds(facts) is result and result is not self.every:
                return part.deciding(facts)
        return [c for part in self.parts if part.holds(facts) is result for c in part.deciding(facts)]

    def to_change(self, facts: Any, wanted: bool) -> list[Condition]:
        if self.holds(facts) is wanted:
            return []
        options = [part.to_change(facts, wanted) for part in self.parts]
        if wanted is self.every:
            return list(dict.fromkeys(c for option in options for c in option))
        return min(options, key=len)

    def text(self) -> str:
        return (" and " if self.every else " or ").join(_wrapped(part) for part in self.parts)


def _comparison(feature: str, op: str, wanted: Any) -> Check:
    value_of = attrgetter(feature)
    if op == "is":
        return lambda facts: value_of(facts) is None
    if op == "is not":
        return lambda facts: value_of(facts) is not None
    compare = _COMPARE[op]

    def holds(facts: Any) -> bool | None:
        value = value_of(facts)
        return None if value is None else compare(value, wanted)

    return holds


def _opposite(check: Check) -> Check:
    def holds(facts: Any) -> bool | None:
        result = check(facts)
        return None if result is None else not result

    return holds


def _joined(checks: Sequence[Check], every: bool) -> Check:
    decided = not every

    def holds(facts: Any) -> bool | None:
        unknown = False
        for check in checks:
            result = check(facts)
            if result is decided:
                return decided
            if result is None:
                unknown = True
        return None if unknown else every

    return holds


def _wrapped(test: Test) -> str:
    return f"({test.text()})" if isinstance(test, _Junction) else test.text()


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_literal(v) for v in value)}{',' if len(value) == 1 else ''})"
    return str(value) if isinstance(value, Decimal) else repr(value)


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
        return _Constant(source)
    if isinstance(source, Mapping):
        if len(source) != 1 or not source.keys() <= {"any", "all"}:
            raise PredicateError(f"write {{any = [...]}} or {{all = [...]}}; got the keys {sorted(source)}")
        ((word, rules),) = source.items()
        return _junction((_read(rule, depth + 1) for rule in _list_of(rules, word)), word == "all")
    if not isinstance(source, str):
        raise PredicateError(f"a rule is text such as 'max_dpd >= 60'; got {type(source).__name__}")
    if len(source) > _LONGEST:
        raise PredicateError(f"a rule has at most {_LONGEST} characters; this one has {len(source)}")
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PredicateError(f"{source!r} is not an expression: {error}") from error
    return _Reader(source.strip()).test(tree.body, depth)


def _list_of(rules: Any, word: str) -> list[Any]:
    if not isinstance(rules, list | tuple) or not rules:
        raise PredicateError(f"`{word}` takes a list of at least one rule")
    return list(rules)


def _junction(parts: Iterable[Test], every: bool) -> Test:
    found = tuple(parts)
    return found[0] if len(found) == 1 else _Junction(found, every)


class _Reader:
    """Turns the allowed part of a syntax tree into tests and names the place of everything else."""

    def __init__(self, source: str) -> None:
        self._source = source

    def _refuse(self, node: ast.AST, why: str) -> PredicateError:
        column = getattr(node, "col_offset", 0) + 1
        return PredicateError(f"{self._source!r}, column {column}: {why}")

    def test(self, node: ast.expr, depth: int) -> Test:
        if depth > _DEEPEST:
            raise self._refuse(node, f"a rule nests at most {_DEEPEST} levels")
        if isinstance(node, ast.BoolOp):
            parts = (self.test(value, depth + 1) for value in node.values)
            return _junction(parts, isinstance(node.op, ast.And))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _Not(self.test(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Name):
            return _Flag(node.id)
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            return _Constant(node.value)
        raise self._refuse(node, f"{type(node).__name__} is not allowed here; write comparisons of features")

    def _comparison(self, node: ast.Compare) -> Test:
        parts = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._one(node, left, _OPERATORS[type(op)], right))
            left = right
        return _junction(parts, True)

    def _one(self, node: ast.Compare, left: ast.expr, op: str, right: ast.expr) -> Test:
        if op in {"is", "is not"}:
            if isinstance(left, ast.Name) and isinstance(right, ast.Constant) and right.value is None:
                return _Compare(left.id, op, None)
            raise self._refuse(node, "`is` is only for `feature is None` and `feature is not None`")
        if isinstance(left, ast.Name):
            return _Compare(left.id, op, self._value(right))
        if isinstance(right, ast.Name) and op in _MIRROR:
            return _Compare(right.id, _MIRROR[op], self._value(left))
        raise self._refuse(node, "one side of a comparison is a feature, the other a value")

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Tuple | ast.List):
            return tuple(self._value(element) for element in node.elts)
        if isinstance(node, ast.Name):
            return node.id  # a bare word on the value's side is that word: value == strategic
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._number(node.operand)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bool):
            return node.value
        return self._number(node)

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
                    return Decimal(text.replace("_", ""))
                except ArithmeticError as error:
                    raise self._refuse(node, f"{text} is not a number") from error
        raise self._refuse(node, "write a number, text in quotes, or a tuple of them")
