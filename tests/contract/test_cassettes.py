"""What lies in the cassettes: where each is from, and no secret or place of the machine that recorded it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.partners import PARTNERS
from tests.contract.recording import SECRET, read_cassette, shapes

FOLDER = Path(__file__).parent
CASSETTES = sorted(FOLDER.glob("cassettes/*/*.yaml"))


@pytest.mark.parametrize("file", CASSETTES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_cassette_says_where_it_is_from_and_keeps_every_secret(file: Path) -> None:
    head, interactions = read_cassette(file)
    assert head.is_emulated or head.source.endswith("sandbox company")
    assert head.at.tzinfo is not None
    assert interactions
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"(?i)authorization|bearer [^\"'\s]{8}|127\.0\.0\.1|localhost|set-cookie", text)
    for name in PARTNERS[file.parent.name].secrets:
        for value in re.findall(rf"{name}(?:=|\": \")([^\"&\s]*)", text):
            assert value == SECRET, f"{name} was written down"
    hosts = {one["request"]["uri"].split("/")[2] for one in interactions}
    assert hosts <= {address.split("/")[2] for address in PARTNERS[file.parent.name].hosts.values()}


def test_every_cassette_belongs_to_a_test() -> None:
    for file in CASSETTES:
        source = (FOLDER / f"test_{file.parent.name}.py").read_text(encoding="utf-8")
        assert f"def test_{file.stem}(" in source, f"{file} belongs to no test any more"


def test_a_shape_has_the_types_and_not_the_values() -> None:
    def answered(body: str) -> list[dict[str, object]]:
        request = {"method": "GET", "uri": "https://host.example/v3/company/42/query?query=x"}
        return [{"request": request, "response": {"status": {"code": 200}, "body": {"string": body}}}]

    (one,) = shapes(answered('{"a": [{"b": 1}, {"b": "x"}]}'))
    assert one == ("GET v3/company/#/query", 200, frozenset({".a[].b: number", ".a[].b: str"}))
    assert shapes(answered('{"a": 1}')) == shapes(answered('{"a": 2}')) != shapes(answered('{"a": "1"}'))
