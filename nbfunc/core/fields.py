"""A Field is what one value needs: how a face draws it, and how it is read and checked.

Every field speaks three forms of a value: the Python value, its JSON, and the texts of an HTML form body.
Fields of one value are here; those that hold other fields are in `compound`.
"""

from __future__ import annotations

import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from pydantic import TypeAdapter, ValidationError

from nbfunc.errors import AskerError, InvalidArguments, NotFound, Problem

Loc: TypeAlias = tuple[str | int, ...]
Options: TypeAlias = "tuple[Option, ...]"


class LeftOut(Enum):
    """The value of an argument that a client left out."""

    LEFT_OUT = "left out"


LEFT_OUT: Final = LeftOut.LEFT_OUT


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


def _plain(message: str) -> str:
    for machine, plain in (("Input should be", "Must be"), ("Value error, ", ""), ("Assertion failed, ", "")):
        message = message.replace(machine, plain)
    return message


@dataclass(frozen=True, kw_only=True)
class Field(ABC):
    """One value of a form.

    Attributes
    ----------
    title : str
        Its label.
    description : str
        Its help.
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

    def prefilled(self, default: Any) -> dict[str, Any]:
        """Return what the schema says of a default."""
        # Where the author's files lie is nobody's business.
        hidden = any(isinstance(field, FileField) for field in self.walk())
        return {} if hidden else {"default": self.encode(default)}

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


def _one(texts: Sequence[str], loc: Loc) -> str:
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
        try:
            return self.adapter.validate_python(raw, strict=True)
        except ValidationError as error:
            raise InvalidArguments(problems_of(error, loc)) from error

    def encode(self, value: Any) -> Any:
        if type(value) not in self.types:
            raise TypeError(f"{value!r} is not {' or '.join(t.__name__ for t in self.types)}")
        return value


@dataclass(frozen=True, kw_only=True)
class NumberField(Leaf):
    """An int or a float."""

    kind: ClassVar[str] = "number"
    slider: bool = False
    allow_inf_nan: bool = False

    _NAMED: ClassVar[dict[str, float]] = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

    def shape(self, offers: Offers) -> dict[str, Any]:
        shape = super().shape(offers)
        return {"anyOf": [shape, {"enum": list(self._NAMED)}]} if self.allow_inf_nan else shape

    def hints(self) -> dict[str, Any]:
        return {"slider": True} if self.slider else {}

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        if self.allow_inf_nan and isinstance(raw, str):
            raw = self._NAMED.get(raw, raw)
        return super().decode(raw, loc, inputs)

    def encode(self, value: Any) -> Any:
        value = super().encode(value)
        if isinstance(value, float) and not math.isfinite(value):
            return next(name for name, number in self._NAMED.items() if str(number) == str(value))
        return value

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        text = _one(texts, loc).strip()
        if not text:
            return LEFT_OUT
        if text in self._NAMED:
            return text
        if not _NUMBER.fullmatch(text):
            raise wrong(loc, "Must be a number.")
        try:
            return int(text)
        except ValueError:  # or more digits than Python reads
            return float(text)


# What <input type=number> sends (HTML Living Standard, 2.3.4.3), and a sign before it.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class TextField(Leaf):
    """Text, of one line or several."""

    kind: ClassVar[str] = "text"
    rows: int | None = None
    password: bool = False
    placeholder: str | None = None

    def hints(self) -> dict[str, Any]:
        given = {"rows": self.rows, "password": self.password or None, "placeholder": self.placeholder}
        return {key: value for key, value in given.items() if value is not None}

    def prefilled(self, default: Any) -> dict[str, Any]:
        # A default password is the author's secret: the schema says that there is one, never which.
        return {} if self.password else super().prefilled(default)

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        if isinstance(raw, str) and not _is_unicode(raw):
            raise wrong(loc, "Must be Unicode text: it holds half of a surrogate pair.")
        return super().decode(raw, loc, inputs)

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        return _one(texts, loc)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# The grammar of <input type=email> (HTML Living Standard 4.10.5.1.5), so that browser and server agree.
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


@dataclass(frozen=True, kw_only=True)
class EmailField(TextField):
    """An e-mail address."""

    kind: ClassVar[str] = "email"

    def shape(self, offers: Offers) -> dict[str, Any]:
        return {**super().shape(offers), "format": "email"}

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        text = super().decode(raw, loc, inputs)
        if not _EMAIL.fullmatch(text):
            raise wrong(loc, "Must be an e-mail address, such as name@example.org.")
        return text


@dataclass(frozen=True, kw_only=True)
class ColorField(TextField):
    """A color, ``#rrggbb``."""

    kind: ClassVar[str] = "color"

    def shape(self, offers: Offers) -> dict[str, Any]:
        return {**super().shape(offers), "pattern": f"^{_COLOR.pattern}$"}

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        text = super().decode(raw, loc, inputs)
        if not _COLOR.fullmatch(text):
            raise wrong(loc, "Must be a color, such as #ff8800.")
        return _long_color(text)

    def encode(self, value: Any) -> Any:
        return _long_color(super().encode(value))


