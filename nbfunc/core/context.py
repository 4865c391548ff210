"""Which run the code that asks belongs to: what `print`, `progress` and `current_user` look up."""

from __future__ import annotations

import os
from collections import OrderedDict
from contextvars import ContextVar
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

from nbfunc.core.cancel import Guard
from nbfunc.core.events import Progress
from nbfunc.core.mailbox import Mailbox, unicode_only

if TYPE_CHECKING:
    from nbfunc.core.displays import Displays


@dataclass(eq=False)
class Call:
    """One call of a function.

    Attributes
    ----------
    run : str
        The run's id.
    mailbox : Mailbox
        Where its events go.
    user : str, optional
        Who asked for it.
    guard : Guard
        What cancels its thread.
    displays : Displays, optional
        Where `display` goes.
    figures : collections.OrderedDict, optional
        Its own list of pyplot's figures; on the main thread None until pyplot first looks, and from then on
        the notebook's with its own.
    bars : list
        The bars of `tqdm.auto` that it draws, the outermost first.
    """

    run: str
    mailbox: Mailbox
    user: str | None = None
    guard: Guard = field(default_factory=Guard)
    displays: Displays | None = None
    figures: OrderedDict[Any, Any] | None = None
    bars: list[Any] = field(default_factory=list)


# A plain threading.Thread does not inherit this before Python 3.14: what such a thread prints stays outside.
CALL: ContextVar[Call | None] = ContextVar("nbfunc_call", default=None)

_parent = os.getpid()


def call_here() -> Call | None:
    """Return the call that this code belongs to; None in a process that a function forked.

    Nobody reads the mailbox there: what such a process prints goes where it always went.
    """
    return CALL.get() if os.getpid() == _parent else None


def progress(done: float, total: float | None = None, text: str = "") -> None:
    """Draw a progress bar on the page of the run that calls this; elsewhere do nothing.

    Parameters
    ----------
    done : float
        How much is done.
    total : float, optional
        Of how much. None where nobody knows.
    text : str
        What is being done.

    Raises
    ------
    TypeError
        Something else than numbers, within a run.

    Examples
    --------
    >>> progress(3, 10, "pages")
    """
    call = call_here()
    if call is not None:
        for name, value in (("done", done), ("total", total)):
            if not isinstance(value, Real) and not (name == "total" and value is None):
                raise TypeError(f"progress({name}=...) takes a number, not {type(value).__name__}.")
        event = Progress(done=done, total=total, text=unicode_only(str(text)))
        with call.guard.masked():
            call.mailbox.progress(event)


def current_user() -> str | None:
    """Return the name of the user who started the run that calls this.

    Returns
    -------
    str or None
        None outside a run, and where there is no login.
    """
    call = CALL.get()
    return None if call is None else call.user
