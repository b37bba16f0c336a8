"""Every answer fits Xero's own OpenAPI description. Where the real Xero does not, the emulator follows it, and it stands here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator
from jsonschema.validators import extend

from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.server import XeroHandle, start_xero
from tests.testkit.xero.support import Client, client_of

DEVIATIONS = {
    "wrong type": {
        "Payments.*.BatchPayment.IsReconciled": "a text, as in the description's own example",
        "Payments.*.BatchPayment.TotalAmount": "a text, as in the description's own example",
    },
    "not described": {
        "Id": "the envelope, in every example of the description",
        "Status": "the envelope",
        "ProviderName": "the envelope",
        "DateTimeUTC": "the envelope",
        "*.DateString": "recorded in every document",
        "*.DueDateString": "recorded in every document",
        "*.ExpectedPaymentDateString": "Xero's documentation of invoices",
        "*.PlannedPaymentDateString": "recorded: a client that sent it back was refused",
        "*.InvoicePaymentServices": "recorded in every invoice",
        "*.ID": "recorded in credit notes, overpayments and prepayments",
        "*.CreditNotes.*.DateString": "recorded",
        "*.HasErrors": "recorded in credit notes",
        "*.HasValidationErrors": "recorded in contacts and payments",
        "*.DateUTCString": "recorded in histories",
        "Elements.*.*": "elements echo what was sent, as recorded",
        "HistoryRecords.*.ValidationErrors": "recorded in answers to notes",
    },
}
"""By pattern of the place, why."""

READS = (
    "Invoices?page=1&pageSize=1000",
    "Invoices?page=1&summaryOnly=true",
    "Invoices",
    "Contacts?page=1&pageSize=1000&includeArchived=true",
    "Contacts",
    "CreditNotes?page=1",
    "Payments?page=1&pageSize=1000",
    "Prepayments?page=1",
    "Overpayments?page=1",
    "BatchPayments",
    "ContactGroups",
    "Organisation",
    "Organisation/Actions",
    "Accounts",
    "Currencies",
    "InvoiceReminders/Settings",
    "Invoices/{invoice}",
    "Invoices/{invoice}/History",
    "Invoices/{invoice}/OnlineInvoice",
    "Contacts/{contact}",
    "CreditNotes/{credit}",
    "Payments/{payment}",
    "Reports/AgedReceivablesByContact?contactId={contact}",
)


def _or_nothing(validator: Any, types: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """`type`, with OpenAPI 3.0's `nullable`."""
    if instance is None and schema.get("nullable"):
        return
    yield from Draft4Validator.VALIDATORS["type"](validator, types, instance, schema)


Validator = extend(Draft4Validator, {"type": _or_nothing})


