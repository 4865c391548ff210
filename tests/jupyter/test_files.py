"""Files that functions of a kernel return and take: in the server's directories, for their time."""

from __future__ import annotations

import io
import os
import shutil
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.jupyter.server import Jupyter, Kernel, aged

FUNCTIONS = """
import os, threading
from pathlib import Path
from nbfunc import FileResponse
from nbfunc.types import DataFile, File

gate = threading.Event()

def make(name: str = "made.txt", text: str = "content") -> FileResponse:
    return FileResponse(data=text.encode(), filename=name)

def make_two():
    return [FileResponse(data=b"one", filename="one.txt"), FileResponse(data=b"two", filename="two.txt")]

def give(path: str, move: bool = False) -> FileResponse:
    return FileResponse(path=path, move=move)

def break_off() -> FileResponse:
    def chunks():
        yield b"half"
        raise ValueError("no more")
    return FileResponse(chunks=chunks(), filename="half.bin")

def read(table: DataFile, note: int = 0) -> str:
    return f"{Path(table).name}: {Path(table).read_text()}"

def hold(file: File):
    print("holding", file)
    while not gate.wait(0.01):
        pass

def fail(file: File):
    raise ValueError("no")

def where(file: File) -> list[str]:
    return [file, oct(os.stat(file).st_mode & 0o777), oct(os.stat(Path(file).parent).st_mode & 0o777)]

%func_to_web make make_two give break_off read hold fail where
"""


@pytest.fixture(autouse=True, scope="module")
def functions(kernel: Kernel) -> None:
    cell = kernel.run(FUNCTIONS)
    assert not cell.error + cell.stderr, cell.error + cell.stderr


def made(kernel: Kernel, function: str = "make", **arguments: Any) -> dict[str, Any]:
    """Return the output of a function that returns a file."""
    answer = kernel.call(function, **arguments)
    assert answer.status == 200, answer.text
    output: dict[str, Any] = answer.json["outputs"][0]
    assert output["kind"] == "file"
    return output


def test_a_returned_file_is_the_servers_own_and_its_owners_alone(server: Jupyter, kernel: Kernel) -> None:
    before = set(server.returned())
    output = made(kernel, name="Bericht 报告.txt")
    (path,) = set(server.returned()) - before
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    answer = server.get(output["url"])
    assert answer.content == b"content"
    assert "filename*=UTF-8''Bericht" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert (output["size"], output["expires_in"] > 3500) == (7, True)


