"""The events of a run as they arrive from a kernel: checked, in order, and no more than were asked for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nbfunc.core.events import EVENT, Event, Failed, Last
from nbfunc.hosts.protocol import BATCH, MOST_EVENT, WINDOW

# Beside the kernel's own there are the server's.
MOST_WAITING = 2 * WINDOW
MOST_BATCH = BATCH + MOST_EVENT + 2

_EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Event])
_LIST: TypeAdapter[list[Any]] = TypeAdapter(list[Any])


class Arrivals:
    """One run's.

    Parameters
    ----------
    run : str
        Its id.
    warn : callable
        Called with a kind and a sentence when something came that is no event.

    Attributes
    ----------
    over : bool
        Whether the last has arrived.
    batch : int
        The number of the kernel's batch that arrived last.
    read : int
        Of the one that was read last.
    """

    def __init__(self, run: str, warn: Callable[[str, str], None]) -> None:
        self.run = run
        self.over = False
        self._warn = warn
        self.batch = 0
        self.read = 0
        self._arrived: deque[tuple[list[Event], int]] = deque()
        self._woken = asyncio.Event()

    def arrive(self, batch: Any, *, over: bool, events: bytes) -> bool:
        """Take a batch; return False, the run being over, if it is not the next one or there is no room."""
        if isinstance(batch, int) and 0 < batch <= self.batch:
            return True  # it came before a connection broke, and again after
        if batch != self.batch + 1 or len(self._arrived) > MOST_WAITING or len(events) > MOST_BATCH:
            said = "The kernel sent events out of order, or more than it may."
            self.say(Failed(type="ProtocolError", message=said))
            return False
        self.batch = batch
        read = list(self._read(events))
        if over and not any(isinstance(event, Last) for event in read):
            read.append(Failed(type="ProtocolError", message="The kernel did not say how the run ended."))
        self._put(read)
        return True

    def say(self, event: Event) -> None:
        """Put in an event of the server's own; one of `Last` ends the run, whatever the kernel still says."""
        if not self.over:
            self._put([event])

    async def next(self) -> list[Event]:
        """Return the next batch."""
        while not self._arrived:
            self._woken.clear()
            await self._woken.wait()
        events, self.read = self._arrived.popleft()
        return events

    def _put(self, events: list[Event]) -> None:
        self.over = any(isinstance(event, Last) for event in events)
        self._arrived.append((events, self.batch))
        self._woken.set()

    def _read(self, batch: bytes) -> Iterator[Event]:
        """Yield the events of a batch, to the last of the run; what is none is dropped."""
        try:
            events: list[Event] = _EVENTS.validate_json(batch)
        except ValidationError:
            events = list(self._salvaged(batch))
        for event in events:
            yield event
            if isinstance(event, Last):
                return

    def _salvaged(self, batch: bytes) -> Iterator[Event]:
        try:
            lines = _LIST.validate_json(batch)
        except ValidationError:
            lines = [None]
        for line in lines:
            try:
                yield EVENT.validate_python(line)
            except ValidationError as error:
                self._warn("event", f"sent what is no event: {error.errors()[0]['msg']}")
