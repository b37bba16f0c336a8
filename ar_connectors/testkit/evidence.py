"""How sure are we? Evidence marks for what an emulator does, and what it does not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

__all__ = ["Behavior", "Evidence", "Fidelity", "Route"]


class Evidence(Enum):
    """Where a behavior is known from, the surest first."""

    RECORDED = "recorded"
    """A body or a session of the real service, published by others, looks like this."""
    SPEC = "spec"
    """A machine-readable description by the vendor says so."""
    DOCUMENTED = "documented"
    """The vendor's prose says so."""
    INFERRED = "inferred"
    """Concluded from clients that work, from reports, or from what would be sensible. Ask a real company before relying on it."""


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of call."""

    call: str
    """Method and path, for people."""
    operation: str
    """Pattern of the operation's name, as in `Stats.calls`."""
    evidence: Evidence
    source: str


@dataclass(frozen=True, slots=True)
class Behavior:
    """One thing that happens across calls."""

    what: str
    evidence: Evidence
    source: str


@dataclass(frozen=True, slots=True)
class Fidelity:
    """All that is claimed for one emulator."""

    platform: str
    service: str
    routes: Sequence[Route]
    behaviors: Sequence[Behavior]
    missing: Sequence[str]
    """What is not reproduced."""
    open_questions: Sequence[str]
    """What only a real company can answer."""
    faults: Mapping[str, str]
    """How the faults of `faults.NAMES` look here, those that a service answers in its own words."""

    def evidence_of(self, operation: str) -> Evidence:
        """The mark of the first route that matches an operation; what matches none is inferred."""
        marks = (one.evidence for one in self.routes if fnmatchcase(operation, one.operation))
        return next(marks, Evidence.INFERRED)
