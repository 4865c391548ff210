"""Inputs that offer options, fixed or asked for when the form opens."""

from __future__ import annotations

import html
from abc import abstractmethod
from typing import Any, TypeVar

import ipywidgets

from nbfunc.core.choices import ChoiceField, same_json
from nbfunc.core.compound import ChoicesField
from nbfunc.core.fields import LEFT_OUT, Field, Loc, Options
from nbfunc.notebook.panels.inputs import Home, Input, heading
from nbfunc.notebook.panels.widgets import closed, tool

F = TypeVar("F", bound=Field)


class Offering(Input[F]):
    """An input that offers options.

    Parameters
    ----------
    field : Field
        What is filled in.
    title : str
        Its label.
    home : Home
        Where it lives.
    choice : ChoiceField
        Says what the options are.
    """

    def __init__(self, field: F, title: str, home: Home, choice: ChoiceField) -> None:
        super().__init__(field, title, home)
        self._options: Options = choice.options
        self._choice = choice
        self._wanted: Any = LEFT_OUT
        self._tools: list[Any] = []
        if choice.source is not None:
            self._tools.append(tool("refresh", "Ask for the options again", self._ask))

    @abstractmethod
    def _offer(self) -> None:
        """Show the options, with `_wanted` chosen where it is among them."""

    def _begin(self) -> None:
        if self._choice.source is None:
            self._offer()
        else:
            self._ask()

    def _ask(self) -> None:
        self.home.stage.submit(self._asked())

    async def _asked(self) -> None:
        assert self._choice.source is not None
        answer = await self.home.stage.ask(self._choice.source)
        problem = answer if isinstance(answer, str) else ""
        if not isinstance(answer, str):
            self._options = answer
            self._offer()
        self.say(problem and f"The options could not be had. {problem}")
        self.home.changed()

    def _index(self, json: Any) -> int | None:
        return next((n for n, option in enumerate(self._options) if same_json(json, option.json)), None)


class ChoiceInput(Offering[ChoiceField]):
    """`Literal`, an `Enum`, a dynamic dropdown."""

    def __init__(self, field: ChoiceField, title: str, home: Home) -> None:
        super().__init__(field, title, home, field)
        self.control = ipywidgets.Dropdown(description=title, _dom_classes=("nbfunc-control",))
        self._offering = False
        self.control.observe(self._picked, "index")
        self._lay(ipywidgets.HBox([self.control, *self._tools], _dom_classes=("nbfunc-row",)))
        self._begin()

    def _offer(self) -> None:
        wanted = self._current() if self._wanted is LEFT_OUT else self._wanted
        self._offering = True
        # The values on the wire are indices: 1 and True stay apart.
        self.control.options = [(option.label, n) for n, option in enumerate(self._options)]
        if self._options:
            self.control.index = self._index(wanted) or 0
        self._offering = False

    def _picked(self, _: Any) -> None:
        if not self._offering:
            self._wanted = LEFT_OUT
            self._edited()

    def _current(self) -> Any:
        label = self.control.label
        return next((option.json for option in self._options if option.label == label), LEFT_OUT)

    def raw(self, loc: Loc) -> Any:  # noqa: ARG002 - an Input
        index = self.control.index
        return self._wanted if index is None else self._options[index].json

    def fill(self, json: Any) -> None:
        self._wanted = json
        self._offer()

    def rename(self, title: str) -> None:
        super().rename(title)
        self.control.description = title


class ChoicesInput(Offering[ChoicesField]):
    """`list[Literal]`, `list[Enum]`, `set[…]`: a checkbox for each option."""

    def __init__(self, field: ChoicesField, title: str, home: Home) -> None:
        super().__init__(field, title, home, field.item)
        self._heading = heading(title)
        self._checks: list[Any] = []
        self._rows = ipywidgets.VBox(_dom_classes=("nbfunc-options",))
        self._lay(self._heading, self._rows, *self._tools)
        self._begin()

    def _offer(self) -> None:
        wanted = self._chosen() if self._wanted is LEFT_OUT else self._wanted
        old, self._checks = self._checks, []
        for option in self._options:
            on = any(same_json(option.json, json) for json in wanted)
            check = ipywidgets.Checkbox(value=on, description=option.label, indent=False)
            check.observe(self._ticked, "value")
            self._checks.append(check)
        self._rows.children = self._checks
        closed(*old)

    def _ticked(self, _: Any) -> None:
        self._wanted = self._chosen()
        self._edited()

    def _chosen(self) -> list[Any]:
        return [o.json for o, check in zip(self._options, self._checks, strict=False) if check.value]

    def raw(self, loc: Loc) -> Any:  # noqa: ARG002 - an Input
        return self._chosen() if self._wanted is LEFT_OUT else self._wanted

    def fill(self, json: Any) -> None:
        self._wanted = json
        self._offer()

    def rename(self, title: str) -> None:
        super().rename(title)
        self._heading.value = html.escape(title)

    def child(self, part: str | int) -> Input[Any] | None:  # noqa: ARG002 - its options are no inputs
        return None

    def complain(self, loc: Loc, message: str) -> None:  # noqa: ARG002 - which option it was does not help
        self.say(message)
