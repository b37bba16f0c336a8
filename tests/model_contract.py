"""What may every part of the product rely on in the shared model?

Adapters, the store and the evaluator are built on these promises; whoever changes the model changes this file first.
"""

from __future__ import annotations

import ast
import copy
import json
import pickle
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, Inexact
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

import ar_core as core
from ar_core.commands import command_adapter
from ar_core.model import money
from ar_core.model.base import Frozen, adopter, blank

THIRTY_DIGITS = "123456789012345678901234567.891"


def invoice(number: int = 1, **changes: Any) -> core.Invoice:
    """A posted invoice of one company, changed as asked."""
    fields: dict[str, Any] = {
        "id": core.record_id("quickbooks", "9341", core.RecordKind.INVOICE, str(number)),
        "customer_id": core.record_id("quickbooks", "9341", core.RecordKind.CUSTOMER, "7"),
        "currency": "USD",
        "issue_date": date(2026, 10, 1),
        "due_date": date(2026, 10, 31),
        "subtotal": Decimal("100.00"),
        "tax_total": Decimal("8.00"),
        "total": Decimal("108.00"),
        "balance_due": Decimal("108.00"),
        "document_status": core.DocumentStatus.POSTED,
    }
    return core.Invoice(**{**fields, **changes})


# ---- money


@pytest.mark.parametrize(
    "text", ["12345678901234567.89", THIRTY_DIGITS, "275", "275.0", "0.10", "-3.50", "1E+3"]
)
def test_an_amount_keeps_every_digit_and_its_scale_through_json(text: str) -> None:
    record = invoice(total=text)
    again = core.Invoice.model_validate_json(record.model_dump_json())
    assert str(record.total) == str(Decimal(text)) == str(again.total)
    assert json.loads(record.model_dump_json())["total"] == str(Decimal(text))


@pytest.mark.parametrize(
    "bad", [1.5, True, "NaN", "Infinity", "-Infinity", "1e400", "1e-400", "", "12,5", None]
)
def test_what_is_not_an_exact_bounded_amount_is_refused(bad: object) -> None:
    with pytest.raises(ValidationError, match="total"):
        invoice(total=bad)


def test_a_json_float_is_refused_with_advice() -> None:
    body = json.loads(invoice().model_dump_json())
    body["total"] = 108.5
    with pytest.raises(ValidationError, match="as text or Decimal"):
        core.Invoice.model_validate(body)


def test_sums_never_round_silently() -> None:
    assert money.total([Decimal("0.1")] * 10) == Decimal("1.0")
    with pytest.raises(Inexact):
        money.total([Decimal("1e40"), Decimal("1e-40")])


def test_two_currencies_do_not_add_up() -> None:
    with pytest.raises(core.CurrencyMismatch, match="EUR"):
        core.Money(Decimal(1), "USD").plus(core.Money(Decimal(1), "EUR"))
    with pytest.raises(core.CurrencyMismatch, match="unknown"):
        core.Money(Decimal(1), None).plus(core.Money(Decimal(1), "EUR"))


@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15)
    )
)
def test_a_total_does_not_depend_on_order(amounts: list[Decimal]) -> None:
    assert money.total(amounts) == money.total(reversed(amounts)) == sum(amounts, Decimal(0))


# ---- identity


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_an_id_gives_its_parts_back(tenant: str, remote_id: str) -> None:
    built = core.record_id("xero", tenant, core.RecordKind.INVOICE, remote_id)
    assert core.parse_record_id(built) == ("xero", tenant, "invoice", remote_id)
    assert built.count(":") == 3
    assert "|" not in built
    prefix = core.connection_id(built)
    assert prefix is not None
    assert built.startswith(prefix + ":invoice:")


def test_a_local_id_belongs_to_no_connection() -> None:
    promise = core.RecordPromise(
        customer_id="quickbooks:1:customer:2",
        invoice_ids=("quickbooks:1:invoice:3",),
        promised_date=date(2026, 12, 1),
        given_on=date(2026, 11, 23),
    )
    assert promise.local_record_id.startswith("local:")
    assert core.connection_id(promise.local_record_id) is None
    assert core.parse_record_id(promise.local_record_id) is None


