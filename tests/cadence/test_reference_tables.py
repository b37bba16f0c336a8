"""The tables of codes and features are what the reference prints: a word of them changes here and there together."""

from __future__ import annotations

from pathlib import Path

from ar_core import reference
from ar_core.cadence import CODES, FEATURES


def test_every_code_stands_in_the_reference_with_its_group_meaning_and_rules(repo_root: Path) -> None:
    page = (repo_root / "docs" / "reference.md").read_text(encoding="utf-8")
    assert "\n".join(reference._codes()) in page
    assert {info.group for info in CODES.values()} == set(reference._GROUPS)


def test_every_feature_stands_in_the_reference_with_its_type_unit_and_meaning(repo_root: Path) -> None:
    page = (repo_root / "docs" / "reference.md").read_text(encoding="utf-8")
    assert "\n".join(reference._features()) in page
    assert {feature.scope for feature in FEATURES.values()} == {"customer", "invoice"}
    assert all(name == feature.name for name, feature in FEATURES.items())
