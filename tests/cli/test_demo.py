"""Does the demo tell the whole story, and the same one every time?"""

from __future__ import annotations

import json

from click.testing import CliRunner

from ar_connectors.cli.main import cli


def test_the_demo_closes_the_loop() -> None:
    result = CliRunner().invoke(cli, ["demo", "--invoices", "400", "--json"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.output)
    assert facts["repeated_actions"] == 0
    assert facts["unexplained"] == {}
    assert facts["first_sync"]["inserted"] > 400
    assert facts["second_sync"]["cost"]["metered_units"] <= 4
    assert facts["second_sync"]["updated"] >= 2


def test_the_demo_shows_each_step_to_a_person() -> None:
    result = CliRunner().invoke(cli, ["demo", "--invoices", "150"])
    assert result.exit_code == 0, result.output
    for words in (
        "First sync",
        "worklist",
        "they promise",
        "an empty store",
        "is voided",
        "Incremental",
        "QuickBooks' own",
    ):
        assert words in result.output
