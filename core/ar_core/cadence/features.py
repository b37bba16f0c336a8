"""Which facts may a policy's rules name? The published features, with types, units and meaning.

The list is append-only: a feature keeps its name and its meaning. `FEATURES` is what the documentation, lint and
`why_not` read; `ar_core.cadence.view` computes the values.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from ar_core.cadence.predicates import Condition, Predicate, PredicateError, nearest

__all__ = ["FEATURES", "Feature", "FeatureType", "check_predicate"]


class FeatureType(StrEnum):
    """What kind of value a feature has, and what it may be compared with."""

    DAYS = "days"
    COUNT = "count"
    MONEY = "money"
    RATIO = "ratio"
    FLAG = "flag"
    TEXT = "text"
    CHOICE = "choice"
    STAGE = "stage"
    """Ordered: a later stage is greater."""


class Feature(NamedTuple):
    """One published fact."""

    name: str
    type: FeatureType
    unit: str
    scope: str
    """`customer`, or `invoice` (usable only where one invoice is looked at)."""
    meaning: str
    values: tuple[str, ...] = ()


_ROLLING = "last 365 days"


def _features() -> dict[str, Feature]:
    days, count, money, ratio = FeatureType.DAYS, FeatureType.COUNT, FeatureType.MONEY, FeatureType.RATIO
    flag, text, choice, stage = FeatureType.FLAG, FeatureType.TEXT, FeatureType.CHOICE, FeatureType.STAGE
    customer, invoice = "customer", "invoice"
    base = "base currency"
    rows = (
        Feature(
            "max_dpd",
            days,
            "days",
            customer,
            "Days past due of the oldest open invoice; negative before it is due.",
        ),
        Feature(
            "balance_base",
            money,
            base,
            customer,
            "Open balance less unapplied credit; unknown without a rate.",
        ),
        Feature("overdue_base", money, base, customer, "The part of the open invoices that is overdue."),
        Feature("open_invoices", count, "invoices", customer, "Open invoices that are chased."),
        Feature("overdue_invoices", count, "invoices", customer, "Of those, at least one day past due."),
        Feature("broken_ptp", count, "promises", customer, "Promises broken or kept in part, ever."),
        Feature(
            "broken_ptp_12m", count, "promises", customer, f"Promises broken or kept in part, {_ROLLING}."
        ),
        Feature("kept_ptp_12m", count, "promises", customer, f"Promises kept, in time or late, {_ROLLING}."),
        Feature(
            "kept_ratio_12m", ratio, "share", customer, f"Kept in time over all judged promises, {_ROLLING}."
        ),
        Feature(
            "promises_not_kept",
            count,
            "promises",
            customer,
            "Promises not kept in a row, latest first (E35).",
        ),
        Feature("open_promises", count, "promises", customer, "Promises open or in grace."),
        Feature("disputes_12m", count, "disputes", customer, f"Disputes opened, {_ROLLING}."),
        Feature("open_disputes", count, "disputes", customer, "Disputes not resolved."),
        Feature(
            "on_time_rate_12m",
            ratio,
            "share",
            customer,
            f"Invoices settled by their due date, of those settled, {_ROLLING}.",
        ),
        Feature(
            "wavg_days_late_12m",
            days,
            "days",
            customer,
            f"Days from due date to payment, weighted by amount, {_ROLLING}; early is negative.",
        ),
        Feature("settled_12m", count, "invoices", customer, f"Invoices settled, {_ROLLING}."),
        Feature(
            "balance_trend",
            money,
            base,
            customer,
            "Billed less settled over the last 90 days: above zero, the customer owes more than before.",
        ),
        Feature("touches", count, "contacts", customer, "Contacts made with the customer, ever."),
        Feature(
            "unanswered_touches",
            count,
            "contacts",
            customer,
            "Contacts since the customer last answered or paid.",
        ),
        Feature("unanswered_email", count, "contacts", customer, "Of those, e-mails."),
        Feature("unanswered_sms", count, "contacts", customer, "Of those, text messages."),
        Feature("unanswered_voice", count, "contacts", customer, "Of those, calls."),
        Feature("unanswered_whatsapp", count, "contacts", customer, "Of those, WhatsApp messages."),
        Feature("unanswered_letter", count, "contacts", customer, "Of those, letters."),
        Feature(
            "unanswered_all",
            flag,
            "",
            customer,
            "At least one contact since it last owed nothing overdue, and no answer or payment to any; who is away is not silent.",
        ),
        Feature(
            "days_since_last_touch", days, "days", customer, "Days since the last contact with the customer."
        ),
        Feature(
            "days_since_last_response",
            days,
            "days",
            customer,
            "Days since the customer last answered or paid.",
        ),
        Feature("country", text, "ISO 3166 alpha-2", customer, "The customer's country."),
        Feature("currency", text, "ISO 4217", customer, "The customer's currency."),
        Feature("language", text, "", customer, "The customer's language."),
        Feature("order_hold", flag, "", customer, "New orders are stopped in the ERP (E39)."),
        Feature(
            "over_credit_limit",
            flag,
            "",
            customer,
            "The open balance is above the credit limit, in the customer's currency.",
        ),
        Feature("has_account_manager", flag, "", customer, "An account manager is known."),
        Feature("lifetime_value", money, base, customer, "Lifetime value, given or derived."),
        Feature("value", choice, "", customer, "The value tier.", ("strategic", "core", "tail", "unknown")),
        Feature("risk", choice, "", customer, "The risk tier, by the policy's own rules."),
        Feature("dpd", days, "days", invoice, "Days past due; negative before the due date, 0 on it."),
        Feature("stage", stage, "", invoice, "The stage of the policy."),
        Feature("balance", money, "invoice currency", invoice, "Open balance."),
        Feature("total", money, "invoice currency", invoice, "Invoice total."),
        Feature("invoice_currency", text, "ISO 4217", invoice, "Currency of the invoice."),
        Feature("part_paid", flag, "", invoice, "Something was settled, not all."),
        Feature("has_pdf", flag, "", invoice, "The ERP has a PDF of it."),
        Feature("has_payment_link", flag, "", invoice, "It has a payment link."),
    )
    return {row.name: row for row in rows}


FEATURES: Mapping[str, Feature] = _features()
"""Every feature by name."""

_NUMBERS = {FeatureType.DAYS, FeatureType.COUNT, FeatureType.MONEY, FeatureType.RATIO}
_NOT_IN_RISK = {"risk"}


def check_predicate(
    predicate: Predicate, path: str, scope: str, stages: tuple[str, ...], risks: tuple[str, ...]
) -> None:
    """Does a rule name known features, fit for its place, and compare them with values of their kind?

    Raises `PredicateError` naming the policy path.
    """
    for condition in predicate.test.conditions():
        feature = FEATURES.get(condition.feature)
        if feature is None:
            raise PredicateError(
                f"{path}: {condition.feature!r} is no feature{nearest(condition.feature, FEATURES)}"
            )
        if feature.scope == "invoice" and scope != "invoice":
            raise PredicateError(f"{path}: {feature.name} belongs to one invoice and cannot be used here")
        if scope == "risk" and feature.name in _NOT_IN_RISK:
            raise PredicateError(f"{path}: a risk rule cannot ask for {feature.name}, which it decides")
        _check_value(condition, feature, path, stages, risks)


def _check_value(
    condition: Condition, feature: Feature, path: str, stages: tuple[str, ...], risks: tuple[str, ...]
) -> None:
    if condition.operator in {"is", "is not"}:
        return
    wanted = condition.wanted
    values: tuple[Any, ...]
    if condition.operator in {"in", "not in"}:
        if not isinstance(wanted, tuple):
            raise PredicateError(f"{path}: `{condition}`: write a list of values in parentheses")
        values = wanted
    else:
        values = (wanted,)
    ordered = condition.operator in {"<", "<=", ">", ">="}
    if ordered and feature.type in {FeatureType.FLAG, FeatureType.TEXT, FeatureType.CHOICE}:
        raise PredicateError(f"{path}: `{condition}`: {feature.name} has no order; use == or in")
    allowed = {FeatureType.STAGE: stages, FeatureType.CHOICE: feature.values or risks}.get(feature.type)
    for value in values:
        if feature.type in _NUMBERS:
            fits = isinstance(value, int | Decimal) and not isinstance(value, bool)
        elif feature.type is FeatureType.FLAG:
            fits = isinstance(value, bool)
        else:
            fits = isinstance(value, str) and (allowed is None or value in allowed)
        if not fits:
            hint = f"one of {', '.join(allowed)}" if allowed else f"a value of type {feature.type}"
            raise PredicateError(f"{path}: `{condition}`: {feature.name} is compared with {hint}")
