"""Signatures become forms, what clients send becomes arguments, and what cannot be is refused."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import math
import pathlib
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import Annotated, Any, Literal, Optional, TypedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field
from pydantic import dataclasses as pydantic_dataclasses
from typing_extensions import NotRequired

from nbfunc.core.choices import ask
from nbfunc.core.fields import NO_INPUTS
from nbfunc.core.forms import Form, form_of
from nbfunc.errors import FormError, InvalidArguments
from nbfunc.types import (
    Color,
    DataFile,
    Dropdown,
    Email,
    File,
    FileHint,
    ImageFile,
    Label,
    Multiline,
    OptionalDisabled,
    OptionalEnabled,
    Password,
    Placeholder,
    Slider,
)


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Corner(enum.Enum):
    LEFT = (0, 1)
    RIGHT = (1, 0)


@dataclasses.dataclass
class Point:
    """A point.

    Args:
        x: to the right
    """

    x: int
    y: Annotated[int, Field(ge=0)] = 0

    def __post_init__(self) -> None:
        if self.x == 13:
            raise ValueError("x is unlucky")


class Person(BaseModel):
    name: str = Field(min_length=1, title="Full name", alias="fullName")
    born: date | None = None


class Options(TypedDict):
    depth: int
    note: NotRequired[str]


@pydantic_dataclasses.dataclass
class Checked:
    n: int = Field(ge=1)


def options() -> list[str]:
    return ["a", "b"]


def function_of(annotation: Any, *default: Any) -> Callable[..., Any]:
    def f(x):  # type: ignore[no-untyped-def]  # its annotation is the test's
        return x

    f.__annotations__ = {"x": annotation}
    f.__defaults__ = default
    return f


def decoded(annotation: Any, raw: Any) -> Any:
    return form_of(function_of(annotation)).decode({"x": raw}, NO_INPUTS)["x"]


def node_of(annotation: Any, *default: Any) -> dict[str, Any]:
    form = form_of(function_of(annotation, *default))
    node: dict[str, Any] = form.schema({options: ()})["parameters"]["properties"]["x"]
    return node


@pytest.mark.parametrize(
    ("annotation", "kind", "raw", "value"),
    [
        (int, "number", 5, 5),
        (float, "number", 5, 5.0),
        (Annotated[float, Field(allow_inf_nan=True)], "number", "-Infinity", -math.inf),
        (Annotated[int, Field(ge=0, le=9), Slider()], "number", 3, 3),
        (str, "text", "", ""),
        (Annotated[str, Multiline(rows=2), Password(), Placeholder("p")], "text", "x\ny", "x\ny"),
        (Annotated[str, Field(pattern=r"(?=a)")], "text", "banana", "banana"),
        (bool, "checkbox", False, False),
        (date, "date", "2024-02-29", date(2024, 2, 29)),
        (time, "time", "23:59", time(23, 59)),
        (datetime, "datetime", "2024-02-29T10:00", datetime(2024, 2, 29, 10)),
        (timedelta, "duration", "PT1M30S", timedelta(seconds=90)),
        (timedelta, "duration", 1.5, timedelta(seconds=1.5)),
        (Color, "color", "#abc", "#aabbcc"),
        (Email, "email", "a@b.org", "a@b.org"),
        (Literal["a", 1, True], "choice", True, True),
        (Literal[True, False], "choice", False, False),
        (Size, "choice", "large", Size.LARGE),
        (Corner, "choice", "RIGHT", Corner.RIGHT),
        (Literal[Size.SMALL], "choice", "small", Size.SMALL),
        (list[int], "list", [], []),
        (list[list[int]], "list", [[1], []], [[1], []]),
        (set[int], "list", [1, 1], {1}),
        (list[Size], "choices", ["small"], [Size.SMALL]),
        (set[Literal[1, 2]], "choices", [2], {2}),
        (int | None, "optional", None, None),
        (Optional[int], "optional", 3, 3),  # noqa: UP045 - both spellings are promised
        (bool | None, "optional", False, False),
        (int | str, "variants", {"$type": "Text", "$value": "5"}, "5"),
        (int | str, "variants", 5, 5),
        (Point, "group", {"x": 1}, Point(1)),
        (Person, "group", {"name": "Ada"}, Person(fullName="Ada")),
        (Options, "group", {"depth": 1}, {"depth": 1}),
        (Checked, "group", {"n": 1}, Checked(1)),
        (dict[str, int], "dict", {"a": 1}, {"a": 1}),
        (dict[str, list[Point]], "dict", {"a": [{"x": 1, "y": 2}]}, {"a": [Point(1, 2)]}),
    ],
)
def test_an_annotation_becomes_a_field_and_its_json_a_value(
    annotation: Any, kind: str, raw: Any, value: Any
) -> None:
    got = decoded(annotation, raw)
    assert got == value
    assert type(got) is type(value)
    assert node_of(annotation)["x-nbfunc"]["kind"] == kind


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (File, "file"),
        (pathlib.Path, "file"),
        (Annotated[pathlib.Path, FileHint((".csv",))], "file"),
        (list[DataFile], "list"),
        (Literal[options], "choice"),
        (Annotated[str, Dropdown(options)], "choice"),
        (list[Annotated[str, Dropdown(options)]], "choices"),
    ],
)
def test_files_and_dynamic_dropdowns_are_fields(annotation: Any, kind: str) -> None:
    assert node_of(annotation)["x-nbfunc"]["kind"] == kind


@pytest.mark.parametrize(
    ("annotation", "raw", "loc"),
    [
        (int, "5", ["x"]),
        (int, True, ["x"]),
        (int, 5.5, ["x"]),
        (int, None, ["x"]),
        (float, "NaN", ["x"]),
        (float, "5", ["x"]),
        (bool, 1, ["x"]),
        (bool, "true", ["x"]),
        (str, 5, ["x"]),
        (str, "\ud800", ["x"]),
        (Annotated[str, Field(min_length=2)], "a", ["x"]),
        (Annotated[str, Field(pattern="^a$")], "b", ["x"]),
        (Annotated[int | None, Field(ge=2)], 1, ["x"]),
        (Annotated[list[Annotated[int, Field(ge=1)]], Field(max_length=2)], [1, 0], ["x", 1]),
        (Annotated[list[Annotated[int, Field(ge=1)]], Field(max_length=2)], [1, 1, 1], ["x"]),
        (Annotated[int, AfterValidator(lambda n: 1 // 0 if n == 99 else n), Field(le=5)], 6, ["x"]),
        (date, "2023-02-29", ["x"]),
        (date, 0, ["x"]),
        (timedelta, "soon", ["x"]),
        (timedelta, 1e300, ["x"]),
        (timedelta, "1:30", ["x"]),
        (Color, "red", ["x"]),
        (Email, "a b@c", ["x"]),
        (Literal["a", 1], True, ["x"]),
        (Literal["a", 1], "b", ["x"]),
        (Size, "SMALL", ["x"]),
        (list[int], 5, ["x"]),
        (list[int], [1, "2"], ["x", 1]),
        (list[list[int]], [[1], [2, None]], ["x", 1, 1]),
        (int | str, {"$type": "Date", "$value": 5}, ["x"]),
        (int | str, {"$type": "Whole number", "$value": "5"}, ["x"]),
        (int | float, 5, ["x"]),
        (int | str, None, ["x"]),
        (Point, {"x": 1, "y": -1}, ["x", "y"]),
        (Point, {}, ["x", "x"]),
        (Point, {"x": 1, "z": 1}, ["x", "z"]),
        (Point, {"x": 13}, ["x"]),
        (Point, [1], ["x"]),
        (Person, {"name": ""}, ["x", "name"]),
        (Options, {}, ["x", "depth"]),
        (dict[str, int], {"a": "b"}, ["x", "a"]),
        (dict[str, int], [], ["x"]),
        (File, "/etc/passwd", ["x"]),
        (File, {"upload": "/etc/passwd"}, ["x"]),
        (File, {"path": "/etc/passwd"}, ["x"]),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(annotation: Any, raw: Any, loc: list[str | int]) -> None:
    with pytest.raises(InvalidArguments) as caught:
        decoded(annotation, raw)
    assert [problem["loc"] for problem in caught.value.problems] == [loc]


@pytest.mark.parametrize(
    ("annotation", "raw", "says"),
    [
        (Annotated[list[int], Field(min_length=1)], [], "Must have at least 1 item"),
        (Annotated[str, Field(pattern="^a$")], "b", "Must match pattern '^a$'"),
        (date, "", "Must be a valid date in the format YYYY-MM-DD"),
        (date, "86400", "Must be a date in ISO 8601, not a number."),
        (datetime, "1700000000", "Must be a datetime in ISO 8601, not a number."),
        (datetime, "-1.5", "Must be a datetime in ISO 8601, not a number."),
        (int, "5", "Must be a valid integer"),
        (timedelta, "1:30", "Must be an ISO 8601 duration, such as PT1H30M, or a number of seconds."),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_who_fills_a_form_in(
    annotation: Any, raw: Any, says: str
) -> None:
    with pytest.raises(InvalidArguments) as caught:
        decoded(annotation, raw)
    assert caught.value.problems[0]["msg"] == says


def test_the_members_of_an_enum_are_labelled_alike() -> None:
    class Mixed(enum.Enum):
        ONE = 1
        TWO = "two"

    assert node_of(Mixed)["x-nbfunc"]["labels"] == ["ONE", "TWO"]


def test_all_problems_are_told_at_once() -> None:
    def f(a: int, b: list[int], c: str) -> None: ...

    with pytest.raises(InvalidArguments) as caught:
        form_of(f).decode({"a": "x", "b": [1, "y"], "d": 1}, NO_INPUTS)
    assert [p["loc"] for p in caught.value.problems] == [["a"], ["b", 1], ["c"], ["d"]]


@pytest.mark.parametrize(
    ("annotation", "texts", "value"),
    [
        (int, ["5"], 5),
        (float, ["1e3"], 1000.0),
        (float, ["2"], 2.0),
        (bool, ["on"], True),
        (bool, ["0"], False),
        (str, [""], ""),
        (date, ["2024-01-01"], date(2024, 1, 1)),
        (timedelta, ["90"], timedelta(seconds=90)),
        (Literal[True, "x", 2], ["2"], 2),
        (Literal[True, "x", 2], ["true"], True),
        (Size, ["small"], Size.SMALL),
        (list[int], ["1", "", "2"], [1, 2]),
        (list[Size], ["small", "large"], [Size.SMALL, Size.LARGE]),
        (int | None, ["3"], 3),
    ],
)
def test_a_form_bodys_texts_are_read(annotation: Any, texts: list[str], value: Any) -> None:
    got = form_of(function_of(annotation)).decode({}, NO_INPUTS, texts={"x": texts})
    assert got == {"x": value}


@pytest.mark.parametrize(
    ("annotation", "texts"),
    [
        (int, [""]),
        (int, ["five"]),
        (int, ["1", "2"]),
        (bool, ["yes"]),
        (date, [""]),
        (Point, ["1"]),
        (File, ["/etc/passwd"]),
        (list[File], ["/etc/passwd"]),
        (File | None, ["/etc/passwd"]),
    ],
)
def test_a_form_bodys_wrong_texts_are_refused(annotation: Any, texts: list[str]) -> None:
    with pytest.raises(InvalidArguments) as caught:
        form_of(function_of(annotation)).decode({}, NO_INPUTS, texts={"x": texts})
    assert caught.value.problems[0]["loc"][0] == "x"


def test_json_wins_over_the_texts_of_a_form_body() -> None:
    got = form_of(function_of(int)).decode({"x": 2}, NO_INPUTS, texts={"x": ["1"]})
    assert got == {"x": 2}


@pytest.mark.parametrize(
    ("annotation", "default", "says"),
    [
        (Annotated[list[int], Field(ge=1)], None, "items"),
        (Annotated[int, Field(min_length=1)], None, "min_length"),
        (Annotated[str, Field(pattern="[")], None, "unterminated"),
        (Annotated[int, Field(5)], None, "signature"),
        (Annotated[int, Slider()], None, "ge=0"),
        (Annotated[str, Slider()], None, "int and float"),
        (Annotated[str, Password], None, "write Password(), with parentheses"),
        (Annotated[int, Field(ge=5, le=2)], None, "nothing is between ge=5 and le=2"),
        (Annotated[list[int], Field(min_length=3, max_length=0)], None, "min_length=3 and max_length=0"),
        (int | OptionalEnabled | OptionalDisabled, None, "keep one of the two"),
        (Annotated[Point, Field(min_length=1)], None, "drop it"),
        (list, None, "list[str]"),
        (dict, None, "dict[str, int]"),
        (tuple[int, str], None, "list[str]"),
        (dict[int, str], None, "dict[str, ...]"),
        (set[Point], None, "use a list"),
        (object, None, "no field"),
        (complex, None, "two floats"),
        (bytes, None, "File, and open its path"),
        (Sequence[int], None, "list[str]"),
        (Literal[b"x"], None, "text, a number or a boolean"),
        (Annotated[str, Dropdown("a")], None, "a function"),  # type: ignore[arg-type]
        (OptionalEnabled, None, "go with a type"),
        (int, ("x",), "'x'"),
        (int, (True,), "True"),
        (Annotated[int, Field(ge=5)], (1,), "greater than or equal to 5"),
        (Size, ("small",), "not one of the options"),
        (list[int], (["a"],), "'a'"),
        (Point, (3,), "Point"),
        (File, (3,), "path"),
        ("Nowhere", None, "Nowhere"),
    ],
)
def test_what_cannot_be_a_field_is_refused_with_the_way_out(annotation: Any, default: Any, says: str) -> None:
    with pytest.raises(FormError, match=r"^f") as caught:
        form_of(function_of(annotation, *(default or ())))
    assert says in str(caught.value)


def test_a_refusal_names_function_parameter_and_annotation() -> None:
    def resize(size: complex) -> None: ...

    with pytest.raises(FormError, match=r"^resize\(size: complex\): "):
        form_of(resize)


class Chain(BaseModel):
    below: list[Chain] = []


@pytest.mark.parametrize("function", [lambda x=1: x, Point, 3, function_of(Chain), print, max])
def test_what_has_no_form_is_refused(function: Any) -> None:
    with pytest.raises(FormError):
        form_of(function)


def test_variable_arguments_are_refused() -> None:
    def f(*rest: int) -> None: ...
    def g(**rest: int) -> None: ...

    for function in (f, g):
        with pytest.raises(FormError, match="rest: "):
            form_of(function)


def test_no_annotation_takes_the_defaults_type() -> None:
    def f(a=1, b="x", c=Size.LARGE, d=[1.5], e=date(2024, 1, 1)) -> None: ...  # type: ignore[no-untyped-def]  # noqa: B006

    properties = form_of(f).schema({})["parameters"]["properties"]
    assert [p["x-nbfunc"]["kind"] for p in properties.values()] == [
        "number",
        "text",
        "choice",
        "list",
        "date",
    ]


def test_a_default_that_is_a_path_makes_a_file() -> None:
    def f(a=pathlib.Path("data.csv")) -> None: ...  # type: ignore[no-untyped-def]

    (node,) = form_of(f).schema({})["parameters"]["properties"].values()
    assert (node["x-nbfunc"]["kind"], node["x-nbfunc"]["default_name"]) == ("file", "data.csv")


def test_a_parameter_without_type_and_default_is_refused() -> None:
    def f(a) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(FormError, match=r"f\(a\): give it an annotation"):
        form_of(f)


@pytest.mark.parametrize(
    ("annotation", "default", "value"),
    [
        (Color, "#fff", "#ffffff"),
        (Color | None, "#DEF", "#DDEEFF"),
        (list[Color], ["#123"], ["#112233"]),
        (float, 3, 3.0),
        (Point, Point(1), Point(1)),
        (int | None, None, None),
    ],
)
def test_a_default_is_what_its_field_makes_of_it(annotation: Any, default: Any, value: Any) -> None:
    got: list[Any] = []

    def f(x: Any = default) -> None:
        got.append(x)

    f.__annotations__["x"] = annotation
    form = form_of(f)
    _, named = form.bind(form.decode({}, NO_INPUTS))
    f(**named)
    assert (got, type(got[0])) == ([value], type(value))


def test_a_file_hint_that_lets_nothing_pass_is_refused() -> None:
    with pytest.raises(ValueError, match="lets no file pass"):
        FileHint(max_size=0)


def test_a_default_stands_in_for_an_argument_left_out() -> None:
    def f(a: int, b: int = 2) -> int:
        return a + b

    form = form_of(f)
    assert form.decode({"a": 1}, NO_INPUTS) == {"a": 1}
    assert form.schema({})["parameters"]["required"] == ["a"]
    assert form.schema({})["parameters"]["properties"]["b"]["default"] == 2


@pytest.mark.parametrize(
    ("annotation", "default", "start"),
    [
        (int | None, (), False),
        (int | None, (None,), False),
        (int | None, (5,), True),
        (int, (None,), False),
        (int | OptionalEnabled, (None,), True),
        (int | OptionalDisabled, (5,), False),
        (Annotated[int, Field(ge=1)] | OptionalEnabled, (), True),
    ],
)
def test_an_optional_fields_switch_starts_where_it_should(annotation: Any, default: Any, start: bool) -> None:
    node = node_of(annotation, *default)
    assert node["x-nbfunc"] == {"kind": "optional", "start": start}


def test_a_files_default_is_shown_by_name_only() -> None:
    text = json.dumps(node_of(File, "/home/secret/report.csv"))
    assert "report.csv" in text
    assert "secret" not in text


def test_a_passwords_default_is_not_told() -> None:
    assert "hunter2" not in json.dumps(node_of(Annotated[str, Password()], "hunter2"))
    assert "hunter2" not in json.dumps(node_of(Annotated[str, Password()] | None, "hunter2"))


def test_labels_and_help_come_from_markers_or_the_docstring() -> None:
    def f(
        first_name: str,
        b: Annotated[int, Label("Bees")],
        c: Annotated[int, Field(title="Seas", description="how many")] | None = None,
    ) -> None:
        """Count things.

        All of
        them.

        Parameters
        ----------
        first_name : str
            What they
            call you.
        """

    form = form_of(f).schema({})
    nodes = form["parameters"]["properties"]
    assert form["title"] == "F"
    assert form["description"] == "Count things.\n\nAll of\nthem."
    assert (nodes["first_name"]["title"], nodes["first_name"]["description"]) == (
        "first name",
        "What they call you.",
    )
    assert nodes["b"]["title"] == "Bees"
    assert (nodes["c"]["title"], nodes["c"]["description"]) == ("Seas", "how many")


@pytest.mark.parametrize(
    "docstring",
    [
        "Do.\n\nArgs:\n    x: the x",
        "Do.\n\n:param x: the x",
        "Do.\n\nParameters\n----------\nx : int\n    the x",
    ],
)
def test_every_docstring_style_is_read(docstring: str) -> None:
    function = function_of(int)
    function.__doc__ = docstring
    form = form_of(function).schema({})
    assert form["description"] == "Do."
    assert form["parameters"]["properties"]["x"]["description"] == "the x"


def test_names_are_seen_through_wrappers() -> None:
    def make_report(x: int, y: int = 1) -> int:
        return x + y

    @functools.wraps(make_report)
    def wrapper(*args: Any, **kwargs: Any) -> int:
        return make_report(*args, **kwargs)

    class Maker:
        def make(self, x: int) -> int:
            return x

    assert form_of(wrapper).name == "make_report"
    assert form_of(wrapper).title == "Make report"
    assert form_of(functools.partial(make_report, y=5)).name == "make_report"
    assert [member.name for member in form_of(Maker().make).members] == ["x"]


def test_a_name_is_its_nfkc_form() -> None:
    function = function_of(int)
    function.__name__ = "ﬁle"
    assert form_of(function).name == "file"


def test_positional_only_parameters_are_passed_by_place() -> None:
    def f(a: int, b: int = 2, /, c: int = 3) -> tuple[int, int, int]:
        return (a, b, c)

    form = form_of(f)
    positional, named = form.bind(form.decode({"a": 1, "c": 5}, NO_INPUTS))
    assert f(*positional, **named) == (1, 2, 5)


def test_a_parameter_may_start_with_an_underscore() -> None:
    def f(_x: int) -> None: ...

    assert form_of(f).decode({"_x": 1}, NO_INPUTS) == {"_x": 1}


def test_dynamic_options_are_in_the_schema_or_their_error_is() -> None:
    form = form_of(function_of(Literal[options]))
    assert form.sources == [options]
    node = form.schema({options: "ValueError: no"})["parameters"]["properties"]["x"]
    assert node["x-nbfunc"] == {"kind": "choice", "dynamic": True, "error": "ValueError: no"}
    assert "enum" not in node


# The property: for any signature, Form -> JSON -> arguments -> call gives the value back.

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (Annotated[float, Field(allow_inf_nan=True)], st.floats(allow_nan=False)),
    (Annotated[int, Field(ge=-5, le=5), Slider()], st.integers(-5, 5)),
    (str, TEXT),
    (Annotated[str, Multiline(), Field(max_length=20)], TEXT),
    (bool, st.booleans()),
    (date, st.dates()),
    (time, st.times()),
    (datetime, st.datetimes(timezones=st.sampled_from([None, timezone.utc, timezone(timedelta(hours=5.5))]))),
    (timedelta, st.timedeltas()),
    (Color, st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")),
    (Email, st.just("a@b.org")),
    (Literal["a", 1, True, None], st.sampled_from(["a", 1, True, None])),
    (Size, st.sampled_from(Size)),
    (Corner, st.sampled_from(Corner)),
    (Point, st.builds(Point, st.integers().filter(lambda n: n != 13), st.integers(0))),
    (Person, st.builds(lambda n, b: Person(fullName=n, born=b), TEXT.filter(bool), st.none() | st.dates())),
    (Options, st.fixed_dictionaries({"depth": st.integers()}, optional={"note": TEXT})),
]
Typed = tuple[Any, st.SearchStrategy[Any]]


def of(container: Any, *items: Any) -> Any:
    return container[items]


def around(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    def fits(kind: Typed) -> bool:
        return kind[0] in {int, str, bool, date, Size}

    return st.one_of(
        inner.map(lambda kind: (of(list, kind[0]), st.lists(kind[1], max_size=3))),
        inner.map(lambda kind: (kind[0] | None, st.none() | kind[1])),
        inner.map(lambda kind: (of(dict, str, kind[0]), st.dictionaries(TEXT, kind[1], max_size=3))),
        inner.filter(fits).map(lambda kind: (of(set, kind[0]), st.sets(kind[1], max_size=3))),
        st.just((int | date | list[str], st.integers() | st.dates() | st.lists(TEXT, max_size=2))),
    )


SIGNATURES = st.lists(st.recursive(st.sampled_from(LEAVES), around, max_leaves=4), max_size=5)


def generated_form(kinds: list[Typed]) -> Form:
    names = [f"p{n}" for n in range(len(kinds))]
    space: dict[str, Any] = {}
    exec(f"def generated({', '.join(names)}): return dict(locals())", space)
    function = space["generated"]
    function.__annotations__ = dict(zip(names, (kind[0] for kind in kinds), strict=True))
    return form_of(function)


@given(SIGNATURES, st.data())
def test_form_to_json_to_arguments_to_call_gives_the_values_back(
    kinds: list[Typed], data: st.DataObject
) -> None:
    form = generated_form(kinds)
    values = {member.name: data.draw(kind[1]) for member, kind in zip(form.members, kinds, strict=True)}
    wire = json.loads(json.dumps(form.encode(values), allow_nan=False))
    positional, named = form.bind(form.decode(wire, NO_INPUTS))
    assert form.function(*positional, **named) == values
    json.dumps(form.schema({}), allow_nan=False)


def test_a_file_of_the_wrong_kind_is_no_default() -> None:
    def show(picture: ImageFile = "notes.txt") -> None: ...

    with pytest.raises(FormError, match=r"notes\.txt: must be a file of type"):
        form_of(show)


def test_default_files_of_a_list_are_known_by_name_only() -> None:
    def show(files: list[File] = ["/home/ada/secret/a.txt"]) -> None: ...  # noqa: B006 - never changed

    assert "/home/ada" not in json.dumps(form_of(show).schema({}))


@pytest.mark.parametrize(
    ("annotation", "way_out"),
    [
        (tuple[int, str], r"list\[str\], or a dataclass"),
        (frozenset[int], r"set\[str\]"),
        (Literal[()], "nothing to choose from"),
    ],
)
def test_what_comes_near_a_field_is_refused_with_the_way_out(annotation: Any, way_out: str) -> None:
    def show(x: Any) -> None: ...

    show.__annotations__["x"] = annotation
    with pytest.raises(FormError, match=way_out):
        form_of(show)


def test_a_dropdown_may_offer_numpys_numbers_and_names_that_are_no_unicode() -> None:
    options = ask(lambda: [*np.array([1, 2]), "\udcff"])
    assert [(option.json, option.label) for option in options] == [(1, "1"), (2, "2"), ("?", "?")]
    assert options[-1].value == "\udcff"  # what the function gets


def test_a_dropdown_that_calls_exit_only_fails() -> None:
    with pytest.raises(RuntimeError, match=r"it called sys.exit\(no database\)"):
        ask(lambda: sys.exit("no database"))


def _asserts(_: int) -> int:
    raise AssertionError("it must be even")


def _says_nothing(_: int) -> int:
    raise ValueError


def _is_at_fault(_: int) -> int:
    raise KeyError("limit")


def _exits(_: int) -> int:
    sys.exit("no database")


@pytest.mark.parametrize(
    ("check", "says"),
    [
        (_asserts, "it must be even"),
        (_says_nothing, "Is not accepted."),
        (_is_at_fault, "KeyError: 'limit'"),
        (_exits, "SystemExit: The function called sys.exit(no database)."),
    ],
)
def test_a_check_of_the_authors_refuses_a_value_however_it_raises(
    check: Callable[[int], int], says: str
) -> None:
    @dataclasses.dataclass
    class Checked:
        n: int

        def __post_init__(self) -> None:
            check(self.n)

    for annotation, raw in ((Checked, {"n": 1}), (Annotated[int, AfterValidator(check)], 1)):
        with pytest.raises(InvalidArguments) as caught:
            decoded(annotation, raw)
        assert [problem["msg"] for problem in caught.value.problems] == [says]
