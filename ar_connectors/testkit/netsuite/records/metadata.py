"""The metadata catalog: which record types there are, and a JSON schema of each with the account's custom fields."""

from __future__ import annotations

from typing import Any, Final

from ar_connectors.testkit.netsuite.company import Account
from ar_connectors.testkit.netsuite.records.types import TYPES, Field, RecordType, fields_of

__all__ = ["SCHEMA_TYPE", "catalog", "schema_of"]

SCHEMA_TYPE: Final = "application/schema+json"


def catalog(account: Account, root: str) -> dict[str, Any]:
    """The list of record types."""
    items = [
        {
            "name": one.name,
            "links": [
                {
                    "rel": "canonical",
                    "href": f"{root}/metadata-catalog/{one.name}",
                    "mediaType": "application/json",
                },
                {
                    "rel": "describedby",
                    "href": f"{root}/metadata-catalog/{one.name}",
                    "mediaType": SCHEMA_TYPE,
                },
            ],
        }
        for one in TYPES
        if one.name.lower() not in account.hidden
    ]
    return {"links": [{"rel": "self", "href": f"{root}/metadata-catalog"}], "items": items}


def schema_of(record_type: RecordType, account: Account) -> dict[str, Any]:
    """The JSON schema of a record type."""
    fields = fields_of(record_type, account)
    return {
        "type": "object",
        "properties": {name: _property(one) for name, one in fields.items()},
        "x-ns-filterable": [name for name, one in fields.items() if one.kind != "sublist"],
    }


def _property(one: Field) -> dict[str, Any]:
    match one.kind:
        case "reference":
            return {"$ref": f"/services/rest/record/v1/metadata-catalog/{one.to}"}
        case "sublist":
            items = {"type": "array", "items": {"type": "object"}}
            return {"title": one.title, "type": "object", "properties": {"items": items}}
        case "enum":
            ids = {
                "title": "Internal identifier",
                "type": "string",
                "enum": [identity for identity, _ in one.values],
            }
            return {
                "title": one.title,
                "type": "object",
                "properties": {"id": ids, "refName": {"type": "string"}},
            }
        case "number":
            return {"title": one.title, "type": "number", "format": "double"}
        case "date" | "date-time":
            return {"title": one.title, "type": "string", "format": one.kind}
    return {"title": one.title, "type": one.kind}
