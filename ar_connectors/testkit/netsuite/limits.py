"""How much of NetSuite may an account use at a time?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls at a time, over all integrations of an account."""

    in_flight: int = 5
    """Of the Standard tier; more can be bought."""
    overload: Literal["429", "401"] = "429"
    """How too many are refused: as documented, or with the login error users have reported."""
