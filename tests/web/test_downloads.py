"""Returned files over HTTP: whole, ranges, conditions, names, zips and tables."""

from __future__ import annotations

import csv
import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from nbfunc.errors import DiskFull
from nbfunc.files import tables
from nbfunc.files.returns import ReturnsDir
from nbfunc.types import FileResponse
from nbfunc.web.downloads import disposition, type_of, unique
from nbfunc.web.runlog import RunLog
from tests.web.conftest import Serve
from tests.web.served import Served

CONTENT = bytes(range(256)) * 40


def make(name: str = "data.bin") -> FileResponse:
    return FileResponse(data=CONTENT, filename=name)


def make_several(names: list[str]) -> list[FileResponse]:
    return [FileResponse(data=f"{n} {name}".encode(), filename=name) for n, name in enumerate(names)]


def made(served: Served, name: str = "data.bin") -> str:
    return str(served.post("/make", {"name": name}).json["outputs"][0]["url"])


def test_a_file_comes_whole_with_what_a_browser_needs(serve: Serve) -> None:
    served = serve(make)
    url = made(served)
    answer = served.get(url)
    assert (answer.status, answer.body) == (200, CONTENT)
    headers = answer.headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == "attachment; filename=\"data.bin\"; filename*=UTF-8''data.bin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["ETag"] == f'"{url.split("/")[3]}"'
    assert headers["Last-Modified"].endswith("GMT")
    head = served.request("HEAD", url)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(CONTENT)))
    assert head.headers["ETag"] == headers["ETag"]


END = len(CONTENT)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=5-5", (5, 6)),
        ("bytes=100-", (100, END)),
        ("bytes=-10", (END - 10, END)),
        (f"bytes=-{END + 5}", (0, END)),
        (f"bytes=0-{END * 2}", (0, END)),
        (f"bytes={END - 1}-", (END - 1, END)),
        (f"bytes=0-{2**64 - 1}", (0, END)),
        (f"bytes=-{10**3999}", (0, END)),
        ("Bytes = 0-9", (0, 10)),
    ],
)
def test_one_range_is_answered_with_it(serve: Serve, asked: str, part: tuple[int, int]) -> None:
    served = serve(make)
    answer = served.get(made(served), Range=asked)
    start, end = part
    assert (answer.status, answer.body) == (206, CONTENT[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{END}"
    assert answer.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6",
        "bytes=5-2",
        f"bytes={2**70}-{2**70 - 1}",
        "bytes=-",
        "bytes=a-b",
        "lines=0-1",
        "bytes=٣-",
    ],
)
def test_several_or_malformed_ranges_are_answered_with_the_whole(serve: Serve, asked: str) -> None:
    served = serve(make)
    answer = served.request("GET", made(served), headers={"Range": asked.encode().decode("latin-1")})
    assert (answer.status, answer.body) == (200, CONTENT)


@pytest.mark.parametrize(
    "asked",
    [f"bytes={END}-", f"bytes={END}-{END + 1}", "bytes=-0", f"bytes={2**64}-", f"bytes={'9' * 4000}-"],
)
def test_a_range_outside_is_not_satisfiable(serve: Serve, asked: str) -> None:
    served = serve(make)
    answer = served.get(made(served), Range=asked)
    assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{END}")
    assert answer.json["reason"] == "invalid"
    assert answer.headers["Content-Disposition"] is None


def test_conditions_are_those_of_rfc_9110(serve: Serve) -> None:
    served = serve(make)
    url = made(served)
    headers = served.request("HEAD", url).headers
    etag, modified = headers["ETag"], headers["Last-Modified"]
    for same in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        assert served.get(url, If_None_Match=same).status == 304
    assert served.get(url, If_None_Match='"other"').status == 200
    assert served.get(url, If_Modified_Since=modified).status == 304
    assert served.get(url, If_None_Match='"other"', If_Modified_Since=modified).status == 200
    for same in (etag, modified):
        assert served.get(url, Range="bytes=0-0", If_Range=same).status == 206
    for other in ('"other"', "Thu, 01 Jan 1970 00:00:00 GMT", f"W/{etag}"):
        assert served.get(url, Range="bytes=0-0", If_Range=other).status == 200
    assert served.request("HEAD", url, headers={"Range": "bytes=0-0"}).status == 200


