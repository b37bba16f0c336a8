"""Where does a policy come from? A preset's name, a TOML, JSON or YAML file, or plain data; inheritance is resolved here.

Errors name the place in the policy (`steps[2].window`) and, where the parser knows it, the line of the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ar_core.cadence.documents import DocumentError, Problem, bounded, kind_of, plain, read_document
from ar_core.cadence.places import Lines, line_of, own_place, steps_of
from ar_core.cadence.places import Path as Place
from ar_core.cadence.policy import Policy, known_settings
from ar_core.cadence.predicates import nearest

__all__ = ["HOURS", "PRESETS", "PolicyError", "load_policy", "preset_text"]

PRESETS: tuple[str, ...] = (
    "balanced",
    "funnel_5",
    "risk_4",
    "sequential_notices",
    "sprint_3_5_10",
    "sprint_3_5_7_10",
    "xero_parity",
)
"""The shipped policies; `balanced` is the default."""

HOURS: Mapping[str, Mapping[str, Any]] = {
    "us_conservative": {
        "clock": {"not_before": "08:00:00", "not_after": "21:00:00"},
        "limits": {"per_channel": {"voice": 7}},
    },
    "eu_weekdays": {"clock": {"not_before": "09:00:00", "not_after": "18:00:00"}},
}
"""Sending hours and caps of calls by name, for `hours = "..."` in a policy (E44): what Regulation F asks of consumer collectors in the US,
and office hours in Europe, which are ours. Defaults for data that can be changed, no legal advice."""

_LISTS_BY_ID: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "stages": ("stage", ("origin",)),
    "steps": ("step", ("at", "channels", "origin")),
    "notices": ("notice", ("when", "to", "origin")),
}
"""The lists whose rows are merged by id: what a row is called, and what a new one cannot do without."""
_DEEPEST = 8


class PolicyError(ValueError):
    """A policy cannot be used. The message lists each problem with its line in the file and its place in the policy."""

    def __init__(
        self, source: str, problems: tuple[tuple[str, str], ...], lines: tuple[int | None, ...] = ()
    ) -> None:
        self.source = source
        self.problems = problems
        """(path in the policy, what is wrong)."""
        self.lines = lines or (None,) * len(problems)
        """The line of each problem in the file; None where there is none: the policy is no file, or it is about the whole."""
        told = [
            ": ".join(part for part in (f"line {line}" if line else "", path, message) if part)
            for (path, message), line in zip(problems, self.lines, strict=True)
        ]
        super().__init__("\n  ".join([f"the policy {source} cannot be used:", *told]))

    def __reduce__(
        self,
    ) -> tuple[type[PolicyError], tuple[str, tuple[tuple[str, str], ...], tuple[int | None, ...]]]:
        return type(self), (self.source, self.problems, self.lines)


def preset_text(name: str) -> str:
    """The TOML of a shipped policy, comments included. Raises `PolicyError` for an unknown name."""
    if name not in PRESETS:
        raise PolicyError(repr(name), (("", f"no preset of that name; there are {', '.join(PRESETS)}"),))
    return resources.files("ar_core.cadence").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")


def load_policy(source: str | Path | Mapping[str, Any] = "balanced", *, preset: str | None = None) -> Policy:
    """Read a policy.

    `source`: the name of a preset (`balanced`, or `balanced@1`), a path to a .toml, .json, .yaml or .yml file, or a mapping.
    `preset`: the policy it extends, when the source does not say so itself.

    `extends` names a preset, or is a policy as a table. What extends another overlays it: tables are merged key by key, at any depth;
    rows of the top-level lists `stages`, `steps` and `notices` by their `id`, where a row replaces each setting it names whole, tables
    in it included, and a row with a new id is added at the end; every other list, `overrides` and `escalate` too, is replaced whole.
    `id`, `version`, `family` and `description` are not inherited. `hours` names sending hours of `HOURS` that are laid over what
    is extended, below what the policy itself says. `remove_steps` takes steps away, last.

    Raises `PolicyError` (a ValueError) for whatever is wrong with the policy, and OSError for a file that cannot be read. A policy is of
    a bounded size (`ar_core.cadence.documents`), so one may be accepted from a tenant.
    """
    if isinstance(source, str) and _is_preset(source):
        if preset is None:
            return _shipped(source)
        return _loaded(_preset_data(source), source.partition("@")[0], preset)
    if isinstance(source, Mapping):
        name = source.get("id")
        return _loaded(source, name if isinstance(name, str) else "given as data", preset)
    file = _file(source)
    try:
        document = read_document(file)
    except DocumentError as error:
        raise _refused(str(source), error, {}, {}) from error
    return _loaded(document.data, str(source), preset, document.lines)


def _loaded(
    data: Mapping[str, Any], label: str, preset: str | None, lines: Callable[[], Lines] = dict
) -> Policy:
    """`lines`: where each setting stands in the text; it is asked when something is wrong."""
    try:
        bounded(data)
    except DocumentError as error:  # before anything else walks it, so that its lines are not looked for
        raise _refused(label, error, {}, {}) from error
    try:
        own = plain(data)
        if preset is not None:
            own.setdefault("extends", preset)
        merged = _resolved(own)
    except DocumentError as error:
        raise _refused(label, error, data, lines()) from error
    return _validated(merged, label, own, lines)


def _refused(label: str, error: DocumentError, data: Mapping[str, Any], lines: Lines) -> PolicyError:
    return PolicyError(
        label,
        tuple((_path(problem.place, data), problem.said) for problem in error.problems),
        tuple(problem.line or line_of(lines, problem.place) for problem in error.problems),
    )


def _file(source: object) -> Path:
    """The file that a caller, typed or not, named."""
    if isinstance(source, str | Path):
        file = Path(source)
        if file.is_dir():  # an empty text is a path to the directory one is in
            missing = "is a directory: name a file in it" if str(source) else "is empty"
            named = f"a policy is the name of a preset, a path of a file or a mapping; this {missing}"
            raise PolicyError(repr(str(source)), (("", named),))
        return file
    asked = f"a policy is the name of a preset, a path or a mapping, not {type(source).__name__}"
    raise PolicyError(repr(source), (("", asked),))


@cache
def _shipped(ref: str) -> Policy:
    return _validated(_resolved(_preset_data(ref)), ref)


def _is_preset(source: str) -> bool:
    name = source.partition("@")[0]
    return name in PRESETS or ("/" not in source and "." not in source and not Path(source).exists())


def _preset_data(ref: str) -> dict[str, Any]:
    name, _, version = ref.partition("@")
    data = plain(tomllib.loads(preset_text(name)))
    if version and version != str(data["version"]):
        raise PolicyError(
            repr(ref), (("", f"{name} is shipped in version {data['version']}, not {version}"),)
        )
    return data


def _resolved(data: Mapping[str, Any], at: Place = (), depth: int = 0) -> dict[str, Any]:
    """A policy with what it extends. `at`: where it stands in the text. Raises `DocumentError`."""
    if depth > _DEEPEST:
        raise DocumentError(Problem(("extends",), f"policies extend each other more than {_DEEPEST} deep"))
    own = dict(data)
    base = _extended(own.pop("extends", None), (*at, "extends"), depth)
    removed = own.pop("remove_steps", None)
    if "hours" in own:
        base = _with_hours(base, own.pop("hours"), (*at, "hours"))
    overlaid = [name for name in _LISTS_BY_ID if isinstance(base.get(name), list)]
    unusable = [p for name in overlaid for p in _unusable_rows(own.get(name), (*at, name))]
    if unusable:
        raise DocumentError(*unusable)
    return _without_steps(_merge(base, own, overlaid), removed, (*at, "remove_steps"))


def _extended(parent: Any, at: Place, depth: int) -> dict[str, Any]:
    """What is inherited from the policy that `extends` names."""
    if parent is None:
        return {}
    if isinstance(parent, str):
        try:
            base = _resolved(_preset_data(parent), at, depth + 1)
        except PolicyError as error:
            raise DocumentError(Problem(at, error.problems[0][1])) from error
    elif isinstance(parent, Mapping):
        base = _resolved(parent, at, depth + 1)
    else:
        raise DocumentError(Problem(at, "name a preset, for example 'balanced@1'"))
    # A policy of one's own keeps its own identity; the family stays its own too, or keys would collide.
    for name in ("id", "version", "family", "description"):
        base.pop(name, None)
    return base


def _unusable_rows(rows: Any, at: Place) -> list[Problem]:
    """The rows that cannot be merged by id. Rows that are no list are refused with the settings."""
    found: list[Problem] = []
    first: dict[str, int] = {}
    for place, row in enumerate(rows if isinstance(rows, list) else ()):
        if not isinstance(row, Mapping):
            found.append(Problem((*at, place), f"a row is a table with an `id`; got {kind_of(row)}"))
        elif "id" not in row:
            needed = (
                "a row needs an `id`: that of the row it changes in what the policy extends, or a new one"
            )
            found.append(Problem((*at, place), needed))
        elif not isinstance(row["id"], str):
            found.append(Problem((*at, place, "id"), f"an `id` is a text; got {kind_of(row['id'])}"))
        elif row["id"] in first:
            taken = f"{row['id']!r} has a row already, {at[-1]}[{first[row['id']]}]; make one of the two"
            found.append(Problem((*at, place), taken))
        else:
            first[row["id"]] = place
    return found


def _without_steps(policy: dict[str, Any], removed: Any, at: Place) -> dict[str, Any]:
    """A policy without the steps of those ids; None, as a name without a value is read from YAML, removes none."""
    if removed is None:
        return policy
    if not isinstance(removed, list):
        wanted = f"write a list of ids of steps, for example ['call']; got {kind_of(removed)}"
        raise DocumentError(Problem(at, wanted))
    strange = [
        Problem((*at, place), f"an id of a step is a text; got {kind_of(name)}")
        for place, name in enumerate(removed)
        if not isinstance(name, str)
    ]
    if strange:
        raise DocumentError(*strange)
    steps = policy.get("steps")
    rows = steps if isinstance(steps, list) else []
    known = [_id_of(row) for row in rows]
    unknown = [name for name in removed if name not in known]
    if unknown:
        raise DocumentError(Problem(at, f"no step is called {', '.join(unknown)}"))
    return {**policy, "steps": [row for row in rows if _id_of(row) not in removed]} if removed else policy


def _id_of(row: Any) -> str | None:
    """The id of a row; None where it has none that is text, for which it is refused with the settings."""
    name = row.get("id") if isinstance(row, Mapping) else None
    return name if isinstance(name, str) else None


def _with_hours(base: dict[str, Any], name: object, at: Place) -> dict[str, Any]:
    """A policy in named sending hours; a cap that is tighter already stays."""
    if not isinstance(name, str) or name not in HOURS:
        raise DocumentError(Problem(at, f"no hours are called {name!r}; there are {', '.join(HOURS)}"))
    named = HOURS[name]
    held = _table(_table(base, "limits"), "per_channel")
    caps = named.get("limits", {}).get("per_channel", {})
    tighter = {channel: _tighter(cap, held.get(channel, cap)) for channel, cap in caps.items()}
    changed = _merge(base, named)
    return _merge(changed, {"limits": {"per_channel": tighter}}) if tighter else changed


def _table(policy: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A table of a policy that is not validated yet; empty where there is none."""
    found = policy.get(name)
    return found if isinstance(found, Mapping) else {}


