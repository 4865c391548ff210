"""What every part of a panel does with widgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets


def closed(*widgets: Any) -> None:
    """Close widgets with all that they hold (children, layouts, styles); `Widget.close` closes one alone."""
    for widget in widgets:
        held = [getattr(widget, name) for name in widget.keys if name != "comm"]
        widget.close()
        for value in held:
            inside = value if isinstance(value, (tuple, list)) else (value,)
            closed(*(one for one in inside if isinstance(one, ipywidgets.Widget)))


def show(widget: Any, on: bool) -> None:
    """Show a widget, or hide it."""
    widget.layout.display = None if on else "none"


def tool(icon: str, what: str, act: Callable[[], None]) -> Any:
    """Return a button that shows an icon (of Font Awesome 4), and says in words what it does."""
    # The words are in the button, too small to be seen: a title would come second to the icon's character.
    button = ipywidgets.Button(icon=icon, description=what, _dom_classes=("nbfunc-tool",))
    button.on_click(lambda _: act())
    return button
