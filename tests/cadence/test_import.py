"""`import ar_core` costs little: the standard library and pydantic, of its own only the model; benchmarks/import_time.py has the time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import sys, json
import pydantic
from pydantic import AwareDatetime, BaseModel, TypeAdapter
class One(BaseModel):
    at: AwareDatetime
One.model_json_schema()
before = set(sys.modules)
{statement}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded(statement: str) -> list[str]:
    """Modules that a statement loads on top of pydantic."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT.format(statement=statement)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "statement",
    [
        "import ar_core",
        "import ar_core; ar_core.evaluate; ar_core.load_policy('balanced'); ar_core.reevaluate; ar_core.why_not",
        "import ar_core.metrics, ar_core.aging, ar_core.cadence.simulate, ar_core.conformance, ar_core.partition",
    ],
)
def test_nothing_but_the_standard_library_and_pydantic_is_loaded(statement: str) -> None:
    allowed = {*sys.stdlib_module_names, "ar_core", "pydantic", "pydantic_core", "annotated_types"}
    allowed |= {"typing_extensions", "typing_inspection"}
    allowed.add("ar_core__mypyc")  # where the compiled evaluator is installed: the code of all its modules
    strange = {name.split(".")[0] for name in loaded(statement)} - allowed
    assert not {name for name in strange if not name.startswith("_")}


def test_the_evaluator_is_not_loaded_before_it_is_used() -> None:
    found = loaded("import ar_core")
    ours = {name for name in found if name.startswith("ar_core.")}
    assert not {
        name for name in ours if name.startswith(("ar_core.cadence", "ar_core.metrics", "ar_core.columns"))
    }


@pytest.mark.parametrize(
    "part",
    [
        "aging",
        "cadence",
        "calendar",
        "conformance",
        "metrics",
        "partition",
        "promises",
        "scoring",
        "segments",
    ],
)
def test_a_part_of_the_package_is_at_hand_without_an_import_of_its_own(part: str) -> None:
    code = f"import ar_core; print(ar_core.{part}.__name__, {part!r} in dir(ar_core))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"ar_core.{part}", "True"]