def _tighter(cap: int, held: Any) -> Any:
    """The smaller of two caps; what is no number stays, and is refused with the settings."""
    return min(cap, held) if isinstance(held, int | Decimal) else held


def _merge(base: dict[str, Any], own: Mapping[str, Any], by_id: Collection[str] = ()) -> dict[str, Any]:
    """`by_id`: the names of the lists whose rows are merged by their id."""
    merged = dict(base)
    for name, value in own.items():
        held = merged.get(name)
        if name in by_id and isinstance(held, list) and isinstance(value, list):
            merged[name] = _merge_by_id(held, value)
        elif isinstance(held, dict) and isinstance(value, Mapping):
            merged[name] = _merge(held, value)
        else:
            merged[name] = value
    return merged


def _merge_by_id(base: list[Any], own: list[Mapping[str, Any]]) -> list[Any]:
    """`own`: rows with an id each, none of them twice."""
    changes = {row["id"]: row for row in own}
    merged = [{**row, **changes.pop(name, {})} if (name := _id_of(row)) else row for row in base]
    return [*merged, *changes.values()]


def _validated(
    data: dict[str, Any],
    label: str,
    own: Mapping[str, Any] | None = None,
    lines_of: Callable[[], Lines] = dict,
) -> Policy:
    """`own`: what the source itself says, before it was merged with what it extends."""
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        found = _own_problems(error.errors(include_url=False, include_input=False))
        if own is not None and own.get("extends") is not None:
            found = _of_no_row(found, data, own["extends"])
        problems = tuple((_path(_setting(problem["loc"]), data), _said(problem)) for problem in found)
        index = lines_of()
        lines = tuple(
            line_of(index, own_place(_setting(problem["loc"]) or _named_place(message), data, own))
            for problem, (_, message) in zip(found, problems, strict=True)
        )
        raise PolicyError(label, problems, lines) from error


