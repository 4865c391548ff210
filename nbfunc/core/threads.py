"""The threads that functions run in: started at need, parked between runs, and used again only when clean.

To start one costs 0.1 ms of processor time (a stack is mapped, filled and given back), to wake a parked one
a quarter of that. It may serve another run because nothing of the last one is left on it: that run's guard
has taken back every exception that did not land (see `cancel`), each call has a context of its own, and a
thread on which a call left thread-local values ends. Where Python does not tell whether it did, all end.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from contextvars import Context

MOST_PARKED = 16
PARKED_SECONDS = 30.0
# Since 3.13 thread-local values are no longer in the thread's dictionary, nor anywhere that can be asked.
LOCALS_SHOW = sys.version_info < (3, 13)

_dict_of_thread = ctypes.pythonapi.PyThreadState_GetDict
# Borrowed: as a py_object ctypes would give back a reference that it never had.
_dict_of_thread.restype = ctypes.c_void_p


class _Parking:
    """A thread of ours, which calls what it is handed."""

    def __init__(self) -> None:
        self._handed = threading.Lock()
        self._handed.acquire()
        self._act: Callable[[], None]
        self._left: Callable[[], None]
        self._name = ""

    def hand(self, act: Callable[[], None], left: Callable[[], None], name: str) -> None:
        """Have these called; only by who took it off the list."""
        self._act, self._left, self._name = act, left, name
        self._handed.release()

    def live(self) -> None:
        """Call what comes until nothing does, or until a call leaves something behind."""
        thread = threading.current_thread()
        while self._waited():
            thread.name = self._name
            Context().run(self._act)
            left = self._left
            del self._act, self._left
            clean = LOCALS_SHOW and not _has_locals() and len(_parked) < MOST_PARKED
            if clean:
                _parked.append(self)
            left()
            if not clean:
                return

    def _waited(self) -> bool:
        """Wait to be handed something; False if it took too long."""
        if self._handed.acquire(timeout=PARKED_SECONDS):
            return True
        try:
            _parked.remove(self)
        except ValueError:  # just taken off: it is on its way
            return self._handed.acquire()
        return False


# Appending and popping are atomic. A child that was forked has none of them.
_parked: list[_Parking] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_parked.clear)


def start(act: Callable[[], None], *, left: Callable[[], None] = lambda: None, name: str) -> None:
    """Call something in a thread of its own, a daemon, in an empty context.

    Parameters
    ----------
    act : callable
        Must have taken back whatever it had raised in its thread from outside.
    left : callable
        Called when the thread has nothing left to do, so that who waits for it then need not wait for the
        interpreter too. It does not raise.
    name : str
        The thread's, as long as it lasts.
    """
    try:
        parking = _parked.pop()
    except IndexError:
        parking = _Parking()
        threading.Thread(target=parking.live, name=name, daemon=True).start()
    parking.hand(act, left, name)


def _has_locals() -> bool:
    """Whether this thread has values of its own (`threading.local` and the like)."""
    kept = ctypes.cast(_dict_of_thread(), ctypes.py_object).value
    return any(key != "Py_Repr" for key in kept)  # a list that repr() keeps for good, empty between calls