NAMES = [
    "plain.txt",
    "with space & more.txt",
    'quote".txt',
    "100% sure.txt",
    "under___score____s.txt",
    "Ünïcödé.pdf",
    "日本語のファイル名.xlsx",
    "é" * 150 + ".txt",
    "x" * 1000 + ".tar.gz",
    "semi;colon,comma.txt",
    "emoji 🎉.txt",
    "-leading.txt",
    "a+b=c?d#e.txt",
    "name.",
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:12])
def test_a_file_of_any_name_is_offered_under_it(serve: Serve, name: str) -> None:
    served = serve(make)
    url = made(served, name)
    answer = served.get(url)
    assert (answer.status, answer.body) == (200, CONTENT)
    offered = answer.headers["Content-Disposition"].partition("filename*=UTF-8''")[2]
    assert unquote(offered) == name
    assert unquote(url.rpartition("/")[2]) == name


@pytest.mark.parametrize("name", ["../up.txt", "a/b.txt", "nul\0.txt", "back\\slash.txt"])
def test_a_file_name_with_separators_is_one_part(serve: Serve, name: str, tmp_path: Path) -> None:
    served = serve(make)
    output = served.post("/make", {"name": name}).json["outputs"][0]
    assert "/" not in output["filename"]
    assert served.get(output["url"]).body == CONTENT
    assert not list(tmp_path.glob("*.txt"))


def test_a_disposition_holds_nothing_that_breaks_a_header() -> None:
    assert "\n" not in disposition("a\r\nb")
    assert disposition('a"b\\c%') == "attachment; filename=\"a_b_c_\"; filename*=UTF-8''a%22b%5Cc%25"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pdf", "application/pdf"),
        ("a.PNG", "image/png"),
        ("a.svg", "image/svg+xml"),
        ("a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.tar.gz", "application/gzip"),
        ("a.svgz", "application/gzip"),
        ("a.csv", "text/csv"),
        ("a.unknown", "application/octet-stream"),
        ("a", "application/octet-stream"),
        (".png", "application/octet-stream"),
    ],
)
def test_the_type_is_told_by_the_name(name: str, kind: str) -> None:
    assert type_of(name) == kind


def test_an_empty_file_is_a_file(serve: Serve) -> None:
    def empty() -> FileResponse:
        return FileResponse(data=b"", filename="empty.txt")

    served = serve(empty)
    url = served.post("/empty").json["outputs"][0]["url"]
    assert (served.get(url).status, served.get(url).headers["Content-Length"]) == (200, "0")
    assert served.get(url, Range="bytes=0-").status == 416


# What is not there


def test_a_file_two_hours_old_has_expired_though_it_is_on_disk(serve: Serve, tmp_path: Path) -> None:
    served = serve(make)
    old = ReturnsDir(tmp_path / "returns", clock=lambda: time.time() - 7200).put(b"old", "old.txt")
    answer = served.get(f"/-/files/{old.id}/old.txt")
    assert (answer.status, answer.json["reason"]) == (410, "expired")
    page = served.get(f"/-/files/{old.id}/old.txt", Accept="text/html")
    assert page.status == 410
    assert "File expired" in page.text


def test_a_file_deleted_by_hand_has_expired_and_nothing_else_breaks(serve: Serve, tmp_path: Path) -> None:
    served = serve(make)
    gone, kept = made(served), made(served, "kept.bin")
    next((tmp_path / "returns").glob("*data.bin")).unlink()
    assert served.get(gone).status == 410
    assert served.get(kept).status == 200


def test_another_filename_has_expired_and_a_malformed_id_is_unknown(serve: Serve) -> None:
    served = serve(make)
    url = made(served)
    assert served.get(url.replace("data.bin", "other.bin")).status == 410
    for path in ("/-/files/xyz/data.bin", "/-/files/..%2f..%2fetc/passwd", "/-/files/%00/data.bin"):
        assert (served.get(path).status, served.get(path).json["reason"]) == (404, "not_found")


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", "%2e%2e", "data.bin%00", "..%5cdata.bin"])
def test_a_name_in_an_address_is_no_path(serve: Serve, name: str) -> None:
    served = serve(make)
    assert served.get(made(served).replace("data.bin", name)).status in {404, 410}


