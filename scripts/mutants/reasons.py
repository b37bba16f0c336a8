"""Why does a mutant survive? Reasons stand in survivors/, a file for each module; survivors are looked up in them, and the page is written.

A reason names each change that it covers: where it is made (module and function), what stood there and what stands there then. So a
reason covers no mutant by accident, and one that is found by a test later is named as no longer needed.
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from making import difference

__all__ = ["Change", "Reason", "change_of", "page", "read", "unexplained"]

FOLDER = Path(__file__).with_name("survivors")
ANY, TEXT = "~any", "~text"
"""In the place of what stands there then: whatever; a text with XX around it or in other letters."""


class Change(NamedTuple):
    """What a mutant changes, white space aside."""

    name: str
    """mutmut's name of it."""
    where: str
    """Module and function, such as `cadence.history.History.__init__`."""
    was: str
    """The changed lines."""
    becomes: str


class Reason(NamedTuple):
    """One change, or several like it, and why no test can or should notice."""

    why: str
    where: str
    was: str
    becomes: str

    def covers(self, change: Change) -> bool:
        """Whether the change is this one: the fragment, and nothing else, is another."""
        if not fnmatch.fnmatchcase(change.where, self.where):
            return False
        return any(self._is(change, at) for at in _places(change.was, self.was))

    def _is(self, change: Change, at: int) -> bool:
        before, after = change.was[:at], change.was[at + len(self.was) :]
        if not (change.becomes.startswith(before) and change.becomes.endswith(after)):
            return False
        inner = change.becomes[len(before) : len(change.becomes) - len(after)]
        if self.becomes == ANY:
            return len(before) + len(after) <= len(change.becomes)
        if self.becomes == TEXT:
            return inner != self.was and inner.replace("XX", "").casefold() == self.was.casefold()
        return inner.strip() == self.becomes


def _places(text: str, fragment: str) -> Iterator[int]:
    at = text.find(fragment)
    while at >= 0:
        yield at
        at = text.find(fragment, at + 1)


def change_of(name: str, was: str, becomes: str) -> Change:
    """A mutant's change by mutmut's name of it, the lines that it changes and what they become."""
    module, _, function = name.partition("__mutmut_")[0].rpartition(".")
    function = function.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    return Change(name, f"{module.removeprefix('ar_core.')}.{function}", _plain(was), _plain(becomes))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def read(text: str | None = None) -> list[Reason]:
    """Every reason: those for many modules first, then module by module, in the order of the files."""
    files = sorted(FOLDER.glob("*.toml"), key=lambda file: (file.stem != "everywhere", file.stem))
    texts = [file.read_text(encoding="utf-8") for file in files] if text is None else [text]
    groups = [group for one in texts for group in tomllib.loads(one)["group"]]
    return [
        Reason(group["why"], where, _plain(was), then if then in {ANY, TEXT} else _plain(then))
        for group in groups
        for where, was, *becomes in group["changes"]
        for then in becomes
    ]


def unexplained(
    changes: Iterable[Change], reasons: Iterable[Reason]
) -> tuple[list[Change], Mapping[str, list[Change]], list[Reason]]:
    """Survivors without a reason; those with one, by reason; and reasons that none needs."""
    given = list(reasons)
    left: list[Change] = []
    found: defaultdict[str, list[Change]] = defaultdict(list)
    used: set[int] = set()
    for change in changes:
        fitting = [n for n, reason in enumerate(given) if reason.covers(change)]
        if not fitting:
            left.append(change)
            continue
        used.update(fitting)
        found[given[fitting[0]].why].append(change)
    return left, found, [reason for n, reason in enumerate(given) if n not in used]


def page(found: Mapping[str, list[Change]]) -> str:
    """The survivors for docs/mutants.md: each reason with the changes it covers, the like ones of a function in one row."""
    parts = []
    for why, changes in found.items():
        rows = Counter((change.where, _cell(*_fragment(change))) for change in changes)
        lines = [
            f"| `{where}` | {cell} | {count if count > 1 else ''} |"
            for (where, cell), count in sorted(rows.items())
        ]
        parts.append("\n".join([f"**{why}**", "", "| where | change | times |", "|---|---|---|", *lines]))
    return "\n\n".join(parts)


def _fragment(change: Change) -> tuple[str, str]:
    """What differs, by whole words, with a little around it."""
    was, becomes = (re.findall(r"\w+|\s+|.", text) for text in (change.was, change.becomes))
    first, end_was, end_becomes = difference(was, becomes)
    first = max(first - 6, 0)
    return "".join(was[first : end_was + 6]).strip(), "".join(becomes[first : end_becomes + 6]).strip()


def _cell(was: str, becomes: str) -> str:
    texts = ["`` " + text.replace("|", "\\|") + " ``" if text else "nothing" for text in (was, becomes)]
    return " → ".join(texts)
