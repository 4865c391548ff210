"""Runs in a kernel: what they say reaches their page, whatever the notebook is doing, and never a cell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.jupyter.server import Cell, Jupyter, Kernel

FUNCTIONS = """
import asyncio, logging, sqlite3, sys, threading, time, warnings
from typing import Literal
import nbfunc
from IPython.display import HTML, display
from nbfunc import FileResponse, current_user, progress

gate = threading.Event()
computing = False
all_here = threading.Barrier(16)
connection = sqlite3.connect(":memory:")
loop = asyncio.get_running_loop()

def add(a: int, b: int = 2, tags: list[str] | None = None) -> dict:
    return {"sum": a + b, "tags": tags}

def open_gate() -> str:
    global computing
    computing = False
    gate.set()
    return "open"

def wait_at_gate() -> str:
    gate.wait()
    return "through"

def noisy():
    print("from print")
    print("from stderr", file=sys.stderr)
    logging.getLogger("noisy").warning("from logging")
    warnings.warn("from warnings")
    display(HTML("<b>from display</b>"))
    return "from return"

def count(to: int):
    for n in range(to):
        print(n)

def fail():
    print("so far")
    yield "first"
    raise LookupError("not <here>")

def together() -> str:
    all_here.wait(60)
    return "met"

def compute():
    started()
    n = 0
    while True:
        n += len(str(n))

async def sleep():
    started()
    await asyncio.sleep(600)

def generate():
    started()
    while True:
        yield None

async def generate_later():
    started()
    while True:
        yield None
        await asyncio.sleep(0)

def started():
    print("started")

def who() -> str:
    return current_user()

def steps():
    for n in range(3):
        progress(n + 1, 3, "steps")
        yield n

def picture():
    from PIL import Image
    return Image.new("RGB", (4, 3), "red")

def table():
    import pandas as pd
    return pd.DataFrame({"n": range(500), "name": [f"row {n}" for n in range(500)]})

def chosen(x: Literal[lambda: ["one", "two"]]) -> str:
    return x

def own_loop() -> int:
    async def one():
        await asyncio.sleep(0)
        return 1
    return asyncio.run(one())

async def same_loop() -> bool:
    here = asyncio.get_running_loop()
    before, globals()["last_loop"] = globals().get("last_loop", here), here
    return before is here and here is not loop

def much(megabytes: int):
    line = "x" * 999
    for _ in range(1000 * megabytes):
        print(line)

def ask():
    return input("Name?")

def query() -> str:
    here = threading.current_thread() is threading.main_thread()
    return f"{connection.execute('select 6 * 7').fetchone()[0]} {here}"

async def on_loop() -> bool:
    await asyncio.sleep(0)
    return asyncio.get_running_loop() is loop

def wrong_thread():
    connection.execute("select 1")

