"""An evaluation is written to a file and read again: the same value, bytes and fingerprint, whatever was looked at before."""

from __future__ import annotations

import pytest

import ar_core as ar
from tests.cadence import books as b


def overdue() -> ar.Evaluation:
    return b.run(b.invoice(dpd=60), b.invoice("i2", dpd=9), b.touch(step="demand", covers=("i1",)))


def test_what_was_written_is_read_back_as_it_was() -> None:
    found = overdue()
    assert found.writebacks
    again = ar.Evaluation.model_validate_json(found.model_dump_json())
    assert again == found
    assert again.writebacks == found.writebacks
    assert again.fingerprint == found.fingerprint
    assert again.model_dump_json() == found.model_dump_json()
    assert ar.Evaluation.model_validate(found.model_dump()).fingerprint == found.fingerprint


def test_e13_what_is_left_of_a_total_is_written_and_read_back() -> None:
    found = b.run(b.invoice("i1", 9), b.payment(unapplied="30", amount="30"))
    data = found.model_dump(mode="json")
    (total,) = next(action["totals"] for action in data["actions"] if action["totals"])
    assert total == {"currency": "USD", "to_chase": "100.00", "unapplied": "30", "net": "70.00"}
    for again in (ar.Evaluation.model_validate(data), ar.Evaluation.model_validate(found.model_dump())):
        assert again == found
        assert again.fingerprint == found.fingerprint
        assert again.model_dump(mode="json") == data


def test_what_is_not_part_of_an_evaluation_is_still_refused() -> None:
    data = overdue().model_dump(mode="json")
    with pytest.raises(ValueError, match="surprise"):
        ar.Evaluation.model_validate({**data, "surprise": 1})


@pytest.mark.parametrize("name", ["worklist", "signals", "dispositions", "writebacks"])
def test_e1_the_bytes_do_not_tell_which_list_was_read_first(name: str) -> None:
    untouched, read = overdue(), overdue()
    assert getattr(read, name) is not None
    assert read.model_dump_json() == untouched.model_dump_json()
    assert read.fingerprint == untouched.fingerprint
