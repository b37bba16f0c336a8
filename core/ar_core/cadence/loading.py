"""Where does a policy come from? A preset's name, a TOML, JSON or YAML file, or plain data; inheritance is resolved here.

Errors name the place in the policy (`steps[2].window`) and, where the parser knows it, the line of the file.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ar_core.cadence.places import Lines, json_lines, line_of, steps_of, toml_lines
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

_LISTS_BY_ID = {"stages", "steps", "notices"}
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
    `preset`: the policy it extends, when the source does not say so itself. What extends another overlays it: tables are
    merged key by key, `stages`, `steps` and `notices` by id, other lists are replaced; `remove_steps` takes steps away, and `hours`
    names sending hours of `HOURS` that lie between the two.
    Raises `PolicyError` (a ValueError), and OSError for a file that cannot be read.
    """
    file: Path | None = None
    if isinstance(source, str) and _is_preset(source):
        name = source.partition("@")[0]
        if preset is None:
            return _shipped(source)
        data, label = _preset_data(source), name
    elif isinstance(source, Mapping):
        data, label = dict(source), str(source.get("id", "given as data"))
    else:
        file = _file(source)
        data, label = _read_file(file), str(source)
    if preset is not None and "extends" not in data:
        data = {**data, "extends": preset}
    return _validated(_resolved(data, label, 0), label, data, file)


def _file(source: object) -> Path:
    """The file that a caller, typed or not, named."""
    if isinstance(source, str | Path):
        return Path(source)
    asked = f"a policy is the name of a preset, a path or a mapping, not {type(source).__name__}"
    raise PolicyError(repr(source), (("", asked),))


@cache
def _shipped(ref: str) -> Policy:
    return _validated(_resolved(_preset_data(ref), ref, 0), ref)


def _is_preset(source: str) -> bool:
    name = source.partition("@")[0]
    return name in PRESETS or ("/" not in source and "." not in source and not Path(source).exists())


def _preset_data(ref: str) -> dict[str, Any]:
    name, _, version = ref.partition("@")
    data = tomllib.loads(preset_text(name))
    if version and version != str(data["version"]):
        raise PolicyError(
            repr(ref), (("", f"{name} is shipped in version {data['version']}, not {version}"),)
        )
    return data


