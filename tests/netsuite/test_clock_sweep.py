"""A change at any minute around midnight, and around the hours that clocks skip or show twice, arrives: in four accounts' zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ar_connectors.testkit.group import generate_group
from tests.netsuite.worlds import world

MOMENTS = {
    "America/Los_Angeles": ("2026-06-16 00:00", "2026-03-08 02:00", "2026-11-01 01:00"),
    "Europe/Berlin": ("2026-06-16 00:00", "2026-03-29 02:00", "2026-10-25 02:00"),
    "Australia/Sydney": ("2026-06-16 00:00", "2026-10-04 02:00", "2026-04-05 02:00"),
    "Asia/Kolkata": ("2026-06-16 00:00", "2026-01-01 00:00", "2026-03-29 05:30"),
}
"""Midnight, the hour that is skipped, the hour that is shown twice; Kolkata has neither, but the servers' clock is set back there."""
STREAMS = ("reference", "invoice")
BEFORE, MINUTES, RUN_EVERY = timedelta(minutes=70), 210, 15


@pytest.mark.parametrize(
    ("zone", "moment"), [(zone, moment) for zone, moments in MOMENTS.items() for moment in moments]
)
def test_no_minute_is_lost(tmp_path: Path, zone: str, moment: str) -> None:
    begin = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - BEFORE
    ledger = generate_group(2, invoices=40, now=begin)
    ledger.settings.zone = zone
    with world(tmp_path, settings={"time_zone": zone}, ledger=ledger, now=begin) as one:
        one.sync(streams=STREAMS)
        # Open ones are read on every run whatever their time says, so settled ones are changed.
        settled = [invoice for invoice in ledger.invoices.values() if not invoice.open and not invoice.voided]
        expected: dict[str, str] = {}
        for minute in range(MINUTES):
            one.clock.set(begin + timedelta(minutes=20 + minute))
            invoice = settled[minute % len(settled)]
            expected[invoice.id] = f"changed in minute {minute}"
            ledger.change_document(invoice, memo=expected[invoice.id])
            if minute % RUN_EVERY == RUN_EVERY - 1:
                one.sync(streams=STREAMS)
                held = {
                    record.source.remote_id: record.memo
                    for record in one.store.snapshot(one.conn.id).invoices
                    if record.source is not None
                }
                assert {number: held[number] for number in expected} == expected, f"lost in minute {minute}"
