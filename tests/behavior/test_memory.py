"""A first load lets go of what it has handed over: a company of any size is read in the memory of a few pages."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ar_connectors.connector import Connector, Fetch, Page, StoreView
from tests.behavior.faces import Face

FEW = 3
"""The page that is being made, the one that is being committed, and one that nobody has let go of yet."""


@pytest.mark.usefixtures("old_caches")
def test_a_first_load_holds_no_page_that_is_committed(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    face.small_pages()
    face.reconnect()
    pages: list[weakref.ref[Any]] = []
    most = 0
    kind: Any = type(face.connection.connector)
    real = kind.pull

    def counted(run: Callable[[], Page]) -> Callable[[], Page]:
        def ask() -> Page:
            nonlocal most
            page = run()
            if page.records:
                pages.append(weakref.ref(page.records[0]))
            gc.collect()
            most = max(most, sum(one() is not None for one in pages))
            return page

        return ask

    def pull(connector: Connector, stream: str, view: StoreView) -> Iterator[Sequence[Fetch]]:
        for batch in real(connector, stream, view):
            yield [replace(one, ask=counted(one.run)) for one in batch]

    monkeypatch.setattr(kind, "pull", pull)
    assert face.sync(workers=1).complete
    assert len(pages) > 10
    assert most <= FEW
