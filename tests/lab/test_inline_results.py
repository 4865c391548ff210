"""What an inline form shows in Lab: tables as their own cell would, files as links to the server."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.lab.jupyter import Jupyter
from tests.lab.window import KERNEL_MILLISECONDS, Window

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "inline.ipynb"
CELLS = (
    """
import pandas as pd
from nbfunc import FileResponse, panel

table = pd.DataFrame({"word": ["one", "two"]}, index=[7, 8])

def show():
    return table

def make(name: str = "großes Bild"):
    return FileResponse(data=name.encode(), filename=f"{name}.txt")

display(panel(show), panel(make))
""",
    "table",
)


def test_a_table_is_drawn_as_its_cell_draws_it_and_a_file_comes_from_the_server(
    page: Page, lab: Jupyter
) -> None:
    window = Window(page, lab)
    lab.notebook("results.ipynb", *CELLS)
    window.visit("results.ipynb")
    window.run_all()
    show, make = page.locator(".nbfunc-panel").first, page.locator(".nbfunc-panel").nth(1)
    cell = page.locator(".jp-CodeCell").nth(1).locator("table.dataframe")
    expect(cell).to_be_visible(timeout=KERNEL_MILLISECONDS)
    show.get_by_role("button", name="Run", exact=True).click()
    expect(show.locator("table.dataframe")).to_be_visible()
    assert show.locator("table.dataframe").inner_html() == cell.inner_html()
    make.get_by_role("button", name="Run", exact=True).click()
    link = make.get_by_role("link", name="Download")
    expect(link).to_be_visible()
    assert "/base/nbfunc/-/files/" in str(link.get_attribute("href"))
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "großes Bild.txt"
    assert Path(download.value.path()).read_text() == "großes Bild"
    window.leave()


def test_the_notebook_of_inline_forms_works_in_lab(page: Page, lab: Jupyter) -> None:
    window = Window(page, lab)
    shutil.copy(NOTEBOOK, lab.folder)
    window.visit(NOTEBOOK.name)
    window.run_all()
    form = page.locator(".nbfunc-panel").first
    expect(form).to_be_visible(timeout=KERNEL_MILLISECONDS)
    form.get_by_label("name", exact=True).fill("Lab")
    form.get_by_role("button", name="Run", exact=True).click()
    expect(form).to_contain_text("Hello Lab! Hello Lab!")
    window.leave()
