"""Does our open balance agree with the ERP's own figure, customer by customer and currency by currency?

Every difference is listed. It is explained only by what can be shown: parts that the ERP's figure does not cover by its own
description, a rounding below the figure's last digit, a figure in base currency, or a change at the ERP since we last read.
What is left is `unexplained`, to the last digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Any, Final, Protocol

from ar_connectors.clock import Clock
from ar_connectors.connector import Connector, ReportedBalance
from ar_connectors.syncing.balances import Balance, Part, open_balances
from ar_core.model import Customer, Snapshot
from ar_core.model.money import ZERO, subtract, total

__all__ = [
    "BalanceLine",
    "Explanation",
    "Reconciliation",
    "SnapshotStore",
    "compare",
    "parts_covered",
    "reconcile",
]


class SnapshotStore(Protocol):
    """What a reconciliation needs of a store."""

    def snapshot(self, connection_id: str) -> Snapshot:
        """Everything in force."""
        ...


@dataclass(frozen=True, slots=True)
class Explanation:
    """One reason why two figures differ."""

    reason: str
    """`unapplied credits`, `unapplied payments`, `adjustments`, `rounding`, `currency`, `not yet synced`, or a hint without amount."""
    amount: Decimal | None
    """Its share of the difference (ours less reported); None for a hint that proves nothing."""

    def __str__(self) -> str:
        return self.reason if self.amount is None else f"{self.reason} {self.amount:f}"


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """Two figures that differ."""

    customer_id: str | None
    """None: the figure is for all customers, or the records name none."""
    customer_name: str | None
    currency: str | None
    ours: Decimal
    reported: Decimal
    parts: Mapping[str, Decimal]
    """What ours consists of."""
    explained_by: tuple[Explanation, ...] = ()
    basis: str | None = None
    """What the reported figure is; None: the platform reports none, which stands for zero."""

    @property
    def difference(self) -> Decimal:
        """Ours less reported."""
        return subtract(self.ours, self.reported)

    @property
    def unexplained(self) -> Decimal:
        """The difference less all explanations, exact."""
        return subtract(
            self.difference, total(one.amount for one in self.explained_by if one.amount is not None)
        )

    @property
    def explanations(self) -> tuple[str, ...]:
        """The explanations as text."""
        return tuple(str(one) for one in self.explained_by)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values; amounts as text."""
        return {
            "customer_id": self.customer_id,
            "customer_name": self.customer_name,
            "currency": self.currency,
            "basis": self.basis,
            "ours": str(self.ours),
            "reported": str(self.reported),
            "difference": str(self.difference),
            "unexplained": str(self.unexplained),
            "parts": {name: str(amount) for name, amount in self.parts.items()},
            "explanations": [
                {"reason": one.reason, "amount": str(one.amount) if one.amount is not None else None}
                for one in self.explained_by
            ],
        }


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All balances compared; `differences` are those that are not equal."""

    connection_id: str
    at: datetime
    bases: tuple[str, ...] = ()
    """What the reported figures are."""
    compared: int = 0
    differences: tuple[BalanceLine, ...] = ()
    ours: Mapping[str, Decimal] = field(default_factory=dict)
    """Our open balance by currency (`?`: the ERP names none)."""
    reported: Mapping[str, Decimal] = field(default_factory=dict)
    """The ERP's, by currency."""

    @property
    def unexplained(self) -> dict[str, Decimal]:
        """By currency: the sum of what is unexplained, each difference taken without its sign, so that two cannot hide
        each other. Currencies without any are left out."""
        sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        for line in self.differences:
            if line.unexplained != ZERO:
                sums[line.currency or "?"] = total((sums[line.currency or "?"], abs(line.unexplained)))
        return dict(sorted(sums.items()))

    @property
    def agrees(self) -> bool:
        """Nothing is unexplained."""
        return not self.unexplained

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values; amounts as text."""
        return {
            "connection_id": self.connection_id,
            "at": self.at.isoformat(),
            "bases": list(self.bases),
            "compared": self.compared,
            "agrees": self.agrees,
            "ours": {name: str(amount) for name, amount in self.ours.items()},
            "reported": {name: str(amount) for name, amount in self.reported.items()},
            "unexplained": {name: str(amount) for name, amount in self.unexplained.items()},
            "differences": [one.to_json() for one in self.differences],
        }


def reconcile(connector: Connector, store: SnapshotStore, *, clock: Clock) -> Reconciliation:
    """Ask the platform for its open balances and compare them with ours. Raises UnsupportedOperation where it has none."""
    reported = connector.reported_balances()
    return compare(connector.id, store.snapshot(connector.id), reported, clock.now())


_LEFT_OUT: Final = {
    "without unapplied credits": {Part.CREDITS},
    "without unapplied payments": {Part.PAYMENTS},
    "without adjustments": {Part.ADJUSTMENTS},
    "invoices only": {Part.CREDITS, Part.PAYMENTS, Part.ADJUSTMENTS},
}


def parts_covered(basis: str) -> frozenset[Part]:
    """Which parts of an open balance a reported figure covers, by its own description. All of them, unless it says `without
    unapplied credits`, `without unapplied payments`, `without adjustments` or `invoices only`."""
    told = basis.casefold()
    left_out = {part for words, parts in _LEFT_OUT.items() if words in told for part in parts}
    return frozenset(Part) - left_out


def compare(
    connection_id: str, snapshot: Snapshot, reported: Sequence[ReportedBalance], at: datetime
) -> Reconciliation:
    """Compare a snapshot's open balances with reported figures. Pure.

    Figures per customer are taken as complete: a customer who is not among them owes nothing by the ERP. Figures without a
    customer are compared with the sum over all customers of their currency.
    """
    ours = open_balances(snapshot)
    customers = {one.id: one for one in snapshot.customers}
    per_customer = [one for one in reported if one.customer_id is not None]
    lines = []
    compared = 0
    if per_customer or len(per_customer) == len(reported):
        figures = {(one.customer_id, one.currency): one for one in per_customer}
        keys = sorted({*figures, *ours}, key=lambda key: (key[0] or "", key[1] or ""))
        compared += len(keys)
        base = snapshot.organization.base_currency if snapshot.organization is not None else None
        converted = _told_in_base(ours, figures, base)
        for key in keys:
            customer = customers.get(key[0] or "")
            lines.append(
                _line(key, ours.get(key, Balance()), figures.get(key), customer, key[0] in converted)
            )
    for one in reported:
        if one.customer_id is None:
            compared += 1
            balance = _all_of(ours, one.currency)
            lines.append(_line((None, one.currency), balance, one, None, told_in_base=False))
    return Reconciliation(
        connection_id,
        at,
        bases=tuple(sorted({one.basis for one in reported})),
        compared=compared,
        differences=tuple(line for line in lines if line.difference != ZERO),
        ours=_by_currency((currency, balance.sum()) for (_, currency), balance in ours.items()),
        reported=_by_currency((one.currency, one.amount) for one in (per_customer or reported)),
    )


def _line(
    key: tuple[str | None, str | None],
    balance: Balance,
    figure: ReportedBalance | None,
    customer: Customer | None,
    told_in_base: bool,
) -> BalanceLine:
    reported = figure.amount if figure is not None else ZERO
    line = BalanceLine(
        key[0],
        customer.name if customer is not None else None,
        key[1],
        balance.sum(),
        reported,
        {part.value: amount for part, amount in balance.parts.items() if amount != ZERO},
        basis=figure.basis if figure is not None else None,
    )
    if line.difference == ZERO:
        return line
    return replace(line, explained_by=tuple(_explain(line, balance, figure, customer, told_in_base)))


def _explain(
    line: BalanceLine,
    balance: Balance,
    figure: ReportedBalance | None,
    customer: Customer | None,
    told_in_base: bool,
) -> list[Explanation]:
    covered = parts_covered(figure.basis) if figure is not None else frozenset(Part)
    reasons = [
        Explanation(part.value, amount)
        for part, amount in balance.parts.items()
        if part not in covered and amount != ZERO
    ]
    comparable = total(amount for part, amount in balance.parts.items() if part in covered)
    rest = subtract(comparable, line.reported)
    if rest != ZERO:
        reasons += _explain_rest(comparable, rest, figure, customer, told_in_base)
    if balance.unknown:
        reasons.append(Explanation(f"{balance.unknown} documents do not say what is open of them", None))
    if line.customer_id is not None and customer is None:
        reasons.append(Explanation("the customer is not in the store", None))
    return reasons


def _explain_rest(
    comparable: Decimal,
    rest: Decimal,
    figure: ReportedBalance | None,
    customer: Customer | None,
    told_in_base: bool,
) -> Iterable[Explanation]:
    """What explains `rest` = comparable - reported, whole or not at all."""
    if figure is not None and _is_rounding(comparable, figure.amount):
        return [Explanation("rounding", rest)]
    if told_in_base:
        return [Explanation("currency", rest)]
    # The customer's card was read together with the documents. If ours agrees with the figure it had then, the figure moved since.
    if customer is not None and customer.reported_balance == comparable:
        return [Explanation("not yet synced", rest)]
    return []


_ROOM: Final = Context(prec=100)


def _is_rounding(ours: Decimal, reported: Decimal) -> bool:
    """Whether the reported figure is ours, rounded to the reported figure's last digit (at least whole cents)."""
    last = min(Decimal(1).scaleb(int(reported.as_tuple().exponent)), Decimal("0.01"))
    return reported in {ours.quantize(last, way, _ROOM) for way in (ROUND_HALF_EVEN, ROUND_HALF_UP)}


