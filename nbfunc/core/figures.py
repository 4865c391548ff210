"""pyplot's list of figures: one for each run, so that runs in threads do not take each other's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbfunc.core.context import call_here


class _Figures:
    """What pyplot finds where its list of figures was: the one of the run that looks, or the process's.

    Parameters
    ----------
    real : collections.OrderedDict
        The process's.
    """

    def __init__(self, real: Any) -> None:
        self._real = real

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        call = call_here()
        return self._real if call is None or call.figures is None else call.figures


def patch(module: Any) -> Callable[[], None]:
    """Give each run a list of its own; return what undoes this.

    Parameters
    ----------
    module : module
        ``matplotlib._pylab_helpers``. All of pyplot's state is in the class attribute ``Gcf.figs`` there, a
        dict of figure managers in the order of use, and is looked up anew at each call.
    """
    gcf = module.Gcf
    real = gcf.figs
    gcf.figs = _Figures(real)

    def undo() -> None:
        gcf.figs = real

    return undo
