"""Which Field becomes which Input: one ordered table, first match wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbfunc.core.choices import ChoiceField
from nbfunc.core.compound import (
    ChoicesField,
    DictField,
    GroupField,
    ListField,
    OptionalField,
    VariantsField,
)
from nbfunc.core.fields import Field
from nbfunc.core.leaves import (
    CheckboxField,
    ColorField,
    DateField,
    DatetimeField,
    DurationField,
    EmailField,
    NumberField,
    TextField,
    TimeField,
)
from nbfunc.core.uploaded import FileField
from nbfunc.notebook.panels.choices import ChoiceInput, ChoicesInput
from nbfunc.notebook.panels.compound import DictInput, GroupInput, ListInput, OptionalInput, VariantsInput
from nbfunc.notebook.panels.files import FileInput, FilesInput
from nbfunc.notebook.panels.inputs import (
    CheckInput,
    ColorInput,
    DateInput,
    DatetimeInput,
    DurationInput,
    EmailInput,
    Home,
    Input,
    NumberInput,
    SliderInput,
    TextInput,
    TimeInput,
)


def _is(kind: type[Field]) -> Callable[[Field], bool]:
    return lambda field: isinstance(field, kind)


INPUTS: tuple[tuple[Callable[[Field], bool], type[Input[Any]]], ...] = (
    (_is(CheckboxField), CheckInput),
    (lambda field: isinstance(field, NumberField) and field.slider, SliderInput),
    (_is(NumberField), NumberInput),
    (_is(ColorField), ColorInput),
    (_is(EmailField), EmailInput),
    (_is(TextField), TextInput),
    (_is(DatetimeField), DatetimeInput),
    (_is(DateField), DateInput),
    (_is(TimeField), TimeInput),
    (_is(DurationField), DurationInput),
    (_is(FileField), FileInput),
    (_is(ChoiceField), ChoiceInput),
    (_is(OptionalField), OptionalInput),
    (_is(ChoicesField), ChoicesInput),
    (lambda field: isinstance(field, ListField) and isinstance(field.item, FileField), FilesInput),
    (_is(ListField), ListInput),
    (_is(VariantsField), VariantsInput),
    (_is(GroupField), GroupInput),
    (_is(DictField), DictInput),
)


def input_of(field: Field, title: str, home: Home) -> Input[Any]:
    """Return a new input of a field."""
    made: Callable[[Field, str, Home], Input[Any]] = next(kind for takes, kind in INPUTS if takes(field))
    return made(field, title, home)
