"""What one field is filled in with. An Input holds the widgets of a field and speaks its JSON."""

from __future__ import annotations

import html
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, ClassVar, Generic, TypeVar

import ipywidgets

from nbfunc.core.fields import LEFT_OUT, Field, Loc, wrong
from nbfunc.core.leaves import CheckboxField, ColorField, DurationField, MomentField, NumberField, TextField
from nbfunc.notebook.panels.durations import seconds_of, spoken
from nbfunc.notebook.panels.stage import Stage
from nbfunc.notebook.panels.widgets import show

F = TypeVar("F", bound=Field)

NEEDED = "This value is needed."


@dataclass(frozen=True)
class Home:
    """Where an input lives.

    Attributes
    ----------
    stage : Stage
        Keeps its uploads, asks its dropdowns.
    make : callable
        Makes the input of a field: the table.
    changed : callable
        Called when something was filled in.
    """

    stage: Stage
    make: Callable[[Field, str, Home], Input[Any]]
    changed: Callable[[], None]

    def input(self, field: Field, title: str) -> Input[Any]:
        """Return a new input."""
        return self.make(field, title, self)


class Input(ABC, Generic[F]):
    """What one field is filled in with.

    Attributes
    ----------
    box : ipywidgets.VBox
        All of its widgets.
    stands_in : bool
        Whether a default that is not shown is used where nothing is filled in.
    """

    def __init__(self, field: F, title: str, home: Home) -> None:
        self.field = field
        self.title = title
        self.home = home
        self.stands_in = False
        self._help = field.description
        self._problem = ""
        self._note = ipywidgets.HTML()
        self.box = ipywidgets.VBox(_dom_classes=("nbfunc-field",))

    @abstractmethod
    def raw(self, loc: Loc) -> Any:
        """Return the JSON of what is filled in, `LEFT_OUT` for nothing.

        Raises
        ------
        InvalidArguments
            It cannot be JSON of this field; problems are at `loc` or below.
        """

    @abstractmethod
    def fill(self, json: Any) -> None:
        """Take a JSON value of the field."""

    def offer(self, told: Mapping[str, Any]) -> None:  # noqa: ARG002 - files say its name
        """Take note of a default that is not shown, by what `Field.prefilled` tells of it."""
        self.stands_in = True

    def settle(self) -> None:
        """Take the place where the field starts; the default, if any, is in."""

    def rename(self, title: str) -> None:
        """Show another title."""
        self.title = title

    def inner(self) -> list[Input[Any]]:
        """Return the inputs inside that are seen."""
        return []

    def child(self, part: str | int) -> Input[Any] | None:  # noqa: ARG002 - inputs of one value have none
        """Return the input under one part of a problem's path."""
        return None

    def complain(self, loc: Loc, message: str) -> None:
        """Show what is wrong at the deepest input on the path `loc`."""
        child = self.child(loc[0]) if loc else None
        if child is None:
            self.say(": ".join([*map(str, loc), message]))
        else:
            child.complain(loc[1:], message)

    def clear(self) -> None:
        """Forget what was wrong, here and inside."""
        self.say("")
        for child in self.inner():
            child.clear()

    def say(self, problem: str) -> None:
        """Show what is wrong here; nothing for ""."""
        if problem != self._problem:
            self._problem = problem
            self._annotate()

    def _annotate(self) -> None:
        lines = [f'<p class="nbfunc-help">{_escaped(self._help)}</p>'] if self._help else []
        if self._problem:
            lines.append(f'<p class="nbfunc-problem" role="alert">{_escaped(self._problem)}</p>')
        self._note.value = "".join(lines)
        show(self._note, bool(lines))

    def _lay(self, *widgets: Any) -> None:
        """Show these widgets, above help and problem."""
        # What is hidden stays a child, so that closing the box closes it too.
        self.box.children = (*widgets, self._note)
        self._annotate()

    def _edited(self, _: Any = None) -> None:
        self.say("")
        self.home.changed()


