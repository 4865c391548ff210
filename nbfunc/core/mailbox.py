"""Events from any thread to one asyncio reader, in order; what is printed within 20 ms arrives as one."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Literal

from nbfunc.core.events import Event, Printed, Progress

JOIN_SECONDS = 0.02
# A writer that is faster than the loop waits here, so that a function which prints or yields for ever
# cannot fill the memory: at most so many events, or characters of print, are on their way.
MOST_EVENTS = 1000
MOST_TEXT = 1 << 20


class Mailbox:
    """The way of a run's events out of its thread.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The reader's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.RLock()  # a finalizer that prints may run while this thread holds it
        self._room = threading.Condition(self._lock)
        self._crowded = False  # whether a writer waits for room
        self._waiting: list[Event] = []
        self._then: list[Callable[[], None]] = []
        self._stream: Literal["stdout", "stderr"] = "stdout"
        self._prints: list[str] = []
        self._printed = 0
        self._due: float | None = None  # the delay of the flush that is on its way
        self._arrived: deque[Event] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._resting: threading.Lock | None = None  # of a reader that waits to be woken

    def put(self, event: Event) -> None:
        """Send an event at once; from any thread."""
        with self._lock:
            self._close_print()
            self._waiting.append(event)
            self._call(0)
            self._wait_for_room()

    def hold(self, event: Event) -> None:
        """Send an event with the next one, which follows at once: to wake the reader twice costs twice."""
        with self._lock:
            self._close_print()
            self._waiting.append(event)

    def then(self, act: Callable[[], None]) -> None:
        """Have something called on the reader's loop with the next event, before it is read."""
        with self._lock:
            self._then.append(act)

    def print(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        """Send printed text, joined with what follows within 20 ms; from any thread."""
        with self._lock:
            if stream != self._stream:
                self._close_print()
                self._stream = stream
            self._prints.append(text)
            self._printed += len(text)
            self._call(JOIN_SECONDS)
            self._wait_for_room()

    def progress(self, event: Progress) -> None:
        """Send progress; one that follows within 20 ms takes its place."""
        with self._lock:
            self._close_print()
            if self._waiting and isinstance(self._waiting[-1], Progress):
                self._waiting[-1] = event
            else:
                self._waiting.append(event)
            self._call(JOIN_SECONDS)
            self._wait_for_room()

    def _close_print(self) -> None:
        if self._prints:
            self._waiting.append(Printed(stream=self._stream, text=unicode_only("".join(self._prints))))
            self._prints = []

    def _call(self, delay: float) -> None:
        if self._resting is not None:
            return  # the reader looks when it is rested
        if not delay and self._is_reader():
            self._flush()
            return
        if self._due is not None and self._due <= delay:
            return
        self._due = delay
        try:
            if delay:
                self._loop.call_soon_threadsafe(self._loop.call_later, delay, self._flush)
            else:
                self._loop.call_soon_threadsafe(self._flush)
        except RuntimeError:  # the loop is closed: the server is gone, and with it whoever would read
            self._waiting, self._then, self._prints, self._printed, self._due = [], [], [], 0, None

    def _is_reader(self) -> bool:
        return threading.get_ident() == getattr(self._loop, "_thread_id", None)

    def _wait_for_room(self) -> None:
        if len(self._waiting) < MOST_EVENTS and self._printed < MOST_TEXT:
            return
        if self._is_reader():
            return  # which must not wait for itself
        while len(self._waiting) >= MOST_EVENTS or self._printed >= MOST_TEXT:
            self._call(0)
            self._crowded = True
            self._room.wait(1)

    def _flush(self) -> None:
        with self._lock:
            self._close_print()
            self._arrived.extend(self._waiting)
            acts = self._then
            self._waiting, self._then, self._printed, self._due = [], [], 0, None
            if self._crowded:
                self._crowded = False
                self._room.notify_all()
        for act in acts:
            act()
        if self._arrived and self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def rest(self, begin: Callable[[], None], seconds: float) -> None:
        """Begin what will write here and wait for its `wake`, at most so long; on the reader's thread.

        What is over at once is cheaper to wait for than to be called back by.
        """
        resting = self._resting = threading.Lock()
        resting.acquire()
        begin()
        resting.acquire(timeout=seconds)
        with self._lock:
            self._resting = None
        self._flush()

    def wake(self) -> None:
        """Say that nothing more will be written; from any thread."""
        with self._lock:
            if self._resting is not None:
                self._resting.release()

    def arrived(self) -> list[Event]:
        """Take the events that are there already; on the reader's loop."""
        events = list(self._arrived)
        self._arrived.clear()
        return events

    async def get(self) -> Event:
        """Return the next event; on the reader's loop."""
        while not self._arrived:
            self._reader = self._loop.create_future()
            await self._reader
        return self._arrived.popleft()


def unicode_only(text: str) -> str:
    """Return text that UTF-8 can hold: half a surrogate pair becomes ``?``."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
