"""The quick way and the careful one, side by side on a whole company's bodies: the same records to the last digit."""

from __future__ import annotations

from pathlib import Path

import ar_connectors as ar
from ar_connectors.adapterkit.pages import FillingPage
from ar_connectors.connector import Page
from ar_connectors.netsuite.careful import take_rows
from ar_connectors.netsuite.company import REFERENCE, company_of
from ar_connectors.netsuite.context import Context, Mapper
from ar_connectors.netsuite.decode import decode_page
from ar_connectors.netsuite.envelope import open_envelope
from ar_connectors.netsuite.kinds import KINDS
from ar_connectors.testkit.netsuite import Account
from tests.netsuite.worlds import ZONE, World, world

_FIELD = "custbody_ar_promise_note"


def _carefully(body: bytes, kind: str, context: Context) -> FillingPage:
    filled = FillingPage()
    rows = [bytes(raw) for raw in open_envelope(body, context.tenant).rows]
    take_rows(filled, Mapper(context, body), rows, KINDS[kind])
    return filled


def _told(page: Page | FillingPage) -> tuple[list[str], list[int], set[str]]:
    texts = [f"{type(one).__name__} {one.model_dump_json()}" for one in page.records]
    return texts, list(page.row_of), set(page.replaces)


def _bodies(one: World) -> tuple[Context, list[tuple[str, bytes]]]:
    company = company_of(one.store.view(one.conn.id).cursor(REFERENCE))
    assert company is not None
    bodies = [(body.kind, body.body) for body in one.store.raw_bodies(one.conn.id)]
    return company.context(one.emulator.tenant), [(kind, raw) for kind, raw in bodies if kind in KINDS]


def test_the_quick_way_makes_the_records_of_the_careful_one(tmp_path: Path) -> None:
    settings = {"time_zone": ZONE, "custom_fields": {"transaction": [_FIELD]}}
    account = Account(shows_estimates=True)
    with world(tmp_path, settings=settings, invoices=150, seed=4, account=account) as one:
        ar.sync(one.conn, one.store)
        context, bodies = _bodies(one)
        assert {kind for kind, _ in bodies} == {"transaction", "journal", "link", "customer", "contact"}
        for kind, raw in bodies:
            quick = decode_page(raw, kind, context, stream="any")
            careful = _carefully(raw, kind, context)
            assert not quick.rejected
            assert not careful.rejected
            if kind == "link":
                # The careful way sorts by the name of a transaction, the quick one has the server's order.
                assert sorted(_told(quick)[0]) == sorted(_told(careful)[0])
            else:
                assert _told(quick) == _told(careful)
