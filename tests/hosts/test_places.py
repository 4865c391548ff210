"""Where and for how long a function runs, as its own options say: the main thread, an executor, a timeout."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import multiprocessing
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

from nbfunc import expose
from nbfunc.core.events import CancelledEvent, Event, Failed, Finished, Printed, Queued, Started
from nbfunc.core.runs import Main
from nbfunc.errors import OptionError
from nbfunc.hosts.base import RawArguments
from tests.hosts.test_hosts import Rig, events_of, first, rig, texts, within

__all__ = ["rig"]

# What a host is given beside functions is the same over a kernel, whose agent has such a host.
pytestmark = pytest.mark.parametrize("rig", ["in_process"], indirect=True)


class Notebook(Main):
    """A thread with an event loop that plays a kernel's main thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._loop.run_forever)
        self.thread.start()

    def call(self, act: Callable[[], None]) -> Callable[[], bool]:
        state = {"begun": False, "withdrawn": False}
        lock = threading.Lock()

        def once() -> None:
            with lock:
                if state["withdrawn"]:
                    return
                state["begun"] = True
            act()

        def withdraw() -> bool:
            with lock:
                state["withdrawn"] = not state["begun"]
                return state["withdrawn"]

        self._loop.call_soon_threadsafe(once)
        return withdraw

    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def cell(self, act: Callable[[], Any]) -> Any:
        """Run something on the main thread, as a cell does, and return its result."""

        async def run() -> Any:
            return act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.thread.join()
        self._loop.close()


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    notebook = Notebook()
    yield notebook
    notebook.stop()


