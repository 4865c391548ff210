"""What an author is told to write instead of an annotation that has no field."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_args, get_origin

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

# Where a marker belongs that stands on something else.
FITS: Mapping[type, str] = {
    ColorHint: "Color is an annotation of its own",
    Dropdown: "write Annotated[str, Dropdown(options)]",
    EmailHint: "Email is an annotation of its own",
    FileHint: "write Annotated[str, FileHint(...)]",
    Multiline: "it changes str",
    Password: "it changes str",
    Placeholder: "it changes str",
    Slider: "it changes int and float",
    Switch: "OptionalEnabled and OptionalDisabled go with a type: `int | OptionalEnabled`",
}


def way_out(base: Any) -> str:
    """Return what to write instead of a type that no field takes."""
    origin = get_origin(base) or base
    if origin in {tuple, frozenset} and get_args(base):
        better = "set[str]" if origin is frozenset else "list[str], or a dataclass for parts of several kinds"
        return f"there is no field for it. Write another, such as {better}."
    if origin in {list, set, dict} or origin in {tuple, frozenset}:
        better = {dict: "dict[str, int]", set: "set[str]"}.get(origin, "list[str]")
        return f"say what is in it, such as {better}."
    if base is inspect.Parameter.empty:
        return "give it an annotation, such as `: str`, or a default that shows its type."
    better = _BETTER.get(getattr(origin, "__name__", ""), "a supported type, or a dataclass of them")
    return f"there is no field for it. Write {better}."


# By name: what is no dependency is not imported for its advice.
_BETTER = {
    **dict.fromkeys(("bytes", "bytearray", "BytesIO", "BinaryIO", "IO"), "File, and open its path"),
    **dict.fromkeys(("DataFrame", "ndarray"), "DataFile, and read the table from its path"),
    **dict.fromkeys(("Sequence", "Iterable", "Collection"), "list[str]"),
    **dict.fromkeys(("Mapping", "MutableMapping"), "dict[str, int], or a dataclass"),
    "Set": "set[str]",
    "complex": "two floats, or a dataclass of them",
    "Decimal": "float, or str for its exact digits",
}
