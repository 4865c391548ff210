"""Fields of one value that pydantic checks by itself: numbers, texts, moments, a checkbox."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from nbfunc.core.fields import LEFT_OUT, Inputs, Leaf, Loc, Offers, checking, one_text, wrong


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
        text = one_text(texts, loc).strip()
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

    def is_private(self, default: Any) -> bool:  # noqa: ARG002 - as in Field
        return self.password

    def prefilled(self, default: Any) -> dict[str, Any]:
        # A default password is the author's secret: the schema says that there is one, never which.
        return {"x-nbfunc": {"default_hidden": True}} if self.password else super().prefilled(default)

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:
        if isinstance(raw, str) and not _is_unicode(raw):
            raise wrong(loc, "Must be Unicode text: it holds half of a surrogate pair.")
        return super().decode(raw, loc, inputs)

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        return one_text(texts, loc)


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
        text = one_text(texts, loc).strip().lower()
        if text and text not in self._WORDS:
            raise wrong(loc, f"Must be one of {', '.join(self._WORDS)}.")
        return self._WORDS[text] if text else LEFT_OUT


_BARE_NUMBER = re.compile(r"[+-]?[0-9.]+")


class MomentField(Leaf):
    """A date, a time or a datetime, in ISO 8601."""

    def decode(self, raw: Any, loc: Loc, inputs: Inputs) -> Any:  # noqa: ARG002 - as in Leaf
        if isinstance(raw, str) and _BARE_NUMBER.fullmatch(raw):
            # pydantic would read seconds since 1970, and milliseconds if they are many.
            raise wrong(loc, f"Must be a {self.kind} in ISO 8601, not a number.")
        with checking(loc):
            # In JSON mode strict means an ISO string, where in Python mode it would mean the object itself.
            return self.adapter.validate_json(json.dumps(raw), strict=True)

    def encode(self, value: Any) -> Any:
        return super().encode(value).isoformat()

    def read_texts(self, texts: Sequence[str], loc: Loc) -> Any:
        return one_text(texts, loc).strip() or LEFT_OUT


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
        if isinstance(raw, str) and not raw.lstrip("+-").startswith("P"):
            # pydantic would also read a clock's 1:30, which may mean minutes.
            raise wrong(loc, "Must be an ISO 8601 duration, such as PT1H30M, or a number of seconds.")
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
