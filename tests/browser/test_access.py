"""Everyone can use the page: by keyboard alone, with a screen reader, in the dark, on a phone."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from nbfunc.types import (
    Color,
    DataFile,
    Email,
    Field,
    File,
    FileResponse,
    Multiline,
    OptionalEnabled,
    Password,
    Slider,
)
from tests.browser.accessibility import violations
from tests.serving import Served, serving

pytestmark = pytest.mark.browser


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@dataclasses.dataclass
class Point:
    left: int
    top: int = 0


def everything(  # noqa: PLR0917 - a form of one field of each kind
    number: int,
    ratio: Annotated[float, Field(ge=0, le=1), Slider()] = 0.5,
    text: Annotated[str, Field(description="What it is called.")] = "",
    story: Annotated[str, Multiline(3)] = "",
    key: Annotated[str, Password()] = "",
    sure: bool = False,
    day: date = date(2026, 5, 31),
    moment: datetime = datetime(2026, 5, 31, 18, 30),
    lasting: timedelta = timedelta(hours=1),
    paint: Color = "#1e90ff",
    mail: Email = "ada@example.org",
    data: DataFile | None = None,
    papers: list[File] = [],  # noqa: B006 - a default of the form, never changed
    size: Size = Size.SMALL,
    mode: Literal["fast", "good"] = "fast",
    sizes: list[Size] = [Size.LARGE],  # noqa: B006
    tags: list[str] = ["a", "b"],  # noqa: B006
    limit: int | OptionalEnabled = 3,
    either: int | str = 1,
    point: Point = Point(1),  # noqa: B008 - the same
    named: dict[str, int] = {"a": 1},  # noqa: B006
) -> Any:
    """One of each.

    Every kind of field, with a description
    of two lines.
    """
    print("working")
    return [
        "text",
        FileResponse(data=b"x", filename="x.txt"),
        FileResponse(data=b"y", filename="y.txt"),
        pd.DataFrame({"n": range(30)}),
    ]


def fail() -> None:
    print("about to fail")
    raise ValueError("not today")


def count(tags: list[str], double: bool = False) -> str:
    return repr(tags * (2 if double else 1))


LONG = "ラベル نص " * 30


def long_labels(
    first: Annotated[str, Field(title=LONG, description=LONG)], second: Annotated[bool, Field(title="نعم")]
) -> str:
    return LONG


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    functions = [everything, fail, count, long_labels]
    folder = tmp_path_factory.mktemp("served")
    with serving({"Group": functions[:2], "Other": functions[2:]}, folder) as served:
        yield served


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("guarded")
    with serving([fail], folder, auth={"ada": "secret"}) as served:
        yield served


@pytest.fixture(params=["light", "dark"])
def schemed(request: pytest.FixtureRequest, page: Page) -> Page:
    page.emulate_media(color_scheme=request.param, reduced_motion="reduce")
    return page


def test_the_index_has_no_barriers(served: Served, schemed: Page) -> None:
    schemed.goto(served.url)
    expect(schemed.get_by_role("link", name="Everything")).to_be_visible()
    assert violations(schemed) == []


def test_every_field_and_every_result_has_no_barriers(served: Served, schemed: Page) -> None:
    schemed.goto(f"{served.url}/everything")
    expect(schemed.get_by_label("number", exact=True)).to_be_focused()
    assert violations(schemed) == []
    schemed.get_by_label("number", exact=True).fill("1")
    schemed.keyboard.press("Control+Enter")
    expect(schemed.locator(".run .state")).to_contain_text("Done")
    expect(schemed.get_by_role("table")).to_be_visible()
    assert violations(schemed) == []


def test_what_is_wrong_has_no_barriers(served: Served, schemed: Page) -> None:
    schemed.goto(f"{served.url}/everything")
    schemed.get_by_role("button", name="Run", exact=True).click()
    problem = schemed.get_by_label("number", exact=True)
    expect(problem).to_have_attribute("aria-invalid", "true")
    expect(problem).to_be_focused()
    expect(problem).to_have_accessible_description("Enter a whole number.")
    assert violations(schemed) == []


def test_a_failure_has_no_barriers(served: Served, schemed: Page) -> None:
    schemed.goto(f"{served.url}/fail")
    schemed.get_by_role("button", name="Run", exact=True).click()
    expect(schemed.get_by_role("status")).to_contain_text("Failed: ValueError: not today")
    assert violations(schemed) == []


def test_the_login_has_no_barriers(guarded: Served, schemed: Page, complaints: list[str]) -> None:
    schemed.goto(guarded.url)
    assert violations(schemed) == []
    schemed.get_by_label("Name").fill("ada")
    schemed.get_by_label("Password").fill("wrong")
    schemed.get_by_role("button").click()
    expect(schemed.get_by_role("alert")).to_be_visible()
    assert violations(schemed) == []
    complaints.clear()  # the refusal


def test_the_page_of_an_error_has_no_barriers(served: Served, schemed: Page, complaints: list[str]) -> None:
    schemed.goto(f"{served.url}/nowhere")
    assert violations(schemed) == []
    complaints.clear()  # the 404


def test_the_whole_flow_works_by_keyboard_alone(served: Served, page: Page) -> None:
    press: Callable[[str], None] = page.keyboard.press
    page.goto(served.url)
    link = page.get_by_role("link", name="Count")
    while not link.evaluate("(link) => link === document.activeElement"):
        press("Tab")
    press("Enter")
    # The first field has the focus: a list without rows, so the button that adds one.
    expect(page.get_by_role("button", name="+ Add one")).to_be_focused()
    press("Enter")
    expect(page.get_by_label("tags 1", exact=True)).to_be_focused()
    page.keyboard.type("a")
    for _ in range(2):
        press("Tab")
    press("Enter")
    expect(page.get_by_label("tags 2", exact=True)).to_be_focused()
    page.keyboard.type("b")
    press("Alt+ArrowUp")
    expect(page.locator("ol input").first).to_have_value("b")
    double = page.get_by_role("checkbox", name="double")
    for _ in range(20):
        if double.evaluate("(box) => box.getRootNode().activeElement === box"):
            break
        press("Tab")
    press("Space")
    expect(double).to_be_checked()
    press("Control+Enter")
    expect(page.locator(".run pre")).to_have_text("['b', 'a', 'b', 'a']")
    copy = page.locator(".run").get_by_role("button", name="Copy")
    for _ in range(20):
        if copy.evaluate("(button) => button.getRootNode().activeElement === button"):
            break
        press("Tab")
    expect(copy).to_be_focused()


@pytest.mark.parametrize("name", ["everything", "long_labels"])
def test_nothing_is_wider_than_a_phone(name: str, served: Served, chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 340, "height": 700}, has_touch=True)
    page.goto(f"{served.url}/{name}")
    page.get_by_role("button", name="Run", exact=True).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 340
    page.close()
