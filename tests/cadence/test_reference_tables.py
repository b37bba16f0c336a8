"""The tables of codes and features are what the reference prints: a word of them changes here and there together."""

from __future__ import annotations

import re
from pathlib import Path

import ar_core
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
    assert all(isinstance(feature.unit, str) for feature in FEATURES.values()), (
        "without a unit it is an empty text"
    )


def test_every_name_that_the_rules_mention_is_one_that_there_is(repo_root: Path) -> None:
    """A setting, code, preset or function in code letters: a rule that names what is not there was never kept."""
    page = (repo_root / "docs" / "rules.md").read_text(encoding="utf-8")
    core = Path(ar_core.__file__).parent
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for suffix in ("*.py", "*.toml")
        for path in sorted(core.rglob(suffix))
        if "__pycache__" not in path.parts
    )
    known = set(re.findall(r"\w+", source))
    named = {word for text in re.findall(r"`([^`]+)`", page) for word in re.findall(r"[A-Za-z_]\w*", text)}
    assert len(named) > 60
    assert not named - known


def test_every_code_is_said_somewhere() -> None:
    """A code that only its own table knows is a promise that nothing keeps."""
    core = Path(ar_core.__file__).parent
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in core.rglob("*.py")
        if path.name not in {"codes.py", "conftest.py"}
    )
    assert not set(ar_core.Code) - {ar_core.Code[name] for name in re.findall(r"\bCode\.([A-Z_]+)\b", source)}
