"""Fields of an invoice and a customer that hold facts of ours: set where they are not so yet, read back, refused with a reason.

What an account refuses (a closed period, a right that the role lacks, a field that a form hides) becomes a sentence; the fact stands in
its activity all the same. What passes (a lock, an overload) is raised, and the command waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ar_connectors.errors import (
    ARError,
    NotFoundError,
    PeriodClosedError,
    PermissionDenied,
    RejectedError,
    StaleVersionError,
)
from ar_connectors.netsuite.writeback_fields import same_value
from ar_connectors.netsuite.writeback_rights import rights_for
from ar_connectors.netsuite.writeback_scope import WriteScope

__all__ = ["Kept", "kept", "why"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of fields."""

    native: str | None = None
    """Why NetSuite's own fields do not show what was meant; None: they do."""
    custom: str | None = None
    """Likewise for mapped custom fields."""
    missing: bool = False
    """Something is still to be sent, and nothing may be."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """The fields as they were read last."""


def kept(
    scope: WriteScope,
    record: str,
    identity: str,
    native: Mapping[str, Any],
    custom: Mapping[str, Any],
    *,
    looked: Mapping[str, Any] | None = None,
) -> Kept:
    """See to it that fields hold these values; None empties one. `looked`: how they stand, where that was read already.

    Native and custom fields go in one change; where that is refused the native ones go alone, so that a custom field (hidden by a
    form, say) does not cost the rest.
    """
    wanted = {**native, **custom}
    if not wanted:
        return Kept()
    try:
        there = looked
        if there is None and (scope.only_look or scope.tried_before):
            there = scope.calls.fields(record, identity, tuple(wanted))
        if there is not None and _shows(there, wanted):
            return Kept(shown=there)
        if scope.only_look:
            return Kept(missing=True)
        refusal = _changed(scope, record, identity, native, custom)
        shown = scope.calls.read_back(lambda: scope.calls.fields(record, identity, tuple(wanted)))
    except (PeriodClosedError, RejectedError, PermissionDenied) as error:
        if isinstance(error, StaleVersionError):
            raise
        if scope.only_look:
            return Kept(missing=True)
        reason = why(scope, error)
        return Kept(native=reason if native else None, custom=reason if custom else None)
    found = Kept(custom=refusal, shown=shown)
    if not _shows(shown, native):
        found = replace(found, native="NetSuite did not keep it")
    if refusal is None and not _shows(shown, custom):
        found = replace(found, custom="NetSuite did not keep it: a form may hide the field")
    return found


def _changed(
    scope: WriteScope, record: str, identity: str, native: Mapping[str, Any], custom: Mapping[str, Any]
) -> str | None:
    """Send the change; why the custom fields were refused, where only they were."""
    try:
        scope.calls.change(record, identity, {**native, **custom})
    except RejectedError as error:
        if not (native and custom) or isinstance(error, StaleVersionError | NotFoundError):
            raise
        scope.calls.change(record, identity, native)
        return why(scope, error)
    return None


def _shows(shown: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(same_value(shown.get(name), value) for name, value in wanted.items())


def why(scope: WriteScope, error: ARError) -> str:
    """A refusal in one sentence or two: what NetSuite said, and what helps."""
    told = error.message.rstrip(".")
    if isinstance(error, PermissionDenied):
        return f"{told}; {rights_for(scope.write.command.type, scope.calls.kind)}"
    if isinstance(error, PeriodClosedError):
        return f"{told}; {error.advice}"
    return told
