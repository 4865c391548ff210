"""Uploads by tus 1.0: core, creation, termination, expiration."""

from __future__ import annotations

import base64
import hashlib
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from nbfunc.types import File
from tests.web.conftest import Serve
from tests.web.served import Answer, Served

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def measure(file: File) -> list[Any]:
    return [[Path(file).name, Path(file).stat().st_size]]


def create(served: Served, length: int, name: str = "data.bin", **headers: str) -> Answer:
    encoded = base64.b64encode(name.encode()).decode()
    sent = {**TUS, "Upload-Length": str(length), "Upload-Metadata": f"filename {encoded},other", **headers}
    return served.request("POST", "/-/uploads", headers=sent)


def patch(served: Served, url: str, offset: int, content: bytes, **headers: str) -> Answer:
    return served.request("PATCH", url, content, {**PIECE, "Upload-Offset": str(offset), **headers})


def test_an_upload_in_pieces_is_run_by_its_token(serve: Serve, tmp_path: Path) -> None:
    served = serve(measure)
    created = create(served, 10, "Zahlen für ä.csv")
    assert created.status == 201
    assert created.headers["Tus-Resumable"] == "1.0.0"
    assert parsedate_to_datetime(created.headers["Upload-Expires"]).tzinfo is not None
    url = created.headers["Location"]
    assert url.startswith("/-/uploads/")
    assert (patch(served, url, 0, b"12345").status, patch(served, url, 5, b"67").status) == (204, 204)
    head = served.request("HEAD", url, headers=TUS)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("7", "10")
    assert head.headers["Cache-Control"] == "no-store"
    token = url.rpartition("/")[2]
    unfinished = served.post("/measure", {"file": {"upload": token}})
    assert (unfinished.status, unfinished.json["errors"][0]["loc"]) == (422, ["file"])
    last = patch(served, url, 7, b"890")
    assert (last.status, last.headers["Upload-Offset"]) == (204, "10")
    answer = served.post("/measure", {"file": {"upload": token}})
    assert answer.json["outputs"][0]["value"] == [["Zahlen für ä.csv", 10]]
    assert served.post("/measure", {"file": {"upload": token}}).status == 422
    served.until(lambda: not list((tmp_path / "uploads").iterdir()))
    assert served.request("HEAD", url, headers=TUS).status == 410


def test_an_empty_file_is_whole_at_once(serve: Serve) -> None:
    served = serve(measure)
    token = create(served, 0).headers["Location"].rpartition("/")[2]
    assert served.post("/measure", {"file": {"upload": token}}).json["outputs"][0]["value"] == [
        ["data.bin", 0]
    ]


def test_a_wrong_offset_is_a_conflict(serve: Serve) -> None:
    served = serve(measure)
    url = create(served, 10).headers["Location"]
    patch(served, url, 0, b"123")
    answer = patch(served, url, 0, b"123")
    assert (answer.status, answer.headers["Upload-Offset"]) == (409, "3")


@pytest.mark.parametrize("version", ["0.2.2", "", "1.0.0 "])
def test_another_version_is_refused(serve: Serve, version: str) -> None:
    served = serve(measure)
    for method, path in (("POST", "/-/uploads"), ("HEAD", "/-/uploads/x"), ("PATCH", "/-/uploads/x")):
        answer = served.request(method, path, headers={"Tus-Resumable": version} if version else {})
        if version.strip() == "1.0.0":
            assert answer.status != 412
        else:
            assert (answer.status, answer.headers["Tus-Version"]) == (412, "1.0.0")


def test_options_say_what_there_is(serve: Serve) -> None:
    answer = serve(measure, max_upload_size=1000).request("OPTIONS", "/-/uploads")
    assert answer.status == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,termination,expiration,checksum"
    assert "sha1" in answer.headers["Tus-Checksum-Algorithm"].split(",")
    assert answer.headers["Tus-Max-Size"] == "1000"


def test_what_is_too_large_is_refused(serve: Serve, tmp_path: Path) -> None:
    served = serve(measure, max_upload_size=1000)
    answer = create(served, 1001)
    assert (answer.status, answer.json["reason"]) == (413, "too_large")
    url = create(served, 10).headers["Location"]
    assert patch(served, url, 0, b"x" * 11).status == 413
    assert patch(served, url, 0, b"x" * 10).status == 204


def test_a_chunked_piece_over_the_length_is_refused(serve: Serve) -> None:
    served = serve(measure)
    url = create(served, 1_500_000).headers["Location"]
    connection = served.connect()
    pieces = (b"x" * 500_000 for _ in range(4))
    connection.request("PATCH", url, pieces, {**PIECE, "Upload-Offset": "0"}, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "x"}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": ""}, 400),
        ({"Upload-Length": "9" * 30}, 400),
        ({"Upload-Metadata": "filename §§§".encode().decode("latin-1")}, 400),
        ({"Upload-Metadata": "filename /w=="}, 400),
    ],
)
def test_a_malformed_creation_is_refused(serve: Serve, headers: dict[str, str], status: int) -> None:
    sent = {**TUS, "Upload-Length": "3", **headers}
    answer = serve(measure).request("POST", "/-/uploads", headers=sent)
    assert (answer.status, answer.json["reason"]) == (status, "invalid")


def test_a_piece_needs_its_type_and_offset(serve: Serve) -> None:
    served = serve(measure)
    url = create(served, 3).headers["Location"]
    assert patch(served, url, 0, b"123", **{"Content-Type": "text/plain"}).status == 415
    no_offset = served.request("PATCH", url, b"123", PIECE)
    assert (no_offset.status, no_offset.json["reason"]) == (400, "invalid")