def _escaped(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def heading(title: str) -> Any:
    """Return the title of what has no control of its own."""
    return ipywidgets.HTML(html.escape(title), _dom_classes=("nbfunc-title",))


class Control(Input[F]):
    """An input of one control, whose description is its label.

    Parameters
    ----------
    field : Field
        What is filled in.
    title : str
        Its label.
    home : Home
        Where it lives.
    control : ipywidgets.Widget
        Holds the value.
    """

    def __init__(self, field: F, title: str, home: Home, control: Any) -> None:
        super().__init__(field, title, home)
        self.control = control
        self._filled: tuple[Any, Any] | None = None
        control.description = title
        control.add_class("nbfunc-control")
        if control.has_trait("continuous_update"):
            control.continuous_update = False  # one change, when it is made, cannot be overtaken by a click
        control.observe(self._edited, "value")
        self._lay(control)

    @abstractmethod
    def _json(self, value: Any, loc: Loc) -> Any:
        """Return the JSON of the control's value."""

    def _shown(self, json: Any) -> Any:
        """Return what the control shows of a JSON value."""
        return json

    def raw(self, loc: Loc) -> Any:
        # What nobody touched goes back as it came: a control shows no microseconds, and no time zone.
        if self._filled is not None and self._filled[0] == self.control.value:
            return self._filled[1]
        return self._json(self.control.value, loc)

    def fill(self, json: Any) -> None:
        self.control.value = self._shown(json)
        self._filled = self.control.value, json

    def rename(self, title: str) -> None:
        super().rename(title)
        self.control.description = title

    def _annotate(self) -> None:
        super()._annotate()
        # A title is all that screen readers get of a widget beside its label.
        self.control.tooltip = " ".join(filter(None, (self._problem, self._help))) or None


class CheckInput(Control[CheckboxField]):
    """`bool`."""

    def __init__(self, field: CheckboxField, title: str, home: Home) -> None:
        super().__init__(field, title, home, ipywidgets.Checkbox(indent=False))

    def _json(self, value: Any, loc: Loc) -> Any:  # noqa: ARG002 - a Control
        return value


class TextInput(Control[TextField]):
    """`str`: a line, several, or dots."""

    def __init__(self, field: TextField, title: str, home: Home) -> None:
        if field.rows is not None:
            control = ipywidgets.Textarea(rows=field.rows)
        else:
            control = ipywidgets.Password() if field.password else ipywidgets.Text()
        control.placeholder = field.placeholder or ""
        super().__init__(field, title, home, control)

    def offer(self, told: Mapping[str, Any]) -> None:
        super().offer(told)
        self.control.placeholder = "Left empty: the default"

    def _json(self, value: Any, loc: Loc) -> Any:  # noqa: ARG002 - a Control
        return LEFT_OUT if self.stands_in and not value else value


class EmailInput(TextInput):
    """`Email`."""

    def _json(self, value: Any, loc: Loc) -> Any:  # noqa: ARG002 - a Control
        return value.strip() or LEFT_OUT


class ColorInput(Control[ColorField]):
    """`Color`."""

    def __init__(self, field: ColorField, title: str, home: Home) -> None:
        super().__init__(field, title, home, ipywidgets.ColorPicker(value="#000000"))

    def _json(self, value: Any, loc: Loc) -> Any:  # noqa: ARG002 - a Control
        return value


class NumberInput(Control[NumberField]):
    """`int`, `float`: text, since a number widget can be neither empty nor exact."""

    def __init__(self, field: NumberField, title: str, home: Home) -> None:
        super().__init__(field, title, home, ipywidgets.Text())

    def _json(self, value: Any, loc: Loc) -> Any:
        return self.field.read_texts([value], loc)

    def _shown(self, json: Any) -> Any:
        return str(json)


class SliderInput(Control[NumberField]):
    """A number between two bounds."""

    def __init__(self, field: NumberField, title: str, home: Home) -> None:
        schema = field.adapter.json_schema()
        whole = int in field.types and len(field.types) == 1
        past = 1 if whole else 0
        low = schema["minimum"] if "minimum" in schema else schema["exclusiveMinimum"] + past
        high = schema["maximum"] if "maximum" in schema else schema["exclusiveMaximum"] - past
        step = schema.get("multipleOf", 1 if whole else (high - low) / 100)
        middle = low + (high - low) / 2 // step * step
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        number = int if whole else float
        control = kind(value=number(middle), min=number(low), max=number(high), step=number(step))
        if not whole:
            control.readout_format = f".{max(0, -math.floor(math.log10(step)))}f"
        super().__init__(field, title, home, control)

    def _json(self, value: Any, loc: Loc) -> Any:  # noqa: ARG002 - a Control
        return float(f"{value:.12g}") if isinstance(value, float) else value


class MomentInput(Control[MomentField]):
    """A date, a time or both."""

    kind: ClassVar[type[date] | type[time]]
    picker: ClassVar[Any]

    def __init__(self, field: MomentField, title: str, home: Home) -> None:
        super().__init__(field, title, home, self.picker())

    def _json(self, value: Any, loc: Loc) -> Any:  # noqa: ARG002 - a Control
        return LEFT_OUT if value is None else value.isoformat()

    def _shown(self, json: Any) -> Any:
        return self.kind.fromisoformat(json)


class DateInput(MomentInput):
    """`date`."""

    kind = date
    picker = ipywidgets.DatePicker


class TimeInput(MomentInput):
    """`time`."""

    kind = time
    picker = ipywidgets.TimePicker

    def _shown(self, json: Any) -> Any:
        shown = time.fromisoformat(json).replace(tzinfo=None)
        if shown.second or shown.microsecond:
            self.control.step = 1
        return shown


class DatetimeInput(MomentInput):
    """`datetime`."""

    kind = datetime
    picker = ipywidgets.NaiveDatetimePicker

    def _shown(self, json: Any) -> Any:
        return datetime.fromisoformat(json).replace(tzinfo=None)


class DurationInput(Control[DurationField]):
    """`timedelta`, in words."""

    def __init__(self, field: DurationField, title: str, home: Home) -> None:
        super().__init__(field, title, home, ipywidgets.Text(placeholder="1h 30m"))

    def _json(self, value: Any, loc: Loc) -> Any:
        if not value.strip():
            return LEFT_OUT
        seconds = seconds_of(value)
        if seconds is None:
            raise wrong(loc, "Must be a duration, such as 1h 30m, 1:30:00 or 2 days.")
        return seconds

    def _shown(self, json: Any) -> Any:
        value = self.field.adapter.validate_python(json)
        return spoken(value.total_seconds())
