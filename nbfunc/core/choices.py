"""The field of one of some options, fixed or asked for each time the form opens."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from nbfunc.core.fields import LEFT_OUT, Field, Inputs, Loc, NoOffer, Offers, Option, Options, one_text, wrong
from nbfunc.core.mailbox import unicode_only
from nbfunc.core.plain import unboxed


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
        shown = unicode_only(value) if type(value) is str else unboxed(value)
        if not is_json_scalar(shown):
            raise TypeError(f"an option must be text, a number or a boolean, not {value!r}")
        if not any(same_json(shown, option.json) for option in options):
            options.append(Option(shown, value, str(shown)))
    return tuple(options)


def is_json_scalar(value: Any) -> bool:
    """Say whether JSON holds `value` as a string, number, boolean or null."""
    return value is None or type(value) in {str, int, bool} or (type(value) is float and math.isfinite(value))


def ask(source: Callable[[], Any]) -> Options:
    """Return what a dynamic dropdown offers now: its callable returns a list, a tuple or one value."""
    try:
        answer = source()
    except SystemExit as error:  # which would end the loop of who asks, and with it the server
        raise RuntimeError(f"it called sys.exit({error})") from error
    return plain_options(answer if isinstance(answer, (list, tuple)) else [answer])


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
        text = one_text(texts, loc)
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
