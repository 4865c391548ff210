"""Errors of the wrong thread or loop, told apart from others by what they say."""

from __future__ import annotations

import re

# By class and message: the packages that raise them need not be there.
_WRONG_PLACE = (
    ("ProgrammingError", r"can only be used in that same thread"),  # sqlite3
    ("RuntimeError", r"attached to a different loop"),  # asyncio futures and tasks
    ("RuntimeError", r"bound to a different event loop"),  # asyncio locks and queues
    ("RuntimeError", r"Timeout context manager should be used inside a task"),  # aiohttp
    ("RuntimeError", r"no (current|running) event loop"),
    ("RuntimeError", r"main thread is not in main loop"),  # tkinter
    ("RuntimeError", r"(outside|not in|only be \w+ (in|from)|other than) the main thread"),
    ("RuntimeError", r"[Nn]on-thread-safe operation"),
    ("ValueError", r"signal only works in main thread"),
)


def is_of_the_wrong_place(error: BaseException, message: str) -> bool:
    """Say whether an error is one of the thread or event loop that it happened on."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return any(name in names and re.search(pattern, message) for name, pattern in _WRONG_PLACE)