async def all_of(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


def plain() -> str:
    return threading.current_thread().name


def generator() -> Iterator[str]:
    yield threading.current_thread().name


async def coroutine() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


async def async_generator() -> AsyncIterator[str]:
    await asyncio.sleep(0)
    yield threading.current_thread().name


SORTS = (plain, generator, coroutine, async_generator)


def on_main(function: Callable[..., Any]) -> Callable[..., Any]:
    return expose(functools.partial(function), where="main")


@pytest.mark.parametrize("function", SORTS)
def test_every_sort_of_function_runs_on_the_main_thread(
    function: Callable[..., Any], rig: Rig, notebook: Notebook
) -> None:
    host = rig.host(on_main(function), main=notebook)
    events = within(events_of(host, function.__name__))
    assert texts(events) == [notebook.thread.name]
    assert [event.kind for event in events] == ["queued", "started", "output", "finished"]
    assert host.functions()[0].where == "main"


def test_a_run_leaves_nothing_in_the_main_threads_context(rig: Rig, notebook: Notebook) -> None:
    def talk() -> None:
        print("inside")

    events = within(events_of(rig.host(expose(talk, where="main"), main=notebook), "talk"))
    assert [event.text for event in events if isinstance(event, Printed)] == ["inside\n"]
    seen = notebook.cell(lambda: [var.name for var in contextvars.copy_context()])
    assert "nbfunc_call" not in seen


def test_runs_on_the_main_thread_go_one_at_a_time(rig: Rig, notebook: Notebook) -> None:
    release = asyncio.Event()
    running: list[int] = []

    @expose(where="main")
    async def wait(n: int) -> int:
        running.append(n)
        assert len(running) == 1
        await release.wait()
        return running.pop()

    async def both() -> list[list[Event]]:
        host = rig.host(wait, main=notebook)
        one = await host.start("wait", RawArguments(values={"n": 1}), run="1")
        two = await host.start("wait", RawArguments(values={"n": 2}), run="2")
        head = [await one.__anext__(), await one.__anext__()]
        notebook.loop().call_soon_threadsafe(release.set)
        return [head + [event async for event in one], [event async for event in two]]

    first_run, second_run = within(both())
    assert texts(first_run) == ["1"]
    assert texts(second_run) == ["2"]
    assert [event.position for event in second_run if isinstance(event, Queued)] == [1, 0]


def test_a_run_waits_for_the_cell_and_starts_after_it(rig: Rig, notebook: Notebook) -> None:
    cell_ends = threading.Event()

    async def waiting() -> list[Event]:
        notebook.loop().call_soon_threadsafe(cell_ends.wait)
        host = rig.host(on_main(plain), main=notebook)
        events = await host.start("plain", RawArguments(), run="r")
        assert await events.__anext__() == Queued(run="r", position=0)
        cell_ends.set()
        return [event async for event in events]

    assert isinstance(within(waiting())[-1], Finished)


def test_a_run_that_waits_for_the_cell_can_be_cancelled(rig: Rig, notebook: Notebook) -> None:
    cell_ends = threading.Event()

    async def waiting() -> list[Event]:
        notebook.loop().call_soon_threadsafe(cell_ends.wait)
        host = rig.host(on_main(plain), main=notebook)
        events = await host.start("plain", RawArguments(), run="r")
        await host.cancel("r")
        seen = [event async for event in events]
        cell_ends.set()
        return seen + await events_of(host, "plain", run="s")

    events = within(waiting())
    kinds = [event.kind for event in events]
    assert kinds[:2] == ["queued", "cancelled"]
    assert kinds[-3:] == ["started", "output", "finished"]


def busy() -> None:
    print("begun")
    number = 0
    while True:
        number += len(str(number))


async def waits() -> None:
    print("begun")
    await asyncio.Event().wait()


def endless() -> Iterator[int]:
    print("begun")
    while True:
        yield 1


async def endless_async() -> AsyncIterator[int]:
    print("begun")
    while True:
        await asyncio.sleep(0)
        yield 1


@pytest.mark.parametrize("function", [busy, waits, endless, endless_async])
def test_a_run_on_the_main_thread_can_be_cancelled_and_the_thread_lives_on(
    function: Callable[..., Any], rig: Rig, notebook: Notebook
) -> None:
    async def cancelled() -> Event:
        host = rig.host(on_main(function), main=notebook)
        events = await host.start(function.__name__, RawArguments(), run="r")
        await first(events, Printed)
        await host.cancel("r")
        return [event async for event in events][-1]

    for _ in range(5):
        assert isinstance(within(cancelled()), CancelledEvent)
        assert notebook.cell(lambda: "alive") == "alive"


@pytest.mark.parametrize("sort", ["plain", "coroutine"])
def test_a_failure_on_the_main_thread_is_the_runs_alone(sort: str, rig: Rig, notebook: Notebook) -> None:
    @expose(where="main")
    def plain() -> None:
        raise SystemExit(3)

    @expose(where="main")
    async def coroutine() -> None:
        raise KeyboardInterrupt

    last = within(events_of(rig.host([plain, coroutine], main=notebook), sort))[-1]
    assert isinstance(last, Failed)
    assert last.type in {"SystemExit", "KeyboardInterrupt"}
    assert notebook.cell(lambda: "alive") == "alive"


def test_without_a_kernel_the_main_thread_is_refused_and_nothing_changes(rig: Rig) -> None:
    @expose(where="main")
    def bound() -> None: ...

    def free() -> None: ...

    host = rig.host(())
    with pytest.raises(OptionError, match=r"bound: where='main'.*leave it out"):
        host.expose([free, bound])
    assert host.functions() == []


def test_what_is_bound_to_the_main_thread_says_how_to_run_there(rig: Rig, notebook: Notebook) -> None:
    connection = notebook.cell(lambda: sqlite3.connect(":memory:"))
    future = notebook.cell(lambda: notebook.loop().create_future())

    def query() -> int:
        return len(connection.execute("SELECT 1").fetchall())

    async def wait() -> None:
        await future

    async def fail() -> None:
        raise RuntimeError("of another kind")

    host = rig.host([query, wait, fail], main=notebook)
    for name, advised in (("query", True), ("wait", True), ("fail", False)):
        last = within(events_of(host, name))[-1]
        assert isinstance(last, Failed)
        assert (f"%func_to_web --main {name}" in last.message) is advised
    assert texts(within(events_of(rig.host(expose(query, where="main"), main=notebook), "query"))) == ["1"]
    notebook.cell(connection.close)


def test_without_a_kernel_nobody_is_sent_to_the_main_thread(rig: Rig) -> None:
    connection = sqlite3.connect(":memory:")

    def query() -> None:
        connection.execute("SELECT 1")

    last = within(events_of(rig.host(query), "query"))[-1]
    assert isinstance(last, Failed)
    assert "func_to_web" not in last.message
    connection.close()


def where_am_i(n: int) -> tuple[int, str]:
    return n, str(os.getpid())


def fails_there() -> None:
    raise ValueError("over there")


def test_an_executor_calls_the_function_elsewhere(rig: Rig) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        host = rig.host([where_am_i, fails_there], executor=pool)
        n, process = texts(within(events_of(host, "where_am_i", n=3)))
        assert n == "3"
        assert int(process) != os.getpid()
        last = within(events_of(host, "fails_there"))[-1]
        assert isinstance(last, Failed)
        assert (last.type, last.message) == ("ValueError", "over there")


def test_a_functions_own_executor_comes_before_the_hosts(rig: Rig) -> None:
    def mine() -> str:
        return threading.current_thread().name

    def shared() -> str:
        return threading.current_thread().name

    with ThreadPoolExecutor(thread_name_prefix="own") as own, ThreadPoolExecutor() as hosts:
        host = rig.host([expose(mine, executor=own), shared, coroutine], executor=hosts)
        assert texts(within(events_of(host, "mine")))[0].startswith("own")
        assert texts(within(events_of(host, "shared")))[0].startswith("ThreadPool")
        assert texts(within(events_of(host, "coroutine"))) == ["nbfunc-coroutines"]


def test_a_run_in_an_executor_can_be_cancelled_waiting_or_running(rig: Rig) -> None:
    release, running = threading.Event(), threading.Event()
    calls: list[int] = []

    def wait(n: int) -> None:
        calls.append(n)
        running.set()
        release.wait()

    async def cancelled() -> list[Event]:
        host = rig.host(wait, executor=pool)
        lasts = []
        one = await host.start("wait", RawArguments(values={"n": 1}), run="1")
        await asyncio.to_thread(running.wait)
        two = await host.start("wait", RawArguments(values={"n": 2}), run="2")
        await first(two, Started)
        for run, events in (("2", two), ("1", one)):
            await host.cancel(run)
            lasts.append([event async for event in events][-1])
        release.set()
        return lasts

    with ThreadPoolExecutor(1) as pool:
        assert all(isinstance(last, CancelledEvent) for last in within(cancelled()))
    assert calls == [1]


@pytest.mark.parametrize("function", [busy, waits, endless, endless_async])
def test_a_run_that_takes_too_long_fails_and_says_how_long_it_may_take(
    function: Callable[..., Any], rig: Rig
) -> None:
    hasty = expose(functools.partial(function), timeout=0.2)
    last = within(events_of(rig.host(hasty), function.__name__))[-1]
    assert isinstance(last, Failed)
    assert last.type == "TimeoutError"
    assert f"{function.__name__} took longer than the 0.2 s" in last.message


def test_a_run_within_its_time_ends_as_ever(rig: Rig) -> None:
    assert isinstance(
        within(events_of(rig.host(expose(functools.partial(plain), timeout=60)), "plain"))[-1], Finished
    )


def test_a_functions_own_bound_keeps_no_other_function_waiting(rig: Rig) -> None:
    release = threading.Event()

    @expose(max_concurrency=1)
    def narrow(n: int) -> int:
        release.wait()
        return n

    def quick() -> str:
        return "quick"

    async def use() -> list[list[Event]]:
        host = rig.host([narrow, quick], max_concurrency=2)
        started = [await host.start("narrow", RawArguments(values={"n": n}), run=str(n)) for n in range(3)]
        other = await events_of(host, "quick", run="q")
        release.set()
        return [other, *[await all_of(events) for events in started]]

    other, *runs = within(use())
    assert texts(other) == ["quick"]
    positions = [[event.position for event in events if isinstance(event, Queued)] for events in runs]
    assert positions == [[0], [1, 0], [2, 1, 0]]


def test_a_run_that_waits_in_its_functions_own_line_can_be_cancelled(rig: Rig) -> None:
    release = threading.Event()

    @expose(max_concurrency=1)
    def narrow() -> None:
        release.wait()

    async def use() -> list[Event]:
        host = rig.host(narrow)
        one, two, three = [await host.start("narrow", RawArguments(), run=str(n)) for n in range(3)]
        await host.cancel("1")
        release.set()
        return [(await all_of(events))[-1] for events in (one, two, three)]

    ended = within(use())
    assert [event.kind for event in ended] == ["finished", "cancelled", "finished"]


def test_title_and_group_come_from_the_function_unless_the_host_is_told_a_group(rig: Rig) -> None:
    @expose(title="Own title", group="Own group")
    def f() -> None: ...

    (info,) = rig.host(f).functions()
    assert (info.title, info.group) == ("Own title", "Own group")
    groups: dict[str, list[Callable[..., Any]]] = {"Told": [f]}
    assert rig.host(groups).functions()[0].group == "Told"
