"""pyplot's list of figures: one for each run, so that nobody else takes or shows a run's own.

Runs in threads would take each other's. On the main thread there are others too: whenever a cell ends, and
whenever a widget hears of its browser, in whichever thread, Jupyter's inline backend shows all figures of the
process in the cell that ran last, and closes them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from nbfunc.core.context import call_here


class _Borrowed(OrderedDict[Any, Any]):
    """The figures of a run on the main thread: those of the notebook, and its own, which the notebook lacks.

    Parameters
    ----------
    notebooks : collections.OrderedDict
        The notebook's. Which one is current, and what is closed, holds there too.
    """

    def __init__(self, notebooks: Any) -> None:
        super().__init__(notebooks)
        self._notebooks = notebooks

    def pop(self, number: Any, *default: Any) -> Any:
        if self._is_lent(number):
            del self._notebooks[number]
        return super().pop(number, *default)

    def clear(self) -> None:
        for number in list(self):
            self.pop(number)

    def move_to_end(self, number: Any, last: bool = True) -> None:
        if self._is_lent(number):
            self._notebooks.move_to_end(number, last)
        super().move_to_end(number, last)

    def _is_lent(self, number: Any) -> bool:
        manager = self.get(number)
        return manager is not None and self._notebooks.get(number) is manager


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
        if call is None:
            return self._real
        if call.figures is None:
            call.figures = _Borrowed(self._real)
        return call.figures


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
