"""What does QuickBooks answer to whom did not ask for JSON? The same in XML, as its schema and recorded bodies have it.

A record is an element, a list the same element again and again, a reference text with its name as an attribute. What the schema has
as attributes (domain, status, paging, codes of faults) is no element here either.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final
from xml.etree import ElementTree as ET

import msgspec

from ar_connectors.testkit.exchange import Call, Reply

__all__ = ["CONTENT_TYPE", "in_xml", "wants_json"]

CONTENT_TYPE: Final = "application/xml;charset=UTF-8"
_NAMESPACE: Final = "http://schema.intuit.com/finance/v3"
_ATTRIBUTES: Final = frozenset(
    {"domain", "sparse", "status", "startPosition", "maxResults", "totalCount", "bId", "code", "element"}
)
"""What stands in the tag, wherever it is."""
_ATTRIBUTES_OF: Final = {
    "Fault": frozenset({"type"}),
    "Row": frozenset({"type", "group"}),
    "ColData": frozenset({"value", "id", "href"}),
}
"""What else stands in certain tags."""
_REFERENCE: Final = frozenset({"value", "name", "type"})
_UNSPEAKABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no way to write."""
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode


def wants_json(call: Call) -> bool:
    """Whether a caller asked for JSON; whoever did not gets XML."""
    return "json" in call.headers.get("accept", "").lower()


def in_xml(reply: Reply) -> Reply:
    """The same reply in XML; one that is no JSON object is left as it is."""
    if reply.content_type != "application/json":
        return reply
    document = _decode(reply.whole())
    if not isinstance(document, dict):
        return reply
    if "fault" in document:  # the gateway spells it small in JSON
        document = {"Fault": _with_capitals(document["fault"])}
    root = ET.Element("Report" if "Columns" in document else "IntuitResponse", {"xmlns": _NAMESPACE})
    if "time" in document:
        root.set("time", _text(document["time"]))
    for name, value in document.items():
        if name != "time":
            _append(root, name, value)
    body = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + ET.tostring(root, encoding="utf-8")
    return Reply(
        reply.status,
        body,
        reply.operation,
        CONTENT_TYPE,
        dict(reply.headers),
        reply.effect,
        reply.wait,
        again=reply.again,
        metered=reply.metered,
    )


def _append(parent: ET.Element, name: str, value: Any) -> None:
    if isinstance(value, list):
        if name == "CDCResponse":  # one element around all groups
            value = {"QueryResponse": [group for part in value for group in part.get("QueryResponse", [])]}
        else:
            for one in value:
                _append(parent, name, one)
            return
    if value is None:
        return
    element = ET.SubElement(parent, name)
    if not isinstance(value, dict):
        element.text = _text(value)
    elif "value" in value and value.keys() <= _REFERENCE and name not in _ATTRIBUTES_OF:
        element.text = _text(value["value"])
        for other in value.keys() - {"value"}:
            element.set(other, _text(value[other]))
    else:
        _fill(element, name, value)


def _fill(element: ET.Element, name: str, value: dict[str, Any]) -> None:
    attributes = _ATTRIBUTES | _ATTRIBUTES_OF.get(name, frozenset())
    for key, inner in value.items():
        if key in attributes:
            element.set(key, _text(inner))
        elif key == "any":  # whatever the vendor adds to a line
            for pair in inner:
                _append(element, str(pair["name"]).rpartition("}")[2], pair["value"])
        else:
            _append(element, key, inner)


def _with_capitals(fault: dict[str, Any]) -> dict[str, Any]:
    errors = [
        {
            "Message": one["message"],
            "Detail": one["detail"],
            "code": one["code"],
            "element": one["element"] or "",
        }
        for one in fault["error"]
    ]
    return {"Error": errors, "type": fault["type"]}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return _UNSPEAKABLE.sub("\ufffd", text)