def _read_file(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    parse: Callable[[str], Any]
    match path.suffix.lower():
        case ".toml":
            parse = tomllib.loads
        case ".json":
            parse = _json
        case ".yaml" | ".yml":
            from ar_core.yaml import parse_yaml as parse
        case suffix:
            raise PolicyError(
                str(path),
                (("", f"{suffix or 'a file without a suffix'} is not read; use .toml, .json or .yaml"),),
            )
    try:
        data = parse(text)
    except ValueError as error:  # TOMLDecodeError, JSONDecodeError and YamlError say the line
        raise PolicyError(str(path), (("", str(error)),)) from error
    if not isinstance(data, dict):
        raise PolicyError(str(path), (("", f"a policy is a table of settings; got {type(data).__name__}"),))
    return data


def _json(text: str) -> Any:
    from decimal import Decimal

    return json.loads(text, parse_float=Decimal)


def _resolved(data: Mapping[str, Any], label: str, depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise PolicyError(label, (("extends", f"policies extend each other more than {_DEEPEST} deep"),))
    own = dict(data)
    parent = own.pop("extends", None)
    removed = own.pop("remove_steps", [])
    if parent is None:
        base: dict[str, Any] = {}
    elif isinstance(parent, str):
        base = _resolved(_preset_data(parent), parent, depth + 1)
    elif isinstance(parent, Mapping):
        base = _resolved(parent, label, depth + 1)
    else:
        raise PolicyError(label, (("extends", "name a preset, for example 'balanced@1'"),))
    if base:
        # A policy of one's own keeps its own identity; the family stays its own too, or keys would collide.
        for name in ("id", "version", "family", "description"):
            base.pop(name, None)
    if "hours" in own:
        base = _with_hours(base, own.pop("hours"), label)
    merged = _merge(base, own)
    if removed:
        known = {step.get("id") for step in merged.get("steps", [])}
        strange = [str(name) for name in removed if name not in known]
        if strange:
            raise PolicyError(label, (("remove_steps", f"no step is called {', '.join(strange)}"),))
        merged["steps"] = [s for s in merged.get("steps", []) if s.get("id") not in removed]
    return merged


def _with_hours(base: dict[str, Any], name: object, label: str) -> dict[str, Any]:
    """A policy in named sending hours; a cap that is tighter already stays."""
    if not isinstance(name, str) or name not in HOURS:
        raise PolicyError(label, (("hours", f"no hours are called {name!r}; there are {', '.join(HOURS)}"),))
    named = HOURS[name]
    held = base.get("limits", {}).get("per_channel", {})
    caps = named.get("limits", {}).get("per_channel", {})
    tighter = {channel: min(cap, held.get(channel, cap)) for channel, cap in caps.items()}
    changed = _merge(base, named)
    return _merge(changed, {"limits": {"per_channel": tighter}}) if tighter else changed


def _merge(base: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in own.items():
        held = merged.get(name)
        if name in _LISTS_BY_ID and isinstance(held, list) and isinstance(value, list):
            merged[name] = _merge_by_id(held, value)
        elif isinstance(held, dict) and isinstance(value, Mapping):
            merged[name] = _merge(held, value)
        else:
            merged[name] = value
    return merged


def _merge_by_id(base: list[Any], own: list[Any]) -> list[Any]:
    changes = {row["id"]: row for row in own if isinstance(row, Mapping) and "id" in row}
    merged = [{**row, **changes.pop(row["id"], {})} for row in base]
    return merged + [row for row in own if not isinstance(row, Mapping) or row.get("id") in changes]


def _validated(
    data: dict[str, Any], label: str, own: Mapping[str, Any] | None = None, file: Path | None = None
) -> Policy:
    """`own`: what the file itself says, before it was merged with what it extends."""
    try:
        return Policy.model_validate(_exact_numbers(data))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = tuple((_path(problem["loc"], data), _said(problem)) for problem in found)
        lines: tuple[int | None, ...] = ()
        if file is not None and own is not None:
            index = _lines(file)
            lines = tuple(
                line_of(index, _own_place(problem["loc"] or _named_place(message), data, own))
                for problem, (_, message) in zip(found, problems, strict=True)
            )
        raise PolicyError(label, problems, lines) from error


def _said(problem: Mapping[str, Any]) -> str:
    """What is wrong with a setting; for one that does not exist, which may have been meant."""
    if problem["type"] != "extra_forbidden":
        return str(problem["msg"]).removeprefix("Value error, ")
    *around, name = problem["loc"]
    known = known_settings(tuple(around))
    return f"there is no such setting{nearest(str(name), known)}"


def _lines(file: Path) -> Lines:
    text = file.read_text(encoding="utf-8")
    match file.suffix.lower():
        case ".toml":
            return toml_lines(text)
        case ".json":
            return json_lines(text)
        case _:
            from ar_core.yaml import yaml_lines

            return yaml_lines(text)


def _named_place(message: str) -> Place:
    """The place that a message about the whole names first, such as `steps.call.requires`."""
    return steps_of(message.partition(" ")[0].removesuffix(":"))


def _own_place(location: Place, merged: Any, own: Any) -> Place:
    """A place in the merged policy as the file has it: entries of `steps` are found by their id, and it ends where the file does."""
    found: Place = ()
    for part in location:
        if isinstance(own, list):
            wanted = part
            if isinstance(merged, list) and isinstance(part, int):
                merged = merged[part] if part < len(merged) else None
                name = merged.get("id") if isinstance(merged, Mapping) else None
                wanted = part if name is None else str(name)
            by_id = [n for n, row in enumerate(own) if isinstance(row, Mapping) and row.get("id") == wanted]
            place: str | int | None = by_id[0] if by_id else wanted
            if not isinstance(place, int) or place >= len(own):
                return found
            own = own[place]
        elif isinstance(own, Mapping) and part in own:
            place, own = part, own[part]
            merged = merged.get(part) if isinstance(merged, Mapping) else None
        else:
            return (*found, part)
        found = (*found, place)
    return found


def _exact_numbers(value: Any) -> Any:
    """TOML and YAML floats become the decimal that was written: amounts and shares are exact."""
    from decimal import Decimal

    if isinstance(value, dict):
        return {key: _exact_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact_numbers(item) for item in value]
    return Decimal(repr(value)) if type(value).__name__ == "float" else value


def _path(location: tuple[int | str, ...], data: Any) -> str:
    """`steps[2] (call).window` for a pydantic location."""
    text = ""
    for part in location:
        if isinstance(part, int):
            try:
                data = data[part]
            except (LookupError, TypeError):
                data = None
            name = data.get("id") if isinstance(data, Mapping) else None
            text += f"[{part}]" + (f" ({name})" if name else "")
        else:
            data = data.get(part) if isinstance(data, Mapping) else None
            text += f".{part}" if text else str(part)
    return text
