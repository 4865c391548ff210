"""Which annotation becomes which Field: one ordered table, first match wins.

An annotation is first taken apart into its bare type, our markers, its label and help, and what pydantic
is to check. Whatever has no row, or carries what its row cannot use, is refused with the way out.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic.types import AllowInfNan

from nbfunc.core import docstrings
from nbfunc.core.advice import FITS, way_out
from nbfunc.core.attributes import attributes
from nbfunc.core.choices import ChoiceField, is_json_scalar, plain_options
from nbfunc.core.compound import (
    ChoicesField,
    DictField,
    GroupField,
    ListField,
    Member,
    OptionalField,
    VariantsField,
)
from nbfunc.core.constraints import adapter, check_room, is_custom, no_checks
from nbfunc.core.fields import LEFT_OUT, NO_INPUTS, Field, Leaf, Option
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
from nbfunc.core.parts import (
    MARKERS,
    Parts,
    Place,
    is_class,
    is_dynamic_literal,
    is_generic,
    is_group,
    is_just,
    is_marked,
    is_path,
    is_union,
    take_apart,
)
from nbfunc.core.uploaded import FileField
from nbfunc.errors import InvalidArguments
from nbfunc.types import (
    ColorHint,
    Dropdown,
    EmailHint,
    FileHint,
    Multiline,
    Password,
    Placeholder,
    Slider,
    Switch,
)

Build: TypeAlias = Callable[[Parts, Place], Field]


def field_of(annotation: Any, place: Place, outer: Sequence[Any] = ()) -> Field:
    """Return the Field of an annotation.

    Parameters
    ----------
    annotation : object
        With strings resolved and extras kept, as `typing.get_type_hints` gives it.
    place : Place
        Where it stands.
    outer : sequence
        Metadata of what is around it, which belongs to it too.

    Raises
    ------
    FormError
        No row of the table takes it, or it carries a marker or constraint that does not fit.
    """
    parts = take_apart(annotation, outer, place)
    for check in parts.checks:
        if isinstance(check, type) and issubclass(check, MARKERS):
            raise place.refuse(annotation, f"write {check.__name__}(), with parentheses.")
    check_room(parts, place)
    for row in FIELDS:
        if row.takes(parts):
            for marker in parts.markers:
                if not isinstance(marker, row.markers):
                    name = type(marker).__name__
                    raise place.refuse(annotation, f"{name}() does not fit here; {FITS[type(marker)]}.")
            field = row.build(parts, place)
            return dataclasses.replace(
                field, title=parts.title or field.title, description=parts.description or field.description
            )
    raise place.refuse(annotation, f"{FITS[Switch]}." if parts.marker(Switch) else way_out(parts.base))


def _number(parts: Parts, place: Place) -> Field:
    infinite = any(getattr(check, "allow_inf_nan", None) is True for check in parts.checks)
    finite = [] if infinite or parts.base is int else [AllowInfNan(allow_inf_nan=False)]
    types_: tuple[type, ...] = (int,) if parts.base is int else (float, int)
    field = NumberField(
        title="Whole number" if parts.base is int else "Number",
        adapter=adapter(parts, place, parts.base(1), finite),
        custom=is_custom(parts),
        types=types_,
        slider=parts.marker(Slider) is not None,
        allow_inf_nan=infinite and parts.base is float,
    )
    bounds = field.adapter.json_schema()
    if field.slider and not (
        bounds.keys() & {"minimum", "exclusiveMinimum"} and bounds.keys() & {"maximum", "exclusiveMaximum"}
    ):
        raise place.refuse(parts.whole, "Slider() needs both ends: add Field(ge=0, le=100).")
    return field


def _text(parts: Parts, place: Place) -> Field:
    rows, placeholder = parts.marker(Multiline), parts.marker(Placeholder)
    return TextField(
        title="Text",
        adapter=adapter(parts, place, "a"),
        custom=is_custom(parts),
        types=(str,),
        rows=rows and rows.rows,
        password=parts.marker(Password) is not None,
        placeholder=placeholder and placeholder.text,
    )


def _text_like(kind: type[TextField], title: str) -> Build:
    def build(parts: Parts, place: Place) -> Field:
        placeholder = parts.marker(Placeholder)
        return kind(
            title=title,
            adapter=adapter(parts, place, "a"),
            custom=is_custom(parts),
            types=(str,),
            placeholder=placeholder and placeholder.text,
        )

    return build


def _leaf(kind: type[Leaf], title: str, sample: Any) -> Build:
    def build(parts: Parts, place: Place) -> Field:
        checked = adapter(parts, place, sample)
        return kind(title=title, adapter=checked, custom=is_custom(parts), types=(type(sample),))

    return build


def _file(parts: Parts, place: Place) -> Field:
    no_checks(parts, place)
    hint = parts.marker(FileHint) or FileHint()
    if parts.base is not str and not is_path(parts):
        raise place.refuse(parts.whole, "a file is str or Path: write Annotated[str, FileHint(...)].")
    return FileField(
        title="File", extensions=hint.extensions, max_size=hint.max_size, as_path=parts.base is not str
    )


def _dropdown(parts: Parts, place: Place) -> Field:
    no_checks(parts, place)
    marker = parts.marker(Dropdown)
    source = marker.options if marker else get_args(parts.base)[0]
    if not callable(source):
        raise place.refuse(
            parts.whole, f"Dropdown() takes a function that returns the options, not {source!r}."
        )
    if inspect.iscoroutinefunction(source):
        raise place.refuse(parts.whole, "the options come from a plain function, not from a coroutine.")
    return ChoiceField(title="Choice", source=source)


def _literal(parts: Parts, place: Place) -> Field:
    no_checks(parts, place)
    values = get_args(parts.base)
    if not values:
        raise place.refuse(parts.whole, "there is nothing to choose from.")
    if any(callable(value) for value in values):
        raise place.refuse(parts.whole, "a function that gives the options stands alone in Literal[...].")
    try:
        options = [_member_option(v) if isinstance(v, Enum) else plain_options([v])[0] for v in values]
        return ChoiceField(title="Choice", options=tuple(options))
    except TypeError as error:
        raise place.refuse(parts.whole, f"{error}.") from error


def _enum(parts: Parts, place: Place) -> Field:
    no_checks(parts, place)
    members = tuple(parts.base)
    if not members:
        raise place.refuse(parts.whole, "it has no members to choose from.")
    return ChoiceField(title=parts.base.__name__, options=tuple(map(_member_option, members)))


def _member_option(member: Enum) -> Option:
    """Return the option of an Enum's member: by value where JSON holds all the values, else by name."""
    values = [other.value for other in type(member)]
    return Option(
        member.value if all(map(is_json_scalar, values)) else member.name,
        member,
        member.value if all(isinstance(value, str) for value in values) else member.name,
    )


