"""What an override makes of a step: its days scaled, its settings changed. Used by plans, and where a policy is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ar_core.cadence.policy_parts import Override, Step, StepPatch, check_step

__all__ = ["check_patched", "patched", "scaled_day", "scaled_step"]


def check_patched(steps: Sequence[Step], override: Override, path: str) -> None:
    """Raise ValueError, with the override's path, where a step would not be one any more: it is held to what a step of a policy is.

    Each override is looked at by itself; which ones hold together depends on the customer.
    """
    for step in steps:
        name = step.id if step.id in override.steps else "*"
        changed = step if override.scale is None else scaled_step(step, *override.scale)
        try:
            check_step(patched(changed, override.steps))
        except ValueError as error:
            raise ValueError(f"{path}.steps.{name}: step {step.id} cannot be changed so: {error}") from error


def patched(step: Step, patches: Mapping[str, StepPatch]) -> Step:
    """A step with what an override changes in it: by `*` first, then by its own id."""
    changes: dict[str, Any] = {}
    for name in ("*", step.id):
        if name in patches:
            changes.update(patches[name].model_dump(exclude_none=True))
    return step.model_copy(update=changes) if changes else step


def scaled_day(day: int, numerator: int, denominator: int) -> int:
    """Days after the due date are scaled and rounded down; days before it stay (C13)."""
    return day * numerator // denominator if day > 0 else day


def scaled_step(step: Step, numerator: int, denominator: int) -> Step:
    """A step whose days after the due date are scaled (C13)."""
    changes: dict[str, Any] = {"at": scaled_day(step.at, numerator, denominator)}
    if step.window is not None:
        low, high = step.window
        # The window ends the day before the next day's image starts, so that scaled windows still meet.
        changes["window"] = (
            min(scaled_day(low, numerator, denominator), changes["at"]),
            None
            if high is None
            else max(scaled_day(high + 1, numerator, denominator) - 1, changes["at"])
            if high > 0
            else high,
        )
    return step.model_copy(update=changes)
