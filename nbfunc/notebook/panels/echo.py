"""Know that the browser has sent what was filled in: it sends a number back, behind what it held back.

While a change of a widget is on its way, the browser keeps the next one of that widget back until the kernel
is done with the first; a click goes out at once, and may come before what was typed before it. So after a
click the browser is asked for an echo. It hears the question after it heard that its first change was
handled, which is when it sends what it kept back; the echo comes behind that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import ipywidgets
import traitlets

# Where no echo is known to come, from a browser that draws widgets in a way of its own.
SETTLE_SECONDS = 0.15
# For a browser that has gone.
LOST_SECONDS = 5.0


class _Number(ipywidgets.Widget):  # type: ignore[misc]  # ipywidgets has no types
    """A number that kernel and browser know; it is not seen."""

    value = traitlets.Int().tag(sync=True)


class Echo:
    """What asks the browser for echoes; belongs to an event loop.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        On which `settled` is awaited.
    cells : callable
        Returns how many cells have ended; None while one runs.
    patience : float
        Seconds that a browser has for an echo, of a kernel that is free.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        cells: Callable[[], int | None],
        *,
        patience: float = LOST_SECONDS,
    ) -> None:
        self._loop = loop
        self._cells = cells
        self._patience = patience
        self._last = 0
        self._heard = 0
        self._waiting: dict[asyncio.Future[None], int] = {}
        # Two, since a widget must not be set by a thread while another hears of it from the browser.
        self._asked, self._answered = _Number(), _Number()
        self._link = ipywidgets.jsdlink((self._asked, "value"), (self._answered, "value"))
        self._answered.observe(self._answer, "value")
        self._ask()  # whether there are echoes at all

    async def settled(self) -> None:
        """Wait until what was filled in before now is here."""
        asked = self._ask()
        if self._heard == 0 or self._asked.comm is None:
            await asyncio.sleep(SETTLE_SECONDS)
            return
        echo = self._loop.create_future()
        self._waiting[echo] = asked
        try:
            before = self._cells()
            while (await asyncio.wait([echo], timeout=self._patience))[1]:
                now = self._cells()
                if now is not None and now == before:
                    self._heard = 0  # until one comes
                    return
                before = now
        finally:
            del self._waiting[echo]

    def _ask(self) -> int:
        self._last += 1
        self._asked.value = self._last
        return self._last

    def _answer(self, change: Any) -> None:
        self._loop.call_soon_threadsafe(self._hear, change["new"])

    def _hear(self, number: int) -> None:
        self._heard = number
        for echo, asked in self._waiting.items():
            if asked <= number and not echo.done():
                echo.set_result(None)
