"""A run's events out of the kernel: in batches, of which only so many may be unread on the other side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Callable

from nbfunc.core.events import Event, Last, OutputEvent, Text
from nbfunc.hosts.protocol import BATCH, MOST_EVENT, SILENT_SECONDS, WINDOW

# Of small events: what a server reads in some milliseconds.
MOST_EVENTS = 200


class Outflow:
    """The way of one run's events to the server that asked for it.

    Parameters
    ----------
    send : callable
        Sends one batch: its number, whether it is the last, and the events as one JSON array.
    kept : bool
        Whether what is sent may be lost on its way: then it is kept until it is acknowledged.
    now : float
        When it begins, in seconds.

    Attributes
    ----------
    heard : float
        When the server last said that it wants to hear of the run.
    released : bool
        Whether nobody reads any more.
    """

    def __init__(
        self, send: Callable[[int, bool, bytes], None], *, kept: bool = False, now: float = 0.0
    ) -> None:
        self.heard = now
        self.released = False
        self._send = send
        self._kept: deque[tuple[int, bool, bytes]] | None = deque() if kept else None
        self._lines: list[bytes] = []
        self._size = 0
        self._batch = 0
        self._acknowledged = 0
        self._over = False
        self._due = False
        self._room = asyncio.Event()

    async def pump(self, events: AsyncIterable[Event]) -> None:
        """Send all events of a run; where they are kept, return when the last is acknowledged."""
        loop = asyncio.get_running_loop()
        async for event in events:
            line = _line(event)
            self._lines.append(line)
            self._size += len(line)
            self._over = isinstance(event, Last)
            if self._size >= BATCH or len(self._lines) >= MOST_EVENTS or self._over:
                self._flush()
                await asyncio.sleep(0)  # others have their turn, however fast a function yields
            elif not self._due:
                # What has arrived already, and is yielded before the loop has its turn, goes in one batch.
                self._due = True
                loop.call_soon(self._flush)
            while self._is_full():
                # The run's own mailbox fills up meanwhile, and the function waits: no memory does.
                self._room.clear()
                await self._room.wait()
        while self._kept:
            self._room.clear()
            await self._room.wait()

    def acknowledge(self, batch: int) -> None:
        """The server has read batch number `batch` and all before it."""
        self._acknowledged = max(self._acknowledged, min(batch, self._batch))
        while self._kept and self._kept[0][0] <= self._acknowledged:
            self._kept.popleft()
        self._flush()
        self._room.set()

    def resume(self, arrived: int, send: Callable[[int, bool, bytes], None]) -> int:
        """Send again what came after batch number `arrived`; return the number of the last that was sent."""
        self._send = send
        for batch in self._kept or ():
            if batch[0] > arrived:
                send(*batch)
        return self._batch

    def is_forsaken(self, now: float) -> bool:
        """Whether the server that asked is gone for good, as far as can be known from here."""
        # Where nothing is kept, the kernel's connection or the kernel itself ends with the server.
        return self._kept is not None and now - self.heard >= SILENT_SECONDS

    def release(self) -> None:
        """Nobody reads any more: what still comes is dropped, so that the function never waits for room."""
        self.released = True
        self._kept = None
        self._flush()
        self._room.set()

    def _is_full(self) -> bool:
        return not self.released and self._batch - self._acknowledged >= WINDOW

    def _flush(self) -> None:
        self._due = False
        if not self._lines or self._is_full():
            return
        lines, self._lines, self._size = self._lines, [], 0
        if self.released:
            return
        self._batch += 1
        events = b"[" + b",".join(lines) + b"]"
        if self._kept is not None:
            self._kept.append((self._batch, self._over, events))
        self._send(self._batch, self._over, events)


def _line(event: Event) -> bytes:
    line = event.model_dump_json().encode()
    if len(line) <= MOST_EVENT:
        return line
    said = f"[This result is too large to be shown: {len(line):,} bytes. Return it as a FileResponse.]"
    return OutputEvent(output=Text(text=said)).model_dump_json().encode()
