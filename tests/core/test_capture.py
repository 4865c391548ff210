"""What cells print while runs begin and end."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stdout

from nbfunc.core.capture import capture

A_RUN_ENDS_WITHIN_A_PRINT = """
import io, sys
from nbfunc.core.capture import capture

class Notebook(io.StringIO):
    def write(self, text):
        while undo:
            undo.pop()()
        return super().write(text)

undo = []
notebook = sys.stdout = Notebook()
undo.append(capture())
print("a", "b", "c")
sys.stdout = sys.__stdout__
print(repr(notebook.getvalue()))
"""


def test_a_print_is_whole_though_the_last_run_ends_within_it() -> None:
    # In a process of its own: without care it crashes.
    ran = subprocess.run(
        [sys.executable, "-c", A_RUN_ENDS_WITHIN_A_PRINT], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "'a b c\\n'\n", "")


def test_a_redirection_that_outlives_a_run_does_no_harm_to_later_ones() -> None:
    before, notebook = sys.stdout, io.StringIO()
    try:
        sys.stdout = notebook
        for number in range(2000):  # more than calls may nest
            undo = capture()
            with redirect_stdout(io.StringIO()):
                undo()
            print(number)
        undo = capture()
        print("end")
        undo()
        assert sys.stdout is notebook
    finally:
        sys.stdout = before
    assert notebook.getvalue().endswith("1999\nend\n")


def test_what_is_closed_by_mistake_still_takes_prints() -> None:
    before, notebook = sys.stdout, io.StringIO()
    try:
        sys.stdout = notebook
        undo = capture()
        sys.stdout.close()
        print("still there", flush=True)
        undo()
    finally:
        sys.stdout = before
    assert notebook.getvalue() == "still there\n"