@pytest.mark.parametrize("bad", ["", "quickbooks", "quickbooks:1:invoice", "a:b:c:d:e"])
def test_what_is_not_an_id_says_so(bad: str) -> None:
    with pytest.raises(ValueError, match="not a record id"):
        core.parse_record_id(bad)


def test_an_allocation_id_names_parent_target_and_place() -> None:
    parent, target = "quickbooks:1:payment:5", "quickbooks:1:invoice:6"
    ids = {core.allocation_id(parent, target, place) for place in range(3)}
    assert len(ids) == 3
    assert {core.connection_id(one) for one in ids} == {"quickbooks:1"}
    parsed = core.parse_record_id(core.allocation_id(parent, target, 0))
    assert parsed is not None
    assert parsed.kind == "payment"


# ---- records


def every_record_type() -> list[type[Frozen]]:
    """All public record types of the model."""
    return [
        value
        for name in core.__all__
        if isinstance(value := getattr(core, name), type)
        and issubclass(value, Frozen)
        and value is not Frozen
    ]


@pytest.mark.parametrize("record_type", every_record_type(), ids=lambda one: one.__name__)
def test_every_record_is_frozen_closed_and_documented(record_type: type[Frozen]) -> None:
    assert record_type.model_config["frozen"]
    assert record_type.model_config["extra"] == "forbid"
    assert record_type.__doc__
    assert TypeAdapter(record_type).json_schema()


@pytest.mark.parametrize("record_type", every_record_type(), ids=lambda one: one.__name__)
def test_no_field_of_a_record_is_a_binary_float(record_type: type[Frozen]) -> None:
    assert "float" not in str({name: field.annotation for name, field in record_type.model_fields.items()})


def test_a_trusted_record_equals_a_validated_one() -> None:
    record = invoice(lines=(core.Line(kind=core.LineKind.ITEM, amount=Decimal("1.10")),))
    fields = {
        name: getattr(record, name) for name in reversed(list(core.Invoice.model_fields)) if name != "memo"
    }
    built = core.Invoice.trusted(**fields)
    assert built == record
    assert hash(built) == hash(record)
    assert built.model_dump_json() == record.model_dump_json()
    assert pickle.loads(pickle.dumps(built)) == record
    assert built.model_copy(update={"memo": "x"}).memo == "x"


@pytest.mark.parametrize("kind", [core.Line, core.Invoice], ids=["few fields", "many fields"])
def test_a_blank_that_was_filled_in_and_adopted_equals_a_validated_record(kind: type[Frozen]) -> None:
    line = core.Line(kind=core.LineKind.ITEM, amount=Decimal("1.10"))
    record: Frozen = line if kind is core.Line else invoice(lines=(line,))
    new, adopt = blank(kind), adopter(kind)
    values, untouched = new(), new()
    for name in reversed(list(kind.model_fields)):
        values[name] = getattr(record, name)
    built = adopt(values)
    assert built == record
    assert hash(built) == hash(record)
    assert built.model_dump_json() == record.model_dump_json()
    assert list(built.__dict__) == list(record.__dict__) == list(untouched)
    assert pickle.loads(pickle.dumps(built)) == record
    assert untouched == new(), "one that was filled in leaves the next one blank"
    assert blank(core.Source, tenant="1")()["tenant"] == "1"


def test_a_record_built_without_validation_is_to_pydantic_one_whose_every_field_was_set() -> None:
    values = blank(core.Line)() | {"item": "Design"}
    validated = core.Line(**values)
    for built in (adopter(core.Line)(dict(values)), core.Line.trusted(item="Design")):
        assert built.model_fields_set == validated.model_fields_set == set(core.Line.model_fields)
        assert built.model_extra is None
        assert built.model_dump_json(exclude_unset=True) == validated.model_dump_json(exclude_unset=True)
        assert built.__getstate__() == validated.__getstate__()
        assert repr(built) == repr(validated)
        assert hash(built) == hash(validated)
        for copied in (
            copy.copy(built),
            copy.deepcopy(built),
            built.model_copy(),
            core.Line.model_validate(built),
        ):
            assert copied == validated
        changed = built.model_copy(update={"item": "Licence"})
        assert changed == core.Line(**(values | {"item": "Licence"})) != built
        with pytest.raises(AttributeError, match="itme"):
            _ = built.itme  # type: ignore[attr-defined]


