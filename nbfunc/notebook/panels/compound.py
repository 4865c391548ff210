"""Inputs that hold other inputs: optional ones, lists, dicts, variants, groups."""

from __future__ import annotations

import functools
import html
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import ipywidgets

from nbfunc.core.compound import (
    DictField,
    GroupField,
    ListField,
    Member,
    OptionalField,
    Problems,
    VariantsField,
)
from nbfunc.core.fields import LEFT_OUT, Field, Loc, wrong
from nbfunc.errors import Problem
from nbfunc.notebook.panels.inputs import NEEDED, Home, Input, heading
from nbfunc.notebook.panels.widgets import closed, show, tool

F = TypeVar("F", bound=Field)


class OptionalInput(Input[OptionalField]):
    """`T | None`: a switch, and below it the input, hidden while it is off."""

    def __init__(self, field: OptionalField, title: str, home: Home) -> None:
        super().__init__(field, title, home)
        self._switch = ipywidgets.Checkbox(
            value=field.start,
            description=_optional(title),
            indent=False,
            tooltip=f"Set {title}, or leave it out",
            _dom_classes=("nbfunc-switch",),
        )
        self._switch.observe(self._switched, "value")
        self._inside = home.input(field.field, title)
        self._inside.box.add_class("nbfunc-bare")
        self._lay(self._switch, self._inside.box)
        show(self._inside.box, self._switch.value)

    def _switched(self, _: Any) -> None:
        self._inside.clear()
        show(self._inside.box, self._switch.value)
        self._edited()

    def raw(self, loc: Loc) -> Any:
        return self._inside.raw(loc) if self._switch.value else None

    def fill(self, json: Any) -> None:
        self._switch.value = json is not None
        if json is not None:
            self._inside.fill(json)

    def offer(self, told: Mapping[str, Any]) -> None:
        super().offer(told)
        self._inside.offer(told)

    def settle(self) -> None:
        self._switch.value = self.field.start

    def rename(self, title: str) -> None:
        super().rename(title)
        self._switch.description = _optional(title)
        self._inside.rename(title)

    def inner(self) -> list[Input[Any]]:
        return [self._inside] if self._switch.value else []

    def complain(self, loc: Loc, message: str) -> None:
        if self._switch.value:
            self._inside.complain(loc, message)
        else:
            super().complain(loc, message)


def _optional(title: str) -> str:
    return f"{title} (optional)"


class GroupInput(Input[GroupField]):
    """A dataclass, a pydantic model, a `TypedDict`."""

    def __init__(self, field: GroupField, title: str, home: Home) -> None:
        super().__init__(field, title, home)
        self._heading = heading(title)
        self._members = Members(field.members, home)
        inside = ipywidgets.VBox(self._members.boxes(), _dom_classes=("nbfunc-inside",))
        self._lay(self._heading, inside)

    def raw(self, loc: Loc) -> Any:
        problems = Problems()
        values = self._members.raw(loc, problems)
        problems.check()
        return values

    def fill(self, json: Any) -> None:
        self._members.fill(json)

    def rename(self, title: str) -> None:
        super().rename(title)
        self._heading.value = html.escape(title)

    def inner(self) -> list[Input[Any]]:
        return list(self._members.inputs.values())

    def child(self, part: str | int) -> Input[Any] | None:
        return self._members.inputs.get(str(part))


class Members:
    """The inputs of an object's members: a group's, or the form's.

    Attributes
    ----------
    inputs : dict of str to Input
        In the members' order.
    """

    def __init__(self, members: Sequence[Member], home: Home) -> None:
        self._members = members
        self.inputs: dict[str, Input[Any]] = {}
        for member in members:
            made = self.inputs[member.name] = home.input(member.field, member.field.title)
            if member.default is not LEFT_OUT:
                default = member.field.prefilled(member.default)
                if "default" in default:
                    made.fill(default["default"])
                else:
                    made.offer(default["x-nbfunc"])
                made.settle()

    def boxes(self) -> list[Any]:
        """Return their widgets."""
        return [one.box for one in self.inputs.values()]

    def raw(self, loc: Loc, problems: Problems) -> dict[str, Any]:
        """Return the JSON of those that are filled in, and leave what is wrong in `problems`."""
        values: dict[str, Any] = {}
        for member in self._members:
            one = self.inputs[member.name]
            found = len(problems.found)
            value = problems.keep(functools.partial(one.raw, (*loc, member.name)))
            if len(problems.found) > found:
                continue
            if value is not LEFT_OUT:
                values[member.name] = value
            elif member.required or (member.default is not LEFT_OUT and not one.stands_in):
                # A field that was emptied is an error, never its default.
                problems.found.append(Problem(loc=[*loc, member.name], msg=NEEDED))
        return values

    def fill(self, values: Mapping[str, Any]) -> None:
        """Take JSON values."""
        for name, value in values.items():
            self.inputs[name].fill(value)


