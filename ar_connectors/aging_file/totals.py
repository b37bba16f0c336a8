"""Do the file's own totals agree with its rows? A list that does not add up was cut, edited or misread, and is not imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from ar_connectors.aging_file.layouts import normal
from ar_core.model.money import ZERO, subtract, total

__all__ = ["Check", "Totals"]


@dataclass(frozen=True, slots=True)
class _Mark:
    """How much had been seen up to a place: sums and counts by currency, and rows that could not be read."""

    sums: dict[str | None, Decimal]
    counts: dict[str | None, int]
    unread: int


@dataclass(frozen=True, slots=True)
class Check:
    """What came of one total. `difference`: what the file says less what its rows add up to; None: it could not be checked."""

    difference: Decimal | None
    rows_add_up_to: Decimal | None = None
    why_not: str = ""


@dataclass(slots=True)
class Totals:
    """Sums up to the current row. A total may be that of a heading above, of all since the last total, or of everything."""

    _sums: dict[str | None, Decimal] = field(default_factory=dict)
    _counts: dict[str | None, int] = field(default_factory=dict)
    _unread: int = 0
    _open: dict[str, _Mark] = field(default_factory=dict)
    _since: dict[int, _Mark] = field(default_factory=dict)
    """By level: where the last total of this level or a higher one stood."""

    def heading(self, label: str) -> None:
        """A heading opens a group."""
        self._open[normal(label)] = self._here()

    def item(self, currency: str | None, amount: Decimal) -> None:
        """A row counts."""
        self._sums[currency] = total((self._sums.get(currency, ZERO), amount))
        self._counts[currency] = self._counts.get(currency, 0) + 1

    def unread(self) -> None:
        """A row should count and could not be read."""
        self._unread += 1

    def by_currency(self) -> dict[str | None, Decimal]:
        """All rows so far."""
        return dict(self._sums)

    def check(self, label: str, level: int, stated: Decimal) -> Check:
        """Hold a total of the file against the rows it can be the total of; the one that fits counts."""
        start = _Mark({}, {}, 0)
        last = self._since.get(max(level, 1), start)
        named = self._open.pop(normal(label), None) if label else None
        if level:
            scopes = [last]
        elif named is not None:
            scopes = [named]
        else:
            scopes = [last, start] if label else [start, last]
        here = self._here()
        for one in range(1, max(level, 1) + 1):
            self._since[one] = here
        checks = [self._held(scope, stated) for scope in scopes]
        return next((one for one in checks if one.difference == ZERO), checks[0])

    def _here(self) -> _Mark:
        return _Mark(dict(self._sums), dict(self._counts), self._unread)

    def _held(self, since: _Mark, stated: Decimal) -> Check:
        currencies = [one for one, count in self._counts.items() if count > since.counts.get(one, 0)]
        if len(currencies) > 1:
            return Check(None, why_not="it runs over several currencies")
        found = ZERO
        if currencies:
            found = subtract(self._sums[currencies[0]], since.sums.get(currencies[0], ZERO))
        difference = subtract(stated, found)
        if difference and self._unread > since.unread:
            return Check(None, why_not="rows it covers could not be read")
        return Check(difference, found)
