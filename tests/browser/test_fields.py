"""A person fills in each kind of field and submits: the function gets what they meant."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from playwright.sync_api import Page, expect

from nbfunc.types import (
    Color,
    DataFile,
    Dropdown,
    Email,
    Field,
    File,
    FileResponse,
    Multiline,
    Password,
    Slider,
)
from tests.serving import Served, serving

pytestmark = pytest.mark.browser


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@dataclasses.dataclass
class Point:
    left: int
    top: int = 0


def offered() -> list[str]:
    return ["red", "green"]


def read(path: str) -> str:
    return f"{Path(path).name}: {Path(path).read_text()}"


def fill(text: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_label("value", exact=True).fill(text)


def check(label: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_label(label, exact=True).check()


def choose(label: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_label("value", exact=True).select_option(label=label)

    return act


def add_rows(page: Page) -> None:
    for text in ("7", "8"):
        page.get_by_role("button", name="+ ").click()
        page.locator("fieldset input[type=number]").last.fill(text)


def switch_on(page: Page) -> None:
    page.get_by_role("switch").check()
    page.locator("input[type=number]").fill("5")


def pick_variant(page: Page) -> None:
    page.get_by_role("radio", name="Text").check()
    page.locator("input[type=text]").fill("5")


def fill_group(page: Page) -> None:
    page.get_by_label("left", exact=True).fill("3")
    page.get_by_label("top", exact=True).fill("4")


def fill_dict(page: Page) -> None:
    page.get_by_role("button", name="+ ").click()
    page.get_by_label("Key 1 of value").fill("a")
    page.locator("fieldset input[type=number]").fill("1")


def slide(page: Page) -> None:
    slider = page.get_by_role("slider")
    slider.focus()
    slider.press("End")


def upload(page: Page) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": "Zahlen Ä.CSV", "mimeType": "text/csv", "buffer": b"1,2"}
    )


CASES: dict[str, tuple[Any, Callable[[Page], None], Any]] = {
    "int": (int, fill("42"), 42),
    "float": (float, fill("1.5"), 1.5),
    "slider": (Annotated[int, Field(ge=0, le=9), Slider()], slide, 9),
    "text": (str, fill('<b>"é"</b>'), '<b>"é"</b>'),
    "multiline": (Annotated[str, Multiline(3)], fill("a\nb"), "a\nb"),
    "password": (Annotated[str, Password()], fill("s3cret"), "s3cret"),
    "checkbox": (bool, check("value"), True),
    "date": (date, fill("2024-02-29"), date(2024, 2, 29)),
    "time": (time, fill("18:30"), time(18, 30)),
    "datetime": (datetime, fill("2024-02-29T18:30"), datetime(2024, 2, 29, 18, 30)),
    "duration": (timedelta, fill("1h 30m"), timedelta(hours=1.5)),
    "email": (Email, fill("ada@example.org"), "ada@example.org"),
    "file": (DataFile, upload, "Zahlen Ä.CSV: 1,2"),
    "files": (list[File], upload, ["Zahlen Ä.CSV: 1,2"]),
    "literal": (Literal["a", 2], choose("2"), 2),
    "enum": (Size, choose("large"), Size.LARGE),
    "dynamic": (Annotated[str, Dropdown(offered)], choose("green"), "green"),
    "choices": (list[Size], check("large"), [Size.LARGE]),
    "list": (list[int], add_rows, [7, 8]),
    "optional": (int | None, switch_on, 5),
    "variants": (int | str, pick_variant, "5"),
    "group": (Point, fill_group, Point(3, 4)),
    "dict": (dict[str, int], fill_dict, {"a": 1}),
}


def function_of(name: str, annotation: Any) -> Callable[..., str]:
    def function(value):  # type: ignore[no-untyped-def]  # its annotation is the case's
        if annotation is DataFile:
            return repr(read(value))
        return repr([read(path) for path in value] if name == "files" else value)

    function.__name__ = name
    function.__annotations__ = {"value": annotation}
    return function


def paint(value: Color) -> str:
    return value


def make_file(name: str) -> FileResponse:
    print("making", name)
    return FileResponse(data=f"Hello {name}!".encode(), filename=f"{name}.txt")


def wait_for_ever() -> None:
    number = 0
    while True:
        number += len(str(number))


def refuse(n: Annotated[int, Field(ge=5)]) -> None:
    raise ValueError("not today <b>")


def keep(
    key: Annotated[str, Password(), Field(min_length=3)] = "secret",
    other: Annotated[str | None, Password()] = "optional",
    n: int = 2**60,
    large: Annotated[int, Field(lt=10**30)] = 10**25,
    shown: Literal[9007199254740993] = 9007199254740993,
) -> str:
    return repr((key, other, n, large, shown))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    functions = [function_of(name, annotation) for name, (annotation, _, _) in CASES.items()]
    others = [paint, make_file, wait_for_ever, refuse, keep]
    with serving([*functions, *others], tmp_path_factory.mktemp("served")) as served:
        yield served


def submit(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_field_is_filled_in_and_arrives(case: str, served: Served, page: Page) -> None:
    _, act, value = CASES[case]
    page.goto(f"{served.url}/{case}")
    act(page)
    submit(page)
    expect(page.locator(".runs")).to_contain_text(repr(value))


def test_a_color_arrives(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/paint")
    page.locator("input[type=color]").fill("#ff8800")
    submit(page)
    expect(page.locator(".runs")).to_contain_text("#ff8800")


def test_a_color_and_its_text_stand_side_by_side_on_a_phone(served: Served, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto(f"{served.url}/paint")
    middles = []
    for kind in ("color", "text"):
        box = page.locator(f"input[type={kind}]").bounding_box()
        assert box is not None
        middles.append(box["y"] + box["height"] / 2)
    assert abs(middles[0] - middles[1]) < 2


def test_prints_are_seen_and_the_file_downloads(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/make_file")
    page.get_by_label("name", exact=True).fill("Ada")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".runs")).to_contain_text("making Ada")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").first.click()
    assert download.value.suggested_filename == "Ada.txt"
    assert Path(download.value.path()).read_bytes() == b"Hello Ada!"


def test_a_run_is_cancelled_by_its_button(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/wait_for_ever")
    submit(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".runs")).to_contain_text("Cancelled")


def test_an_error_is_shown_as_text_and_a_wrong_value_at_its_field(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/refuse")
    page.get_by_label("n", exact=True).fill("1")
    submit(page)
    expect(page.locator(".problem")).to_contain_text("at least 5")
    page.get_by_label("n", exact=True).fill("5")
    submit(page)
    expect(page.locator(".runs")).to_contain_text("ValueError: not today <b>")


def test_defaults_that_nobody_touched_are_what_the_function_gets(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/keep")
    submit(page)
    expected = repr(("secret", "optional", 2**60, 10**25, 9007199254740993))
    expect(page.locator(".runs")).to_contain_text(expected)
