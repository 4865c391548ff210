"""A run, drawn: how it stands, what it printed, what it returned."""

from __future__ import annotations

import asyncio
import html
import os
import time
from collections.abc import AsyncIterable, Callable

import ipywidgets

from nbfunc.core.events import (
    CancelledEvent,
    Event,
    Failed,
    Finished,
    Last,
    OutputEvent,
    Printed,
    Progress,
    Queued,
    Started,
)
from nbfunc.notebook.panels.outputs import output_widget
from nbfunc.notebook.panels.prints import Prints
from nbfunc.notebook.panels.stage import Stage
from nbfunc.notebook.panels.widgets import closed, show

# Each drawing is a message to every browser that shows the panel.
DRAW_SECONDS = 0.1
MOST_OUTPUTS = 200


class RunView:
    """What a panel shows of one run; belongs to the stage's loop.

    Parameters
    ----------
    stage : Stage
        Where it runs.
    cancel : callable
        Asks the run to stop.

    Attributes
    ----------
    box : ipywidgets.VBox
        All of its widgets.
    live : bool
        Whether it has not ended.
    """

    def __init__(self, stage: Stage, cancel: Callable[[], object]) -> None:
        self.live = True
        self._stage = stage
        self._ask = cancel
        self._state = "Starting…"
        self._began: float | None = None
        self._took = ""
        self._progress: Progress | None = None
        self._prints = Prints()
        self._error = ""
        self._hidden = 0
        self._drawing: asyncio.TimerHandle | None = None
        self._closed = False
        self._head = ipywidgets.HTML()
        self._cancel = ipywidgets.Button(description="Cancel", _dom_classes=("nbfunc-cancel",))
        self._cancel.on_click(lambda _: self._cancelling())
        self._body = ipywidgets.HTML()
        self._outputs = ipywidgets.VBox(_dom_classes=("nbfunc-outputs",))
        bar = ipywidgets.HBox([self._head, self._cancel], _dom_classes=("nbfunc-bar",))
        self.box = ipywidgets.VBox([bar, self._body, self._outputs], _dom_classes=("nbfunc-run",))
        self._draw()

    async def follow(self, events: AsyncIterable[Event]) -> Last:
        """Show the events of the run, and return the last."""
        async for event in events:
            if isinstance(event, OutputEvent):
                await self._put(event)
            else:
                self._take(event)
            if isinstance(event, Last):
                self.end()
                return event
        raise RuntimeError("A run's events ended without the last one.")

    def end(self) -> None:
        """The run is over: what is left to draw is drawn."""
        self.live = False
        if self._began is not None:
            self._took = _spoken(time.monotonic() - self._began)
        if self._drawing is not None:
            self._drawing.cancel()
        self._draw()

    def close(self) -> None:
        """Leave the page."""
        self._closed = True
        if self._drawing is not None:
            self._drawing.cancel()
        closed(self.box)

    def _cancelling(self) -> None:
        if self.live:
            self._state = "Cancelling… The function stops at its next step."
            self._cancel.disabled = True
            self._draw()
            self._ask()

    def _take(self, event: Event) -> None:
        if isinstance(event, Queued):
            self._state = f"Waiting: number {event.position} in the queue" if event.position else "Starting…"
        elif isinstance(event, Started):
            self._began = time.monotonic()
            self._state = "Running"
        elif isinstance(event, Printed):
            self._prints.write(event.text, event.stream)
        elif isinstance(event, Progress):
            self._progress = event
        elif isinstance(event, Finished):
            self._state = "Done"
        elif isinstance(event, CancelledEvent):
            self._state = "Cancelled"
        elif isinstance(event, Failed):
            self._state = "Failed"
            self._error = _failure(event)
        self._draw_soon()

    async def _put(self, event: OutputEvent) -> None:
        if len(self._outputs.children) >= MOST_OUTPUTS:
            self._hidden += 1
            self._draw_soon()
            return
        drawn = await asyncio.to_thread(output_widget, event.output, self._stage)
        if self._closed:
            closed(drawn)
        else:
            self._outputs.children = (*self._outputs.children, drawn)

    def _draw_soon(self) -> None:
        if self._drawing is None:
            self._drawing = self._stage.loop.call_later(DRAW_SECONDS, self._draw)

    def _draw(self) -> None:
        self._drawing = None
        if self._closed:
            return
        dot = "live" if self.live else self._state.lower()
        took = f' <span class="nbfunc-help">{self._took}</span>' if self._took else ""
        self._head.value = (
            f'<span class="nbfunc-dot nbfunc-{html.escape(dot.split(" ")[0])}"></span>'
            f'<span role="status"><b>{html.escape(self._state)}</b></span>{took}'
        )
        self._body.value = "".join([self._bar(), self._prints.html(), self._error, self._more()])
        show(self._body, bool(self._body.value))
        show(self._cancel, self.live)

    def _bar(self) -> str:
        if self._progress is None or not self.live:
            return ""
        done, total = self._progress.done, self._progress.total
        text = html.escape(self._progress.text)
        share = f'max="1" value="{min(1, done / total)}"' if total else ""
        amount = f"{min(1, done / total):.0%}" if total else f"{done:,g}"
        return (
            f'<div class="nbfunc-progress"><span>{text}</span><span>{amount}</span></div>'
            f'<progress aria-label="{text or "Progress"}" {share}></progress>'
        )

    def _more(self) -> str:
        return (
            f'<p class="nbfunc-help">{self._hidden:,} more outputs are not shown.</p>' if self._hidden else ""
        )


def _spoken(seconds: float) -> str:
    if seconds < 0.1:
        return "under 0.1 s"
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def _failure(event: Failed) -> str:
    said = f"<b>{html.escape(event.type)}</b>"
    if event.message:
        said += f": {html.escape(event.message)}"
    trace = ""
    # Voila's visitors are not the author's colleagues in the notebook.
    if event.traceback and not os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        trace = f"<details><summary>Traceback</summary><pre>{html.escape(event.traceback)}</pre></details>"
    return f'<div class="nbfunc-error" role="alert"><p>{said}</p>{trace}</div>'
