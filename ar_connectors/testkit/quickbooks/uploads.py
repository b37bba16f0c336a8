"""Files: sent as multipart with what they are of, told of as Attachables, and fetched again by a link that needs no token."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from typing import Any, Final

import msgspec

from ar_connectors.testkit.exchange import Call
from ar_connectors.testkit.ledger import Ledger, LedgerError, Note
from ar_connectors.testkit.quickbooks.attachables import write_attachable
from ar_connectors.testkit.quickbooks.errors import ServiceError, from_ledger
from ar_connectors.testkit.quickbooks.shapes import shaped

__all__ = ["Files"]

_LARGEST: Final = 100 * 1024 * 1024
_METADATA, _CONTENT = "file_metadata_", "file_content_"


class Files:
    """What was uploaded to one company, by the id of its Attachable. Its user holds the ledger's lock."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._content: dict[str, tuple[bytes, str]] = {}

    def upload(self, call: Call) -> list[Note | ServiceError]:
        """Make an Attachable of each file of a multipart body; `file_metadata_NN` says what `file_content_NN` is. Each is taken
        or refused by itself. Raises ServiceError for a body that is no such thing."""
        kind = call.headers.get("content-type", "")
        whole = message_from_bytes(
            b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + call.body.lstrip()
        )
        parts = whole.get_payload()
        if not kind.startswith("multipart/form-data") or not isinstance(parts, list):
            raise ServiceError("2010", "Property Name:Can not parse the body: it is no multipart/form-data")
        named = {_name(part): part for part in parts if isinstance(part, Message)}
        numbers = sorted(name.removeprefix(_CONTENT) for name in named if name.startswith(_CONTENT))
        if not numbers:
            raise ServiceError("2020", "Required param missing: file_content_01", element="file_content_01")
        return [self._take(named, number) for number in numbers]

    def _take(self, named: dict[str, Message], number: str) -> Note | ServiceError:
        content = named[_CONTENT + number]
        payload = content.get_payload(decode=True)
        raw = payload if isinstance(payload, bytes) else b""
        try:
            if len(raw) > _LARGEST:
                raise ServiceError("2050", "The file is larger than 100 MB", element="file_content")
            metadata = named.get(_METADATA + number)
            body = shaped(_document(metadata)) if metadata is not None else {}
            body.setdefault("FileName", content.get_filename() or f"file-{number}")
            note = write_attachable(self._ledger, "create", body)
        except LedgerError as refused:
            return from_ledger(refused)
        except ServiceError as refused:
            return refused
        assert isinstance(note, Note)  # noqa: S101  create gives the record
        content_type = str(body.get("ContentType") or content.get_content_type())
        note.extra |= {"Size": len(raw), "ContentType": content_type}
        self._content[note.id] = raw, content_type
        return note

    def content(self, identity: str) -> tuple[bytes, str] | None:
        """The bytes of a file and their type; None when there is none, or its Attachable was deleted."""
        return self._content.get(identity) if identity in self._ledger.notes else None


def _name(part: Message) -> str:
    found = part.get_param("name", "", header="content-disposition")
    return found if isinstance(found, str) else ""


def _document(part: Message) -> Any:
    payload = part.get_payload(decode=True)
    try:
        return msgspec.json.decode(payload if isinstance(payload, bytes) else b"")
    except msgspec.DecodeError as error:
        raise ServiceError(
            "2010", f"Property Name:Can not parse the file's metadata: {error}", element="file_metadata"
        ) from error
