"""Which functions does SuiteQL know here, and what are they in SQLite?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from ar_connectors.testkit.netsuite.errors import invalid_query
from ar_connectors.testkit.netsuite.suiteql.dates import from_oracle
from ar_connectors.testkit.netsuite.suiteql.schema import Kind
from ar_connectors.testkit.netsuite.suiteql.values import (
    DATES,
    NUMBERS,
    Value,
    as_decimal,
    as_real,
    as_text,
    quoted,
    unified,
    unsupported,
)

__all__ = ["AGGREGATES", "FUNCTIONS", "Call", "function_of"]


@dataclass(frozen=True, slots=True)
class Call:
    """A function by its SuiteQL name, however the parser calls it."""

    name: str
    arguments: list[exp.Expression]


_PARSED: Final[Mapping[type[exp.Expression], str]] = {
    exp.Upper: "UPPER",
    exp.Lower: "LOWER",
    exp.Length: "LENGTH",
    exp.Substring: "SUBSTR",
    exp.Abs: "ABS",
    exp.Round: "ROUND",
    exp.Ceil: "CEIL",
    exp.Floor: "FLOOR",
    exp.Sign: "SIGN",
    exp.Coalesce: "COALESCE",
    exp.Nullif: "NULLIF",
    exp.Nvl2: "NVL2",
    exp.Greatest: "GREATEST",
    exp.Least: "LEAST",
    exp.ToChar: "TO_CHAR",
    exp.ToNumber: "TO_NUMBER",
    exp.StrToDate: "STR_TO_DATE",
    exp.StrToTime: "STR_TO_TIME",
    exp.TimeToStr: "TIME_TO_STR",
    exp.AddMonths: "ADD_MONTHS",
    exp.Replace: "REPLACE",
    exp.StrPosition: "INSTR",
    exp.Sum: "SUM",
    exp.Min: "MIN",
    exp.Max: "MAX",
    exp.Avg: "AVG",
}
AGGREGATES: Final = (exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Count)
_ANONYMOUS: Final = {
    "TRUNC",
    "NVL",
    "INITCAP",
    "REPLACE",
    "INSTR",
    "TRIM",
    "TO_TIMESTAMP",
    "TO_DATE",
    "CONCAT",
    "MOD",
}


def function_of(node: exp.Expression) -> Call | None:
    """The function a node calls; None for what is none."""
    if isinstance(node, exp.Anonymous):
        name = str(node.this).upper()
        return Call(name, list(node.expressions)) if name in _ANONYMOUS else None
    if isinstance(node, exp.CurrentTimestamp) and node.args.get("sysdate"):
        return Call("SYSDATE", [])
    if isinstance(node, exp.Count):
        return Call("COUNT", [] if isinstance(node.this, exp.Star) else [node.this])
    if isinstance(node, exp.Trim) and set(_given(node)) == {"this"}:
        return Call("TRIM", [node.this])
    if isinstance(node, exp.Initcap):
        return Call("INITCAP", [node.this])  # the parser adds the characters that part words
    if isinstance(node, exp.Concat):
        return Call("CONCAT", list(node.expressions))
    if isinstance(node, exp.Mod):
        return Call("MOD", [node.this, node.expression])
    if type(node).__name__ in {"Trunc", "DateTrunc", "TimestampTrunc"}:
        given = _given(node)
        second = given.get("unit") or given.get("decimals")
        return Call("TRUNC", [node.this, *([second] if isinstance(second, exp.Expression) else [])])
    name = _PARSED.get(type(node), "")
    if not name:
        return None
    return Call(name, [*_arguments(node)])


def _given(node: exp.Expression) -> dict[str, object]:
    return {key: one for key, one in node.args.items() if one not in (None, [], False, True)}


def _arguments(node: exp.Expression) -> list[exp.Expression]:
    """The arguments in the order in which they were written."""
    found: list[exp.Expression] = []
    for name, given in _given(node).items():
        if name in {"is_nvl", "null"}:
            continue
        for one in given if isinstance(given, list) else [given]:
            if not isinstance(one, exp.Expression):
                raise unsupported()
            found.append(one)
    return found


def _take(values: list[Value], least: int, most: int | None = None) -> list[Value]:
    if not least <= len(values) <= (least if most is None else most):
        raise unsupported()
    return values


def _text_function(name: str, least: int = 1, most: int | None = None) -> Callable[[list[Value]], Value]:
    def make(values: list[Value]) -> Value:
        first, *rest = _take(values, least, most)
        arguments = ", ".join([as_text(first), *(one.sql for one in rest)])
        return Value(f"NULLIF({name}({arguments}), '')", Kind.TEXT)

    return make


def _integer_function(name: str, count: int) -> Callable[[list[Value]], Value]:
    def make(values: list[Value]) -> Value:
        arguments = ", ".join(as_text(one) for one in _take(values, count))
        return Value(f"{name}({arguments})", Kind.INTEGER)

    return make


def _decimal_function(name: str, least: int = 1, most: int | None = None) -> Callable[[list[Value]], Value]:
    def make(values: list[Value]) -> Value:
        arguments = ", ".join(as_decimal(one) for one in _take(values, least, most))
        return Value(f"{name}({arguments})", Kind.NUMBER)

    return make


def _first_of(values: list[Value]) -> Value:
    parts, kind = unified(_take(values, 2, 20))
    return Value(f"COALESCE({', '.join(parts)})", kind)


def _if_null(values: list[Value]) -> Value:
    subject, yes, no = _take(values, 3)
    parts, kind = unified([yes, no])
    return Value(f"CASE WHEN {subject.sql} IS NOT NULL THEN {parts[0]} ELSE {parts[1]} END", kind)


def _null_if(values: list[Value]) -> Value:
    left, right = _take(values, 2)
    numeric = left.kind in NUMBERS and right.kind in NUMBERS
    same = f"{as_real(left)} = {as_real(right)}" if numeric else f"{left.sql} = {right.sql}"
    return Value(f"CASE WHEN {same} THEN NULL ELSE {left.sql} END", left.kind)


def _to_char(values: list[Value]) -> Value:
    subject, *layout = _take(values, 1, 2)
    if subject.kind not in DATES:
        if layout:
            raise unsupported()
        return Value(as_text(subject), Kind.TEXT)
    if not layout:
        return Value(as_text(subject), Kind.TEXT)
    return _formatted(subject, from_oracle(_literal(layout[0])))


def _time_to_str(values: list[Value]) -> Value:
    subject, layout = _take(values, 2)
    if subject.kind not in DATES:
        raise unsupported()
    return _formatted(subject, _literal(layout))


def _formatted(subject: Value, layout: str) -> Value:
    if layout == "%Y-%m-%d":
        return Value(f"substr({subject.sql}, 1, 10)", Kind.TEXT)
    if layout == "%Y-%m-%d %H:%M:%S":
        return Value(subject.sql, Kind.TEXT)
    return Value(f"formatted({subject.sql}, {quoted(layout)})", Kind.TEXT)


def _read(kind: Kind) -> Callable[[list[Value]], Value]:
    def make(values: list[Value]) -> Value:
        subject, layout = _take(values, 2)
        return Value(f"read_date({as_text(subject)}, {quoted(_literal(layout))})", kind)

    return make


def _literal(value: Value) -> str:
    if value.literal is None or value.kind is not Kind.TEXT:
        raise invalid_query("Search error occurred: A format must be a literal.")
    return value.literal


def _truncated(values: list[Value]) -> Value:
    subject, *rest = _take(values, 1, 2)
    if subject.kind in DATES:
        unit = _literal(rest[0]).upper() if rest else "DD"
        if unit not in {"DD", "DAY", "MM", "MONTH", "MON", "Y", "YY", "YYYY", "YEAR"}:
            raise unsupported()
        return Value(f"truncated_date({subject.sql}, {quoted(unit[0])})", Kind.DATE)
    places = rest[0].sql if rest else "0"
    return Value(f"truncated({as_decimal(subject)}, {places})", Kind.NUMBER)


def _months_added(values: list[Value]) -> Value:
    subject, months = _take(values, 2)
    if subject.kind not in DATES or months.kind is not Kind.INTEGER:
        raise unsupported()
    return Value(f"months_added({subject.sql}, {months.sql})", subject.kind)


def _to_number(values: list[Value]) -> Value:
    (subject,) = _take(values, 1)
    return subject if subject.kind in NUMBERS else Value(f"to_number({as_text(subject)})", Kind.NUMBER)


def _joined(values: list[Value]) -> Value:
    left, right = _take(values, 2)
    return Value(f"NULLIF(COALESCE({as_text(left)}, '') || COALESCE({as_text(right)}, ''), '')", Kind.TEXT)


def _sum(values: list[Value]) -> Value:
    (subject,) = _take(values, 1)
    if subject.kind is Kind.INTEGER:
        return Value(f"SUM({subject.sql})", Kind.INTEGER)
    return Value(f"decimal_sum({as_decimal(subject)})", Kind.NUMBER)


def _extreme(name: str) -> Callable[[list[Value]], Value]:
    def make(values: list[Value]) -> Value:
        (subject,) = _take(values, 1)
        if subject.kind is Kind.NUMBER:
            return Value(f"decimal_{name.lower()}({subject.sql})", Kind.NUMBER)
        return Value(f"{name}({subject.sql})", subject.kind)

    return make


def _choice(name: str) -> Callable[[list[Value]], Value]:
    def make(values: list[Value]) -> Value:
        parts, kind = unified(_take(values, 2, 20))
        if kind is Kind.NUMBER:
            return Value(f"decimal_{name.lower()}_of({', '.join(parts)})", kind)
        return Value(f"{name}({', '.join(parts)})", kind)

    return make


def _count(values: list[Value]) -> Value:
    (subject,) = _take(values, 1) if values else (Value("*", None),)
    return Value(f"COUNT({subject.sql})", Kind.INTEGER)


FUNCTIONS: Final[Mapping[str, Callable[[list[Value]], Value]]] = {
    "UPPER": _text_function("upper_text"),
    "LOWER": _text_function("lower_text"),
    "INITCAP": _text_function("initcap"),
    "TRIM": _text_function("TRIM"),
    "SUBSTR": _text_function("substring", 2, 3),
    "REPLACE": _text_function("REPLACE", 3),
    "LENGTH": _integer_function("LENGTH", 1),
    "INSTR": _integer_function("INSTR", 2),
    "CONCAT": _joined,
    "ABS": _decimal_function("absolute"),
    "ROUND": _decimal_function("rounded", 1, 2),
    "CEIL": _decimal_function("ceiling"),
    "FLOOR": _decimal_function("floored"),
    "SIGN": _decimal_function("signed"),
    "MOD": _decimal_function("modulo", 2),
    "COALESCE": _first_of,
    "NVL": _first_of,
    "NVL2": _if_null,
    "NULLIF": _null_if,
    "GREATEST": _choice("MAX"),
    "LEAST": _choice("MIN"),
    "TO_CHAR": _to_char,
    "TIME_TO_STR": _time_to_str,
    "TO_NUMBER": _to_number,
    "STR_TO_DATE": _read(Kind.DATE),
    "STR_TO_TIME": _read(Kind.DATETIME),
    "TRUNC": _truncated,
    "ADD_MONTHS": _months_added,
    "SYSDATE": lambda _: Value("server_time()", Kind.DATETIME),
    "SUM": _sum,
    "AVG": _decimal_function("decimal_avg"),
    "MIN": _extreme("MIN"),
    "MAX": _extreme("MAX"),
    "COUNT": _count,
}
"""By SuiteQL's name."""
