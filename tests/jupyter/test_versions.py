"""Kernels of ipykernel 7 and 6.29: a function of either is a form, whatever its cells are doing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jupyter.server import ROOT, Jupyter, Kernel

OLDER = Path(sys.prefix) / "ipykernel6"

FUNCTIONS = """
import sqlite3, sys, threading, time
connection = sqlite3.connect(":memory:")

def add(a: int, b: int = 2) -> int:
    return a + b

def speak() -> str:
    print("from print")
    print("from stderr", file=sys.stderr)
    return "from return"

def compute():
    print("started")
    n = 0
    while True:
        n += len(str(n))

def query() -> str:
    here = threading.current_thread() is threading.main_thread()
    return f"{connection.execute('select 6 * 7').fetchone()[0]} {here}"

%func_to_web add speak compute
%func_to_web --main query
"""


@pytest.fixture(scope="module", params=["7", "6.29"])
def version(request: pytest.FixtureRequest, server: Jupyter) -> str:
    """The version of ipykernel that a test runs over; a kernel of the server has its name."""
    version: str = request.param
    path = [str(ROOT)]
    if version == "6.29":
        if not OLDER.is_dir():
            pytest.fail(f"{OLDER} is missing: run `make .venv/ipykernel6-installed`, or `make test`")
        path.insert(0, str(OLDER))
    launch = (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
    server.add_kernelspec(f"ipykernel-{version}", *launch, PYTHONPATH=":".join(path))
    return version


@pytest.fixture(scope="module")
def kernel(server: Jupyter, version: str) -> Iterator[Kernel]:
    """A kernel of this version, with functions."""
    kernel = server.kernel(name=f"ipykernel-{version}")
    cell = kernel.expose(FUNCTIONS)
    assert not cell.stderr, cell.stderr
    yield kernel
    kernel.shut_down()


def value(kernel: Kernel, function: str, **arguments: object) -> object:
    answer = kernel.call(function, **arguments)
    assert answer.status == 200, answer.text
    return answer.json["outputs"][0]["value"]


def test_a_function_is_a_form_as_soon_as_the_cell_is_over(
    server: Jupyter, kernel: Kernel, version: str
) -> None:
    said = kernel.run("import ipykernel; print(ipykernel.__version__)").stdout
    assert said.startswith(f"{version}."), "another ipykernel than this test is for"
    kernel.run("def later(a: int) -> int: return a * 2\n%func_to_web later")
    assert value(kernel, "later", a=4) == 8
    assert "Later" in server.get(kernel.url("later"), Accept="text/html").text
    kernel.run("def later(a: int) -> int: return a * 3")
    assert value(kernel, "later", a=4) == 12, "the form follows the cell that defines it anew"


def test_a_form_runs_while_a_cell_sleeps(server: Jupyter, kernel: Kernel) -> None:
    request = kernel.begin_cell("time.sleep(60)")
    assert value(kernel, "add", a=1) == 3
    assert server.get(kernel.url("add"), Accept="text/html").status == 200
    server.act(kernel, "interrupt")
    assert "KeyboardInterrupt" in kernel.heard(request).error, "the cell was over before the form was"


def test_a_form_runs_while_a_cell_computes(server: Jupyter, kernel: Kernel) -> None:
    request = kernel.begin_cell("while True: n = sum(range(1000))")
    assert value(kernel, "add", a=1) == 3
    server.act(kernel, "interrupt")
    assert "KeyboardInterrupt" in kernel.heard(request).error


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_prints_reach_the_page_and_never_the_cell(busy: bool, server: Jupyter, kernel: Kernel) -> None:
    kernel.run("'a cell before, that the output could land in'")
    before = len(kernel.heard_all)
    request = kernel.begin_cell("time.sleep(60)") if busy else None
    body = kernel.call("speak").json
    assert ("from print\n" in body["printed"], "from stderr\n" in body["printed"]) == (True, True)
    if request:
        server.act(kernel, "interrupt")
        assert kernel.heard(request).stdout == ""
    assert kernel.run("print('mine')").stdout == "mine\n"
    streams = [m["content"]["text"] for m in kernel.heard_all[before:] if m["msg_type"] == "stream"]
    assert "from" not in "".join(streams)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_run_can_be_cancelled(busy: bool, server: Jupyter, kernel: Kernel) -> None:
    request = kernel.begin_cell("time.sleep(60)") if busy else None
    run = kernel.begin("compute")
    with server.stream(run) as events:
        events.until(kind="printed", text="started\n")
        assert server.ask("DELETE", run).json["status"] == "cancelling"
        events.until(kind="cancelled")
    if request:
        server.act(kernel, "interrupt")
        assert "KeyboardInterrupt" in kernel.heard(request).error
    assert not kernel.run("1").error, "the notebook goes on"


def test_main_runs_on_the_notebooks_thread_when_the_cell_is_over(server: Jupyter, kernel: Kernel) -> None:
    assert value(kernel, "query") == "42 True"
    request = kernel.begin_cell("time.sleep(60)")
    run = kernel.begin("query")
    assert value(kernel, "add", a=1) == 3
    assert server.get(run).json["status"] == "queued"
    server.act(kernel, "interrupt")
    kernel.heard(request)
    with server.stream(run) as events:
        events.until(kind="finished")
    assert server.get(run).json["outputs"][0]["value"] == "42 True"


def test_a_restart_fails_what_runs_and_recovers(server: Jupyter, kernel: Kernel) -> None:
    run = kernel.begin("compute")
    with server.stream(run) as events:
        events.until(kind="printed")
        server.act(kernel, "restart")
        assert events.until(kind="failed")["type"] == "KernelRestarted"
    kernel.wait_until_ready()
    assert kernel.call("add", a=1).status == 503
    kernel.expose(FUNCTIONS)
    assert value(kernel, "add", a=1) == 3
    assert value(kernel, "query") == "42 True"
