"""Does a record come back from its bytes as it was? Every model, every field, every character and digit."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.store.codec import MODELS, decode_record, decode_typed, encode_record, stored_fields
from ar_core.model import Frozen
from tests.store import generated
from tests.store.books import invoice

SLOW_TO_MAKE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
"""Whole records are large to generate; there is no deadline on a shared machine."""


def texts_of(record: Any) -> str:
    """Every value as it would be printed: 1.0 and 1.00 are equal, and not the same text."""
    return str(record.model_dump(mode="python"))


@pytest.mark.parametrize("kind", MODELS)
@SLOW_TO_MAKE
@given(data=st.data())
def test_every_record_comes_back_digit_by_digit(kind: str, data: st.DataObject) -> None:
    """Also that reading without validation gives what validation gives (D2), and that it is used at all: a type the decoder does
    not know would send every record through validation, unnoticed but for the time it takes."""
    record: Frozen = data.draw(generated.records(MODELS[kind]))
    body = encode_record(record)
    back = decode_record(kind, body)
    assert back == record
    assert texts_of(back) == texts_of(record)
    assert type(back) is type(record)
    assert back == MODELS[kind].model_validate(record.model_dump(mode="python"))
    if b"\\ud" not in body:
        assert texts_of(decode_typed(kind, body)) == texts_of(record)


def test_a_body_that_is_no_record_is_refused() -> None:
    for body in (b'["quickbooks:1:invoice:1"]', b'{"id":"quickbooks:1:invoice:1"}', b"[]", b'["\\ud800"]'):
        with pytest.raises(msgspec.ValidationError):
            decode_record("invoice", body)


def test_the_order_of_the_fields_is_kept() -> None:
    """A field's place is its name: one that moves or goes makes every stored record another one. Until the first release:
    `python -m ar_connectors.store.migrations.ddl`; from then on new fields go to the end, and have a default."""
    file = files("ar_connectors.store.migrations") / "fields_0001.json"
    kept: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
    now = stored_fields()
    assert kept.keys() <= now.keys()
    assert {name: now[name][: len(order)] for name, order in kept.items()} == kept


def test_what_was_stored_before_a_field_was_added_is_read_with_its_default() -> None:
    record = invoice()
    *_, last = stored_fields()["Invoice"]
    body = msgspec.json.encode(msgspec.json.decode(encode_record(record))[:-1])
    assert decode_record("invoice", body) == record
    assert getattr(record, last) == type(record).model_fields[last].get_default()
