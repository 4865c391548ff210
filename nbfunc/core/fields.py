"""A Field is what one value needs: how a face draws it, and how it is read and checked.

Every field speaks three forms of a value: the Python value, its JSON, and the texts of an HTML form body.
Fields of one value are in `leaves`, `uploaded` and `choices`; those that hold other fields in `compound`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from pydantic import TypeAdapter, ValidationError

from nbfunc.core.failures import message_of
from nbfunc.errors import InvalidArguments, NotFound, Problem

Loc: TypeAlias = tuple[str | int, ...]


class LeftOut(Enum):
    """The value of an argument that a client left out."""

    LEFT_OUT = "left out"


LEFT_OUT: Final = LeftOut.LEFT_OUT


@dataclass(frozen=True)
class Option:
    """One choice: its JSON, what the function gets, and what is shown."""

    json: str | int | float | bool | None
    value: Any
    label: str


Options: TypeAlias = tuple[Option, ...]
# What the dropdowns' callables answered when this form was opened, or why they did not.
Offers: TypeAlias = Mapping[Callable[[], Any], Options | str]


class Inputs(Protocol):
    """What decoding needs from outside: uploads by their token, and what a dynamic dropdown offers."""

    def upload(self, token: str) -> Path:
        """Return the uploaded file; an `AskerError` says why there is none."""

    def offered(self, source: Callable[[], Any]) -> Iterator[Options]:
        """Yield the options to accept: those served before, then fresh ones; raise `NoOffer` without."""


class NoOffer(Exception):
    """A dropdown's callable raised; the message says what."""


class _NoInputs:
    def upload(self, token: str) -> Path:
        raise NotFound(f"There is no upload {token!r}.")

    def offered(self, source: Callable[[], Any]) -> Iterator[Options]:  # noqa: ARG002 - an Inputs
        return iter(())


NO_INPUTS: Final[Inputs] = _NoInputs()


def wrong(loc: Loc, message: str) -> InvalidArguments:
    """Return the error that says what is wrong with the value at `loc`."""
    return InvalidArguments([Problem(loc=list(loc), msg=message)])


def problems_of(error: ValidationError, loc: Loc = ()) -> list[Problem]:
    """Return pydantic's complaints in our words, below `loc`."""
    return [
        Problem(loc=[*loc, *complaint["loc"]], msg=_plain(complaint["msg"]))
        for complaint in error.errors(include_url=False, include_input=False, include_context=False)
    ]


_PLAIN = (
    (re.compile(r"^\w+ should "), "Must "),
    (re.compile(r"^(Value error|Assertion failed), "), ""),
    (re.compile(r" after validation, not \d+$|, input is too short$"), ""),
)


def _plain(message: str) -> str:
    """Return pydantic's words in those of who fills a form in."""
    for machine, plain in _PLAIN:
        message = machine.sub(plain, message)
    return message or _REFUSED


_REFUSED = "Is not accepted."


@contextmanager
def checking(loc: Loc) -> Iterator[None]:
    """Turn whatever a check of the author's raises into a problem of the value at `loc`.

    That is how it refuses a value. A check that is itself at fault refuses it as well: to whoever is at the
    form the one is as good as the other, and the name of the error tells the author.
    """
    try:
        yield
    except ValidationError as error:
        raise InvalidArguments(problems_of(error, loc)) from error
    except (ValueError, TypeError, AssertionError) as error:
        raise wrong(loc, message_of(error) or _REFUSED) from error
    except (Exception, SystemExit) as error:
        raise wrong(loc, f"{type(error).__name__}: {message_of(error)}") from error


@dataclass(frozen=True, kw_only=True)
class Field(ABC):
    """One value of a form.

    Attributes
    ----------
    title : str
        Its label.
    description : str
        Its help.
    kind : str
        What a face draws.
    """

    title: str = ""
    description: str = ""
    kind: ClassVar[str]

    @abstractmethod
    def shape(self, offers: Offers) -> dict[str, Any]:
        """Return the JSON Schema of its values, without title, description and default."""

    @abstractmethod
    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        """Return the Python value of a JSON value; raise `InvalidArguments` with each problem below `loc`."""

    @abstractmethod
    def encode(self, value: Any) -> Any:
        """Return the JSON of a Python value; raise `TypeError` or `ValueError` for one not of this field."""

    def hints(self) -> dict[str, Any]:
        """Return what drawing it needs beyond JSON Schema."""
        return {}

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:  # noqa: ARG002 - fields of one text read it
        """Return the JSON value of a form body's texts, `LEFT_OUT` for an empty one."""
        raise wrong(loc, "Send this field as JSON, in the form field named `-`.")

    def read_uploads(self, tokens: Sequence[str], loc: Loc) -> Any:  # noqa: ARG002 - file fields read them
        """Return the JSON value of the files that a form body brought under this field's name."""
        raise wrong(loc, "This field takes no file.")

    def inner(self) -> tuple[Field, ...]:
        """Return the fields that this one holds."""
        return ()

    def is_private(self, default: Any) -> bool:  # noqa: ARG002 - passwords and files are, and what holds them
        """Say whether a default stays on the server, or a part of it does."""
        return False

    def prefilled(self, default: Any) -> dict[str, Any]:
        """Return what the schema says of a default: itself, or under ``x-nbfunc`` that there is one."""
        return {"default": self.encode(default)}

    def standing_on(self, default: Any) -> Field:  # noqa: ARG002 - groups do, and what holds one
        """Return this field such that the private parts of its default stand in where they are left out."""
        return self

    def node(self, offers: Offers, default: Any = LEFT_OUT) -> dict[str, Any]:
        """Return the JSON Schema of this field as a form shows it."""
        node = self.shape(offers)
        if self.title:
            node["title"] = self.title
        if self.description:
            node["description"] = self.description
        node["x-nbfunc"] = {"kind": self.kind, **self.hints(), **node.get("x-nbfunc", {})}
        if default is not LEFT_OUT:
            filled = self.prefilled(default)
            node["x-nbfunc"] |= filled.pop("x-nbfunc", {})
            node |= filled
        return node

    def walk(self) -> Iterator[Field]:
        """Yield this field and all below it."""
        yield self
        for field in self.inner():
            yield from field.walk()


def one_text(texts: Sequence[str], loc: Loc) -> str:
    if len(texts) != 1:
        raise wrong(loc, f"Takes one value, got {len(texts)}.")
    return texts[0]


@dataclass(frozen=True, kw_only=True)
class Leaf(Field):
    """A value that pydantic checks by itself.

    Attributes
    ----------
    adapter : pydantic.TypeAdapter
        The annotation with its constraints.
    types : tuple of type
        What the Python value is.
    custom : bool
        Whether the constraints run code of the author's.
    """

    adapter: TypeAdapter[Any]
    types: tuple[type, ...]
    custom: bool = False

    def shape(self, offers: Offers) -> dict[str, Any]:  # noqa: ARG002 - only dropdowns have offers
        return self.adapter.json_schema()

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:  # noqa: ARG002 - only files and dropdowns ask
        with checking(loc):
            return self.adapter.validate_python(raw, strict=True)

    def encode(self, value: Any) -> Any:
        if type(value) not in self.types:
            raise TypeError(f"{value!r} is not {' or '.join(t.__name__ for t in self.types)}")
        return value
