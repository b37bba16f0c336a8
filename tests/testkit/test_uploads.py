"""Files hung on documents: several in one call, each taken or refused by itself."""

from __future__ import annotations

import json
from typing import Any

from ar_connectors.testkit.server import Handle
from tests.testkit.support import Client

BOUNDARY = "a-boundary"


def multipart(*parts: tuple[str, str, bytes]) -> bytes:
    """Name with its further fields, content type, content."""
    whole = b""
    for name, kind, content in parts:
        head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name={name}\r\nContent-Type: {kind}\r\n\r\n"
        whole += head.encode() + content + b"\r\n"
    return whole + f"--{BOUNDARY}--\r\n".encode()


def upload(client: Client, body: bytes, boundary: str) -> Any:
    kind = f"multipart/form-data; boundary={boundary}" if boundary else "application/json"
    return client.session.post(
        f"{client.root}/upload", data=body, headers={"Content-Type": kind}, timeout=10
    ).json()


def metadata(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_two_files_and_one_that_is_refused(client: Client, emulator: Handle) -> None:
    invoice = next(iter(emulator.ledger.invoices))
    on = [{"EntityRef": {"type": "Invoice", "value": invoice}}]
    nowhere = [{"EntityRef": {"type": "Invoice", "value": "987654"}}]
    body = multipart(
        ('"file_metadata_01"', "application/json", metadata(FileName="one.txt", AttachableRef=on)),
        ('"file_content_01"; filename="1"', "text/plain", b"first\nfile"),
        ('"file_metadata_02"', "application/json", metadata(AttachableRef=nowhere)),
        ('"file_content_02"; filename="two.txt"', "text/plain", b"second"),
        ('"file_content_03"; filename="three.bin"', "application/octet-stream", b"\x00\xff\x80"),
    )
    answers = upload(client, body, BOUNDARY)["AttachableResponse"]
    one, three = answers[0]["Attachable"], answers[2]["Attachable"]
    assert (one["FileName"], one["Size"], one["ContentType"]) == ("one.txt", 10, "text/plain")
    assert one["AttachableRef"][0]["EntityRef"] == {"type": "Invoice", "value": invoice}
    assert answers[1]["Fault"]["Error"][0]["code"] == "6000"
    assert (three["FileName"], three["Size"]) == ("three.bin", 3)
    assert {one["Id"], three["Id"]} <= set(emulator.ledger.notes)
    assert client.query("SELECT * FROM Attachable WHERE FileName = 'one.txt'")["Attachable"] == [one]


def test_what_is_no_upload_is_refused(client: Client) -> None:
    for body, boundary, code in (
        (b"{}", "", "2010"),
        (multipart(('"other"', "text/plain", b"x")), BOUNDARY, "2020"),
    ):
        assert upload(client, body, boundary)["Fault"]["Error"][0]["code"] == code
