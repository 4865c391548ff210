"""What pydantic is to check of a value, and whether that can hold at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import annotated_types
from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter
from pydantic.types import AllowInfNan
from pydantic_core import SchemaError, ValidationError

from nbfunc.core.parts import Parts, Place

# "python-re": patterns may look ahead, as in `re` and in the browser's RegExp.
CONFIG = ConfigDict(regex_engine="python-re")


def adapter(parts: Parts, place: Place, sample: Any, extra: Sequence[Any] = ()) -> TypeAdapter[Any]:
    """Return pydantic's adapter of a bare type with its constraints, tried once on a sample.

    Parameters
    ----------
    parts : Parts
        The type, and what is to be checked.
    place : Place
        Where it stands.
    sample : object
        A value of the type.
    extra : sequence
        Constraints that come first.

    Raises
    ------
    FormError
        A constraint belongs to another type.
    """
    try:
        made: TypeAdapter[Any] = TypeAdapter(_annotated(parts.base, [*extra, *parts.checks]), config=CONFIG)
        # A constraint that belongs to another type builds, and raises only when it is met:
        # Annotated[list[int], Field(ge=1)] (pydantic 2.14).
        if not is_custom(parts):
            made.validate_python(sample)
        made.json_schema()
    except ValidationError:
        pass
    except (TypeError, SchemaError, PydanticSchemaGenerationError, re.error) as error:
        reason = str(error).splitlines()[-1].strip()
        where = " It may belong to the items: list[Annotated[int, Field(ge=1)]]." if sample == [] else ""
        raise place.refuse(parts.whole, f"this constraint does not fit: {reason}.{where}") from error
    return made


def _annotated(base: Any, metadata: Sequence[Any]) -> Any:
    whole = (base, *metadata)
    return Annotated[whole] if metadata else base


def is_custom(parts: Parts) -> bool:
    """Say whether a check runs code of the author's: a validator's or predicate's function."""
    return any(hasattr(check, "func") or not isinstance(check, _PLAIN_CHECKS) for check in parts.checks)


_PLAIN_CHECKS = (annotated_types.BaseMetadata, AllowInfNan)


def no_checks(parts: Parts, place: Place) -> None:
    """Refuse constraints where none can hold."""
    if parts.checks:
        raise place.refuse(
            parts.whole, f"the constraint {parts.checks[0]!r} does not fit this field: drop it."
        )


def check_room(parts: Parts, place: Place) -> None:
    """Refuse bounds between which nothing is.

    Raises
    ------
    FormError
        It names both.
    """
    for lower, upper in ((("ge", "gt"), ("le", "lt")), (("min_length",), ("max_length",))):
        least, most = (
            [
                (bound, name)
                for check in parts.checks
                for name in names
                if (bound := getattr(check, name, None)) is not None
            ]
            for names in (lower, upper)
        )
        if least and most and max(least)[0] > min(most)[0]:
            (low, low_name), (high, high_name) = max(least), min(most)
            raise place.refuse(
                parts.whole, f"nothing is between {low_name}={low!r} and {high_name}={high!r}: swap them."
            )
