"""The reference page, written from the code: every reason code, feature, setting, preset and figure.

`python -m ar_core.reference > docs/reference.md`; a test tells when the page is no longer current.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, get_args

from pydantic import BaseModel

from ar_core.cadence import CODES, FEATURES, PRESETS, load_policy
from ar_core.cadence.content import Content
from ar_core.cadence.lint import LintCode
from ar_core.cadence.loading import HOURS
from ar_core.cadence.pauses import IntentRule, Pauses
from ar_core.cadence.policy import Policy
from ar_core.cadence.predicates import parse_predicate
from ar_core.cadence.schema import policy_json_schema
from ar_core.cadence.vocabulary import (
    Actor,
    Clause,
    OutwardChannel,
    Part,
    Purpose,
    Rung,
    StepChannel,
    StepKind,
    Tone,
)
from ar_core.metrics import Undefined
from ar_core.model.activity import Intent
from ar_core.model.parties import Channel
from ar_core.promises import PromiseState

__all__ = ["page"]

_GROUPS = {
    "action": "Why something is done",
    "wait": "Why an invoice waits",
    "paused": "Why an invoice is paused",
    "excluded": "Why an invoice is not chased",
    "fact": "Facts about customers and data",
    "signal": "Signals",
    "calendar": "Calendar and hours",
}
_INTRO = """# Reference

