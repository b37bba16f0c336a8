"""A worker that dies at one of its checkpoints: an exception after which nothing of it answers any more, so that every point can be
tried quickly. The same with `kill -9` on processes, a real store and an emulator is in tests/crash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["DeathError", "Fate"]


class DeathError(BaseException):
    """The worker is gone."""


@dataclass
class Fate:
    """When a worker dies: at its nth checkpoint, before or after what it does there has taken effect; 0: never."""

    dies_at: int
    passed: int = 0
    dead: bool = False

    def around(self, thing: Any, names: tuple[str, ...]) -> Any:
        """`thing` with a checkpoint before and after each of its methods in `names`."""
        fate = self

        class Mortal:
            def __getattr__(self, name: str) -> Any:
                real = getattr(thing, name)
                if name not in names:
                    return real

                def call(*arguments: Any, **options: Any) -> Any:
                    fate.check()
                    result = real(*arguments, **options)
                    fate.check()
                    return result

                return call

        return Mortal()

    def check(self) -> None:
        self.passed += 1
        if self.dead or self.passed == self.dies_at:
            self.dead = True
            raise DeathError