def _own_problems(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without lists that are too short only because their rows are wrong, which are told."""
    wrong = {problem["loc"][:1] for problem in found if len(problem["loc"]) > 1}
    return [p for p in found if p["type"] != "too_short" or len(p["loc"]) > 1 or p["loc"] not in wrong]


def _of_no_row(found: Sequence[Mapping[str, Any]], data: Any, parent: Any) -> list[Mapping[str, Any]]:
    """A row that lacks what a new one needs is most likely none: its id is misspelt. That is told once, instead of what it lacks."""
    base = _extended(parent, (), 0)
    where = parent.partition("@")[0] if isinstance(parent, str) else "what the policy extends"
    told: dict[Place, Mapping[str, Any]] = {}
    for problem in found:
        place: Place = problem["loc"][:2] if problem["type"] == "missing" else problem["loc"]
        if len(place) == 2 and isinstance(held := base.get(str(place[0])), list) and place[0] in _LISTS_BY_ID:
            row, (kind, needed) = data[place[0]][place[1]], _LISTS_BY_ID[str(place[0])]
            name, known = _id_of(row), [other for each in held if (other := _id_of(each))]
            if (
                name is not None
                and name not in known
                and not row.keys() >= set(needed := _needed(row, needed))
            ):
                said = f"there is no {kind} {name!r} in {where}, and a new one needs {', '.join(needed)}"
                told[place] = {"loc": place, "type": "no_row", "msg": said + nearest(name, known)}
                continue
        told[*problem["loc"], problem["type"]] = problem
    return list(told.values())


def _needed(row: Mapping[str, Any], needed: tuple[str, ...]) -> tuple[str, ...]:
    """What a new row needs: channels only where it is a touch, which may have them in its alternatives."""
    bare = row.get("kind", "touch") != "touch" or "alternatives" in row
    return tuple(name for name in needed if name != "channels" or not bare)


def _setting(location: Place) -> Place:
    """The place of a setting as its author has it: pydantic tells a name that is wrong from its value by one part more."""
    return location[:-1] if location[-1:] == ("[key]",) else location


def _said(problem: Mapping[str, Any]) -> str:
    """What is wrong with a setting; for one that does not exist, which may have been meant."""
    match problem["type"]:
        case "extra_forbidden":
            *around, name = problem["loc"]
            return f"there is no such setting{nearest(str(name), known_settings(tuple(around)))}"
        case "tuple_type":
            return "Input should be a list"
        case "model_type" | "dict_type":
            return "Input should be a table"
        case "too_short":
            return f"Input should be a list of {problem['ctx']['min_length']} or more"
        case _:
            return str(problem["msg"]).removeprefix("Value error, ")


def _named_place(message: str) -> Place:
    """The place that a message about the whole names first, such as `steps.call.requires`."""
    return steps_of(message.partition(" ")[0].removesuffix(":"))


def _path(location: tuple[int | str, ...], data: Any) -> str:
    """`steps[2] (call).window` for a pydantic location."""
    text = ""
    for part in location:
        if isinstance(part, int):
            try:
                data = data[part]
            except (LookupError, TypeError):
                data = None
            name = _id_of(data)
            text += f"[{part}]" + (f" ({name})" if name else "")
        else:
            data = data.get(part) if isinstance(data, Mapping) else None
            text += f".{part}" if text else str(part)
    return text
