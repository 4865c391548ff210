"""The form inline: Form -> ipywidgets, under the cell or among other widgets."""

from __future__ import annotations

import asyncio
import dataclasses
import html
import itertools
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from importlib import resources
from typing import Any, TypeAlias

import ipywidgets
import traitlets

from nbfunc.core.compound import Problems
from nbfunc.core.events import Failed, Finished
from nbfunc.core.forms import Form, form_of
from nbfunc.errors import AskerError, Cancelled, FormError, InvalidArguments, NbfuncError
from nbfunc.hosts.base import RawArguments
from nbfunc.hosts.in_process import Exposed
from nbfunc.notebook.panels.compound import Members
from nbfunc.notebook.panels.inputs import Home
from nbfunc.notebook.panels.recording import recorded
from nbfunc.notebook.panels.runs import RunView
from nbfunc.notebook.panels.stage import Stage, stage
from nbfunc.notebook.panels.table import input_of
from nbfunc.notebook.panels.widgets import closed, show

KEPT_RUNS = 10
EXPOSE_SECONDS = 10.0

Functions: TypeAlias = (
    "Callable[..., Any] | Iterable[Callable[..., Any]] | Mapping[str, Iterable[Callable[..., Any]]]"
)

_numbers = itertools.count(1)


class RunFailed(NbfuncError):
    """The function of a panel raised; the message is ``TypeName: message``."""


def panel(functions: Functions) -> Any:
    """Return the form of a function as a widget.

    Parameters
    ----------
    functions : callable, iterable of callables, or mapping of str to those
        One function; or several, as tabs; or several by group, as tabs in tabs.

    Returns
    -------
    Panel or ipywidgets.Tab
        To be shown by a cell, or put among other widgets. A `Panel` has ``value``, ``result`` and ``run``.

    Raises
    ------
    FormError
        A function cannot be a form; the message says what to write instead.

    Examples
    --------
    >>> def double(n: int) -> int:
    ...     return 2 * n
    >>> panel(double).run(n=4).result(timeout=10)
    8
    """
    return panel_of(functions, main=False)


def panel_of(functions: Functions, *, main: bool) -> Any:
    """Return what `panel` does; `main` runs the functions on the kernel's main thread, whatever they say."""
    return _drawn(_checked(functions), main)


def _checked(functions: Any) -> Any:
    """Return one function, a list or a dict: all are looked at before the first is drawn, and would stay."""
    if callable(functions):
        form_of(functions)
        return functions
    if isinstance(functions, str) or not isinstance(functions, Iterable):
        raise FormError(f"{functions!r} is no function: pass one, a list of them, or a dict of lists.")
    if isinstance(functions, Mapping):
        checked: Any = {title: _checked(members) for title, members in functions.items()}
    else:
        checked = list(functions)
        for function in checked:
            form_of(function)
    if not checked:
        raise FormError("There is no function to make a form of: pass one, a list, or a dict of lists.")
    return checked


def _drawn(functions: Any, main: bool) -> Any:
    if callable(functions):
        return Panel(functions, stage(), main=main)
    if isinstance(functions, dict):
        return _tabs((title, _drawn(members, main)) for title, members in functions.items())
    panels = [Panel(function, stage(), main=main) for function in functions]
    return _tabs((one.form.title, one) for one in panels)


def _tabs(named: Iterable[tuple[str, Any]]) -> Any:
    titles, children = zip(*named, strict=True)
    return Tabs(children=children, titles=titles)


class Tabs(ipywidgets.Tab):  # type: ignore[misc]  # ipywidgets has no types
    """Several forms."""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = f"The forms of {', '.join(self.titles)}: run this cell to use them."
        return bundle