%func_to_web add open_gate wait_at_gate noisy count fail together compute sleep generate generate_later who
%func_to_web steps picture table chosen own_loop same_loop much ask wrong_thread
%func_to_web --main query on_loop
nbfunc.expose(wait_at_gate, max_concurrency=1)
"""


@pytest.fixture(autouse=True, scope="module")
def functions(kernel: Kernel) -> None:
    cell = kernel.run(FUNCTIONS)
    assert not cell.error + cell.stderr, cell.error + cell.stderr


def value(kernel: Kernel, function: str, **arguments: Any) -> Any:
    answer = kernel.call(function, **arguments)
    assert answer.status == 200, answer.text
    return answer.json["outputs"][0]["value"]


def ends(server: Jupyter, run: str) -> dict[str, Any]:
    """Wait until a run is over, and return all that is known of it."""
    with server.stream(run) as events:
        for _ in events:
            pass
    body: dict[str, Any] = server.get(run).json
    return body


@contextmanager
def busy(kernel: Kernel, code: str) -> Iterator[Callable[[], Cell]]:
    """A cell that runs until a form opens the gate; yields what waits for its end."""
    kernel.run("gate.clear()\ncomputing = True")
    request = kernel.begin_cell(f"{code}\nprint('end of cell')")
    try:
        yield lambda: kernel.heard(request)
    finally:
        kernel.call("open_gate")


def test_a_json_body_and_form_bodies_are_understood(server: Jupyter, kernel: Kernel) -> None:
    expected = {"sum": 5, "tags": ["x", "y"]}
    assert value(kernel, "add", a=3, tags=["x", "y"]) == expected
    encoded = urlencode({"a": "3", "tags": ["x", "y"]}, doseq=True).encode()
    answer = server.post(kernel.url("add"), encoded, Content_Type="application/x-www-form-urlencoded")
    assert answer.json["outputs"][0]["value"] == expected
    multipart = server.send_form(kernel.url("add"), {"a": "3", "-": '{"tags": ["x", "y"]}'}, {})
    assert multipart.json["outputs"][0]["value"] == expected


@pytest.mark.parametrize(
    ("arguments", "loc"),
    [({}, ["a"]), ({"a": "3"}, ["a"]), ({"a": 1, "c": 1}, ["c"]), ({"a": 1, "tags": [1]}, ["tags", 0])],
)
def test_what_does_not_fit_is_said_at_its_field(arguments: Any, loc: list[Any], kernel: Kernel) -> None:
    answer = kernel.call("add", **arguments)
    assert (answer.status, answer.json["status"]) == (422, "invalid")
    assert [error["loc"] for error in answer.json["errors"]] == [loc]


def test_wrong_bodies_and_unknown_functions_have_their_statuses(server: Jupyter, kernel: Kernel) -> None:
    json_type = "application/json"
    assert server.post(kernel.url("add"), b"{", Content_Type=json_type).status == 400
    assert server.post(kernel.url("add"), b"a", Content_Type="text/plain").status == 415
    assert server.post(kernel.url("nothing")).status == 404
    assert server.post("nbfunc/no-such-kernel/add").status == 404
    assert server.ask("PUT", kernel.url("add")).status == 405
    assert server.get("nbfunc/-/runs/unknown").status == 404


def test_a_post_that_asks_for_events_gets_them_numbered(server: Jupyter, kernel: Kernel) -> None:
    answer = server.post(kernel.url("count"), {"to": 2}, Accept="text/event-stream")
    said = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert [event["kind"] for event in said] == ["queued", "started", "printed", "finished"]
    assert [line for line in answer.text.splitlines() if line.startswith("id: ")] == [
        f"id: {n + 1}" for n in range(len(said))
    ]


def test_a_run_that_is_left_goes_on_and_can_be_read_from_any_event(server: Jupyter, kernel: Kernel) -> None:
    kernel.run("gate.clear()")
    run = kernel.begin("wait_at_gate")
    with server.stream(run) as events:
        seen = events.until(kind="started")["id"]
    kernel.call("open_gate")
    with server.stream(f"{run}?after={seen}") as events:
        rest = list(events)
    assert [event["kind"] for event in rest] == ["output", "finished"]
    assert server.get(f"{run}?after={rest[-1]['id']}", Accept="text/event-stream").status == 204
    summary = next(row for row in server.get("nbfunc/-/runs").json if run.endswith(row["run"]))
    assert (summary["function"], summary["status"]) == ("wait_at_gate", "finished")


def test_one_stream_of_a_page_carries_several_runs(server: Jupyter, kernel: Kernel) -> None:
    runs = [kernel.begin("count", to=1).rpartition("/")[2] for _ in range(3)]
    with server.stream("nbfunc/-/events?changes=1&" + "&".join(f"run={run}:0" for run in runs)) as page:
        ended = {page.until(kind="finished")["run"] for _ in runs}
    assert ended == set(runs)


def test_what_a_run_says_reaches_its_page_and_no_cell(kernel: Kernel) -> None:
    kernel.run("'a cell before, that the output could land in'")
    before = len(kernel.heard_all)
    body = kernel.call("noisy").json
    for words in ("from print\n", "from stderr\n", "from logging", "from warnings"):
        assert words in body["printed"]
    assert [output["kind"] for output in body["outputs"]] == ["display", "text"]
    assert "from display" in str(body["outputs"][0]["data"])
    request = kernel.client.execute("1 + 1")
    kernel.heard(request)
    others = [m for m in kernel.heard_all[before:] if m["parent_header"].get("msg_id") != request]
    assert others == [], "not even a status: that would show the kernel as busy"


def test_nothing_is_lost_of_what_cell_and_run_print_at_once(kernel: Kernel) -> None:
    request = kernel.client.execute("for n in range(20_000): print(n)")
    body = kernel.call("count", to=20_000).json
    lines = "".join(f"{n}\n" for n in range(20_000))
    assert body["printed"] == lines
    assert kernel.heard(request).stdout == lines


def test_what_a_cells_thread_prints_later_stays_the_cells(kernel: Kernel) -> None:
    request = kernel.client.execute(
        "def later():\n    gate.wait()\n    print('of the thread')\n"
        "gate.clear()\nthread = threading.Thread(target=later)\nthread.start()"
    )
    kernel.heard(request)
    assert kernel.call("open_gate").json["printed"] == ""
    kernel.run("thread.join()")
    said = [m["content"]["text"] for m in kernel.heard_all if m["msg_type"] == "stream"]
    assert "of the thread" in "".join(said)


def test_a_form_runs_while_a_cell_waits(server: Jupyter, kernel: Kernel) -> None:
    with busy(kernel, "gate.wait()") as end:
        assert value(kernel, "add", a=1)["sum"] == 3
        assert server.get(f"api/kernels/{kernel.id}").json["execution_state"] == "busy"
        assert server.get(kernel.url("add/schema")).status == 200
        kernel.call("open_gate")
        assert end().stdout == "end of cell\n"


def test_a_form_runs_while_a_cell_computes(kernel: Kernel) -> None:
    with busy(kernel, "while computing: n = sum(range(1000))") as end:
        assert value(kernel, "add", a=1)["sum"] == 3
        kernel.call("open_gate")
        assert end().stdout == "end of cell\n"


def test_sixteen_run_at_once(kernel: Kernel) -> None:
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda _: kernel.call("together"), range(16)))
    assert {answer.json["outputs"][0]["value"] for answer in answers} == {"met"}


@pytest.mark.parametrize("function", ["compute", "sleep", "generate", "generate_later"])
def test_a_run_of_each_kind_can_be_cancelled(function: str, server: Jupyter, kernel: Kernel) -> None:
    run = kernel.begin(function)
    with server.stream(run) as events:
        events.until(kind="printed", text="started\n")
        answer = server.ask("DELETE", run)
        assert (answer.status, answer.json["status"]) == (202, "cancelling")
        events.until(kind="cancelled")
    answer = server.ask("DELETE", run)
    assert (answer.status, answer.json["status"]) == (200, "cancelled")
    assert not kernel.run("1").error, "the notebook goes on"


def test_one_that_waits_in_line_can_be_cancelled(server: Jupyter, kernel: Kernel) -> None:
    kernel.run(
        "gate.clear()\n@nbfunc.expose(max_concurrency=1)\ndef single():\n    gate.wait()\n%func_to_web single"
    )
    first, second = kernel.begin("single"), kernel.begin("single")
    with server.stream(second) as events:
        assert events.until(kind="queued")["position"] == 1
        server.ask("DELETE", second)
        assert [event["kind"] for event in events] == ["cancelled"]
    kernel.call("open_gate")
    assert ends(server, first)["status"] == "finished"


def test_progress_and_values_come_on_the_way(server: Jupyter, kernel: Kernel) -> None:
    run = kernel.begin("steps")
    body = ends(server, run)
    assert [output["value"] for output in body["outputs"]] == [0, 1, 2]
    summary = next(row for row in server.get("nbfunc/-/runs").json if run.endswith(row["run"]))
    assert summary["progress"] == {"done": 3, "total": 3, "text": "steps"}


def test_a_failure_keeps_what_came_before_and_tells_where(kernel: Kernel) -> None:
    answer = kernel.call("fail")
    body = answer.json
    assert (answer.status, body["status"], body["printed"]) == (500, "failed", "so far\n")
    assert body["outputs"][0]["value"] == "first"
    assert (body["error"]["type"], body["error"]["message"]) == ("LookupError", "not <here>")
    assert "raise LookupError" in body["error"]["traceback"]


def test_a_picture_can_be_fetched(server: Jupyter, kernel: Kernel) -> None:
    (output,) = kernel.call("picture").json["outputs"]
    assert (output["kind"], output["width"], output["height"]) == ("image", 4, 3)
    answer = server.get(output["url"])
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def test_a_table_is_sorted_searched_and_saved_on_the_server(server: Jupyter, kernel: Kernel) -> None:
    (output,) = kernel.call("table").json["outputs"]
    assert (output["kind"], output["total"], len(output["rows"])) == ("table", 500, 100)
    page = server.get(f"{output['url']}?sort=0&descending=1&limit=2").json
    assert [row[0] for row in page["rows"]] == [499, 498]
    assert server.get(f"{output['url']}?q=row+49").json["matching"] == 11
    assert len(server.get(output["csv"]).text.splitlines()) == 501


def test_a_dropdown_asks_its_callable(server: Jupyter, kernel: Kernel) -> None:
    schema = server.get(kernel.url("chosen/schema")).json
    assert schema["parameters"]["properties"]["x"]["enum"] == ["one", "two"]
    assert value(kernel, "chosen", x="two") == "two"
    assert kernel.call("chosen", x="three").status == 422


def test_coroutines_share_a_loop_and_functions_may_have_their_own(kernel: Kernel) -> None:
    assert value(kernel, "same_loop") is True
    assert value(kernel, "same_loop") is True
    assert value(kernel, "own_loop") == 1


def test_megabytes_of_prints_arrive_whole(kernel: Kernel) -> None:
    assert kernel.call("much", megabytes=20).json["printed"] == ("x" * 999 + "\n") * 20_000


def test_input_says_to_make_it_a_parameter(kernel: Kernel) -> None:
    answer = kernel.call("ask")
    assert answer.status == 500
    assert "parameter" in answer.json["error"]["message"]


def test_the_function_knows_who_asks(server: Jupyter, kernel: Kernel) -> None:
    cookies = server.cookies()
    me = server.get("api/me", token=None, **cookies).json["identity"]["username"]
    answer = server.post(kernel.url("who"), {}, token=None, **cookies)
    assert answer.json["outputs"][0]["value"] == me


def test_openapi_describes_a_kernels_functions(server: Jupyter, kernel: Kernel) -> None:
    paths = server.get(f"nbfunc/-/openapi.json?kernel={kernel.id}").json["paths"]
    assert any(path.endswith(f"{kernel.id}/add") for path in paths)


# On the main thread


def test_main_uses_what_is_bound_to_the_notebooks_thread(kernel: Kernel) -> None:
    assert value(kernel, "query") == "42 True"
    assert value(kernel, "on_loop") is True


def test_the_wrong_thread_is_told_of_main(kernel: Kernel) -> None:
    error = kernel.call("wrong_thread").json["error"]
    assert error["type"] == "ProgrammingError"
    assert "--main" in error["message"]


def test_main_waits_for_the_cell_and_others_do_not(server: Jupyter, kernel: Kernel) -> None:
    with busy(kernel, "gate.wait()") as end:
        run = kernel.begin("query")
        coroutine = kernel.begin("on_loop")
        assert value(kernel, "add", a=1)["sum"] == 3
        assert server.get(run).json["status"] == "queued"
        assert server.get(coroutine).json["status"] == "queued"
        kernel.call("open_gate")
        assert end().stdout == "end of cell\n"
        assert ends(server, run)["outputs"][0]["value"] == "42 True"
        assert ends(server, coroutine)["outputs"][0]["value"] is True


def test_main_waits_for_a_cell_that_awaits(server: Jupyter, kernel: Kernel) -> None:
    code = "while not gate.is_set(): await asyncio.sleep(0.01)"
    with busy(kernel, code) as end:
        run = kernel.begin("query")
        assert value(kernel, "add", a=1)["sum"] == 3
        assert server.get(run).json["status"] == "queued"
        kernel.call("open_gate")
        end()
        assert ends(server, run)["status"] == "finished"


def test_one_that_waits_for_the_cell_can_be_cancelled(server: Jupyter, kernel: Kernel) -> None:
    with busy(kernel, "gate.wait()"):
        run = kernel.begin("query")
        server.ask("DELETE", run)
        assert ends(server, run)["status"] == "cancelled"


def test_what_main_prints_lands_on_its_page(kernel: Kernel) -> None:
    kernel.run(
        "def speak():\n    print('on main')\n    display(HTML('<i>shown</i>'))\n%func_to_web --main speak"
    )
    before = len(kernel.heard_all)
    body = kernel.call("speak").json
    assert body["printed"] == "on main\n"
    assert [output["kind"] for output in body["outputs"]] == ["display"]
    assert kernel.run("print('mine')").stdout == "mine\n"
    assert "on main" not in str(kernel.heard_all[before:])


def test_how_a_run_fails_is_said_on_its_page_and_in_the_servers_log_never_in_a_cell(
    server: Jupyter, fresh: Kernel
) -> None:
    fresh.expose("def broken() -> int:\n    raise LookupError('nothing here')\n%func_to_web broken")
    answer = fresh.call("broken")
    assert answer.json["error"]["type"] == "LookupError"
    assert "nothing here" in server.said()
    cell = fresh.run("1 + 1")
    assert (cell.stdout, cell.stderr) == ("", "")
    assert not [message for message in fresh.heard_all if message["msg_type"] == "stream"]


def test_a_function_that_yields_fast_holds_up_no_other(server: Jupyter, fresh: Kernel) -> None:
    fresh.expose(
        "def flood():\n    for n in range(100_000):\n        yield n\n\n"
        "def one() -> int:\n    return 1\n\n%func_to_web flood one"
    )
    run = fresh.begin("flood")
    answers = [fresh.call("one").status for _ in range(5)]
    assert answers == [200] * 5
    assert server.get(run).json["status"] == "running"
    server.ask("DELETE", run)