def test_an_upload_that_is_unknown_or_gone_says_which(serve: Serve) -> None:
    served = serve(measure)
    assert served.request("HEAD", "/-/uploads/x", headers=TUS).status == 404
    url = create(served, 3).headers["Location"]
    assert served.request("DELETE", url, headers=TUS).status == 204
    for method in ("HEAD", "DELETE"):
        assert served.request(method, url, headers=TUS).status == 410
    assert patch(served, url, 0, b"123").status == 410


def test_a_dropped_upload_leaves_nothing(serve: Serve, tmp_path: Path) -> None:
    served = serve(measure)
    url = create(served, 3).headers["Location"]
    patch(served, url, 0, b"12")
    served.request("DELETE", url, headers=TUS)
    assert not list((tmp_path / "uploads").iterdir())


def test_what_arrived_before_the_connection_broke_is_kept(serve: Serve) -> None:
    served = serve(measure)
    url = create(served, 10_000_000).headers["Location"]
    with served.socket() as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in {**PIECE, "Upload-Offset": "0"}.items())
        request = f"PATCH {url} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n{head}\r\n"
        connection.sendall(request.encode() + b"x" * 3_000_000)

    def offset() -> int:
        return int(served.request("HEAD", url, headers=TUS).headers["Upload-Offset"])

    served.until(lambda: offset() == 3_000_000)
    served.until(lambda: patch(served, url, 3_000_000, b"y" * 7_000_000).status == 204)
    token = url.rpartition("/")[2]
    answer = served.post("/measure", {"file": {"upload": token}})
    assert answer.json["outputs"][0]["value"] == [["data.bin", 10_000_000]]


def checksum(content: bytes, algorithm: str = "sha1") -> dict[str, str]:
    summed = base64.b64encode(hashlib.new(algorithm, content).digest()).decode()
    return {"Upload-Checksum": f"{algorithm} {summed}"}


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "md5"])
def test_a_piece_with_its_checksum_is_taken(serve: Serve, algorithm: str) -> None:
    served = serve(measure)
    url = create(served, 6).headers["Location"]
    assert patch(served, url, 0, b"123", **checksum(b"123", algorithm)).status == 204
    assert patch(served, url, 3, b"456", **checksum(b"456", algorithm)).status == 204
    answer = served.post("/measure", {"file": {"upload": url.rpartition("/")[2]}})
    assert answer.json["outputs"][0]["value"] == [["data.bin", 6]]


@pytest.mark.parametrize("size", [3, 3_000_000])
def test_nothing_stays_of_a_piece_that_is_not_what_was_sent(serve: Serve, size: int) -> None:
    served = serve(measure)
    url = create(served, 10 + size).headers["Location"]
    patch(served, url, 0, b"0123456789")
    wrong = patch(served, url, 10, b"x" * size, **checksum(b"y" * size))
    assert (wrong.status, wrong.json["reason"]) == (460, "invalid")
    assert served.request("HEAD", url, headers=TUS).headers["Upload-Offset"] == "10"
    token = url.rpartition("/")[2]
    assert served.post("/measure", {"file": {"upload": token}}).status == 422
    assert patch(served, url, 10, b"y" * size, **checksum(b"y" * size)).status == 204
    answer = served.post("/measure", {"file": {"upload": token}})
    assert answer.json["outputs"][0]["value"] == [["data.bin", 10 + size]]


@pytest.mark.parametrize("header", ["crc32 AAAA", "sha1", "sha1 §", "sha1 abc", ""])
def test_a_checksum_that_cannot_be_judged_is_refused(serve: Serve, header: str) -> None:
    served = serve(measure)
    url = create(served, 3).headers["Location"]
    sent = header.encode().decode("latin-1")
    assert patch(served, url, 0, b"123", **{"Upload-Checksum": sent}).status in {400, 460}
    assert served.request("HEAD", url, headers=TUS).headers["Upload-Offset"] == "0"


def test_of_a_piece_with_a_checksum_that_broke_off_nothing_is_kept(serve: Serve) -> None:
    served = serve(measure)
    content = b"x" * 10_000_000
    url = create(served, len(content)).headers["Location"]
    with served.socket() as connection:
        headers = {**PIECE, "Upload-Offset": "0", **checksum(content)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"PATCH {url} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n{head}\r\n"
        connection.sendall(request.encode() + content[:3_000_000])
        # Meanwhile nobody is told to go on from what may be wrong.
        assert served.request("HEAD", url, headers=TUS).headers["Upload-Offset"] == "0"
        assert patch(served, url, 0, content, **checksum(content)).status == 204
    answer = served.post("/measure", {"file": {"upload": url.rpartition("/")[2]}})
    assert answer.json["outputs"][0]["value"] == [["data.bin", 10_000_000]]


def test_methods_can_be_overridden(serve: Serve) -> None:
    served = serve(measure)
    url = create(served, 3).headers["Location"]
    override = {**PIECE, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert served.request("POST", url, b"123", override).status == 204
    assert served.request("POST", url, headers=TUS).status == 404


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "", "a\0b", "..", "x" * 5000])
def test_a_client_names_no_path(serve: Serve, tmp_path: Path, name: str) -> None:
    served = serve(measure)
    url = create(served, 1, name).headers["Location"]
    patch(served, url, 0, b"x")
    answer = served.post("/measure", {"file": {"upload": url.rpartition("/")[2]}})
    assert "/" not in answer.json["outputs"][0]["value"][0][0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["returns", "uploads"]
