"""SuiteQL's dialect: what it yields, how it pages, and with which words it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.ledger import Ledger, Settings
from ar_connectors.testkit.netsuite import Account
from ar_connectors.testkit.netsuite.start import Handle, start_netsuite
from tests.testkit.netsuite.support import Client

UNSUPPORTED = "Invalid or unsupported search."


def test_values_are_texts_and_nulls_are_left_out(reader: Client) -> None:
    (row,) = reader.rows(
        'SELECT id AS "TheId", BUILTIN.DF(parent) AS Mother, isinactive, externalid, 1 + 1, NULL AS nothing, '
        "'' AS empty FROM customer WHERE id = 1"
    )
    assert row == {"theid": "1", "isinactive": "F", "expr1": "2"}


def test_a_page_knows_its_neighbors(reader: Client) -> None:
    answer = reader.suiteql("SELECT id FROM transaction ORDER BY id", limit=50, offset=50)
    assert (
        answer.headers["Content-Type"]
        == "application/vnd.oracle.resource+json; type=collection; charset=UTF-8"
    )
    page = answer.json()
    assert [link["rel"] for link in page["links"]] == ["previous", "first", "next", "last", "self"]
    assert page["count"] == len(page["items"]) == 50
    assert (page["offset"], page["hasMore"]) == (50, True)
    assert page["links"][-1]["method"] == "POST"
    beyond = reader.suiteql("SELECT id FROM transaction ORDER BY id", limit=1000, offset=5000).json()
    assert (beyond["count"], beyond["hasMore"], beyond["items"]) == (0, False, [])


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"limit": 1001}, "limit"),
        ({"limit": 0}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": 100, "offset": 50}, "offset"),
        ({"limit": 5, "offset": 5000}, "offset"),
        ({"offset": -1000}, "offset"),
    ],
)
def test_windows_that_cannot_be(reader: Client, parameters: dict[str, Any], where: str) -> None:
    answer = reader.suiteql("SELECT id FROM term", **parameters)
    assert answer.status_code == 400
    assert answer.json()["o:errorDetails"][0]["o:errorQueryParam"] == where


def test_the_header_is_needed(reader: Client) -> None:
    answer = reader.send("POST", "query/v1/suiteql", {"q": "SELECT id FROM term"})
    assert reader.refused(answer)[:2] == (400, "INVALID_HEADER")
    assert reader.send("GET", "query/v1/suiteql").status_code == 405


def test_there_are_no_more_rows_than_the_cap(books: Handle, reader: Client) -> None:
    books.service.queries.most_rows = 120
    try:
        first = reader.suiteql("SELECT id FROM transaction ORDER BY id", limit=100).json()
        last = reader.suiteql("SELECT id FROM transaction ORDER BY id", limit=100, offset=100).json()
        rest = reader.suiteql(
            "SELECT id FROM transaction WHERE id > ? ORDER BY id", bound=[last["items"][-1]["id"]]
        ).json()
    finally:
        books.service.queries.most_rows = 100_000
    assert (first["totalResults"], first["hasMore"]) == (120, True)
    assert (last["count"], last["hasMore"]) == (20, False)
    assert rest["count"] > 0, "by key a client gets beyond the cap"


def test_pages_without_an_order_repeat_and_skip_rows(books: Handle, reader: Client) -> None:
    def seen(statement: str) -> list[str]:
        pages = [reader.suiteql(statement, limit=50, offset=place).json() for place in range(0, 300, 50)]
        return [row["id"] for page in pages for row in page["items"]]

    ordered = seen("SELECT id FROM transaction ORDER BY id")
    assert len(set(ordered)) == 300
    assert len(set(seen("SELECT id FROM transaction"))) < 300
    books.account.restless = False
    try:
        assert len(set(seen("SELECT id FROM transaction"))) == 300
    finally:
        books.account.restless = True


def test_small_pages_reach_less_far(reader: Client) -> None:
    assert reader.suiteql("SELECT id FROM transactionline", limit=1).json()["totalResults"] == 1000


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "SELECT nonsense FROM customer",
            "Unknown identifier 'nonsense'. Available identifiers are: {customer=customer}",
        ),
        ("SELECT balance FROM customer", "Unknown identifier 'balance'"),
        ("SELECT subsidiary FROM transaction", "Unknown identifier 'subsidiary'"),
        ("SELECT userestimatedpaymentdate FROM transaction", "Unknown identifier 'userestimatedpaymentdate'"),
        ("SELECT c.nonsense FROM customer c", "Field 'nonsense' for record 'customer' was not found"),
        ("SELECT x.id FROM customer c", "Unknown identifier 'x'"),
        ("SELECT id FROM nonsense", "Invalid search type: nonsense."),
        ("SELECT id FROM accountingbook", "Record 'accountingbook' was not found"),
        ("SELECT id FROM transaction t, customer c", "Column 'id' is ambiguous"),
        ("SELECT id FROM transaction WHERE trandate > '2026-01-31'", 'Unparseable date: "2026-01-31"'),
        ("SELECT id FROM transaction WHERE id = 'abc'", "Invalid number"),
        ("SELECT id, COUNT(*) FROM transaction", "Not a GROUP BY expression"),
        ("SELECT entity, COUNT(*) FROM transaction GROUP BY type", "Not a GROUP BY expression"),
        ("SELECT id FROM transaction WHERE id = ?", "Invalid number of parameters"),
        ("SELECT CASE WHEN id = 1 THEN 1 ELSE 'x' END FROM term", "Inconsistent datatypes"),
    ],
)
def test_refusals_have_netsuites_words(reader: Client, statement: str, words: str) -> None:
    detail = reader.detail(statement)
    assert detail.startswith("Invalid search query. Detailed unprocessed description follows. ")
    assert words in detail


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM term LIMIT 5",
        "WITH x AS (SELECT id FROM term) SELECT id FROM x",
        "SELECT id, ROW_NUMBER() OVER (ORDER BY id) FROM term",
        "SELECT CURRENT_DATE FROM term",
        "SELECT SLEEP(5) FROM term",
        "SELECT RANDOM() FROM term",
        "SELECT load_extension('x') FROM term",
        "SELECT t.id FROM term t, customer c WHERE t.id = c.terms(+)",
        "SELECT t.id FROM term t FULL OUTER JOIN customer c ON t.id = c.terms",
        "SELECT t.id FROM term t JOIN customer c USING (id)",
        "SELECT BUILTIN.CONSOLIDATE(id) FROM term",
        "SELECT 1",
        "DELETE FROM transaction",
        "DROP TABLE v_transaction",
        "SELECT id FROM v_transaction; SELECT id FROM term",
        "SELECT id FROM term FOR UPDATE",
        "SELECT COUNT(*) FROM transaction WHERE ROWNUM <= 5",
        "this is not a statement",
        "SELECT",
        "SELECT id FROM term WHERE id IN (" + ", ".join(map(str, range(1001))) + ")",
        "SELECT id FROM term WHERE (" * 500,
    ],
)
def test_what_is_not_known_is_refused(reader: Client, statement: str) -> None:
    assert UNSUPPORTED in reader.detail(statement) or "Invalid search type" in reader.detail(statement)


@pytest.mark.parametrize(
    "body", ['{"q": 5}', '{"q": ""}', "[]", "nonsense", "{}", '{"q": "SELECT id FROM term", "params": 5}']
)
def test_bodies_that_are_none(reader: Client, body: str) -> None:
    answer = reader.session.post(
        f"{reader.root}/query/v1/suiteql", data=body, headers={"Prefer": "transient"}, timeout=10
    )
    assert reader.refused(answer)[0] == 400


def test_dates_look_as_the_user_likes_unless_formatted(reader: Client) -> None:
    (row,) = reader.rows(
        "SELECT trandate, lastmodifieddate, TO_CHAR(trandate, 'YYYY-MM-DD') AS iso, TO_CHAR(trandate, 'DD-MON-YY') AS ora, "
        "TO_CHAR(lastmodifieddate, 'YYYY-MM-DD\"T\"HH24:MI:SS') AS at FROM transaction ORDER BY id FETCH FIRST 1 ROWS ONLY"
    )
    year, month, day = row["iso"].split("-")
    assert row["trandate"] == f"{month}/{day}/{year}"
    assert row["lastmodifieddate"].count("/") == 2
    assert row["ora"].startswith(f"{day}-")
    assert row["at"][10] == "T"


def test_another_users_format() -> None:
    account = Account(date_format="%d.%m.%Y")
    with start_netsuite(clock=ScriptedClock(DEFAULT_NOW), invoices=5, account=account) as handle:
        client = Client(handle)
        (row,) = client.rows(
            "SELECT trandate, TO_CHAR(trandate, 'DD.MM.YYYY') AS same FROM transaction WHERE trandate >= '01.01.2001' "
            "ORDER BY id FETCH FIRST 1 ROWS ONLY"
        )
        assert row["trandate"] == row["same"]
        client.session.close()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("NVL(NULL, 'x')", "x"),
        ("NVL2(NULL, 1, 2)", "2"),
        ("COALESCE(NULL, NULL, 3)", "3"),
        ("NULLIF(2, 2)", None),
        ("DECODE(id, 1, 'one', 2, 'two', 'many')", "one"),
        ("DECODE(NULL, NULL, 'null', 'some')", "null"),
        ("CASE id WHEN 1 THEN 'one' ELSE 'other' END", "one"),
        ("CASE WHEN id > 5 THEN 'big' END", None),
        ("'a' || NULL || 'b'", "ab"),
        ("'it''s'", "it's"),
        ("0.1 + 0.2", "0.3"),
        ("12345678901234567.89 + 0.01", "12345678901234567.9"),
        ("10 / 4", "2.5"),
        ("-(1 - 3)", "2"),
        ("ROUND(2.345, 2)", "2.35"),
        ("ROUND(-2.5)", "-3"),
        ("TRUNC(2.99)", "2"),
        ("ABS(-7.5)", "7.5"),
        ("MOD(7, 4)", "3"),
        ("GREATEST(1, 10, 9)", "10"),
        ("UPPER('straße')", "STRASSE"),
        ("SUBSTR('netsuite', 4, 2)", "su"),
        ("SUBSTR('netsuite', -3)", "ite"),
        ("INSTR('netsuite', 'suite')", "4"),
        ("LENGTH('abc')", "3"),
        ("CONCAT('a', 'b')", "ab"),
        ("INITCAP('net suite')", "Net Suite"),
        ("TRIM('  x ')", "x"),
        ("REPLACE('a-b', '-', '+')", "a+b"),
        ("TO_NUMBER('12.50') + 1", "13.5"),
        ("TO_CHAR(TO_DATE('2026-02-28', 'YYYY-MM-DD') + 1, 'YYYY-MM-DD')", "2026-03-01"),
        ("TO_DATE('2026-03-01', 'YYYY-MM-DD') - TO_DATE('2026-02-01', 'YYYY-MM-DD')", "28"),
        ("TO_CHAR(ADD_MONTHS(TO_DATE('2026-01-31', 'YYYY-MM-DD'), 1), 'YYYY-MM-DD')", "2026-02-28"),
        ("TO_CHAR(TRUNC(TO_DATE('2026-05-17', 'YYYY-MM-DD'), 'MM'), 'YYYY-MM-DD')", "2026-05-01"),
        ("TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI')", "2026-11-20 09:00"),
        ("(SELECT COUNT(*) FROM subsidiary)", "2"),
    ],
)
def test_expressions(reader: Client, expression: str, value: str | None) -> None:
    (row,) = reader.rows(f"SELECT {expression} AS x FROM customer WHERE id = 1")
    assert row.get("x") == value


def test_conditions_join_groups_and_orders(reader: Client) -> None:
    rows = reader.rows(
        "SELECT c.entityid, COUNT(DISTINCT t.id) AS n, SUM(t.foreignamountunpaid) AS open FROM customer c "
        "LEFT JOIN transaction t ON t.entity = c.id AND t.type = 'CustInvc' "
        "WHERE c.entityid LIKE '%o%' AND c.id NOT IN (SELECT parent FROM customer WHERE parent IS NOT NULL) "
        "AND EXISTS (SELECT 1 FROM transaction x WHERE x.entity = c.id) AND c.id BETWEEN 1 AND 1000 "
        "GROUP BY c.entityid HAVING COUNT(DISTINCT t.id) > 1 ORDER BY n DESC, c.entityid"
    )
    assert len(rows) > 3
    counts = [int(row["n"]) for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert all("o" in row["entityid"] for row in rows)


def test_numbers_are_sorted_as_numbers_and_nulls_last(reader: Client) -> None:
    rows = reader.rows("SELECT id, creditlimit FROM customer ORDER BY creditlimit, id")
    limits = [int(row["creditlimit"]) if "creditlimit" in row else 10**9 for row in rows]
    assert limits == sorted(limits)
    rows = reader.rows("SELECT id, creditlimit FROM customer ORDER BY creditlimit DESC, id")
    assert "creditlimit" not in rows[0]


def test_rownum_cuts_before_anything_is_sorted(reader: Client) -> None:
    first = reader.rows("SELECT id FROM transaction WHERE ROWNUM <= 3 ORDER BY id DESC")
    latest = reader.rows("SELECT id FROM transaction ORDER BY id DESC FETCH FIRST 3 ROWS ONLY")
    assert len(first) == len(latest) == 3
    assert first != latest
    assert (
        reader.rows("SELECT * FROM (SELECT id FROM transaction ORDER BY id DESC) WHERE ROWNUM <= 3") == latest
    )


def test_unions_and_derived_tables(reader: Client) -> None:
    rows = reader.rows(
        "SELECT x.id FROM (SELECT id FROM term UNION ALL SELECT id FROM subsidiary) x WHERE x.id > 0 ORDER BY x.id"
    )
    assert len(rows) == 6
    pages = reader.rows(
        "SELECT * FROM (SELECT t.id AS key, t.tranid, c.entityid AS who FROM transaction t "
        "LEFT JOIN customer c ON c.id = t.entity) WHERE key > 10 ORDER BY key"
    )
    assert pages[0].keys() >= {"key", "tranid"}


def test_parameters_are_bound_in_their_order_and_cannot_break_out(reader: Client) -> None:
    rows = reader.rows(
        "SELECT ? AS first, id FROM term WHERE id > ? AND name <> ?", bound=["a'b", "0", "x' OR '1'='1"]
    )
    assert {row["first"] for row in rows} == {"a'b"}
    assert len(rows) == 4
    assert reader.rows("SELECT '?' AS mark FROM term WHERE id = -- ?\n ?", bound=["0"]) == []


def test_statuses_are_letters_with_texts(reader: Client) -> None:
    rows = reader.rows(
        "SELECT DISTINCT type, status, BUILTIN.DF(status) AS text, BUILTIN.CF(status) AS key FROM transaction"
    )
    found = {row.get("key"): row.get("text") for row in rows}
    assert found["CustInvc:A"] == "Invoice : Open"
    assert found["CustInvc:B"] == "Invoice : Paid In Full"
    assert found["CustCred:B"] == "Credit Memo : Fully Applied"
    assert reader.rows("SELECT id FROM transaction WHERE status = 'CustInvc:A'") == []


def test_a_hidden_record_was_not_found(netsuite_emulator: Handle, client: Client) -> None:
    statement = "SELECT id FROM customer"
    assert client.rows(statement)
    netsuite_emulator.account.hidden.add("customer")
    assert "Record 'customer' was not found" in client.detail(statement)
    assert client.send("GET", "record/v1/customer/1").status_code == 404


def test_a_company_that_is_no_group_has_no_subsidiaries() -> None:
    clock = ScriptedClock(DEFAULT_NOW)
    with start_netsuite(clock=clock, invoices=10, oneworld=False, multicurrency=False) as handle:
        client = Client(handle)
        assert "Record 'subsidiary' was not found" in client.detail("SELECT id FROM subsidiary")
        assert "Record 'currency' was not found" in client.detail("SELECT id FROM currency")
        assert "Unknown identifier 'subsidiary'" in client.detail("SELECT subsidiary FROM transactionline")
        assert client.rows("SELECT id FROM transaction")
        client.session.close()


def test_an_account_may_show_estimates() -> None:
    account = Account(shows_estimates=True)
    with start_netsuite(clock=ScriptedClock(DEFAULT_NOW), invoices=10, account=account) as handle:
        client = Client(handle)
        invoice = handle.stories.expect_payment()
        assert invoice.expected is not None
        statement = (
            "SELECT TO_CHAR(userestimatedpaymentdate, 'YYYY-MM-DD') AS d FROM transaction WHERE id = ?"
        )
        assert client.rows(statement, bound=[invoice.id]) == [{"d": invoice.expected.isoformat()}]
        client.session.close()


@pytest.mark.parametrize(
    "zone", ["America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]
)
def test_instants_are_of_the_accounts_zone(zone: str) -> None:
    clock = ScriptedClock(DEFAULT_NOW)
    ledger = Ledger(clock.now, Settings(zone=zone, multicurrency=True))
    customer = ledger.open_customer("Nobody in particular")
    with start_netsuite(ledger=ledger, clock=clock) as handle:
        client = Client(handle)
        for _ in range(4):
            clock.advance(timedelta(minutes=437))
            client.session.headers["Authorization"] = f"Bearer {handle.service.desk.grant()}"
            handle.stories.change_customer(customer.id, phone=str(clock.now()))
            (row,) = client.rows(
                "SELECT TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS at FROM customer"
            )
            local = clock.now().astimezone(handle.service.queries.zone)
            assert row["at"] == local.strftime("%Y-%m-%d %H:%M:%S")
        client.session.close()