class Description:
    """Xero's OpenAPI file: which schema an answer must fit, and which fields it knows."""

    def __init__(self, path: Path) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), loader)

    def schema(self, method: str, path: str, status: int) -> dict[str, Any]:
        """The schema of an answer by the path that was called. Raises KeyError for one that is not described."""
        parts = path.strip("/").split("/")
        for template, operations in self.document["paths"].items():
            known = template.strip("/").split("/")
            fits = len(known) == len(parts) and all(
                one.startswith("{") or one == part for one, part in zip(known, parts, strict=True)
            )
            if fits and method.lower() in operations:
                answer = operations[method.lower()]["responses"][str(status)]
                answer = self.resolved(answer)
                found: dict[str, Any] = answer["content"]["application/json"]["schema"]
                return found
        raise KeyError(f"{method} {path} is not described")

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            place: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                place = place[part]
            schema = place
        return schema

    def differences(self, schema: dict[str, Any], answer: Any) -> Iterator[tuple[str, str, str]]:
        """(sort of difference, place, what) for everything that does not fit."""
        whole = {**schema, "components": self.document["components"]}
        for error in Validator(whole).iter_errors(answer):
            yield "wrong type", ".".join(map(str, error.absolute_path)), error.message[:200]
        for place in self.unknown(schema, answer, ""):
            yield "not described", place, "no such property"

    def unknown(self, schema: dict[str, Any], value: Any, place: str) -> Iterator[str]:
        """Places of fields that the schema does not have."""
        schema = self.resolved(schema)
        if isinstance(value, list):
            for at, one in enumerate(value):
                yield from self.unknown(schema.get("items", {}), one, f"{place}.{at}" if place else str(at))
            return
        if not isinstance(value, dict):
            return
        known = dict(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            known |= self.resolved(part).get("properties", {})
        if not known:
            return
        for name, inside in value.items():
            where = f"{place}.{name}" if place else name
            if name not in known:
                yield where
            else:
                yield from self.unknown(known[name], inside, where)


@pytest.fixture(scope="module")
def description(shared_dir: Path) -> Description:
    return Description(shared_dir / "payloads" / "specs" / "xero" / "xero_accounting.yaml")


@pytest.fixture(scope="module")
def running() -> Iterator[XeroHandle]:
    with start_xero(invoices=150, seed=4, now=DEFAULT_NOW, refunds=4) as handle:
        group = handle.service.groups.create("On stop")
        handle.service.groups.add(group, handle.service.view.entries("Contacts")[0].id)
        handle.stories.expect_payment()
        handle.stories.merge_customers()
        handle.stories.close_books("2025-01-31")
        yield handle


@pytest.fixture(scope="module")
def described(running: XeroHandle) -> Iterator[Client]:
    with client_of(running) as made:
        yield made


@pytest.fixture(scope="module")
def names(described: Client) -> dict[str, str]:
    """Ids to read single rows by."""
    paid = next(one for one in described.rows("Invoices") if one["Payments"])
    return {
        "invoice": paid["InvoiceID"],
        "contact": paid["Contact"]["ContactID"],
        "credit": described.rows("CreditNotes")[0]["CreditNoteID"],
        "payment": paid["Payments"][0]["PaymentID"],
    }


def unexpected(description: Description, method: str, path: str, status: int, answer: Any) -> list[str]:
    """Differences that do not stand among the deviations."""
    schema = description.schema(method, path.partition("?")[0], status)
    return [
        f"{sort} {place}: {what}"
        for sort, place, what in description.differences(schema, answer)
        if not any(fnmatchcase(place, pattern) for pattern in DEVIATIONS[sort])
    ]


@pytest.mark.parametrize("path", READS)
def test_what_is_read_fits_the_description(
    path: str, described: Client, names: dict[str, str], description: Description
) -> None:
    answer = described.send("GET", path.format(**names))
    assert answer.status_code == 200, answer.text
    wrong = unexpected(description, "GET", path.format(**names), 200, answer.json())
    assert not wrong, "\n".join(sorted(set(wrong))[:30])


def test_what_is_written_fits_the_description(
    described: Client, names: dict[str, str], description: Description
) -> None:
    open_one = next(
        one for one in described.rows("Invoices") if one["Status"] == "AUTHORISED" and one["Type"] == "ACCREC"
    )
    closed = next(one for one in described.rows("Invoices") if one["Status"] == "VOIDED")
    calls: list[tuple[str, str, Any, int]] = [
        ("PUT", f"Invoices/{open_one['InvoiceID']}/History", {"HistoryRecords": [{"Details": "Called"}]}, 200),
        ("POST", "Invoices?summarizeErrors=false", {"Invoices": [
            {"InvoiceID": open_one["InvoiceID"], "DueDate": "2026-12-24"},
            {"InvoiceID": closed["InvoiceID"], "DueDate": "2026-12-24"}]}, 200),
        ("POST", "Invoices", {"Invoices": [{"InvoiceID": closed["InvoiceID"], "DueDate": "2026-12-24"}]}, 400),
        ("PUT", "ContactGroups", {"ContactGroups": [{"Name": "In dispute"}]}, 200),
        ("POST", "Contacts", {"Contacts": [{"ContactID": names["contact"], "ContactNumber": "C-1"}]}, 200),
    ]  # fmt: skip
    for method, path, body, status in calls:
        answer = described.send(method, path, body)
        assert answer.status_code == status, answer.text
        wrong = unexpected(description, method, path, status, json.loads(answer.text))
        assert not wrong, f"{method} {path}\n" + "\n".join(sorted(set(wrong))[:30])


def test_every_deviation_is_one_still(
    described: Client, names: dict[str, str], description: Description
) -> None:
    """A pattern that nothing needs any more hides the next mistake."""
    seen: set[tuple[str, str]] = set()
    for path in READS:
        address = path.format(**names)
        schema = description.schema("GET", address.partition("?")[0], 200)
        for sort, place, _ in description.differences(schema, described.send("GET", address).json()):
            seen |= {(sort, pattern) for pattern in DEVIATIONS[sort] if fnmatchcase(place, pattern)}
    unneeded = {(sort, pattern) for sort in DEVIATIONS for pattern in DEVIATIONS[sort]} - seen
    assert sorted(place for _, place in unneeded) == ["Elements.*.*", "HistoryRecords.*.ValidationErrors"]
