"""Signals of children that functions fork: a server that hears signals does not take theirs for its own.

asyncio hears a signal by a handler that does nothing and a descriptor that Python writes its number to. A
child inherits both: to terminate it would stop the server instead, and leave the child.
"""

from __future__ import annotations

import os
import signal
import threading

_heard: set[int] = set()
_masks: dict[int, set[int]] = {}


def hears(number: int) -> None:
    """Note that this process hears a signal by asyncio, to its end."""
    if not _heard and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_forget)
    _heard.add(number)


def _hold() -> None:
    """Let no signal reach the child before it takes them as any process does."""
    _masks[threading.get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, _heard)


def _let_go() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.pop(threading.get_ident()))


def _forget() -> None:
    signal.set_wakeup_fd(-1)
    for number in _heard:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    _let_go()
