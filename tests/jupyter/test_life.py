"""Kernels that are busy, interrupted, restarted, killed and replaced: what their pages and runs are told."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import pytest
from jupyter_client.jsonutil import parse_date

from tests.jupyter.server import Jupyter, Kernel, Stream, jupyter

FUNCTIONS = """
import asyncio, threading
import nbfunc
gate = threading.Event()

def one() -> int:
    return 1

def hold():
    yield "so far"
    print("holding")
    while not gate.wait(0.01):
        pass

%func_to_web one hold
"""


def exposed(server: Jupyter, kernel: Kernel) -> dict[str, Any]:
    rows = server.get("nbfunc/-/functions").json
    return {row["name"]: row for row in rows if row["kernel"] == kernel.id}


@pytest.fixture
def running(fresh: Kernel) -> Kernel:
    """A kernel of this test's own, with functions."""
    fresh.expose(FUNCTIONS)
    return fresh


@contextmanager
def holding(server: Jupyter, kernel: Kernel) -> Iterator[tuple[str, Stream, Stream]]:
    """A run that goes on, its stream, and that of a page that listens for changes."""
    run = kernel.begin("hold")
    with server.stream(run) as events, server.stream("nbfunc/-/events?changes=1") as page:
        events.until(kind="printed")
        yield run, events, page


def test_a_restart_fails_what_runs_keeps_what_came_and_recovers_with_the_functions(
    server: Jupyter, running: Kernel
) -> None:
    with holding(server, running) as (run, events, page):
        server.act(running, "restart")
        assert events.until(kind="failed")["type"] == "KernelRestarted"
        assert page.until(kind="removed")["url"].startswith(f"{server.base}nbfunc/{running.id}/")
        answer = running.call("one")
        assert (answer.status, answer.json["reason"]) == (503, "kernel_restarted")
        running.client.wait_for_ready(timeout=60)
        running.expose(FUNCTIONS)
        assert page.until(kind="changed")["url"].startswith(f"{server.base}nbfunc/{running.id}/")
    assert running.call("one").status == 200
    body = server.get(run).json
    assert (body["status"], body["printed"], body["outputs"][0]["value"]) == ("failed", "holding\n", "so far")
    assert body["error"]["type"] == "KernelRestarted"


def test_a_killed_kernel_fails_what_runs_at_once_and_recovers(server: Jupyter, running: Kernel) -> None:
    with holding(server, running) as (_, events, page):
        os.kill(running.pid, signal.SIGKILL)
        assert events.until(kind="failed")["type"] == "KernelDied"
        page.until(kind="removed")
    answer = running.call("one")
    assert (answer.status, answer.json["reason"]) == (503, "kernel_dead")
    # Jupyter starts it again by itself.
    running.client.wait_for_ready(timeout=60)
    running.expose(FUNCTIONS)
    assert running.call("one").status == 200


def test_a_request_that_waits_for_a_kernel_that_is_killed_is_answered(
    server: Jupyter, running: Kernel
) -> None:
    running.run("import os, signal\ndef end():\n    os.kill(os.getpid(), signal.SIGKILL)\n%func_to_web end")
    answer = running.call("end")
    assert answer.status in {500, 503}
    assert "KernelDied" in answer.text or answer.json["reason"] == "kernel_dead"


def test_a_kernel_that_is_shut_down_ends_its_runs_and_is_gone(server: Jupyter, running: Kernel) -> None:
    with holding(server, running) as (_, events, page):
        running.shut_down()
        assert events.until(kind="failed")["type"] == "KernelDied"
        page.until(kind="removed")
    answer = running.call("one")
    assert (answer.status, answer.json["reason"]) == (404, "not_found")
    assert not exposed(server, running)


def test_a_kernel_that_ends_itself_ends_its_runs(server: Jupyter, running: Kernel) -> None:
    with holding(server, running) as (_, events, _page):
        running.client.execute("import os; os._exit(3)")
        assert events.until(kind="failed")["type"] == "KernelDied"


def test_an_interrupt_stops_the_cell_and_no_run(server: Jupyter, running: Kernel) -> None:
    with holding(server, running) as (_, events, _page):
        request = running.begin_cell("while True: pass")
        server.act(running, "interrupt")
        assert "KeyboardInterrupt" in running.heard(request).error
        running.run("gate.set()")
        assert events.until(kind="finished")


def test_an_interrupt_stops_what_runs_on_the_main_thread(server: Jupyter, running: Kernel) -> None:
    running.run("def spin():\n    print('spinning')\n    while True: pass\n%func_to_web --main spin")
    run = running.begin("spin")
    with server.stream(run) as events:
        events.until(kind="printed")
        server.act(running, "interrupt")
        assert [event["kind"] for event in events][-1] in {"failed", "cancelled"}
    assert running.run("print(1)").stdout == "1\n"


def test_a_cancel_stops_what_runs_on_the_main_thread(server: Jupyter, running: Kernel) -> None:
    running.run("def spin():\n    print('spinning')\n    while True: pass\n%func_to_web --main spin")
    run = running.begin("spin")
    with server.stream(run) as events:
        events.until(kind="printed")
        server.ask("DELETE", run)
        events.until(kind="cancelled")
    assert running.run("print(1)").stdout == "1\n"


def test_pages_are_told_when_a_kernel_is_busy(server: Jupyter, running: Kernel) -> None:
    with server.stream("nbfunc/-/events?changes=1") as page:
        request = running.client.execute("gate.wait()")
        page.until(kind="kernel", id=running.id, state="busy")
        assert exposed(server, running)["one"]["state"] == "busy"
        assert "busy" in server.get("nbfunc/", Accept="text/html").text
        running.call("one")
        server.act(running, "interrupt")
        running.heard(request)
        page.until(kind="kernel", id=running.id, state="idle")
    assert exposed(server, running)["one"]["state"] == "idle"