def test_records_of_two_types_are_not_equal_though_their_fields_are() -> None:
    class Other(core.Line):
        """A record type of somebody else's."""

    assert core.Line(item="Design") != Other(item="Design")
    assert core.Line(item="Design") != {"item": "Design"}


def test_unknown_is_none_and_not_zero() -> None:
    bare = core.Customer(id="quickbooks:1:customer:1", name="A")
    assert bare.order_hold is None
    assert bare.reported_balance is None
    assert bare.is_active is None
    assert bare.currency is None


def test_an_instant_needs_an_offset_and_is_kept_in_utc() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        core.Source(platform="q", tenant="1", kind="K", remote_id="1", updated_at=datetime(2026, 1, 1))  # noqa: DTZ001
    there = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=-8)))
    source = core.Source(platform="q", tenant="1", kind="K", remote_id="1", updated_at=there)
    assert source.updated_at == datetime(2026, 1, 1, 16, tzinfo=UTC)
    assert source.updated_at is not None
    assert source.updated_at.tzinfo is UTC


def test_a_contact_is_reached_only_where_it_has_an_address() -> None:
    contact = core.Contact(
        id="a:b:contact:1", customer_id="a:b:customer:1", email="x@example.com", mobile="+1"
    )
    reached = {channel for channel in core.Channel if contact.address(channel)}
    assert reached == {core.Channel.EMAIL, core.Channel.SMS, core.Channel.VOICE, core.Channel.WHATSAPP}


# ---- snapshot, settlement, as-of


def test_a_snapshot_is_the_same_whatever_the_order_of_its_records() -> None:
    records = tuple(invoice(number) for number in (3, 1, 2))
    forward, backward = core.Snapshot(invoices=records), core.Snapshot(invoices=records[::-1])
    assert forward.model_dump_json() == backward.model_dump_json()
    assert core.Snapshot.model_validate_json(forward.model_dump_json()) == forward


def test_a_snapshot_refuses_two_records_with_one_id() -> None:
    with pytest.raises(ValidationError, match="keep one"):
        core.Snapshot(invoices=(invoice(1), invoice(1)))


def test_the_json_schema_describes_a_snapshot_file() -> None:
    schema = core.json_schema()
    assert schema["title"] == "Snapshot"
    assert "Invoice" in schema["$defs"]
    assert schema["$defs"]["Invoice"]["properties"]["total"]["type"] == "string"
    assert schema["properties"]["known_at"]["description"] == (
        "Only what was known at this instant is in it; None: everything known."
    )


