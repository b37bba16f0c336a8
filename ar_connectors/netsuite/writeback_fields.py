"""Which custom fields of an account hold our facts? A map that the user gives, checked against the account's own metadata.

NetSuite has a place of its own for a promised date and for an order hold; an amount, a note, a dispute or a status stand in custom
fields only, which every account names as it likes. So each fact has a word here, and the user says which field it means:

    {"promise_amount": "custbody_ptp_amount",
     "promise_status": {"field": "custbody_ptp_status", "values": {"open": "1", "withdrawn": "4", "superseded": "4"}}}

A list field needs `values`, our word -> internal id of the list's entry, `*` for any other word. What is not mapped stays in the
tagged activity alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from ar_connectors.errors import ConfigurationError, PermissionDenied, RejectedError
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.client import NetSuiteClient

__all__ = ["FIELDS", "FieldMap", "FieldSpec", "MappedField", "field_map", "field_problems", "same_value"]

_SCRIPT_ID: Final = re.compile(r"cust(body|entity|record)?[a-z0-9_]{1,60}")


class _Holds(StrEnum):
    """What a field must be able to hold."""

    AMOUNT = "an amount (currency or decimal number)"
    DATE = "a date"
    FLAG = "a check box"
    WORD = "a text or a list"
    TEXT = "a text"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One fact that a custom field can hold."""

    record: str
    """REST record type: invoice or customer."""
    holds: _Holds
    meaning: str


FIELDS: Final[Mapping[str, FieldSpec]] = {
    "promise_amount": FieldSpec("invoice", _Holds.AMOUNT, "the promised amount"),
    "promise_note": FieldSpec("invoice", _Holds.TEXT, "the note given with a promise"),
    "promise_status": FieldSpec("invoice", _Holds.WORD, "open, withdrawn or superseded"),
    "disputed": FieldSpec("invoice", _Holds.FLAG, "checked while the invoice is disputed"),
    "dispute_reason": FieldSpec("invoice", _Holds.WORD, "why it is disputed"),
    "dispute_amount": FieldSpec("invoice", _Holds.AMOUNT, "the disputed amount"),
    "dispute_opened": FieldSpec("invoice", _Holds.DATE, "the day on which the dispute was opened"),
    "dispute_note": FieldSpec("invoice", _Holds.TEXT, "the note given with a dispute"),
    "invoice_status": FieldSpec("invoice", _Holds.WORD, "the collections status of an invoice"),
    "collections_status": FieldSpec("customer", _Holds.WORD, "the collections status of a customer"),
    "hold_reason": FieldSpec("customer", _Holds.TEXT, "why orders are on hold"),
}
"""Word for a fact -> what may hold it; the keys of the setting `fields`."""


@dataclass(frozen=True, slots=True)
class MappedField:
    """A field that the user named."""

    name: str
    """Its script id."""
    values: Mapping[str, str] = field(default_factory=dict)
    """For a list: our word, in lower case, -> internal id of the entry; `*`: any other word."""

    def entry(self, word: str) -> str | None:
        """The list's entry for a word; None where there is none."""
        return self.values.get(word.strip().casefold(), self.values.get("*"))