Written from the code by `python -m ar_core.reference`; do not edit it. Rule ids are explained in [Rules](rules.md).
"""

_RULES: tuple[tuple[str | Mapping[str, Any], str], ...] = (
    (
        "max_dpd >= 60",
        "A feature compared with a value: `==`, `!=`, `<`, `<=`, `>`, `>=`. Numbers, text in quotes, True, False.",
    ),
    ("0 < dpd <= 30", "Comparisons in a row, as one would say them."),
    ("value == strategic", "A word without quotes on the value's side is that text."),
    ("stage >= escalation", "Stages have their order; other texts have none."),
    ("order_hold", "A flag may stand alone."),
    ("country in ('MX', 'BR')", "One of several; `not in` for none of them. One alone: `('MX',)`."),
    ("country is None", "Holds when it is unknown; `is not None` when it is known."),
    ("broken_ptp >= 2 and not (max_dpd < 30 or value == tail)", "`and`, `or`, `not` and parentheses."),
    (
        {"any": ["max_dpd >= 60", {"all": ["broken_ptp >= 2", "max_dpd >= 30"]}]},
        "Under `any` one of the rules holds, under `all` each; they may stand in each other.",
    ),
    ("True", "Always; in a file also `true`, without quotes."),
)
"""A rule of each form, and what it means."""


def page() -> str:
    """The whole page as Markdown."""
    parts = [_codes(), _features(), _rules(), _settings(), _words(), _presets(), _lint(), _others()]
    return _INTRO + "".join(line + "\n" for part in parts for line in part)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(_cell(value) for value in row) + " |"


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|") or " "


def _codes() -> Iterator[str]:
    yield "\n## Reason codes\n"
    yield "A code is never renamed or reused. Every disposition has one, every action at least one."
    for group, title in _GROUPS.items():
        rows = [
            (f"`{c.value}`", info.meaning, info.rules) for c, info in CODES.items() if info.group == group
        ]
        yield f"\n### {title}"
        yield from _table(("code", "meaning", "rules"), rows)


def _features() -> Iterator[str]:
    yield "\n## Features\n"
    yield "What a rule of a policy may name. A comparison with an unknown feature is unknown, and a rule that is unknown does not fire."
    for scope, title in (("customer", "Of a customer"), ("invoice", "Of one invoice")):
        yield f"\n### {title}"
        rows = [
            (f"`{f.name}`", f.type.value, f.unit or "-", f.meaning + _choices(f.values))
            for f in FEATURES.values()
            if f.scope == scope
        ]
        yield from _table(("feature", "type", "unit", "meaning"), rows)


def _choices(values: Sequence[str]) -> str:
    return f" One of {', '.join(f'`{value}`' for value in values)}." if values else ""


def _rules() -> Iterator[str]:
    yield "\n## Rules of a policy\n"
    yield (
        "Text, or a table with `any` or `all`: a small part of Python's expressions, read and never run. "
        "Rules of risk tiers and escalations, and of overrides with `steps` or `scale`, name features of a customer; "
        "the others may name those of an invoice, too."
    )
    yield from _table(("rule", "meaning"), ((f"`{_written(rule)}`", text) for rule, text in _RULES))


def _written(rule: str | Mapping[str, Any]) -> str:
    """A rule as a TOML file has it, without the quotes around the whole. Raises PredicateError for one that cannot be read."""
    unknown = parse_predicate(rule).features - FEATURES.keys()
    if unknown:
        raise KeyError(*unknown)
    if isinstance(rule, str):
        return rule
    ((word, rules),) = rule.items()
    inner = ", ".join(f'"{one}"' if isinstance(one, str) else _written(one) for one in rules)
    return f"{{{word} = [{inner}]}}"


def _only_in_files() -> Iterator[str]:
    yield "\n### Only in a file\n"
    yield "What a file says about other policies; none of it is in the policy that comes out."
    own = {field.alias or name for name, field in Policy.model_fields.items()}
    rows = (
        (f"`{name}`", _schema_type(said), "none", said["description"])
        for name, said in policy_json_schema()["properties"].items()
        if name not in own
    )
    yield from _table(("setting", "type", "default", "meaning"), rows)
    yield ""
    said = (inspect.getdoc(load_policy) or "").split("\n\n")
    yield " ".join(next(part for part in said if part.startswith("`extends`")).split())
    yield from _table(
        ("hours", "what they set"),
        ((f"`{name}`", ", ".join(_leaves(tables))) for name, tables in HOURS.items()),
    )


def _schema_type(said: Mapping[str, Any]) -> str:
    """The type of a setting in words, from its JSON Schema."""
    if "anyOf" in said:
        return " or ".join(_schema_type(one) for one in said["anyOf"])
    if "enum" in said:
        return " or ".join(f"`{value}`" for value in said["enum"])
    if "$ref" in said:
        return "[policy](#policy) as a table"
    return {"null": "nothing", "string": "text", "array": "list of text"}[said["type"]]


def _leaves(tables: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"`{path}{name} = {value}`"


def _settings() -> Iterator[str]:
    yield "\n## Settings of a policy\n"
    yield "Tables of a TOML, YAML or JSON policy. Unknown keys are errors. A setting without a default is required."
    yield from _only_in_files()
    for part in _parts(Policy):
        yield f"\n### {part.__name__}\n"
        yield " ".join((inspect.getdoc(part) or "").split())
        rows = []
        for name, field in part.model_fields.items():
            rows.append(
                (
                    f"`{field.alias or name}`",
                    _type(field.annotation),
                    _default(field),
                    field.description or "",
                )
            )
        yield from _table(("setting", "type", "default", "meaning"), rows)
        if part is IntentRule:
            yield from _replies()


def _replies() -> Iterator[str]:
    """What is done by default about each thing a customer may say."""
    known = Pauses().intents
    yield "\nBy default, by what the customer said:"
    yield from _table(
        ("reply", *(f"`{name}`" for name in IntentRule.model_fields)),
        (
            (f"`{reply.value}`", *(_plain(getattr(rule, name)) for name in IntentRule.model_fields))
            for reply, rule in known.items()
        ),
    )
    others = [f"`{one.value}`" for one in Intent if one not in known]
    yield f"\nNone of it for {', '.join(others)}."


def _plain(value: object) -> str:
    return "-" if value is None else f"`{value}`"


def _parts(root: type[Part]) -> list[type[Part]]:
    """The root and every part that its fields hold, in the order they come up."""
    found = [root]
    for part in found:
        for field in part.model_fields.values():
            found += [p for p in _within(field.annotation) if p not in found]
    return found


def _within(annotation: Any) -> Iterator[type[Part]]:
    if inspect.isclass(annotation) and issubclass(annotation, Part):
        yield annotation
    for inner in get_args(annotation):
        yield from _within(inner)


_MANY = {"rule": "rules", "number": "numbers"}


def _type(annotation: Any) -> str:
    """A type in words a policy's author knows."""
    if annotation is None or annotation is type(None):
        return "nothing"
    arguments = get_args(annotation)
    name = getattr(annotation, "__name__", str(annotation))
    if annotation in (OutwardChannel, StepChannel):
        return " or ".join(f"`{channel}`" for channel in Channel if channel is not Channel.INTERNAL)
    if inspect.isclass(annotation) and not arguments:
        if issubclass(annotation, Enum):
            return " or ".join(f"`{member.value}`" for member in annotation)
        if issubclass(annotation, BaseModel):
            return f"[{name}](#{name.lower()})"
        return {
            "str": "text",
            "int": "number",
            "bool": "yes or no",
            "Decimal": "amount",
            "Predicate": "rule",
            "Any": "rule",
            "time": "time of day",
        }.get(name, name)
    if name == "Literal" or "Literal" in str(annotation).split("[", 1)[0]:
        return " or ".join(f"`{value}`" if value else "an empty text" for value in arguments)
    if name == "Annotated" or "Annotated" in str(annotation).split("[", 1)[0]:
        return _type(arguments[0])
    if name == "tuple":
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            one = _type(arguments[0])
            return f"list of {_MANY.get(one, one)}"
        return f"[{', '.join(_type(one) for one in arguments)}]"
    if name == "dict":
        return f"table of {_type(arguments[1])} by {_type(arguments[0])}"
    if arguments:
        return " or ".join(_type(one) for one in arguments)
    return name


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its own"
    if isinstance(value, dict):
        held = next((type(one).__name__ for one in value.values() if isinstance(one, BaseModel)), None)
        return f"see [{held}](#{held.lower()})" if held else "empty"
    if isinstance(value, tuple):
        return ", ".join(f"`{getattr(one, 'value', one)}`" for one in value) or "empty"
    return "none" if value is None or value == "" else f"`{getattr(value, 'value', value)}`"


