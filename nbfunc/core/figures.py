"""pyplot's list of figures: one for each run, so that nobody else takes or shows a run's own.

Runs in threads would take each other's. On the main thread there are others too: whenever a cell ends, and
whenever a widget hears of its browser, in whichever thread, Jupyter's inline backend shows all figures of the
process in the cell that ran last, and closes them.

Without a notebook `plt.show()` would open windows or do nothing: there a run's are shown on its page.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from nbfunc.core.context import call_here

# Their show() displays, and what is displayed is the run's already.
NOTEBOOK_BACKENDS = {"inline", "ipympl", "nbagg", "notebook", "widget"}


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


def patch_show(module: Any) -> Callable[[], None]:
    """Let `plt.show()` in a run show the figures on its page, and begin anew; return what undoes this.

    Parameters
    ----------
    module : module
        ``matplotlib.pyplot``.
    """
    show = module.show

    def show_here(*args: Any, **options: Any) -> Any:
        call = call_here()
        backend = module.get_backend()
        notebook = backend in NOTEBOOK_BACKENDS or backend.startswith("module://")
        if call is None or call.displays is None or notebook:
            return show(*args, **options)
        for number in module.get_fignums():
            figure = module.figure(number)
            call.displays.show(figure)
            module.close(figure)
        return None

    module.show = show_here

    def undo() -> None:
        if module.show is show_here:
            module.show = show

    return undo
