"""pyplot's implicit figure of a function on the notebook's thread: nothing meanwhile takes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jupyter.server import Answer, Jupyter, Kernel

FUNCTIONS = """
%matplotlib inline
import asyncio
from concurrent.futures import ThreadPoolExecutor
from matplotlib import pyplot as plt

shell = get_ipython()
elsewhere = ThreadPoolExecutor(1)
elsewhere.submit(int).result()  # its thread is the notebook's, not a run's
begun, gate = asyncio.Event(), asyncio.Event()

def while_a_widget_is_used(n: int) -> None:
    plt.figure(figsize=(n, 1))
    # What a widget's message does in the thread of its subshell, after the widget heard of it.
    elsewhere.submit(shell.events.trigger, "post_execute").result()
    plt.plot([1, 2])

async def while_cells_run(n: int) -> None:
    plt.figure(figsize=(n, 1))
    print("drawn")
    await gate.wait()
    plt.plot([1, 2])

def fails() -> None:
    plt.figure()
    raise ValueError("no")

def plots() -> None:
    plt.plot([1, 2])

def closes() -> None:
    plt.close("all")

%func_to_web --main while_a_widget_is_used while_cells_run fails plots closes
"""


@pytest.fixture(scope="module")
def notebook(server: Jupyter) -> Iterator[Kernel]:
    kernel = server.kernel()
    kernel.expose(FUNCTIONS)
    yield kernel
    kernel.shut_down()


def width(answer: Answer) -> int:
    """Return the width of the only picture."""
    (output,) = answer.json["outputs"]
    return int(output["width"])


def test_a_widget_that_is_used_meanwhile_takes_no_figure(notebook: Kernel) -> None:
    narrow, wide = (notebook.call("while_a_widget_is_used", n=n) for n in (2, 8))
    assert width(wide) > 3 * width(narrow)


def test_a_cell_that_is_run_meanwhile_neither_takes_nor_shows_the_figure(
    server: Jupyter, notebook: Kernel
) -> None:
    widths = []
    for n in (2, 8):
        notebook.run("gate.clear()")
        run = notebook.begin("while_cells_run", n=n)
        with server.stream(run) as events:
            events.until(kind="printed", text="drawn\n")
            cells = [notebook.run("print(plt.get_fignums())"), notebook.run("gate.set()")]
            assert not [display for cell in cells for display in cell.displays]
            assert cells[0].stdout == "[]\n"
            widths.append(events.until(kind="output")["output"]["width"])
            events.until(kind="finished")
    assert widths[1] > 3 * widths[0]


def test_a_figure_of_a_function_that_failed_lands_in_no_cell(notebook: Kernel) -> None:
    assert notebook.call("fails").status == 500
    assert not notebook.run("pass").displays
    assert notebook.run("print(plt.get_fignums())").stdout == "[]\n"


def test_figures_that_the_notebook_keeps_open_are_the_functions_too(notebook: Kernel) -> None:
    notebook.run("%config InlineBackend.close_figures = False")
    try:
        notebook.run("kept = plt.figure()")
        assert notebook.call("plots").json["outputs"] == []
        assert notebook.run("print(len(kept.axes), plt.gcf() is kept)").stdout == "1 True\n"
        assert notebook.call("closes").status == 200
        assert notebook.run("print(plt.get_fignums())").stdout == "[]\n"
    finally:
        notebook.run("%config InlineBackend.close_figures = True\nplt.close('all')")
