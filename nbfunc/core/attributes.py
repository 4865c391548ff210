"""What a class says of its attributes: a dataclass, a pydantic model, a TypedDict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, get_origin

import typing_extensions
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nbfunc.core.fields import LEFT_OUT
from nbfunc.core.parts import Place
from nbfunc.errors import FormError
from nbfunc.types import (
    Label,
)


def attributes(cls: type, place: Place) -> Iterator[tuple[str, Any, list[Any], bool, Any]]:
    """Yield name, annotation, outer metadata, required and default of a group's attributes."""
    if issubclass(cls, BaseModel) or hasattr(cls, "__pydantic_fields__"):
        infos: dict[str, FieldInfo] = cls.__pydantic_fields__
        for name, info in infos.items():
            default = LEFT_OUT if info.is_required() else info.get_default(call_default_factory=True)
            extra = [*info.metadata, *([Label(info.title)] if info.title else [])]
            if info.description:
                extra.append(FieldInfo(description=info.description))
            yield name, info.annotation, extra, info.is_required(), default
        return
    hints = resolved_hints(cls, place)
    if typing_extensions.is_typeddict(cls):
        for name, hint in hints.items():
            yield name, hint, [], _is_required_key(cls, name, hint), LEFT_OUT
        return
    for attribute in dataclasses.fields(cls):  # type: ignore[arg-type]  # the row takes no other class
        if attribute.init:
            made = attribute.default_factory
            default = attribute.default if made is dataclasses.MISSING else made()
            left_out = default is dataclasses.MISSING
            yield attribute.name, hints[attribute.name], [], left_out, LEFT_OUT if left_out else default


def _is_required_key(cls: Any, name: str, hint: Any) -> bool:
    # __required_keys__ cannot see through annotations that are strings.
    qualifier = getattr(get_origin(hint), "_name", None)
    return qualifier == "Required" or (qualifier != "NotRequired" and name in cls.__required_keys__)


def resolved_hints(owner: Any, place: Place) -> dict[str, Any]:
    """Return the annotations of a function or class, strings resolved and extras kept."""
    try:
        return typing_extensions.get_type_hints(owner, include_extras=True)
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        raise FormError(
            f"{place.function}: an annotation cannot be read: {error}. "
            "Define or import its name at the top level, where the function can see it."
        ) from error
