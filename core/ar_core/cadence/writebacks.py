"""What does an evaluation propose to write into the ERP? Commands, with keys that do not change from run to run.

(R33, section 4.4 of docs/rules.md). Due dates are never touched.
"""

from __future__ import annotations

from collections.abc import Iterable

from ar_core.cadence.policy import Rung
from ar_core.cadence.results import AccountResult
from ar_core.cadence.run import Run
from ar_core.commands import Command, SetCollectionsStatus, SetOrderHold

__all__ = ["commands_of"]


def commands_of(results: Iterable[AccountResult], run: Run) -> tuple[Command, ...]:
    """The proposed commands of a run, in the order of its results. The same standing gives the same key, so nothing is written twice."""
    writeback = run.policy.writeback
    found: list[Command] = []
    for result in results:
        account_id, status = result.account_id, result.status
        if status is None:
            continue
        stage, since, rung, pause, step, step_on = status
        if writeback.collections_status:
            text = ", ".join(
                str(part) for part in (stage, None if rung == "automated" else rung, pause) if part
            )
            found.append(
                SetCollectionsStatus(
                    subject_id=account_id,
                    status=text or "overdue",
                    set_on=since,
                    next_action=step,
                    next_action_on=step_on,
                )
            )
        if (
            writeback.order_hold
            and run.policy.capabilities.can_hold_orders
            and rung in {Rung.ORDER_HOLD, Rung.REFERRAL}
        ):
            found.append(SetOrderHold(customer_id=account_id, reason=f"overdue, {rung}", set_on=since))
    return tuple(found)
