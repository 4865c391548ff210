"""Tell from outside how long a server's event loop was held: a task in it that ticks."""

from __future__ import annotations

import asyncio
import mmap
import struct
import time
from pathlib import Path

TICK_SECONDS = 0.001
_SECONDS = struct.Struct("d")


class Gap:
    """The longest gap of a loop so far, in a file that both processes have mapped."""

    def __init__(self, path: Path) -> None:
        path.touch()
        with path.open("r+b") as file:
            file.truncate(_SECONDS.size)
            self._map = mmap.mmap(file.fileno(), _SECONDS.size)

    @property
    def seconds(self) -> float:
        """The longest since it was last set; set it to 0 to measure anew."""
        value: float = _SECONDS.unpack(self._map)[0]
        return value

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._map[:] = _SECONDS.pack(value)


def watch(gap: Gap) -> None:
    """Make every event loop of this process tick from its start on, whoever starts it."""
    start = asyncio.BaseEventLoop.run_forever

    def run_forever(loop: asyncio.BaseEventLoop) -> None:
        last = time.perf_counter()

        def tick() -> None:
            nonlocal last
            now = time.perf_counter()
            gap.seconds = max(gap.seconds, now - last - TICK_SECONDS)
            last = now
            loop.call_later(TICK_SECONDS, tick)

        loop.call_soon(tick)
        start(loop)

    # uvicorn gives no other way in.
    asyncio.BaseEventLoop.run_forever = run_forever  # type: ignore[assignment,method-assign]  # the same call
