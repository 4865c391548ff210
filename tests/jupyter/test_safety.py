"""Who may do what: Jupyter's login, its authorizer and its XSRF check, and the limits of `NbfuncApp`."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jupyter.server import Jupyter, Kernel, jupyter

FUNCTIONS = """
import threading
from nbfunc import FileResponse
from nbfunc.types import File
ran = []
gate = threading.Event()

def act(file: File | None = None) -> str:
    ran.append(1)
    return "acted"

def fail():
    raise ValueError("no")

def hold():
    gate.wait()

def make(size: int) -> FileResponse:
    return FileResponse(data=b"x" * size, filename="a.bin")

%func_to_web act fail hold make
"""

# What an institution would write into its configuration.
CONFIG = '''
import logging
from jupyter_server.auth import Authorizer

class Readers(Authorizer):
    """Who says to be a reader may read only."""

    def is_authorized(self, handler, user, action, resource):
        reader = handler.request.headers.get("X-Role") == "reader"
        nobody = handler.request.headers.get("X-Role") == "nobody"
        return resource != "nbfunc" or not (nobody or (reader and action == "execute"))

c.ServerApp.authorizer_class = Readers
c.ServerApp.allow_unauthenticated_access = False
c.EventLogger.handlers = [logging.FileHandler("events.log")]
c.NbfuncApp.max_upload_size = 1000
c.NbfuncApp.max_returns_size = 100_000
c.NbfuncApp.max_concurrency = 2
c.NbfuncApp.show_tracebacks = False
'''

TUS = {"Tus_Resumable": "1.0.0", "Upload_Metadata": f"filename {b64encode(b'a.txt').decode()}"}


@pytest.fixture(autouse=True, scope="module")
def functions(kernel: Kernel) -> None:
    cell = kernel.run(FUNCTIONS)
    assert not cell.error + cell.stderr, cell.error + cell.stderr


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server with an authorizer and limits."""
    with jupyter(tmp_path_factory.mktemp("strict"), base="/", config=CONFIG) as server:
        yield server


@pytest.fixture(scope="module")
def limited(strict: Jupyter) -> Kernel:
    """A kernel of that server."""
    kernel = strict.kernel()
    kernel.expose(FUNCTIONS)
    return kernel


def times_run(kernel: Kernel) -> int:
    return int(kernel.run("print(len(ran))").stdout)


def requests(kernel: Kernel) -> list[tuple[str, str, dict[str, Any]]]:
    """Return one request of each kind: its verb, its path, its headers."""
    return [
        ("GET", "nbfunc/", {}),
        ("GET", f"nbfunc/{kernel.id}/", {}),
        ("GET", kernel.url("act"), {}),
        ("GET", kernel.url("act/schema"), {}),
        ("POST", kernel.url("act"), {"body": {}}),
        ("GET", "nbfunc/-/functions", {}),
        ("GET", "nbfunc/-/events?changes=1", {}),
        ("GET", "nbfunc/-/runs", {}),
        ("GET", "nbfunc/-/runs/x", {}),
        ("DELETE", "nbfunc/-/runs/x", {}),
        ("GET", "nbfunc/-/runs/x/files.zip", {}),
        ("POST", "nbfunc/-/uploads", TUS | {"Upload_Length": "5"}),
        ("HEAD", "nbfunc/-/uploads/x", TUS),
        ("DELETE", "nbfunc/-/uploads/x", TUS),
        ("GET", "nbfunc/-/files/x/a.txt", {}),
        ("GET", "nbfunc/-/tables/x/a.txt", {}),
        ("GET", "nbfunc/-/openapi.json", {}),
        ("GET", "nbfunc/-/open/a.ipynb/act", {}),
    ]


@pytest.mark.parametrize("token", [None, "a wrong one"])
def test_without_a_login_programs_get_403_and_nothing_runs(
    token: str | None, server: Jupyter, kernel: Kernel
) -> None:
    before = times_run(kernel)
    for verb, path, more in requests(kernel):
        answer = server.ask(verb, path, token=token, **more)
        assert answer.status == 403, (verb, path)
        if verb != "HEAD":
            assert answer.json["reason"] == "unauthorized", (verb, path)
    assert times_run(kernel) == before
    assert not server.uploaded()


def test_without_a_login_browsers_are_sent_to_it(server: Jupyter, kernel: Kernel) -> None:
    for path in ("nbfunc/", kernel.url("act"), "nbfunc/-/open/a.ipynb/act"):
        answer = server.get(path, token=None, Accept="text/html")
        assert answer.status == 302
        assert answer.headers["Location"].startswith(f"{server.base}login?next=")


