"""Actions to their last field, as a host reads them, and keys that never change: whole_actions.json was read by hand.

A key that changes here would make everything on record under it fire again (E28).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ar_core as ar
from tests.cadence import books as b

GOLDEN: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("whole_actions.json").read_text(encoding="utf-8")
)


def told(action: ar.Action) -> dict[str, Any]:
    """An action as data, without what is empty."""
    fields = action.model_dump(mode="json")
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def a_message() -> ar.Evaluation:
    """The last step of the sprint to the department head, with what rides along, what is only listed, and what is withheld."""
    step = {
        "id": "call_or_head",
        "clauses": ["legal", "agency"],
        "attach": ["invoice"],
        "sender_role": "account_manager",
        "notify": ["sales"],
    }
    policy = b.changed("sprint_3_5_7_10", capabilities={"uses_agency": True}, steps=[step])
    source = ar.Source(
        platform="quickbooks", tenant="1", kind=ar.RecordKind.INVOICE, remote_id="i1", version="7"
    )
    lead = b.invoice(
        "i1", 12, subsidiary_id="s1", source=source, due_version=2, has_pdf=False, currency="EUR"
    )
    others = [b.invoice(f"i{n}", dpd, subsidiary_id="s1") for n, dpd in ((2, 6), (3, 1), (4, 8))]
    head = b.contact(name="head", role=ar.ContactRole.DEPARTMENT_HEAD, phone=None, mobile=None)
    return b.run(lead, *others, b.contact(phone=None, mobile=None), head, policy=policy)


def a_copy() -> ar.Evaluation:
    asked = b.touch(
        "t2", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.COPY_REQUESTED, covers=("i1",)
    )
    return b.run(b.invoice("i1", 9, subsidiary_id="s1"), asked)


def a_decision() -> ar.Evaluation:
    invoices = [b.invoice(f"i{n}", dpd, subsidiary_id="s1") for n, dpd in ((1, 80), (2, 90))]
    return b.run(*invoices, value="strategic", policy="funnel_5")


def a_rung_and_an_approval() -> ar.Evaluation:
    rung = {"rung": "order_hold", "when": "max_dpd >= 1", "origin": "R69"}
    policy = b.changed("balanced", escalate=[rung], capabilities={"can_hold_orders": True})
    return b.run(b.invoice("i1", 9), b.invoice("i2", 9), b.promise(on=40, given=2), policy=policy)


def a_stop() -> ar.Evaluation:
    return b.run(b.invoice("i1", 9), b.profile(flags=("legal_stop",)))


CASES: dict[str, Callable[[], ar.Evaluation]] = {
    "message": a_message,
    "copy": a_copy,
    "decision": a_decision,
    "rung and approval": a_rung_and_an_approval,
    "stop": a_stop,
}


@pytest.mark.parametrize("case", CASES)
def test_e28_every_field_of_every_action_is_what_it_was(case: str) -> None:
    assert [told(action) for action in CASES[case]().actions] == GOLDEN[case]
