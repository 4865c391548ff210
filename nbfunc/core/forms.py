"""Turn a signature into a Form. One parameter is one Field; one signature is one Form."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from nbfunc.core import docstrings
from nbfunc.core.annotations import member_of
from nbfunc.core.attributes import resolved_hints
from nbfunc.core.choices import ChoiceField
from nbfunc.core.compound import GroupField, Member, Problems, decode_members, object_schema
from nbfunc.core.fields import LEFT_OUT, Inputs, Leaf, Offers
from nbfunc.core.options import FunctionOptions, layers, options_of
from nbfunc.core.parts import Place
from nbfunc.core.uploaded import FileField
from nbfunc.errors import FormError

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Form:
    """A function's form.

    Attributes
    ----------
    name : str
        Its address.
    title, description : str
        What is shown above it.
    members : tuple of Member
        Its fields, in the signature's order.
    function : callable
        What it calls.
    options : FunctionOptions
        How it is called.
    """

    name: str
    title: str
    description: str
    members: tuple[Member, ...]
    function: Callable[..., Any]
    options: FunctionOptions

    @functools.cached_property
    def dropdowns(self) -> dict[tuple[str, int], Callable[[], Any]]:
        """What each dynamic dropdown asks, by its parameter and its place among the dropdowns of that."""
        return {
            (member.name, index): source
            for member in self.members
            for index, source in enumerate(_sources(member))
        }

    @property
    def sources(self) -> list[Callable[[], Any]]:
        """The callables that its dynamic dropdowns ask, each once."""
        return list(dict.fromkeys(self.dropdowns.values()))

    @functools.cached_property
    def instant(self) -> bool:
        """Whether decoding runs no code of the author's and touches no disk."""
        return not self.sources and all(
            not isinstance(field, (FileField, GroupField)) and not (isinstance(field, Leaf) and field.custom)
            for member in self.members
            for field in member.field.walk()
        )

    def schema(self, offers: Offers) -> dict[str, Any]:
        """Return ``{name, title, description, parameters}``; `parameters` is JSON Schema 2020-12.

        A function that runs on the main thread has ``"where": "main"`` too.

        Parameters
        ----------
        offers : mapping
            What each of `sources` offers now: options, or the reason why it has none.
        """
        where = {"where": self.options.where} if self.options.where else {}
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            **where,
            "parameters": {"$schema": DIALECT, **object_schema(self.members, offers)},
        }

    def decode(
        self,
        values: Mapping[str, Any],
        inputs: Inputs,
        *,
        texts: Mapping[str, Sequence[str]] | None = None,
        uploads: Mapping[str, Sequence[str]] | None = None,
    ) -> dict[str, Any]:
        """Return the arguments that a client means.

        Parameters
        ----------
        values : mapping
            From JSON; wins over the other two.
        inputs : Inputs
            Uploads and options.
        texts, uploads : mapping, optional
            From a form body: texts and upload tokens by field.

        Returns
        -------
        dict
            By parameter; those left out, whose default the function has itself, are left out here too.

        Raises
        ------
        InvalidArguments
            With all problems.
        """
        raw: dict[str, Any] = {}
        problems = Problems()
        fields = {member.name: member.field for member in self.members}
        for given, read in ((texts or {}, "read_texts"), (uploads or {}, "read_uploads")):
            for name, items in given.items():
                if name not in fields:
                    raw[name] = list(items)  # an unknown name is refused with the others
                    continue
                reader = functools.partial(getattr(fields[name], read), items, (name,))
                value = problems.keep(reader)
                if value is not LEFT_OUT:
                    raw[name] = value
        problems.check()
        return decode_members(self.members, {**raw, **values}, (), inputs)

    def encode(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON of arguments, the inverse of `decode`.

        Raises
        ------
        TypeError, ValueError
            An argument that is not a value of its field.
        """
        return {m.name: m.field.encode(arguments[m.name]) for m in self.members if m.name in arguments}

    def bind(self, arguments: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return positional and keyword arguments for the call; only what must be is positional."""
        named = dict(arguments)
        positional = [named.pop(p.name, p.default) for p in self._positional_only]
        return positional, named

    @functools.cached_property
    def _positional_only(self) -> list[inspect.Parameter]:
        parameters = inspect.signature(self.function).parameters.values()
        return [p for p in parameters if p.kind is p.POSITIONAL_ONLY]


def _sources(member: Member) -> Iterator[Callable[[], Any]]:
    for field in member.field.walk():
        if isinstance(field, ChoiceField) and field.source is not None:
            yield field.source


def name_of(function: Callable[..., Any]) -> str:
    """Return a function's name (NFKC), seen through `functools.wraps`, `partial` and bound methods.

    Raises
    ------
    FormError
        A lambda, a class, or an object without a name.
    """
    if isinstance(function, type):
        raise FormError(f"{function.__name__} is a class: write a function that makes one.")
    if not callable(function):
        raise FormError(f"{function!r} is not a function.")
    name = getattr(_plain(function), "__name__", None)
    if not isinstance(name, str):
        raise FormError(f"{function!r} has no name: write a `def` that calls it.")
    if name == "<lambda>":
        raise FormError("a lambda has no name for its address: write a `def`.")
    return unicodedata.normalize("NFKC", name)


def _plain(function: Any) -> Any:
    """Return the function inside partials and decorators."""
    *_, plain = layers(function)
    return plain


def form_of(function: Callable[..., Any]) -> Form:
    """Return the form of a function.

    Parameters
    ----------
    function : callable
        A function, coroutine function, generator or async generator function; a bound method or partial.
        Its title is the one that `expose` gave it, or its name with spaces, first letter capital.

    Raises
    ------
    FormError
        It cannot be a form; the message names function, parameter and annotation, and what to write instead.
    """
    name = name_of(function)
    plain = _plain(function)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError as error:
        raise FormError(
            f"{name} is built in and does not say its parameters: write a `def` that calls it."
        ) from error
    hints = resolved_hints(plain, Place(name, ""))
    doc = docstrings.read(plain)
    members = tuple(
        _member(parameter, hints, Place(name, parameter.name), doc.parameters.get(parameter.name, ""))
        for parameter in parameters
    )
    spaced = name.strip("_").replace("_", " ") or name
    options = options_of(function)
    title = options.title or spaced[0].upper() + spaced[1:]
    return Form(name, title, doc.description, members, function, options)


def _member(parameter: inspect.Parameter, hints: Mapping[str, Any], place: Place, help_text: str) -> Member:
    if parameter.kind is parameter.VAR_POSITIONAL:
        raise FormError(f"{place.function}(*{place.parameter}): write {place.parameter}: list[str].")
    if parameter.kind is parameter.VAR_KEYWORD:
        raise FormError(f"{place.function}(**{place.parameter}): write {place.parameter}: dict[str, str].")
    default = LEFT_OUT if parameter.default is parameter.empty else parameter.default
    annotation = hints.get(place.parameter, parameter.empty)
    if annotation is parameter.empty and default is not LEFT_OUT and default is not None:
        annotation = _annotation_of(default)
    return member_of(
        parameter.name,
        annotation,
        place,
        default=default,
        required=default is LEFT_OUT,
        help_text=help_text,
    )


def _annotation_of(default: Any) -> Any:
    """Return the annotation that a default shows."""
    if isinstance(default, Path):
        return Path
    kind = type(default)
    if isinstance(default, Enum) or dataclasses.is_dataclass(kind):
        return kind
    if kind in {list, set} and default:
        return kind[_annotation_of(next(iter(default)))]
    if kind is dict and default:
        return dict[str, _annotation_of(next(iter(default.values())))]  # type: ignore[misc]  # made at run time
    return kind