def _list(parts: Parts, place: Place) -> Field:
    (item,) = get_args(parts.base)
    container = get_origin(parts.base)
    field = field_of(item, place)
    kind = ChoicesField if isinstance(field, ChoiceField) else ListField
    plain = dataclasses.replace(parts, base=container)
    whole = adapter(plain, place, container())
    if isinstance(field, (GroupField, ListField, DictField)) and container is set:
        raise place.refuse(parts.whole, "the items of a set must be hashable: use a list.")
    return kind(title="List", item=field, container=container, whole=whole)


def _dict(parts: Parts, place: Place) -> Field:
    key, value = get_args(parts.base)
    if key is not str:
        raise place.refuse(parts.whole, "the keys of a dict are text: write dict[str, ...].")
    whole = adapter(dataclasses.replace(parts, base=dict), place, {})
    return DictField(title="Named values", value=field_of(value, place), whole=whole)


def _union(parts: Parts, place: Place) -> Field:
    arms = get_args(parts.base)
    kept = [arm for arm in arms if not _is_none(arm)]
    switches = [
        item.on
        for arm in arms
        if _is_none(arm)
        for item in getattr(arm, "__metadata__", ())
        if isinstance(item, Switch)
    ]
    if len(set(switches)) > 1:
        raise place.refuse(parts.whole, "its switch is on or off at the start: keep one of the two.")
    outer = [*parts.checks, *parts.markers]
    field = field_of(kept[0], place, outer) if len(kept) == 1 else _variants(kept, outer, place)
    if len(kept) == len(arms):
        return field
    return OptionalField(
        title=field.title,
        description=field.description,
        field=field,
        start=switches[-1] if switches else False,
        marked=bool(switches),
    )


def _is_none(arm: Any) -> bool:
    return arm is type(None) or (get_origin(arm) is Annotated and arm.__origin__ is type(None))


def _variants(arms: Sequence[Any], outer: Sequence[Any], place: Place) -> Field:
    variants: list[Field] = []
    for arm in arms:
        field = field_of(arm, place, outer)
        taken = {variant.title for variant in variants}
        numbered = (f"{field.title} {n}" if n > 1 else field.title for n in range(1, len(arms) + 1))
        variants.append(dataclasses.replace(field, title=next(t for t in numbered if t not in taken)))
    return VariantsField(title="Choice of kind", variants=tuple(variants))


def _group(parts: Parts, place: Place) -> Field:
    no_checks(parts, place)
    cls = parts.base
    if cls in place.inside:
        raise place.refuse(
            parts.whole, f"{cls.__name__} holds itself, and a form has an end. Leave that field out."
        )
    below = dataclasses.replace(place, inside=(*place.inside, cls))
    return GroupField(title=cls.__name__, members=tuple(_members(cls, below)), cls=cls)


