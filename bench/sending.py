"""How a file is sent to each product, as its own page does it, and run by a function there."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
from email.message import Message

from bench.client import AnswerError, ask, connected
from bench.products import JSON, Request

MIB = 1 << 20
CONTENT = b"x" * MIB
# What nbfunc's page sends at most in one request.
PART = 64 * MIB


def by_tus(port: int, size: int) -> None:
    """Send as nbfunc's page does: tus, in parts."""
    connection = connected(port)
    tus = {"Tus-Resumable": "1.0.0"}
    name = base64.b64encode(b"big.bin").decode()
    announced = {**tus, "Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
    connection.request("POST", "/-/uploads", None, announced)
    where = str(_answered(connection, 201)[0]["Location"])
    head = {**tus, "Content-Type": "application/offset+octet-stream"}
    for start in range(0, size, PART):
        part = Request("PATCH", where, headers={**head, "Upload-Offset": str(start)})
        _send(connection, part, min(PART, size - start))
        _answered(connection, 204)
    body = json.dumps({"file": {"upload": where.rpartition("/")[2]}}).encode()
    _check(ask(connection, Request("POST", "/size", body, {"Content-Type": JSON})), size)


def by_reference(port: int, size: int) -> None:
    """Send as func-to-web 2 has it: the bytes under a name of the client's, then a run with that name."""
    connection = connected(port)
    reference = f"{secrets.token_hex(16)}.bin"
    head = {"Content-Type": "application/octet-stream", "X-File-Reference": reference}
    _send(connection, Request("POST", "/upload", headers=head), size)
    _answered(connection, 200)
    body = json.dumps({"file": reference}).encode()
    _check(ask(connection, Request("POST", "/size/invoke", body, {"Content-Type": JSON})), size)


def by_form(port: int, size: int) -> None:
    """Send as func-to-web 0.9 has it: in the form."""
    connection = connected(port)
    boundary = secrets.token_hex(16)
    before = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n'
    before += "Content-Type: application/octet-stream\r\n\r\n"
    form = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    around = before.encode(), f"\r\n--{boundary}--\r\n".encode()
    _send(connection, Request("POST", "/size/submit", headers=form), size, around)
    _check(_answered(connection, 200)[1], size)


def _send(
    connection: http.client.HTTPConnection,
    head: Request,
    size: int,
    around: tuple[bytes, bytes] = (b"", b""),
) -> None:
    length = len(around[0]) + size + len(around[1])
    connection.putrequest(head.method, head.path)
    for name, value in {**(head.headers or {}), "Content-Length": str(length)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(around[0])
    for start in range(0, size, MIB):
        connection.send(CONTENT[: min(MIB, size - start)])
    connection.send(around[1])


def _answered(connection: http.client.HTTPConnection, status: int) -> tuple[Message, bytes]:
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != status:
        raise AnswerError(f"{answer.status} {body[:300]!r}")
    return answer.headers, body


def _check(body: bytes, size: int) -> None:
    if str(size).encode() not in body:
        raise AnswerError(f"it did not come whole: {body[:300]!r}")