def test_a_cookie_alone_changes_nothing(server: Jupyter, kernel: Kernel) -> None:
    cookies = server.cookies()
    before = times_run(kernel)
    without = {"Cookie": cookies["Cookie"]}
    assert server.get(kernel.url("act"), token=None, **without).status == 200
    for headers in (without, without | {"X_XSRFToken": "wrong"}):
        for verb, path, more in requests(kernel):
            if verb in {"POST", "DELETE"}:
                assert server.ask(verb, path, token=None, **headers, **more).status == 403, (verb, path)
    sent = server.send_form(kernel.url("act"), {}, {"file": ("a.txt", b"x")}, token=None, **without)
    assert sent.status == 403
    assert times_run(kernel) == before
    assert not server.uploaded()
    assert server.post(kernel.url("act"), {}, token=None, **cookies).status == 200


def test_a_field_of_a_form_is_no_xsrf_token(server: Jupyter, kernel: Kernel) -> None:
    cookies = server.cookies()
    before = times_run(kernel)
    fields = {"_xsrf": cookies["X_XSRFToken"]}
    answer = server.send_form(kernel.url("act"), fields, {}, token=None, Cookie=cookies["Cookie"])
    assert answer.status in {403, 422}
    assert times_run(kernel) == before


def test_the_addresses_in_answers_carry_the_base(server: Jupyter, kernel: Kernel) -> None:
    answer = server.post(kernel.url("make"), {"size": 1})
    assert answer.json["outputs"][0]["url"].startswith(f"{server.base}nbfunc/-/files/")
    assert answer.headers["Location"].startswith(f"{server.base}nbfunc/-/runs/")
    page = server.get(kernel.url("act"), Accept="text/html")
    assert 'src="/' not in page.text
    assert 'href="/' not in page.text


def test_pages_and_json_are_not_stored(server: Jupyter, kernel: Kernel) -> None:
    for path in ("nbfunc/", kernel.url("act"), kernel.url("act/schema"), "nbfunc/-/functions"):
        assert server.get(path).headers["Cache-Control"] == "no-store"


# A server with an authorizer and limits


def test_a_reader_may_read_and_no_more(strict: Jupyter, limited: Kernel) -> None:
    before = times_run(limited)
    for verb, path, more in requests(limited):
        answer = strict.ask(verb, path, X_Role="reader", **more) if "changes" not in path else None
        if verb in {"POST", "DELETE"}:
            assert answer is not None
            assert (answer.status, answer.json["reason"]) == (403, "forbidden"), (verb, path)
        elif answer is not None:
            assert answer.status in {200, 404}, (verb, path)
    assert times_run(limited) == before


def test_who_may_nothing_reads_nothing(strict: Jupyter, limited: Kernel) -> None:
    for verb, path, more in requests(limited):
        assert strict.ask(verb, path, X_Role="nobody", **more).status == 403, (verb, path)


def test_no_byte_of_a_denied_upload_is_kept(strict: Jupyter, limited: Kernel) -> None:
    big = b"x" * (8 << 20)
    for role in ("reader", "nobody"):
        answer = strict.send_form(limited.url("act"), {}, {"file": ("a.txt", big)}, X_Role=role)
        assert answer.status == 403
    token = strict.upload("a.txt", b"x")
    patched = strict.ask(
        "PATCH", f"nbfunc/-/uploads/{token}", b"y", X_Role="reader", Upload_Offset="1",
        Content_Type="application/offset+octet-stream", **TUS
    )  # fmt: skip
    assert patched.status == 403
    assert [path.read_bytes() for path in strict.uploaded()] == [b"x"]
    assert strict.ask("DELETE", f"nbfunc/-/uploads/{token}", **TUS).status == 204


def test_uploads_have_their_limit(strict: Jupyter, limited: Kernel) -> None:
    assert strict.ask("POST", "nbfunc/-/uploads", Upload_Length="1001", **TUS).status == 413
    answer = strict.send_form(limited.url("act"), {}, {"file": ("a.txt", b"x" * 1001)})
    assert (answer.status, answer.json["reason"]) == (413, "too_large")
    assert not strict.uploaded()
    assert strict.send_form(limited.url("act"), {}, {"file": ("a.txt", b"x" * 1000)}).status == 200


def test_tracebacks_stay_in_the_log(strict: Jupyter, limited: Kernel) -> None:
    error = limited.call("fail").json["error"]
    assert error == {"type": "ValueError", "message": "no"}


