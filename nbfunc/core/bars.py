"""`tqdm.auto` -> the progress bar of the run that made it. Plain `tqdm` prints its bar, as ever."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from nbfunc.core.context import Call, call_here
from nbfunc.core.events import Progress
from nbfunc.core.mailbox import unicode_only

# tqdm.auto's class is the first of these where there are no widgets, and inherits from both elsewhere.
_AUTO = {"tqdm.asyncio", "tqdm.notebook", "tqdm.auto"}


def patch(module: Any) -> Callable[[], None]:
    """Let the bars that runs make be progress events; return what undoes this.

    Parameters
    ----------
    module : module
        ``tqdm.asyncio`` or ``tqdm.notebook``. The class itself is changed, since functions hold it.
    """
    kind = module.tqdm
    inherited = kind.__new__

    def new(cls: type, *args: Any, **options: Any) -> Any:
        ours = call_here() is not None and cls.__module__ in _AUTO
        return inherited(_event_bar(cls) if ours else cls, *args, **options)

    kind.__new__ = new

    def undo() -> None:
        del kind.__new__

    return undo


@functools.cache
def _event_bar(cls: Any) -> type:
    """Return a kind of `cls` that neither prints nor makes a widget."""
    std = sys.modules["tqdm.std"].tqdm
    # Not tqdm.notebook's, which makes the widget; tqdm.asyncio's where there is one, for `async for`.
    asynchronous = getattr(sys.modules.get("tqdm.asyncio"), "tqdm", None)
    base = asynchronous if asynchronous is not None and issubclass(cls, asynchronous) else std

    class EventBar(cls):  # type: ignore[misc]  # known at run time only
        monitor_interval = 0  # no thread that looks after bars which were not drawn for long

        def __init__(self, *args: Any, display: bool = True, disable: bool | None = False, **options: Any):
            call = call_here()
            assert call is not None
            self._call = call
            base.__init__(self, *args, disable=bool(disable) or not display, **{**options, "gui": True})
            if not self.disable:
                call.bars.append(self)
                self.display()

        def display(self, *_: Any, **__: Any) -> None:
            _draw(self._call)

        def clear(self, *_: Any, **__: Any) -> None:
            """Leave it: an event cannot be taken back."""

        def close(self) -> None:
            if self.disable:
                return
            std.close(self)
            _draw(self._call)
            self._call.bars.remove(self)

        __iter__ = std.__iter__
        update = std.update
        reset = std.reset

    return EventBar


def _draw(call: Call) -> None:
    """Send the outermost bar; the others are in its text."""
    if not call.bars:
        return
    outer, *inner = call.bars
    words = [
        _words(outer),
        *(f"{_words(bar)} {_number(bar.n)}/{_number(bar.total)}".strip() for bar in inner),
    ]
    event = Progress(
        done=float(outer.n),
        total=None if outer.total is None else float(outer.total),
        text=unicode_only(" · ".join(word for word in words if word)),
    )
    with call.guard.masked():
        call.mailbox.progress(event)


def _words(bar: Any) -> str:
    return " ".join(word for word in ((bar.desc or "").removesuffix(": "), bar.postfix or "") if word)


def _number(value: Any) -> str:
    return "?" if value is None else f"{value:g}"
