"""Every real body of NetSuite that the shared folder holds: decoded, set aside with a reason, raised as its error, or refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.errors import ARError, UnsupportedOperation
from ar_connectors.netsuite.decode import decode
from ar_connectors.netsuite.kinds import KINDS

SHARED = os.environ.get("AR_SHARED_DIR")
pytestmark = pytest.mark.skipif(SHARED is None, reason="AR_SHARED_DIR names no folder with real bodies")


def _bodies() -> list[dict[str, Any]]:
    if SHARED is None:
        return []
    index = json.loads((Path(SHARED) / "payloads" / "INDEX.json").read_text(encoding="utf-8"))
    return [one for one in index if one["system"] == "netsuite"]


def _body(entry: dict[str, Any]) -> bytes:
    file: str = entry["file"]
    return (Path(str(SHARED)) / "payloads" / file).read_bytes()


@pytest.mark.parametrize("entry", _bodies(), ids=lambda one: one["file"])
def test_a_real_body_gives_what_its_kind_promises(entry: dict[str, Any]) -> None:
    kind, body = entry["kind"], _body(entry)
    if kind == "error":
        with pytest.raises(ARError) as raised:
            decode(kind, body, "1234567")
        assert not isinstance(raised.value, UnsupportedOperation)
        assert raised.value.platform_code
        return
    if kind not in KINDS:
        with pytest.raises(UnsupportedOperation):
            decode(kind, body, "1234567")
        return
    page = decode(kind, body, "1234567")
    assert page.rows == max(1, len(json.loads(body).get("items", [None])))
    assert not page.rejected
    seen = {*page.row_of, *(one.row for one in page.out_of_scope)}
    assert seen == set(range(page.rows))
    if kind in {"invoice", "creditmemo", "customer"}:
        assert page.records
        assert not page.out_of_scope
