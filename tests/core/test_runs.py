"""Calls leave the events that a person would expect, end however they end, and can be cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nbfunc.core.context import Call, current_user, progress
from nbfunc.core.events import (
    CancelledEvent,
    Event,
    Failed,
    Finished,
    Last,
    OutputEvent,
    Printed,
    Progress,
    Started,
    Text,
)
from nbfunc.core.mailbox import Mailbox
from nbfunc.core.runs import CoroutineLoop, Run
from nbfunc.core.stores import Store
from nbfunc.errors import Cancelled
from nbfunc.types import FileResponse


@dataclass
class Kept:
    id: str
    filename: str
    size: int
    created: float = 0.0


class Memory:
    """A store that forgets what it is given."""

    promises = False

    def put(self, source: Any, filename: str, **_: Any) -> Kept:
        whole = source if isinstance(source, (bytes, memoryview)) else b"".join(source)
        return Kept("1", filename, len(whole))

    def put_table(self, _: Any, rows: Any, filename: str) -> Kept:
        return Kept("1", filename, len(list(rows)))

    def promise_table(self, filename: str) -> Any:
        raise AssertionError(f"this store promises nothing, {filename} neither")


@pytest.fixture
def loop() -> Iterator[CoroutineLoop]:
    coroutines = CoroutineLoop()
    yield coroutines
    coroutines.stop()


class Watched:
    """A run, and what it says, as far as it was read."""

    def __init__(
        self,
        act: Callable[[], Any],
        coroutines: CoroutineLoop,
        user: str | None = None,
        store: Store | None = None,
    ) -> None:
        self.mailbox = Mailbox(asyncio.get_running_loop())
        call = Call("r1", self.mailbox, user)
        self.run = Run(call=call, act=act, store=store or Memory(), loop=coroutines)
        self.events: list[Event] = []
        self.run.start()

    async def until(self, kind: type) -> Event:
        while True:
            event = await self.mailbox.get()
            self.events.append(event)
            if isinstance(event, kind):
                return event
            assert not isinstance(event, Last), f"ended before any {kind.__name__}: {self.events}"

    async def end(self) -> Event:
        while True:
            self.events.append(await self.mailbox.get())
            if isinstance(self.events[-1], Last):
                return self.events[-1]

    @property
    def printed(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Printed))

    @property
    def values(self) -> list[Any]:
        outputs = [event.output for event in self.events if isinstance(event, OutputEvent)]
        return [output.value for output in outputs if isinstance(output, Text)]


def watch(act: Callable[[], Any], coroutines: CoroutineLoop, **options: Any) -> Watched:
    async def whole() -> Watched:
        watched = Watched(act, coroutines, **options)
        await watched.end()
        return watched

    return asyncio.run(whole())


def plain() -> str:
    return "x"


async def coroutine() -> str:
    await asyncio.sleep(0)
    return "x"


def generator() -> Iterator[str]:
    yield "x"
    yield "y"


async def async_generator() -> AsyncIterator[str]:
    yield "x"
    yield "y"


def generator_with_return() -> Any:
    yield "x"
    return "last"


def disguised() -> Any:
    return coroutine()


@pytest.mark.parametrize(
    ("act", "values"),
    [
        (plain, ["x"]),
        (coroutine, ["x"]),
        (generator, ["x", "y"]),
        (async_generator, ["x", "y"]),
        (generator_with_return, ["x", "last"]),
        (disguised, ["x"]),
        (lambda: None, []),
    ],
)
def test_every_sort_of_function_runs(act: Callable[[], Any], values: list[str], loop: CoroutineLoop) -> None:
    watched = watch(act, loop)
    assert watched.values == values
    assert isinstance(watched.events[0], Started)
    assert isinstance(watched.events[-1], Finished)


def test_prints_and_logs_are_the_runs(loop: CoroutineLoop, capsys: pytest.CaptureFixture[str]) -> None:
    def act() -> None:
        print("out", end="")
        print("err", file=sys.stderr)
        sys.stdout.buffer.write(b"raw \xff\n")
        logging.getLogger("mine").warning("logged")

    watched = watch(act, loop)
    assert isinstance(watched.events[-1], Finished)
    for text in ("out", "err\n", "raw \ufffd\n", "logged"):
        assert text in watched.printed
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("configured", ["before", "in the run", "not at all"])
def test_a_log_line_comes_once_and_only_to_the_page(
    configured: str,
    loop: CoroutineLoop,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # pytest's own handlers away: a program has none, or those of its basicConfig().
    monkeypatch.setattr(logging.root, "handlers", [])
    if configured == "before":
        logging.basicConfig()

    def act() -> None:
        if configured == "in the run":
            logging.basicConfig()
        logging.getLogger("mine").warning("logged")

    assert [watch(act, loop).printed.count("logged") for _ in range(3)] == [1, 1, 1]
    logging.getLogger("mine").warning("outside")
    said = capsys.readouterr()
    assert "logged" not in said.out + said.err
    assert said.err.count("outside") == 1


def test_prints_outside_a_run_pass_through(loop: CoroutineLoop, capsys: pytest.CaptureFixture[str]) -> None:
    inside, outside = threading.Event(), threading.Event()

    def act() -> None:
        inside.set()
        outside.wait()

    async def both() -> Watched:
        watched = Watched(act, loop)
        await asyncio.to_thread(inside.wait)
        print("the server's own")
        outside.set()
        await watched.end()
        return watched

    real = sys.stdout
    watched = asyncio.run(both())
    assert watched.printed == ""
    assert capsys.readouterr().out == "the server's own\n"
    assert sys.stdout is real


def test_runs_at_once_keep_their_prints_apart(loop: CoroutineLoop) -> None:
    barrier = threading.Barrier(8)

    def act(n: int) -> None:
        barrier.wait()
        for _ in range(100):
            print(n)

    async def all_of_them() -> list[Watched]:
        watched = [Watched(lambda n=n: act(n), loop) for n in range(8)]  # type: ignore[misc]
        await asyncio.gather(*(w.end() for w in watched))
        return watched

    for n, watched in enumerate(asyncio.run(all_of_them())):
        assert watched.printed == f"{n}\n" * 100


def test_a_flood_of_prints_arrives_whole_and_joined(loop: CoroutineLoop) -> None:
    def act() -> None:
        for n in range(100_000):
            print(n)

    watched = watch(act, loop)
    assert watched.printed == "".join(f"{n}\n" for n in range(100_000))
    assert len(watched.events) < 2_000


def test_events_keep_their_order(loop: CoroutineLoop) -> None:
    def act() -> Iterator[int]:
        print("a")
        progress(1, 2, "half")
        print("b")
        yield 1
        print("c")

    kinds = [event.kind for event in watch(act, loop).events]
    assert kinds == ["started", "printed", "progress", "printed", "output", "printed", "finished"]


@pytest.mark.parametrize("arguments", [("a",), (1, "b")])
def test_progress_takes_numbers(arguments: tuple[Any, ...], loop: CoroutineLoop) -> None:
    last = watch(lambda: progress(*arguments), loop).events[-1]
    assert isinstance(last, Failed)
    assert (last.type, "takes a number, not str" in last.message) == ("TypeError", True)


def test_progress_tells_how_far(loop: CoroutineLoop) -> None:
    watched = watch(lambda: progress(3, 10, "pages"), loop)
    assert Progress(done=3, total=10, text="pages") in watched.events
    progress(1, 2)  # outside a run it does nothing


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_the_function_knows_its_user(kind: str, loop: CoroutineLoop) -> None:
    async def ask() -> str | None:
        return current_user()

    watched = watch(current_user if kind == "plain" else ask, loop, user="ada")
    assert watched.values == ["ada"]
    assert current_user() is None


def test_input_says_to_make_it_a_parameter(loop: CoroutineLoop) -> None:
    last = watch(lambda: input("name? "), loop).events[-1]
    assert isinstance(last, Failed)
    assert "parameter" in last.message


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


class Unshowable:
    def __str__(self) -> str:
        raise LookupError("str() is broken")


def raises(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("act", "name", "message"),
    [
        (raises(ValueError("bad size")), "ValueError", "bad size"),
        (lambda: sys.exit(3), "SystemExit", "sys.exit(3)"),
        (raises(KeyboardInterrupt()), "KeyboardInterrupt", ""),
        (raises(UnprintableError()), "UnprintableError", "cannot be shown"),
        (Unshowable, "LookupError", "str() is broken"),
        (raises(ValueError("\ud800")), "ValueError", "?"),
    ],
)
def test_an_exception_is_the_runs_failure(
    act: Callable[[], Any], name: str, message: str, loop: CoroutineLoop, caplog: pytest.LogCaptureFixture
) -> None:
    last = watch(act, loop).events[-1]
    assert isinstance(last, Failed)
    assert last.type == name
    assert message in last.message
    assert name in caplog.text, "the traceback goes to the server's log"


def test_a_traceback_starts_at_the_function(loop: CoroutineLoop) -> None:
    last = watch(raises(ValueError("x")), loop).events[-1]
    assert isinstance(last, Failed)
    assert "test_runs.py" in (last.traceback or "")
    assert "nbfunc/core" not in (last.traceback or "")


def test_outputs_before_a_failure_are_kept(loop: CoroutineLoop) -> None:
    def act() -> Iterator[int]:
        yield 1
        raise ValueError("later")

    watched = watch(act, loop)
    assert watched.values == [1]
    assert isinstance(watched.events[-1], Failed)


def test_a_function_that_forks_leaves_one_run_and_no_second_server() -> None:
    # In a process of its own: forking this one, which has threads, is what Python 3.12 warns of.
    code = """
