"""A rule id or a quirk that the code cites can be looked up by a stranger."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.house.sources import CONNECTORS, ROOT, Source, report, shipped

RULES = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
LISTED = set(re.findall(r"^\| ([RCEG]\d{1,2}) \|", RULES, re.MULTILINE))
CITED = re.compile(r"(?<![\w.#-])(R|C|E|G)(\d{1,2})(?:-(?:\1)?(\d{1,2}))?(?![\w%-])")
QUIRK = re.compile(r"quirks\.md#([a-z]+-\d+)")


def cited(text: str) -> Iterator[str]:
    """Each rule id in a text; a span such as R4-R8 counts with both ends."""
    for letter, first, last in CITED.findall(text):
        yield f"{letter}{first}"
        if last:
            yield f"{letter}{last}"


def test_every_rule_has_its_row_once() -> None:
    rows = re.findall(r"^\| ([RCEG]\d{1,2}) \|", RULES, re.MULTILINE)
    assert len(rows) == len(set(rows))
    expected = {"R": range(1, 73), "C": range(1, 21), "E": range(1, 51), "G": [*range(1, 11), *range(20, 26)]}
    assert {f"{letter}{number}" for letter, numbers in expected.items() for number in numbers} == LISTED


def test_the_reader_of_ids_finds_single_ids_and_spans() -> None:
    assert list(cited("R23, see docs/rules.md; (E34) and R4-R8, G20.")) == ["R23", "E34", "R4", "R8", "G20"]
    assert not list(cited("noqa: E501, B2B, UTC, ISO-8601"))


@pytest.mark.parametrize("source", shipped(), ids=lambda source: source.path)
def test_every_cited_rule_can_be_looked_up(source: Source) -> None:
    unknown = sorted(set(cited(source.text)) - LISTED)
    assert not unknown, report(
        f"{source.path} cites {rule}, which docs/rules.md does not have" for rule in unknown
    )


@pytest.mark.parametrize("source", shipped(), ids=lambda source: source.path)
def test_every_cited_quirk_can_be_looked_up(source: Source) -> None:
    written = {path.parent: path.read_text(encoding="utf-8") for path in CONNECTORS.glob("*/quirks.md")}
    everything = "\n".join(written.values()).lower()
    unknown = [quirk for quirk in QUIRK.findall(source.text) if not re.search(rf"\b{quirk}\b", everything)]
    assert not unknown, report(f"{source.path} cites {quirk}, which no quirks.md has" for quirk in unknown)