class VariantsInput(Input[VariantsField]):
    """`A | B`: which, and then that one's input."""

    def __init__(self, field: VariantsField, title: str, home: Home) -> None:
        super().__init__(field, title, home)
        self._choice = ipywidgets.RadioButtons(
            options=[variant.title for variant in field.variants],
            description=title,
            orientation="horizontal",
            _dom_classes=("nbfunc-control",),
        )
        self._choice.observe(self._chosen, "index")
        self._made: dict[int, Input[Any]] = {}
        self._show()

    @property
    def _inside(self) -> Input[Any]:
        index = self._choice.index
        if index not in self._made:
            made = self._made[index] = self.home.input(self.field.variants[index], self._inner_title())
            made.box.add_class("nbfunc-bare")
        return self._made[index]

    def _inner_title(self) -> str:
        return f"{self.title}: {self._choice.label}"

    def _show(self) -> None:
        inside = self._inside
        self._lay(self._choice, *(one.box for one in self._made.values()))
        for one in self._made.values():
            show(one.box, one is inside)

    def _chosen(self, _: Any) -> None:
        self._show()
        self._edited()

    def raw(self, loc: Loc) -> Any:
        value = self._inside.raw(loc) if self._inside.stands_in else _needed(self._inside, loc)
        return LEFT_OUT if value is LEFT_OUT else {"$type": self._inside.field.title, "$value": value}

    def offer(self, told: Mapping[str, Any]) -> None:
        super().offer(told)
        self._choice.value = told["default_type"]
        self._inside.offer(told)

    def fill(self, json: Any) -> None:
        self._choice.value = json["$type"]
        self._inside.fill(json["$value"])

    def rename(self, title: str) -> None:
        super().rename(title)
        self._choice.description = title

    def inner(self) -> list[Input[Any]]:
        return [self._inside]

    def complain(self, loc: Loc, message: str) -> None:
        self._inside.complain(loc, message)


def _needed(one: Input[Any], loc: Loc) -> Any:
    """Return the JSON of an input that may not be empty."""
    value = one.raw(loc)
    if value is LEFT_OUT:
        raise wrong(loc, NEEDED)
    return value


