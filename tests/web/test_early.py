"""What the server writes of each kind of field, before any script has come."""

from __future__ import annotations

import dataclasses
import re
from datetime import date, datetime, time, timedelta, timezone
from html.parser import HTMLParser
from typing import Annotated, Any, Literal

import pytest

from nbfunc.core.forms import form_of
from nbfunc.types import Color, Dropdown, Email, Field, File, Multiline, Password, Placeholder, Slider
from nbfunc.web.early import Control, EarlyField, early_fields
from tests.web.conftest import Serve

ABSENT: Any = object()


@dataclasses.dataclass
class Point:
    left: int
    top: int = 0


def early(annotation: Any, default: Any = ABSENT) -> EarlyField:
    """Return what stands for one parameter."""

    def function(value: Any) -> None: ...

    function.__annotations__ = {"value": annotation}
    if default is not ABSENT:
        function.__defaults__ = (default,)
    (field,) = early_fields(form_of(function).schema({}))
    return field


def control(annotation: Any, default: Any = ABSENT) -> Control:
    found = early(annotation, default).control
    assert found is not None
    return found


def said(annotation: Any, default: Any, *names: str) -> list[str | None]:
    attributes = control(annotation, default).attributes
    return [attributes.get(name) for name in names]


def test_a_number_has_its_bounds_and_its_steps() -> None:
    assert said(int, 5, "type", "step", "value", "required", "min") == ["number", "1", "5", "", None]
    names = ("min", "max", "step", "inputmode")
    assert said(Annotated[int, Field(gt=0, lt=9)], ABSENT, *names) == ["1", "8", "1", "numeric"]
    assert said(Annotated[float, Field(ge=-1.5, multiple_of=0.5)], ABSENT, *names) == [
        "-1.5",
        None,
        "0.5",
        "decimal",
    ]
    assert "value" not in control(int).attributes


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5.0, "5"),
        (0.1, "0.1"),
        (1e-5, "0.00001"),
        (1e-7, "1e-7"),
        (1e20, "100000000000000000000"),
        (-0.5, "-0.5"),
    ],
)
def test_a_number_is_written_as_the_script_writes_it(value: float, shown: str) -> None:
    assert said(float, value, "value") == [shown]


def test_integers_keep_their_digits() -> None:
    assert said(int, 2**60 + 1, "value") == [str(2**60 + 1)]


def test_a_number_that_may_be_none_takes_letters() -> None:
    assert said(Annotated[float, Field(allow_inf_nan=True)], float("nan"), "type", "value", "step") == [
        "text",
        "NaN",
        None,
    ]


def test_text_of_a_line_and_of_several() -> None:
    assert said(Annotated[str, Placeholder("here")], "you", "type", "value", "placeholder") == [
        "text",
        "you",
        "here",
    ]
    several = control(Annotated[str, Multiline(3)], "a\nb")
    assert (several.tag, several.text, several.attributes["rows"]) == ("textarea", "a\nb", "3")
    assert said(Email, "a@b.org", "type", "autocomplete", "value") == ["email", "email", "a@b.org"]


def test_a_box_is_ticked_by_its_default() -> None:
    assert "checked" in control(bool, True).attributes
    assert "checked" not in control(bool, False).attributes
    assert "checked" not in control(bool).attributes


@pytest.mark.parametrize(
    ("default", "attributes"),
    [
        (date(2024, 2, 29), ["date", "2024-02-29", None]),
        (time(18, 30), ["time", "18:30", None]),
        (time(18, 30, 5), ["time", "18:30:05", "1"]),
        (datetime(2024, 2, 29, 18, 30), ["datetime-local", "2024-02-29T18:30", None]),
        (datetime(2024, 2, 29, 18, 30, 5, 1500), ["datetime-local", "2024-02-29T18:30:05.001", "0.001"]),
    ],
)
def test_dates_and_times_are_the_browsers_own(default: Any, attributes: list[str | None]) -> None:
    assert said(type(default), default, "type", "value", "step") == attributes
    assert said(type(default), ABSENT, "type", "value") == [attributes[0], ""]


