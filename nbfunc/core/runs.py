"""One call of a function: it goes its own way, in a thread or elsewhere, and leaves Events behind."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Protocol

from nbfunc.core import living, threads
from nbfunc.core.context import CALL, Call
from nbfunc.core.displays import Displays
from nbfunc.core.drawings import OpenFigures
from nbfunc.core.events import CancelledEvent, Failed, Finished, Last, Output, OutputEvent, Started, Table
from nbfunc.core.failures import is_of_the_wrong_place, message_of, traceback_of
from nbfunc.core.outputs import Presenter
from nbfunc.core.stores import Store
from nbfunc.errors import Cancelled
from nbfunc.types import TAKE_IN

# A logger of its own: a kernel has no log, and there it must not land in a cell.
log = logging.getLogger("nbfunc.runs")


class CoroutineLoop:
    """The event loop that all coroutine functions share, in a thread of its own, apart from the server's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        """Return the loop, started at the first need."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_run_loop, args=(self._loop,), name="nbfunc-coroutines", daemon=True
                ).start()
            return self._loop

    def stop(self) -> None:
        """End the loop and its thread."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._loop = None


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


class Main(Protocol):
    """The kernel's main thread, which runs cells and has an event loop of its own."""

    def call(self, act: Callable[[], None]) -> Callable[[], bool]:
        """Call `act` once on the main thread, between cells; it does not raise.

        Returns
        -------
        callable
            Withdraws it, and says whether that was in time: if so `act` is never called.
        """

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the main thread's event loop."""


