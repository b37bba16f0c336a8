"""Has every kind of record an id, whatever the account's looks like?"""

import pytest

from ar_connectors.netsuite.context import PAGE_KINDS, Context, Mapper
from ar_core.model import RecordKind, record_id


@pytest.mark.parametrize("account", ["1234567", "1234567_SB1", "TSTDRV1234567"])
@pytest.mark.parametrize("kind", RecordKind)
def test_every_kind_of_record_has_an_id_also_those_that_no_page_of_rows_holds(
    account: str, kind: RecordKind
) -> None:
    for remote_id in ("17", "17-2", account, "a b"):
        assert Mapper(Context(account)).id(kind, remote_id) == record_id("netsuite", account, kind, remote_id)
    assert RecordKind.ORGANIZATION not in PAGE_KINDS, "the one that is read with the reference data"
