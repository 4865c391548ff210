"""Values that JSON holds: texts, numbers, booleans, None, and lists and dicts of them."""

from __future__ import annotations

from typing import Any

from nbfunc.core.mailbox import unicode_only

# What pydantic writes as JSON may be 255 deep, within an event.
MOST_DEEP = 200


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON reads it back: Python's own types, NumPy's numbers and members of enums too.

    Raises
    ------
    TypeError
        It is, or holds, something that JSON does not, is nested too deeply, or within itself; so is a dict
        whose keys are not all texts.
    """
    if depth > MOST_DEEP:
        raise TypeError(f"it is nested more than {MOST_DEEP} deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return unicode_only(str.__str__(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a key is no text")
        return {plain(key): plain(item, depth + 1) for key, item in value.items()}
    item = unboxed(value)
    if item is value:
        raise TypeError(f"JSON does not hold a {type(value).__name__}")
    return plain(item)


def unboxed(value: Any) -> Any:
    """Return a scalar of NumPy as Python's own, and anything else as it is."""
    if type(value).__module__ != "numpy" or not hasattr(value, "item") or value.shape:
        return value
    item = value.item()
    return item if type(item).__module__ != "numpy" else value  # a longdouble stays one
