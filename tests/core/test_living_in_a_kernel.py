"""In a kernel nothing that a run shows lands in a cell, and what a cell shows stays in the cell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

SETUP = """
import asyncio, json, threading
from tests.core.test_runs import Watched
from nbfunc.core.runs import CoroutineLoop

coroutines = CoroutineLoop()
mailboxes = asyncio.new_event_loop()
threading.Thread(target=mailboxes.run_forever, daemon=True).start()

async def whole(act):
    watched = Watched(act, coroutines)
    await watched.end()
    return watched.events

def begin(act):
    return asyncio.run_coroutine_threadsafe(whole(act), mailboxes)

def told(future):
    print(json.dumps([json.loads(event.model_dump_json()) for event in future.result()]))
"""


class Notebook:
    """A kernel, cell by cell."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def cell(self, code: str) -> list[dict[str, Any]]:
        """Run a cell and return the messages that a notebook draws in its output."""
        asked = self._client.execute(code)
        drawn: list[dict[str, Any]] = []
        while True:
            message = self._client.get_iopub_msg(timeout=60)
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                if message["parent_header"].get("msg_id") == asked:
                    return drawn
            elif kind not in {"status", "execute_input"}:
                drawn.append({"msg_type": kind, **content})

    def run(self, act: str) -> list[dict[str, Any]]:
        """Return the events of a run of `act`, which is an expression."""
        (printed,) = self.cell(f"told(begin({act}))")
        assert printed.get("name") == "stdout", printed
        events: list[dict[str, Any]] = json.loads(printed["text"])
        return events


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    manager, client = start_new_kernel()
    try:
        notebook = Notebook(client)
        assert notebook.cell(SETUP) == []
        yield notebook
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def outputs(events: list[dict[str, Any]]) -> list[Any]:
    return [event["output"] for event in events if event["kind"] == "output"]


@pytest.mark.parametrize("name", ["plain", "coroutine", "generator"])
def test_what_a_run_displays_is_its_output_and_no_cells(name: str, notebook: Notebook) -> None:
    drawn = notebook.cell("""
from IPython.display import HTML, clear_output, display, publish_display_data, update_display
def plain():
    display("one")
    display(HTML("<b>two</b>"))
    publish_display_data({"text/plain": "three"})
    get_ipython().display_pub.publish({"text/plain": "four"})
    clear_output()
async def coroutine():
    await asyncio.sleep(0)
    plain()
def generator():
    yield
    plain()
""")
    assert drawn == []
    events = notebook.run(name)
    one, two, three, four = outputs(events)
    assert one["text"] == "one"
    assert two["data"]["text/html"] == "<b>two</b>"
    assert three["data"] == {"text/plain": "three"}
    assert four["data"] == {"text/plain": "four"}


def test_what_listens_to_the_shells_displays_listens_after_a_run_too(notebook: Notebook) -> None:
    notebook.cell("""
publisher, heard = get_ipython().display_pub, []
publisher.publish = lambda *given, **more: heard.append("heard")
""")
    assert notebook.run("lambda: 1")[-1]["kind"] == "finished"
    (said,) = notebook.cell("display('x'); del publisher.publish; print(heard)")
    assert said["text"] == "['heard']\n"


def test_a_cell_displays_as_ever_while_a_run_does(notebook: Notebook) -> None:
    drawn = notebook.cell("""
from IPython.display import display
inside, outside = threading.Event(), threading.Event()
def act():
    display("of the run")
    inside.set()
    outside.wait()
    display("of the run, later")
run = begin(act)
inside.wait()
display("of the cell")
handle = display("first", display_id="d")
handle.update("second")
outside.set()
events = run.result()
display("after it")
""")
    assert [(message["msg_type"], message["data"]["text/plain"]) for message in drawn] == [
        ("display_data", "'of the cell'"),
        ("display_data", "'first'"),
        ("update_display_data", "'second'"),
        ("display_data", "'after it'"),
    ]
    (said,) = notebook.cell("print([event.output.text for event in events if event.kind == 'output'])")
    assert said["text"] == "['of the run', 'of the run, later']\n"


def test_a_run_that_goes_on_after_its_cell_shows_nothing_in_the_next(notebook: Notebook) -> None:
    notebook.cell("""
from IPython.display import display
go = threading.Event()
def act():
    go.wait()
    print("printed")
    display("displayed")
run = begin(act)
""")
    assert notebook.cell("go.set(); _ = run.result()") == []


def test_plt_show_and_open_figures_are_the_runs(notebook: Notebook) -> None:
    drawn = notebook.cell("""
%matplotlib inline
from matplotlib import pyplot as plt
def act():
    plt.plot([1, 2])
    plt.show()
    plt.plot([2, 1])
""")
    assert drawn == []
    events = notebook.run("act")
    assert [output["kind"] for output in outputs(events)] == ["image", "image"]
    assert notebook.cell("plt.get_fignums()")[0]["data"]["text/plain"] == "[]"


def test_a_cell_draws_its_figure_as_ever_while_a_run_draws_another(notebook: Notebook) -> None:
    drawn = notebook.cell("""
%matplotlib inline
from matplotlib import pyplot as plt
inside, outside = threading.Event(), threading.Event()
def act():
    plt.plot([1, 2])
    inside.set()
    outside.wait()
run = begin(act)
inside.wait()
plt.title("of the cell")
outside.set()
count = [event.kind for event in run.result()].count("output")
""")
    assert [message["msg_type"] for message in drawn] == ["display_data"]
    assert notebook.cell("count")[0]["data"]["text/plain"] == "1"


def test_tqdm_auto_is_the_runs_bar_in_a_run_and_a_widget_in_a_cell(notebook: Notebook) -> None:
    drawn = notebook.cell("""
from tqdm.auto import tqdm
from tqdm.notebook import tqdm as widget
def act(bar=tqdm):
    for _ in bar(range(7), desc="pages"):
        pass
""")
    assert drawn == []
    for name in ("act", "lambda: act(widget)"):
        events = notebook.run(name)
        bars = [event for event in events if event["kind"] == "progress"]
        assert bars[-1] == {"kind": "progress", "done": 7.0, "total": 7.0, "text": "pages"}
        assert [event["kind"] for event in events if event["kind"] in {"printed", "output"}] == []
    kinds = [message["msg_type"] for message in notebook.cell("act()")]
    assert "comm_open" in kinds
    assert "display_data" in kinds
