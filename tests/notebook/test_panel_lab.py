"""A panel in JupyterLab: a person fills it in, runs it, and goes on working in the notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from tests.browser.conftest import chromium
from tests.browser.test_fields import CASES
from tests.notebook.jupyter import lab, open_and_run, write_notebook

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

FIELDS = """
from nbfunc import panel
from tests.browser.test_fields import CASES, function_of, paint

display(*(panel(function_of(name, annotation)) for name, (annotation, _, _) in CASES.items()), panel(paint))
"""
PROGRAMS = """
import asyncio, threading, time
import ipywidgets
import nbfunc
from IPython.display import display
from nbfunc import FileResponse, panel, progress

go = threading.Event()

def wait_for_go(n: int = 1) -> str:
    print("it waits")
    progress(1, 4, "waiting")
    go.wait(60)
    return f"went {n}"

def make_file(name: str) -> FileResponse:
    return FileResponse(data=f"Hello {name}!".encode(), filename=f"{name}.txt")

def spin() -> None:
    while True:
        pass

def show_button() -> None:
    button = ipywidgets.Button(description="Press me")
    button.on_click(lambda _: setattr(button, "description", "Pressed"))
    display(button)

def picture(n: int) -> object:
    import matplotlib.pyplot as plt
    fig, ax = plt.subplots(figsize=(n, 1))
    time.sleep(0.2)
    return fig

def implicit(n: int) -> None:
    import matplotlib.pyplot as plt
    plt.figure(figsize=(n, 1))
    time.sleep(0.05)
    plt.plot([1, 2])

def print_a_megabyte() -> None:
    for n in range(20_000):
        print(n, "x" * 45)
"""


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def panel(self, title: str) -> Locator:
        """Return the panel with this title."""
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.locator(".nbfunc-panel", has=heading)

    def output(self, cell: int) -> Locator:
        """Return what a cell shows."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea").first

    def run_cell(self, cell: int) -> None:
        """Run one cell, as a person does."""
        self.page.locator(".jp-CodeCell .jp-InputArea-editor").nth(cell).click()
        self.page.keyboard.press("Control+Enter")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    with lab(folder) as url:
        yield url


@pytest.fixture(scope="module")
def fields(folder: Path, server: str, chromium: Browser) -> Iterator[Notebook]:
    write_notebook(folder / "fields.ipynb", FIELDS)
    page = chromium.new_page()
    open_and_run(page, server, "fields.ipynb")
    yield Notebook(page)
    page.close()


@pytest.fixture
def opened(folder: Path, server: str, chromium: Browser) -> Iterator[Callable[..., Notebook]]:
    pages: list[Page] = []

    def open_(*cells: str) -> Notebook:
        name = f"programs-{len(list(folder.glob('programs-*')))}.ipynb"
        write_notebook(folder / name, PROGRAMS, *cells)
        pages.append(chromium.new_page())
        open_and_run(pages[-1], server, name)
        return Notebook(pages[-1])

    yield open_
    for page in pages:
        page.evaluate("void window.jupyterapp.commands.execute('notebook:shutdown-kernel')")
        page.close()


def press(panel: Locator, name: str) -> None:
    panel.get_by_role("button", name=name, exact=True).click()


def add_rows(panel: Locator) -> None:
    for number, text in enumerate(("7", "8"), 1):
        press(panel, "Add")
        panel.get_by_label(f"value {number}", exact=True).fill(text)


def switch_on(panel: Locator) -> None:
    panel.get_by_label("value (optional)").check()
    panel.get_by_label("value", exact=True).fill("5")


def pick_variant(panel: Locator) -> None:
    panel.get_by_role("radio", name="Text").check()
    panel.get_by_label("value: Text").fill("5")


def fill_dict(panel: Locator) -> None:
    press(panel, "Add")
    panel.get_by_label("Key 1 of value").fill("a")
    panel.get_by_label("value 1", exact=True).fill("1")


def choose_file(panel: Locator) -> None:
    with panel.page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="Choose").click()
    chooser.value.set_files(FilePayload(name="Zahlen Ä.CSV", mimeType="text/csv", buffer=b"1,2"))
    expect(panel).to_contain_text("Zahlen Ä.CSV (3 B)")


# Where the page's way of filling a field in is not the panel's.
OWN_ACTS: dict[str, Callable[[Locator], None]] = {
    "file": choose_file,
    "files": choose_file,
    "list": add_rows,
    "optional": switch_on,
    "variants": pick_variant,
    "dict": fill_dict,
}


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_field_is_filled_in_and_arrives(case: str, fields: Notebook) -> None:
    _, act, value = CASES[case]
    panel = fields.panel(case.capitalize())
    panel.wait_for()
    panel.scroll_into_view_if_needed()
    fill: Callable[[Any], None] = OWN_ACTS.get(case, act)
    fill(panel)
    press(panel, "Run")
    expect(panel.locator(".nbfunc-outputs")).to_contain_text(repr(value))


def test_a_color_arrives(fields: Notebook) -> None:
    panel = fields.panel("Paint")
    panel.locator("input[type=color]").fill("#ff8800")
    press(panel, "Run")
    expect(panel.locator(".nbfunc-outputs")).to_contain_text("#ff8800")


