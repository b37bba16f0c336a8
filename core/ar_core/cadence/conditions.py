"""Of what is a rule made? Comparisons, flags, `and`, `or`, `not`: each can be asked, explained and turned around.

Every node makes its check once, as a closure over its parts, so that asking walks no tree and nothing is compiled (D17). Logic has
three values: True, False, and None where a feature is unknown.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, NamedTuple

__all__ = ["Check", "Condition", "Test", "compared", "constant", "flag", "joined", "negated"]

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda left, right: left in right,
    "not in": lambda left, right: left not in right,
}
_OPPOSITE: Final = {
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
_WALKED: Final = frozenset(
    {"balance_trend", "kept_ratio_12m", "on_time_rate_12m", "settled_12m", "wavg_days_late_12m"}
)
"""Features that are found by walking through many records: asked last where the others may decide."""


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


class Test(ABC):
    """A node of a parsed predicate. `holds` is made once, when the node is: a closure that walks no tree (D17)."""

    __slots__ = ("costly", "holds")

    holds: Check
    costly: bool
    """It asks for a feature that is found by walking through many records."""

    @abstractmethod
    def conditions(self) -> Iterator[Condition]:
        """Every comparison in it, left to right."""

    @abstractmethod
    def deciding(self, facts: Any) -> list[Condition]:
        """The comparisons that made the result what it is, with the values found."""

    @abstractmethod
    def to_change(self, facts: Any, wanted: bool) -> list[Condition]:
        """A smallest set of conditions that, once true, makes the result `wanted`; empty when it already is."""

    @abstractmethod
    def text(self) -> str:
        """The expression, normalized."""

    def needed(self) -> list[Test]:
        """Tests that hold, all of them, exactly where it does: the parts of an `and`, else itself."""
        return [self]


class _Compare(Test):
    __slots__ = ("feature", "operator", "wanted")

    def __init__(self, feature: str, op: str, wanted: Any) -> None:
        self.feature, self.operator, self.wanted = feature, op, wanted
        self.costly = feature in _WALKED
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
        self.costly = feature in _WALKED
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
        self.holds = _walk([part.holds for part in sorted(parts, key=attrgetter("costly"))], every)

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

    def needed(self) -> list[Test]:
        return [test for part in self.parts for test in part.needed()] if self.every else [self]

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


def _walk(checks: Sequence[Check], every: bool) -> Check:
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


def compared(feature: str, op: str, wanted: Any) -> Test:
    """A comparison of a feature; `op` is one of the operators of the language, `is` and `is not` among them."""
    return _Compare(feature, op, wanted)


def flag(feature: str) -> Test:
    """A yes-or-no feature standing alone."""
    return _Flag(feature)


def constant(value: bool) -> Test:
    """Always true, or never."""
    return _Constant(value)


def negated(test: Test) -> Test:
    """The opposite; unknown stays unknown."""
    return _Not(test)


def joined(parts: Iterable[Test], every: bool) -> Test:
    """All of several tests, or any of them; a single one stays as it is."""
    found = tuple(parts)
    return found[0] if len(found) == 1 else _Junction(found, every)