class _Told(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    plain: int = 0
    """What it is,
    on two lines."""
    silent: int = 0
    told: int = Field(0, description="Told twice.")
    """Not this one."""


class _Ours(Frozen):
    plain: int = 0
    """What it is,
    on two lines."""
    silent: int = 0
    told: int = Field(0, description="Told twice.")
    """Not this one."""


class _Further(_Ours):
    silent: int = 1
    """Not any more."""


def test_the_json_schema_of_a_record_says_what_the_texts_below_its_fields_say() -> None:
    """As pydantic does for a model that has its source read at every start, but for a description of its own, which counts."""
    told, ours = _Told.model_json_schema()["properties"], _Ours.model_json_schema()["properties"]
    assert ours == {**told, "told": {**told["told"], "description": "Told twice."}}
    further = _Further.model_json_schema()["properties"]
    assert further["plain"] == told["plain"]
    assert further["silent"]["description"] == "Not any more."
    by_hand = create_model("ByHand", __base__=_Further).model_json_schema()["properties"]
    assert by_hand == further, "a model without source has what its bases say"


def test_as_of_knows_the_organizations_day() -> None:
    """E2: the same instant is the day before in New York."""
    instant = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
    assert core.AsOf(instant=instant, zone="America/New_York").today == date(2026, 11, 21)
    assert core.AsOf(instant=instant, zone="UTC").today == date(2026, 11, 22)
    with pytest.raises(ValidationError, match="not a time zone"):
        core.AsOf(instant=instant, zone="Mars/Olympus")


@pytest.mark.parametrize(
    ("day", "late"), [(date(2026, 10, 30), False), (date(2026, 10, 31), False), (date(2026, 11, 1), True)]
)
def test_the_due_day_itself_is_not_late(day: date, late: bool) -> None:
    """E3."""
    assert core.is_overdue(invoice(), day) is late


def settled(
    by: str | None, balance: str, status: core.DocumentStatus = core.DocumentStatus.POSTED
) -> core.Settlement:
    """Classify an invoice that a payment, a credit or a write-off closed."""
    base = "quickbooks:9341"
    target = invoice(balance_due=balance, document_status=status)
    sources: dict[str, core.Payment | core.CreditNote] = {
        "paid": core.Payment(
            id=f"{base}:payment:1", total=Decimal(108), document_status=core.DocumentStatus.POSTED
        ),
        "credited": core.CreditNote(
            id=f"{base}:credit_note:2",
            total=Decimal(108),
            unapplied_amount=Decimal(0),
            document_status=core.DocumentStatus.POSTED,
        ),
        "written_off": core.CreditNote(
            id=f"{base}:credit_note:3",
            total=Decimal(108),
            unapplied_amount=Decimal(0),
            document_status=core.DocumentStatus.POSTED,
            lines=(core.Line(account_id="bad-debt"),),
        ),
    }
    allocations = []
    if by is not None:
        source = sources[by]
        allocations.append(
            core.Allocation(
                id=core.allocation_id(source.id, target.id, 0),
                parent_id=source.id,
                source_id=source.id,
                target_id=target.id,
                amount=Decimal(108),
                target_amount=Decimal(108),
            )
        )
    return core.settlement(target, allocations, {one.id: one for one in sources.values()}, {"bad-debt"})


@pytest.mark.parametrize("by", ["paid", "credited", "written_off"])
def test_a_zero_balance_is_classified_by_what_closed_it(by: str) -> None:
    assert settled(by, "0") == by


def test_settlement_of_what_is_open_voided_or_unexplained() -> None:
    assert settled(None, "108") is core.Settlement.OPEN
    assert settled(None, "50") is core.Settlement.PARTIALLY_SETTLED
    assert settled(None, "-1") is core.Settlement.OVERSETTLED
    assert settled(None, "0") is core.Settlement.UNKNOWN
    assert settled("paid", "0", core.DocumentStatus.VOIDED) is core.Settlement.VOIDED
    assert settled("paid", "0", core.DocumentStatus.UNKNOWN) is core.Settlement.UNKNOWN


# ---- invariants are findings


def codes(snapshot: core.Snapshot) -> set[str]:
    """The finding codes of a snapshot."""
    return {finding.code.value for finding in core.check_snapshot(snapshot)}


def test_figures_that_agree_give_no_finding() -> None:
    customer = core.Customer(id="quickbooks:9341:customer:7", name="A")
    assert core.check_snapshot(core.Snapshot(customers=(customer,), invoices=(invoice(),))) == []


def test_rounding_is_a_term_and_not_an_error() -> None:
    assert core.check_document(invoice(total="108.01", rounding="0.01", balance_due="108.01")) == []
    assert core.check_document(invoice(total="108.01", balance_due="108.01")) != []


def test_each_broken_identity_is_found() -> None:
    customer = core.Customer(id="quickbooks:9341:customer:7", name="A")
    payment = core.Payment(
        id="quickbooks:9341:payment:1",
        currency="USD",
        total=Decimal(50),
        unapplied_amount=Decimal(10),
        document_status=core.DocumentStatus.POSTED,
    )
    allocation = core.Allocation(
        id=core.allocation_id(payment.id, invoice().id, 0),
        parent_id=payment.id,
        source_id=payment.id,
        target_id=invoice().id,
        amount=Decimal(50),
        currency="USD",
        target_amount=Decimal(50),
        target_currency="EUR",
    )
    foreign = allocation.model_copy(update={"id": "x", "target_id": "quickbooks:1:invoice:9"})
    book = core.Snapshot(
        customers=(customer,), invoices=(invoice(),), payments=(payment,), allocations=(allocation, foreign)
    )
    assert codes(book) == {
        "balance_mismatch",
        "unapplied_mismatch",
        "currency_mismatch",
        "unknown_reference",
        "cross_tenant_reference",
    }


# ---- commands


def promise(**changes: Any) -> core.RecordPromise:
    """A promise of 50 USD, changed as asked."""
    fields: dict[str, Any] = {
        "customer_id": "quickbooks:9341:customer:7",
        "invoice_ids": ("quickbooks:9341:invoice:1",),
        "promised_amount": "50.00",
        "currency": "USD",
        "promised_date": date(2026, 12, 1),
        "given_on": date(2026, 11, 23),
    }
    return core.RecordPromise(**{**fields, **changes})


def test_the_same_intent_has_the_same_key_and_other_content_another() -> None:
    assert promise().key == promise().key
    assert promise(note="x").key != promise().key
    assert promise(given_on=date(2026, 11, 24)).key != promise().key


def test_a_given_key_is_kept_and_the_content_hash_tells_a_conflict() -> None:
    first, second = promise(key="call-17"), promise(key="call-17", promised_amount="60.00")
    assert first.key == second.key == "call-17"
    assert first.content_hash != second.content_hash
    assert first.content_hash == promise().content_hash


def test_a_command_gives_birth_to_the_same_record_in_every_store() -> None:
    assert promise(key="k").local_record_id == promise(key="k", note="other").local_record_id
    assert promise(key="k").local_record_id != promise(key="l").local_record_id


def test_every_command_survives_json() -> None:
    commands: list[core.Command] = [
        core.RecordTouch(
            customer_id="a:b:customer:1", channel=core.Channel.EMAIL, at=datetime(2026, 1, 1, tzinfo=UTC)
        ),
        core.RecordOutcome(
            touch_id="t",
            customer_id="a:b:customer:1",
            outcome=core.TouchOutcome.ANSWERED,
            at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        promise(),
        core.WithdrawPromise(
            promise_id="local:x", customer_id="a:b:customer:1", withdrawn_on=date(2026, 1, 1)
        ),
        core.OpenDispute(
            customer_id="a:b:customer:1",
            invoice_id="a:b:invoice:1",
            reason="price",
            opened_on=date(2026, 1, 1),
        ),
        core.ResolveDispute(
            dispute_id="local:y",
            customer_id="a:b:customer:1",
            resolved_on=date(2026, 1, 1),
            resolution="credited",
        ),
        core.AddNote(subject_id="a:b:invoice:1", text="called", given_on=date(2026, 1, 1)),
        core.SetCollectionsStatus(subject_id="a:b:customer:1", status="escalated", set_on=date(2026, 1, 1)),
        core.SetOrderHold(customer_id="a:b:customer:1", reason="90 days", set_on=date(2026, 1, 1)),
        core.ReleaseOrderHold(customer_id="a:b:customer:1", released_on=date(2026, 1, 1)),
    ]
    adapter = command_adapter()
    for command in commands:
        assert adapter.validate_json(adapter.dump_json(command)) == command
        assert any(core.connection_id(one) for one in command.subject_ids)
    assert len({command.type for command in commands}) == 10


@pytest.mark.parametrize(
    "bad",
    [
        {"promised_amount": "0"},
        {"promised_amount": "-5"},
        {"currency": None},
        {"invoice_ids": ()},
        {"promised_amount": 5.0},
    ],
)
def test_a_promise_that_makes_no_sense_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        promise(**bad)


# ---- purity


def test_ar_core_imports_only_the_standard_library_and_pydantic() -> None:
    script = (
        "import sys; before = set(sys.modules); import pydantic; import ar_core;"
        "print(sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    allowed = set(sys.stdlib_module_names) | {
        "annotated_types",
        "ar_core",
        "pydantic",
        "pydantic_core",
        "typing_extensions",
        "typing_inspection",
    }
    loaded = {name for name in ast.literal_eval(output) if not name.startswith("_sysconfigdata")}
    assert loaded - allowed == set()