def test_the_kernel_is_free_for_cells_while_a_form_runs(opened: Callable[..., Notebook]) -> None:
    notebook = opened("panel(wait_for_go)", "print('before'); go.clear()", "go.set(); print('a cell')")
    panel = notebook.panel("Wait for go")
    expect(notebook.output(3)).to_contain_text("a cell")
    notebook.run_cell(2)
    press(panel, "Run")
    expect(panel.locator(".nbfunc-prints")).to_contain_text("it waits")
    expect(panel.get_by_role("progressbar")).to_be_visible()
    panel.get_by_label("n", exact=True).fill("2")
    panel.page.keyboard.press("Tab")
    notebook.run_cell(3)
    expect(panel).to_contain_text("went 1")
    expect(notebook.output(3)).to_have_text("a cell")
    expect(notebook.output(2)).to_have_text("before")


def test_a_run_goes_on_when_its_cell_is_run_again(opened: Callable[..., Notebook]) -> None:
    notebook = opened("p = panel(wait_for_go); p", "future = p.run()", "go.set(); future.result(20)")
    expect(notebook.output(3)).to_contain_text("went 1")
    notebook.run_cell(1)
    panel = notebook.panel("Wait for go")
    expect(panel).to_have_count(1)
    press(panel, "Run")
    expect(panel).to_contain_text("went 1")


def test_a_run_is_cancelled_by_its_button(opened: Callable[..., Notebook]) -> None:
    panel = opened("panel(spin)").panel("Spin")
    press(panel, "Run")
    press(panel, "Cancel")
    expect(panel.get_by_role("status")).to_have_text("Cancelled")
    press(panel, "Clear")
    expect(panel.get_by_role("status")).to_have_count(0)


def test_a_function_shows_widgets_of_its_own(opened: Callable[..., Notebook]) -> None:
    panel = opened("panel(show_button)").panel("Show button")
    press(panel, "Run")
    press(panel, "Press me")
    expect(panel.get_by_role("button", name="Pressed")).to_be_visible()


@pytest.mark.parametrize("cell", ["panel(picture)", "panel(nbfunc.expose(implicit, where='main'))"])
def test_ten_runs_at_once_draw_ten_right_pictures(cell: str, opened: Callable[..., Notebook]) -> None:
    panel = opened(cell).page.locator(".nbfunc-panel")
    for number in range(1, 11):
        panel.get_by_label("n", exact=True).fill(str(number))
        press(panel, "Run")
        expect(panel.locator(".nbfunc-run")).to_have_count(number)
    expect(panel.locator(".nbfunc-outputs img")).to_have_count(10, timeout=30_000)
    widths = panel.locator(".nbfunc-outputs img").evaluate_all("(all) => all.map((one) => one.naturalWidth)")
    assert sorted(set(widths), reverse=True) == widths


def test_a_notebook_that_is_loaded_again_has_its_form_and_results(opened: Callable[..., Notebook]) -> None:
    notebook = opened("panel(make_file)")
    panel = notebook.panel("Make file")
    panel.get_by_label("name", exact=True).fill("Ada")
    press(panel, "Run")
    expect(panel.get_by_role("link", name="Download")).to_be_visible()
    notebook.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    notebook.page.reload()
    expect(panel.get_by_label("name", exact=True)).to_have_value("Ada")
    expect(panel.get_by_role("link", name="Download")).to_be_visible()


def test_a_file_downloads(opened: Callable[..., Notebook]) -> None:
    panel = opened("panel(make_file)").panel("Make file")
    panel.get_by_label("name", exact=True).fill("Ada")
    press(panel, "Run")
    with panel.page.expect_download() as download:
        panel.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "Ada.txt"
    assert Path(download.value.path()).read_bytes() == b"Hello Ada!"


def test_a_wrong_value_is_told_at_its_field(opened: Callable[..., Notebook]) -> None:
    panel = opened("panel(picture)").panel("Picture")
    press(panel, "Run")
    expect(panel.get_by_role("alert")).to_contain_text("needed")
    panel.get_by_label("n", exact=True).fill("5")
    panel.page.keyboard.press("Tab")
    expect(panel.get_by_role("alert")).to_have_count(0)
    press(panel, "Run")
    expect(panel.locator(".nbfunc-outputs img")).to_be_visible()


def test_a_megabyte_of_prints_does_not_hold_the_notebook_up(opened: Callable[..., Notebook]) -> None:
    panel = opened("panel(print_a_megabyte)").panel("Print a megabyte")
    press(panel, "Run")
    expect(panel.locator(".nbfunc-prints")).to_contain_text("19999 xxx")
    expect(panel.get_by_role("status")).to_have_text("Done")


def test_a_form_without_its_kernel_says_so(opened: Callable[..., Notebook]) -> None:
    notebook = opened("panel(make_file)")
    panel = notebook.panel("Make file")
    expect(panel).to_be_visible()
    expect(panel.get_by_text("has lost its kernel")).to_be_hidden()
    notebook.page.evaluate("void window.jupyterapp.commands.execute('notebook:restart-kernel')")
    notebook.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(panel.get_by_text("has lost its kernel")).to_be_visible()
