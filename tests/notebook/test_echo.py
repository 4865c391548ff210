"""An echo of the browser tells that what was filled in is here; where none comes, a click is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from nbfunc.notebook.panels.echo import Echo

LONG = 600.0


class Browser:
    """Sends back what the echo asks for, when it is told to."""

    def __init__(self, echo: Echo) -> None:
        self._echo = echo

    def answer(self) -> None:
        self._echo._answered.set_state({"value": self._echo._asked.value})


def an_echo(*cells: int | None, patience: float = LONG) -> tuple[Echo, Browser, Iterator[int | None]]:
    counts = iter(cells)
    echo = Echo(asyncio.get_running_loop(), lambda: next(counts), patience=patience)
    return echo, Browser(echo), counts


async def soon() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_click_waits_for_the_echo_of_its_own() -> None:
    async def clicked() -> None:
        echo, browser, _ = an_echo(1, 1)
        browser.answer()
        await soon()
        first, second = asyncio.ensure_future(echo.settled()), asyncio.ensure_future(echo.settled())
        await soon()
        assert not first.done()
        browser.answer()
        await asyncio.gather(first, second)

    asyncio.run(clicked())


def test_a_browser_that_never_echoed_is_not_waited_for() -> None:
    async def clicked() -> None:
        echo, _, counts = an_echo(1, 1)
        await echo.settled()
        assert next(counts) == 1  # nothing was asked of the kernel

    asyncio.run(clicked())


@pytest.mark.parametrize("cells", [(1, 1), (None, None, 2, 3, 3)], ids=["free", "busy at first"])
def test_a_click_of_a_browser_that_is_gone_is_heard_once_the_kernel_is_free(cells: tuple[int | None]) -> None:
    async def clicked() -> None:
        echo, browser, counts = an_echo(*cells, 0, patience=0.01)
        browser.answer()
        await soon()
        await echo.settled()
        assert next(counts) == 0  # all of them were looked at

    asyncio.run(clicked())


def test_a_browser_that_comes_back_is_waited_for_again() -> None:
    async def clicked() -> None:
        echo, browser, counts = an_echo(1, 1, 1, patience=0.01)
        browser.answer()
        await soon()
        await echo.settled()
        await echo.settled()  # taken for gone
        assert next(counts) == 1
        browser.answer()
        await soon()
        with pytest.raises(RuntimeError, match="StopIteration"):
            await echo.settled()  # the kernel is looked at again

    asyncio.run(clicked())
