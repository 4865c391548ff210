"""A form inline whose kernel is gone says so, and what to do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.lab.jupyter import Jupyter
from tests.lab.window import KERNEL_MILLISECONDS, Window

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CELL = """
from nbfunc import panel

def double(n: int) -> int:
    return 2 * n

def halve(n: int) -> float:
    return n / 2

display(panel(double), panel([double, halve]))
"""
LOST = "has lost its kernel: run its cell"


@pytest.fixture
def window(page: Page, lab: Jupyter) -> Window:
    window = Window(page, lab)
    lab.notebook("lost.ipynb", CELL)
    window.visit("lost.ipynb")
    window.run_all()
    expect(page.locator(".nbfunc-panel").first).to_be_visible(timeout=KERNEL_MILLISECONDS)
    expect(page.get_by_text(LOST).first).to_be_hidden()
    return window


def test_a_form_whose_kernel_is_shut_down_says_so(window: Window, page: Page, complaints: list[str]) -> None:
    window.menu("Kernel", "Shut Down Kernel")
    expect(page.get_by_text(LOST).first).to_be_visible()
    window.leave()
    # Lab's debugger asked the kernel something as it went.
    complaints[:] = [said for said in complaints if "debug" not in said]


def test_a_notebook_that_is_opened_again_without_its_kernel_says_what_to_run(
    window: Window, page: Page, lab: Jupyter, complaints: list[str]
) -> None:
    with page.expect_response(
        lambda answer: answer.request.method == "PUT" and "api/contents/lost.ipynb" in answer.url
    ):
        page.keyboard.press("Control+S")
    window.leave()
    for session in lab.api("api/sessions"):
        lab.api(f"api/sessions/{session['id']}", "DELETE")
    window.visit("lost.ipynb")
    expect(page.get_by_text("The form of double: run this cell to use it.")).to_be_visible()
    expect(page.get_by_text("The forms of Double, Halve: run this cell to use them.")).to_be_visible()
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)
    window.leave()
    # ipywidgets says it to the console too.
    complaints[:] = [said for said in complaints if "widget model not found" not in said]