def test_a_dropdown_shows_its_default_else_its_first_option() -> None:
    kind = Literal[1, True, "a"]
    assert control(kind, True).options == (("1", False), ("True", True), ("a", False))
    assert control(kind, 1).options == (("1", True), ("True", False), ("a", False))
    assert control(kind).options == (("1", True), ("True", False), ("a", False))


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (Annotated[str, Password()], "secret"),
        (File, ABSENT),
        (Annotated[str, Dropdown(lambda: ["a"])], ABSENT),
        (Annotated[int, Field(ge=0, le=9), Slider()], 3),
        (time, time(18, 30, tzinfo=timezone.utc)),
        (datetime, datetime(2024, 2, 29, tzinfo=timezone.utc)),
        (Color, "#abc"),
        (timedelta, timedelta(hours=1)),
        (list[int], [1, 2]),
        (list[Literal["a", "b"]], ["a"]),
        (int | None, 5),
        (int | str, 5),
        (Point, Point(1)),
        (dict[str, int], {"a": 1}),
    ],
)
def test_what_needs_the_script_is_a_space_of_its_height(annotation: Any, default: Any) -> None:
    field = early(annotation, default)
    assert field.control is None
    assert 20 < field.height < 300


def test_a_switch_that_is_off_takes_no_height() -> None:
    assert early(int | None, None).height == 0


def hello(
    name: Annotated[str, Field(title="Your name", description=" who ")] = "you", n: int | None = None
) -> None:
    """Say hello.

    Parameters
    ----------
    n
        How often.
    """


def test_titles_and_help_are_those_of_the_form() -> None:
    fields = early_fields(form_of(hello).schema({}))
    assert [(one.title, one.help) for one in fields] == [("Your name", "who"), ("n", "How often.")]


# In the page


class Shadow(HTMLParser):
    """Collects the elements that stand in the form's shadow, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = self._within or tag == "template"
        if self._within:
            self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._within = self._within and tag != "template"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for one, attributes in self.found if one == tag]


HTML = {"Accept": "text/html"}
MARKUP = "<b onclick='x()'>\"&amp;</template></textarea></option></script>"


def marked(
    text: Annotated[str, Field(title=MARKUP, description=MARKUP)] = MARKUP,
    long: Annotated[str, Multiline(2), Placeholder(MARKUP)] = MARKUP,
    one: Literal["<b>", "</select>"] = "<b>",
) -> None: ...


marked.__doc__ = MARKUP


def test_text_is_never_markup(serve: Serve) -> None:
    page = Shadow(serve(marked).get("/marked", **HTML).text)
    assert page.all("b") == []
    text, long = page.all("input")[0], page.all("textarea")[0]
    assert text["value"] == long["placeholder"] == MARKUP
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]
    assert len(page.all("option")) == 2


def keep(key: Annotated[str, Password()] = "s3cret", name: str = "you") -> None: ...


def test_every_control_has_a_label_and_its_help_and_none_a_secret(serve: Serve) -> None:
    text = serve([hello, keep]).get("/hello", **HTML).text
    page = Shadow(text)
    (control,) = page.all("input")
    assert [label["for"] for label in page.all("label")] == [control["id"]]
    assert control["aria-describedby"] in [p.get("id") for p in page.all("p")]
    assert "s3cret" not in serve([hello, keep]).get("/keep", **HTML).text


def test_nothing_can_be_submitted_before_the_script_takes_over(serve: Serve) -> None:
    page = Shadow(serve(keep).get("/keep", **HTML).text)
    submits = [one for one in page.all("button") if one.get("type", "submit") == "submit"]
    assert submits
    assert all("disabled" in one for one in submits)
    assert all("action" not in one for one in page.all("form"))


def colours() -> list[str]:
    raise AssertionError("the page asks, not the server that writes it")


def paint(colour: Annotated[str, Dropdown(colours)], name: str = "you") -> None: ...


def test_options_that_are_to_be_asked_for_are_waited_for_by_the_page(serve: Serve) -> None:
    text = serve(paint).get("/paint", **HTML).text
    assert [one["value"] for one in Shadow(text).all("input")] == ["you"]
    assert "Loading…" in text.partition('data-field="colour"')[2].partition('data-field="name"')[0]
    assert '<script type="application/json">' not in text


@pytest.mark.parametrize("path", ["/", "/nothing"])
def test_a_page_without_a_form_has_no_early_one(serve: Serve, path: str) -> None:
    assert "<template" not in serve([paint, keep]).get(path, **HTML).text


def test_an_embedded_form_is_plain_from_the_beginning(serve: Serve) -> None:
    served = serve(keep)
    assert re.search(r"<nbfunc-form [^>]* plain>", served.get("/keep?-embed=1", **HTML).text)
    assert not re.search(r"<nbfunc-form [^>]* plain>", served.get("/keep", **HTML).text)
