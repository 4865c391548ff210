"""display() -> an output of the run that displayed it, in a kernel and where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any
from uuid import uuid4

from nbfunc.core.cancel import Guard
from nbfunc.core.context import call_here
from nbfunc.core.events import Output, OutputEvent
from nbfunc.core.mailbox import Mailbox
from nbfunc.core.outputs import Presenter

# Outputs are added and never taken back, so a display that is updated all the time adds one a second.
UPDATE_SECONDS = 1.0

MODULE = "IPython.core.display_functions"


class Displays:
    """What one run displays on its way.

    Parameters
    ----------
    presenter : Presenter
        The run's.
    mailbox : Mailbox
        Where its outputs go.
    guard : Guard
        What cancels it.
    """

    def __init__(self, presenter: Presenter, mailbox: Mailbox, guard: Guard) -> None:
        self._presenter = presenter
        self._mailbox = mailbox
        self._guard = guard
        self._sent: dict[str, float] = {}
        self._held: dict[str, Callable[[], Iterator[Output]]] = {}

    def show(self, value: Any, key: str | None = None, *, update: bool = False) -> None:
        """Show a value; `update` one that was shown with the same key."""
        self._put(lambda: self._presenter.displayed(value), key, update)

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None,
        key: str | None = None,
        *,
        update: bool = False,
    ) -> None:
        """Show a MIME bundle."""
        if data:
            self._put(lambda: iter([self._presenter.display(data, metadata)]), key, update)

    def finish(self) -> None:
        """Show what was held back."""
        held, self._held = self._held, {}
        for outputs in held.values():
            self._send(outputs)

    def _put(self, outputs: Callable[[], Iterator[Output]], key: str | None, update: bool) -> None:
        if key is not None:
            now = time.monotonic()
            if update and now - self._sent.get(key, -UPDATE_SECONDS) < UPDATE_SECONDS:
                self._held[key] = outputs
                return
            self._sent[key] = now
            self._held.pop(key, None)
        self._send(outputs)

    def _send(self, outputs: Callable[[], Iterator[Output]]) -> None:
        for output in outputs():
            with self._guard.masked():
                self._mailbox.put(OutputEvent(output=output))


def _displays_here() -> Displays | None:
    call = call_here()
    return None if call is None else call.displays


def patch_shell(module: Any) -> Callable[[], None]:
    """Let what a kernel's shell publishes in a run be the run's; return what undoes this.

    Parameters
    ----------
    module : module
        ``IPython.core.interactiveshell``.
    """
    shells = getattr(module, "InteractiveShell", None)
    if shells is None or not shells.initialized():
        return lambda: None
    publisher = shells.instance().display_pub
    before = dict(vars(publisher))
    publish, clear_output = publisher.publish, publisher.clear_output

    def publish_here(
        data: Any, metadata: Any = None, *args: Any, transient: Any = None, update: bool = False, **more: Any
    ) -> None:
        displays = _displays_here()
        if displays is None:
            publish(data, metadata, *args, transient=transient, update=update, **more)
        else:
            displays.publish(data, metadata, (transient or {}).get("display_id"), update=update)

    def clear_here(wait: bool = False) -> None:
        if _displays_here() is None:
            clear_output(wait)

    publisher.publish, publisher.clear_output = publish_here, clear_here

    def undo() -> None:
        # What was there before, or the class's own, unless somebody put another in its place meanwhile.
        for name, ours in (("publish", publish_here), ("clear_output", clear_here)):
            if vars(publisher).get(name) is not ours:
                continue
            if name in before:
                setattr(publisher, name, before[name])
            else:
                delattr(publisher, name)

    return undo


_originals: dict[str, FunctionType] = {}


def patch_functions(module: Any) -> Callable[[], None]:
    """Let IPython's functions show in a run where there is no shell, too; return what undoes this.

    Functions hold them (``from IPython.display import display``), so their code is what is changed.

    Parameters
    ----------
    module : module
        ``IPython.core.display_functions``.
    """
    changed: list[tuple[FunctionType, FunctionType]] = []
    for name, ours in (
        ("display", _display),
        ("publish_display_data", _publish_display_data),
        ("clear_output", _clear_output),
    ):
        function = getattr(module, name, None)
        if not isinstance(function, FunctionType) or function.__code__.co_freevars:
            continue
        original = FunctionType(function.__code__, function.__globals__, name, function.__defaults__)
        original.__kwdefaults__ = function.__kwdefaults__
        _originals[name] = original
        function.__code__ = ours.__code__
        changed.append((function, original))

    def undo() -> None:
        for function, original in changed:
            function.__code__ = original.__code__

    return undo


# The next three are run as IPython's own, which have other globals: hence the imports.


def _display(*objs: Any, **options: Any) -> Any:
    from nbfunc.core.displays import display_here  # noqa: PLC0415

    return display_here(*objs, **options)


def _publish_display_data(*args: Any, **options: Any) -> Any:
    from nbfunc.core.displays import publish_here  # noqa: PLC0415

    return publish_here(*args, **options)


def _clear_output(*args: Any, **options: Any) -> Any:
    from nbfunc.core.displays import clear_here  # noqa: PLC0415

    return clear_here(*args, **options)


def display_here(*objs: Any, **options: Any) -> Any:
    """Do what IPython's `display` does, for the run that calls it."""
    displays = _displays_here()
    if displays is None:
        return _originals["display"](*objs, **options)
    key = options.get("display_id") or (options.get("transient") or {}).get("display_id")
    key = uuid4().hex if key is True else key
    update = bool(options.get("update"))
    for value in objs:
        if options.get("raw"):
            displays.publish(value, options.get("metadata"), key, update=update)
        else:
            displays.show(value, key, update=update)
    return sys.modules[MODULE].DisplayHandle(key) if options.get("display_id") else None


def publish_here(data: Any, metadata: Any = None, **options: Any) -> Any:
    """Do what IPython's `publish_display_data` does, for the run that calls it."""
    displays = _displays_here()
    if displays is None:
        return _originals["publish_display_data"](data, metadata, **options)
    key = (options.get("transient") or {}).get("display_id")
    return displays.publish(data, metadata, key, update=bool(options.get("update")))


def clear_here(wait: bool = False) -> None:
    """Clear the cell's output; a run's stays."""
    if _displays_here() is None:
        _originals["clear_output"](wait)
