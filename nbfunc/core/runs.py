"""One call of a function: it goes its own way in a thread, and leaves Events behind."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import sys
import threading
import traceback
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from nbfunc.core.capture import capturing
from nbfunc.core.context import CALL, Call
from nbfunc.core.events import CancelledEvent, Failed, Finished, Last, OutputEvent, Started
from nbfunc.core.mailbox import unicode_only
from nbfunc.core.outputs import OpenFigures, Presenter, Store
from nbfunc.errors import Cancelled

log = logging.getLogger("nbfunc")
MOST_MESSAGE = 1 << 16


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
    """

    call: Call
    act: Callable[[], Any]
    store: Store
    loop: CoroutineLoop
    ended: Callable[[], None] = lambda: None
    _presenter: Presenter = field(init=False)
    _stopped: bool = field(init=False, default=False)
    _task: asyncio.Task[Any] | None = field(init=False, default=None)
    _process: int = field(init=False, default_factory=os.getpid)

    def __post_init__(self) -> None:
        self._presenter = Presenter(self.store, self.call.guard)

    def start(self) -> None:
        """Start it; its events arrive in the call's mailbox, `Started` first and one of `Last` last."""
        self.call.mailbox.put(Started(run=self.call.run))
        # One thread a run, never a pool's: a cancel that comes late then meets nobody (see `cancel`).
        threading.Thread(target=self._thread, name=f"nbfunc-run-{self.call.run[:8]}", daemon=True).start()

    def cancel(self) -> None:
        """Ask it to stop: a coroutine is cancelled, a generator closed, a thread gets `Cancelled`."""
        self._stopped = True
        task = self._task
        if task is None:
            self.call.guard.request()
        else:
            task.get_loop().call_soon_threadsafe(task.cancel)

    def _thread(self) -> None:
        last: Last = CancelledEvent()
        with capturing():
            try:
                CALL.set(self.call)
                last = self._guarded(self._plain)
            finally:
                self._end(last)

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

    def _plain(self) -> None:
        figures = OpenFigures()
        result = self.act()
        try:
            self._leave_fork()
            if inspect.isawaitable(result) or inspect.isasyncgen(result):
                result = self._on_loop(result)
            if inspect.isgenerator(result):
                self._generator(result)
            else:
                self._show(result)
        finally:
            if inspect.iscoroutine(result):
                result.close()  # one that a cancel kept from starting
        for figure in figures.left():
            self._show(figure)

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

    def _show(self, value: Any) -> None:
        for output in self._presenter.outputs(value):
            with self.call.guard.masked():
                self.call.mailbox.put(OutputEvent(output=output))

    def _on_loop(self, result: Any) -> Any:
        """Return what a coroutine returns on the coroutines' loop; this thread waits for it."""

        async def main() -> Any:
            self._task = asyncio.current_task()
            if self._stopped:
                raise asyncio.CancelledError
            return await (self._async_generator(result) if inspect.isasyncgen(result) else result)

        done = threading.Event()
        # Cancelling goes to the task, which may take its time over it; this thread only waits for it.
        with self.call.guard.masked():
            future = asyncio.run_coroutine_threadsafe(main(), self.loop.get())
            future.add_done_callback(lambda _: done.set())
            done.wait()
            self._task = None
        if future.cancelled() or isinstance(future.exception(), asyncio.CancelledError):
            raise Cancelled if self._stopped else asyncio.CancelledError("the coroutine cancelled itself")
        return future.result()

    async def _async_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        try:
            async for value in generator:
                await asyncio.to_thread(self._show, value)
        finally:
            await generator.aclose()

    def _failed(self, error: BaseException) -> Failed:
        name, message = type(error).__name__, _message_of(error)
        trace = _traceback_of(error)
        CALL.set(None)  # the server's log is not the page's
        log.error("Run %s failed.\n%s", self.call.run, trace)
        return Failed(type=name, message=message, traceback=trace)

    def _end(self, last: Last) -> None:
        CALL.set(None)
        try:
            self.ended()
        finally:
            self.call.mailbox.put(last)


def _message_of(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an error that cannot say what it is still is one
        text = "(its message cannot be shown)"
    if isinstance(error, SystemExit):
        text = f"The function called sys.exit({text})."
    return unicode_only(text[:MOST_MESSAGE])


def _traceback_of(error: BaseException) -> str:
    """Return the traceback from the function on, without the frames of ours above it."""
    frames = error.__traceback__
    here = os.path.dirname(__file__)
    while (
        frames is not None and frames.tb_next and os.path.dirname(frames.tb_frame.f_code.co_filename) == here
    ):
        frames = frames.tb_next
    try:
        lines = traceback.format_exception(type(error), error, frames)
    except Exception:  # noqa: BLE001 - the same
        lines = [f"{type(error).__name__}: (its message cannot be shown)\n"]
    return unicode_only("".join(lines)[-MOST_MESSAGE:])
