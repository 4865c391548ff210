"""An annotation taken apart: its bare type, our markers, its label and help, and what pydantic checks."""

from __future__ import annotations

import dataclasses
import inspect
import os
import pathlib
import re
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typing_extensions
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from nbfunc.errors import FormError
from nbfunc.types import (
    ColorHint,
    Dropdown,
    EmailHint,
    FileHint,
    Label,
    Multiline,
    Password,
    Placeholder,
    Slider,
    Switch,
)

MARKERS = (ColorHint, Dropdown, EmailHint, FileHint, Multiline, Password, Placeholder, Slider, Switch)


@dataclass(frozen=True)
class Place:
    """Where an annotation stands: for the error that refuses it.

    Attributes
    ----------
    function, parameter : str
        Their names.
    inside : tuple of type
        The groups around it.
    """

    function: str
    parameter: str
    inside: tuple[type, ...] = ()

    def refuse(self, annotation: Any, why: str) -> FormError:
        """Return the error that names function, parameter and annotation, and says what to write instead."""
        shown = "" if annotation is inspect.Parameter.empty else f": {spelled(annotation)}"
        return FormError(f"{self.function}({self.parameter}{shown}): {why}")


def spelled(annotation: Any) -> str:
    """Return an annotation as its author wrote it, as far as Python still knows."""
    if get_origin(annotation) is Annotated:
        parts = [spelled(annotation.__origin__), *map(_spelled_field, annotation.__metadata__)]
        return f"Annotated[{', '.join(parts)}]"
    return inspect.formatannotation(annotation).replace("typing.", "").replace("__main__.", "")


def _spelled_field(item: Any) -> str:
    if not isinstance(item, FieldInfo):
        return repr(item)
    inside = [re.sub(r"^_?\w+\((.*)\)$", r"\1", repr(check)) for check in item.metadata]
    return f"Field({', '.join(inside)})"


@dataclass(frozen=True)
class Parts:
    """An annotation, taken apart."""

    whole: Any
    base: Any
    markers: tuple[Any, ...]
    checks: tuple[Any, ...]
    title: str
    description: str

    def marker(self, kind: type) -> Any:
        """Return the outermost marker of this kind, or None."""
        return next((marker for marker in reversed(self.markers) if isinstance(marker, kind)), None)


def take_apart(annotation: Any, outer: Sequence[Any], place: Place) -> Parts:
    """Split `annotation`, with the metadata of what is around it, into its parts."""
    base, metadata = annotation, list(outer)
    while True:
        origin = get_origin(base)
        if origin is Annotated:
            base, metadata = base.__origin__, [*base.__metadata__, *metadata]
        elif isinstance(base, typing_extensions.TypeAliasType):
            base = base.__value__
        elif isinstance(base, typing.NewType):
            base = base.__supertype__
        elif origin in _QUALIFIERS:
            (base,) = get_args(base)
        else:
            break
    infos = [item for item in metadata if isinstance(item, FieldInfo)]
    if any(info.default is not PydanticUndefined or info.default_factory for info in infos):
        raise place.refuse(annotation, "write the default in the signature (`x: int = 5`), not in Field().")
    flat = [part for item in metadata for part in (item.metadata if isinstance(item, FieldInfo) else [item])]
    titles = [
        t.text if isinstance(t, Label) else t.title for t in metadata if isinstance(t, (Label, FieldInfo))
    ]
    return Parts(
        whole=annotation,
        base=base,
        markers=tuple(item for item in flat if isinstance(item, MARKERS)),
        checks=tuple(item for item in flat if not isinstance(item, (*MARKERS, Label, str))),
        title=next((title for title in reversed(titles) if title), ""),
        description=next((info.description for info in reversed(infos) if info.description), ""),
    )


_QUALIFIERS = {
    getattr(module, name)
    for module in (typing, typing_extensions)
    for name in ("Required", "NotRequired", "ReadOnly", "Final")
    if hasattr(module, name)
}


def is_path(parts: Parts) -> bool:
    """Whether it is a path."""
    return any(parts.base == kind for kind in (pathlib.Path, pathlib.PurePath, os.PathLike, os.PathLike[str]))


def is_class(*kinds: type) -> Callable[[Parts], bool]:
    """Ask for a class below these."""
    return lambda parts: isinstance(parts.base, type) and issubclass(parts.base, kinds)


def is_just(kind: type) -> Callable[[Parts], bool]:
    """Ask for this very type."""
    return lambda parts: parts.base is kind


def is_marked(marker: type) -> Callable[[Parts], bool]:
    """Ask for a marker."""
    return lambda parts: parts.marker(marker) is not None


def is_generic(*origins: Any, of: int) -> Callable[[Parts], bool]:
    """Ask for ``list[T]`` and the like, with so many arguments."""
    return lambda parts: get_origin(parts.base) in origins and len(get_args(parts.base)) == of


def is_union(parts: Parts) -> bool:
    """Whether it is ``A | B``."""
    return get_origin(parts.base) in {Union, types.UnionType}


def is_dynamic_literal(parts: Parts) -> bool:
    """Whether it is ``Literal[callable]``."""
    arms = get_args(parts.base)
    return (
        get_origin(parts.base) is Literal
        and len(arms) == 1
        and callable(arms[0])
        and not isinstance(arms[0], Enum)
    )


def is_group(parts: Parts) -> bool:
    """Whether it is a class whose attributes are fields."""
    base = parts.base
    return isinstance(base, type) and (
        dataclasses.is_dataclass(base) or issubclass(base, BaseModel) or typing_extensions.is_typeddict(base)
    )