@dataclass(frozen=True, slots=True)
class FieldMap:
    """All fields that the user named, by the words of `FIELDS`."""

    fields: Mapping[str, MappedField] = field(default_factory=dict)

    def has(self, *words: str) -> bool:
        """True when any of these facts has a field."""
        return any(word in self.fields for word in words)

    def names(self, *words: str) -> tuple[str, ...]:
        """The script ids of those of these facts that have a field."""
        return tuple(self.fields[word].name for word in words if word in self.fields)

    def changes(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """What to send for facts (word -> value, None empties): script id -> value of the wire. Facts without a field are left out,
        and so is a word for which a list has no entry."""
        found: dict[str, Any] = {}
        for word, value in facts.items():
            mapped = self.fields.get(word)
            if mapped is None:
                continue
            if value is None or not mapped.values:
                flag = FIELDS[word].holds is _Holds.FLAG
                found[mapped.name] = bool(value) if flag else _plain(value)
            elif (entry := mapped.entry(str(value))) is not None:
                found[mapped.name] = {"id": entry}
        return found

    def records(self) -> tuple[str, ...]:
        """The record types that have a mapped field."""
        return tuple(sorted({FIELDS[word].record for word in self.fields}))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def field_map(setting: Any) -> FieldMap:
    """The map that the setting `fields` of a connection means. Raises ConfigurationError for what cannot be one."""
    if setting is None:
        return FieldMap()
    if not isinstance(setting, Mapping):
        raise _wrong("fields is a table: word -> script id, or {field, values}")
    found: dict[str, MappedField] = {}
    for word, given in setting.items():
        if word not in FIELDS:
            raise _wrong(f"{word!r} is no fact that a field can hold")
        found[word] = _mapped(word, given)
    taken: dict[str, str] = {}
    for word, mapped in found.items():
        if other := taken.get(mapped.name):
            raise _wrong(f"{mapped.name} is given for {other} and for {word}: each fact needs its own field")
        taken[mapped.name] = word
    return FieldMap(found)


def _mapped(word: str, given: Any) -> MappedField:
    name = given.get("field") if isinstance(given, Mapping) else given
    values = given.get("values") or {} if isinstance(given, Mapping) else {}
    if not isinstance(name, str) or not _SCRIPT_ID.fullmatch(name):
        raise _wrong(f"{word}: {name!r} is no script id of a custom field (custbody_..., custentity_...)")
    if not isinstance(values, Mapping) or not all(str(one).isdecimal() for one in values.values()):
        raise _wrong(f"{word}: values are our words -> internal ids of the list's entries")
    if values and FIELDS[word].holds is not _Holds.WORD:
        raise _wrong(f"{word} is {FIELDS[word].holds}: it has no list of values")
    return MappedField(name, {str(one).casefold(): str(entry) for one, entry in values.items()})


def _wrong(message: str) -> ConfigurationError:
    return ConfigurationError(
        f"the setting fields means nothing: {message}",
        platform=PLATFORM,
        advice="facts that a field can hold: " + ", ".join(FIELDS),
    )


def field_problems(client: NetSuiteClient, fields: FieldMap) -> list[str]:
    """What is wrong with the mapped fields, by the account's own metadata: one call for each record type that has any. Empty where
    the role may not read metadata: then a bad name is refused when it is written."""
    found: list[str] = []
    for record in fields.records():
        try:
            schema = client.metadata(record, f"read the fields of {record}")
        except (PermissionDenied, RejectedError):
            continue
        found += _problems_of(fields, record, schema)
    return found


def _problems_of(mapped: FieldMap, record: str, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with the fields mapped to a record type, given its metadata; a sentence for each."""
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    return [
        problem
        for word, one in mapped.fields.items()
        if FIELDS[word].record == record
        for problem in _problems(word, one, record, known)
    ]


def _problems(word: str, one: MappedField, record: str, known: Mapping[str, Any]) -> Iterator[str]:
    told = known.get(one.name)
    if not isinstance(told, Mapping):
        yield (
            f"{word}: the {record} has no field {one.name} that this role sees: check its script id, that it applies to this record, "
            "stores its value, and is shown to the role"
        )
        return
    is_list = told.get("type") == "object" or "$ref" in told
    holds = FIELDS[word].holds
    if is_list and holds is _Holds.WORD and not one.values:
        yield f"{word}: {one.name} is a list: say which entry each word is, {{'field': ..., 'values': {{word: internal id}}}}"
    elif not is_list and one.values:
        yield f"{word}: {one.name} is no list, it takes no values"
    elif not _FITS[holds](told, is_list):
        yield f"{word} needs {holds}, and {one.name} is {told.get('format') or told.get('type') or 'a reference'}"
    entries = ((told.get("properties") or {}).get("id") or {}).get("enum") if is_list else None
    if isinstance(entries, list):
        for ours, entry in one.values.items():
            if entry not in {str(each) for each in entries}:
                yield f"{word}: the list {one.name} has no entry {entry} (for {ours!r})"


_FITS: Final[Mapping[_Holds, Callable[[Mapping[str, Any], bool], bool]]] = {
    _Holds.AMOUNT: lambda told, _: told.get("type") in {"number", "integer"},
    _Holds.DATE: lambda told, _: told.get("type") == "string" and told.get("format") == "date",
    _Holds.FLAG: lambda told, _: told.get("type") == "boolean",
    _Holds.WORD: lambda told, is_list: is_list or _is_text(told),
    _Holds.TEXT: lambda told, _: _is_text(told),
}


def _is_text(told: Mapping[str, Any]) -> bool:
    return told.get("type") == "string" and told.get("format") not in {"date", "date-time"}


def same_value(shown: Any, sent: Any) -> bool:
    """Whether a field of a record shows what was sent; an empty field is left out of a record, an unchecked box may be."""
    if isinstance(sent, Mapping):
        return isinstance(shown, Mapping) and str(shown.get("id")) == str(sent.get("id"))
    if sent is None or sent is False:
        return shown is None or shown is False or shown == ""
    if isinstance(sent, Decimal):
        return isinstance(shown, Decimal | int) and Decimal(shown) == sent
    return bool(shown == sent)