def _words() -> Iterator[str]:
    yield "\n## Words"
    for kind in (Tone, Actor, StepKind, Purpose, Clause, Rung, Content):
        yield f"\n### {kind.__name__}\n"
        yield " ".join((inspect.getdoc(kind) or "").split())
        yield from _table(("value", "meaning"), _members(kind))


def _presets() -> Iterator[str]:
    yield "\n## Presets"
    for name in PRESETS:
        policy = load_policy(name)
        yield f"\n### {policy.ref}\n"
        yield policy.description
        rows = [
            (
                f"`{step.id}`" + ("" if step.enabled else " (off)"),
                step.at,
                _window(step.window),
                ", ".join(channel.value for channel in step.channels) or step.kind.value,
                step.actor.value,
                step.tone.value if step.tone else "of the stage",
                step.origin,
            )
            for step in policy.steps
        ]
        yield from _table(("step", "day", "window", "channels", "by", "tone", "origin"), rows)


def _window(window: tuple[int, int | None] | None) -> str:
    if window is None:
        return "from its day on"
    return f"{window[0]} to {window[1]}" if window[1] is not None else f"from {window[0]} on"


def _lint() -> Iterator[str]:
    yield "\n## Weaknesses that lint finds"
    yield from _table(("code", "meaning"), _members(LintCode))


def _others() -> Iterator[str]:
    yield "\n## States of a promise"
    yield from _table(("state", "meaning"), _members(PromiseState))
    yield "\n## Why a figure has no value"
    yield from _table(("reason", "meaning"), _members(Undefined))


def _members(kind: type[Enum]) -> Iterator[tuple[str, str]]:
    """The members of an enumeration with the text below each in the source; their own value says it where there is none."""
    body = ast.parse(inspect.getsource(kind).strip()).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101  the source of a class is one
    texts: dict[str, str] = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(before, ast.Assign) and isinstance(before.targets[0], ast.Name):
            text = after.value if isinstance(after, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                texts[before.targets[0].id] = text.value
    for member in kind:
        yield f"`{member.value}`", texts.get(member.name, str(member.value).replace("_", " "))


if __name__ == "__main__":
    sys.stdout.write(page())
