"""What matplotlib draws: figures that a function returns, or leaves open."""

from __future__ import annotations

import sys
from typing import Any

from nbfunc.core.optional import Nothing, class_of


def is_figure(value: Any) -> bool:
    """Whether a value is a figure of matplotlib, or something in one."""
    kinds = (class_of("matplotlib.figure", "FigureBase"), class_of("matplotlib.figure", "Figure"))
    if isinstance(value, kinds):
        return True
    if kinds[1] is Nothing or isinstance(value, type):
        return False
    return isinstance(getattr(value, "figure", None), kinds)


def whole(value: Any) -> Any:
    """Return the figure of an Axes, of a SubFigure, or itself."""
    figure = value if isinstance(value, class_of("matplotlib.figure", "Figure")) else value.figure
    return getattr(figure, "figure", None) or figure


def close(figure: Any) -> None:
    """Let pyplot forget a figure."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(figure)


def is_axes_array(value: Any) -> bool:
    """Whether a value is what `plt.subplots()` returns for several."""
    return (
        isinstance(value, class_of("numpy", "ndarray"))
        and value.dtype == object
        and value.size > 0
        and all(is_figure(item) for item in value.flat)
    )


class OpenFigures:
    """The pyplot figures that a run leaves open: they are outputs of it too."""

    def __init__(self) -> None:
        self._before = set(self._numbers())

    @staticmethod
    def _numbers() -> list[int]:
        pyplot = sys.modules.get("matplotlib.pyplot")
        # Another run may be importing it at this moment.
        return getattr(pyplot, "get_fignums", list)()

    def left(self) -> list[Any]:
        """Return those that are open now and were not before."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        return (
            [pyplot.figure(number) for number in self._numbers() if number not in self._before]
            if pyplot
            else []
        )
