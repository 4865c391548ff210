"""What HTML itself has of a form: its plain fields, in the page before the form's script has come.

The script's own fields then take their places, and what was put in meanwhile (``early.ts``). A field that
needs the script is a label and an empty space of about its height.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Node = Mapping[str, Any]

# Pixels, as the script's style sheet has them.
LINE = 22.5
CONTROL = 40.0
GAP = 21.6
HEAD = 28.1
HELP = 25.2
INSIDE = 37.2  # of a group: its padding and border
TEXTAREA = 16.4  # of a text of several lines, the same
ROW = 48.0
OPTION = 29.6


@dataclass(frozen=True)
class Control:
    """A control that HTML has.

    Attributes
    ----------
    tag : str
        ``input``, ``select`` or ``textarea``.
    attributes : dict
        Of the element, the id apart.
    text : str
        In a ``textarea``.
    options : tuple of (str, bool)
        Of a ``select``: each label, and whether it is chosen.
    """

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    options: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class EarlyField:
    """A field as the page has it; where `control` is None, `height` pixels are kept for the script's own.

    `waits` says that its options are being asked for.
    """

    name: str
    kind: str
    title: str
    help: str
    control: Control | None
    height: float
    waits: bool


def early_fields(schema: Mapping[str, Any]) -> list[EarlyField]:
    """Return the fields of a form, in order.

    Parameters
    ----------
    schema : mapping
        As ``GET R<function>/schema`` answers.
    """
    return [_early(name, node) for name, node in _children(schema["parameters"])]


def _early(name: str, node: Node) -> EarlyField:
    kind = _kind(node)
    make = PLAIN.get(kind)
    help_text = node.get("description") or (_inner(node).get("description") if kind == "optional" else "")
    return EarlyField(
        name=name,
        kind=kind,
        title=node.get("title", name),
        help=(help_text or "").strip(),
        control=make(node, _hints(node)) if make else None,
        height=_height(node),
        waits=bool(_hints(node).get("dynamic")),
    )


def _hints(node: Node) -> Node:
    hints: Node = node.get("x-nbfunc", {})
    return hints


def _kind(node: Node) -> str:
    return str(_hints(node).get("kind", ""))


def _children(node: Node) -> list[tuple[str, Node]]:
    return list(node.get("properties", {}).items())


# Each returns the control of a node, or None where only the script can show it.


def _number(node: Node, hints: Node) -> Control | None:
    if hints.get("slider"):
        return None
    # NaN is a value of it: then the control has to take letters.
    words = "anyOf" in node
    least, most = _bounds(node)
    whole = node.get("type") == "integer"
    limits = {"min": least, "max": most, "step": node.get("multipleOf", 1 if whole else "any")}
    natural = whole and least is not None and least >= 0
    attributes = {
        "class": "short",
        "type": "text" if words else "number",
        "inputmode": "numeric" if natural else "decimal",
        **({} if words else {key: _digits(limit) for key, limit in limits.items() if limit is not None}),
        **_placeholder(hints),
        "autocomplete": "off",
        "required": "",
    }
    default = node.get("default")
    return Control("input", attributes if default is None else {**attributes, "value": _digits(default)})


def _bounds(node: Node) -> tuple[float | None, float | None]:
    """Return the least and the greatest number that a control is to offer."""
    step = 1 if node.get("type") == "integer" else 0
    least, most = node.get("minimum"), node.get("maximum")
    if least is None and "exclusiveMinimum" in node:
        least = node["exclusiveMinimum"] + step
    if most is None and "exclusiveMaximum" in node:
        most = node["exclusiveMaximum"] - step
    return least, most


def _digits(value: Any) -> str:
    """Return a number as a browser's script writes it: 5 for 5.0."""
    if not isinstance(value, float) or not math.isfinite(value):
        return str(value)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if 1e-6 <= abs(value) < 1e21:
        return f"{Decimal(repr(value)):f}"
    return re.sub(r"e([+-])0", r"e\1", repr(value))