def _members(cls: type, place: Place) -> Iterator[Member]:
    helps = docstrings.read(cls).parameters
    for name, annotation, metadata, required, default in attributes(cls, place):
        yield member_of(
            name,
            annotation,
            dataclasses.replace(place, parameter=f"{place.parameter}.{name}"),
            default=default,
            required=required,
            help_text=helps.get(name, ""),
            outer=metadata,
        )


def member_of(
    name: str,
    annotation: Any,
    place: Place,
    *,
    default: Any = LEFT_OUT,
    required: bool = True,
    help_text: str = "",
    outer: Sequence[Any] = (),
) -> Member:
    """Return a named field with its label, help and default.

    Parameters
    ----------
    name : str
        Of the parameter, or of a group's attribute.
    annotation : object
        Its annotation.
    place : Place
        Where it stands.
    default : object
        `LEFT_OUT` where there is none.
    required : bool
        Whether a client must give it.
    help_text : str
        What the docstring says of it.
    outer : sequence
        More metadata.

    Raises
    ------
    FormError
        Also for a default that is not a value of its own field.
    """
    field = field_of(annotation, place, outer)
    parts = take_apart(annotation, outer, place)
    if default is None and not isinstance(field, OptionalField) and not _takes_none(field):
        field = OptionalField(title=field.title, description=field.description, field=field)
    if isinstance(field, OptionalField) and not field.marked:
        field = dataclasses.replace(field, start=default is not None and default is not LEFT_OUT)
    lifted = _own_title(parts, place)
    field = dataclasses.replace(
        field,
        title=lifted or name.strip("_").replace("_", " ") or name,
        description=field.description or help_text,
    )
    if default is LEFT_OUT:
        return Member(name, field, required)
    verbatim = _is_verbatim(field, default, annotation, place)
    return Member(name, field.standing_on(default), required, default, verbatim)


def _own_title(parts: Parts, place: Place) -> str:
    """Return the author's label, also one inside an optional: ``Annotated[int, Label("x")] | None``."""
    if parts.title or get_origin(parts.base) not in {Union, types.UnionType}:
        return parts.title
    kept = [arm for arm in get_args(parts.base) if not _is_none(arm)]
    return take_apart(kept[0], (), place).title if len(kept) == 1 else ""


def _takes_none(field: Field) -> bool:
    return isinstance(field, ChoiceField) and any(option.value is None for option in field.options)


def _is_verbatim(field: Field, default: Any, annotation: Any, place: Place) -> bool:
    """Whether a field makes of a default what it is; refuse one that does not fit."""
    try:
        json = field.encode(default)
        # Whether a file is there, or an option is offered, is known only when the form opens.
        if any(isinstance(f, FileField) or getattr(f, "source", None) is not None for f in field.walk()):
            return True
        made = field.decode(json, (), NO_INPUTS)
        return type(made) is type(default) and bool(made == default)
    except InvalidArguments as error:
        raise place.refuse(
            annotation, f"the default {default!r} does not fit: {error.problems[0]['msg']}"
        ) from error
    except (TypeError, ValueError) as error:
        raise place.refuse(annotation, f"the default does not fit: {error}.") from error


@dataclass(frozen=True)
class Row:
    """One row of the table: which annotations, which field, and the markers that it knows."""

    takes: Callable[[Parts], bool]
    build: Build
    markers: tuple[type, ...] = ()


FIELDS: tuple[Row, ...] = (
    Row(is_union, _union, MARKERS),
    Row(is_marked(Dropdown), _dropdown, (Dropdown,)),
    Row(is_marked(FileHint), _file, (FileHint,)),
    Row(is_path, _file),
    Row(is_marked(ColorHint), _text_like(ColorField, "Color"), (ColorHint,)),
    Row(is_marked(EmailHint), _text_like(EmailField, "E-mail"), (EmailHint, Placeholder)),
    Row(is_dynamic_literal, _dropdown),
    Row(lambda parts: get_origin(parts.base) is Literal, _literal),
    Row(is_class(Enum), _enum),
    Row(is_just(bool), _leaf(CheckboxField, "Yes or no", True)),
    Row(is_just(int), _number, (Slider,)),
    Row(is_just(float), _number, (Slider,)),
    Row(is_just(str), _text, (Multiline, Password, Placeholder)),
    Row(is_just(datetime), _leaf(DatetimeField, "Date and time", datetime(2000, 1, 1))),
    Row(is_just(date), _leaf(DateField, "Date", date(2000, 1, 1))),
    Row(is_just(time), _leaf(TimeField, "Time", time())),
    Row(is_just(timedelta), _leaf(DurationField, "Duration", timedelta())),
    Row(is_generic(list, set, of=1), _list),
    Row(is_generic(dict, of=2), _dict),
    Row(is_group, _group),
)
