"""What is in place while any run lives, and gone once the last has ended.

Of packages that a function may use, what is patched is patched where it is imported already, and otherwise as
soon as it is: none is imported for it.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, TypeAlias

from nbfunc.core import bars, displays, figures
from nbfunc.core.cancel import send_again
from nbfunc.core.capture import capture

log = logging.getLogger("nbfunc")

Undo: TypeAlias = Callable[[], None]

PLACED: tuple[Callable[[], Undo], ...] = (capture, send_again)
PATCHED: Mapping[str, Callable[[Any], Undo]] = {
    "IPython.core.display_functions": displays.patch_functions,
    "IPython.core.interactiveshell": displays.patch_shell,
    "matplotlib._pylab_helpers": figures.patch,
    "matplotlib.pyplot": figures.patch_show,
    "tqdm.asyncio": bars.patch,
    "tqdm.notebook": bars.patch,
}


class _Living(MetaPathFinder):
    """Counts the runs, and sees what they import."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._runs = 0
        self._undo: list[Undo] = []

    def add(self) -> None:
        with self._lock:
            self._runs += 1
            if self._runs > 1:
                return
            self._undo = [place() for place in PLACED]
            sys.meta_path.insert(0, self)
            for name, patch in PATCHED.items():
                module = sys.modules.get(name)
                if module is not None and _is_whole(module):
                    self._patch(patch, module)

    def remove(self) -> None:
        with self._lock:
            self._runs -= 1
            if self._runs:
                return
            with suppress(ValueError):  # somebody else took it away
                sys.meta_path.remove(self)
            while self._undo:
                self._undo.pop()()

    def _patch(self, patch: Callable[[Any], Undo], module: ModuleType) -> None:
        try:
            self._undo.append(patch(module))
        except Exception:  # a version of it that is made otherwise: runs do without
            log.warning("What runs show by %s is not shown on their pages.", module.__name__, exc_info=True)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in PATCHED else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            with self._lock:
                if self._runs:
                    self._patch(PATCHED[name], module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # a loader is made for each module
        return spec


def _is_whole(module: ModuleType) -> bool:
    """Say whether a module is imported, and not just being so by another thread."""
    return not getattr(module.__spec__, "_initializing", False)


_living = _Living()


def enter() -> None:
    """Keep all that in place from now on, for one more run."""
    _living.add()


def leave() -> None:
    """One run is over."""
    _living.remove()
