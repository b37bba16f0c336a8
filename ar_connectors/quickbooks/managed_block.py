"""Our part of Customer.Notes: a fenced block with one line for each fact, and not one byte beside it is ever touched.

    Ring the side door. Ask for Jo.

    --- AR status (managed) ---
    Status: second reminder sent (2026-11-23). Next: call (2026-11-30) #status.6f0c1a2b3c4d
    Order hold advised: over the limit (since 2026-11-23) #hold.9d8e7f6a5b4c
    --- end ---

The mark at the end of a line says what it is (a later line of the same kind replaces it) and which command wrote it (so
it can be found again). Lines without a mark, inside the fence, were written by people and are kept too. Customer.Notes
holds 2000 characters for everybody (quirks.md#qbo-42): where they do not suffice, our lines give way, never theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["MAX_CUSTOMER_NOTES", "Block", "BlockFullError", "Line", "one_line", "parse_block"]

MAX_CUSTOMER_NOTES: Final = 2000
OPEN: Final = "--- AR status (managed) ---"
CLOSE: Final = "--- end ---"
_GAP: Final = "\n\n"
"""Between the text of others and our block; taken away again with the block."""

_FENCE_OPEN = re.compile(rf"(?m)^{re.escape(OPEN)}[ \t]*(?:\r\n|\r|\n|\Z)")
_LINE = re.compile(r"(?P<text>.*) #(?P<kind>[a-z]+(?:-[A-Za-z0-9_.~%-]+)?)\.(?P<ref>[0-9a-f]{12})[ \t]*")
_SHORTEST_TEXT = 24
"""A line cut below this says nothing any more and is left out instead."""


class BlockFullError(ValueError):
    """The notes of others leave no room for our line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the block."""

    text: str
    kind: str | None = None
    """`status`, `status-<invoice id>`, `hold`, `note`, `ptp`, `dispute`; None: a person wrote it."""
    ref: str | None = None
    """Twelve hexadecimal digits of the command that wrote it."""
    whole: bool = False
    """Never cut: it carries a tag for the machine. It is left out where it does not fit."""

    def __str__(self) -> str:
        return self.text if self.kind is None else f"{self.text} #{self.kind}.{self.ref}"


@dataclass(frozen=True, slots=True)
class Block:
    """Customer.Notes taken apart: what stands before and after our block, and the lines in it."""

    before: str = ""
    gap: str = ""
    """What parts `before` from the block; ours, so it comes and goes with the block."""
    lines: tuple[Line, ...] = ()
    after: str = ""

    @property
    def outside(self) -> str:
        """Everything that is not ours, byte for byte."""
        return self.before + self.after

    def find(self, kind: str, ref: str | None = None) -> Line | None:
        """The line of a kind, and of a command if given."""
        return next((one for one in self.lines if one.kind == kind and ref in {None, one.ref}), None)

    def put(self, line: Line) -> Block:
        """With this line; one of the same kind (for notes and promises: of the same command) gives way to it, in place."""
        several = line.kind in {"note", "ptp", "dispute"}
        lines: list[Line] = []
        done = False
        for one in self.lines:
            same = one.kind == line.kind and (not several or one.ref == line.ref)
            if not same:
                lines.append(one)
            elif not done:
                lines.append(line)
                done = True
        return replace(self, lines=tuple(lines) if done else (*lines, line))

    def drop(self, kind: str, ref: str | None = None) -> Block:
        """Without the lines of a kind (and a command)."""
        kept = (one for one in self.lines if not (one.kind == kind and ref in {None, one.ref}))
        return replace(self, lines=tuple(kept))

    def text(self) -> str:
        """Customer.Notes as a whole, whatever its length."""
        if not self.lines:
            return self.outside
        inside = "\n".join([OPEN, *(str(one) for one in self.lines), CLOSE])
        return f"{self.before}{self.gap}{inside}{self.after}"

    def fitted(self, needed: Line | None = None, limit: int = MAX_CUSTOMER_NOTES) -> Block:
        """With our lines shortened or left out until the whole keeps `limit` (UTF-16 units, as QuickBooks' own forms count).

        `needed` is given up last. Raises BlockFullError when even that does not fit.
        """
        block = self
        for victim in _victims(self.lines, needed):
            over = _units(block.text()) - limit
            if over <= 0:
                return block
            block = block._give_way(victim, over)
        over = _units(block.text()) - limit
        if over <= 0:
            return block
        if needed is None or needed not in block.lines:
            raise BlockFullError(f"the notes of others leave no room: {over} characters too many")
        cut = _cut(needed, over)
        if cut is None:
            raise BlockFullError(f"the notes of others leave no room: {over} characters too many")
        return replace(block, lines=tuple(cut if one is needed else one for one in block.lines))

    def _give_way(self, victim: Line, over: int) -> Block:
        shorter = _cut(victim, over)
        if shorter is None:
            return replace(self, lines=tuple(one for one in self.lines if one is not victim))
        return replace(self, lines=tuple(shorter if one is victim else one for one in self.lines))


def parse_block(notes: str | None) -> Block:
    """Take Customer.Notes apart. Without a block everything is `before`.

    A block whose end fence was deleted ends with the last line of ours, so nobody's text is taken for ours.
    """
    notes = notes or ""
    opened = _FENCE_OPEN.search(notes)
    if opened is None:
        return Block(before=notes, gap=_GAP if notes else "")
    rows = notes[opened.end() :].splitlines(keepends=True) if opened.end() < len(notes) else []
    rows = _only_line_breaks(rows)
    closing = next((n for n, row in enumerate(rows) if row.strip(" \t\r\n") == CLOSE), None)
    before = notes[: opened.start()]
    gap = _GAP if before.endswith(_GAP) and before != _GAP else ""
    before = before.removesuffix(gap)
    if closing is not None:
        inside = [_line(row) for row in rows[:closing]]
        fence = rows[closing]
        after = fence[fence.index(CLOSE) + len(CLOSE) :] + "".join(rows[closing + 1 :])
        return Block(before, gap, tuple(inside), after)
    ours = 0
    while ours < len(rows) and _line(rows[ours]).kind is not None:
        ours += 1
    rest = "".join(rows[ours:])
    return Block(before, gap, tuple(_line(row) for row in rows[:ours]), f"\n{rest}" if rest else "")


def one_line(text: str) -> str:
    """Text on one line, blanks folded: a line of the block is one line, and no text of a user can look like a fence."""
    return " ".join(text.split())


def _line(row: str) -> Line:
    bare = row.rstrip("\r\n")
    found = _LINE.fullmatch(bare)
    if found is None:
        return Line(bare)
    return Line(found["text"], found["kind"], found["ref"], whole="[AR:" in found["text"])


def _only_line_breaks(rows: Iterable[str]) -> list[str]:
    """Rows split at CR and LF only: `splitlines` also splits at a vertical tab, a form feed and U+2028."""
    joined: list[str] = []
    for row in rows:
        if joined and not joined[-1].endswith(("\n", "\r")):
            joined[-1] += row
        else:
            joined.append(row)
    return joined


_GIVES_WAY = {"note": 0, "dispute": 2, "ptp": 3, "hold": 4}
"""Which of our lines give way first; a status of an invoice (1) before one of the customer (2)."""


def _victims(lines: tuple[Line, ...], needed: Line | None) -> list[Line]:
    """Our lines in the order in which they give way: plain notes, oldest first, then statuses, then the rest."""
    ours = [one for one in lines if one.kind is not None and one is not needed]
    return sorted(ours, key=lambda one: _rank(one.kind or ""))


def _rank(kind: str) -> int:
    if kind.startswith("status-"):
        return 1
    return _GIVES_WAY.get(kind, 2)


def _cut(line: Line, over: int) -> Line | None:
    """The line shorter by at least `over` units, or None when too little of it would be left."""
    if line.whole:
        return None
    text = line.text
    while text and _units(line.text) - _units(text) < over + 3:
        text = text[:-1]
    text = text.rstrip()
    return replace(line, text=f"{text}...") if len(text) >= _SHORTEST_TEXT else None


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
