"""What an exception says to the person at the form, and to the log."""

from __future__ import annotations

import os
import re
import traceback

from nbfunc.core.mailbox import unicode_only

MOST_MESSAGE = 1 << 16

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


def message_of(error: BaseException) -> str:
    """Return what an exception says."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an error that cannot say what it is still is one
        text = "(its message cannot be shown)"
    if isinstance(error, SystemExit):
        text = f"The function called sys.exit({text})."
    return unicode_only(text[:MOST_MESSAGE])


def traceback_of(error: BaseException) -> str:
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