class Rows(Input[F]):
    """Rows that can be added, removed and moved; what lists and dicts share.

    Parameters
    ----------
    field : Field
        What is filled in.
    title : str
        Its label.
    home : Home
        Where it lives.
    item : Field
        What one row takes.
    """

    def __init__(self, field: F, title: str, home: Home, item: Field) -> None:
        super().__init__(field, title, home)
        self._item = item
        self._inputs: list[Input[Any]] = []
        self._heading = heading(title)
        self._rows = ipywidgets.VBox(_dom_classes=("nbfunc-inside",))
        self._add = ipywidgets.Button(description="Add", tooltip=f"Add to {title}")
        self._add.on_click(lambda _: self._added())
        self._standing = ipywidgets.HTML()
        self._lay(self._heading, self._rows, self._standing, self._add)
        show(self._rows, on=False)
        show(self._standing, on=False)

    def _append(self) -> Input[Any]:
        one = self.home.input(self._item, "")
        one.box.add_class("nbfunc-bare")
        tools = [
            tool("arrow-up", "Move up", lambda: self._move(one, -1)),
            tool("arrow-down", "Move down", lambda: self._move(one, 1)),
            tool("times", "Remove", lambda: self._remove(one)),
        ]
        row = ipywidgets.HBox([*self._row(one), *tools], _dom_classes=("nbfunc-row",))
        self._inputs.append(one)
        self._rows.children = (*self._rows.children, row)
        self._number()
        return one

    def _row(self, one: Input[Any]) -> list[Any]:
        """Return the widgets of a row, its tools apart."""
        return [one.box]

    def _number(self) -> None:
        for n, one in enumerate(self._inputs, 1):
            one.rename(f"{self.title} {n}")
        show(self._rows, bool(self._inputs))
        show(self._standing, self.stands_in and not self._inputs)

    def _added(self) -> None:
        self._append()
        self._edited()

    def _move(self, one: Input[Any], by: int) -> None:
        at = self._inputs.index(one)
        to = at + by
        if 0 <= to < len(self._inputs):
            rows = list(self._rows.children)
            rows.insert(to, rows.pop(at))
            self._inputs.insert(to, self._inputs.pop(at))
            self._rows.children = rows
            self._number()
            self._edited()

    def _remove(self, one: Input[Any]) -> None:
        at = self._inputs.index(one)
        rows = list(self._rows.children)
        row = rows.pop(at)
        self._inputs.pop(at)
        self._rows.children = rows
        closed(row)
        self._number()
        self._edited()

    def _empty(self) -> None:
        rows, self._rows.children = self._rows.children, ()
        self._inputs = []
        closed(*rows)
        self._number()

    def offer(self, told: Mapping[str, Any]) -> None:
        super().offer(told)
        name = html.escape(told.get("default_name", "the default is used"))
        self._standing.value = f'<p class="nbfunc-help">Nothing added: {name}</p>'
        self._number()

    def inner(self) -> list[Input[Any]]:
        return list(self._inputs)

    def rename(self, title: str) -> None:
        super().rename(title)
        self._heading.value = html.escape(title)
        self._number()


class ListInput(Rows[ListField]):
    """`list[T]`, `set[T]`."""

    def __init__(self, field: ListField, title: str, home: Home) -> None:
        super().__init__(field, title, home, field.item)

    def raw(self, loc: Loc) -> Any:
        if self.stands_in and not self._inputs:
            return LEFT_OUT
        problems = Problems()
        values = [
            problems.keep(functools.partial(_needed, one, (*loc, n))) for n, one in enumerate(self._inputs)
        ]
        problems.check()
        return values

    def fill(self, json: Any) -> None:
        self._empty()
        for item in json:
            self._append().fill(item)

    def child(self, part: str | int) -> Input[Any] | None:
        return self._inputs[part] if isinstance(part, int) and part < len(self._inputs) else None


class DictInput(Rows[DictField]):
    """`dict[str, T]`: rows of a key and a value."""

    def __init__(self, field: DictField, title: str, home: Home) -> None:
        self._keys: dict[Input[Any], Any] = {}
        super().__init__(field, title, home, field.value)

    def _row(self, one: Input[Any]) -> list[Any]:
        key = self._keys[one] = ipywidgets.Text(
            placeholder="Key", continuous_update=False, _dom_classes=("nbfunc-key",)
        )
        key.observe(self._edited, "value")
        return [key, one.box]

    def _number(self) -> None:
        super()._number()
        self._keys = {one: self._keys[one] for one in self._inputs}
        for n, key in enumerate(self._keys.values(), 1):
            key.description = f"Key {n} of {self.title}"

    def raw(self, loc: Loc) -> Any:
        if self.stands_in and not self._inputs:
            return LEFT_OUT
        problems = Problems()
        values: dict[str, Any] = {}
        for one, key in self._keys.items():
            if key.value in values:
                raise wrong(loc, f"The key {key.value!r} is there twice.")
            values[key.value] = problems.keep(functools.partial(_needed, one, (*loc, key.value)))
        problems.check()
        return values

    def fill(self, json: Any) -> None:
        self._empty()
        for name, value in json.items():
            one = self._append()
            self._keys[one].value = name
            one.fill(value)

    def child(self, part: str | int) -> Input[Any] | None:
        return next((one for one, key in self._keys.items() if key.value == part), None)