import asyncio, os, sys
from tests.core.test_runs import watch
from nbfunc.core.stores import Store
from nbfunc.core.runs import CoroutineLoop
def act():
    pid = os.fork()
    if not pid:
        print("from the child", flush=True)
        return "child"
    os.waitpid(pid, 0)
    return "parent"
watched = watch(act, CoroutineLoop())
print(watched.values, [e.kind for e in watched.events][-1])
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "from the child\n['parent'] finished\n"


def test_a_forked_child_that_tells_of_progress_waits_for_no_lock_of_its_parents() -> None:
    code = """
import asyncio, os
from nbfunc.core.context import CALL, Call, progress
from nbfunc.core.mailbox import Mailbox
async def main():
    mailbox = Mailbox(asyncio.get_running_loop())
    CALL.set(Call("r1", mailbox))
    with mailbox._room:  # as another thread would hold it in the moment of the fork
        pid = os.fork()
        if not pid:
            mailbox._lock = mailbox._room = None  # whoever needs them would wait for ever
            progress(1, 2)
            os._exit(0)
    print(os.waitpid(pid, 0)[1])
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "0\n"


def test_a_coroutines_own_asyncio_run_in_a_plain_function_works(loop: CoroutineLoop) -> None:
    assert watch(lambda: asyncio.run(coroutine()), loop).values == ["x"]


def test_coroutines_share_one_loop_apart_from_the_servers(loop: CoroutineLoop) -> None:
    seen: list[Any] = []

    async def act() -> None:
        seen.append(asyncio.get_running_loop())

    async def twice() -> Any:
        await Watched(act, loop).end()
        await Watched(act, loop).end()
        return asyncio.get_running_loop()

    server = asyncio.run(twice())
    assert seen[0] is seen[1]
    assert server not in seen


# Cancelling.


def busy() -> None:
    print("begun")
    number = 0
    while True:
        number += len(str(number))


async def waiting() -> None:
    print("begun")
    await asyncio.Event().wait()


def endless() -> Iterator[str]:
    print("begun")
    while True:
        yield "again"


async def endless_async() -> AsyncIterator[str]:
    print("begun")
    while True:
        await asyncio.sleep(0)
        yield "again"


@pytest.mark.parametrize("act", [busy, waiting, endless, endless_async])
def test_every_sort_of_function_can_be_cancelled(act: Callable[[], Any], loop: CoroutineLoop) -> None:
    async def cancelled() -> Event:
        watched = Watched(act, loop)
        await watched.until(Printed)
        watched.run.cancel()
        return await watched.end()

    assert isinstance(asyncio.run(cancelled()), CancelledEvent)


def test_what_an_async_generator_hands_over_is_cancelled_with_it(loop: CoroutineLoop) -> None:
    ends: list[str] = []

    def pieces() -> Iterator[bytes]:
        try:
            print("begun")
            while True:
                yield b"piece"
        finally:
            ends.append("pieces")

    class Slow(Memory):
        def put(self, source: Any, filename: str, **_: Any) -> Kept:
            with contextlib.closing(source):
                for _ in source:
                    pass
            raise AssertionError(f"{filename} is never whole")

    async def act() -> AsyncIterator[FileResponse]:
        try:
            yield FileResponse(chunks=pieces(), filename="endless.bin")
        finally:
            ends.append("generator")

    async def cancelled() -> Event:
        watched = Watched(act, loop, store=Slow())
        await watched.until(Printed)
        watched.run.cancel()
        return await watched.end()

    assert isinstance(asyncio.run(cancelled()), CancelledEvent)
    assert sorted(ends) == ["generator", "pieces"]


def test_a_cancelled_function_may_clean_up_and_say_so(loop: CoroutineLoop) -> None:
    def act() -> None:
        try:
            busy()
        finally:
            print("cleaned up")
            print("all of it")

    async def cancelled() -> Watched:
        watched = Watched(act, loop)
        await watched.until(Printed)
        watched.run.cancel()
        await watched.end()
        return watched

    watched = asyncio.run(cancelled())
    assert watched.printed == "begun\ncleaned up\nall of it\n"
    assert isinstance(watched.events[-1], CancelledEvent)


def test_except_exception_does_not_swallow_a_cancel(loop: CoroutineLoop) -> None:
    def act() -> str:
        try:
            busy()
        except Exception:  # noqa: BLE001 - what many functions do
            return "went on"
        return ""

    async def cancelled() -> Event:
        watched = Watched(act, loop)
        await watched.until(Printed)
        watched.run.cancel()
        return await watched.end()

    assert isinstance(asyncio.run(cancelled()), CancelledEvent)


def test_a_cancel_during_a_print_neither_loses_it_nor_breaks_the_run(loop: CoroutineLoop) -> None:
    def act() -> None:
        while True:
            print("x" * 10)

    async def cancelled() -> Watched:
        watched = Watched(act, loop)
        await watched.until(Printed)
        watched.run.cancel()
        await watched.end()
        return watched

    for _ in range(20):
        watched = asyncio.run(cancelled())
        assert isinstance(watched.events[-1], CancelledEvent)
        assert set(watched.printed.splitlines()) == {"x" * 10}


class Leftover:
    """Its finalizer takes for ever, and what is raised in one is dropped by Python."""

    def __del__(self) -> None:
        busy()


def test_a_cancel_that_lands_in_a_finalizer_is_not_lost(loop: CoroutineLoop) -> None:
    def act() -> None:
        leftover = [Leftover()]
        leftover.clear()
        busy()

    async def cancelled() -> Watched:
        watched = Watched(act, loop)
        await watched.until(Printed)
        watched.run.cancel()
        await watched.end()
        return watched

    watched = asyncio.run(cancelled())
    assert isinstance(watched.events[-1], CancelledEvent)
    assert watched.printed == "begun\n" * 2


def test_a_cancel_that_comes_late_hits_no_one(loop: CoroutineLoop) -> None:
    async def late() -> list[Event]:
        lasts = []
        for _ in range(300):
            first = Watched(plain, loop)
            lasts.append(await first.end())
            second = Watched(plain, loop)
            first.run.cancel()
            lasts.append(await second.end())
        return lasts

    assert all(isinstance(last, Finished) for last in asyncio.run(late()))


def test_a_cancel_as_the_run_ends_gives_one_last_event(loop: CoroutineLoop) -> None:
    async def racing() -> None:
        for _ in range(300):
            watched = Watched(plain, loop)
            await watched.until(Started)
            watched.run.cancel()
            assert isinstance(await watched.end(), (Finished, CancelledEvent))

    asyncio.run(racing())


def test_a_cancel_before_the_start_is_not_lost(loop: CoroutineLoop) -> None:
    async def early() -> Event:
        watched = Watched(waiting, loop)
        watched.run.cancel()
        return await watched.end()

    assert isinstance(asyncio.run(early()), CancelledEvent)


def test_no_thread_is_left_behind(loop: CoroutineLoop) -> None:
    watch(coroutine, loop)
    before = threading.active_count()
    for _ in range(20):
        watch(plain, loop)
        watch(coroutine, loop)
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        os.sched_yield()
    assert threading.active_count() <= before


def test_a_streams_other_attributes_are_the_real_ones(loop: CoroutineLoop) -> None:
    def act() -> list[Any]:
        return [sys.stdout.encoding, sys.stdout.isatty(), isinstance(sys.stdout, io.TextIOBase)]

    watched = watch(lambda: str(act()), loop)
    assert watched.values == ["['utf-8', False, True]"]


def test_cancelled_is_no_exception() -> None:
    assert not issubclass(Cancelled, Exception)