def _long_color(color: str) -> str:
    """Return ``#rrggbb`` of ``#rgb`` too."""
    return "#" + "".join(2 * digit for digit in color[1:]) if len(color) == 4 else color


@dataclass(frozen=True, kw_only=True)
class CheckboxField(Leaf):
    """True or False."""

    kind: ClassVar[str] = "checkbox"

    _WORDS: ClassVar[dict[str, bool]] = {
        "true": True,
        "on": True,
        "1": True,
        "false": False,
        "off": False,
        "0": False,
    }

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        text = _one(texts, loc).strip().lower()
        if text and text not in self._WORDS:
            raise wrong(loc, f"Must be one of {', '.join(self._WORDS)}.")
        return self._WORDS[text] if text else LEFT_OUT


class MomentField(Leaf):
    """A date, a time or a datetime, in ISO 8601."""

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:  # noqa: ARG002 - as in Leaf
        try:
            # In JSON mode strict means an ISO string, where in Python mode it would mean the object itself.
            return self.adapter.validate_json(json.dumps(raw), strict=True)
        except ValidationError as error:
            raise InvalidArguments(problems_of(error, loc)) from error

    def encode(self, value: Any) -> Any:
        return super().encode(value).isoformat()

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        return _one(texts, loc).strip() or LEFT_OUT


class DateField(MomentField):
    """A date."""

    kind: ClassVar[str] = "date"


class TimeField(MomentField):
    """A time of day."""

    kind: ClassVar[str] = "time"


class DatetimeField(MomentField):
    """A date and a time of day."""

    kind: ClassVar[str] = "datetime"


class DurationField(MomentField):
    """A duration: ISO 8601, or a number of seconds."""

    kind: ClassVar[str] = "duration"

    def shape(self, offers: Offers) -> dict[str, Any]:
        return {**super().shape(offers), "type": ["string", "number"]}

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        if isinstance(raw, (int, float)) and not isinstance(raw, bool):
            try:
                return Leaf.decode(self, timedelta(seconds=raw), loc, inputs)
            except (OverflowError, ValueError) as error:
                raise wrong(loc, "Must be a duration of less than a billion days.") from error
        return super().decode(raw, loc, inputs)

    def encode(self, value: Any) -> Any:
        return _iso_duration(Leaf.encode(self, value))

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        text = super().read_texts(texts, loc)
        try:
            return float(text)
        except (TypeError, ValueError):
            return text


