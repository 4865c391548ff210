"""A panel in a kernel, where each widget has a comm: what is closed leaves nothing."""

from __future__ import annotations

from typing import Any

import nbformat
from nbclient import NotebookClient

CELL = """
import threading
from ipywidgets.widgets.widget import _instances
from nbfunc import panel

def take(n: int, words: list[str], either: int | str = 5, maybe: int | None = None) -> str:
    return " ".join(words)

def counts():
    return len(_instances), len(get_ipython().kernel.comm_manager.comms), threading.active_count()

def use():
    one = panel(take)
    display(one)
    one.value = {"n": 3, "words": ["a", "b"], "either": "x"}
    assert one.run().result(60) == "a b"
    one.close()

def settled(counts_before):
    for _ in range(3000):  # a thread that waits for another run ends after half a minute
        now = counts()
        if all(one <= before for one, before in zip(now, counts_before)):
            return "nothing is left"
        threading.Event().wait(0.02)
    return f"{counts_before} before, {now} after"
"""


def test_a_hundred_panels_that_were_shown_run_and_closed_leave_no_comm_widget_or_thread() -> None:
    cells = (CELL, "use()\nbefore = counts()", "for _ in range(100):\n    use()", "settled(before)")
    made: Any = nbformat.v4
    notebook = made.new_notebook(cells=[made.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    assert notebook.cells[-1].outputs[0].data["text/plain"] == "'nothing is left'"
