"""A form that nobody touched is submitted: the function gets its own defaults, those not shown too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from playwright.sync_api import Page, expect

from nbfunc.types import File, Password
from tests.serving import Served, serving

pytestmark = pytest.mark.browser

HERE = str(Path(__file__))
NAME = Path(__file__).name


@dataclasses.dataclass
class Login:
    user: str
    key: Annotated[str, Password()]


@dataclasses.dataclass
class Source:
    data: File = "elsewhere.csv"
    rows: int = 1


# Annotation, default, and what the page says of it.
CASES: dict[str, tuple[Any, Any, str]] = {
    "files": (list[File], [HERE], f"without one, “{NAME}” is used"),
    "file_set": (set[File], {HERE}, f"without one, “{NAME}” is used"),
    "no_files": (list[File], [], "or drop them here"),
    "file_dict": (dict[str, File], {"a": HERE}, f"Without a row, “{NAME}” is used."),
    "file_variant": (int | File, HERE, f"without one, “{NAME}” is used"),
    "file_variant_off": (int | File | None, HERE, f"without one, “{NAME}” is used"),
    "file_group": (Source, Source(HERE, 5), f"without one, “{NAME}” is used"),
    "file_groups": (list[Source], [Source(HERE)], "Without a row, the default is used."),
    "login": (Login, Login("ada", "s3cret"), "user"),
    "maybe_login": (Login | None, Login("ada", "s3cret"), "user"),
    "login_variant": (int | Login, Login("ada", "s3cret"), "user"),
    "logins": (list[Login], [Login("ada", "s3cret")], "Without a row, the default is used."),
    "keys": (dict[str, Annotated[str, Password()]], {"a": "s3cret"}, "Without a row, the default is used."),
}


def function_of(name: str, annotation: Any, default: Any) -> Callable[..., str]:
    def function(value: Any = default) -> str:
        return "as it was" if value == default else repr(value)

    function.__name__ = name
    function.__annotations__ = {"value": annotation}
    return function


def sign_in(login: Login = Login("ada", "s3cret")) -> str:  # noqa: B008 - a default of the form
    return f"{login.user} by {login.key}"


def names(files: list[File] = [HERE]) -> str:  # noqa: B006 - a default of the form, never changed
    return " ".join(Path(file).name for file in files)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    functions = [function_of(name, annotation, default) for name, (annotation, default, _) in CASES.items()]
    with serving([*functions, sign_in, names], tmp_path_factory.mktemp("served")) as served:
        yield served


def submit(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()


@pytest.mark.parametrize("case", CASES)
def test_a_default_that_nobody_touched_is_what_the_function_gets(
    case: str, served: Served, page: Page
) -> None:
    page.goto(f"{served.url}/{case}")
    expect(page.locator("nbfunc-form form")).to_contain_text(CASES[case][2])
    submit(page)
    expect(page.locator(".runs")).to_contain_text("as it was")
    assert "s3cret" not in page.content()


def test_a_group_is_changed_and_keeps_the_password_of_its_default(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/sign_in")
    expect(page.get_by_label("user", exact=True)).to_have_value("ada")
    page.get_by_label("user", exact=True).fill("grace")
    submit(page)
    expect(page.locator(".runs")).to_contain_text("grace by s3cret")


def test_a_file_that_is_chosen_takes_the_place_of_the_default_files(
    served: Served, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{served.url}/names")
    (tmp_path / "own.txt").write_text("own")
    page.locator("input[type=file]").set_input_files(tmp_path / "own.txt")
    submit(page)
    expect(page.locator(".runs > .run pre")).to_have_text("own.txt")
    page.get_by_role("button", name="Remove", exact=False).first.click()
    expect(page.locator("nbfunc-form form")).to_contain_text(f"“{NAME}” is used")
    submit(page)
    expect(page.locator(".runs > .run pre")).to_have_text(NAME)