def test_no_error_tells_a_path_of_the_server(serve: Serve, tmp_path: Path) -> None:
    served = serve(make)
    url = made(served)
    (tmp_path / "returns").chmod(0o700)
    for path in (url.replace("data", "x"), url + "%00", "/-/files/x/y"):
        assert str(tmp_path) not in served.get(path).text


# Leaving


def test_a_client_that_leaves_during_a_download_leaves_no_open_file(serve: Serve) -> None:
    def large() -> FileResponse:
        return FileResponse(chunks=(b"x" * (1 << 20) for _ in range(200)), filename="large.bin")

    served = serve(large)
    url = served.post("/large").json["outputs"][0]["url"]
    with served.socket() as connection:
        connection.sendall(f"GET {url} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    served.until(lambda: not open_files("large.bin"))
    assert served.get(url, Range="bytes=0-9").body == b"x" * 10


def open_files(name: str) -> list[str]:
    links = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(link.readlink()))
        except FileNotFoundError:
            continue
    return [link for link in links if name in link]


def test_a_large_file_comes_through_identical(serve: Serve) -> None:
    def large() -> FileResponse:
        return FileResponse(chunks=(bytes([n]) * 700_001 for n in range(20)), filename="large.bin")

    served = serve(large)
    output = served.post("/large").json["outputs"][0]
    assert served.get(output["url"]).body == b"".join(bytes([n]) * 700_001 for n in range(20))
    assert output["size"] == 20 * 700_001
    assert 3590 <= output["expires_in"] <= 3600


def test_a_connection_serves_on_after_a_large_download(serve: Serve) -> None:
    def large() -> FileResponse:
        return FileResponse(data=b"x" * (5 << 20), filename="large.bin")

    served = serve(large)
    url = served.post("/large").json["outputs"][0]["url"]
    connection = served.connect()
    connection.connect()
    socket = connection.sock
    for _ in range(3):
        connection.request("GET", url)
        assert connection.getresponse().read() == b"x" * (5 << 20)
        assert connection.sock is socket
    connection.close()


def large_files() -> list[FileResponse]:
    return [FileResponse(data=b"x" * (16 << 20), filename=f"{n}.bin") for n in range(2)]


def file_address(answer: dict[str, Any]) -> str:
    return str(answer["outputs"][0]["url"])


def zip_address(answer: dict[str, Any]) -> str:
    return f"/-/runs/{answer['run']}/files.zip"


@pytest.mark.parametrize("address", [file_address, zip_address])
def test_a_server_that_stops_lets_a_download_end(
    serve: Serve, address: Callable[[dict[str, Any]], str]
) -> None:
    served = serve(large_files)
    connection = served.connect()
    connection.request("GET", address(served.post("/large_files").json))
    answer = connection.getresponse()
    size = int(answer.headers["Content-Length"])
    first = answer.read(1 << 10)
    stopping = threading.Thread(target=served.server.stop)
    stopping.start()
    served.until(lambda: served.server._stopped)
    assert len(first) + len(answer.read()) == size
    connection.close()
    stopping.join()


# Zips


def zipped(served: Served, names: list[str]) -> tuple[Any, str]:
    run = served.post("/make_several", {"names": names}).json["run"]
    url = f"/-/runs/{run}/files.zip"
    return served.get(url), url


def test_all_files_of_a_run_come_as_one_zip(serve: Serve) -> None:
    answer, _ = zipped(serve(make_several), ["a.txt", "A.txt", "a.txt", "a (2).txt", "ü.txt", "no ending"])
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert 'filename="make_several.zip"' in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        contents = {name: archive.read(name).decode() for name in archive.namelist()}
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
    assert len({name.casefold() for name in contents}) == 6
    assert sorted(text[0] for text in contents.values()) == list("012345")
    assert contents["ü.txt"] == "4 ü.txt"


