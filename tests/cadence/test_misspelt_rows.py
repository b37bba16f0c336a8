"""A row of an overlay whose id is misspelt changes nothing that is there: that is what its author is told."""

from __future__ import annotations

import ar_core as ar
from tests.cadence.test_reading_policies import minimal, problems


def test_a_misspelt_id_of_a_row_is_told_as_one() -> None:
    own = {"id": "mine", "extends": "balanced@1"}

    def said(kind: str, name: str, needed: str, where: str = "balanced") -> str:
        return f"there is no {kind} {name!r} in {where}, and a new one needs {needed}; did you mean "

    demand = said("step", "demnd", "at, channels, origin") + "demand?"
    for row in ({"window": [8, 20]}, {"at": 9, "origin": "x"}, {"channels": ["email"], "origin": "x"}):
        assert problems({**own, "steps": [{"id": "demnd", **row}]}) == (("steps[8] (demnd)", demand),)
    assert problems({**own, "steps": [{"id": "demnd", "windw": 1, "at": "x"}]}) == (
        ("steps[8] (demnd).at", "Input should be a valid integer, unable to parse string as an integer"),
        ("steps[8] (demnd)", demand),
        ("steps[8] (demnd).windw", "there is no such setting; did you mean window?"),
    )
    assert problems({**own, "steps": [{"id": "decid", "kind": "decision", "options": ["a"]}]}) == (
        ("steps[8] (decid)", said("step", "decid", "at, origin") + "decide?"),
    )
    assert problems({**own, "stages": [{"id": "remindr", "to": 9}]})[0] == (
        "stages[6] (remindr)",
        said("stage", "remindr", "origin") + "reminder?",
    )
    base = minimal(notices=[{"id": "late", "when": "dpd > 1", "to": ["us"], "origin": "x"}])
    lete = said("notice", "lete", "when, to, origin", "what the policy extends") + "late?"
    assert problems({**own, "extends": base, "notices": [{"id": "lete", "to": ["you"]}]}) == (
        ("notices[1] (lete)", lete),
    )


def test_what_a_row_lacks_is_told_where_its_id_is_right_or_nothing_is_extended() -> None:
    bare = {"id": "demnd", "at": 1, "origin": "x"}
    touch = "a touch needs at least one channel"
    assert problems(minimal(steps=[bare])) == (("steps[0] (demnd)", touch),)
    assert problems({"id": "mine", "extends": minimal(steps=[bare])}) == (("steps[0] (demnd)", touch),)
    own = {"id": "mine", "extends": "balanced"}
    assert problems({**own, "steps": [{"id": "demand", "channels": []}]}) == (("steps[4] (demand)", touch),)
    undecided = {"id": "decid", "kind": "decision", "at": 80, "origin": "x"}
    assert problems({**own, "steps": [undecided]}) == (("steps[8] (decid)", "a decision needs options"),)
    assert len(ar.load_policy({**own, "steps": [{**bare, "channels": ["email"]}]}).steps) == 9
