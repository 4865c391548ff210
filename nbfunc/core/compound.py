"""Fields that hold other fields: optional ones, lists, multiple choice, variants, groups and dicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, TypeAdapter

from nbfunc.core.choices import ChoiceField
from nbfunc.core.fields import LEFT_OUT, Field, Inputs, Loc, Offers, checking, wrong
from nbfunc.core.uploaded import FileField
from nbfunc.errors import InvalidArguments, Problem


class Problems:
    """Collects what is wrong with several values, so that the person at the form reads it all at once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def decode(self, field: Field, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        """Return the decoded value, or None and a problem more."""
        return self.keep(lambda: field.decode(raw, loc, inputs))

    def keep(self, act: Callable[[], Any]) -> Any:
        """Return what `act` returns, or None and what it found wrong."""
        try:
            return act()
        except InvalidArguments as error:
            self.found += error.problems
            return None

    def check(self) -> None:
        """Raise all that was found."""
        if self.found:
            raise InvalidArguments(self.found)


@dataclass(frozen=True, kw_only=True)
class OptionalField(Field):
    """A field with a switch: None when it is off.

    Attributes
    ----------
    field : Field
        What is behind the switch.
    start : bool
        Where the switch stands at the start.
    marked : bool
        Whether the author set that by `OptionalEnabled` or `OptionalDisabled`.
    """

    kind: ClassVar[str] = "optional"
    field: Field
    start: bool = False
    marked: bool = False

    def inner(self) -> tuple[Field, ...]:
        return (self.field,)

    def shape(self, offers: Offers) -> dict[str, Any]:
        return {"anyOf": [self.field.node(offers), {"type": "null"}]}

    def hints(self) -> dict[str, Any]:
        return {"start": self.start}

    def is_private(self, default: Any) -> bool:
        return default is not None and self.field.is_private(default)

    def prefilled(self, default: Any) -> dict[str, Any]:
        return {"default": None} if default is None else self.field.prefilled(default)

    def standing_on(self, default: Any) -> OptionalField:
        return self if default is None else dataclasses.replace(self, field=self.field.standing_on(default))

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        return None if raw is None else self.field.decode(raw, loc, inputs)

    def encode(self, value: Any) -> Any:
        return None if value is None else self.field.encode(value)

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        return self.field.read_texts(texts, loc)

    def read_uploads(self, tokens: Sequence[str], loc: Loc) -> Any:
        return self.field.read_uploads(tokens, loc)


def _hidden(item: Field, values: Iterable[Any]) -> dict[str, Any]:
    """Return what the schema says of rows that stay on the server: their files' names, if there are any."""
    names = [item.prefilled(value).get("x-nbfunc", {}).get("default_name") for value in values]
    told = {"default_name": ", ".join(filter(None, names))} if any(names) else {"default_hidden": True}
    return {"x-nbfunc": told}


@dataclass(frozen=True, kw_only=True)
class ListField(Field):
    """Rows of one field.

    Attributes
    ----------
    item : Field
        One row.
    container : type
        `list` or `set`.
    whole : pydantic.TypeAdapter
        The constraints of the list itself.
    """

    kind: ClassVar[str] = "list"
    item: Field
    container: type[list[Any]] | type[set[Any]] = list
    whole: TypeAdapter[Any]

    def inner(self) -> tuple[Field, ...]:
        return (self.item,)

    def shape(self, offers: Offers) -> dict[str, Any]:
        return {**self.whole.json_schema(), "type": "array", "items": self.item.node(offers)}

    def is_private(self, default: Any) -> bool:
        return any(map(self.item.is_private, default))

    def prefilled(self, default: Any) -> dict[str, Any]:
        return _hidden(self.item, default) if self.is_private(default) else super().prefilled(default)

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        if not isinstance(raw, list):
            raise wrong(loc, "Must be a list.")
        problems = Problems()
        items = [problems.decode(self.item, item, (*loc, n), inputs) for n, item in enumerate(raw)]
        problems.check()
        with checking(loc):
            return self.whole.validate_python(self.container(items))

    def encode(self, value: Any) -> Any:
        if not isinstance(value, self.container):
            raise TypeError(f"{value!r} is not a {self.container.__name__}")
        return [self.item.encode(item) for item in value]

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        items = [self.item.read_texts([text], (*loc, n)) for n, text in enumerate(texts)]
        return [item for item in items if item is not LEFT_OUT] or LEFT_OUT

    def read_uploads(self, tokens: Sequence[str], loc: Loc) -> Any:
        if not isinstance(self.item, FileField):
            return super().read_uploads(tokens, loc)
        return [{"upload": token} for token in tokens]


class ChoicesField(ListField):
    """Several of some options."""

    kind: ClassVar[str] = "choices"
    item: ChoiceField


@dataclass(frozen=True, kw_only=True)
class VariantsField(Field):
    """One of several fields, told apart by their titles.

    Attributes
    ----------
    variants : tuple of Field
        Their titles are all different.
    """

    kind: ClassVar[str] = "variants"
    variants: tuple[Field, ...]

    def inner(self) -> tuple[Field, ...]:
        return self.variants

    def shape(self, offers: Offers) -> dict[str, Any]:
        nodes = [variant.node(offers) for variant in self.variants]
        tagged = [
            {
                "type": "object",
                "title": node["title"],
                "properties": {"$type": {"const": node["title"]}, "$value": node},
                "required": ["$type", "$value"],
                "additionalProperties": False,
            }
            for node in nodes
        ]
        return {"anyOf": tagged + nodes}

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        if isinstance(raw, dict) and raw.keys() == {"$type", "$value"}:
            for variant in self.variants:
                if variant.title == raw["$type"]:
                    return variant.decode(raw["$value"], loc, inputs)
            raise wrong(loc, f"$type must be one of {self._titles(self.variants)}.")
        taken: list[tuple[Field, Any]] = []
        refused: list[InvalidArguments] = []
        for variant in self.variants:
            try:
                taken.append((variant, variant.decode(raw, loc, inputs)))
            except InvalidArguments as error:
                refused.append(error)
        if len(taken) == 1:
            return taken[0][1]
        if not taken and all(error.problems == refused[0].problems for error in refused):
            raise refused[0]
        which = self._titles([variant for variant, _ in taken] or self.variants)
        how = "Fits more than one of" if taken else "Must be one of"
        raise wrong(loc, f'{how} {which}: say which with {{"$type": …, "$value": …}}.')

    @staticmethod
    def _titles(variants: Sequence[Field]) -> str:
        return ", ".join(repr(variant.title) for variant in variants)

    def encode(self, value: Any) -> Any:
        variant = self._variant_of(value)
        return {"$type": variant.title, "$value": variant.encode(value)}

    def _variant_of(self, value: Any) -> Field:
        for variant in self.variants:
            try:
                variant.encode(value)
            except (TypeError, ValueError):
                continue
            return variant
        raise TypeError(f"{value!r} is none of {self._titles(self.variants)}")

    def is_private(self, default: Any) -> bool:
        return self._variant_of(default).is_private(default)

    def prefilled(self, default: Any) -> dict[str, Any]:
        variant = self._variant_of(default)
        told = variant.prefilled(default)
        if "default" in told:
            return {"default": {"$type": variant.title, "$value": told["default"]}}
        return {"x-nbfunc": {**told["x-nbfunc"], "default_type": variant.title}}

    def standing_on(self, default: Any) -> VariantsField:
        taken = self._variant_of(default)
        variants = (one.standing_on(default) if one is taken else one for one in self.variants)
        return dataclasses.replace(self, variants=tuple(variants))


@dataclass(frozen=True)
class Member:
    """One field of a group.

    Attributes
    ----------
    name : str
        Its name in JSON, and in the instance.
    field : Field
        What it takes.
    required : bool
        Whether it must be given.
    default : object
        What is then taken; `LEFT_OUT` where the class decides.
    verbatim : bool
        Whether the default is what its field makes of it: not so for ``#abc``, or 3 where a float is meant.
    foreign : bool
        Whether the default is that of a whole group's default: its class has another, or none.
    """

    name: str
    field: Field
    required: bool
    default: Any = LEFT_OUT
    verbatim: bool = True
    foreign: bool = False


@dataclass(frozen=True, kw_only=True)
class GroupField(Field):
    """An instance of a dataclass, a pydantic model or a TypedDict.

    Attributes
    ----------
    members : tuple of Member
        In the class's order.
    cls : type
        What the function gets.
    """

    kind: ClassVar[str] = "group"
    members: tuple[Member, ...]
    cls: type

    def inner(self) -> tuple[Field, ...]:
        return tuple(member.field for member in self.members)

    def shape(self, offers: Offers) -> dict[str, Any]:
        return object_schema(self.members, offers)

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        if not isinstance(raw, dict):
            raise wrong(loc, "Must be an object with named values.")
        values = decode_members(self.members, raw, loc, inputs)
        with checking(loc):
            if issubclass(self.cls, BaseModel):
                return self.cls.model_validate(values, by_name=True, by_alias=False)
            return self.cls(**values)

    def encode(self, value: Any) -> Any:
        held = self._held(value)
        return {m.name: m.field.encode(held[m.name]) for m in self.members if m.name in held}

    def is_private(self, default: Any) -> bool:
        held = self._held(default)
        return any(m.field.is_private(held[m.name]) for m in self.members if m.name in held)

    def prefilled(self, default: Any) -> dict[str, Any]:
        held = self._held(default)
        told = {m.name: m.field.prefilled(held[m.name]) for m in self.members if m.name in held}
        return {"default": {name: one["default"] for name, one in told.items() if "default" in one}}

    def standing_on(self, default: Any) -> GroupField:
        held = self._held(default)

        def standing(member: Member) -> Member:
            if member.name not in held or not member.field.is_private(held[member.name]):
                return member
            value = held[member.name]
            field = member.field.standing_on(value)
            return dataclasses.replace(member, field=field, required=False, default=value, foreign=True)

        return dataclasses.replace(self, members=tuple(map(standing, self.members)))

    def _held(self, value: Any) -> Mapping[str, Any]:
        """Return what an instance holds, by name."""
        if isinstance(value, dict) and issubclass(self.cls, dict):
            held: Mapping[str, Any] = value
        elif dataclasses.is_dataclass(self.cls) or issubclass(self.cls, BaseModel):
            if type(value) is not self.cls:
                raise TypeError(f"{value!r} is not a {self.cls.__name__}")
            held = {member.name: getattr(value, member.name) for member in self.members}
        else:
            raise TypeError(f"{value!r} is not a {self.cls.__name__}")
        if missing := [m.name for m in self.members if m.required and m.name not in held]:
            raise ValueError(f"{value!r} has no {missing[0]!r}")
        return held


def object_schema(members: Sequence[Member], offers: Offers) -> dict[str, Any]:
    """Return the JSON Schema of an object with these members and no others."""
    return {
        "type": "object",
        "properties": {m.name: m.field.node(offers, m.default) for m in members},
        "required": [m.name for m in members if m.required],
        "additionalProperties": False,
    }


def decode_members(
    members: Sequence[Member], raw: Mapping[str, Any], loc: Loc, inputs: Inputs
) -> dict[str, Any]:
    """Return the values of an object's members; those left out, whose class or function has them, are too."""
    problems = Problems()
    values: dict[str, Any] = {}
    for member in members:
        if member.name in raw:
            values[member.name] = problems.decode(member.field, raw[member.name], (*loc, member.name), inputs)
        elif member.required:
            problems.found.append(Problem(loc=[*loc, member.name], msg="This value is needed."))
        elif member.foreign:
            values[member.name] = member.default
        elif not member.verbatim:
            values[member.name] = member.field.decode(member.field.encode(member.default), loc, inputs)
    known = {member.name for member in members}
    for name in raw:
        if name not in known:
            names = ", ".join(sorted(known))
            there = f"there are: {names}" if names else "there is none to give"
            problems.found.append(Problem(loc=[*loc, name], msg=f"There is no such value; {there}."))
    problems.check()
    return values


@dataclass(frozen=True, kw_only=True)
class DictField(Field):
    """Rows of a key and a value.

    Attributes
    ----------
    value : Field
        One row's value.
    whole : pydantic.TypeAdapter
        The constraints of the dict itself.
    """

    kind: ClassVar[str] = "dict"
    value: Field
    whole: TypeAdapter[Any]

    def inner(self) -> tuple[Field, ...]:
        return (self.value,)

    def shape(self, offers: Offers) -> dict[str, Any]:
        return {**self.whole.json_schema(), "type": "object", "additionalProperties": self.value.node(offers)}

    def is_private(self, default: Any) -> bool:
        return any(map(self.value.is_private, default.values()))

    def prefilled(self, default: Any) -> dict[str, Any]:
        return (
            _hidden(self.value, default.values()) if self.is_private(default) else super().prefilled(default)
        )

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        if not isinstance(raw, dict):
            raise wrong(loc, "Must be an object of keys and values.")
        problems = Problems()
        values = {k: problems.decode(self.value, v, (*loc, k), inputs) for k, v in raw.items()}
        problems.check()
        with checking(loc):
            return self.whole.validate_python(values)

    def encode(self, value: Any) -> Any:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise TypeError(f"{value!r} is not a dict with text as keys")
        return {key: self.value.encode(item) for key, item in value.items()}