class Panel(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The form of one function.

    Attributes
    ----------
    value : dict
        What is filled in, as the function would get it; what does not fit its field is not in it. Set it to
        fill the form: what it does not name stays.
    result : object
        What the last run that finished returned; of a generator, its last value; of a function with
        an executor of its own, None.
    form : Form
        What is drawn.

    Parameters
    ----------
    function : callable
        What it calls.
    stage : Stage
        Where it runs.
    main : bool
        Run it on the kernel's main thread, whatever its own options say.
    """

    value = traitlets.Dict()
    result = traitlets.Any()

    def __init__(self, function: Callable[..., Any], stage: Stage, *, main: bool = False) -> None:
        self.form: Form = form_of(function)
        if main:
            options = dataclasses.replace(self.form.options, where="main")
            self.form = dataclasses.replace(self.form, options=options)
        self._stage = stage
        self._reading = True
        self._views: dict[str, RunView] = {}
        self._results: dict[str, Any] = {}
        # Panels of one function, or of two of one name, stay apart.
        self._name = f"{self.form.name} {next(_numbers)}"
        # A function for other processes goes there as it is, and its result stays with the run.
        inside = function if self.form.options.executor else recorded(function, self._note)
        exposed = Exposed(dataclasses.replace(self.form, name=self._name, function=inside))
        stage.submit(_expose(stage, exposed)).result(EXPOSE_SECONDS)
        self._members = Members(self.form.members, Home(stage, input_of, self._read))
        self._unplaced = ipywidgets.HTML()
        self._start = ipywidgets.Button(
            description="Run", button_style="primary", _dom_classes=("nbfunc-start",)
        )
        self._start.on_click(lambda _: stage.submit(self._pressed()))
        self._clear = ipywidgets.Button(description="Clear", tooltip="Remove the results of runs that ended")
        self._clear.on_click(lambda _: self.clear())
        self._shown = ipywidgets.VBox()
        head = ipywidgets.HTML(_STYLE + _head(self.form))
        buttons = ipywidgets.HBox([self._start, self._clear], _dom_classes=("nbfunc-buttons",))
        children = [head, *self._members.boxes(), self._unplaced, buttons, self._shown]
        super().__init__(children, _dom_classes=("nbfunc-panel",))
        show(self._unplaced, on=False)
        show(self._clear, on=False)
        self._reading = False
        self._read()

    def run(self, **arguments: Any) -> Future[Any]:
        """Run the function with what is filled in.

        Parameters
        ----------
        **arguments
            Instead of what the form holds.

        Returns
        -------
        concurrent.futures.Future
            Of what the function returns; `RunFailed`, `Cancelled` or `InvalidArguments` where it does not.
            In a coroutine: ``await asyncio.wrap_future(panel.run())``.
        """
        future: Future[Any] = Future()
        for one in self._members.inputs.values():
            one.clear()
        self._say([])
        problems = Problems()
        values = self._members.raw((), problems)
        given = self._encoded(arguments)
        problems.found = [problem for problem in problems.found if problem["loc"][0] not in given]
        try:
            problems.check()
        except InvalidArguments as error:
            self._refuse(error)
            future.set_exception(error)
            return future
        self._stage.submit(self._run({**values, **given}, future))
        return future

    async def _pressed(self) -> None:
        await self._stage.echo.settled()  # what was typed last may come after the click
        await asyncio.to_thread(self.run)

    def clear(self) -> None:
        """Remove the results of the runs that ended."""
        self._stage.submit(self._forget(0))

    def close(self) -> None:
        """Remove the panel with all its widgets; runs that go on are not stopped."""
        if self.comm is not None:
            self._stage.submit(_withdraw(self._stage, self._name))
            for view in self._views.values():
                view.close()
            children, layout = self.children, self.layout
            super().close()
            closed(*children, layout)

    @traitlets.validate("value")
    def _fill(self, proposal: Any) -> Any:
        if self._reading:
            return proposal["value"]
        try:
            given = self._encoded(proposal["value"])
        except (TypeError, ValueError) as error:
            raise traitlets.TraitError(str(error)) from error
        self._reading = True
        try:
            self._members.fill(given)
        finally:
            self._reading = False
        return self._values()

    def _encoded(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        unknown = arguments.keys() - {member.name for member in self.form.members}
        if unknown:
            raise TypeError(f"{self.form.name}() has no parameter {', '.join(map(repr, sorted(unknown)))}.")
        encoded = self.form.encode(arguments)
        for path in _paths(encoded):
            self._stage.uploads.lend(path)
        return encoded

    def _read(self) -> None:
        """Something was filled in."""
        if self._reading:
            return
        self._reading = True
        try:
            self.value = self._values()
        finally:
            self._reading = False

    def _values(self) -> dict[str, Any]:
        raw = self._members.raw((), Problems())
        values: dict[str, Any] = {}
        for member in self.form.members:
            if member.name in raw:
                try:
                    values[member.name] = member.field.decode(raw[member.name], (member.name,), self._stage)
                except Exception:  # noqa: BLE001 - the author's checks may raise anything
                    continue
        return values

    async def _run(self, values: dict[str, Any], future: Future[Any]) -> None:
        run = secrets.token_hex(16)
        host = self._stage.host
        try:
            self._stage.settle()
            events = await host.start(self._name, RawArguments(values=values), run=run)
        except AskerError as error:
            self._refuse(error)
            future.set_exception(error)
            return
        view = self._views[run] = RunView(self._stage, lambda: self._stage.submit(host.cancel(run)))
        self._shown.children = (view.box, *self._shown.children)
        show(self._clear, on=True)
        await self._forget(KEPT_RUNS)
        last = await view.follow(events)
        value = self._results.pop(run, None)
        if isinstance(last, Finished):
            # In a thread: whoever observes the result may wait for a run of another panel.
            await asyncio.to_thread(setattr, self, "result", value)
            future.set_result(value)
        elif isinstance(last, Failed):
            future.set_exception(RunFailed(str(last)))
        else:
            future.set_exception(Cancelled())

    def cancel(self) -> None:
        """Ask all runs of this panel to stop."""
        for run in list(self._views):
            self._stage.submit(self._stage.host.cancel(run))

    def _note(self, run: str, value: Any) -> None:
        self._results[run] = value

    async def _forget(self, kept: int) -> None:
        """Remove the views of runs that ended, but the newest."""
        ended = [run for run, view in self._views.items() if not view.live]
        gone = [self._views.pop(run) for run in ended[: max(0, len(self._views) - kept)]]
        self._shown.children = [view.box for view in reversed(self._views.values())]
        for view in gone:
            view.close()
        show(self._clear, bool(self._views))

    def _refuse(self, error: AskerError) -> None:
        problems = error.problems if isinstance(error, InvalidArguments) else []
        unplaced = [] if problems else [str(error)]
        for problem in problems:
            name, *rest = problem["loc"] or [""]
            one = self._members.inputs.get(str(name))
            if one is None:
                unplaced.append(problem["msg"])
            else:
                one.complain(tuple(rest), problem["msg"])
        self._say(unplaced)

    def _say(self, messages: Iterable[str]) -> None:
        lines = [f'<p class="nbfunc-problem" role="alert">{html.escape(text)}</p>' for text in messages]
        self._unplaced.value = "".join(lines)
        show(self._unplaced, bool(lines))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        # What is read where no widget can be drawn: a viewer, a diff, a notebook without its kernel.
        bundle["text/plain"] = f"The form of {self.form.name}: run this cell to use it."
        return bundle


_STYLE = f"<style>{resources.files('nbfunc.notebook.panels').joinpath('style.css').read_text()}</style>"


def _head(form: Form) -> str:
    description = html.escape(form.description).replace("\n", "<br>")
    return (
        f"<h3>{html.escape(form.title)}</h3>{description and f'<p>{description}</p>'}"
        '<p class="nbfunc-gone">This form has lost its kernel: run its cell to use it.</p>'
    )


def _paths(encoded: Any) -> Iterator[str]:
    """Yield the files that JSON of Python values names."""
    if isinstance(encoded, dict):
        if encoded.keys() == {"upload"} and isinstance(encoded["upload"], str):
            yield encoded["upload"]
        for value in encoded.values():
            yield from _paths(value)
    elif isinstance(encoded, list):
        for value in encoded:
            yield from _paths(value)


async def _expose(stage: Stage, exposed: Exposed) -> None:
    stage.host.put(exposed)


async def _withdraw(stage: Stage, name: str) -> None:
    stage.host.remove(name)
