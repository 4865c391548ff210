"""What a docstring says of a form: its description, and the line of each parameter."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import docstring_parser


@dataclass(frozen=True)
class Docstring:
    """A docstring, read."""

    description: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def read(owner: Any) -> Docstring:
    """Return what the docstring of a function or class says, its own and not an inherited one.

    Parameters
    ----------
    owner : object
        Any object; one without a docstring, or with one that no style reads, loses nothing but its sections.

    Returns
    -------
    Docstring
        Its description keeps line breaks and has no sections.
    """
    text = owner.__doc__ if isinstance(getattr(owner, "__doc__", None), str) else ""
    if not text.strip() or text.startswith(f"{getattr(owner, '__name__', '')}("):  # a dataclass's made-up one
        return Docstring()
    cleaned = inspect.cleandoc(text)
    try:
        parsed = docstring_parser.parse(cleaned)
    except docstring_parser.ParseError:
        return Docstring(description=cleaned)
    blank = "\n\n" if parsed.blank_after_short_description else "\n"
    pieces = [piece for piece in (parsed.short_description, parsed.long_description) if piece]
    return Docstring(
        description=blank.join(pieces),
        parameters={
            name.strip("* "): " ".join((param.description or "").split())
            for param in parsed.params
            for name in param.arg_name.split(",")
        },
    )
