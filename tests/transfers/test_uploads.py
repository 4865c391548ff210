"""Uploads that break off go on: over plain connections and TLS, as tus clients send them."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.programs import needs
from tests.transfers.server import Program

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def begun(server: Program, length: int) -> str:
    """Begin an upload and return its path."""
    name = base64.b64encode(b"sent.bin").decode()
    head = {**TUS, "Upload-Length": str(length), "Upload-Metadata": f"filename {name}"}
    answer = server.request("POST", "/-/uploads", headers=head)
    assert answer.status == 201
    return answer.headers["Location"]


def offset(server: Program, path: str) -> int:
    """Return how many bytes have arrived."""
    return int(server.request("HEAD", path, headers=TUS).headers["Upload-Offset"])


def break_off(server: Program, path: str, start: int, content: bytes, sent: int) -> None:
    """Announce all of `content` and leave after some of it."""
    connection = server.connect()
    connection.putrequest("PATCH", path)
    for name, value in {**PIECE, "Upload-Offset": str(start), "Content-Length": str(len(content))}.items():
        connection.putheader(name, value)
    connection.endheaders(content[:sent])
    connection.close()


def go_on(server: Program, path: str, content: bytes) -> None:
    """Send what is missing, however often another request was still going on."""
    while (at := offset(server, path)) < len(content):
        server.request("PATCH", path, content[at:], {**PIECE, "Upload-Offset": str(at)})


def weighed(server: Program, path: str) -> str:
    """Return what a function says of the upload."""
    answer = server.run("weigh", file={"upload": path.rpartition("/")[2]})
    return str(answer["outputs"][0]["text"])


@pytest.mark.parametrize("place", ["server", pytest.param("secure_server", marks=needs("openssl"))])
def test_an_upload_that_broke_off_goes_on(place: str, request: pytest.FixtureRequest, content: bytes) -> None:
    server: Program = request.getfixturevalue(place)
    path = begun(server, len(content))
    for _ in range(3):
        break_off(server, path, (at := offset(server, path)), content[at:], 3 << 20)
    go_on(server, path, content)
    assert weighed(server, path) == hashlib.sha256(content).hexdigest()
