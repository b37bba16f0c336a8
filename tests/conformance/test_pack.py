"""The conformance pack: our evaluator decides every case as it was decided by hand, and the shipped files are the written ones."""

from __future__ import annotations

import json
import re

import pytest

from ar_core import conformance
from tests.conformance import authored, notation
from tests.house.sources import ROOT

CASES = list(conformance.cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_our_evaluator_conforms(case: conformance.Case) -> None:
    assert conformance.differences(case, conformance.answer(conformance.run(case))) == []


def test_the_shipped_files_are_the_written_cases() -> None:
    assert authored.__doc__
    shipped = {
        path.relative_to(notation.FOLDER).as_posix(): path.read_text(encoding="utf-8")
        for path in notation.FOLDER.rglob("*.json")
    }
    assert shipped == notation.files(), "run `python -m tests.conformance.authored`"


def test_there_are_enough_cases_and_each_names_rules_that_exist_and_says_why() -> None:
    assert len(CASES) >= 60
    rules = set(
        re.findall(r"^\| ([RCEG]\d+) \|", (ROOT / "docs" / "rules.md").read_text("utf-8"), re.MULTILINE)
    )
    for case in CASES:
        assert set(case.rules) <= rules, case.id
        assert case.rules, case.id
        assert len(case.why) > 20, case.id


def test_every_edge_case_has_a_case_but_those_that_no_valid_file_can_show() -> None:
    shown = {rule for case in CASES for rule in case.rules}
    assert {f"E{number}" for number in range(1, 51)} - shown == {"E18", "E50"}


def test_every_open_invoice_of_a_case_has_an_expectation() -> None:
    for case in CASES:
        open_ = {
            i["id"]
            for i in case.snapshot["invoices"]
            if i["document_status"] == "unknown" or i["balance_due"].strip("0.") != ""
        }
        assert open_ == {d["invoice_id"] for d in case.expected["dispositions"]}, case.id


def test_a_wrong_answer_is_noticed() -> None:
    case = next(c for c in CASES if c.id == "stage-day-3")
    right = conformance.answer(conformance.run(case))
    for name, field, value in (
        ("dispositions", "code", "DISPUTED"),
        ("dispositions", "kind", "excluded"),
        ("actions", "channel", "sms"),
        ("actions", "covers", []),
    ):
        wrong = json.loads(json.dumps(right))
        wrong[name][0][field] = value
        assert conformance.differences(case, wrong), (name, field)
    for name in ("dispositions", "actions"):
        assert conformance.differences(case, {**right, name: []})
        extra = json.loads(json.dumps(right[name][0]))
        extra.update(invoice_id="another", customer_id="another")
        assert conformance.differences(case, {**right, name: [*right[name], extra]})


def test_the_readme_of_the_pack_names_every_field() -> None:
    text = (notation.FOLDER / "README.md").read_text(encoding="utf-8")
    for field in conformance.Case._fields:
        assert f"`{field}`" in text
