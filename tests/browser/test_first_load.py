"""The first load is small: what a form needs before it can be typed in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Response, expect

from nbfunc.types import Dropdown
from tests.serving import serving

pytestmark = pytest.mark.browser


def add(a: int, b: int) -> int:
    return a + b


def test_a_form_is_ready_after_four_requests_and_forty_kilobytes(page: Page, tmp_path: Path) -> None:
    answers: list[Response] = []

    def came(answer: Response) -> None:
        answers.append(answer)

    page.on("response", came)
    with serving([add], tmp_path) as served:
        page.goto(served.url)
        expect(page.get_by_label("a", exact=True)).to_be_focused()
        # The stream of events is open for as long as the page is.
        loaded = [answer for answer in answers if "/-/events" not in answer.url]
        sizes = [answer.request.sizes() for answer in loaded]
        page.goto("about:blank")
    assert len(answers) <= 4
    assert sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) <= 40 * 1024


def colours() -> list[str]:
    return ["red", "green"]


def paint(colour: Annotated[str, Dropdown(colours)]) -> str:
    return colour


def asked_for(page: Page, url: str) -> list[str]:
    """Open a form, and return the last parts of the addresses that it asked for."""
    asked: list[str] = []

    def heard(request: Request) -> None:
        asked.append(urlsplit(request.url).path.rpartition("/")[2])

    page.on("request", heard)
    page.goto(url)
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    page.remove_listener("request", heard)
    return asked


def test_a_form_stands_in_its_page_and_its_dropdowns_are_asked_for(page: Page, tmp_path: Path) -> None:
    with serving([add, paint], tmp_path) as served:
        assert "schema" not in asked_for(page, f"{served.url}/add")
        assert "schema" in asked_for(page, f"{served.url}/paint")
        page.get_by_label("colour", exact=True).select_option("green")
        page.goto("about:blank")


def test_a_page_of_the_authors_own_without_the_form_in_it_asks_for_it(page: Page, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    for name in ("index", "login"):
        (templates / f"{name}.html").write_text(f'{{% extends "nbfunc/{name}.html" %}}')
    (templates / "form.html").write_text(
        '<link rel="icon" href="data:,">'
        '<nbfunc-form form="{{ form }}" shared="{{ shared }}"></nbfunc-form>'
        '<script type="module" src="{{ up }}{{ script }}"></script>'
    )
    with serving([add], tmp_path, template_dir=templates) as served:
        assert "schema" in asked_for(page, f"{served.url}/add")
        page.goto("about:blank")


def test_what_a_page_came_with_is_as_new_after_going_back_to_it(page: Page, tmp_path: Path) -> None:
    with serving([add, paint], tmp_path) as served:
        page.goto(f"{served.url}/add")
        page.get_by_label("a", exact=True).fill("4")
        page.goto(f"{served.url}/paint")
        expect(page.get_by_label("colour", exact=True)).to_be_visible()
        page.go_back()
        expect(page.get_by_label("a", exact=True)).to_have_value("4")
        page.get_by_label("b", exact=True).fill("5")
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.locator(".run pre")).to_have_text("9")
        page.goto("about:blank")