def test_a_part_of_a_file_can_be_had(server: Jupyter, kernel: Kernel) -> None:
    url = made(kernel, text="0123456789")["url"]
    part = server.get(url, Range="bytes=2-4")
    assert (part.status, part.content, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert server.get(url, Range="bytes=20-").status == 416
    head = server.ask("HEAD", url)
    assert (head.status, head.content, head.headers["Content-Length"]) == (200, b"", "10")
    assert server.get(url, If_None_Match=part.headers["ETag"]).status == 304


def test_the_original_of_a_path_stays_and_may_be_overwritten(
    server: Jupyter, kernel: Kernel, tmp_path: Path
) -> None:
    original = tmp_path / "out.csv"
    original.write_text("first")
    url = made(kernel, "give", path=str(original))["url"]
    original.write_text("second")
    assert server.get(url).content == b"first"


def test_a_moved_file_is_handed_over(server: Jupyter, kernel: Kernel, tmp_path: Path) -> None:
    original = tmp_path / "out.csv"
    original.write_text("first")
    url = made(kernel, "give", path=str(original), move=True)["url"]
    assert not original.exists()
    assert server.get(url).content == b"first"


def test_several_files_come_as_one_zip(server: Jupyter, kernel: Kernel) -> None:
    body = kernel.call("make_two").json
    answer = server.get(f"nbfunc/-/runs/{body['run']}/files.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == {
            "one.txt": b"one",
            "two.txt": b"two",
        }


def test_a_file_that_breaks_off_is_not_there_at_all(server: Jupyter, kernel: Kernel) -> None:
    before = server.returned()
    answer = kernel.call("break_off")
    assert (answer.status, answer.json["outputs"]) == (500, [])
    assert "no more" in answer.json["error"]["message"]
    assert server.returned() == before


def test_a_file_expires_after_an_hour_and_when_deleted_by_hand(server: Jupyter, kernel: Kernel) -> None:
    before = set(server.returned())
    url = made(kernel)["url"]
    (path,) = set(server.returned()) - before
    old = aged(path, 2 * 3600)
    for address in (url, url.replace(path.name[:44], old.name[:44])):
        answer = server.get(address)
        assert (answer.status, answer.json["reason"]) == (410, "expired")
    assert server.get(url + "x").status == 410
    assert server.get("nbfunc/-/files/nonsense/made.txt").status == 404


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd"])
def test_no_name_leads_out_of_the_directory(name: str, server: Jupyter, kernel: Kernel) -> None:
    url = made(kernel)["url"]
    assert server.get(url.rpartition("/")[0] + "/" + name).status in {404, 410}


def test_directories_that_are_missing_are_made_again(server: Jupyter, kernel: Kernel) -> None:
    (returns,) = server.folder.glob("data/nbfunc/*")
    shutil.rmtree(returns)
    token = server.upload("a.csv", b"1")
    assert kernel.call("read", table={"upload": token}).json["outputs"][0]["text"] == "a.csv: 1"
    assert server.get(made(kernel)["url"]).content == b"content"
    assert returns.stat().st_mode & 0o777 == 0o700


def test_an_upload_has_its_name_and_goes_after_the_run(server: Jupyter, kernel: Kernel) -> None:
    token = server.upload("Zahlen Ä.CSV", b"1,2")
    assert server.uploaded()
    answer = kernel.call("read", table={"upload": token})
    assert answer.json["outputs"][0]["text"] == "Zahlen Ä.CSV: 1,2"
    server.until(lambda: not server.uploaded(), 10)
    again = kernel.call("read", table={"upload": token})
    assert (again.status, again.json["errors"][0]["loc"]) == (422, ["table"])


def test_a_file_in_a_form_body_is_an_upload_too(server: Jupyter, kernel: Kernel) -> None:
    answer = server.send_form(kernel.url("read"), {"note": "1"}, {"table": ("a.csv", b"1,2")})
    assert answer.json["outputs"][0]["text"] == "a.csv: 1,2"
    server.until(lambda: not server.uploaded(), 10)


def test_uploads_are_their_owners_alone(server: Jupyter, kernel: Kernel) -> None:
    (output,) = kernel.call("where", file={"upload": server.upload("a.txt", b"x")}).json["outputs"]
    path, mode, folder = output["value"]
    assert Path(path).is_relative_to(server.folder / "data" / "nbfunc")
    assert (mode, folder) == ("0o600", "0o700")


def test_no_text_can_name_a_path(server: Jupyter, kernel: Kernel) -> None:
    for named in (
        "/etc/passwd",
        {"upload": "/etc/passwd"},
        {"upload": "../../etc/passwd"},
        {"path": "/etc/passwd"},
    ):
        assert kernel.call("hold", file=named).status == 422
    assert server.send_form(kernel.url("hold"), {"file": "/etc/passwd"}, {}).status == 422


def test_an_invalid_submit_takes_no_upload(server: Jupyter, kernel: Kernel) -> None:
    token = server.upload("a.csv", b"1")
    assert kernel.call("read", table={"upload": token}, note="x").status == 422
    assert kernel.call("read", table={"upload": token}).status == 200
    assert server.send_form(kernel.url("read"), {"note": "x"}, {"table": ("a.csv", b"1")}).status == 422
    server.until(lambda: not server.uploaded(), 10)


def test_the_upload_of_a_run_that_fails_goes(server: Jupyter, kernel: Kernel) -> None:
    assert kernel.call("fail", file={"upload": server.upload("a.txt", b"x")}).status == 500
    server.until(lambda: not server.uploaded(), 10)


def test_the_upload_of_a_run_that_is_cancelled_goes(server: Jupyter, kernel: Kernel) -> None:
    kernel.run("gate.clear()")
    run = kernel.begin("hold", file={"upload": server.upload("a.txt", b"x")})
    with server.stream(run) as events:
        events.until(kind="printed")
        assert len(server.uploaded()) == 1
        server.ask("DELETE", run)
        events.until(kind="cancelled")
    server.until(lambda: not server.uploaded(), 10)


def test_an_upload_cannot_be_in_two_runs(server: Jupyter, kernel: Kernel) -> None:
    kernel.run("gate.clear()")
    token = server.upload("a.txt", b"x")
    run = kernel.begin("hold", file={"upload": token})
    second = kernel.call("hold", file={"upload": token})
    kernel.run("gate.set()")
    assert (second.status, second.json["errors"][0]["loc"]) == (422, ["file"])
    with server.stream(run) as events:
        events.until(kind="finished")


def test_the_upload_of_a_kernel_that_is_killed_goes(server: Jupyter, fresh: Kernel) -> None:
    fresh.expose(FUNCTIONS)
    run = fresh.begin("hold", file={"upload": server.upload("a.txt", b"x")})
    with server.stream(run) as events:
        events.until(kind="printed")
        os.kill(fresh.pid, signal.SIGKILL)
        assert events.until(kind="failed")["type"] == "KernelDied"
    server.until(lambda: not server.uploaded(), 10)


def test_a_text_too_long_for_its_page_is_a_file(server: Jupyter, kernel: Kernel) -> None:
    kernel.run("def long() -> str: return 'é' * (2 << 20)\n%func_to_web long")
    (output,) = kernel.call("long").json["outputs"]
    assert len(output["text"]) < 2 << 20
    assert server.get(output["url"]).text == "é" * (2 << 20)
