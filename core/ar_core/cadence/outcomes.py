"""What becomes of an invoice, apart from which invoice it is? Few answers for very many invoices: each is made once and shared."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from ar_core.cadence.codes import Code
from ar_core.cadence.records import Disposition, DispositionKind
from ar_core.model.base import blank

__all__ = ["Outcome", "Outcomes"]

_blank: Final = blank(Disposition)


class Outcome:
    """All of a disposition but the invoice and the action. Days are counted from the run's today, so that runs can share it."""

    __slots__ = ("_face", "_listed", "code", "codes", "kind", "stage", "step", "until_in")

    def __init__(
        self,
        kind: DispositionKind,
        code: Code,
        until_in: int | None,
        stage: str | None,
        step: str | None,
        codes: tuple[Code, ...],
    ) -> None:
        self.kind = kind
        self.code = code
        self.until_in = until_in
        """Days from today to the first day on which it may change by itself."""
        self.stage = stage
        self.step = step
        self.codes = codes
        self._listed: Outcome | None = None
        self._face: tuple[int, dict[str, Any]] = (0, {})
        """A day's number and the fields on that day; replaced as a whole, because threads may share an outcome."""

    def face(self, today: int) -> dict[str, Any]:
        """A disposition's fields on a day (its number), the invoice and the action left open. Yours to fill in."""
        on, face = self._face
        if on != today:
            until = None if self.until_in is None else date.fromordinal(today + self.until_in)
            face = _blank()
            face["kind"], face["code"], face["codes"] = self.kind, self.code, self.codes
            face["until"], face["stage"], face["step"] = until, self.stage, self.step
            self._face = (today, face)
        return face.copy()

    @property
    def listed(self) -> Outcome:
        """The same for an invoice that a message lists without a step of its own (E20)."""
        if self._listed is None:
            codes = (*self.codes, Code.PRESENCE_ONLY)
            self._listed = Outcome(self.kind, self.code, self.until_in, self.stage, self.step, codes)
        return self._listed


class Outcomes:
    """The outcomes that came up under one policy."""

    def __init__(self) -> None:
        self._known: dict[
            tuple[DispositionKind, Code, int | None, str | None, str | None, tuple[Code, ...]], Outcome
        ] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(
        self,
        kind: DispositionKind,
        code: Code,
        until_in: int | None = None,
        stage: str | None = None,
        step: str | None = None,
        codes: tuple[Code, ...] = (),
    ) -> Outcome:
        """The one outcome with these values."""
        key = (kind, code, until_in, stage, step, codes)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Outcome(*key)
        return found

    def moved(self, outcome: Outcome, days: int) -> Outcome:
        """The same answer, for a run that takes place so many days before the run it was found in (after it, when negative)."""
        if outcome.until_in is None:
            return outcome
        until_in = outcome.until_in + days
        return self.get(outcome.kind, outcome.code, until_in, outcome.stage, outcome.step, outcome.codes)