def test_expired_files_are_left_out_of_a_zip(serve: Serve, tmp_path: Path) -> None:
    served = serve(make_several)
    _, url = zipped(served, ["a.txt", "b.txt"])
    next((tmp_path / "returns").glob("*a.txt")).unlink()
    with zipfile.ZipFile(io.BytesIO(served.get(url).body)) as archive:
        assert archive.namelist() == ["b.txt"]
    next((tmp_path / "returns").glob("*b.txt")).unlink()
    assert (served.get(url).status, served.get(url).json["reason"]) == (410, "expired")


class Auditor:
    """Remembers which files left."""

    def __init__(self) -> None:
        self.left: list[tuple[str, int]] = []

    def started(self, log: RunLog) -> None: ...

    def ended(self, log: RunLog) -> None: ...

    def downloaded(self, filename: str, size: int, *_: str | None) -> None:
        self.left.append((filename, size))


def test_the_files_that_leave_in_a_zip_are_told_and_no_others(serve: Serve, tmp_path: Path) -> None:
    served = serve(make_several)
    auditor = Auditor()
    object.__setattr__(served.app.site, "audit", auditor)  # which the extension alone has
    _, url = zipped(served, ["a.txt", "b.txt"])
    assert auditor.left == [("a.txt", 7), ("b.txt", 7)]
    assert served.request("HEAD", url).status == 200
    assert len(auditor.left) == 2
    next((tmp_path / "returns").glob("*a.txt")).unlink()
    assert served.get(url).status == 200
    assert auditor.left[2:] == [("b.txt", 7)]


def test_a_zip_of_many_files_needs_few_open_ones(serve: Serve) -> None:
    answer, _ = zipped(serve(make_several), [f"{n}.txt" for n in range(1500)])
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert len(archive.namelist()) == 1500
        assert archive.read("1499.txt") == b"1499 1499.txt"


def test_a_run_without_files_has_no_zip(serve: Serve) -> None:
    answer, _ = zipped(serve(make_several), [])
    assert answer.status == 404


def test_names_are_unique_in_every_case() -> None:
    taken: set[str] = set()
    assert [unique(name, taken) for name in ("a.tar.gz", "A.TAR.GZ", "a.tar.gz")] == [
        "a.tar.gz",
        "A.TAR (2).GZ",
        "a.tar (3).gz",
    ]


# Tables


def rows(count: int) -> list[dict[str, Any]]:
    return [{"n": n, "word": f"word {n % 7}", "even": n % 2 == 0, "half": n / 2} for n in range(count)]


def test_a_table_answers_pages_sort_and_search(serve: Serve) -> None:
    served = serve(rows)
    table = served.post("/rows", {"count": 2500}).json["outputs"][0]
    assert (table["kind"], table["total"], len(table["rows"])) == ("table", 2500, 100)
    url = table["url"]
    first = served.get(url).json
    assert (len(first["rows"]), first["total"], first["matching"]) == (100, 2500, 2500)
    page = served.get(f"{url}?offset=2490&limit=50").json
    assert [row[0] for row in page["rows"]] == list(range(2490, 2500))
    assert len(served.get(f"{url}?limit=5000").json["rows"]) == 1000
    last = served.get(f"{url}?sort=0&descending=1&limit=2").json["rows"]
    assert [row[0] for row in last] == [2499, 2498]
    found = served.get(f"{url}?q=word%203&limit=1").json
    assert (found["matching"], found["rows"][0][1]) == (357, "word 3")
    assert found["rows"][0][2] is False


def test_a_table_comes_as_csv(serve: Serve) -> None:
    served = serve(rows)
    table = served.post("/rows", {"count": 3000}).json["outputs"][0]
    answer = served.get(table["csv"])
    assert answer.headers["Content-Type"] == "text/csv"
    assert ".csv" in answer.headers["Content-Disposition"]
    read = list(csv.reader(io.StringIO(answer.text)))
    assert read[0] == ["n", "word", "even", "half"]
    assert len(read) == 3001