def _iso_duration(value: timedelta) -> str:
    """Return ISO 8601's ``PnDTnS``, exact to the microsecond."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    fraction = f".{value.microseconds:06d}" if value.microseconds else ""
    return f"{sign}P{value.days}DT{value.seconds}{fraction}S"


@dataclass(frozen=True, kw_only=True)
class FileField(Field):
    """An uploaded file."""

    kind: ClassVar[str] = "file"
    extensions: tuple[str, ...] = ()
    max_size: int | None = None
    as_path: bool = False

    def shape(self, offers: Offers) -> dict[str, Any]:  # noqa: ARG002 - only dropdowns have offers
        return {"type": "object", "properties": {"upload": {"type": "string"}}, "required": ["upload"]}

    def hints(self) -> dict[str, Any]:
        size = {} if self.max_size is None else {"max_size": self.max_size}
        return {"extensions": list(self.extensions), **size}

    def prefilled(self, default: Any) -> dict[str, Any]:
        return {"x-nbfunc": {"default_name": Path(default).name}}

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        token = raw.get("upload") if isinstance(raw, dict) and len(raw) == 1 else None
        if not isinstance(token, str):
            raise wrong(loc, 'Must be an uploaded file: {"upload": "<token>"}.')
        try:
            path = inputs.upload(token)
        except AskerError as error:
            raise wrong(loc, str(error)) from error
        if problem := self._problem(path):
            raise wrong(loc, problem)
        return path if self.as_path else str(path)

    def encode(self, value: Any) -> Any:
        if not isinstance(value, (str, Path)):
            raise TypeError(f"{value!r} is not the path of a file")
        path = Path(value)
        # One that is not there may be by the time it is used.
        problem = self._problem(path) if path.is_file() else self._wrong_kind(path)
        if problem:
            raise ValueError(problem.rstrip("."))
        return {"upload": str(value)}

    def _problem(self, path: Path) -> str:
        """Say what is wrong with a file, if something is."""
        if self.max_size is not None and path.stat().st_size > self.max_size:
            return f"{path.name}: must be at most {self.max_size:,} bytes."
        return self._wrong_kind(path)

    def _wrong_kind(self, path: Path) -> str:
        if self.extensions and not path.name.lower().endswith(self.extensions):
            return f"{path.name}: must be a file of type {', '.join(self.extensions)}."
        return ""

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        # A browser's empty file input arrives as empty text; any other text names no upload.
        if any(texts):
            raise wrong(loc, "Must be a file, not text.")
        return LEFT_OUT

    def read_uploads(self, tokens: Sequence[str], loc: Loc) -> Any:
        return {"upload": _one(tokens, loc)}


@dataclass(frozen=True)
class Option:
    """One choice: its JSON, what the function gets, and what is shown."""

    json: str | int | float | bool | None
    value: Any
    label: str


def same_json(a: Any, b: Any) -> bool:
    """Say whether two JSON scalars are the same value: ``true`` is not ``1``, but ``1.0`` is."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def plain_options(values: Sequence[Any]) -> Options:
    """Return the options of values that are JSON scalars themselves.

    Raises
    ------
    TypeError
        A value is not text, a finite number, a boolean or None.
    """
    options: list[Option] = []
    for value in values:
        if not is_json_scalar(value):
            raise TypeError(f"an option must be text, a number or a boolean, not {value!r}")
        if not any(same_json(value, option.json) for option in options):
            options.append(Option(value, value, str(value)))
    return tuple(options)


def is_json_scalar(value: Any) -> bool:
    """Say whether JSON holds `value` as a string, number, boolean or null."""
    return value is None or type(value) in {str, int, bool} or (type(value) is float and math.isfinite(value))


def ask(source: Callable[[], Any]) -> Options:
    """Return what a dynamic dropdown offers now: its callable returns a list, a tuple or one value."""
    answer = source()
    return plain_options(answer if isinstance(answer, (list, tuple)) else [answer])


# What the dropdowns' callables answered when this form was opened, or why they did not.
Offers: TypeAlias = Mapping[Callable[[], Any], "Options | str"]


@dataclass(frozen=True, kw_only=True)
class ChoiceField(Field):
    """One of some options, fixed or asked for each time the form opens.

    Attributes
    ----------
    options : tuple of Option
        The fixed ones.
    source : callable, optional
        Asked instead, where given.
    """

    kind: ClassVar[str] = "choice"
    options: Options = ()
    source: Callable[[], Any] | None = None

    def shape(self, offers: Offers) -> dict[str, Any]:
        if self.source is None:
            return _enumerated(self.options)
        offer = offers.get(self.source, ())
        dynamic = {"error": offer} if isinstance(offer, str) else {}
        shape = {"x-nbfunc": {}} if isinstance(offer, str) else _enumerated(offer)
        return {**shape, "x-nbfunc": {**shape["x-nbfunc"], "dynamic": True, **dynamic}}

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        try:
            option = self._find(raw, inputs)
        except NoOffer as error:
            raise wrong(loc, f"The options cannot be had now, so it was not checked: {error}") from error
        if option is None:
            known = ", ".join(repr(option.json) for option in self.options[:20])
            raise wrong(loc, f"Must be one of {known}." if known else "Must be one of the options on offer.")
        return option.value

    def _find(self, raw: Any, inputs: Inputs) -> Option | None:
        lists = iter([self.options]) if self.source is None else inputs.offered(self.source)
        text = raw if isinstance(raw, BodyText) else None
        return next(
            (o for options in lists for o in options if same_json(raw, o.json) or text == o.label), None
        )

    def encode(self, value: Any) -> Any:
        if self.source is not None:
            return plain_options([value])[0].json
        for option in self.options:
            if value is option.value or (type(value) is type(option.value) and value == option.value):
                return option.json
        raise ValueError(f"{value!r} is not one of the options")

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        text = _one(texts, loc)
        for option in self.options:
            if text == (option.json if isinstance(option.json, str) else json.dumps(option.json)):
                return option.json
        return BodyText(text) if text else LEFT_OUT


class BodyText(str):
    """Text of a form body that may stand for an option of any type."""

    __slots__ = ()


def _enumerated(options: Options) -> dict[str, Any]:
    return {
        "enum": [option.json for option in options],
        "x-nbfunc": {"labels": [option.label for option in options]},
    }
