"""Stop a thread that runs somebody's function, and nothing but that function.

`PyThreadState_SetAsyncExc` raises at the thread's next bytecode, wherever that is. So a request raises only
while the thread is inside the function: not before, not after (a late exception killed the next run on a
pooled thread 247 times of 300), and not inside our own code on the function's stack, where it would leave
a half-written file. There it waits, and is raised on the way out.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nbfunc.errors import Cancelled

AGAIN_SECONDS = 0.01


class Guard:
    """One thread's way into and out of a function that may be cancelled."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._masks = 0
        self._pending = False  # asked for, not sent
        self._sent = False  # sent, not landed

    def enter(self) -> None:
        """Say, on the function's own thread, that it begins; raise `Cancelled` if that was asked before."""
        with self._lock:
            self._thread = threading.get_ident()
        self._raise_pending()

    def leave(self) -> None:
        """Say that the function is over: no request reaches this thread any more."""
        while True:
            try:
                with self._lock:
                    self._recall()
                    self._thread = None
                return
            except Cancelled:  # it landed just before the lock: the function is over, so it is moot
                continue

    def request(self) -> None:
        """Ask, from any thread, that the function stops."""
        with self._lock:
            if self._thread is None or self._masks:
                self._pending = True
            elif not self._sent:
                self._sent = True
                _set_async(self._thread, self._landing())

    def _landing(self) -> type[Cancelled]:
        """Return a `Cancelled` that tells when it lands: Python makes it before any handler runs."""
        guard = self

        def landed(_: Cancelled, *__: object) -> None:
            guard._sent = False

        about = {"__init__": landed, "__module__": Cancelled.__module__, "guard": guard}
        return type("Cancelled", (Cancelled,), about)

    def _recall(self) -> bool:
        """Take back what was sent and has not landed, and say whether there was any; under the lock."""
        recalled = self._sent
        if recalled:
            _set_async(threading.get_ident(), None)
            self._sent = False
        return recalled

    @contextmanager
    def masked(self) -> Iterator[None]:
        """Hold cancelling off while our own code runs on the function's stack."""
        if threading.get_ident() != self._thread:
            yield  # a thread that the function started: no request reaches it
            return
        with self._lock:
            self._pending = self._recall() or self._pending
            self._masks += 1
        try:
            yield
        finally:
            with self._lock:
                self._masks -= 1
            self._raise_pending()

    @contextmanager
    def unmasked(self) -> Iterator[None]:
        """Let cancelling in again while the author's code runs inside ours."""
        if threading.get_ident() != self._thread:
            yield
            return
        with self._lock:
            masks, self._masks = self._masks, 0
        try:
            self._raise_pending()
            yield
        finally:
            with self._lock:
                self._masks = masks

    def _raise_pending(self) -> None:
        with self._lock:
            due = self._pending and not self._masks and self._thread is not None
            self._pending = self._pending and not due
        if due:
            raise self._landing()


def _set_async(thread: int, exception: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if exception is None else ctypes.py_object(exception)
    )


def send_again() -> Callable[[], None]:
    """Send a `Cancelled` again that landed in a finalizer, where Python drops it; return what undoes this."""
    before = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs, /) -> None:
        guard = getattr(unraisable.exc_type, "guard", None)
        if isinstance(guard, Guard):
            # Not from here: it would land before this hook is left, and be dropped again.
            timer = threading.Timer(AGAIN_SECONDS, guard.request)
            timer.daemon = True
            timer.start()
        else:
            before(unraisable)

    def undo() -> None:
        if sys.unraisablehook is hook:
            sys.unraisablehook = before

    sys.unraisablehook = hook
    return undo