@dataclass(kw_only=True)
class Run:
    """A call that was started.

    Attributes
    ----------
    call : Call
        What the function's own code sees of it.
    act : callable
        Calls the function with its arguments.
    store : Store
        Where its files go.
    loop : CoroutineLoop
        Where it runs if it is a coroutine.
    ended : callable
        Called at the very end, on whichever thread that is.
    name : str
        The function's.
    main : Main, optional
        The kernel's main thread, where there is one.
    on_main : bool
        Run there, instead of in a thread of its own.
    executor : concurrent.futures.Executor, optional
        Call the function there.
    timeout : float, optional
        Seconds that it may take.
    """

    call: Call
    act: Callable[[], Any]
    store: Store
    loop: CoroutineLoop
    ended: Callable[[], None] = lambda: None
    name: str = "the function"
    main: Main | None = None
    on_main: bool = False
    executor: Executor | None = None
    timeout: float | None = None
    _presenter: Presenter = field(init=False)
    _displays: Displays = field(init=False)
    _figures: OpenFigures = field(init=False)
    _timer: threading.Timer | None = field(init=False, default=None)
    _alive: bool = field(init=False, default=False)
    _stopped: bool = field(init=False, default=False)
    _late: bool = field(init=False, default=False)
    _withdraw: Callable[[], bool] | None = field(init=False, default=None)
    _stop: Callable[[], object] | None = field(init=False, default=None)
    _process: int = field(init=False, default_factory=os.getpid)

    def __post_init__(self) -> None:
        call = self.call
        self._presenter = Presenter(self.store, call.guard)
        self._displays = Displays(self._presenter, call.mailbox, call.guard)
        # On the main thread it begins with the notebook's figures: that is what functions go there for.
        call.figures = None if self.on_main else OrderedDict()
        call.displays = self._displays

    def start(self) -> None:
        """Start it; its events arrive in the call's mailbox, `Started` first and one of `Last` last."""
        if self.main is not None and self.on_main:
            # In a context of its own: the notebook's must not take the run for its own afterwards.
            self._withdraw = self.main.call(functools.partial(copy_context().run, self._on_main, self.main))
            return
        self._begin()
        # A cancel that comes late meets nobody: once `_thread` is over its guard lets none through.
        name = f"nbfunc-run-{self.call.run[:8]}"
        threads.start(self._thread, left=self.call.mailbox.wake, name=name)

    def cancel(self) -> None:
        """Ask it to stop: a coroutine is cancelled, a generator closed, a thread gets `Cancelled`."""
        self._stopped = True
        if self._withdraw is not None and self._withdraw():
            self._end(CancelledEvent())
            return
        stop = self._stop or self.call.guard.request
        stop()

    def _begin(self) -> None:
        self.call.mailbox.put(Started(run=self.call.run))
        if self.timeout is not None:
            self._timer = threading.Timer(self.timeout, self._time_out)
            self._timer.daemon = True
            self._timer.start()

    def _time_out(self) -> None:
        if not self._stopped:
            self._late = True
            self.cancel()

    def _enter(self) -> None:
        """Let this context be the run's."""
        living.enter()
        self._alive = True
        CALL.set(self.call)
        TAKE_IN.set(self._presenter.take_in)

    def _thread(self) -> None:
        last: Last = CancelledEvent()
        try:
            self._enter()
            last = self._guarded(lambda: self._present(self._settled(self._called())))
        finally:
            self._end(last)

    def _on_main(self, main: Main) -> None:
        """Call it on the main thread; a coroutine goes on as a task of the loop there."""
        waiting: list[Any] = []

        def call() -> None:
            result = self._called()
            if inspect.isawaitable(result) or inspect.isasyncgen(result):
                waiting.append(result)
            else:
                self._present(result)

        self._begin()
        self._enter()
        last = self._guarded(call)
        if waiting:
            task = main.loop().create_task(self._awaited(waiting[0]))
            self._stop = functools.partial(main.loop().call_soon_threadsafe, task.cancel)
        else:
            self._end(last)

    async def _awaited(self, result: Any) -> None:
        last: Last = CancelledEvent()
        try:
            if not self._stopped:
                self._present(await (self._each(result) if inspect.isasyncgen(result) else result))
                last = Finished()
        except asyncio.CancelledError as error:
            if not self._stopped:
                last = self._failed(error)
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a function must not end the kernel
            last = self._failed(error)
        finally:
            if inspect.iscoroutine(result):
                result.close()  # one that a cancel kept from starting
            self._end(last)

    async def _each(self, generator: AsyncGenerator[Any, Any]) -> None:
        try:
            async for value in generator:
                self._show(value)
        finally:
            await generator.aclose()

    def _guarded(self, body: Callable[[], None]) -> Last:
        guard = self.call.guard
        try:
            try:
                guard.enter()
                body()
            finally:
                self._leave_fork()
                guard.leave()
        except Cancelled:
            guard.leave()
            return CancelledEvent()
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a function must not end the server
            return self._failed(error)
        return Finished()

    def _called(self) -> Any:
        """Return what the function returns, coroutines and generators as they are."""
        self._figures = OpenFigures()
        result = self.act() if self.executor is None else self._elsewhere(self.executor)
        self._leave_fork()
        return result

    def _elsewhere(self, executor: Executor) -> Any:
        """Return what the function returns in an executor; this thread waits for it."""
        over = threading.Event()
        # Cancelling goes to the future; one that runs already cannot be stopped, so it is left alone.
        with self.call.guard.masked():
            future = executor.submit(self.act)
            future.add_done_callback(lambda _: over.set())
            self._stop = over.set
            if not self._stopped:
                over.wait()
            self._stop = None
        if self._stopped:
            future.cancel()
            raise Cancelled
        return future.result()

    def _settled(self, result: Any) -> Any:
        """Return what a coroutine returns, and anything else as it is."""
        try:
            if inspect.isawaitable(result) or inspect.isasyncgen(result):
                return self._on_loop(result)
            return result
        finally:
            if inspect.iscoroutine(result):
                result.close()  # one that a cancel kept from starting

    def _present(self, result: Any) -> None:
        """Show what the function returned, after what it displayed, and what it left open."""
        self._displays.finish()
        if inspect.isgenerator(result):
            self._generator(result)
            figures = self._figures.left()
        else:
            figures = self._figures.left()
            # What comes last goes out with the word that the run is over.
            self._show(result, last=not figures and not isinstance(result, (list, tuple)))
        for figure in figures:
            self._send(self._presenter.left_open(figure))

    def _leave_fork(self) -> None:
        """End a child that the function forked and that came out of it: it has no business in this server."""
        if os.getpid() != self._process:
            os._exit(0 if sys.exc_info()[0] is None else 1)

    def _generator(self, generator: Generator[Any, Any, Any]) -> None:
        try:
            while True:
                try:
                    value = next(generator)
                except StopIteration as stop:
                    self._show(stop.value)
                    return
                self._show(value)
        finally:
            generator.close()

    def _show(self, value: Any, *, last: bool = False) -> None:
        self._send(self._presenter.outputs(value), last=last)

    def _send(self, outputs: Iterator[Output], *, last: bool = False) -> None:
        for output in outputs:
            # After a table that is told of early its rows are written, which takes a while.
            early = isinstance(output, Table) and not output.whole
            send = self.call.mailbox.hold if last and not early else self.call.mailbox.put
            with self.call.guard.masked():
                send(OutputEvent(output=output))

    def _on_loop(self, result: Any) -> Any:
        """Return what a coroutine returns on the coroutines' loop; this thread waits for it."""

        shows: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

        async def main() -> Any:
            task = asyncio.current_task()
            assert task is not None
            self._stop = functools.partial(task.get_loop().call_soon_threadsafe, task.cancel)
            if self._stopped:
                raise asyncio.CancelledError
            return await (self._async_generator(result, shows) if inspect.isasyncgen(result) else result)

        # Cancelling goes to the task, which may take its time over it; this thread only shows what comes.
        with self.call.guard.masked():
            future = asyncio.run_coroutine_threadsafe(main(), self.loop.get())
            future.add_done_callback(lambda _: shows.put(None))
            for show in iter(shows.get, None):
                show()
            self._stop = None
        if future.cancelled() or isinstance(future.exception(), asyncio.CancelledError):
            raise Cancelled if self._stopped else asyncio.CancelledError("the coroutine cancelled itself")
        return future.result()

    async def _async_generator(
        self, generator: AsyncGenerator[Any, Any], shows: SimpleQueue[Callable[[], None] | None]
    ) -> None:
        """Have what a generator yields shown on the run's own thread, where showing it can be cancelled."""
        stop = self._stop
        assert stop is not None  # `_on_loop` set it

        def stop_both() -> None:
            stop()
            self.call.guard.request()

        def show(value: Any, shown: Future[None]) -> None:
            if not shown.set_running_or_notify_cancel():
                return
            self._stop = stop_both
            try:
                with self.call.guard.unmasked():
                    self._show(value)
            except BaseException as error:  # noqa: BLE001 - it is raised where the value was yielded
                shown.set_exception(error)
            else:
                shown.set_result(None)
            finally:
                self._stop = stop

        try:
            async for value in generator:
                shown: Future[None] = Future()
                shows.put(functools.partial(show, value, shown))
                await asyncio.wrap_future(shown)
        finally:
            await generator.aclose()

    def _failed(self, error: BaseException) -> Failed:
        name, message = type(error).__name__, message_of(error)
        if self.main is not None and not self.on_main and is_of_the_wrong_place(error, message):
            message += f"\n%func_to_web --main {self.name} runs it on the notebook's main thread and loop."
        trace = traceback_of(error)
        CALL.set(None)  # the server's log is not the page's
        log.error("Run %s failed.\n%s", self.call.run, trace)
        return Failed(type=name, message=message, traceback=trace)

    def _end(self, last: Last) -> None:
        with suppress(Exception):  # what an object's own representation raises is too late to be told
            self._displays.finish()
        CALL.set(None)
        if self._timer is not None:
            self._timer.cancel()
        if self._alive:
            living.leave()
        if self._late and isinstance(last, CancelledEvent):
            took = f"{self.name} took longer than the {self.timeout:g} s that it may take."
            last = Failed(type="TimeoutError", message=took)
        try:
            self.ended()
        finally:
            self.call.mailbox.put(last)