def test_the_head_of_what_is_made_as_it_is_sent_says_what_would_come(serve: Serve) -> None:
    served = serve([rows, make_several])
    table = served.post("/rows", {"count": 3000}).json["outputs"][0]
    files, url = zipped(served, ["a.txt"])
    for address, kind in ((table["csv"], "text/csv"), (url, "application/zip")):
        answer = served.request("HEAD", address)
        assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, kind, b"")
    assert answer.headers["Content-Length"] == str(len(files.body))


@pytest.mark.parametrize("asked", ["limit=-1", "offset=x", "sort=n", "sort=4", "format=xls", "limit=²"])
def test_a_table_is_not_asked_for_what_it_has_not(asked: str, serve: Serve) -> None:
    served = serve(rows)
    table = served.post("/rows", {"count": 3}).json["outputs"][0]
    answer = served.get(f"{table['url']}?{quote(asked, safe='=')}")
    assert (answer.status, answer.json["errors"][0]["loc"]) == (422, [asked.partition("=")[0]])


class Writing:
    """Holds up the writing of tables."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.error: Exception | None = None
        self._write = tables.write_table

    def __call__(self, *args: Any) -> None:
        self.go.wait(30)
        if self.error is not None:
            raise self.error
        self._write(*args)


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Writing]:
    held = Writing()
    monkeypatch.setattr(tables, "write_table", held)
    yield held
    held.go.set()


def started(served: Served, count: int) -> tuple[str, dict[str, Any]]:
    """Start a run of `rows`; return its address and its first output, as soon as it is there."""
    run = served.post("/rows", {"count": count}, Prefer="respond-async").json["run"]
    address = f"/-/runs/{run}"
    served.until(lambda: bool(served.get(address).json["outputs"]))
    return address, served.get(address).json["outputs"][0]


def test_a_long_table_is_told_of_while_it_is_written_and_who_asks_for_more_waits(
    serve: Serve, writing: Writing
) -> None:
    served = serve(rows)
    run, table = started(served, 40_000)
    assert (table["total"], len(table["rows"])) == (40_000, 100)
    assert served.get(run).json["status"] == "running"
    asked = [f"{table['url']}?offset=39999", f"{table['url']}?sort=0&descending=1&limit=1", table["csv"]]
    with ThreadPoolExecutor(3) as clients:
        answers = [clients.submit(served.get, url) for url in asked]
        # Others are answered meanwhile.
        assert served.get("/-/functions").status == 200
        assert not any(answer.done() for answer in answers)
        writing.go.set()
        page, last, text = [answer.result(30) for answer in answers]
    assert page.json["rows"][0][0] == last.json["rows"][0][0] == 39_999
    assert len(text.text.splitlines()) == 40_001
    served.until(lambda: served.get(run).json["status"] == "finished")


def test_a_long_table_that_cannot_be_written_fails_its_run_and_says_so(
    serve: Serve, writing: Writing, files_of: Callable[[str], list[str]]
) -> None:
    served = serve(rows)
    run, table = started(served, 40_000)
    writing.error = DiskFull("There is no room left.")
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(served.get, table["url"])
        writing.go.set()
        assert answer.result(30).status == 410
    served.until(lambda: served.get(run).json["status"] == "failed")
    assert served.get(run).json["error"]["type"] == "DiskFull"
    assert files_of("returns") == []


@pytest.mark.parametrize("query", ["sort=99", "q=" + "x" * 2000])
def test_a_question_that_a_table_cannot_answer_is_invalid(serve: Serve, query: str) -> None:
    served = serve(rows)
    url = served.post("/rows", {"count": 3}).json["outputs"][0]["url"]
    assert served.get(f"{url}?{query}").status == 422


def test_a_table_that_expired_says_so(serve: Serve, tmp_path: Path) -> None:
    served = serve(rows)
    table = served.post("/rows", {"count": 3}).json["outputs"][0]
    for path in (tmp_path / "returns").iterdir():
        path.unlink()
    assert served.get(table["url"]).status == 410
    assert served.get(table["csv"]).status == 410


def test_a_file_that_is_no_table_answers_with_an_error(serve: Serve) -> None:
    served = serve([make, rows])
    answer = served.get(made(served).replace("/files/", "/tables/"))
    assert answer.status == 500
    assert answer.json["reason"] == "failed"
