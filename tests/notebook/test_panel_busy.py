"""A panel whose kernel is busy: a click runs with what was typed before it, whenever that is heard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import chromium
from tests.notebook.jupyter import lab, open_and_run, write_notebook
from tests.notebook.test_panel_lab import Notebook, press

__all__ = ["chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

CELLS = (
    """
import pathlib, time
from nbfunc import panel

def say(word: str) -> str:
    return f"said {word}"

def wait_for(name):
    print(f"{name} began")
    while not pathlib.Path(name).exists():
        time.sleep(0.01)
""",
    "panel(say)",
    "if busy: wait_for('first')",
    "if busy: wait_for('second')",
    "busy = True; print('ready')",
)


@pytest.fixture(scope="module", params=["perCommTarget", "disabled"], ids=["subshells", "one shell"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("busy")
    write_notebook(folder / "busy.ipynb", "busy = False", *CELLS)
    with lab(folder, subshells=request.param) as url:
        yield url, folder


def fill(page: Page, word: str) -> None:
    page.get_by_label("word", exact=True).fill(word)
    page.keyboard.press("Tab")


def test_a_click_in_a_long_cell_runs_with_what_was_typed_last(
    server: tuple[str, Path], chromium: Browser
) -> None:
    url, folder = server
    page = chromium.new_page()
    open_and_run(page, url, "busy.ipynb")
    notebook, panel = Notebook(page), Notebook(page).panel("Say")
    expect(notebook.output(5)).to_have_text("ready")
    fill(page, "at rest")
    press(panel, "Run")
    expect(panel.locator(".nbfunc-outputs")).to_have_text("said at rest")
    notebook.run_cell(3)
    expect(notebook.output(3)).to_have_text("first began")
    for word in ("one", "two", "three"):
        fill(page, word)
    press(panel, "Run")
    notebook.run_cell(4)
    (folder / "first").touch()
    expect(notebook.output(4)).to_have_text("second began")
    (folder / "second").touch()
    expect(panel.locator(".nbfunc-outputs").first).to_have_text("said three")
    page.close()
