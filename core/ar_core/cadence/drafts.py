"""Actions that are decided and not yet written out: the key, kind and step now, the full record when somebody reads it."""

from __future__ import annotations

from collections.abc import Callable

from ar_core.cadence.codes import Code
from ar_core.cadence.evaluation import Action, ActionKind

__all__ = ["Draft"]


class Draft:
    """One decided action. Most hosts read actions account by account, so writing them out waits until they do."""

    __slots__ = ("_write", "address", "code", "key", "kind", "step", "task")

    def __init__(
        self,
        key: str,
        kind: ActionKind,
        code: Code,
        write: Callable[[], Action],
        *,
        step: str | None = None,
        task: str | None = None,
        address: str | None = None,
    ) -> None:
        self.key, self.kind, self.code = key, kind, code
        self.step, self.task, self.address = step, task, address
        self._write = write

    def action(self, score: int) -> Action:
        """The full action with its account's score."""
        found = self._write()
        return found if score == 0 else found.model_copy(update={"score": score})

    def bare(self) -> Draft:
        """Its key, kind and step without the rest, which cannot leave the process."""
        return Draft(
            self.key, self.kind, self.code, _gone, step=self.step, task=self.task, address=self.address
        )


def _gone() -> Action:
    raise LookupError("this action was written out before it was sent here; read AccountResult.actions")