WIDEN = "get_ipython().magics_manager.registry['FuncToWeb'].agent.host.limit(None)"


@pytest.mark.parametrize("cell", ["", WIDEN])
def test_so_many_run_at_once_whatever_a_kernel_says(cell: str, strict: Jupyter, limited: Kernel) -> None:
    limited.run(f"gate.clear()\n{cell}")
    runs = [limited.begin("hold") for _ in range(3)]
    for run in runs[:2]:
        with strict.stream(run) as events:
            events.until(kind="started")
    assert strict.get(runs[2]).json["status"] == "queued"
    limited.run("gate.set()")
    for run in runs:
        with strict.stream(run) as events:
            events.until(kind="finished")


UNBOUND = """
from nbfunc.files.returns import ReturnsDir
agent = get_ipython().magics_manager.registry["FuncToWeb"].agent
agent.host.store = ReturnsDir(agent.host.store.path)
"""


@pytest.mark.parametrize("cell", ["", UNBOUND])
def test_returned_files_have_their_limit_whatever_a_kernel_does(
    cell: str, strict: Jupyter, limited: Kernel
) -> None:
    limited.run(cell)
    assert limited.call("make", size=10_000).json["outputs"][0]["size"] == 10_000
    before = strict.returned()
    answer = limited.call("make", size=200_000)
    assert answer.json["outputs"] == []
    assert strict.returned() == before, "nothing of it stays"


def test_an_administrator_reads_who_ran_what_and_never_with_which_values(
    strict: Jupyter, limited: Kernel
) -> None:
    limited.run(
        "def tell(secret: str) -> FileResponse:\n    return FileResponse(data=b'x', filename='a.txt')"
    )
    limited.run("%func_to_web tell")
    cookies = strict.cookies()
    me = strict.get("api/me", token=None, **cookies).json["identity"]["username"]
    body = strict.post(limited.url("tell"), {"secret": "open sesame"}, token=None, **cookies).json
    assert strict.get(body["outputs"][0]["url"], token=None, **cookies).content == b"x"
    limited.call("fail")
    log = strict.folder / "events.log"
    events = strict.until(
        lambda: [json.loads(line) for line in log.read_text().splitlines() if "/nbfunc/" in line]
    )
    runs = [event for event in events if event.get("run") == body["run"]]
    assert [(event["action"], event["user"], event["function"]) for event in runs] == [
        ("started", me, "tell"),
        ("ended", me, "tell"),
    ]
    assert (runs[1]["status"], runs[1]["files"]) == ("finished", [{"filename": "a.txt", "size": 1}])
    assert ("downloaded", me, "a.txt") in [
        (event["action"], event.get("user"), event.get("filename")) for event in events
    ]
    failed = next(event for event in events if event.get("function") == "fail" and event["action"] == "ended")
    assert (failed["status"], failed["error"]) == ("failed", "ValueError")
    assert "sesame" not in log.read_text()


def test_a_form_with_one_slash_too_many_leads_to_the_one_without(server: Jupyter, kernel: Kernel) -> None:
    answer = server.get(f"{kernel.url('act')}/?-embed=1", Accept="text/html")
    assert (answer.status, answer.headers["Location"]) == (302, "../act?-embed=1")
    assert server.get(f"{kernel.url('nothing')}/").status == 404


def test_an_address_without_its_last_slash_leads_to_the_one_with_it(server: Jupyter) -> None:
    answer = server.get("nbfunc")
    assert (answer.status, answer.headers["Location"]) == (302, f"{server.base}nbfunc/")


def test_what_is_nowhere_is_said_in_json(server: Jupyter) -> None:
    answer = server.get("nbfunc/-/nowhere")
    assert (answer.status, answer.json["reason"]) == (404, "not_found")


def test_what_a_token_asks_for_is_not_for_other_origins_to_read(server: Jupyter, kernel: Kernel) -> None:
    for path in ("nbfunc/-/functions", f"nbfunc/{kernel.id}/act", f"nbfunc/{kernel.id}/act/schema"):
        answer = server.get(path, Origin="http://elsewhere.example")
        assert answer.status == 200
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_origin_that_jupyter_was_told_to_allow_may_read(tmp_path: Path) -> None:
    config = "c.ServerApp.allow_origin = 'http://known.example'"
    with jupyter(tmp_path, base="/", config=config) as server:
        answer = server.get("nbfunc/-/functions", Origin="http://known.example")
        assert answer.headers["Access-Control-Allow-Origin"] == "http://known.example"
