"""Who does not ask for JSON gets XML, and it says the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests

from ar_connectors.testkit.server import Handle

SPACE = "{http://schema.intuit.com/finance/v3}"


class Both:
    """Asks for the same in both formats."""

    def __init__(self, emulator: Handle) -> None:
        self.root = f"{emulator.base_url}/v3/company/{emulator.tenant}"
        self.keys = {"Authorization": f"Bearer {emulator.access_token}"}

    def xml(self, path: str, accept: str | None = None) -> ET.Element:
        answer = requests.get(
            f"{self.root}/{path}", headers={**self.keys, "Accept": accept or ""}, timeout=10
        )
        assert answer.headers["Content-Type"].startswith("application/xml")
        return ET.fromstring(answer.content)

    def json(self, path: str) -> Any:
        headers = {**self.keys, "Accept": "application/json"}
        return requests.get(f"{self.root}/{path}", headers=headers, timeout=10).json(parse_float=Decimal)


@pytest.fixture
def both(emulator: Handle) -> Both:
    return Both(emulator)


def text(element: ET.Element, path: str) -> str | None:
    return element.findtext("/".join(SPACE + part for part in path.split("/")))


@pytest.mark.parametrize("accept", [None, "*/*", "application/xml", "text/html"])
def test_invoices_read_the_same(both: Both, accept: str | None) -> None:
    path = "query?query=select * from Invoice maxresults 50"
    rows = both.json(path)["QueryResponse"]["Invoice"]
    answer = both.xml(path, accept)
    assert answer.tag == SPACE + "IntuitResponse"
    found = answer.findall(f"{SPACE}QueryResponse/{SPACE}Invoice")
    assert len(found) == len(rows) > 0
    for row, element in zip(rows, found, strict=True):
        assert (element.get("domain"), element.get("sparse")) == ("QBO", "false")
        for name in ("Id", "SyncToken", "DocNumber", "TxnDate", "TotalAmt", "Balance"):
            assert text(element, name) == (None if row.get(name) is None else str(row[name])), name
        customer = element.find(SPACE + "CustomerRef")
        assert customer is not None
        assert (customer.text, customer.get("name")) == (
            row["CustomerRef"]["value"],
            row["CustomerRef"]["name"],
        )
        amounts = [text(line, "Amount") for line in element.findall(SPACE + "Line")]
        assert amounts == [str(line["Amount"]) for line in row["Line"]]


def test_the_change_feed_has_its_groups_and_stubs(both: Both, emulator: Handle) -> None:
    gone = emulator.stories.run("delete_invoice")["id"]
    path = "cdc?entities=Invoice,Payment,Term&changedSince=2026-11-19T00:00:00Z"
    groups = both.json(path)["CDCResponse"][0]["QueryResponse"]
    found = both.xml(path).findall(f"{SPACE}CDCResponse/{SPACE}QueryResponse")
    assert len(found) == len(groups) == 3
    stubs = [one for one in found[0].findall(SPACE + "Invoice") if one.get("status") == "Deleted"]
    assert gone in {text(one, "Id") for one in stubs}


def test_refusals_of_the_service_and_of_the_gateway(both: Both) -> None:
    fault = both.xml("query?query=select * from Nonsense").find(SPACE + "Fault")
    assert fault is not None
    error = fault.find(SPACE + "Error")
    assert error is not None
    assert (fault.get("type"), error.get("code")) == ("ValidationFault", "4001")
    both.keys = {}
    error = both.xml("query?query=select * from Invoice").find(f"{SPACE}Fault/{SPACE}Error")
    assert error is not None
    assert error.get("code") == "3200"


def test_a_report_is_a_report(both: Both) -> None:
    answer = both.xml("reports/AgedReceivables")
    assert answer.tag == SPACE + "Report"
    cells = [one.get("value") for one in answer.iter(SPACE + "ColData")]
    told = str(both.json("reports/AgedReceivables")["Rows"]["Row"][-1]["Summary"]["ColData"][-1]["value"])
    assert told in cells


def test_what_xml_cannot_write_is_a_replacement_character(both: Both, emulator: Handle) -> None:
    with emulator.service.lock:
        customer = next(iter(emulator.ledger.customers.values()))
        emulator.ledger.change_customer(customer.id, name="Bell\x07 & <Sons>")
    found = both.xml(f"customer/{customer.id}").find(SPACE + "Customer")
    assert found is not None
    assert text(found, "DisplayName") == "Bell\ufffd & <Sons>"