def test_who_looks_keeps_no_kernel_awake(server: Jupyter, running: Kernel) -> None:
    running.run("1")
    ended = running.heard_all[-1]["header"]["date"]

    def model() -> dict[str, Any]:
        said: dict[str, Any] = server.get(f"api/kernels/{running.id}").json
        return said

    def has_heard() -> str | None:
        """Return when the kernel was last active, once the server knows that the cell is over."""
        said = model()
        over = said["execution_state"] == "idle" and parse_date(said["last_activity"]) >= ended
        return str(said["last_activity"]) if over else None

    before = server.until(has_heard)
    with server.stream("nbfunc/-/events?changes=1"):
        for path in ("nbfunc/", "nbfunc/-/functions", running.url("one"), running.url("one/schema")):
            assert server.get(path, Accept="text/html, */*").status == 200
    assert model()["last_activity"] == before


def test_the_index_lists_kernels_by_their_notebooks(server: Jupyter, running: Kernel) -> None:
    page = server.get("nbfunc/", Accept="text/html").text
    assert running.notebook in page
    assert f"{running.id}/one" in page
    own = server.get(f"nbfunc/{running.id}/", Accept="text/html")
    assert own.status == 200
    assert "One" in own.text
    assert "Hold" in own.text


def test_a_kernel_with_one_function_shows_its_form(server: Jupyter, fresh: Kernel) -> None:
    fresh.expose("def alone(): ...\n%func_to_web alone")
    form = server.get(f"nbfunc/{fresh.id}/", Accept="text/html")
    assert form.status == 200
    assert "Alone" in form.text


def test_a_link_of_a_notebook_outlives_its_kernel(server: Jupyter, running: Kernel) -> None:
    link = f"nbfunc/-/open/{quote(running.notebook)}/one"
    assert server.get(link).headers["Location"].endswith(f"{running.id}/one")
    assert server.get(f"{link}?n=3").headers["Location"].endswith(f"{running.id}/one?n=3")
    running.shut_down()
    answer = server.get(link, Accept="text/html")
    assert answer.status == 404
    assert running.notebook in answer.text
    other = server.kernel(running.notebook)
    other.expose(FUNCTIONS)
    assert server.get(link).headers["Location"].endswith(f"{other.id}/one")
    other.shut_down()


def test_a_renamed_notebooks_links_and_index_have_its_new_name(server: Jupyter, running: Kernel) -> None:
    session = next(s for s in server.get("api/sessions").json if s["kernel"]["id"] == running.id)
    renamed = "folder with ü/new name.ipynb"
    assert server.ask("PATCH", f"api/sessions/{session['id']}", {"path": renamed}).status == 200
    assert server.get(f"nbfunc/-/open/{quote(renamed)}/one").status == 302
    assert server.get(f"nbfunc/-/open/{quote(running.notebook)}/one").status == 404
    assert exposed(server, running)["one"]["notebook"] == renamed
    (bundle,) = running.run("%func_to_web one").displays
    assert quote(renamed) in bundle["text/plain"]


def test_a_session_may_get_another_kernel(server: Jupyter, running: Kernel) -> None:
    session = next(s for s in server.get("api/sessions").json if s["kernel"]["id"] == running.id)
    changed = server.ask("PATCH", f"api/sessions/{session['id']}", {"kernel": {"name": "python3"}})
    other = Kernel(server, changed.json["kernel"]["id"], running.notebook)
    server.kernels.append(other)
    other.expose(FUNCTIONS)
    link = f"nbfunc/-/open/{quote(running.notebook)}/one"
    assert server.get(link).headers["Location"].endswith(f"{other.id}/one")
    other.shut_down()


def test_a_kernel_of_no_notebook_exposes_too(server: Jupyter) -> None:
    answer = server.post("api/kernels", {"name": "python3"})
    bare = Kernel(server, answer.json["id"], "")
    server.kernels.append(bare)
    bare.expose(FUNCTIONS)
    assert bare.call("one").status == 200
    assert f"{bare.id}/one" in bare.run("%func_to_web one").displays[0]["text/plain"]
    bare.shut_down()


LAB = 'c.ServerApp.jpserver_extensions["jupyterlab"] = True'


def test_a_link_of_a_notebook_that_is_closed_offers_to_open_it(tmp_path: Path) -> None:
    with jupyter(tmp_path, config=LAB) as server:
        page = server.get(f"nbfunc/-/open/{quote('a b/ü.ipynb')}/one", Accept="text/html")
        (address,) = re.findall(r'href="([^"]*\.ipynb)"', page.text)
        there = urljoin(f"{server.base}nbfunc/-/open/a%20b/%C3%BC.ipynb/one", address)
        assert there == f"{server.base}lab/tree/{quote('a b/ü.ipynb')}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_is_started_again_has_its_files(number: int, tmp_path: Path) -> None:
    code = (
        "from nbfunc import FileResponse\n"
        "def make(): return FileResponse(data=b'kept', filename='a.txt')\n%func_to_web make"
    )
    with jupyter(tmp_path) as server:
        kernel = server.kernel()
        kernel.expose(code)
        url = kernel.call("make").json["outputs"][0]["url"]
        pid = kernel.pid
        server.stop(number)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # one that outlived its server
        server.start()
        assert server.get(url).content == b"kept"
        again = server.kernel()
        again.expose(code)
        answer = again.call("make")
        assert answer.status == 200, answer.text
        assert server.get(answer.json["outputs"][0]["url"]).content == b"kept"
        assert len(list(tmp_path.glob("data/nbfunc/*"))) == 1