def _text(node: Node, hints: Node) -> Control | None:
    if hints.get("password"):
        return None
    default = str(node.get("default", ""))
    if "rows" in hints:
        attributes = {"rows": str(hints["rows"]), "dir": "auto", **_placeholder(hints)}
        return Control("textarea", attributes, text=default)
    email = {"type": "email", "autocomplete": "email", "spellcheck": "false"}
    attributes = email if _kind(node) == "email" else {"type": "text", "autocomplete": "off"}
    return Control("input", {**attributes, "dir": "auto", **_placeholder(hints), "value": default})


def _placeholder(hints: Node) -> dict[str, str]:
    return {"placeholder": hints["placeholder"]} if "placeholder" in hints else {}


def _checkbox(node: Node, hints: Node) -> Control:  # noqa: ARG001 - as all in the table
    return Control("input", {"type": "checkbox", **({"checked": ""} if node.get("default") is True else {})})


_TYPES = {"date": "date", "time": "time", "datetime": "datetime-local"}


def _moment(node: Node, hints: Node) -> Control | None:  # noqa: ARG001 - as all in the table
    default = str(node.get("default", ""))
    clock = default.rpartition("T")[2] if "T" in default or _kind(node) == "time" else ""
    if re.search(r"[Z+-]", clock, re.IGNORECASE):
        return None  # the script shows the offset beside it
    # Whole minutes are shown as such, and milliseconds at most.
    shown = re.sub(r"(:\d\d):00(\.0+)?$", r"\1", default)
    shown = re.sub(r"(\.\d{3})\d+$", r"\1", shown)
    seconds = re.search(r":\d\d:\d\d", shown)
    step = {"step": "0.001" if "." in shown else "1"} if seconds else {}
    return Control(
        "input", {"class": "short", "type": _TYPES[_kind(node)], **step, "required": "", "value": shown}
    )


def _choice(node: Node, hints: Node) -> Control | None:
    if hints.get("dynamic") or hints.get("error"):
        return None
    # JSON's true is not 1.
    values = [(type(value) is bool, value) for value in node.get("enum", [])]
    default = node.get("default")
    wanted = (type(default) is bool, default)
    chosen = values.index(wanted) if "default" in node and wanted in values else 0
    labels = hints.get("labels") or [str(value) for _, value in values]
    return Control("select", options=tuple((label, at == chosen) for at, label in enumerate(labels)))


PLAIN: dict[str, Callable[[Node, Node], Control | None]] = {
    "number": _number,
    "text": _text,
    "email": _text,
    "checkbox": _checkbox,
    "date": _moment,
    "time": _moment,
    "datetime": _moment,
    "choice": _choice,
}


def _inner(node: Node) -> Node:
    """Return what an optional field holds, or the first variant of one that has several."""
    first: Node = next((one for one in node.get("anyOf", ()) if one.get("type") != "null"), {})
    inner: Node = first.get("properties", {}).get("$value", first)
    return inner


def _height(node: Node) -> float:
    """Return about how many pixels the script's field takes, its label and help apart."""
    kind, hints, default = _kind(node), _hints(node), node.get("default")
    if kind == "optional":
        return _height(_inner(node)) if hints.get("start") else 0.0
    if kind == "variants":
        return CONTROL + 6 + _height(_inner(node))
    if kind == "group":
        return INSIDE + _stack([_whole(child) for _, child in _children(node)])
    if kind in {"list", "dict"}:
        return CONTROL + ROW * (len(default) if default else 0)
    if kind == "choices":
        return OPTION * min(-(-len(node.get("items", {}).get("enum", ())) // 3), 8)
    if hints.get("slider"):
        return CONTROL + 8
    if "rows" in hints:
        return float(TEXTAREA + LINE * hints["rows"])
    return {"checkbox": LINE + 5.5, "file": 64.0}.get(kind, CONTROL)


def _whole(node: Node) -> float:
    head = 0.0 if _kind(node) == "checkbox" else HEAD
    return head + _height(node) + (HELP if node.get("description") else 0.0)


def _stack(heights: list[float]) -> float:
    return sum(heights) + GAP * max(len(heights) - 1, 0)
