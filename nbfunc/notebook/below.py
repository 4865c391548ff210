"""The cell below a magic, run as the notebook runs any: it may await, and its error is the notebook's."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from IPython.core.inputtransformer2 import cell_magic


def awaits(shell: Any, cell: str) -> bool:
    """Return whether a cell awaits something outside of its functions."""
    try:
        code = shell.transform_cell(cell)
    except SyntaxError:  # which running it will tell
        return False
    awaiting: bool = shell.should_run_async(cell, transformed_cell=code)
    return awaiting


def awaited(shell: Any, magic: str) -> Callable[[list[str]], list[str]]:
    """Return an input transformer that lets the notebook await a magic where the cell below it awaits.

    The magic then returns a coroutine. A magic that returns when all is over would have to enter the
    notebook's running loop a second time.
    """

    def transform(lines: list[str]) -> list[str]:
        if re.match(rf"%%{magic}\s", "".join(lines[:1])) and awaits(shell, "".join(lines[1:])):
            return [f"await {line}" for line in cell_magic(lines)]  # type: ignore[no-untyped-call]  # IPython's
        return lines

    # IPython's word for what is not to be done to a cell that is still being written in a console.
    transform.has_side_effects = True  # type: ignore[attr-defined]
    return transform


def run(shell: Any, cell: str) -> None:
    """Run a cell that awaits nothing; what it raises is shown, and raised here."""
    _fail_as(shell.run_cell(cell, store_history=False), shell)


async def run_awaiting(shell: Any, cell: str) -> None:
    """Do what `run` does, for a cell that awaits something."""
    code = shell.transform_cell(cell)
    result = None
    try:
        result = await shell.run_cell_async(cell, store_history=False, transformed_cell=code)
    finally:
        # As ipykernel does after this call: `run_cell` does it itself.
        shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", result)
    _fail_as(result, shell)


def _fail_as(result: Any, shell: Any) -> None:
    """Raise what a cell raised, so that the cell around fails with it; it has been shown already."""
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return
    show = shell.showtraceback

    def show_others(exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        shell.showtraceback = show
        if (sys.exc_info() if exc_tuple is None else exc_tuple)[1] is not error:
            show(exc_tuple, *args, **kwargs)

    shell.showtraceback = show_others
    raise error
