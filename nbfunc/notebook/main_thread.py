"""The notebook's main thread, for functions that must run there: one at a time, and never inside a cell."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from nbfunc.core.runs import Main


class NotebookThread(Main, Protocol):
    """The main thread of a kernel, which knows of its cells."""

    def cells(self) -> int | None:
        """Return how many cells have ended; None while one runs."""


class MainThread:
    """Runs what it is given between cells; satisfies `NotebookThread`.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
        Tells when a cell begins and ends.
    loop : asyncio.AbstractEventLoop
        The one that runs its cells.
    """

    def __init__(self, shell: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        # Made by a cell, or by what stands before it; that one's end is told too.
        self._in_cell = True
        self._ended = 0
        shell.events.register("pre_run_cell", self._begin)
        shell.events.register("post_run_cell", self._end)

    def call(self, act: Callable[[], None]) -> Callable[[], bool]:
        with self._lock:
            self._waiting.append(act)
        self._loop.call_soon_threadsafe(self._next)

        def withdraw() -> bool:
            with self._lock:
                try:
                    self._waiting.remove(act)
                except ValueError:
                    return False
                return True

        return withdraw

    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def cells(self) -> int | None:
        return None if self._in_cell else self._ended

    def _begin(self, *_: Any) -> None:
        self._in_cell = True

    def _end(self, *_: Any) -> None:
        self._ended += 1
        self._in_cell = False
        self._loop.call_soon_threadsafe(self._next)

    def _next(self) -> None:
        """Run one; the next in the loop's next turn, so that a cell that waits is not kept waiting."""
        if self._in_cell:
            return  # a cell that awaits something: its end calls again
        with self._lock:
            act = self._waiting.popleft() if self._waiting else None
        if act is not None:
            with interruptible():
                act()
            self._loop.call_soon(self._next)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let an interrupt of the kernel reach what runs now: between cells ipykernel ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass  # it came when nothing was left to interrupt
    finally:
        signal.signal(signal.SIGINT, before)
