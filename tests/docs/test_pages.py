"""Pages say what the code does: the tutorial's code is run, the reference is written from the code."""

from __future__ import annotations

from pathlib import Path

from ar_core.cadence import CODES, FEATURES, PRESETS
from ar_core.cadence.lint import LintCode
from ar_core.cadence.loading import HOURS
from ar_core.cadence.pauses import Pauses
from ar_core.cadence.policy import known_settings
from ar_core.reference import page
from tests.docs.pages import run


def test_the_tutorial_prints_what_it_says(repo_root: Path) -> None:
    text = (repo_root / "docs" / "tutorial.md").read_text(encoding="utf-8")
    assert text.count("```python") >= 6
    assert run(text) == text, "run: python -m tests.docs.pages docs/tutorial.md, and read what changed"


def test_code_that_fails_fails_the_page() -> None:
    try:
        run("```python\nprint(nothing)\n```")
    except NameError:
        return
    raise AssertionError("the page hid an error")


def test_a_page_that_says_something_else_is_noticed() -> None:
    assert (
        run("```python\nprint(1 + 1)\n```\n```text\n3\n```")
        == "```python\nprint(1 + 1)\n```\n```text\n2\n```"
    )


def test_the_reference_is_current(repo_root: Path) -> None:
    written = (repo_root / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m ar_core.reference > docs/reference.md"


def test_the_reference_has_every_code_feature_and_preset() -> None:
    text = page()
    for name in (*(c.value for c in CODES), *FEATURES, *(c.value for c in LintCode)):
        assert f"| `{name}` |" in text, name
    for name in PRESETS:
        assert f"### {name}@" in text


def test_the_reference_has_every_setting_of_a_file_and_every_form_of_a_rule() -> None:
    text = page()
    for name in (*known_settings(()), *HOURS, *(intent.value for intent in Pauses().intents)):
        assert f"| `{name}` |" in text, name
    _, _, rules = text.partition("## Rules of a policy")
    for form in (" and ", " or ", "not ", " in (", " is None", "{any = [", "{all = ["):
        assert form in rules.partition("## Settings")[0], form
    assert "| `missing_po` | `5` | `fix_purchase_order` |" in text


def test_types_in_the_reference_are_words_of_a_policys_author() -> None:
    for line in page().splitlines():
        assert not any(word in line for word in ("list of Any", "pair of", "see there")), line
