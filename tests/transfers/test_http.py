"""What is said of a file is HTTP to the letter: on kept connections, to requests sent in a row, under TLS."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import responses
from typing import Any

import pytest

from tests.programs import needs
from tests.transfers.conftest import returned
from tests.transfers.judge import Judge, Judged
from tests.transfers.server import HOST, PATIENCE_SECONDS, Program

SMALL = bytes(range(256)) * 4
PLACES = pytest.mark.parametrize("place", ["server", pytest.param("secure_server", marks=needs("openssl"))])


@dataclass(frozen=True)
class Offered:
    """A file and where it is."""

    server: Program
    path: str
    content: bytes

    @property
    def tag(self) -> str:
        return f'"{self.path.split("/")[3]}"'


@pytest.fixture(params=["small", "large"])
def offered(request: pytest.FixtureRequest, place: str, content: bytes) -> Offered:
    server: Program = request.getfixturevalue(place)
    # A small one is read with its head, a large one is sent by the system.
    held = SMALL if request.param == "small" else content[: 5 << 20]
    return Offered(server, returned(server, held), held)


def asked(offered: Offered) -> list[tuple[str, dict[str, str], int, slice]]:
    """Return requests, the status of their answers, and the part of the file in them."""
    size, tag = len(offered.content), offered.tag
    whole, nothing = slice(None), slice(0)
    return [
        ("GET", {}, 200, whole),
        ("HEAD", {}, 200, nothing),
        ("GET", {"Range": "bytes=10-20"}, 206, slice(10, 21)),
        ("GET", {"Range": f"bytes={size - 1}-"}, 206, slice(size - 1, size)),
        ("GET", {"Range": "bytes=1-"}, 206, slice(1, size)),
        ("GET", {"Range": "bytes=-300"}, 206, slice(-300, None)),
        ("GET", {"Range": "bytes=0-1,5-6"}, 200, whole),
        ("GET", {"Range": f"bytes={size}-"}, 416, nothing),
        ("HEAD", {"Range": "bytes=10-20"}, 200, nothing),
        ("GET", {"Range": "bytes=3-4", "If_Range": tag}, 206, slice(3, 5)),
        ("GET", {"Range": "bytes=3-4", "If_Range": '"another"'}, 200, whole),
        ("GET", {"If_None_Match": tag}, 304, nothing),
        ("HEAD", {"If_None_Match": tag}, 304, nothing),
        ("GET", {"If_None_Match": tag, "Range": "bytes=3-4"}, 304, nothing),
        ("GET", {"If_None_Match": '"another"'}, 200, whole),
    ]


def check(answer: Judged, status: int, offered: Offered, part: slice, method: str) -> None:
    headers, size = answer.headers, len(offered.content)
    assert answer.status == status
    if status == 416:
        assert json.loads(answer.body)["reason"] == "invalid"
    else:
        assert answer.body == (offered.content[part] if status < 300 else b"")
    assert headers["Etag"] == offered.tag
    assert headers["Date"]
    start, end, _ = part.indices(size)
    if status == 200:
        assert headers["Content-Length"] == str(size)
    if status == 206:
        assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
    if status == 304:
        # RFC 9110, 15.4.5: what the 200 would have said, and nothing of a body.
        assert {"Cache-Control", "Etag"} <= headers.keys()
        assert not {"Content-Length", "Content-Type", "Content-Range"} & headers.keys()
    if status == 416:
        assert headers["Content-Range"] == f"bytes */{size}"
    assert method == "HEAD" or "Transfer-Encoding" not in headers


@PLACES
@pytest.mark.parametrize("in_a_row", [False, True], ids=["one by one", "in a row"])
def test_every_answer_on_a_kept_connection_is_right(offered: Offered, in_a_row: bool) -> None:
    requests = asked(offered)
    with Judge(offered.server) as judge:
        if in_a_row:
            for method, headers, _, _ in requests:
                judge.ask(method, offered.path, **headers)
        for method, headers, status, part in requests:
            if not in_a_row:
                judge.ask(method, offered.path, **headers)
            check(judge.answer(), status, offered, part, method)


@PLACES
def test_what_is_not_there_keeps_the_connection(offered: Offered) -> None:
    other = offered.path + ".other"
    with Judge(offered.server) as judge:
        for method in ("GET", "HEAD", "GET"):
            judge.ask(method, other)
            judge.ask(method, "/-/files/none/none")
            judge.ask(method, offered.path)
        for _ in range(3):
            assert [judge.answer().status for _ in range(3)] == [410, 404, 200]


@PLACES
def test_a_connection_that_is_to_close_does_after_the_last_byte(offered: Offered) -> None:
    with Judge(offered.server) as judge:
        judge.ask("GET", offered.path)
        judge.ask("GET", offered.path, Connection="close")
        assert judge.answer().body == offered.content
        last = judge.answer()
        assert (last.body, last.headers["Connection"]) == (offered.content, "close")
        judge.end()


@pytest.mark.parametrize("place", ["server"])
def test_a_client_of_http_1_0_gets_it_and_the_close(offered: Offered) -> None:
    with socket.create_connection((HOST, offered.server.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(f"GET {offered.path} HTTP/1.0\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    assert b" 200 OK" in head.splitlines()[0]
    assert body == offered.content


@PLACES
def test_all_files_as_a_zip_have_the_length_that_is_said(place: str, request: pytest.FixtureRequest) -> None:
    server: Program = request.getfixturevalue(place)
    run: dict[str, Any] = server.run("write", pieces=5, seed=1)
    with Judge(server) as judge:
        judge.ask("GET", f"/-/runs/{run['run']}/files.zip")
        judge.ask("GET", f"/-/runs/{run['run']}/files.zip")
        first, second = judge.answer(), judge.answer()
    assert first.body == second.body
    assert (first.headers["Content-Length"], responses[first.status]) == (str(len(first.body)), "OK")