def _told_in_base(
    ours: Mapping[tuple[str | None, str | None], Balance],
    figures: Mapping[tuple[str | None, str | None], ReportedBalance],
    base: str | None,
) -> frozenset[str | None]:
    """Customers whose one figure, in base currency, is the sum of their balances in several currencies at the documents' proven
    rates, each document rounded to a cent."""
    found = set()
    for (customer, currency), figure in figures.items():
        mine = {one: balance for (owner, one), balance in ours.items() if owner == customer}
        alone = sum(owner == customer for owner, _ in figures) == 1
        worth = [balance.in_base for balance in mine.values()]
        if currency != base or base is None or not alone or set(mine) <= {base} or None in worth:
            continue
        documents = sum(balance.documents for one, balance in mine.items() if one != base)
        difference = subtract(total(one for one in worth if one is not None), figure.amount)
        if abs(difference) <= documents * Decimal("0.005"):
            found.add(customer)
    return frozenset(found)


def _all_of(ours: Mapping[tuple[str | None, str | None], Balance], currency: str | None) -> Balance:
    """The sum over all customers of a currency; of all currencies where the figure names none and there is only one."""
    known = {one for _, one in ours}
    wanted = {currency} if currency is not None or len(known) > 1 else known
    together = Balance()
    for (_, one), balance in ours.items():
        if one in wanted:
            for part, amount in balance.parts.items():
                together.parts[part] = total((together.parts[part], amount))
            together.documents += balance.documents
            together.unknown += balance.unknown
            together.in_base = (
                None
                if together.in_base is None or balance.in_base is None
                else total((together.in_base, balance.in_base))
            )
    return together


def _by_currency(amounts: Iterable[tuple[str | None, Decimal]]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for currency, amount in amounts:
        sums[currency or "?"] = total((sums[currency or "?"], amount))
    return dict(sorted(sums.items()))
